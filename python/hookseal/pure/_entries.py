"""The secrets of one endpoint at one moment, as keys."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from hookseal._errors import scheme_error, secret_error
from hookseal._finding import Finding
from hookseal._scheme import Scheme
from hookseal.pure._key import Key, MacKey, TokenKey, same_key
from hookseal.pure._labels import next_label
from hookseal.pure._plan import Plan, plan_of
from hookseal.pure._secret import Given
from hookseal.pure._usage import Counted

# One MAC a secret is the work that an unsigned message can ask for; a rotation has two.
MAX_SECRETS = 8

Window: TypeAlias = tuple[int, int] | Literal["off"] | None


class Entry(NamedTuple):
    """One secret of an endpoint: its key, not the secret."""

    key: Key
    label: str
    not_before: int | None
    not_after: int | None
    findings: tuple[Finding, ...]
    counted: Counted

    def live(self, at: int | None) -> bool:
        """Whether ``not_before <= at < not_after``; None will do where there is no window."""
        if not self.has_window:
            return True
        assert at is not None, "Call.instant gives one wherever there is a window"
        begun = self.not_before is None or self.not_before <= at
        return begun and (self.not_after is None or at < self.not_after)

    def ending(self, end: int) -> Entry:
        """The same secret, live no longer than to ``end``."""
        return self._replace(not_after=end if self.not_after is None else min(self.not_after, end))

    @property
    def has_window(self) -> bool:
        return self.not_before is not None or self.not_after is not None


class State(NamedTuple):
    """An endpoint at one moment. A change makes another State."""

    plan: Plan
    entries: tuple[Entry, ...]
    tolerance: Window
    counter: int
    has_windows: bool

    def with_entries(self, entries: tuple[Entry, ...]) -> State:
        return self._replace(entries=entries, has_windows=any(e.has_window for e in entries))

    def window(self, tolerance: Window) -> tuple[int, int] | None:
        """The window a timestamp is held against, or None where it is held against none."""
        scheme = self.plan.scheme
        if not scheme.signs_timestamp:
            return None
        own = tolerance if self.tolerance is None else self.tolerance
        window = scheme.tolerance if own is None else own
        return None if window == "off" else window


def new_state(
    given: Given,
    scheme: Scheme,
    tolerance: Window = None,
    *,
    counter: int = 0,
    kept: tuple[Entry, ...] = (),
    before: tuple[Entry, ...] = (),
    endpoint: str | None = None,
) -> State:
    """An endpoint with these secrets, and behind them those that are kept.

    Args:
        given: The secrets that enter.
        scheme: The scheme that reads them.
        tolerance: The endpoint's own window.
        counter: The number of the next label.
        kept: The entries that stay.
        before: Those that do not, whose counts go on where label and key are the same.
        endpoint: The ring's endpoint, whose findings are kept; None for no ring.

    Raises:
        SecretError: A secret cannot be a key; there are none or too many; a label or a
            key is there twice.
    """
    secrets, room = given.secrets, MAX_SECRETS - len(kept)
    if not secrets:
        raise secret_error("no-secret", given.place)
    if len(secrets) > room:
        raise secret_error("too-many", given.place_of(room))
    # A number that somebody asks for further on is not counted before.
    reserved = {secret.label for secret in secrets} | {entry.label for entry in kept}
    entries: list[Entry] = []
    for position, secret in enumerate(secrets):
        place, others = given.place_of(position), (*entries, *kept)
        label, counter = next_label(secret.label, counter, reserved)
        if any(label == other.label for other in others):
            raise secret_error("label-taken", place)
        key = secret._key(scheme, place)
        keyed = TokenKey(key) if scheme.algorithm == "token" else MacKey(key)
        if any(same_key(keyed, other.key) for other in others):
            raise secret_error("same-key", place)
        found = () if endpoint is None else secret._findings(key, scheme, endpoint, label)
        counted = _counted_of(keyed, label, before)
        window = secret.not_before, secret.not_after
        entries.append(Entry(keyed, label, *window, tuple(found), counted))
    return State(plan_of(scheme), (), tolerance, counter, False).with_entries((*entries, *kept))


def _counted_of(key: Key, label: str, before: tuple[Entry, ...]) -> Counted:
    for entry in before:
        if entry.label == label and same_key(entry.key, key):
            return entry.counted
    return Counted()


def require_window_fits(window: Window, scheme: Scheme) -> None:
    """Refuses a window for a scheme that signs no timestamp; "off" is accepted everywhere."""
    if window is not None and window != "off" and not scheme.signs_timestamp:
        raise scheme_error("no-timestamp", scheme.name)
