"""The command line, a door like any other: it holds a Workspace and shows what comes of it.

One rule: with `--json`, standard output is one JSON document (or JSON lines where a command says so) and everything
else goes to standard error. Exit codes: 0 done, 1 failed, 2 wrong request, 3 not allowed, 4 something needed is not
there, 5 stopped.
"""

from portal.cli.app import main

__all__ = ["main"]
