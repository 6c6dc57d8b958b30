"""Read the arguments, run the command, turn what goes wrong into an exit code."""

import argparse
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

from sklearn_ddcl import __version__
from sklearn_ddcl.cli import evaluate, explain, fit, predict
from sklearn_ddcl.cli.messages import CommandError, one_line

OK, OUR_FAILURE, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

PROGRAM = "python -m sklearn_ddcl"
COMMANDS = {"fit": fit, "predict": predict, "explain": explain, "evaluate": evaluate}

_EPILOG = """\
exit codes:
  0    done
  1    something failed that should not; please report it
  2    arguments, table or model cannot be used; the message says why
  130  interrupted
"""


class Parser(argparse.ArgumentParser):
    """Report a wrong argument in one line, as any other error."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of leaving the process."""
        raise CommandError(f"{message.rstrip('.')}. See: {self.prog} --help")


def make_parser() -> Parser:
    """Return the parser of all commands; it loads no heavy library."""
    parser = Parser(
        prog=PROGRAM,
        description="Classify CSV tables by learned prototypes, and see why.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=command.HELP,
            description=command.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(sub)
        sub.add_argument(
            "--traceback", action="store_true", help="show where an error came from"
        )
        sub.set_defaults(run=command.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    code : int
        0 done, 1 failure of ours, 2 bad input, 130 interrupted.
    """
    shown = False
    try:
        args = make_parser().parse_args(argv)
        shown = args.traceback
        with warnings.catch_warnings():
            warnings.filterwarnings("default", category=UserWarning)
            warnings.showwarning = _show_warning
            args.run(args)
            sys.stdout.flush()
    except SystemExit as stop:
        # --help and --version; wrong arguments are a CommandError.
        return int(stop.code or OK)
    except CommandError as error:
        return _fail(BAD_INPUT, one_line(error), shown)
    except KeyboardInterrupt:
        return _fail(INTERRUPTED, "interrupted", shown)
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not flush it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as error:
        reason = f"{type(error).__name__}: {one_line(error)}"
        advice = "" if shown else " Add --traceback and report it"
        return _fail(OUR_FAILURE, f"unexpected failure, {reason}.{advice}", shown)
    return OK


def _fail(code: int, message: str, show_traceback: bool) -> int:
    if show_traceback:
        traceback.print_exc()
    print(f"error: {message}", file=sys.stderr)
    return code


def _show_warning(message: Any, *args: Any, **kwargs: Any) -> None:
    print(f"warning: {one_line(message)}", file=sys.stderr)
