"""Mistakes of the caller in what is judged, signed and copied."""

from __future__ import annotations

import array
import asyncio
import copy
import pickle
from collections import UserDict
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pytest

from hookseal import Message, Scheme
from tests.implementations import BODY, NOW, SECRET, signed
from tests.mistakes import SECRET_TEXT, TOKEN, UNTIMED, Row, ring

_TAIL_ID: Final = Scheme(
    "tail-id", signature="x-s", id="x-i", signed="{id}{body}", format="{hex}", ambiguous=True
)
_MIDDLE_ID: Final = Scheme(
    "middle-id", signature="x-s", id="x-i", signed="{body};{id}.", format="{hex}"
)

_LIVE_LATER: Final = {"not_before": NOW + 1}

GOOD: Final = (BODY, signed())


def batch(h: Any, messages: Any = (GOOD,), **named: Any) -> Any:
    return h.Verifier(SECRET).verify_batch(messages, now=NOW, **named)


def ring_batch(h: Any, endpoint: Any, messages: Any = ((BODY, {}),)) -> Any:
    return h.Verifier(ring(h)).verify_batch(messages, endpoint=endpoint)


def columns(h: Any, **named: Any) -> Any:
    headers = [[value] for value in signed().values()]
    return h.Verifier(SECRET).verify_columns(*headers, [BODY], **{"now": NOW, **named})


def awaited(h: Any, **named: Any) -> Any:
    ours = h.Verifier(SECRET)
    return asyncio.run(ours.averify_batch([GOOD], **{"now": NOW, **named}))


def item_error(h: Any, item: Any) -> None:
    """What ``errors`` holds of an item that is no message."""
    raise batch(h, [item]).errors[0]


def signer(h: Any, scheme: Any = "standard-webhooks") -> Any:
    return h.Signer(SECRET if scheme != TOKEN else "text", scheme=scheme)


_INSTANTS: dict[str, Any] = {
    "text": "now",
    "bytes": b"now",
    "a set": {NOW},
    "a dict": {0: NOW},
    "a generator": iter([NOW]),
    "an object": object(),
    "an element": [NOW, "now"],
    "an element early": [NOW, -1],
    "too few": [NOW],
    "buffer: bytes": memoryview(b"12"),
    "buffer: int32": np.array([NOW, NOW], dtype=np.int32),
    "buffer: other order": np.array([NOW, NOW], dtype=np.dtype(np.int64).newbyteorder()),
    "buffer: two rows": np.array([[NOW], [NOW]]),
    "buffer: too few": np.array([NOW]),
    "buffer: NaN": np.array([NOW, np.nan]),
    "buffer: early": array.array("q", [NOW, -1]),
    "buffer: a float alone": np.array(1.5),
}


def _received(given: Any) -> Row:
    return lambda h: batch(h, [GOOD] * 2, received_at=given)


def _timestamps(given: Any) -> Row:
    return lambda h: signer(h).sign_batch([b""] * 2, timestamps=given)


# What a call over many messages refuses, whichever it is.
_WRONG: dict[str, dict[str, Any]] = {
    "threads: none": {"threads": 0},
    "threads: float": {"threads": 1.0},
    "keep": {"keep": 1},
    "now": {"now": "now"},
    "received_at": {"received_at": "now"},
    "endpoint": {"endpoint": ["acme"]},
}


def _of_many(call: Callable[..., Any], named: dict[str, Any]) -> Row:
    return lambda h: call(h, **named)


BATCHES: Final[dict[str, Row]] = {
    "messages: None": lambda h: batch(h, None),
    "messages: bytes": lambda h: batch(h, b"ab"),
    "messages: one message": lambda h: batch(h, {"body": BODY, "headers": {}}),
    "threads: none": lambda h: batch(h, threads=0),
    "threads: float": lambda h: batch(h, threads=1.0),
    "keep: number": lambda h: batch(h, keep=1),
    "keep: None": lambda h: batch(h, keep=None),
    "endpoint without a ring": lambda h: batch(h, endpoint=["acme"]),
    "endpoint: bytes": lambda h: ring_batch(h, b"acme"),
    "endpoint: number": lambda h: ring_batch(h, 5),
    "endpoint: element": lambda h: ring_batch(h, [b"acme"]),
    "endpoint: too many": lambda h: ring_batch(h, ["acme"] * 2),
    "item: None": lambda h: item_error(h, None),
    "item: one": lambda h: item_error(h, (BODY,)),
    "item: list": lambda h: item_error(h, [BODY, {}]),
    "item: mapping": lambda h: item_error(h, UserDict({"body": BODY})),
    "item: body": lambda h: item_error(h, (5, {})),
    "item: surrogate": lambda h: item_error(h, ("\ud800", {})),
    "item: headers": lambda h: item_error(h, (BODY, {5: ""})),
    "item: endpoint": lambda h: item_error(h, Message(BODY, {}, endpoint="acme")),
    "result: truth": lambda h: bool(batch(h)),
    "result: index": lambda h: batch(h)[1],
    "result: index from the end": lambda h: batch(h).verified(-2),
    "result: large index": lambda h: batch(h)[10**30],
    "result: no index": lambda h: batch(h)["0"],
    "result: verified of no index": lambda h: batch(h).verified(None),
    "result: partition": lambda h: batch(h).partition([]),
    "result: partition of nothing": lambda h: batch(h).partition(5),
    "result: not kept": lambda h: batch(h, keep=False).verified(0),
    "result: none accepted": lambda h: batch(h, [(b"", {})], keep=False).accepted(),
    "result: refused": lambda h: batch(h, [(b"", {})]).verified(0),
    "result: refused, not kept": lambda h: batch(h, [(b"", {})], keep=False).verified(0),
    "result: no message": lambda h: batch(h, [None]).verified(0),
    "result: no message, not kept": lambda h: batch(h, [None], keep=False).verified(0),
    "result: raise_for_invalid": lambda h: batch(h, [(b"", {}), 5]).raise_for_invalid(),
    **{f"received_at: {name}": _received(given) for name, given in _INSTANTS.items()},
    **{f"columns: {name}": _of_many(columns, named) for name, named in _WRONG.items()},
    **{f"awaited: {name}": _of_many(awaited, named) for name, named in _WRONG.items()},
}


def _token_later(h: Any) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: NOW)
        return h.Signer(h.Secret("text", **_LIVE_LATER), scheme=TOKEN).sign(b"")


SIGNERS: Final[dict[str, Row]] = {
    "no secret": lambda h: h.Signer([]),
    "number": lambda h: h.Signer(5),
    "scheme: None": lambda h: h.Signer(SECRET, scheme=None),
    "two for one signature": lambda h: h.Signer(["a", "b"], scheme=UNTIMED),
    "token: control character": lambda h: h.Signer(SECRET_TEXT + "\n", scheme=TOKEN),
    "token: space": lambda h: h.Signer([" " + SECRET_TEXT], scheme=TOKEN),
    "none live": lambda h: h.Signer(h.Secret(SECRET, **_LIVE_LATER)).sign(b"", timestamp=NOW),
    "token: none live": _token_later,
    "body: None": lambda h: signer(h).sign(None),
    "body: surrogate": lambda h: signer(h).sign("\ud800"),
    "id: number": lambda h: signer(h).sign(b"", id=5),
    "id: empty": lambda h: signer(h).sign(b"", id=""),
    "id: full stop": lambda h: signer(h).sign(b"", id="a.b"),
    "id: space": lambda h: signer(h).sign(b"", id=" a"),
    "id: surrogate": lambda h: signer(h).sign(b"", id="\ud800"),
    "id: nothing forbidden": lambda h: signer(h, _TAIL_ID).sign(b"", id="é"),
    "id: two forbidden": lambda h: signer(h, _MIDDLE_ID).sign(b"", id="a;b"),
    "id: not signed": lambda h: signer(h, UNTIMED).sign(b"", id="a"),
    "timestamp: not signed": lambda h: signer(h, UNTIMED).sign(b"", timestamp=NOW),
    "timestamp: text": lambda h: signer(h).sign(b"", timestamp="now"),
    "batch: bodies": lambda h: signer(h).sign_batch("ab"),
    "batch: body": lambda h: signer(h).sign_batch([b"", None]),
    "batch: surrogate": lambda h: signer(h).sign_batch([b"", "\ud800"]),
    "batch: ids": lambda h: signer(h).sign_batch([b""], ids="a"),
    "batch: too many ids": lambda h: signer(h).sign_batch([b""], ids=["a", "b"]),
    "batch: id": lambda h: signer(h).sign_batch([b""] * 2, ids=[None, 5]),
    "batch: id refused": lambda h: signer(h).sign_batch([b""] * 2, ids=[None, "."]),
    "batch: ids not signed": lambda h: signer(h, TOKEN).sign_batch([b""], ids=[None]),
    "batch: times not signed": lambda h: signer(h, TOKEN).sign_batch([b""], timestamps=NOW),
    **{f"timestamps: {name}": _timestamps(given) for name, given in _INSTANTS.items()},
}


COPIES: Final[dict[str, Row]] = {
    "Secret": lambda h: copy.copy(h.Secret(SECRET)),
    "Keyring": lambda h: copy.deepcopy(ring(h)),
    "Verifier": lambda h: pickle.dumps(h.Verifier(SECRET)),
    "Signer": lambda h: pickle.dumps(signer(h), 0),
    "Verified": lambda h: pickle.dumps(batch(h).verified(0), 0),
    "BatchResult": lambda h: pickle.dumps(batch(h), 1),
}
