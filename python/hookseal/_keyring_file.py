"""Keyring files: the endpoints of a keyring, and where their secrets are, as TOML.

::

    [defaults]
    scheme = "standard-webhooks"

    [endpoints."acme/billing"]
    scheme = "svix"
    tolerance = 600
    secrets = [
        { env = "ACME_NEW", label = "2026-11" },
        { file = "/run/secrets/acme", label = "2026-05", not_after = 2026-12-01T00:00:00Z },
    ]

Both implementations read through this module. What each key means is in
docs/keyring-file.md.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from hookseal import schemes
from hookseal._endpoint import Endpoint
from hookseal._errors import (
    SchemeError,
    SecretError,
    looks_secret,
    scheme_error,
    shown,
    without_calls,
)
from hookseal._instant import seconds
from hookseal._secret_file import content, secret_text_of
from hookseal._tolerance import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, TypeVar

    from hookseal.types import Tolerance

    Ring = TypeVar("Ring")

__all__ = ["MAX_KEYRING_FILE_BYTES", "Reader", "at_place", "document_of", "keyring_of"]

# Some hundred thousand secrets; a device that never ends is no keyring.
MAX_KEYRING_FILE_BYTES = 64 * 1024 * 1024

_SOURCES = ("env", "file", "value")


def keyring_of(
    path: object,
    keyring: type[Ring],
    secret: Any,
    stacklevel: int = 2,
    secret_files: list[str] | None = None,
) -> Ring:
    """Makes a keyring of a file.

    Args:
        path: The file: ``str``, ``bytes`` or ``os.PathLike``.
        keyring: The class ``Keyring`` of the implementation that asks.
        secret: Its class ``Secret``.
        stacklevel: The line that called ``Keyring.from_file``: the core has no frame of
            its own, the twin has.
        secret_files: Receives the path of each secret file that it names.

    Raises:
        OSError: The file, or one that it names, cannot be read.
        SecretError, SchemeError: As the constructors of ``Secret`` and ``Keyring``.
        ValueError: Whatever else is wrong in the file, wrong types too.
        TypeError: ``path`` is no path.
    """
    file = os.fsdecode(path)  # type: ignore[arg-type]  # it judges that
    ring: Ring
    try:
        reader = Reader(os.path.dirname(file), secret)
        ring, mode = _read(file, keyring, reader)
    except (OSError, ValueError) as error:
        fault = error
    else:
        if secret_files is not None:
            secret_files += reader.secret_files
        if mode is not None:
            from warnings import warn

            warn(
                f"{file} holds a secret, and others can read it (mode {mode:04o}): take their"
                " right to read it away, or let it name an env or a file",
                UserWarning,
                stacklevel=stacklevel,
            )
        return ring
    # Frames and causes keep the text of the file alive, with the secrets in it.
    fault.__cause__ = fault.__context__ = None
    raise fault.with_traceback(None)


def _read(file: str, keyring: Any, reader: Reader) -> tuple[Any, int | None]:
    """The keyring, and the file's mode if it holds a secret that others can read."""
    data, mode = content(file, MAX_KEYRING_FILE_BYTES)
    with at_place(file):
        document = document_of(data)
        default, endpoints = reader.ring(document)
        ring = keyring(endpoints, scheme=default)
    # Where there are no modes, as on Windows, every file looks as if all could read it.
    if os.name != "posix" or not mode & 0o044 or not _holds_value(document):
        return ring, None
    return ring, mode & 0o777


def document_of(data: bytes) -> dict[str, Any]:
    """The tables of a keyring file.

    Raises:
        ValueError: It is no TOML; the text says where, and nothing of what stands there.
    """
    from tomllib import TOMLDecodeError, loads

    try:
        # Some editors begin a file with a byte order mark.
        return loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise ValueError(f"not UTF-8 (at line {line}, byte {column})") from None
    except TOMLDecodeError as error:
        raise ValueError(f"not TOML: {error}") from None
    except ValueError:  # What int() says of it is advice about the interpreter.
        raise ValueError("not TOML: an integer has thousands of digits") from None
    except RecursionError:
        raise ValueError("values are nested too deeply") from None


def _holds_value(document: dict[str, Any]) -> bool:
    tables = document["endpoints"].values()
    return any("value" in entry for table in tables for entry in table["secrets"])


@contextmanager
def at_place(place: str) -> Iterator[None]:
    """Puts the place before what an error says; a wrong type in a file is a wrong value."""
    try:
        yield
    except (SecretError, SchemeError) as error:
        raise type(error)(f"{place}: {without_calls(str(error))}") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place}: {error}") from None
    except OSError as error:
        raise OSError(error.errno, f"{place}: {error.strerror}", error.filename) from None


class Reader:
    """Reads the tables of a document. Each method raises errors that lack the place so far.

    Attributes:
        secret_files: The paths of the secret files that were read.
    """

    def __init__(self, folder: str, secret: Any) -> None:
        self._folder = folder
        self._secret = secret
        self.secret_files: list[str] = []

    def ring(self, document: dict[str, Any]) -> tuple[str, dict[str, Endpoint]]:
        """The scheme of endpoints that name none, and the endpoints."""
        _require_keys(document, ("defaults", "endpoints"))
        with at_place("defaults"):
            defaults = _table(document.get("defaults", {}))
            _require_keys(defaults, ("scheme",))
            default = _scheme(defaults) or "standard-webhooks"
        with at_place("endpoints"):
            tables = _table(document.get("endpoints", {}))
        if not tables:
            raise ValueError('names no endpoint: it needs tables such as [endpoints."name"]')
        endpoints = {}
        for name, table in tables.items():
            # The name of the place is that of Keyring, which may have more to say about it.
            place = f"endpoints[{name!r}]"
            with at_place(place):
                own, tolerance, entries = _endpoint(_table(table), default)
            secrets = []
            for index, entry in enumerate(entries):
                with at_place(f"{place}[{index}]"):
                    secrets.append(self.entry(entry))
            endpoints[name] = Endpoint(secrets, scheme=own, tolerance=tolerance)
        return default, endpoints

    def entry(self, entry: object) -> Any:
        """The secret that a table of ``secrets`` names."""
        # What is no table here is most likely the secret itself.
        table = _table(entry, 'a table such as { env = "NAME" }')
        _require_keys(table, (*_SOURCES, "label", "not_before", "not_after"))
        given = [key for key in _SOURCES if key in table]
        if len(given) != 1:
            has = " and ".join(given) or "none"
            raise ValueError(f"needs exactly one of env, file and value, and has {has}")
        for key in (*given, "label"):
            if not isinstance(table.get(key, ""), str):
                raise _wrong(table[key], "a string", key)
        with at_place(given[0]):
            bare = self._bare(given[0], table[given[0]])
        times = {key: _instant(table, key) for key in ("not_before", "not_after")}
        return self._made(bare, table.get("label"), times)

    def _made(self, bare: Any, label: str | None, times: dict[str, int | None]) -> Any:
        return self._secret(bare, label=label, **times)

    def _bare(self, source: str, text: str) -> Any:
        if source == "env":
            return self._secret.from_env(text)
        if source == "value":
            return self._secret(text)
        if looks_secret(text):
            raise ValueError(f"a path was expected, not {shown(text)}")
        path = os.path.join(self._folder, text)
        secret = self._secret(secret_text_of(path))
        self.secret_files.append(path)
        return secret


def _endpoint(table: dict[str, Any], default: str) -> tuple[str | None, Tolerance, list[object]]:
    _require_keys(table, ("scheme", "tolerance", "secrets"))
    scheme = _scheme(table)
    tolerance = table.get("tolerance")
    if isinstance(tolerance, str) and tolerance != "off":
        raise ValueError('tolerance must be whole seconds or "off"')
    if "tolerance" in table and _kind(tolerance) not in ("an integer", "a string"):
        raise _wrong(tolerance, 'whole seconds or "off"', "tolerance")
    if isinstance(window(tolerance), tuple):
        chosen = schemes.get(scheme or default)
        if not chosen.signs_timestamp:
            raise scheme_error("no-timestamp", chosen.name)
    if "secrets" not in table:
        raise ValueError("lacks the key 'secrets'")
    secrets = table["secrets"]
    if not isinstance(secrets, list):
        raise _wrong(secrets, "an array of tables", "secrets")
    return scheme, tolerance, secrets


def _scheme(table: dict[str, Any]) -> str | None:
    if "scheme" not in table:
        return None
    name = table["scheme"]
    if not isinstance(name, str):
        raise _wrong(name, "a string", "scheme")
    return schemes.get(name).name


def _instant(table: dict[str, Any], key: str) -> int | None:
    if key not in table:
        return None
    value = table[key]
    # Of dates and times only those with an offset are one instant everywhere.
    if _kind(value) not in ("an integer", "a float", _DATE_TIME):
        raise _wrong(value, f"{_DATE_TIME} (2026-12-01T00:00:00Z) or Unix seconds", key)
    return seconds(value, key)


def _table(value: object, expected: str = "a table") -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(value, expected)
    return value


def _require_keys(table: dict[str, Any], known: Iterable[str]) -> None:
    for key in table:
        if key not in known:
            raise ValueError(f"unknown key {shown(key)}; the keys here are {', '.join(known)}")


def _wrong(value: object, expected: str, name: str = "") -> ValueError:
    """The error for a value of a wrong type; only its type is told."""
    return ValueError(f"{name} must be {expected}, not {_kind(value)}".lstrip())


def _kind(value: object) -> str:
    kind = _KINDS[type(value).__name__]
    if kind == _DATE_TIME and getattr(value, "tzinfo", None) is None:
        return "a local date-time"
    return kind


_DATE_TIME = "an offset date-time"
# TOML's names for what tomllib makes of a value.
_KINDS = {
    "bool": "a boolean",
    "int": "an integer",
    "float": "a float",
    "str": "a string",
    "list": "an array",
    "dict": "a table",
    "datetime": _DATE_TIME,
    "date": "a local date",
    "time": "a local time",
}
