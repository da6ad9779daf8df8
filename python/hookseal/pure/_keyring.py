"""Keyrings: endpoints and their secrets, which can change while verifiers use them."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import final

from hookseal._endpoint import Endpoint
from hookseal._errors import SecretError
from hookseal._finding import Finding
from hookseal._instant import after, seconds
from hookseal._scheme import Scheme
from hookseal._tolerance import window
from hookseal.pure._entries import State, new_state, require_window_fits
from hookseal.pure._sealed import Sealed, put
from hookseal.pure._secret import Secret, SecretLike, scheme_of, secret_of, secrets_of
from hookseal.pure._text import own_str, utf8
from hookseal.types import Instant


@final
class Keyring(Sealed):
    """The endpoints of a service, each with up to eight secrets in their order of trial.

    It keeps keyed hash states, not secrets. Every change is one swap of an immutable
    snapshot, so a call in progress finishes on the snapshot it began with.
    """

    __slots__ = ("_lock", "_scheme", "_snapshot")

    _lock: threading.Lock
    _scheme: Scheme
    _snapshot: Mapping[str, State]

    def __new__(
        cls,
        endpoints: Mapping[str, SecretLike | Sequence[SecretLike] | Endpoint] = {},
        *,
        scheme: Scheme | str = "standard-webhooks",
    ) -> Keyring:
        """Takes the endpoints by name; ``scheme`` is that of all which name none."""
        if not isinstance(endpoints, Mapping):
            raise TypeError(f"endpoints must be a mapping, not {type(endpoints).__name__}")
        ring = object.__new__(cls)
        put(ring, "_scheme", scheme_of(scheme))
        put(ring, "_lock", threading.Lock())
        states: dict[str, State] = {}
        for given, secrets in endpoints.items():
            name = _endpoint_name(given)
            if name in states:
                raise ValueError(f"endpoints names {name!r} twice")
            states[name] = ring._state(name, *_entering(secrets, f"endpoints[{name!r}]"), None)
        ring._swap(states)
        return ring

    def rotate(
        self,
        endpoint: str,
        new: SecretLike,
        *,
        overlap: timedelta | None = None,
        now: Instant | None = None,
    ) -> str:
        """Puts a new secret first and gives its label; with ``overlap`` the others then end."""
        name = _text_argument("endpoint", endpoint)
        secret = secret_of(new, "new", "the new secret")
        at = None if now is None else seconds(now, "now")
        end = None
        if overlap is not None:
            end = after(time.time() if at is None else at, overlap)
        with self._lock:
            state = self._known(name)
            kept = state.entries if end is None else tuple(e.ending(end) for e in state.entries)
            changed = new_state(
                [("the new secret", secret)],
                state.plan.scheme,
                state.tolerance,
                counter=state.counter,
                kept=kept,
                endpoint=name,
            )
            self._swap({**self._snapshot, name: changed})
        return changed.entries[0].label

    def replace(self, endpoint: str, secrets: SecretLike | Sequence[SecretLike] | Endpoint) -> None:
        """Gives an endpoint new secrets, or adds the endpoint."""
        name = _endpoint_name(endpoint)
        given, own = _entering(secrets, "secrets")
        with self._lock:
            changed = self._state(name, given, own, self._snapshot.get(name))
            self._swap({**self._snapshot, name: changed})

    def remove(self, endpoint: str, label: str) -> None:
        """Removes one secret, but never the last one of an endpoint."""
        name = _text_argument("endpoint", endpoint)
        label = _text_argument("label", label)
        with self._lock:
            state = self._known(name)
            left = tuple(entry for entry in state.entries if entry.label != label)
            if len(left) == len(state.entries):
                raise KeyError(f"endpoint {name!r} has no secret labelled {label!r}")
            if not left:
                raise SecretError(f"{label!r} is the last secret of endpoint {name!r}")
            self._swap({**self._snapshot, name: state.with_entries(left)})

    def remove_endpoint(self, endpoint: str) -> None:
        """Removes an endpoint with all its secrets."""
        name = _text_argument("endpoint", endpoint)
        with self._lock:
            self._known(name)
            self._swap({key: state for key, state in self._snapshot.items() if key != name})

    def endpoints(self) -> list[str]:
        """The names of the endpoints, in order of entry."""
        return list(self._snapshot)

    def labels(self, endpoint: str) -> list[str]:
        """The labels of an endpoint's secrets, in their order of trial."""
        state = self._known(_text_argument("endpoint", endpoint))
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

    def __contains__(self, endpoint: object, /) -> bool:
        return isinstance(endpoint, str) and own_str(endpoint) in self._snapshot

    def __len__(self) -> int:
        return len(self._snapshot)

    def __repr__(self) -> str:
        return f"Keyring(endpoints={len(self._snapshot)}, scheme={self._scheme.name!r})"

    def _state(
        self,
        name: str,
        secrets: list[tuple[str, Secret]],
        own: Endpoint | None,
        before: State | None,
    ) -> State:
        # Bare secrets leave an endpoint's scheme and tolerance as they are; an Endpoint
        # replaces them. The counter goes on in both cases.
        scheme, tolerance = self._scheme, None
        if own is not None:
            scheme = self._scheme if own.scheme is None else scheme_of(own.scheme)
            tolerance = window(own.tolerance)
            require_window_fits(tolerance, scheme)
        elif before is not None:
            scheme, tolerance = before.plan.scheme, before.tolerance
        counter = 0 if before is None else before.counter
        return new_state(secrets, scheme, tolerance, counter=counter, endpoint=name)

    def _known(self, name: str) -> State:
        state = self._snapshot.get(name)
        if state is None:
            raise KeyError(f"the keyring has no endpoint {name!r}")
        return state

    def _swap(self, states: dict[str, State]) -> None:
        put(self, "_snapshot", MappingProxyType(states))


def _entering(given: object, place: str) -> tuple[list[tuple[str, Secret]], Endpoint | None]:
    # Outside the lock: get_secret_value() is the user's code.
    if isinstance(given, Endpoint):
        return secrets_of(given._secrets, place, place), given
    return secrets_of(given, place, place), None


def _endpoint_name(name: object) -> str:
    name = _text_argument("endpoint", name)
    if not name:
        raise ValueError("endpoint must not be empty")
    if utf8(name) is None:
        raise ValueError("endpoint cannot be encoded as UTF-8")
    return name


def _text_argument(argument: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{argument} must be str, not {type(value).__name__}")
    return own_str(value)
