"""What a message is known by: the parts of its key, and keys that a batch makes side by side."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hookseal import Message, Verdict
from tests import oracle
from tests.implementations import BODY, KEY, NOW, SECRET, secret, signed
from tests.implementations import key as secret_key
from tests.recorder import Recorder, expected_key, guard, verifier

__all__ = ["guard"]

# Names for which what all keys of an endpoint begin with has one block, two, and six.
NAMES = ("a", "b" * 40, "c" * 300)
GITHUB_KEY = "It's a Secret to Everybody"


def timed(hooks: Any, name: str, told: str, unit: str = "s") -> Any:
    """A scheme that signs a time and no id."""
    return hooks.Scheme(
        name, signature="x-s", format="{hex}", signed=told, timestamp="x-time", unit=unit
    )


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
    acme = timed(hooks, "acme", "v0:{timestamp}:{body}", unit="ms")
    guard = Recorder()
    ours = hooks.Verifier("key", scheme=acme, replay=guard)

    def message(stamp: str) -> tuple[bytes, dict[str, str]]:
        mac = oracle.mac(b"key", b"v0:", stamp.encode(), b":", BODY)
        return BODY, {"X-Time": stamp, "X-S": mac.hex()}

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
    acme = timed(hooks, "acme", "{timestamp}:{body}")
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


def test_keys_of_a_batch_of_all_kinds(hooks: Any) -> None:
    """Ids and whole messages, short and long, with bytes behind the body, and forgeries between."""
    around = timed(hooks, "around", "v0:{timestamp}:{body}:end")
    chance = random.Random(6)
    secrets: dict[str, Any] = {}
    for name in NAMES:
        secrets["id " + name] = SECRET
        secrets["body " + name] = hooks.Endpoint(KEY, scheme="github")
        secrets["both " + name] = hooks.Endpoint(KEY, scheme=around)
    messages, endpoints, expected = [], [], []
    # More than are made together, and twice; bodies about the length of a block, and long ones.
    sizes = [*range(130), *(chance.randrange(3_000) for _ in range(500)), 8_192, 200_000, 5_000_000]
    chance.shuffle(sizes)
    for number, size in enumerate(sizes):
        kind, name = chance.choice(("id", "body", "both")), chance.choice(NAMES)
        endpoint, body = f"{kind} {name}", chance.randbytes(size)
        stamp = str(NOW - number % 300)
        if kind == "id":
            id = f"msg_{number}" + "x" * chance.randrange(100)
            told, headers = id.encode(), signed(body, id=id)
        elif kind == "body":
            # A body of its own, for two empty ones are one message.
            body += b"%d" % number
            told, headers = body, {"x-hub-signature-256": oracle.sha256(KEY, body)}
        else:
            told = b"v0:%s:%b%d:end" % (stamp.encode(), body, number)
            body += b"%d" % number
            headers = {"x-time": stamp, "x-s": oracle.mac(KEY, told).hex()}
        if number % 7 == 0:
            body += b"!"
        else:
            scheme = {"id": "standard-webhooks", "body": "github", "both": "around"}[kind]
            expected.append(expected_key(scheme, endpoint, told))
        messages.append((body, headers))
        endpoints.append(endpoint)
    guard = Recorder()
    ours = hooks.Verifier(hooks.Keyring(secrets), replay=guard, replay_ttl=7_000)
    result = ours.verify_batch(messages, endpoint=endpoints, now=NOW)
    ((_, asked, _),) = guard.calls
    assert asked == expected
    assert result.counts() == {
        Verdict.VALID: len(expected),
        Verdict.SIGNATURE_MISMATCH: len(messages) - len(expected),
    }
