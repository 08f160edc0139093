"""What the tests of the command line share: a way to run it in this process."""

import sys

import pytest

from kdec.cli import commands as cli


@pytest.fixture
def command(monkeypatch, capfd):
    """A function that runs `kdec`: exit code, output, error output."""
    # So that no line of an error is broken.
    monkeypatch.setenv("COLUMNS", "500")

    def run(*arguments):
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["kdec", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code or 0, *capfd.readouterr()

    return run
