"""Where a key could show: texts, errors, frames, logs, objects."""

from __future__ import annotations

import copy
import gc
import io
import json
import logging
import pickle
import pprint
import reprlib
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from tests.canaries import errors_of, holders, shows
from tests.children import run


def found_in_text(hooks: Any) -> list[tuple[str, str]]:
    """Which objects show a canary, and in what."""
    return [
        (name, how) for name, one in holders(hooks) for how, shown in _texts_of(one) if shows(shown)
    ]


def _texts_of(one: Any) -> Iterator[tuple[str, str | bytes]]:
    yield "repr", repr(one)
    yield "str", str(one)
    yield "format", f"{one}{one!s:>9}{one!a}" + "%s %r" % (one, one)  # noqa: UP031
    yield "in a container", repr([one, {1: one}, (one,)])
    yield "pprint", pprint.pformat(one) + reprlib.repr(one)
    yield "json", json.dumps([one], default=repr)
    yield "log", logging.makeLogRecord({"msg": "%r", "args": (one,)}).getMessage()
    yield "dir", str(dir(one)) + str(type(one).__doc__)
    yield "vars", _told(lambda: vars(one))
    for method in ("__reduce__", "__getstate__", "__sizeof__", "__getnewargs__", "__bytes__"):
        yield method, _told(partial(_called, one, method))
    if not isinstance(one, list) and type(one).__name__ != "Verified":
        for change in (copy.copy, copy.deepcopy):
            yield change.__name__, _told(partial(change, one))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield "pickle", _told(partial(pickle.dumps, one, protocol))
        yield "__reduce_ex__", _told(partial(one.__reduce_ex__, protocol))
    for name in dir(one):
        # What a class in Python keeps is a private attribute.
        is_own = name.startswith("_") and hasattr(type(one), "__slots__")
        if name != "reveal" and not is_own:
            yield name, _told(partial(getattr, one, name))


def _called(one: Any, method: str) -> Any:
    return getattr(one, method)()


def _told(ask: Callable[[], Any]) -> str:
    """What is answered, as text, be it an exception."""
    try:
        answer = ask()
    except Exception as error:
        return f"{error} {error.args}"
    return f"{answer!r} {answer}"


def found_in_errors(hooks: Any, folder: Path) -> list[tuple[int, str]]:
    """Which failures' exceptions hold a canary: text, arguments, notes, attributes."""
    return shown_by_errors(errors_of(hooks, folder))


def shown_by_errors(errors: Iterable[tuple[int, BaseException]]) -> list[tuple[int, str]]:
    """Which of these hold a canary."""
    return [
        (number, type(error).__name__)
        for number, error in errors
        if any(map(shows, _texts_of_error(error)))
    ]


def _texts_of_error(error: BaseException) -> Iterator[str]:
    yield f"{error!r} {error} {error.args} {vars(error)} {getattr(error, '__notes__', [])}"
    for name in dir(error):
        if name != "__traceback__":
            yield _told(partial(getattr, error, name))


def found_in_frames(hooks: Any, folder: Path) -> list[tuple[int, str]]:
    """Which failures leave a canary in the locals of a frame of hookseal, as error reporters
    take them, or in what those refer to; but for a ``Secret``, which may have it."""
    return shown_by_frames(errors_of(hooks, folder))


def shown_by_frames(errors: Iterable[tuple[int, BaseException]]) -> list[tuple[int, str]]:
    """Which of these lead to a frame of hookseal that shows a canary."""
    return [
        (number, frame.f_code.co_qualname)
        for number, error in errors
        for frame in _own_frames(error.__traceback__)
        if _frame_shows(frame)
    ]


def _own_frames(step: TracebackType | None) -> Iterator[Any]:
    while step is not None:
        if step.tb_frame.f_globals.get("__name__", "").partition(".")[0] == "hookseal":
            yield step.tb_frame
        step = step.tb_next


def _frame_shows(frame: Any) -> bool:
    local = dict(frame.f_locals)
    summary = traceback.StackSummary.extract([(frame, frame.f_lineno)], capture_locals=True)
    if shows("".join(summary.format())):
        return True
    level: list[Any] = list(local.values())
    for _ in range(3):
        if any(isinstance(one, (str, bytes, int)) and shows(_plain(one)) for one in level):
            return True
        closed = ("module", "Secret")
        level = gc.get_referents(*[one for one in level if type(one).__name__ not in closed])
    return False


def _plain(one: str | bytes | int) -> str | bytes:
    return one if isinstance(one, (str, bytes)) else str(one)


def logged(hooks: Any, folder: Path) -> str:
    """All that is logged and warned of while everything is done and everything fails."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(1)
    try:
        logging.getLogger("tests.canaries").debug("the handler hears")
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            for _, one in holders(hooks):
                logging.getLogger("users").info("%s %r", one, one)
            for _, error in errors_of(hooks, folder):
                logging.getLogger("users").error("%s", error)
        stream.writelines(f"{one.message} {one.source}\n" for one in warned)
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    return stream.getvalue()


# Runs in a Python of its own, where nothing but hookseal can hold the key: what is looked for is
# kept masked, and what was passed in is gone.
_SEARCH: Final = """
import base64, gc, hashlib, os
def key_of(mask):
    return bytes(a ^ b for a, b in zip(mask, hashlib.sha256(b"mask").digest()))
MASK = os.urandom(32)
TEXT_MASK = os.urandom(32)
def text_of(mask):
    return "text-" + key_of(mask).hex()
kept = []
def work():
    key, text = key_of(MASK), text_of(TEXT_MASK)
    whsec = "whsec_" + base64.b64encode(key).decode()
    ring = Keyring({"a": [whsec, Secret.from_text(text)], "b": Endpoint(key)})
    ring.rotate("b", Secret(text.encode(), label="x"))
    kept.extend([ring, Verifier(ring), Verifier(whsec), Verifier(Secret(key)), Signer(whsec)])
    kept.append(Verifier(text, scheme="shared-token"))
    headers = Signer(whsec).sign(b"body", timestamp=NOW)
    kept.append(kept[2].verify(b"body", headers, now=NOW))
    kept.append(kept[2].verify_batch([(b"body", headers), (b"", headers)] * 9, now=NOW))
    kept.append(ring.check())
    for call in (
        lambda: Verifier(whsec[:-3] + "!" + whsec[-3:]),
        lambda: Verifier([whsec, key]),
        lambda: Secret(text, label=""),
        lambda: Endpoint(whsec, tolerance=-1),
        lambda: ring.replace("a", [key, key]),
        lambda: kept[2].verify(b"", headers, now=NOW),
    ):
        try:
            call()
        except Exception as error:
            # The frames of this script hold it, and are behind every other one.
            kept.append(error.with_traceback(None))
    return headers
headers = work()
gc.collect()
found = []
seen = set()
stack = gc.get_objects()
texts = []
while stack:
    one = stack.pop()
    if id(one) in seen:
        continue
    seen.add(id(one))
    if isinstance(one, (str, bytes, bytearray)):
        texts.append(one)
    elif isinstance(one, memoryview):
        texts.append(one.tobytes())
    stack.extend(gc.get_referents(one))
assert len(texts) > 5_000, len(texts)
needles = []
for key in (key_of(MASK), text_of(TEXT_MASK).encode()):
    for way in (key, key[::-1]):
        for form in (way, way.hex().encode(), base64.b64encode(way), base64.b64encode(way)[::-1]):
            needles += [form[at:at + 12] for at in range(0, len(form) - 11, 4)]
def count(texts):
    hits = 0
    for text in texts:
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
        hits += any(needle in data for needle in needles)
    return hits
# The control: it is found where it is.
assert count([key_of(MASK), "x" + base64.b64encode(key_of(MASK)).decode(), MASK]) == 2
print(count(texts), len(kept))
"""


def found_in_objects(hooks: Any) -> int:
    """How many texts and byte strings hold a canary, of all that the garbage collector knows or
    that those objects refer to, after verifiers, rings, signers and errors were made with one."""
    found, kept = map(int, run(_SEARCH, hooks.__name__).split())
    assert kept == 15
    return found
