"""The options of every command, and the words for wrong ones."""

from __future__ import annotations

import argparse
import os

from hookseal._arguments import thread_count
from hookseal._cli._exit import Fault
from hookseal._cli._say import put
from hookseal._errors import shown
from hookseal._instant import seconds
from hookseal._tolerance import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from hookseal.types import Tolerance

__all__ = [
    "Parser",
    "add_json",
    "add_now",
    "add_scheme",
    "add_secret_sources",
    "add_secrets",
    "days",
    "name",
    "parsed",
]

_DESCRIPTION = "Verify webhook signatures: strictly, one by one and in batches."
_EPILOG = "Exit status: 0 all valid, 1 something refused, 2 wrong use, 70 a bug, 74 input or output"
_ON_COMMAND_LINE = (
    "a secret does not belong on the command line, where every user of the machine can read it:"
    " use --secret-env NAME or --secret-file PATH"
)


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a call; ``options.command`` names the command.

    Raises:
        Fault: The arguments are wrong.
        SystemExit: The help or the version was asked for, and shown.
    """
    options, left = _parser(arguments).parse_known_args(_marked(arguments))
    # What follows an unknown option may be a secret.
    wrong = [one.partition("=")[0] for one in left if one.startswith("-") and one != "-"]
    if options.command in ("verify-batch", "migrate") and not wrong:
        # argparse takes positional arguments in one row; people put options between files.
        options.files += map(name, left)
    elif left:
        raise Fault(
            f"unknown {'option' if wrong else 'argument'} {shown(name((wrong or left)[0]))}"
        )
    if options.command is None:
        raise Fault(f"which {options.of}? See `{options.help_of} --help`")
    return options


# What follows "--" is no option. argparse forgets that where options stand before it, so each
# such word that looks like one is marked by what no argument can hold.
_MARK = "\0"


def _marked(arguments: Sequence[str]) -> list[str]:
    at = list(arguments).index("--") if "--" in arguments else len(arguments)
    names = (
        _MARK + word if word.startswith("-") and word != "-" else word
        for word in arguments[at + 1 :]
    )
    return [*arguments[:at], *names]


def name(word: str) -> str:
    """The name of a file or an endpoint that an argument is."""
    return word.removeprefix(_MARK)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the usage before it."""

    def __init__(self, **named: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_formatter, **named)

    def _print_message(self, message: str, file: object = None) -> None:
        # argparse's own takes no notice of a stdout that fails.
        put(message)

    def error(self, message: str) -> NoReturn:
        message = message.replace(repr(_MARK)[1:-1], "")
        raise Fault(f"{message}; see `{self.prog} --help`")


def _formatter(prog: str) -> argparse.HelpFormatter:
    # It is made for each option. Without a width it would import shutil to ask for one.
    return argparse.HelpFormatter(prog, width=_columns() - 2)


def _columns() -> int:
    try:
        columns = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        columns = 0
    if columns <= 0:
        try:
            columns = os.get_terminal_size().columns
        except (OSError, ValueError):
            columns = 0
    return columns or 80


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = Parser(prog="hookseal", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version")
    parser.set_defaults(command=None, of="command", help_of="hookseal")
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=Parser, prog="hookseal")
    add = {
        "verify-batch": _add_verify_batch,
        "verify": _add_verify,
        "sign": _add_sign,
        "secret": _add_secret,
        "migrate": _add_migrate,
    }
    # A start takes a millisecond longer with the options of all.
    one = add.get(arguments[0]) if arguments else None
    for add_command in add.values() if one is None else [one]:
        add_command(commands)
    return parser


def _add_verify_batch(commands: Any) -> None:
    parser = commands.add_parser(
        "verify-batch",
        help="verify files of messages, one JSON object a line",
        description="Verify files of messages, one JSON object a line.",
    )
    parser.set_defaults(command="verify-batch")
    parser.add_argument(
        "files", nargs="+", type=name, metavar="FILE", help="a JSON Lines file; - for stdin"
    )
    add_secrets(parser, ring=True)
    _add_times(parser)
    parser.add_argument(
        "--threads", type=_threads, metavar="N", help="at most so many (default: as many as help)"
    )
    add_json(parser)
    parser.add_argument(
        "--usage", metavar="FILE", help="add which secrets matched to FILE, for `secret retire`"
    )
    parser.add_argument(
        "--rejects", metavar="FILE", help="write each refused or broken line to FILE as it came"
    )
    parser.add_argument(
        "--reasons", metavar="FILE", help="write a JSON object for each of those lines to FILE"
    )


def _add_verify(commands: Any) -> None:
    parser = commands.add_parser(
        "verify", help="verify one message", description="Verify one message."
    )
    parser.set_defaults(command="verify")
    _add_body(parser)
    parser.add_argument(
        "--header",
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        dest="headers",
        help="a header of the message; repeatable",
    )
    parser.add_argument(
        "--headers-file", metavar="FILE", help="a file of headers, one 'NAME: VALUE' a line"
    )
    add_secrets(parser, ring=True)
    parser.add_argument("--endpoint", metavar="NAME", help="the endpoint of the keyring")
    _add_times(parser)
    parser.add_argument(
        "--received-at", type=_instant, metavar="SECONDS", help="when it arrived, in Unix seconds"
    )
    add_json(parser)


def _add_sign(commands: Any) -> None:
    parser = commands.add_parser(
        "sign",
        help="make the headers that sign one message",
        description="Make the headers that sign one message.",
    )
    parser.set_defaults(command="sign")
    _add_body(parser)
    add_secrets(parser, ring=False)
    parser.add_argument("--id", metavar="ID", help="its id (default: a new one)")
    parser.add_argument(
        "--timestamp", type=_instant, metavar="SECONDS", help="when it is sent (default: now)"
    )
    add_json(parser)


def _add_secret(commands: Any) -> None:
    from hookseal._cli._parser_of_secrets import add_secret

    add_secret(commands)


def _add_migrate(commands: Any) -> None:
    parser = commands.add_parser(
        "migrate",
        help="find verifiers in Python sources that hookseal can stand in for",
        description="Find verifiers in Python sources that hookseal can stand in for.",
    )
    parser.set_defaults(command="migrate")
    parser.add_argument(
        "files", nargs="+", type=name, metavar="PATH", help="a Python source, or a folder of them"
    )
    parser.add_argument(
        "--write", action="store_true", help="rewrite the imports where that is certain"
    )
    parser.add_argument(
        "--svix", choices=("1", "2"), help="the major version of svix that the sources are for"
    )
    add_json(parser)


def add_secrets(parser: argparse.ArgumentParser, *, ring: bool) -> None:
    """Adds the options that say with which secrets."""
    add_scheme(parser)
    add_secret_sources(parser)
    if ring:
        parser.add_argument(
            "--keyring", metavar="FILE", help="a keyring file, in place of scheme and secrets"
        )


def add_secret_sources(parser: argparse.ArgumentParser) -> None:
    """Adds the options that name a secret without showing it."""
    for source, metavar in (("env", "NAME"), ("file", "PATH")):
        kind = "an environment variable" if source == "env" else "a file"
        parser.add_argument(
            f"--secret-{source}",
            action="append",
            default=[],
            dest="secrets",
            type=_from(source),
            metavar=metavar,
            help=f"{kind} with the secret; repeatable during a rotation",
        )
    # They are refused in words of their own, which do not repeat what was given.
    parser.add_argument("--secret", nargs="?", action=_OnCommandLine, help=argparse.SUPPRESS)


def add_scheme(parser: argparse.ArgumentParser) -> None:
    """Adds the option that names the scheme."""
    parser.add_argument("--scheme", metavar="NAME", help="the scheme (default: standard-webhooks)")


def _add_times(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tolerance",
        type=_tolerance,
        metavar="T",
        help='the window of signed times: SECONDS, PAST,FUTURE or "off"',
    )
    add_now(parser)


def add_now(parser: argparse.ArgumentParser) -> None:
    """Adds the option that takes the clock's place."""
    parser.add_argument(
        "--now", type=_instant, metavar="SECONDS", help="Unix seconds in place of the clock's"
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Adds the option for programs."""
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")


def _add_body(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "body",
        nargs="?",
        default="-",
        type=name,
        metavar="BODY",
        help="the file of the body; - for stdin",
    )


class _Version(argparse.Action):
    def __call__(self, *_: object, **__: object) -> NoReturn:
        import hookseal

        put(f"hookseal {hookseal.__version__}\n")
        raise SystemExit(0)


class _OnCommandLine(argparse.Action):
    def __call__(self, *_: object, **__: object) -> NoReturn:
        raise Fault(_ON_COMMAND_LINE)


def _from(source: str) -> Callable[[str], tuple[str, str]]:
    return lambda name: (source, name)


def _number(text: str) -> int:
    # int() takes underscores, signs and the digits of every script.
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise argparse.ArgumentTypeError(f"a whole number was expected, not {shown(text)}")
    return int(text)


def _instant(text: str) -> int:
    instant = _number(text)
    _judged(lambda: seconds(instant, "it"))
    return instant


def _threads(text: str) -> int:
    count = _number(text)
    _judged(lambda: thread_count(count))
    return count


def _tolerance(text: str) -> Tolerance:
    if text == "off":
        return "off"
    past, comma, future = text.partition(",")
    tolerance = (_number(past), _number(future)) if comma else _number(past)
    _judged(lambda: window(tolerance))
    return tolerance


def days(text: str) -> int:
    """A number of days, of which a century has fewer than 100,000."""
    count = _number(text)
    if count >= 100_000:
        raise argparse.ArgumentTypeError(f"fewer than 100000 days were expected, not {count}")
    return count


def _judged(judge: Callable[[], object]) -> None:
    """Asks a judge of arguments, whose words are those of the error."""
    try:
        judge()
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
