"""Calls, and what becomes of each when an allocation of Python's fails in it. For children."""

from __future__ import annotations

import importlib
import os
import types
from collections.abc import Callable
from typing import Any

from hookseal import Endpoint, Keyring, MemoryReplayGuard, Message, Secret, Signer, Verifier, _core
from hookseal.compat.standardwebhooks import Webhook
from tests.implementations import KEY, NOW, SECRET, key, secret, signed

_SHORT = (MemoryError, SystemError)

# What CPython, and PyO3 after it, say where there was no memory for the frame of a function.
_NO_FRAME = (
    "error return without exception set",
    "attempted to fetch exception but none was set",
    "<function ",
)

BODY = b"x"
HEADERS = signed(BODY)
FORGED = {**HEADERS, "webhook-signature": "v1," + "A" * 43 + "="}
CROOKED = {**HEADERS, "webhook-signature": "v1,"}

verifier, signer = Verifier(KEY), Signer(KEY)
labelled = Secret(secret(1), label="new")
ring = Keyring({"acme": KEY, "globex": Endpoint([key(2), secret(3)], scheme="github")})
ringed = Verifier(ring)
mirrored = Webhook(SECRET)
of_acme = Message(BODY, HEADERS, endpoint="acme", received_at=NOW)
mixed: list[Any] = [
    (BODY, HEADERS),
    (bytearray(BODY), FORGED),
    ("x", list(HEADERS.items())),
    of_acme,
    3,
    (BODY, None),
    (memoryview(BODY), {name.encode(): value.encode() for name, value in HEADERS.items()}),
    (BODY, types.MappingProxyType(HEADERS)),
    {"body": BODY, "headers": CROOKED},
    ("\ud800", HEADERS),
]
three: list[Any] = [(BODY, HEADERS), (BODY, FORGED), (3, 4)]
result = verifier.verify_batch(three, now=NOW)
verified = verifier.verify(BODY, HEADERS, now=NOW)
lines = b'{"headers":{"webhook-id":"m"},"body":"x"}\nnot json\n'


def _raised(call: Callable[[], object]) -> object:
    """What a call raises, in words."""
    try:
        return call()
    except _SHORT:
        raise
    except Exception as error:  # whatever it is: it is compared
        return type(error).__name__, str(error)


def _shown(it: object) -> list[str]:
    """What an object shows of itself."""
    public = [getattr(it, name) for name in dir(it) if not name.startswith("_")]
    return [repr(value) for value in public if not callable(value)] + [repr(it)]


def _guarded() -> object:
    guarded = Verifier(KEY, replay=MemoryReplayGuard())
    return guarded.verify_batch([(BODY, HEADERS)] * 3, now=NOW).counts()


def _columns() -> object:
    signatures = [HEADERS["webhook-signature"]]
    return verifier.verify_columns(["msg_1"], [str(NOW)], signatures, [BODY], now=NOW).counts()


def _rotated() -> object:
    changed = Keyring({"acme": KEY, "globex": [KEY, labelled]})
    return changed.rotate("acme", secret(4), now=NOW), changed.labels("acme"), repr(changed)


def _judged() -> object:
    judge = _core.LineJudge(verifier, now=NOW, keep_rejects=True)
    report = judge.feed(lines)
    counted = judge.counts(), judge.endpoints(), judge.secrets(), judge.messages, repr(judge)
    return report.refusals, report.rejected, repr(report), counted


def _asked() -> object:
    lists = result.valid_indices(), result.invalid_indices(), list(result), result[::-1]
    return _shown(result)[1:], lists, result.by_secret(), result.counts(), list(result.errors)


# The answer of each is the same each time.
CALLS: dict[str, Callable[[], object]] = {
    "sign": lambda: signer.sign(BODY, id="msg_1", timestamp=NOW),
    "sign, and make an id": lambda: len(signer.sign(BODY)),
    "sign_batch": lambda: signer.sign_batch(
        [b"x", bytearray(b"y"), "z"], ids=list("abc"), timestamps=[NOW] * 3
    ),
    "verify": lambda: verifier.verify(BODY, HEADERS, now=NOW).body,
    "verify with pairs": lambda: verifier.verify(BODY, list(HEADERS.items()), now=NOW).id,
    "verify a forgery": lambda: _raised(lambda: verifier.verify(BODY, FORGED, now=NOW)),
    "verify no body": lambda: _raised(lambda: verifier.verify(3, HEADERS)),  # type: ignore[arg-type]
    "check": lambda: verifier.check(bytearray(BODY), CROOKED, now=NOW),
    "verify_batch": lambda: list(verifier.verify_batch(mixed, now=NOW)),
    "verify_batch with a ring": lambda: ringed.verify_batch([of_acme] * 3, now=NOW).by_secret(),
    "verify_batch with a guard": _guarded,
    "verify_columns": _columns,
    "a result": _asked,
    "its refusals": lambda: [_raised(lambda at=at: result.verified(at)) for at in (1, 2, 3)],  # type: ignore[misc]
    "its truth": lambda: (_raised(lambda: bool(result)), _raised(result.raise_for_invalid)),
    "a proof": lambda: (_shown(verified), _raised(verified.json)),
    "a verifier": lambda: repr(Verifier([KEY, labelled], tolerance=5)),
    "a wrong verifier": lambda: _raised(lambda: Verifier("")),
    "a scheme that is none": lambda: _raised(lambda: Verifier(KEY, scheme="nope")),
    "a ring": lambda: (_shown(ring), ring.endpoints(), ring.labels("globex")),
    "its findings": lambda: repr(ring.check()),
    "a ring that changes": _rotated,
    "a wrong ring": lambda: (
        _raised(lambda: Keyring({"": KEY})),
        _raised(lambda: ring.labels("?")),
    ),
    "a secret": lambda: (_shown(labelled), repr(Secret.from_hex("ab" * 20))),
    "a wrong secret": lambda: _raised(lambda: Secret.from_base64("!")),
    "lines": _judged,
    "a drop-in": lambda: _raised(lambda: mirrored.verify("{}", HEADERS)),
    "copies": lambda: [
        _raised(lambda it=it: it.__reduce_ex__(2))  # type: ignore[misc]
        for it in (verifier, ring, labelled, result)
    ],
}


def starve(name: str) -> None:
    """Prints how often a call is a `MemoryError`, and what else than that or its answer it gives.

    Each allocation fails in a child of its own: alone, or with all that come after it.
    """
    switch = importlib.import_module("_testcapi")  # not everywhere

    call = CALLS[name]
    call()  # what is made once is made
    wanted = call()

    def outcome(before: int, until: int) -> str:
        # PyO3 says there what it could not make, as "Exception ignored in".
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        switch.set_nomemory(before, until)
        try:
            got = call()
        except MemoryError:
            switch.remove_mem_hooks()
            return "MemoryError"
        except BaseException as error:  # whatever it is: it is compared
            switch.remove_mem_hooks()
            is_cpythons = isinstance(error, SystemError) and str(error).startswith(_NO_FRAME)
            return "MemoryError" if is_cpythons else repr(error)
        switch.remove_mem_hooks()
        return "done" if got == wanted else repr(got)

    def in_a_child(before: int, until: int) -> str:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(write, outcome(before, until).encode()[:4000])
            os._exit(0)
        os.close(write)
        with open(read) as file:
            said = file.read()
        _, status = os.waitpid(child, 0)
        return said or f"ended by {os.waitstatus_to_exitcode(status)}"

    for is_alone in (True, False):
        before = done = failed = 0
        while done < 3 and before < 3000:
            said = in_a_child(before, before + 1 if is_alone else 0)
            before += 1
            done = done + 1 if said == "done" else 0
            failed += said == "MemoryError"
            if said not in ("done", "MemoryError"):
                print(name, "alone" if is_alone else "with the rest", before, said)
        print(failed)
