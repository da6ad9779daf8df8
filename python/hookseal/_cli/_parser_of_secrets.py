"""The options of ``hookseal secret``."""

from __future__ import annotations

from hookseal._cli import _parser as shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

__all__ = ["add_secret"]


def add_secret(commands: Any) -> None:
    """Adds the command with its own commands."""
    secret = commands.add_parser("secret", help="make, check, list and rotate secrets")
    secret.set_defaults(command=None, of="command of secret", help_of="hookseal secret")
    commands = secret.add_subparsers(
        metavar="COMMAND", parser_class=shared.Parser, prog="hookseal secret"
    )
    new = _command(commands, "new", "make a new secret", "Make a new secret, and print it.")
    shared.add_scheme(new)
    check = _command(
        commands,
        "check",
        "name the weaknesses of secrets",
        "Name the weaknesses of secrets. Without an option one is read from stdin.",
    )
    shared.add_secrets(check, ring=True)
    shared.add_json(check)
    _add_list(commands)
    _add_rotate(commands)
    _add_retire(commands)
    words = "say which secrets two keyring files have in common"
    compare = _command(commands, "compare", words, f"{words.capitalize()}.")
    compare.add_argument(
        "files", nargs=2, type=shared.name, metavar="KEYRING", help="a keyring file"
    )
    shared.add_json(compare)


def _command(commands: Any, name: str, words: str, description: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words, description=description)
    parser.set_defaults(command=f"secret {name}")
    return parser


def _add_list(commands: Any) -> None:
    words = "list the secrets of a keyring file"
    parser = _command(
        commands, "list", words, "List the secrets of a keyring file, but not what they are."
    )
    _add_keyring(parser)
    parser.add_argument("--endpoint", metavar="NAME", help="those of one endpoint")
    _add_usage(parser, "a usage file, which says how often each matched")
    shared.add_json(parser)


def _add_rotate(commands: Any) -> None:
    words = "put a new secret first in an endpoint of a keyring file"
    parser = _command(commands, "rotate", words, f"{words.capitalize()}.")
    _add_place(parser)
    parser.add_argument("--label", metavar="LABEL", help="its label (default: the day)")
    shared.add_secret_sources(parser)
    parser.add_argument(
        "--enter", action="store_true", help="read it from stdin in place of making a new one"
    )
    parser.add_argument(
        "--new-file",
        metavar="PATH",
        help="keep it in a new file, which the keyring file then names",
    )
    parser.add_argument(
        "--overlap-days", type=shared.days, metavar="N", help="end the others in so many days"
    )
    parser.add_argument("--show", action="store_true", help="print the new secret")
    _add_change(parser)


def _add_retire(commands: Any) -> None:
    words = "take an idle secret out of a keyring file"
    parser = _command(commands, "retire", words, f"{words.capitalize()}.")
    _add_place(parser)
    parser.add_argument("label", type=shared.name, metavar="LABEL", help="the secret's label")
    _add_usage(parser, "a usage file, which shows that nobody signs with it")
    parser.add_argument(
        "--idle-days",
        type=shared.days,
        default=7,
        metavar="N",
        help="how long it must not have matched (default: 7)",
    )
    parser.add_argument(
        "--force", action="store_true", help="take it out whatever the usage file says"
    )
    parser.add_argument(
        "--with-endpoint", action="store_true", help="remove the endpoint with its last secret"
    )
    _add_change(parser)


def _add_keyring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("keyring", type=shared.name, metavar="KEYRING", help="a keyring file")


def _add_place(parser: argparse.ArgumentParser) -> None:
    _add_keyring(parser)
    parser.add_argument("endpoint", type=shared.name, metavar="ENDPOINT", help="its endpoint")


def _add_usage(parser: argparse.ArgumentParser, words: str) -> None:
    parser.add_argument("--usage", metavar="FILE", help=words)


def _add_change(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would change, and change nothing"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    shared.add_now(parser)
