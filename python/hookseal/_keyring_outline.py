"""What a keyring file names, without a look at the secrets that it does not hold itself.

A keyring is edited and listed on machines that have neither its environment nor its secret
files.
"""

from __future__ import annotations

from typing import NamedTuple

from hookseal._errors import looks_secret, shown
from hookseal._keyring_file import Reader, at_place, document_of
from hookseal.pure._entries import MAX_SECRETS
from hookseal.pure._labels import next_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from hookseal.types import Tolerance

__all__ = ["Listed", "Outline", "outline_of"]


class Listed(NamedTuple):
    """One secret of an endpoint, as the file names it.

    Attributes:
        source: "env", "file" or "value".
        name: The variable, or the path as it is written; None for a value.
        label: What results call it.
        is_counted: Whether that is a number which the file does not say.
        not_before: The second from which it is tried, or None.
        not_after: The second until before which it is tried, or None.
    """

    source: str
    name: str | None
    label: str
    is_counted: bool
    not_before: int | None
    not_after: int | None

    def is_live(self, at: int) -> bool:
        """Whether it is tried at that second."""
        begun = self.not_before is None or self.not_before <= at
        return begun and (self.not_after is None or at < self.not_after)


class Outline(NamedTuple):
    """One endpoint: its scheme by name, its tolerance, and its secrets in order."""

    scheme: str
    tolerance: Tolerance
    secrets: tuple[Listed, ...]


def outline_of(file: str, data: bytes, secret: Any) -> dict[str, Outline]:
    """What the bytes of a keyring file name, by endpoint.

    Args:
        file: What errors call it.
        data: Its bytes.
        secret: The class ``Secret`` of an implementation, which judges labels and windows.

    Raises:
        SecretError, SchemeError, ValueError: As ``Keyring.from_file``, but for what only the
            secrets themselves can show.
    """
    with at_place(file):
        default, endpoints = _Outliner(secret).ring(document_of(data))
        found = {}
        for name, endpoint in endpoints.items():
            place = f"endpoints[{name!r}]"
            if not name:
                raise ValueError("an endpoint's name must not be empty")
            secrets = _labelled(endpoint._secrets, place)
            # A file has schemes by name alone.
            scheme = default if endpoint.scheme is None else str(endpoint.scheme)
            found[name] = Outline(scheme, endpoint.tolerance, secrets)
        return found


class _Outliner(Reader):
    """Reads the tables, and leaves every secret where it is."""

    def __init__(self, secret: Any) -> None:
        super().__init__("", secret)

    def _bare(self, source: str, text: str) -> Any:
        if source == "value":
            self._secret(text)
            return source, None
        if looks_secret(text):
            raise ValueError(f"a name was expected, not {shown(text)}")
        return source, text

    def _made(self, bare: Any, label: str | None, times: dict[str, int | None]) -> Any:
        # A key that nobody uses stands in for the secret, so that the rest can be judged.
        judged = self._secret(b"any", label=label, **times)
        return (*bare, judged.label, judged.not_before, judged.not_after)


def _labelled(entries: Any, place: str) -> tuple[Listed, ...]:
    """The secrets with the labels that a ring gives them."""
    from hookseal._errors import secret_error

    if not entries:
        raise secret_error("no-secret", place)
    if len(entries) > MAX_SECRETS:
        raise secret_error("too-many", f"{place}[{MAX_SECRETS}]")
    given = [label for _, _, label, _, _ in entries]
    counter = 0
    labels: set[str] = set()
    found = []
    for index, (source, name, asked, begin, end) in enumerate(entries):
        label, counter = next_label(asked, counter, {*given, *labels})
        if label in labels:
            raise secret_error("label-taken", f"{place}[{index}]")
        labels.add(label)
        found.append(Listed(source, name, label, asked is None, begin, end))
    return tuple(found)
