"""``python -m sklearn_ddcl``."""

import sys

from sklearn_ddcl.cli import main

if __name__ == "__main__":
    # A terminal that lacks a character shows a question mark, and that is all.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.exit(main())
