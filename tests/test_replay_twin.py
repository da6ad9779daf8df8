"""Core and twin with replay guards: whatever is done, both say and claim the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookseal import Message
from tests import oracle
from tests.conftest import Clock
from tests.implementations import BODY, NOW, core, secret, signed, twin
from tests.implementations import key as secret_key
from tests.profiles import fewer
from tests.recorder import Recorder

ACME = {
    "signature": "x-s",
    "format": "{hex}",
    "signed": "{body}|{timestamp}",
    "timestamp": "x-time",
    "unit": "ms",
}


def _message(kind: str, number: int, good: bool, arrival: int | None) -> Message:
    body = BODY + b"%d" % (number % 3)
    key = secret_key(number % 2 + 1) if good else b"forged"
    if kind == "standard":
        headers = signed(body, key=key, id=f"msg_{number}", timestamp=NOW + number)
    elif kind == "github":
        headers = {"x-hub-signature-256": oracle.sha256(b"a text" if good else b"forged", body)}
    elif kind == "acme":
        stamp = f"{(NOW + number) * 1000 + number}"
        mac = oracle.mac(b"a text" if good else b"forged", body, b"|", stamp.encode())
        headers = {"x-time": stamp, "x-s": mac.hex()}
    else:
        headers = {}
    return Message(body, headers, endpoint=kind, received_at=arrival)


_messages = st.builds(
    _message,
    st.sampled_from(["standard", "standard", "github", "acme", "nowhere"]),
    st.integers(0, 9),
    st.sampled_from([True, True, True, False]),
    st.one_of(st.none(), st.integers(NOW - 600, NOW + 400)),
)
_calls = st.one_of(
    st.tuples(st.just("batch"), st.lists(_messages, max_size=30), st.booleans()),
    st.tuples(st.sampled_from(["check", "verify"]), _messages),
    st.tuples(st.sampled_from(["commit", "release"]), st.none() | st.lists(st.integers(-3, 30))),
    st.tuples(st.just("processing"), st.booleans()),
    st.tuples(st.just("break"), st.booleans()),
    st.tuples(st.just("pass"), st.sampled_from([1, 30, 400])),
)


class Doing:
    """One implementation, its guard, and what was made with them last."""

    def __init__(self, hooks: Any, guard: Any, options: dict[str, Any]) -> None:
        acme = hooks.Scheme("acme", **ACME)
        text = hooks.Secret.from_text("a text")
        ring = hooks.Keyring(
            {
                "standard": [secret(1), secret(2)],
                "github": hooks.Endpoint(text, scheme="github"),
                "acme": hooks.Endpoint(hooks.Secret.from_text("a text"), scheme=acme),
            }
        )
        self.guard = guard
        self.verifier = hooks.Verifier(ring, replay=guard, **options)
        self.result: Any = None
        self.event: Any = None

    def does(self, what: str, *arguments: Any) -> Any:
        try:
            return self._does(what, *arguments)
        except Exception as error:
            hint = getattr(error, "status_hint", None)
            return type(error).__name__, str(error), hint, type(error.__cause__)

    def _does(self, what: str, *arguments: Any) -> Any:
        if what == "batch":
            messages, keep = arguments
            self.result = self.verifier.verify_batch(messages, keep=keep)
            said = [self.result.codes.tolist(), self.result.secrets.tolist()]
            said += [self.result.by_secret(), repr(self.result)]
            return [*said, [self.does("look", index) for index in range(len(messages))]]
        if what == "look":
            event = self.result.verified(arguments[0])
            return repr(event), event.body, event.claimed
        if what in {"check", "verify"}:
            (message,) = arguments
            said = getattr(self.verifier, what)(
                message.body,
                message.headers,
                endpoint=message.endpoint,
                received_at=message.received_at,
            )
            if what == "verify":
                self.event = said
            return repr(said)
        if what in {"commit", "release"}:
            return self.result and getattr(self.result, what)(*arguments)
        if what == "processing":
            if self.event is not None:
                with self.event.processing():
                    if arguments[0]:
                        raise OSError("the work")
            return None
        if what == "break" and isinstance(self.guard, Recorder):
            self.guard.error = ConnectionError("gone") if arguments[0] else None
        return None


@fewer()
@given(
    calls=st.lists(_calls, max_size=8),
    lease=st.sampled_from([None, 20]),
    ttl=st.sampled_from([601, 800, 5000]),
    mode=st.sampled_from(["raise", "reject", "accept"]),
    kind=st.sampled_from(["recorder", "memory", "small"]),
)
def test_core_and_twin_agree(
    calls: list[Any], lease: int | None, ttl: int, mode: str, kind: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr("time.time", clock)
        patch.setattr("time.monotonic", clock)
        options = {"lease": lease, "replay_ttl": ttl, "on_store_error": mode}
        both = []
        for hooks in (core(), twin()):
            most = 5 if kind == "small" else 1000
            guard = Recorder() if kind == "recorder" else hooks.MemoryReplayGuard(max_claims=most)
            both.append(Doing(hooks, guard, options))
        for what, *arguments in calls:
            if what == "pass":
                clock.now += arguments[0]
                continue
            said = [each.does(what, *arguments) for each in both]
            assert said[0] == said[1], what
            if kind == "recorder":
                assert both[0].guard.calls == both[1].guard.calls
            else:
                assert both[0].guard.count() == both[1].guard.count()
