"""From arguments to a command, and from what it raises to an exit status."""

from __future__ import annotations

import sys
import warnings

from hookseal._cli import _exit, _say
from hookseal._cli._parser import parsed
from hookseal._errors import SchemeError, SecretError, without_calls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

__all__ = ["run"]


def run(arguments: Sequence[str] | None) -> int:
    """Runs the command that the arguments name; what it raises is a bug."""
    try:
        options = parsed(sys.argv[1:] if arguments is None else arguments)
        with warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = _show_warning
            status = _command(options)
    except SystemExit:  # The help or the version was asked for, and is shown.
        status = _exit.FINE
    except _exit.Fault as fault:
        if fault.args[0]:
            _say.complain(fault.args[0])
        status = fault.status
    except (SecretError, SchemeError) as error:
        _say.complain(without_calls(str(error)))
        status = _exit.USAGE
    return status


def _command(options: Namespace) -> int:
    # Each command imports what it needs, and no other command's.
    if options.command == "verify-batch":
        from hookseal._cli._batch import verify_batch as command
    elif options.command == "verify":
        from hookseal._cli._message import verify as command
    elif options.command == "sign":
        from hookseal._cli._message import sign as command
    elif options.command == "migrate":
        from hookseal._cli._migrate._command import migrate as command
    elif options.command == "secret new":
        from hookseal._cli._secret import new as command
    elif options.command == "secret check":
        from hookseal._cli._secret import check as command
    elif options.command == "secret list":
        from hookseal._cli._inventory import list_secrets as command
    elif options.command == "secret compare":
        from hookseal._cli._inventory import compare as command
    elif options.command == "secret rotate":
        from hookseal._cli._rotation import rotate as command
    else:
        from hookseal._cli._rotation import retire as command
    return command(options)


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    _say.warn(message)
