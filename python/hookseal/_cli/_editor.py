"""Changes of a keyring file that keep its comments, its layout and its other readers."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from typing import Protocol

from hookseal._atomic_file import locked, replace
from hookseal._cli import _implementation, _say
from hookseal._cli._exit import REFUSED, USAGE, Fault, io_fault
from hookseal._cli._say import named
from hookseal._errors import shown, without_calls
from hookseal._keyring_file import MAX_KEYRING_FILE_BYTES, document_of
from hookseal._keyring_outline import Outline, outline_of
from hookseal._secret_file import content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Editor", "instant"]

_MARK = b"\xef\xbb\xbf"
# A keyring may hold secrets, and after a change it does so more likely than before.
_MODE = 0o600


class Editor:
    """A keyring file as it was read, and what it would be after a change.

    Attributes:
        path: The file, as it was given.
        endpoints: What it names.
    """

    def __init__(self, path: str) -> None:
        """Reads the file.

        Raises:
            Fault: It cannot be read, or is no keyring.
        """
        self.path = path
        self.data = self._read()
        self.endpoints = _outline(path, self.data)

    def outline(self, endpoint: str) -> Outline:
        """What is said of an endpoint.

        Raises:
            Fault: There is none of that name.
        """
        if endpoint not in self.endpoints:
            raise Fault(f"{named(self.path)} has no endpoint {shown(endpoint)}")
        return self.endpoints[endpoint]

    def with_first(self, endpoint: str, entry: dict[str, str], until: int | None) -> bytes:
        """The file with a new first secret.

        Args:
            endpoint: The endpoint's name.
            entry: The new secret's keys.
            until: When the others end, in Unix seconds, where they do not end before; None
                leaves them as they are.
        """

        def change(secrets: _Secrets) -> None:
            self._say_labels(endpoint, secrets)
            if until is not None:
                for index, listed in enumerate(self.outline(endpoint).secrets):
                    if listed.not_after is None or until < listed.not_after:
                        secrets.set(index, "not_after", instant(until))
            secrets.put_first(entry)

        return self._changed(endpoint, change)

    def without(self, endpoint: str, label: str) -> bytes:
        """The file without one secret of an endpoint."""

        def change(secrets: _Secrets) -> None:
            self._say_labels(endpoint, secrets)
            labels = [listed.label for listed in self.outline(endpoint).secrets]
            secrets.remove(labels.index(label))

        return self._changed(endpoint, change)

    def without_endpoint(self, endpoint: str) -> bytes:
        """The file without an endpoint.

        Raises:
            Fault: It is the only one.
        """
        if len(self.endpoints) == 1:
            words = f"{shown(endpoint)} is its only endpoint: without one it is no keyring"
            raise Fault(f"{named(self.path)}: {words}")
        return self._changed(endpoint, None)

    def entries(self, endpoint: str) -> list[object]:
        """The tables of an endpoint's secrets."""
        entries: list[object] = document_of(self.data)["endpoints"][endpoint]["secrets"]
        return entries

    def write(self, data: bytes) -> None:
        """Puts the new content in the file's place, if that is still what was read.

        Raises:
            Fault: It is not, or cannot be replaced; then nothing has changed.
        """
        try:
            with locked(self.path):
                if self._read() != self.data:
                    words = f"{named(self.path)} has changed meanwhile: nothing was written"
                    raise Fault(words, REFUSED)
                mode = stat.S_IMODE(os.stat(self.path).st_mode)
                replace(self.path, data, mode=_MODE)
        except OSError as error:
            raise io_fault(f"cannot change {named(self.path)}", error) from None
        if os.name == "posix" and mode & ~_MODE:
            _say.warn(f"{named(self.path)} had the mode {mode:04o}, and has {_MODE:04o} now")

    def is_written(self, data: bytes) -> bool:
        """Whether that is what the file holds, or nobody can tell."""
        try:
            return self._read() == data
        except Fault:
            return True

    def _read(self) -> bytes:
        try:
            return content(self.path, MAX_KEYRING_FILE_BYTES)[0]
        except OSError as error:
            raise io_fault(f"cannot read the keyring {named(self.path)}", error, USAGE) from None
        except ValueError as error:
            raise Fault(str(error)) from None

    def _say_labels(self, endpoint: str, secrets: _Secrets) -> None:
        """Writes down the labels that were counted: the count would be another one afterwards."""
        for index, listed in enumerate(self.outline(endpoint).secrets):
            if listed.is_counted:
                secrets.set(index, "label", listed.label)

    def _changed(self, endpoint: str, change: Callable[[_Secrets], None] | None) -> bytes:
        """The bytes after a change of an endpoint's secrets; None takes the endpoint away."""
        mark = _MARK if self.data.startswith(_MARK) else b""
        wanted = document_of(self.data)
        if change is None:
            del wanted["endpoints"][endpoint]
        else:
            change(_Plain(wanted["endpoints"][endpoint]["secrets"]))
        text = _edited(self.data[len(mark) :].decode(), endpoint, change)
        data = mark + ("" if text is None else text).encode()
        # Read as everybody will read it: what is not exactly what was meant is not written.
        if text is None or document_of(data) != wanted:
            raise Fault(f"{named(self.path)}: its layout cannot be kept; change it by hand")
        _outline(self.path, data)
        return data


class _Secrets(Protocol):
    """The secrets of an endpoint while they change, as values or as text."""

    def set(self, index: int, key: str, value: str | datetime) -> None: ...
    def put_first(self, entry: dict[str, str]) -> None: ...
    def remove(self, index: int) -> None: ...


class _Plain:
    """As the values that a reader of the file sees."""

    def __init__(self, entries: list[dict[str, object]]) -> None:
        self._entries = entries

    def set(self, index: int, key: str, value: str | datetime) -> None:
        self._entries[index][key] = value

    def put_first(self, entry: dict[str, str]) -> None:
        self._entries.insert(0, dict(entry))

    def remove(self, index: int) -> None:
        del self._entries[index]


class _Written:
    """As they are written: an array of inline tables, or tables of their own."""

    def __init__(self, entries: Any) -> None:
        from tomlkit.items import AoT

        self._entries = entries
        self._are_tables = isinstance(entries, AoT)

    def set(self, index: int, key: str, value: str | datetime) -> None:
        from tomlkit import value as parsed

        entry = self._entries[index]
        if self._are_tables or key in entry:
            entry[key] = parsed(_told(value))
        else:
            # tomlkit itself would put no space before it, or behind.
            inner = entry.as_string().strip()[1:-1].strip()
            self._entries[index] = parsed(f"{{ {inner}, {key} = {_told(value)} }}")

    def put_first(self, entry: dict[str, str]) -> None:
        from tomlkit import table
        from tomlkit import value as parsed

        told = [f"{key} = {_told(value)}" for key, value in entry.items()]
        if not self._are_tables:
            self._entries.insert(0, parsed(f"{{ {', '.join(told)} }}"))
            return
        new = table()
        for key, value in entry.items():
            new[key] = parsed(_told(value))
        self._entries.insert(0, new)

    def remove(self, index: int) -> None:
        del self._entries[index]


def instant(second: int) -> datetime:
    """A Unix second as TOML has it."""
    return datetime.fromtimestamp(second, UTC)


def _told(value: str | datetime) -> str:
    """A value as TOML writes it."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    from tomlkit import string

    return string(value).as_string()


def _outline(path: str, data: bytes) -> dict[str, Outline]:
    try:
        return outline_of(path, data, _implementation.hooks().Secret)
    except ValueError as error:  # SecretError and SchemeError are such
        raise Fault(without_calls(str(error))) from None


def _edited(text: str, endpoint: str, change: Callable[[_Secrets], None] | None) -> str | None:
    """The text after a change; None if it is one that tomlkit cannot change."""
    try:
        import tomlkit
        from tomlkit.exceptions import TOMLKitError
    except ImportError:
        raise Fault("to change a keyring needs tomlkit: pip install 'hookseal[cli]'") from None
    try:
        document: Any = tomlkit.parse(text)
        if change is None:
            del document["endpoints"][endpoint]
        else:
            change(_Written(document["endpoints"][endpoint]["secrets"]))
        return tomlkit.dumps(document)
    except (TOMLKitError, AttributeError, LookupError, TypeError, ValueError):
        return None
