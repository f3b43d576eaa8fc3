"""``python -m gridmap.cli``: the command without its script."""

from gridmap.cli import main

main()
