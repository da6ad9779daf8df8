"""Verifiers with a replay guard: who is claimed, under which key, and what is said of copies."""

from __future__ import annotations

import asyncio
import hashlib
import pickle
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from hookseal import Claim, Message, ReplayStoreFullError, Verdict, schemes
from tests import oracle
from tests.guards import DONE, IN_MEMORY, WON, memory
from tests.implementations import BODY, KEY, NOW, SECRET, secret, signed
from tests.implementations import key as secret_key

GITHUB_KEY = "It's a Secret to Everybody"


class Recorder:
    """A guard that anybody could write: it remembers for ever, and what it was asked."""

    def __init__(self) -> None:
        self.held: dict[bytes, Claim] = {}
        self.calls: list[tuple[str, list[bytes], Any]] = []
        self.error: Exception | None = None

    def claim(self, keys: Sequence[bytes], *, lease: int | None, ttl: int) -> list[Claim]:
        self.calls.append(("claim", list(keys), (lease, ttl)))
        if self.error is not None:
            raise self.error
        claims = [self.held.get(key, WON) for key in keys]
        taken = Claim.DONE if lease is None else Claim.PENDING
        self.held |= {key: taken for key in keys if key not in self.held}
        return claims

    def commit(self, keys: Sequence[bytes]) -> None:
        self.calls.append(("commit", list(keys), None))
        self.held |= dict.fromkeys(keys, DONE)

    def release(self, keys: Sequence[bytes]) -> None:
        self.calls.append(("release", list(keys), None))
        for key in keys:
            if self.held.get(key) is Claim.PENDING:
                del self.held[key]

    def close(self) -> None:
        pass


def expected_key(scheme: str, endpoint: str, told: bytes) -> bytes:
    """A message's key, as docs/replay.md says."""

    def sized(data: bytes) -> bytes:
        return len(data).to_bytes(8, "big") + data

    start = sized(scheme.encode()) + sized(endpoint.encode())
    start += bytes(-len(start) % 64)
    return hashlib.sha256(start + sized(told)).digest()[:16]


def verifier(hooks: Any, guard: Any, **options: Any) -> Any:
    return hooks.Verifier(SECRET, replay=guard, **options)


@pytest.fixture(params=[*IN_MEMORY, "recorder"])
def guard(request: pytest.FixtureRequest) -> Any:
    """Guards that are asked in different ways."""
    return Recorder() if request.param == "recorder" else memory(request.param)


# What is a copy.


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


def test_copies_are_settled_before_the_guard_is_asked(hooks: Any) -> None:
    guard = Recorder()
    ours = verifier(hooks, guard)
    ours.verify_batch([(BODY, signed())] * 5 + [(BODY, signed(id="msg_2"))], now=NOW)
    ((what, asked, arguments),) = guard.calls
    assert (what, arguments) == ("claim", (None, 601))
    assert asked == [expected_key("standard-webhooks", "", it) for it in (b"msg_1", b"msg_2")]


def test_each_part_of_the_key(hooks: Any) -> None:
    """The scheme, the endpoint and the signed id, without the white space around it."""
    guard = Recorder()
    ring = hooks.Keyring({"a": SECRET, "b": hooks.Endpoint(SECRET, scheme="svix")})
    ours = hooks.Verifier(ring, replay=guard)
    ours.verify(BODY, signed(), endpoint="a", now=NOW)
    svix = {name.replace("webhook", "svix"): value for name, value in signed().items()}
    ours.verify(BODY, {**svix, "svix-id": " msg_1\t"}, endpoint="b", now=NOW)
    assert ours.check(BODY, signed(), endpoint="b", now=NOW) is Verdict.REPLAYED
    bytes_too = {name.encode(): value.encode() for name, value in signed().items()}
    assert ours.check(BODY, bytes_too, endpoint="a", now=NOW) is Verdict.REPLAYED
    wanted = [
        expected_key("standard-webhooks", "a", b"msg_1"),
        expected_key("svix", "b", b"msg_1"),
    ]
    assert [call[1] for call in guard.calls] == [[key] for key in (*wanted, wanted[1], wanted[0])]


def test_where_no_id_is_signed_it_is_the_signed_bytes(hooks: Any) -> None:
    guard = Recorder()
    ours = hooks.Verifier(GITHUB_KEY, scheme="github", replay=guard, replay_ttl=86_400)

    def delivery(body: bytes) -> tuple[bytes, dict[str, str]]:
        signature = oracle.sha256(GITHUB_KEY.encode(), body)
        return body, {"X-Hub-Signature-256": signature, "X-GitHub-Delivery": str(len(guard.calls))}

    bodies = [b"", b"a" * 55, b"b" * 9_000, b"c" * 100_000]
    for body in bodies:
        # Another delivery id is no other message: nobody signed it.
        assert ours.check(*delivery(body)) is Verdict.VALID
        assert ours.check(*delivery(body)) is Verdict.REPLAYED
    result = ours.verify_batch([delivery(body) for body in (*bodies, b"new", b"new")])
    assert [verdict.name for verdict in result] == ["REPLAYED"] * 4 + ["VALID", "REPLAYED"]
    asked = [expected_key("github", "", body) for body in bodies]
    assert [call[1] for call in guard.calls[:8:2]] == [[key] for key in asked]


def test_a_time_without_an_id_is_its_text(hooks: Any) -> None:
    """Milliseconds of one second, and leading zeros, are different signed bytes."""
    acme = hooks.Scheme(
        "acme",
        signature="x-signature",
        format="{hex}",
        signed="v0:{timestamp}:{body}",
        timestamp="x-time",
        unit="ms",
    )
    guard = Recorder()
    ours = hooks.Verifier("key", scheme=acme, replay=guard)

    def message(stamp: str) -> tuple[bytes, dict[str, str]]:
        mac = oracle.mac(b"key", b"v0:", stamp.encode(), b":", BODY)
        return BODY, {"X-Time": stamp, "X-Signature": mac.hex()}

    stamps = [f"{NOW}000", f"{NOW}001", f"0{NOW}000"]
    for stamp in stamps:
        event = ours.verify(*message(stamp), now=NOW)
        assert (event.id, event.timestamp) == (None, NOW)
        assert ours.check(*message(stamp), now=NOW) is Verdict.REPLAYED
    messages = [message(f"{NOW}{number:03}") for number in (1, *range(10, 30), 10)]
    for some in (messages[:5], messages):
        fresh = Recorder()
        result = hooks.Verifier("key", scheme=acme, replay=fresh).verify_batch(some, now=NOW)
        assert [bool(verdict) for verdict in result] == [True] * 5 + [True] * 16 * (
            len(some) > 5
        ) + [False] * (len(some) > 5)
        assert result.verified(0).id is None
    signed_bytes = [b"v0:" + stamp.encode() + b":" + BODY for stamp in stamps]
    asked = [[expected_key("acme", "", told)] for told in signed_bytes]
    assert [call[1] for call in guard.calls[::2]] == asked


def test_a_ring_with_ids_times_and_neither(hooks: Any) -> None:
    acme = hooks.Scheme(
        "acme", signature="x-s", format="{hex}", signed="{timestamp}:{body}", timestamp="x-time"
    )
    ring = hooks.Keyring(
        {
            "standard": SECRET,
            "acme": hooks.Endpoint("key", scheme=acme),
            "github": hooks.Endpoint(GITHUB_KEY, scheme="github"),
        }
    )
    guard = Recorder()
    ours = hooks.Verifier(ring, replay=guard, replay_ttl=7_000)
    mac = oracle.mac(b"key", str(NOW).encode(), b":", BODY).hex()
    messages = [
        Message(BODY, signed(), endpoint="standard"),
        Message(BODY, {"x-time": str(NOW), "x-s": mac}, endpoint="acme"),
        Message(
            BODY,
            {"x-hub-signature-256": oracle.sha256(GITHUB_KEY.encode(), BODY)},
            endpoint="github",
        ),
    ]
    result = ours.verify_batch(messages * 5, now=NOW)
    assert list(result) == [Verdict.VALID] * 3 + [Verdict.REPLAYED] * 12
    assert [result.verified(index).id for index in range(3)] == ["msg_1", None, None]
    ((_, asked, _),) = guard.calls
    assert asked == [
        expected_key("standard-webhooks", "standard", b"msg_1"),
        expected_key("acme", "acme", b"%d:" % NOW + BODY),
        expected_key("github", "github", BODY),
    ]


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


@pytest.mark.parametrize("subset", ["first", "second", "both", "swapped", "and a forged one"])
def test_each_subset_of_two_signatures_is_the_same_message(
    hooks: Any, guard: Any, subset: str
) -> None:
    """A delivery of a rotation could be cut in two, or put together anew."""
    ours = hooks.Verifier([secret(1), secret(2)], replay=guard)
    one, two = (signed(key=secret_key(number))["webhook-signature"] for number in (1, 2))
    assert ours.check(BODY, {**signed(), "webhook-signature": f"{one} {two}"}, now=NOW)
    cut = {
        "first": one,
        "second": two,
        "both": f"{one} {two}",
        "swapped": f"{two} {one}",
        "and a forged one": f"v1,{oracle.b64(bytes(32))} {two}",
    }[subset]
    replay = {**signed(), "webhook-signature": cut}
    assert ours.check(BODY, replay, now=NOW) is Verdict.REPLAYED
    assert list(ours.verify_batch([(BODY, replay)] * 20, now=NOW)) == [Verdict.REPLAYED] * 20


def test_two_signatures_over_bodies_alone(hooks: Any) -> None:
    """Where no id is signed, another secret makes another MAC of the same message."""
    ours = hooks.Verifier(
        ["old secret", "new secret"], scheme="github", replay=Recorder(), replay_ttl=3600
    )
    for number, key in enumerate([b"old secret", b"new secret"]):
        headers = {"x-hub-signature-256": oracle.sha256(key, BODY)}
        assert bool(ours.check(BODY, headers)) is (number == 0)


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


# Leases.


def test_processing_commits(hooks: Any, guard: Any) -> None:
    ours = verifier(hooks, guard, lease=60)
    event = ours.verify(BODY, signed(), now=NOW)
    with event.processing():
        with pytest.raises(hooks.ReplayedError) as caught:
            ours.verify(BODY, signed(), now=NOW)
        assert caught.value.status_hint == 409
        assert str(caught.value) == "another copy of the message is at work: its lease runs"
    with pytest.raises(hooks.ReplayedError) as caught:
        ours.verify(BODY, signed(), now=NOW)
    assert caught.value.status_hint == 200


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_processing_releases_what_raised(hooks: Any, guard: Any, error: Any) -> None:
    ours = verifier(hooks, guard, lease=60)
    event = ours.verify(BODY, signed(), now=NOW)
    with pytest.raises(error), event.processing():
        raise error
    again = ours.verify(BODY, signed(), now=NOW)
    with again.processing():
        pass
    assert ours.check(BODY, signed(), now=NOW) is Verdict.REPLAYED


def test_without_a_lease_a_claim_is_final(hooks: Any, guard: Any) -> None:
    """At most once: what raised is not tried again."""
    ours = verifier(hooks, guard)
    event = ours.verify(BODY, signed(), now=NOW)
    with pytest.raises(ValueError, match="x"), event.processing():
        raise ValueError("x")
    assert ours.check(BODY, signed(), now=NOW) is Verdict.REPLAYED
    result = ours.verify_batch([(BODY, signed(id="msg_2"))], now=NOW)
    result.commit()
    with pytest.raises(ValueError, match=r"^claims without a lease are final: pass lease="):
        result.release()


def test_check_commits_at_once(hooks: Any) -> None:
    """Nothing could be committed later, and a lease would let the message in again."""
    guard = Recorder()
    assert verifier(hooks, guard, lease=60).check(BODY, signed(), now=NOW)
    assert [call[2] for call in guard.calls] == [(None, 601)]


def test_a_batch_commits_and_releases(hooks: Any, guard: Any) -> None:
    ours = verifier(hooks, guard, lease=60)
    messages = [(BODY, signed(id=f"msg_{number}")) for number in range(20)]
    messages.insert(3, (BODY, {}))
    result = ours.verify_batch(messages, now=NOW, keep=False)
    assert result.valid == 20
    result.release([0, -1])
    result.commit([1])
    result.commit(iter([1, 2]))
    for index in (3, -18):
        with pytest.raises(ValueError, match=r"^message 3 was refused: nothing of it was claimed$"):
            result.commit([index])
    with pytest.raises(IndexError):
        result.release([21])
    for wrong in (5, "01", b"1", {1: 2}):
        with pytest.raises(TypeError, match=r"^indices must be an iterable of whole numbers, or"):
            result.commit(wrong)
    with pytest.raises(TypeError, match=r"^index must be a whole number, not str$"):
        result.commit(["1"])
    # A mask of all that is valid would have committed the messages 0 and 1, again and again.
    with pytest.raises(TypeError, match=r"^index must be a whole number, not bool$"):
        result.commit([bool(verdict) for verdict in result])
    # The rest: what was released stays so.
    result.commit()
    again = ours.verify_batch(messages, now=NOW)
    assert again.valid_indices() == [0, 20]
    again.release()
    again.commit()
    assert ours.verify_batch(messages, now=NOW).valid_indices() == [0, 20]


def test_a_verified_of_a_batch_is_processed_alone(hooks: Any, guard: Any) -> None:
    ours = verifier(hooks, guard, lease=60)
    messages = [(BODY, signed(id=f"msg_{number}")) for number in range(3)]
    for index, event in ours.verify_batch(messages, now=NOW).accepted():
        if index == 1:
            with pytest.raises(OSError, match="disk"), event.processing():
                raise OSError("disk")
        else:
            with event.processing():
                pass
    assert ours.verify_batch(messages, now=NOW).valid_indices() == [1]


def test_what_was_given_back_alone_is_not_committed_with_the_rest(hooks: Any, guard: Any) -> None:
    """Else the work that failed would count as done, and its redelivery be refused."""
    ours = verifier(hooks, guard, lease=60)
    messages = [(BODY, signed(id=f"msg_{number}")) for number in range(4)]
    result = ours.verify_batch(messages, now=NOW)
    for index in (0, 2):
        with pytest.raises(OSError, match="disk"), result.verified(index).processing():
            raise OSError("disk")
    with result.verified(1).processing():
        pass
    result.commit()
    again = ours.verify_batch(messages, now=NOW)
    assert again.valid_indices() == [0, 2]
    # Who says so by index means it.
    with pytest.raises(OSError, match="disk"), again.verified(0).processing():
        raise OSError("disk")
    again.commit([0])
    again.release()
    assert ours.verify_batch(messages, now=NOW).valid_indices() == [2]


def test_a_commit_that_failed_can_be_tried_again(hooks: Any) -> None:
    class Flaky(Recorder):
        def commit(self, keys: Any) -> None:
            self.calls.append(("commit", list(keys), None))
            if self.error is not None:
                raise self.error

    guard = Flaky()
    ours = verifier(hooks, guard, lease=60)
    result = ours.verify_batch([(BODY, signed())], now=NOW)
    guard.error = ConnectionError("gone")
    with pytest.raises(ConnectionError):
        result.commit()
    with pytest.raises(ConnectionError), result.verified(0).processing():
        pass
    guard.error = None
    for _ in range(2):
        result.commit()
    assert len([call for call in guard.calls if call[0] == "commit"]) == 3


def test_the_token_goes_with_the_claims(hooks: Any) -> None:
    """A guard that gives a token is told which call's claims are meant."""

    class Tokens(Recorder):
        def claim(self, keys: Any, *, lease: Any, ttl: Any) -> Any:
            from hookseal import Claims

            return Claims(super().claim(keys, lease=lease, ttl=ttl), token="the token")

        def commit(self, keys: Any, *, token: Any = None) -> None:
            self.calls.append(("commit", list(keys), token))

        def release(self, keys: Any, *, token: Any = None) -> None:
            self.calls.append(("release", list(keys), token))

    guard = Tokens()
    ours = verifier(hooks, guard, lease=60)
    with ours.verify(BODY, signed(), now=NOW).processing():
        pass
    ours.verify_batch([(BODY, signed(id="msg_2"))], now=NOW).release()
    assert [(what, told) for what, _, told in guard.calls] == [
        ("claim", (60, 601)),
        ("commit", "the token"),
        ("claim", (60, 601)),
        ("release", "the token"),
    ]


def test_a_release_that_fails_hides_nothing(hooks: Any) -> None:
    class Broken(Recorder):
        def release(self, keys: Iterable[bytes]) -> None:
            raise ConnectionError("gone")

        def commit(self, keys: Iterable[bytes]) -> None:
            raise ConnectionError("gone")

    ours = verifier(hooks, Broken(), lease=60)
    event = ours.verify(BODY, signed(), now=NOW)
    with pytest.raises(ValueError, match="the work") as caught, event.processing():
        raise ValueError("the work")
    assert caught.value.__notes__ == [
        "nor could the replay guard take its claim back (ConnectionError)"
    ]
    event = ours.verify(BODY, signed(id="msg_2"), now=NOW)
    with pytest.raises(ConnectionError), event.processing():
        pass


# What a guard can do wrong.


def test_raise_reports_nothing_valid(hooks: Any) -> None:
    guard = Recorder()
    guard.error = ConnectionError("no route")
    ours = verifier(hooks, guard)
    calls: list[Callable[[], Any]] = [
        lambda: ours.verify(BODY, signed(), now=NOW),
        lambda: ours.check(BODY, signed(), now=NOW),
        lambda: ours.verify_batch([(BODY, signed())] * 20, now=NOW),
    ]
    for call in calls:
        with pytest.raises(ConnectionError, match="no route"):
            call()
    # What needs no guard needs it not.
    assert ours.check(BODY, {}, now=NOW) is Verdict.MISSING_HEADER


def test_reject_refuses_all(hooks: Any) -> None:
    guard = Recorder()
    guard.error = ConnectionError("no route to 10.0.0.1")
    ours = verifier(hooks, guard, on_store_error="reject")
    assert ours.check(BODY, signed(), now=NOW) is Verdict.REPLAYED
    result = ours.verify_batch([(BODY, signed())] * 20 + [(BODY, {})], now=NOW)
    assert list(result) == [Verdict.REPLAYED] * 20 + [Verdict.MISSING_HEADER]
    pair: list[Callable[[], Any]] = [
        lambda: ours.verify(BODY, signed(), now=NOW),
        lambda: result.verified(3),
    ]
    for call in pair:
        with pytest.raises(hooks.ReplayedError) as caught:
            call()
        assert caught.value.status_hint == 503
        assert caught.value.__cause__ is guard.error
        assert str(caught.value) == (
            "the replay guard could not be asked, and on_store_error is 'reject' (ConnectionError)"
        )
    with pytest.raises(hooks.MissingHeaderError) as missing:
        result.verified(20)
    assert missing.value.__cause__ is None
    result.commit()
    guard.error = None
    assert ours.check(BODY, signed(), now=NOW)


def test_accept_lets_in_and_says_so(hooks: Any) -> None:
    guard = Recorder()
    guard.error = ConnectionError("no route")
    ours = verifier(hooks, guard, on_store_error="accept", lease=60)
    for _ in range(2):
        event = ours.verify(BODY, signed(), now=NOW)
        assert not event.claimed
        with event.processing():
            pass
    # Copies in one batch are seen without a guard.
    result = ours.verify_batch([(BODY, signed())] * 20, now=NOW)
    assert list(result) == [Verdict.VALID] + [Verdict.REPLAYED] * 19
    assert not result.verified(0).claimed
    result.commit()
    result.commit([0])
    result.release()
    assert {call[0] for call in guard.calls} == {"claim"}


@pytest.mark.parametrize("kind", IN_MEMORY)
def test_a_guard_that_is_full(hooks: Any, kind: str) -> None:
    guard = memory(kind, max_claims=10)
    messages = [(BODY, signed(id=f"msg_{number}")) for number in range(12)]
    ours = verifier(hooks, guard)
    assert ours.verify_batch(messages[:10], now=NOW).valid == 10
    calls: list[Callable[[], Any]] = [
        lambda: ours.verify(*messages[10], now=NOW),
        lambda: ours.verify_batch(messages, now=NOW),
    ]
    for call in calls:
        with pytest.raises(ReplayStoreFullError):
            call()
    # Copies are known all the same, and the others are let in where that is wished.
    assert ours.verify_batch(messages[:10], now=NOW).valid == 0
    lenient = verifier(hooks, guard, on_store_error="accept")
    assert lenient.verify_batch([messages[10]] * 3, now=NOW).valid_indices() == [0]
    assert guard.count() == 10


def test_a_guard_that_was_closed(hooks: Any, guard: Any) -> None:
    if isinstance(guard, Recorder):
        pytest.skip("it has nothing to close")
    ours = verifier(hooks, guard)
    guard.close()
    with pytest.raises(ValueError, match="closed"):
        ours.check(BODY, signed(), now=NOW)


@pytest.mark.parametrize("mode", ["raise", "reject", "accept"])
@pytest.mark.parametrize("answer", [None, [], [WON, WON], [True], [1], [1.0], ["WON"], [0], 7])
def test_an_answer_that_is_none(hooks: Any, mode: str, answer: Any) -> None:
    """Whatever is to be done where a store fails: this is no store, and nobody is let in."""

    class Nonsense(Recorder):
        def claim(self, keys: Any, *, lease: Any, ttl: Any) -> Any:
            return answer

    ours = verifier(hooks, Nonsense(), on_store_error=mode)
    with pytest.raises(TypeError, match=r"^the replay guard must answer with 1 claims, and did"):
        ours.check(BODY, signed(), now=NOW)
    with pytest.raises(TypeError, match=r"must answer with 1 claims"):
        ours.verify_batch([(BODY, signed())], now=NOW)


@pytest.mark.parametrize("change", ["clear", "pop", "append"])
def test_a_guard_that_takes_keys_away_is_held_to_all_of_them(hooks: Any, change: str) -> None:
    """An answer for what was left of its keys let in messages that nobody had claimed."""

    def answer(keys: Any) -> list[Claim]:
        getattr(keys, change)(*[keys[0]] * (change == "append"))
        return [WON] * len(keys)

    class Taking(Recorder):
        def claim(self, keys: Any, *, lease: Any, ttl: Any) -> Any:
            return answer(keys)

    class Awaited:
        async def claim(self, keys: Any, *, lease: Any, ttl: Any) -> Any:
            return answer(keys)

        async def commit(self, keys: Any) -> None:
            raise AssertionError

        release = commit

    ours, awaited = verifier(hooks, Taking()), verifier(hooks, Awaited())
    calls: list[Callable[[], object]] = [
        lambda: ours.check(BODY, signed(), now=NOW),
        lambda: ours.verify_batch([(BODY, signed())] * 20, now=NOW),
        lambda: asyncio.run(awaited.acheck(BODY, signed(), now=NOW)),
        lambda: asyncio.run(awaited.averify_batch([(BODY, signed())] * 20, now=NOW)),
    ]
    for call in calls:
        with pytest.raises(AttributeError, match=change):
            call()


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_what_is_no_store_error_passes(hooks: Any, error: type[BaseException]) -> None:
    class Broken(Recorder):
        def claim(self, keys: Any, *, lease: Any, ttl: Any) -> Any:
            raise error

    ours = verifier(hooks, Broken(), on_store_error="accept")
    with pytest.raises(error):
        ours.check(BODY, signed(), now=NOW)


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
