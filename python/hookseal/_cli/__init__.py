"""The command ``hookseal``. docs/command-line.md describes it.

::

    main ──── exit statuses, and what no command may show     __init__ _exit _say
    parser ── options, and the words for wrong ones           _parser _parser_of_secrets
    keys ──── options that name secrets: a Verifier           _keys _implementation
    verify-batch:                                             _batch
        files ─ Ahead: blocks, read in a thread of its own    _sources _ahead
        blocks ─ LineJudge ─ rejects and reasons              _rejects
        what is shown meanwhile and at the end                _progress _summary _tables
        --usage: which secrets matched                        _evidence
    verify, sign: one message                                 _message _headers
    secret new, check                                         _secret
    secret list, compare                                      _inventory
    secret rotate, retire                                     _rotation _editor
    migrate: Python sources                                   _migrate/

Nothing here is imported by ``import hookseal``, and nothing of a command before it runs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status; it raises nothing.

    Args:
        arguments: Those of the command, without its name; None for the process's own.
    """
    from hookseal._cli import _exit

    try:
        from hookseal._cli._run import run

        return run(arguments)
    except _exit.EndedAtOnce as ended:
        return ended.status
    except KeyboardInterrupt:
        return _exit.INTERRUPTED
    except BaseException as error:
        return _exit.of_a_bug(error)
