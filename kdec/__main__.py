"""`python -m kdec` is the command line."""

from kdec.cli import main

main()
