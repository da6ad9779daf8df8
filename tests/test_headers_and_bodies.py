"""The shapes in which headers and bodies come, and what happens when they change or lie."""

from __future__ import annotations

import array
import ctypes
import http.client
import io
import mmap
import threading
from collections import ChainMap, OrderedDict, UserDict, UserList, defaultdict, deque
from collections.abc import Iterator
from email.message import Message as EmailMessage
from types import MappingProxyType
from typing import Any

import httpx
import numpy as np
import pytest

from hookseal import Verdict
from tests.implementations import BODY, NOW, SECRET, signed

PAIRS = [("Host", "example.com"), *signed().items(), ("Accept", "*/*")]
RAW = [(name.encode(), value.encode()) for name, value in PAIRS]


def check(hooks: Any, headers: Any, body: Any = BODY) -> Verdict:
    verdict: Verdict = hooks.Verifier(SECRET).check(body, headers, now=NOW)
    one = hooks.Verifier(SECRET).verify_batch([(body, headers)], now=NOW)
    assert list(one) == [verdict] or not hasattr(headers, "__len__")
    return verdict


def _email(pairs: Any) -> Any:
    message = EmailMessage()
    for name, value in pairs:
        message[name] = value
    return message


def _http(pairs: Any) -> Any:
    text = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    return http.client.parse_headers(io.BytesIO(text.encode() + b"\r\n"))


class Indexed:
    """Iterable in the old way alone."""

    def __getitem__(self, index: int) -> tuple[str, str]:
        return PAIRS[index]


class WithItems:
    """No Mapping, but with ``items``."""

    def items(self) -> Iterator[tuple[str, str]]:
        return iter(PAIRS)


_SHAPES: dict[str, Any] = {
    "dict": lambda: dict(PAIRS),
    "OrderedDict": lambda: OrderedDict(PAIRS),
    "defaultdict": lambda: defaultdict(str, PAIRS),
    "UserDict": lambda: UserDict(PAIRS),
    "MappingProxyType": lambda: MappingProxyType(dict(PAIRS)),
    "ChainMap": lambda: ChainMap({}, dict(PAIRS)),
    "list": lambda: list(PAIRS),
    "tuple": lambda: tuple(PAIRS),
    "list of lists": lambda: [list(pair) for pair in PAIRS],
    "iterator": lambda: iter(PAIRS),
    "generator": lambda: (pair for pair in PAIRS),
    "deque": lambda: deque(PAIRS),
    "UserList": lambda: UserList(PAIRS),
    "items view": lambda: dict(PAIRS).items(),
    "set": lambda: set(PAIRS),
    "ASGI": lambda: RAW,
    "ASGI scope": lambda: [[name.lower(), value] for name, value in RAW],
    "dict of bytes": lambda: dict(RAW),
    "mixed": lambda: [*PAIRS[:2], *RAW[2:]],
    "httpx": lambda: httpx.Headers(PAIRS),
    "httpx raw": lambda: httpx.Headers(PAIRS).raw,
    "httpx multi": lambda: httpx.Headers(PAIRS).multi_items(),
    "email": lambda: _email(PAIRS),
    "http.client": lambda: _http(PAIRS),
    "title case": lambda: {name.title(): value for name, value in PAIRS},
    "upper case": lambda: {name.upper(): value for name, value in PAIRS},
    "AWS multi-value": lambda: {name: [value] for name, value in PAIRS},
    "tuples of values": lambda: {name: (value.encode(),) for name, value in PAIRS},
    "None beside": lambda: {**dict(PAIRS), "Webhook-Id": None, "x-none": None},
    "empty list beside": lambda: {**dict(PAIRS), "Webhook-Id": []},
    "anything in others": lambda: [*PAIRS, ("x-int", 5), ("x-object", object()), (b"x", {})],
    "equal ones": lambda: [*PAIRS, *RAW, *PAIRS],
    "__getitem__ alone": Indexed,
    "items alone": WithItems,
}


@pytest.mark.parametrize("shape", _SHAPES)
def test_shapes_of_headers(hooks: Any, shape: str) -> None:
    verifier = hooks.Verifier(SECRET)
    assert verifier.check(BODY, _SHAPES[shape](), now=NOW)
    proof = verifier.verify(BODY, _SHAPES[shape](), now=NOW)
    assert (proof.id, type(proof.id)) == ("msg_1", str)
    result = verifier.verify_batch([(BODY, _SHAPES[shape]())], now=NOW)
    assert list(result) == [Verdict.VALID]
    assert result.errors == {}


@pytest.mark.parametrize(
    "headers",
    [
        None,
        "webhook-id: x",
        b"webhook-id: x",
        5,
        object(),
        [("webhook-id",)],
        [("webhook-id", "x", "y")],
        [()],
        ["ab"],
        [b"ab"],
        [{"webhook-id", "x"}],
        [{"a": 1, "b": 2}],
        [None],
        [5],
        {5: "x"},
        {None: "x"},
        {("a",): "x"},
        [(bytearray(b"webhook-id"), "x")],
        {"webhook-id": 5},
        {"webhook-id": 5.0},
        {"webhook-id": True},
        {"webhook-id": bytearray(b"x")},
        {"webhook-id": memoryview(b"x")},
        {"webhook-id": {"x"}},
        {"webhook-id": iter("x")},
        {"webhook-id": {"x": 1}},
        {"webhook-id": [["x"]]},
        {"webhook-id": [None]},
        {"webhook-id": ("x", 5)},
        {"WEBHOOK-SIGNATURE": object()},
    ],
    ids=repr,
)
def test_what_are_no_headers(hooks: Any, headers: Any) -> None:
    verifier = hooks.Verifier(SECRET)
    for call in (verifier.check, verifier.verify):
        with pytest.raises(TypeError):
            call(BODY, headers, now=NOW)
    result = verifier.verify_batch([(BODY, headers)], now=NOW)
    assert list(result) == [Verdict.NOT_A_MESSAGE]
    assert type(result.errors[0]) is TypeError


def test_an_unknown_endpoint_looks_at_no_value(hooks: Any) -> None:
    """There is no scheme then; names and shapes are looked at still."""
    verifier = hooks.Verifier(hooks.Keyring({"a": SECRET}))
    odd = {"webhook-id": 5, "webhook-signature": object()}
    assert verifier.check(BODY, odd, endpoint="b") is Verdict.UNKNOWN_ENDPOINT
    for wrong in ({5: "x"}, [("a",)], None, 5):
        with pytest.raises(TypeError):
            verifier.check(BODY, wrong, endpoint="b")
    with pytest.raises(TypeError):
        verifier.check(None, odd, endpoint="b")


class Boom(Exception):
    pass


class RaisesItems:
    def items(self) -> Any:
        raise Boom


class RaisesLater:
    def items(self) -> Any:
        yield PAIRS[0]
        raise Boom


class RaisesIter:
    def __iter__(self) -> Any:
        raise Boom


class RaisesAttribute:
    @property
    def items(self) -> Any:
        raise Boom


@pytest.mark.parametrize("kind", [RaisesItems, RaisesLater, RaisesIter, RaisesAttribute])
def test_headers_that_raise(hooks: Any, kind: Any) -> None:
    """The user's own exception passes through a single call, and is an item's in a batch."""
    verifier = hooks.Verifier(SECRET)
    for call in (verifier.check, verifier.verify):
        with pytest.raises(Boom):
            call(BODY, kind(), now=NOW)
    result = verifier.verify_batch([(BODY, kind()), (BODY, dict(PAIRS))], now=NOW)
    assert list(result) == [Verdict.NOT_A_MESSAGE, Verdict.VALID]
    assert type(result.errors[0]) is Boom


def test_headers_that_change_each_other(hooks: Any) -> None:
    """A list that is emptied by the iteration of one of its own items."""
    pairs: list[Any] = []

    class Emptying:
        def __init__(self) -> None:
            self.left = list(PAIRS)

        def __iter__(self) -> Emptying:
            return self

        def __next__(self) -> tuple[str, str]:
            pairs.clear()
            if not self.left:
                raise StopIteration
            return self.left.pop()

    pairs.append(Emptying())
    assert hooks.Verifier(SECRET).check(BODY, pairs[0], now=NOW)


def test_endless_signature_headers_are_bounded(hooks: Any) -> None:
    """16 KiB of all signature headers together: one under, and one over."""
    good = signed()
    room = 16_384 - len(good["webhook-signature"])
    for extra, verdict in ((room, Verdict.VALID), (room + 1, Verdict.TOO_LARGE)):
        half = extra // 2
        pieces = ["x" * half, b"y" * (extra - half)]
        headers = [*good.items(), ("Webhook-Signature", pieces)]
        assert check(hooks, headers) is verdict
        assert check(hooks, [*good.items(), *[("webhook-signature", "z")] * extra]) is verdict


@pytest.mark.parametrize("count", [1, 40])
def test_signature_headers_are_bounded_in_every_batch(hooks: Any, count: int) -> None:
    """The bound holds in every form in which a batch holds its messages, to the byte."""
    good = signed(BODY)
    text = good["webhook-signature"]
    verifier = hooks.Verifier(SECRET)
    ring = hooks.Verifier(hooks.Keyring({"a": SECRET}))
    for more, verdict in [(0, Verdict.VALID), (1, Verdict.TOO_LARGE)]:
        # Before the good one: what is not read to its end must not be taken.
        padded = "x" * (16_384 + more - 1 - len(text)) + " " + text
        headers = {**good, "webhook-signature": padded}
        pairs = [(BODY, headers)] * count
        expected = [verdict] * count
        assert list(verifier.verify_batch(pairs, now=NOW)) == expected
        for shape in (
            [hooks.Message(BODY, headers) for _ in range(count)],
            [(BODY, list(headers.items()))] * count,
            [(BODY, {name.encode(): value.encode() for name, value in headers.items()})] * count,
        ):
            assert list(verifier.verify_batch(shape, now=NOW)) == expected
        assert list(ring.verify_batch(pairs, endpoint=["a"] * count, now=NOW)) == expected
        columns = verifier.verify_columns(
            [good["webhook-id"]] * count,
            [good["webhook-timestamp"]] * count,
            [padded] * count,
            [BODY] * count,
            now=NOW,
        )
        assert list(columns) == expected


# Bodies.

_BODIES: dict[str, Any] = {
    "bytes": lambda body: body,
    "bytearray": bytearray,
    "str": lambda body: body.decode(),
    "memoryview": memoryview,
    "memoryview of bytearray": lambda body: memoryview(bytearray(body)),
    "sliced memoryview": lambda body: memoryview(b"__" + body + b"__")[2:-2],
    "signed chars": lambda body: memoryview(body).cast("b"),
    "chars": lambda body: memoryview(body).cast("c"),
    "two rows": lambda body: memoryview(body + b"x" * (len(body) % 2)).cast("B", (1, len(body))),
    "array": lambda body: memoryview(array.array("B", body)),
    "NumPy": lambda body: np.frombuffer(body, dtype=np.uint8).data,
    "ctypes": lambda body: memoryview((ctypes.c_ubyte * len(body))(*body)).cast("B"),
    "read-only": lambda body: memoryview(bytearray(body)).toreadonly(),
}


@pytest.mark.parametrize("kind", _BODIES)
@pytest.mark.parametrize("body", [BODY + b"!", b"", b"x" * 8191, b"x" * 8192, "é".encode() * 9000])
def test_types_of_bodies(hooks: Any, kind: str, body: bytes) -> None:
    if kind == "two rows" and (not body or len(body) % 2):
        pytest.skip("not in two rows")
    if kind == "ctypes" and not body:
        pytest.skip("ctypes has no empty array")
    given = _BODIES[kind](body)
    verifier = hooks.Verifier(SECRET)
    proof = verifier.verify(given, signed(body), now=NOW)
    assert (proof.body, type(proof.body)) == (body, bytes)
    kept = verifier.verify_batch([(given, signed(body))], now=NOW).verified(0)
    assert (kept.body, type(kept.body)) == (body, bytes)


@pytest.mark.parametrize(
    "body",
    [
        None,
        5,
        [1, 2],
        (1, 2),
        {"json": 1},
        {1, 2},
        io.BytesIO(b"x"),
        array.array("B", b"x"),
        np.frombuffer(b"x", dtype=np.uint8),
        memoryview(b"abcd")[::2],
        memoryview(b"abcd").cast("H"),
        memoryview(array.array("d", [1.0])),
        np.zeros((3, 2), dtype=np.uint8).T.data,
        object(),
        True,
    ],
    ids=lambda body: type(body).__name__,
)
def test_what_is_no_body(hooks: Any, body: Any) -> None:
    """Not even where something could be read out of it."""
    verifier = hooks.Verifier(SECRET)
    for call in (verifier.check, verifier.verify):
        with pytest.raises(TypeError, match="body"):
            call(body, signed(), now=NOW)
    with pytest.raises(TypeError):
        hooks.Signer(SECRET).sign(body)
    assert list(verifier.verify_batch([(body, signed())], now=NOW)) == [Verdict.NOT_A_MESSAGE]


def test_a_released_memoryview(hooks: Any) -> None:
    view = memoryview(bytearray(BODY))
    view.release()
    with pytest.raises(ValueError, match="released"):
        hooks.Verifier(SECRET).check(view, signed(), now=NOW)


def test_text_that_cannot_be_encoded(hooks: Any) -> None:
    verifier = hooks.Verifier(SECRET)
    for text in ("\ud800", "a\udfffb", "\udce9"):
        assert verifier.check(text, signed(), now=NOW) is Verdict.NOT_A_MESSAGE
        with pytest.raises(ValueError, match="encoded"):
            hooks.Signer(SECRET).sign(text)


def test_any_bytes(hooks: Any) -> None:
    for body in (b"\0", b"\xff\xfe", b"\xef\xbb\xbf{}", bytes(range(256)), b"\r\n\r\n"):
        assert hooks.Verifier(SECRET).verify(body, signed(body), now=NOW).body == body
    # One white space more is another body: nothing is parsed and written again.
    for other in (BODY + b" ", BODY.replace(b":", b": "), BODY.decode() + "\n"):
        assert check(hooks, signed(), other) is Verdict.SIGNATURE_MISMATCH


def test_what_was_hashed_is_what_is_kept(hooks: Any) -> None:
    """Changing the input afterwards changes nothing in the proof."""
    verifier = hooks.Verifier(SECRET)
    memory = mmap.mmap(-1, len(BODY))
    memory[:] = BODY
    numbers = array.array("B", BODY)
    changing = bytearray(BODY)
    given: list[tuple[Any, Any]] = [
        (changing, changing),
        (memoryview(changing), changing),
        (memoryview(numbers), numbers),
        (memoryview(memory), memory),
    ]
    for body, owner in given:
        proof = verifier.verify(body, signed(), now=NOW)
        result = verifier.verify_batch([(body, signed())], now=NOW)
        first = owner[0]
        owner[0] = 0
        assert proof.body == BODY
        assert result.verified(0).body == BODY
        assert not verifier.check(body, signed(), now=NOW)
        owner[0] = first
        if isinstance(body, memoryview):
            body.release()
    changing.clear()  # nothing holds its memory
    memory.close()


def test_exact_bytes_are_not_copied(hooks: Any) -> None:
    body = bytes(100_000)
    verifier = hooks.Verifier(SECRET)
    assert verifier.verify(body, signed(body), now=NOW).body is body
    assert verifier.verify_batch([(body, signed(body))], now=NOW).verified(0).body is body


def test_a_body_that_another_thread_changes(hooks: Any) -> None:
    """Every acceptance gives the bytes that were good, whatever became of the buffer."""
    verifier = hooks.Verifier(SECRET)
    good, bad = b"a" * 20_000, b"b" * 30_000
    headers = signed(good)
    buffer = bytearray(good)
    stop = threading.Event()
    failed: list[BaseException] = []

    def change() -> None:
        try:
            while not stop.is_set():
                for content in (bad, b"", good):
                    try:
                        buffer[:] = content
                    except BufferError:  # it is being read: Python itself refuses to resize
                        continue
        except BaseException as error:
            failed.append(error)
            raise

    other = threading.Thread(target=change)
    other.start()
    seen = set()
    try:
        for _ in range(400):
            result = verifier.verify_batch([(buffer, headers)] * 3, now=NOW)
            seen |= set(result)
            for _, proof in result.accepted():
                assert proof.body == good
            verdict = verifier.check(buffer, headers, now=NOW)
            assert verdict in {Verdict.VALID, Verdict.SIGNATURE_MISMATCH}
    finally:
        stop.set()
        other.join()
    assert failed == []
    assert seen <= {Verdict.VALID, Verdict.SIGNATURE_MISMATCH}


def test_64_mib(hooks: Any) -> None:
    body = bytes(64 << 20)
    verifier = hooks.Verifier(SECRET, max_body_bytes=64 << 20)
    headers = signed(body)
    assert verifier.verify(body, headers, now=NOW).body is body
    assert verifier.check(bytearray(body), headers, now=NOW)
    assert not verifier.check(body[:-1] + b"\1", headers, now=NOW)
    assert verifier.check(body + b"\0", headers, now=NOW) is Verdict.TOO_LARGE
    assert list(verifier.verify_batch([(body, headers)], now=NOW)) == [Verdict.VALID]
