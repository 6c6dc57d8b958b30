"""The command line: fit, predict, explain and evaluate on CSV tables."""

from sklearn_ddcl.cli.main import main

__all__ = ["main"]
