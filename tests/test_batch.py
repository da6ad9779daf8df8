"""Batches: item i is what ``check`` of item i says, whatever stands around it."""

from __future__ import annotations

import array
import itertools
from collections import UserDict, deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookseal import Message, Verdict
from tests.implementations import BODY, NOW, SECRET, key, secret, signed
from tests.profiles import fewer
from tests.vector_rows import each_implementation, module

# Where the scheduler of the core changes its mind: lanes of a register, padding, blocks.
EDGES = [0, 1, 31, 32, 55, 56, 63, 64, 65, 119, 120, 1000]


def mixed(count: int, *, start: int = 0) -> list[tuple[bytes, dict[str, str], Verdict]]:
    """Messages of all lengths, a good part of them not valid, with what each is."""
    made = []
    for number in range(start, start + count):
        body = bytes([number % 256]) * (EDGES[number % len(EDGES)] + number % 7)
        headers = signed(body, id=f"msg_{number}", timestamp=NOW - number % 300)
        verdict = Verdict.VALID
        match number % 11:
            case 3:
                body, verdict = body + b"!", Verdict.SIGNATURE_MISMATCH
            case 5:
                headers = signed(body, timestamp=NOW - 301)
                verdict = Verdict.TOO_OLD
            case 7:
                del headers["webhook-id"]
                verdict = Verdict.MISSING_HEADER
            case 9:
                headers["webhook-signature"] = "v1,AAAA"
                verdict = Verdict.MALFORMED_SIGNATURE
        made.append((body, headers, verdict))
    return made


POOL = mixed(330)


class Record(UserDict[str, Any]):
    """A mapping that is no dict."""


def in_shape(number: int, body: Any, headers: Any) -> Any:
    """A message in one of the forms that a batch takes."""
    shapes: list[Callable[[], Any]] = [
        lambda: Message(body, headers),
        lambda: (body, headers),
        lambda: {"body": body, "headers": headers, "endpoint": "x", "received_at": 0},
        lambda: Record(body=body, headers=headers, received_at=0),
        lambda: SimpleNamespace(body=body, headers=headers, endpoint="x", received_at=0),
    ]
    return shapes[number % len(shapes)]()


containers: list[Any] = [list, tuple, deque, iter, lambda items: (item for item in items)]


@each_implementation
@fewer(8)
@given(
    picked=st.lists(st.integers(0, len(POOL) - 1), max_size=300),
    shape=st.integers(0, 4),
    container=st.sampled_from(containers),
    threads=st.sampled_from([1, 2, 3, None]),
    keep=st.booleans(),
)
def test_law(
    implementation: str,
    picked: list[int],
    shape: int,
    container: Any,
    threads: int | None,
    keep: bool,
) -> None:
    """Any size, order, shape and number of threads."""
    verifier = module(implementation).Verifier(SECRET)
    messages = [in_shape(number + shape, *POOL[number][:2]) for number in picked]
    expected = [POOL[number][2] for number in picked]
    result = verifier.verify_batch(container(messages), now=NOW, threads=threads, keep=keep)
    assert list(result) == expected
    assert result.codes.tolist() == expected
    assert result.secrets.tolist() == [0 if verdict else -1 for verdict in expected]


@pytest.mark.parametrize("size", [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 299, 300])
def test_law_at_every_size(hooks: Any, size: int) -> None:
    """Against ``check``, one by one."""
    verifier = hooks.Verifier(SECRET)
    messages = [POOL[number][:2] for number in range(size)]
    expected = [verifier.check(body, headers, now=NOW) for body, headers in messages]
    assert expected == [verdict for _, _, verdict in POOL[:size]]
    for threads in (1, 2, 3, None):
        assert list(verifier.verify_batch(messages, now=NOW, threads=threads)) == expected
        backwards = verifier.verify_batch(messages[::-1], now=NOW, threads=threads)
        assert list(backwards) == expected[::-1]


N = 33


def _matrix() -> list[tuple[bytes, dict[str, str]]]:
    bodies = [b"%d" % number * (1 + number * 5) for number in range(N)]
    return [(body, signed(body, key=key(number))) for number, body in enumerate(bodies)]


def test_every_message_under_every_secret(hooks: Any) -> None:
    """Only its own secret fits: no lane is judged with another's key."""
    messages = _matrix()
    for number in range(N):
        result = hooks.Verifier(secret(number)).verify_batch(messages, now=NOW)
        assert result.valid_indices() == [number]
        assert result.counts() == {Verdict.VALID: 1, Verdict.SIGNATURE_MISMATCH: N - 1}


def test_every_message_at_every_endpoint(hooks: Any) -> None:
    """All pairs in one batch of a ring, so that neighbours have different keys."""
    ring = hooks.Keyring({f"acct_{number}": secret(number) for number in range(N)})
    verifier = hooks.Verifier(ring)
    pairs = list(itertools.product(enumerate(_matrix()), range(N)))
    result = verifier.verify_batch(
        [message for (_, message), _ in pairs],
        endpoint=[f"acct_{endpoint}" for _, endpoint in pairs],
        now=NOW,
    )
    for verdict, ((number, _), endpoint) in zip(result, pairs, strict=True):
        assert bool(verdict) is (number == endpoint)
    assert result.by_secret() == {(f"acct_{number}", "0"): 1 for number in range(N)}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("size", range(1, 34))
def test_one_forged_message_at_every_position(hooks: Any, size: int, threads: int) -> None:
    verifier = hooks.Verifier(SECRET)
    good = [(b"x" * (40 + 9 * n), signed(b"x" * (40 + 9 * n), id=f"m{n}")) for n in range(size)]
    for position in range(size):
        body, headers = good[position]
        forged = [*good[:position], (b"y" + body[1:], headers), *good[position + 1 :]]
        result = verifier.verify_batch(forged, now=NOW, threads=threads)
        assert result.invalid_indices() == [position]
        assert result[position] is Verdict.SIGNATURE_MISMATCH


def test_one_forged_message_among_a_thousand(hooks: Any) -> None:
    verifier = hooks.Verifier([secret(1), SECRET])
    headers = signed()
    messages = [(BODY, headers)] * 1000
    step = 7 if hooks.__name__ == "hookseal" else 97
    for position in range(0, 1000, step):
        messages[position] = (BODY + b" ", headers)
        result = verifier.verify_batch(messages, now=NOW, keep=False)
        assert result.invalid_indices() == [position]
        assert set(result.secrets) == {1, -1}
        messages[position] = (BODY, headers)


def test_which_secret_matched(hooks: Any) -> None:
    """Eight secrets: the position of each, and messages of every one of them."""
    verifier = hooks.Verifier([secret(number) for number in range(8)])
    order = [3, 7, 0, 0, 5, 1, 6, 2, 4, 8, 3]
    messages = [(BODY, signed(key=key(number))) for number in order]
    result = verifier.verify_batch(messages, now=NOW)
    assert result.secrets.tolist() == [number if number < 8 else -1 for number in order]
    assert result.by_secret() == {str(n): order.count(n) for n in range(8)}


# Per-message arguments.


def _at(instants: list[float]) -> list[tuple[bytes, dict[str, str]]]:
    return [(BODY, signed(timestamp=int(at))) for at in instants]


@pytest.mark.parametrize(
    "convert",
    [
        list,
        tuple,
        deque,
        lambda at: array.array("q", at),
        lambda at: array.array("d", at),
        lambda at: np.array(at, dtype=np.int64),
        lambda at: np.array(at, dtype=np.float64) + 0.25,
        lambda at: np.array([0, *at, 0], dtype=np.int64)[1:-1],
        lambda at: np.repeat(np.array(at, dtype=np.int64), 2)[::2],
        lambda at: memoryview(array.array("q", at)),
        lambda at: [np.int64(one) for one in at],
        lambda at: [np.float64(one) + 0.5 for one in at],
    ],
)
def test_received_at_of_each_message(hooks: Any, convert: Any, clock: Any) -> None:
    """A queue's arrival times, as the broker or a data frame has them."""
    arrivals = [NOW - 10_000 * number for number in range(20)]
    verifier = hooks.Verifier(SECRET)
    messages = _at([float(at) for at in arrivals])
    result = verifier.verify_batch(messages, received_at=convert(arrivals))
    assert result.valid == 20
    late = convert([at + 301 for at in arrivals])
    result = verifier.verify_batch(messages, received_at=late, now=NOW)
    assert result.counts() == {Verdict.TOO_OLD: 20}
    assert clock.looks == 0


def test_none_in_received_at_is_now(hooks: Any, clock: Any) -> None:
    verifier = hooks.Verifier(SECRET)
    messages = _at([NOW, NOW - 1000, NOW - 1000, NOW - 5000])
    named = {"received_at": [None, NOW - 1000, None, None]}
    expected = [Verdict.VALID, Verdict.VALID, Verdict.TOO_OLD, Verdict.TOO_OLD]
    assert list(verifier.verify_batch(messages, now=NOW, **named)) == expected
    assert clock.looks == 0
    assert list(verifier.verify_batch(messages, **named)) == expected
    assert clock.looks == 1


def test_a_message_states_its_own(hooks: Any) -> None:
    """Endpoint and arrival of a ``Message`` win; nothing else can state them."""
    ring = hooks.Keyring({"a": secret(0), "b": secret(1)})
    verifier = hooks.Verifier(ring)
    old = signed(key=key(1), timestamp=NOW - 9_000)
    stated = {"body": BODY, "headers": old, "endpoint": "b", "received_at": NOW - 9_000}
    messages: list[Any] = [
        Message(BODY, old, endpoint="b", received_at=NOW - 9_000),
        Message(BODY, old, endpoint="b"),
        Message(BODY, old, received_at=NOW - 9_000),
        stated,
        SimpleNamespace(**stated),
    ]
    result = verifier.verify_batch(messages, endpoint="a", received_at=NOW)
    assert list(result) == [
        Verdict.VALID,
        Verdict.TOO_OLD,
        Verdict.SIGNATURE_MISMATCH,
        Verdict.TOO_OLD,
        Verdict.TOO_OLD,
    ]
    each = verifier.verify_batch(messages, endpoint=["a"] * 5, received_at=[NOW] * 5)
    assert list(each) == list(result)
    unnamed = verifier.verify_batch(messages, received_at=NOW)
    assert list(unnamed)[2:] == [Verdict.UNKNOWN_ENDPOINT] * 3


def test_endpoint_of_each_message(hooks: Any) -> None:
    ring = hooks.Keyring({"a": secret(0), "b": secret(1)})
    messages = [(BODY, signed(key=key(number))) for number in (0, 1, 0, 1)]
    for kind in (list, tuple, deque):
        named = kind(["a", "b", None, "zz"])
        result = hooks.Verifier(ring).verify_batch(messages, endpoint=named, now=NOW)
        unknown = Verdict.UNKNOWN_ENDPOINT
        assert list(result) == [Verdict.VALID, Verdict.VALID, unknown, unknown]


# Chunks: the core hashes 8,192 messages or 16 MiB at a time.


@pytest.mark.parametrize("count", [8191, 8192, 8193, 16_385])
def test_borders_of_chunks(hooks: Any, count: int) -> None:
    verifier = hooks.Verifier(SECRET)
    headers = signed(b"x")
    forged = {0, 8190, 8191, 8192, 8193, count - 1} & set(range(count))
    messages = [(b"y" if number in forged else b"x", headers) for number in range(count)]
    result = verifier.verify_batch(messages, now=NOW)
    assert result.invalid_indices() == sorted(forged)
    assert result.verified(1).body == b"x"


def test_bodies_of_more_than_a_chunk(hooks: Any) -> None:
    """40 MiB in pieces, and the last piece of each chunk is forged."""
    verifier = hooks.Verifier(SECRET)
    body = bytes(1 << 20)
    headers = signed(body)
    messages = [(body, headers)] * 40
    for position in (15, 16, 31, 39):
        messages[position] = (body[:-1] + b"\1", headers)
    for threads in (1, 2):
        result = verifier.verify_batch(messages, now=NOW, threads=threads)
        assert result.invalid_indices() == [15, 16, 31, 39]


def test_one_large_body_among_small_ones(hooks: Any) -> None:
    verifier = hooks.Verifier(SECRET)
    large = bytes(40 << 20)
    headers = signed(large)
    small = [POOL[number][:2] for number in range(100)]
    expected = [verdict for _, _, verdict in POOL[:100]]
    for flipped, verdict in ((large, Verdict.VALID), (large + b"x", Verdict.SIGNATURE_MISMATCH)):
        messages = [*small[:50], (flipped, headers), *small[50:]]
        result = verifier.verify_batch(messages, now=NOW, threads=2)
        assert list(result) == [*expected[:50], verdict, *expected[50:]]
