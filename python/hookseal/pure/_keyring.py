"""Keyrings: endpoints and their secrets, which can change while verifiers use them."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from os import PathLike
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias, final

from hookseal._arguments import mistake, wrong_type
from hookseal._at_fork import renew
from hookseal._discreet import discreet
from hookseal._endpoint import Endpoint
from hookseal._errors import secret_error
from hookseal._finding import Finding
from hookseal._instant import after, seconds
from hookseal._keyring_env import endpoints_of
from hookseal._reentry import refuse_reentry
from hookseal._resolver import Resolver, resolver_of
from hookseal._scheme import Scheme
from hookseal._tolerance import window
from hookseal._usage import Usage
from hookseal.pure._arguments import text, text_or_none
from hookseal.pure._entries import State, Window, new_state, require_window_fits
from hookseal.pure._sealed import Sealed, put
from hookseal.pure._secret import (
    THE_SECRET,
    Given,
    Secret,
    SecretLike,
    scheme_of,
    secret_of,
    secrets_of,
)
from hookseal.pure._text import own_str, utf8
from hookseal.types import Instant

_Told: TypeAlias = Mapping[str, SecretLike | Sequence[SecretLike] | Endpoint | None]
_Resolve: TypeAlias = Callable[[list[str]], _Told | Awaitable[_Told]]

# What errors call these.
_A_NAME: Final = "an endpoint's name"
_NEW_SECRET: Final = "the new secret"


class _Entering(NamedTuple):
    """What enters an endpoint: secrets, and the scheme and tolerance of an ``Endpoint``."""

    given: Given
    own: tuple[Scheme, Window] | None


@final
class Keyring(Sealed):
    """The endpoints of a service, each with up to eight secrets in their order of trial.

    It keeps keyed hash states, not secrets. Every change is one swap of an immutable
    snapshot, so a call in progress finishes on the snapshot it began with.
    """

    __slots__ = ("__weakref__", "_lock", "_resolver", "_saved", "_scheme", "_snapshot")

    _lock: Any
    _resolver: Resolver | None
    _saved: dict[str, dict[int, int]]
    _scheme: Scheme
    _snapshot: Mapping[str, State]

    @discreet
    def __new__(
        cls,
        endpoints: Mapping[str, SecretLike | Sequence[SecretLike] | Endpoint] = {},
        *,
        scheme: Scheme | str = "standard-webhooks",
        resolver: _Resolve | None = None,
        resolver_ttl: float = 300,
        resolver_negative_ttl: float = 30,
        resolver_size: int = 10_000,
    ) -> Keyring:
        """Takes the endpoints by name; ``scheme`` is that of all which name none."""
        ring = object.__new__(cls)
        asked = resolver_of(resolver, resolver_ttl, resolver_negative_ttl, resolver_size)
        put(ring, "_resolver", asked)
        put(ring, "_scheme", scheme_of(scheme))
        put(ring, "_lock", threading.RLock())
        renew(ring)
        put(ring, "_saved", {})
        if not isinstance(endpoints, Mapping):
            raise wrong_type("endpoints", endpoints)
        states: dict[str, State] = {}
        for key, secrets in endpoints.items():
            name = _new_name(key)
            if name in states:
                raise mistake("name-twice", name)
            place = _place(name)
            states[name] = ring._state(name, ring._entering(secrets, place, place), None)
        ring._swap(states)
        return ring

    @staticmethod
    def from_file(path: str | bytes | PathLike[str] | PathLike[bytes]) -> Keyring:
        """The endpoints that a keyring file names."""
        from hookseal._keyring_file import keyring_of

        return keyring_of(path, Keyring, Secret, stacklevel=3)

    @staticmethod
    @discreet
    def from_env(
        prefix: str,
        *,
        scheme: Scheme | str = "standard-webhooks",
        endpoints: Sequence[str] | None = None,
    ) -> Keyring:
        """The endpoints that environment variables name: ``HOOK_ACME``, ``HOOK_ACME__old``."""
        read_as = scheme_of(scheme)
        return Keyring(endpoints_of(prefix, Secret, read_as, endpoints), scheme=read_as)

    @discreet
    def rotate(
        self,
        endpoint: str,
        new: SecretLike,
        *,
        overlap: timedelta | None = None,
        now: Instant | None = None,
    ) -> str:
        """Puts a new secret first and gives its label; with ``overlap`` the others then end."""
        name = text(endpoint, _A_NAME)
        secret = secret_of(new, _NEW_SECRET)
        at = None if now is None else seconds(now, "now")
        end = None
        if overlap is not None:
            end = after(seconds(time.time(), "time.time()") if at is None else at, overlap)
        refuse_reentry(self._lock)
        with self._lock:
            state = self._known(name)
            kept = state.entries if end is None else tuple(e.ending(end) for e in state.entries)
            changed = new_state(
                Given((secret,), _NEW_SECRET, _NEW_SECRET),
                state.plan.scheme,
                state.tolerance,
                counter=state.counter,
                kept=kept,
                endpoint=name,
            )
            self._swap({**self._snapshot, name: changed})
        return changed.entries[0].label

    @discreet
    def replace(self, endpoint: str, secrets: SecretLike | Sequence[SecretLike] | Endpoint) -> None:
        """Gives an endpoint new secrets, or adds the endpoint."""
        name = _new_name(endpoint)
        entering = self._entering(secrets, "secrets", THE_SECRET)
        refuse_reentry(self._lock)
        with self._lock:
            changed = self._state(name, entering, self._snapshot.get(name))
            self._swap({**self._snapshot, name: changed})

    def remove(self, endpoint: str, label: str) -> None:
        """Removes one secret, but never the last one of an endpoint."""
        name = text(endpoint, _A_NAME)
        label = text(label, "label")
        refuse_reentry(self._lock)
        with self._lock:
            state = self._known(name)
            left = tuple(entry for entry in state.entries if entry.label != label)
            if len(left) == len(state.entries):
                raise mistake("unknown-label", name, label)
            if not left:
                raise secret_error("last-secret", _place(name))
            self._swap({**self._snapshot, name: state.with_entries(left)})

    def remove_endpoint(self, endpoint: str) -> None:
        """Removes an endpoint with all its secrets."""
        name = text(endpoint, _A_NAME)
        refuse_reentry(self._lock)
        with self._lock:
            self._known(name)
            self._swap({key: state for key, state in self._snapshot.items() if key != name})

    def forget(self, endpoint: str | None = None) -> None:
        """Forgets what the resolver said of an endpoint, or of all."""
        name = text_or_none(endpoint, _A_NAME)
        if self._resolver is None:
            raise mistake("no-resolver", "forget")
        self._resolver.forget(name)

    def endpoints(self) -> list[str]:
        """The names of the endpoints, in order of entry."""
        return list(self._snapshot)

    def labels(self, endpoint: str) -> list[str]:
        """The labels of an endpoint's secrets, in their order of trial."""
        state = self._known(text(endpoint, _A_NAME))
        return [entry.label for entry in state.entries]

    def check(self) -> list[Finding]:
        """The weaknesses of all secrets, then each key that an earlier endpoint also has."""
        snapshot = self._snapshot
        weak = [
            finding
            for state in snapshot.values()
            for entry in state.entries
            for finding in entry.findings
        ]
        first: dict[tuple[type, bytes], str] = {}
        shared = []
        for name, state in snapshot.items():
            for entry in state.entries:
                key = type(entry.key), entry.key.tag(())
                if first.setdefault(key, name) != name:
                    shared.append(Finding("shared-key", endpoint=name, label=entry.label))
        return weak + shared

    def usage(self) -> dict[tuple[str, str], Usage]:
        """How often each secret matched, and when last, by endpoint and label."""
        return {
            (name, entry.label): entry.counted.usage
            for name, state in self._snapshot.items()
            for entry in state.entries
        }

    def save_usage(self, path: str | bytes | PathLike[str] | PathLike[bytes]) -> None:
        """Adds the usage to a file, since it was last saved there."""
        from hookseal._usage_file import save

        rows = []
        for name, state in self._snapshot.items():
            for entry in state.entries:
                usage = entry.counted.usage
                times = usage.last_matched, usage.first_matched
                rows.append((name, entry.label, entry.counted.number, usage.count, *times))
        save(path, rows, self._saved)

    def __contains__(self, endpoint: object, /) -> bool:
        return isinstance(endpoint, str) and own_str(endpoint) in self._snapshot

    def __len__(self) -> int:
        return len(self._snapshot)

    def __repr__(self) -> str:
        return f"Keyring(endpoints={len(self._snapshot)}, scheme={self._scheme.name!r})"

    def _entering(self, given: object, place: str, alone: str) -> _Entering:
        # Outside the lock: get_secret_value() is the user's code.
        if not isinstance(given, Endpoint):
            return _Entering(secrets_of(given, place, alone), None)
        scheme = self._scheme if given.scheme is None else scheme_of(given.scheme)
        tolerance = window(given.tolerance)
        require_window_fits(tolerance, scheme)
        return _Entering(secrets_of(given._secrets, place, alone), (scheme, tolerance))

    def _entered(self, endpoint: str, secrets: object, place: str) -> State:
        """The state of an endpoint that the ring does not hold: what a resolver said of it."""
        return self._state(endpoint, self._entering(secrets, place, place), None)

    def _state(self, name: str, entering: _Entering, before: State | None) -> State:
        # Bare secrets leave an endpoint's scheme and tolerance as they are; an Endpoint
        # replaces them. The counter goes on in both cases.
        scheme, tolerance = self._scheme, None
        if entering.own is not None:
            scheme, tolerance = entering.own
        elif before is not None:
            scheme, tolerance = before.plan.scheme, before.tolerance
        counter, entries = (0, ()) if before is None else (before.counter, before.entries)
        return new_state(
            entering.given, scheme, tolerance, counter=counter, before=entries, endpoint=name
        )

    def _known(self, name: str) -> State:
        state = self._snapshot.get(name)
        if state is None:
            raise mistake("unknown-endpoint", name)
        return state

    def _swap(self, states: dict[str, State]) -> None:
        put(self, "_snapshot", MappingProxyType(states))


def _place(name: str) -> str:
    return f"endpoints[{name!r}]"


def _new_name(name: object) -> str:
    name = text(name, _A_NAME)
    if not name:
        raise mistake("blank-name")
    if utf8(name) is None:
        raise mistake("name-not-utf8")
    return name
