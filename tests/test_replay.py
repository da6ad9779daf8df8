"""Verifiers with a replay guard: who is claimed, what is said of copies, and who can have one."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from hookseal import Message, Verdict, schemes
from tests import oracle
from tests.guards import memory
from tests.implementations import BODY, KEY, NOW, SECRET, secret, signed
from tests.implementations import key as secret_key
from tests.recorder import Recorder, guard, verifier

__all__ = ["guard"]


def test_a_message_is_taken_once(hooks: Any, guard: Any) -> None:
    ours = verifier(hooks, guard)
    first = ours.verify(BODY, signed(), now=NOW)
    assert first.claimed
    with pytest.raises(hooks.ReplayedError) as caught:
        ours.verify(BODY, signed(), now=NOW)
    assert str(caught.value) == "the message was taken before"
    assert (caught.value.status_hint, caught.value.code) == (200, "replayed")
    assert pickle.loads(pickle.dumps(caught.value)).status_hint == 200
    assert ours.check(BODY, signed(), now=NOW) is Verdict.REPLAYED
    assert ours.check(BODY, signed(id="msg_2"), now=NOW) is Verdict.VALID
    assert ours.check(BODY, signed(id="msg_2"), now=NOW) is Verdict.REPLAYED


def test_without_a_guard_nothing_is_new(hooks: Any) -> None:
    plain = hooks.Verifier(SECRET)
    for _ in range(2):
        event = plain.verify(BODY, signed(), now=NOW)
        assert not event.claimed
        with pytest.raises(TypeError, match=r"^this verifier has no replay guard: pass replay=$"):
            event.processing()
    result = plain.verify_batch([(BODY, signed())], now=NOW)
    for call in (result.commit, result.release, result.acommit, result.arelease):
        with pytest.raises(TypeError, match="no replay guard"):
            call()


@pytest.mark.parametrize("count", [2, 9, 40])
def test_in_a_batch_the_first_valid_copy_wins(hooks: Any, guard: Any, count: int) -> None:
    ours = verifier(hooks, guard)
    forged = {**signed(), "webhook-signature": "v1," + oracle.b64(bytes(32))}
    messages = [(BODY, forged), *[(BODY, signed())] * count, (BODY, signed(id="msg_2"))]
    result = ours.verify_batch(messages, now=NOW)
    replayed = [Verdict.REPLAYED] * (count - 1)
    wanted = [Verdict.SIGNATURE_MISMATCH, Verdict.VALID, *replayed, Verdict.VALID]
    assert list(result) == wanted
    assert list(result.secrets) == [-1, 0, *[-1] * (count - 1), 0]
    # Who sends an old message again must keep no secret in use.
    assert result.by_secret() == {"0": 2}
    assert result.verified(1).claimed
    with pytest.raises(hooks.ReplayedError, match="taken before") as caught:
        result.verified(2)
    assert caught.value.status_hint == 200
    assert [index for index, _ in result.accepted()] == [1, count + 1]
    again = ours.verify_batch(messages, now=NOW, keep=False)
    assert again.valid == 0
    assert again.counts() == {Verdict.SIGNATURE_MISMATCH: 1, Verdict.REPLAYED: count + 1}
    assert again.by_secret() == {"0": 0}
    with pytest.raises(hooks.ReplayedError, match="claimed before"):
        again.verified(1)


def test_copies_are_no_evidence(hooks: Any, guard: Any) -> None:
    """Who sends old messages again must not keep a secret in use that nobody signs with."""
    ring = hooks.Keyring({"a": [hooks.Secret(secret(1), label="old")]})
    ours = hooks.Verifier(ring, replay=guard)
    message = (BODY, signed(key=secret_key(1)))
    for _ in range(3):
        ours.check(*message, endpoint="a", now=NOW)
    for count in (3, 20):
        ours.verify_batch([message] * count, endpoint="a", now=NOW + 5)
    assert ring.usage() == {("a", "old"): hooks.Usage(1, NOW, NOW)}
    with pytest.raises(hooks.ReplayedError):
        ours.verify(*message, endpoint="a", now=NOW + 7)
    new = [(BODY, signed(key=secret_key(1), id=f"msg_{number % 30}")) for number in range(2, 60)]
    ours.verify_batch(new, endpoint="a", now=NOW + 9)
    assert ring.usage()["a", "old"].count == 30


def test_columns_are_claimed_too(hooks: Any, guard: Any) -> None:
    ours = verifier(hooks, guard)
    headers = [signed(id=f"msg_{number % 15}") for number in range(20)]
    columns = [
        [one[name] for one in headers]
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
    ]
    result = ours.verify_columns(*columns, [BODY] * 20, now=NOW)
    assert [bool(verdict) for verdict in result] == [True] * 15 + [False] * 5


def test_forged_messages_leave_no_trace(hooks: Any) -> None:
    guard = Recorder()
    ours = verifier(hooks, guard)
    forged = [
        (BODY, {**signed(id=f"msg_{number}"), "webhook-signature": "v1," + "A" * 43 + "="})
        for number in range(1000)
    ]
    for message in forged[:50]:
        assert not ours.check(*message, now=NOW)
    assert ours.verify_batch(forged, now=NOW).valid == 0
    assert ours.verify_batch([], now=NOW).valid == 0
    stale = [(BODY, signed(timestamp=NOW - 301)), (BODY, {}), (None, None)]
    assert ours.verify_batch(stale, now=NOW).valid == 0
    assert guard.calls == []
    assert ours.check(BODY, signed(id="msg_7"), now=NOW)


# Arguments.


def test_who_cannot_have_a_guard(hooks: Any) -> None:
    guard = Recorder()
    for scheme in ("shared-token", "gitlab-token"):
        with pytest.raises(hooks.SchemeError, match=rf"^{scheme} signs nothing: a replay guard"):
            hooks.Verifier("a-token", scheme=scheme, replay=guard, replay_ttl=3600)
    text = r"has no window that says how long a copy would be accepted: pass replay_ttl=$"
    for options in ({"scheme": "github"}, {"tolerance": "off"}):
        with pytest.raises(hooks.SchemeError, match=text):
            hooks.Verifier(hooks.Secret.from_text("key"), replay=guard, **options)
    with pytest.raises(hooks.SchemeError, match=r"^standard-webhooks needs a longer replay_ttl"):
        hooks.Verifier(SECRET, replay=guard, replay_ttl=600)
    hooks.Verifier(SECRET, replay=guard, replay_ttl=601)
    hooks.Verifier(SECRET, replay=guard, tolerance=(60, 10), replay_ttl=71)


def test_an_endpoint_that_cannot_have_a_guard(hooks: Any) -> None:
    """One that was there is refused with the verifier, one that came later with the message."""
    bad = hooks.Endpoint("a-token", scheme="shared-token")
    with pytest.raises(hooks.SchemeError, match=r"^shared-token signs nothing"):
        hooks.Verifier(hooks.Keyring({"good": SECRET, "bad": bad}), replay=Recorder())
    ring = hooks.Keyring({"good": SECRET})
    guard = Recorder()
    ours = hooks.Verifier(ring, replay=guard)
    ring.replace("good", [SECRET])
    ring.replace("bad", bad)
    headers = {"x-webhook-secret": "a-token"}
    with pytest.raises(hooks.SchemeError, match=r"^shared-token signs nothing"):
        ours.check(BODY, headers, endpoint="bad", now=NOW)
    messages = [Message(BODY, signed(), endpoint="good"), Message(BODY, headers, endpoint="bad")]
    with pytest.raises(hooks.SchemeError, match=r"^shared-token signs nothing"):
        ours.verify_batch(messages, now=NOW)
    assert guard.calls == []
    assert ours.check(BODY, signed(), endpoint="good", now=NOW)


def test_wrong_arguments(hooks: Any) -> None:
    guard = Recorder()
    for name, value in (("replay_ttl", 700), ("lease", 60), ("on_store_error", "accept")):
        text = rf"^{name}= is for a verifier with a replay guard: pass replay=$"
        with pytest.raises(TypeError, match=text):
            hooks.Verifier(SECRET, **{name: value})
    others: list[Any] = [True, 5, "guard", Recorder, object()]
    for wrong in others:
        with pytest.raises(TypeError, match=r"^replay must be a replay guard: an object with"):
            hooks.Verifier(SECRET, replay=wrong)
    for name in ("replay_ttl", "lease"):
        for wrong in (0, -1, 315_360_001):
            with pytest.raises(ValueError, match=rf"^{name} must lie between 1 and 315360000 sec"):
                verifier(hooks, guard, **{name: wrong})
        for wrong in (True, 1.5, "60"):
            with pytest.raises(TypeError, match=rf"^{name} must be whole seconds, not "):
                verifier(hooks, guard, **{name: wrong})
    for wrong in ("ignore", None, True, 5):
        with pytest.raises(ValueError, match=r'^on_store_error must be "raise", "reject" or "acc'):
            verifier(hooks, guard, on_store_error=wrong)


def test_repr_says_that_there_is_a_guard(hooks: Any) -> None:
    assert repr(verifier(hooks, memory("memory"))) == (
        "Verifier(scheme='standard-webhooks', secrets=1, replay=MemoryReplayGuard)"
    )
    shown = repr(hooks.Verifier(hooks.Keyring({}), tolerance=60, replay=Recorder()))
    assert shown == "Verifier(endpoints=0, tolerance=(60, 60), replay=Recorder)"


def test_lines_are_not_claimed(hooks: Any) -> None:
    from tests.vector_rows import module

    name = "hookseal._core" if hooks.__name__ == "hookseal" else "hookseal.pure._lines"
    judge = module(name).LineJudge
    with pytest.raises(TypeError, match=r"^a LineJudge asks no replay guard: pass a verifier"):
        judge(verifier(hooks, Recorder()), now=NOW)


def test_schemes_that_sign_are_all_there() -> None:
    """No preset accepts an unbounded future, so each that signs a time has a window."""
    for name in schemes.names():
        scheme = schemes.get(name)
        assert (scheme.tolerance is not None) is scheme.signs_timestamp
        assert KEY
