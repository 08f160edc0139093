"""Modules under their addresses of version 0.2, so that code written for it goes on working.

`kdec/__init__.py` adds this folder to the package's path: `moved/dec.py` is `kdec.dec`. New code
takes these names from `kdec` itself, or from the package that each module here names.
"""
