"""``python -m realtime``: the command line."""

from realtime.cli.main import program

program()
