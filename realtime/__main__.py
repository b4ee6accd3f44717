"""``python -m realtime``: the command line."""

from realtime.cli.main import main

raise SystemExit(main())
