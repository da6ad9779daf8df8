"""Keys that stand nowhere else, what holds them, and calls with them that fail."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from hookseal import Endpoint
from tests import oracle
from tests.implementations import BODY, NOW, signed

# One is given as bytes and as base64, one as text.
CANARY: Final = oracle.mac(b"tests.canaries", b"bytes")
TEXT_CANARY: Final = "canary-" + oracle.mac(b"tests.canaries", b"text").hex()[:24]
WHSEC: Final = "whsec_" + oracle.b64(CANARY)
# What a forger would like to be told.
EXPECTED: Final = oracle.mac(CANARY, b"msg_1.%d." % NOW, BODY)

# So much of a form in one piece gives it away.
_WINDOW: Final = 10


def _forms(key: bytes) -> Iterator[str]:
    for way in (key, key[::-1]):
        yield way.decode("latin-1")
        yield repr(way)[2:-1]
        yield str(list(way))[1:-1]
        yield way.hex()
        yield way.hex().upper()
        yield base64.b64encode(way).decode()
        yield base64.urlsafe_b64encode(way).decode()
        yield str(int.from_bytes(way, "big"))


_NEEDLES: Final = frozenset(
    text[at : at + _WINDOW]
    for key in (CANARY, TEXT_CANARY.encode(), EXPECTED)
    for form in _forms(key)
    for text in (form, form[::-1])
    for at in range(len(text) - _WINDOW + 1)
)


def shows(shown: str | bytes) -> bool:
    """Whether a text, or bytes, hold a piece of a canary in any form."""
    text = shown if isinstance(shown, str) else shown.decode("latin-1")
    return any(text[at : at + _WINDOW] in _NEEDLES for at in range(len(text) - _WINDOW + 1))


def holders(hooks: Any) -> Iterator[tuple[str, Any]]:
    """An object of each kind that was given a canary."""
    secret = hooks.Secret(WHSEC, label="x", not_before=1)
    yield "Secret", secret
    yield "Secret of bytes", hooks.Secret(CANARY)
    yield "Secret of text", hooks.Secret.from_text(TEXT_CANARY)
    yield "Secret of base64", hooks.Secret.from_base64(oracle.b64(CANARY))
    yield "Secret of hex", hooks.Secret.from_hex(CANARY.hex())
    yield "Endpoint", Endpoint([WHSEC, CANARY])
    ring = hooks.Keyring({"a": [WHSEC, hooks.Secret.from_text(TEXT_CANARY)]})
    yield "Keyring", ring
    verifier = hooks.Verifier(secret)
    yield "Verifier", verifier
    yield "Verifier of a ring", hooks.Verifier(ring)
    yield "Signer", hooks.Signer(WHSEC)
    yield "token Signer", hooks.Signer(TEXT_CANARY, scheme="shared-token")
    yield "token Verifier", hooks.Verifier(TEXT_CANARY, scheme="shared-token")
    headers = signed(key=CANARY)
    yield "Verified", verifier.verify(BODY, headers, now=NOW)
    yield "BatchResult", verifier.verify_batch([(BODY, headers), (b"", headers)], now=NOW)
    yield "findings", hooks.Secret.from_text("password" + TEXT_CANARY).check("github")
    yield "findings of a ring", ring.check()


def failures(hooks: Any, folder: Path) -> Iterator[Callable[[], object]]:
    """Calls that fail with a secret in hand."""
    good = hooks.Secret(WHSEC)
    ring = hooks.Keyring({"a": good})

    class Wrapped:
        def __init__(self, value: Any) -> None:
            self._value = value

        def get_secret_value(self) -> Any:
            if isinstance(self._value, Exception):
                raise self._value
            return self._value

    for slip in (
        WHSEC + "!",
        WHSEC[:-3] + "!" + WHSEC[-3:],
        "v1," + WHSEC,
        "whsec_" + WHSEC,
        WHSEC.encode(),
        WHSEC + "\n",
        WHSEC + "\ud800",
        TEXT_CANARY,
        [WHSEC, CANARY],
        [WHSEC, None],
        bytearray(CANARY),
        memoryview(CANARY),
        Wrapped(bytearray(CANARY)),
        Wrapped(WHSEC + "!"),
        {WHSEC: 1},
        {WHSEC},
        (WHSEC, WHSEC),
        Wrapped(LookupError("gone")),
    ):
        yield partial(hooks.Verifier, slip)
        yield partial(hooks.Signer, slip)
        yield partial(hooks.Keyring, {"a": slip})
        yield partial(hooks.Keyring, {"a": Endpoint(slip)})
        yield partial(ring.replace, "a", slip)
        yield partial(ring.rotate, "a", slip)
    yield lambda: hooks.Verifier(WHSEC, scheme="no-such")
    yield lambda: hooks.Verifier(WHSEC, tolerance=-1)
    yield lambda: hooks.Verifier(WHSEC, max_body_bytes="x")
    yield lambda: hooks.Verifier(TEXT_CANARY, scheme="github", tolerance=300)
    yield lambda: hooks.Secret(WHSEC, label="")
    yield lambda: hooks.Secret(WHSEC, not_after=-1)
    yield lambda: hooks.Secret(WHSEC, not_before=5, not_after=5)
    yield lambda: hooks.Secret.from_base64(WHSEC)
    yield lambda: hooks.Secret.from_base64(oracle.b64(CANARY)[:-1] + "!")
    yield lambda: hooks.Secret.from_hex(TEXT_CANARY)
    yield lambda: hooks.Secret.from_hex(CANARY.hex()[:-1])
    yield lambda: hooks.Secret.from_text(CANARY)
    yield lambda: hooks.Secret(TEXT_CANARY).check("no-such")
    yield lambda: hooks.Signer([WHSEC, "k"], scheme="github")
    yield lambda: hooks.Signer(TEXT_CANARY + "\n", scheme="shared-token")
    yield lambda: hooks.Signer(b"\xff" + CANARY, scheme="shared-token")
    yield lambda: Endpoint(WHSEC, tolerance=-1)
    yield lambda: Endpoint(WHSEC, scheme=5)  # type: ignore[arg-type]
    yield lambda: hooks.Keyring({"a": Endpoint(TEXT_CANARY, tolerance=5, scheme="github")})
    yield lambda: ring.rotate("b", CANARY + b"\1")
    yield lambda: ring.rotate("a", CANARY + b"\1", overlap=5)
    yield lambda: ring.replace("", CANARY)
    file = folder / "ring.toml"
    file.write_text(f'[endpoints.a]\nsecrets = [{{ value = "{WHSEC}!" }}]\n')
    yield lambda: hooks.Keyring.from_file(file)
    # What a resolver answers is no mapping of names to secrets.
    for answer in (
        WHSEC,
        [("a", WHSEC)],
        {5: WHSEC},
        {"a": {WHSEC}},
        {"a": [WHSEC, 5]},
        {"a": Wrapped([CANARY])},
        {"a": Endpoint({WHSEC: 1})},
        _Raising({"a": WHSEC}),
    ):
        told = partial(_told_to, hooks, answer)
        yield partial(told, lambda v, *m: v.verify(*m, endpoint="a", now=NOW))
        yield partial(told, lambda v, *m: v.verify_batch([m], endpoint="a", now=NOW))
        yield partial(told, lambda v, *m: run_async(v.averify(*m, endpoint="a", now=NOW)))
        yield partial(told, lambda v, *m: run_async(v.averify_batch([m], endpoint="a", now=NOW)))
    # And calls of what was made with one.
    forged = signed()
    verifier = hooks.Verifier(good)
    of_token = hooks.Verifier(TEXT_CANARY, scheme="shared-token")
    yield lambda: verifier.verify(BODY, forged, now=NOW)
    yield lambda: verifier.verify(BODY, {**forged, "webhook-id": "a.b"}, now=NOW)
    other = signed(key=CANARY, id="msg_2")
    yield lambda: verifier.verify(BODY, other, now=NOW + 301)
    yield lambda: verifier.verify(BODY, {**other, "webhook-id": "msg_1"}, now=NOW)
    yield lambda: verifier.verify(BODY, forged, now=-1)
    yield lambda: verifier.verify(None, forged, now=NOW)
    yield lambda: verifier.verify(BODY, [("webhook-id",)], now=NOW)
    yield lambda: verifier.verify_batch(5, now=NOW)
    yield lambda: verifier.verify_batch([(BODY, forged)], now=NOW).raise_for_invalid()
    yield lambda: verifier.verify_batch([(None, forged)], now=NOW).verified(0)
    yield lambda: hooks.Verifier(ring).verify(BODY, forged, endpoint="a", now=NOW)
    yield lambda: hooks.Verifier(ring).verify(BODY, forged, endpoint="z", now=NOW)
    yield lambda: of_token.verify(b"", {})
    yield lambda: of_token.verify(b"", {"x-webhook-secret": "x"})
    yield lambda: hooks.Signer(good).sign(5)
    yield lambda: hooks.Signer(good).sign(b"", id="a.b")
    yield lambda: hooks.Signer(hooks.Secret(WHSEC, not_after=5)).sign(b"", timestamp=9)


class _Raising(dict[str, str]):
    """An answer that breaks off behind its first entry."""

    def items(self) -> Any:
        yield from super().items()
        raise LookupError("gone")


def _told_to(hooks: Any, answer: object, ask: Callable[..., Any]) -> object:
    ring = hooks.Keyring({"b": "a" * 40}, resolver=lambda _: answer)
    return ask(hooks.Verifier(ring), BODY, signed())


def run_async(call: Any) -> Any:
    """Awaits a call in a loop of its own."""
    return asyncio.run(call)


def failures_of_dropins(modules: dict[str, Any]) -> Iterator[Callable[[], object]]:
    """The same for ``hookseal.compat``: a refused message is a failure of what was given a key."""
    for name in ("standardwebhooks.webhooks", "svix.webhooks", "svix1.webhooks"):
        make = modules[name].Webhook
        for slip in (WHSEC + "!", "v1," + WHSEC, WHSEC.encode(), [WHSEC, WHSEC], {WHSEC: 1}):
            yield partial(make, slip)
        yield partial(make, WHSEC, tolerance=-1)
        webhook = make(WHSEC)
        yield partial(webhook.verify, BODY, signed())
        yield partial(webhook.verify, BODY, {})
        yield partial(webhook.verify, None, signed(key=CANARY, id="msg_2"))
        yield partial(webhook.sign, "a.b", None, "")
    yield partial(modules["standardwebhooks.webhooks"].hmac_data, CANARY, 5)
    check = modules["github"].validate_event
    for signature in ("sha256=" + "0" * 64, "", None):
        yield partial(check, BODY, signature=signature, secret=TEXT_CANARY)
    yield partial(check, None, signature="sha256=", secret=TEXT_CANARY)
    yield partial(modules["zoho"].verify_signature, BODY, 5, TEXT_CANARY)
    yield partial(modules["zoho"].verify_signature, None, "", TEXT_CANARY)
    yield partial(modules["uplift"].verify_signature, BODY, 5)
    yield partial(modules["uplift"].verify_signature, None, "")


def errors_of(hooks: Any, folder: Path) -> Iterator[tuple[int, BaseException]]:
    """What the failures raise, and what stands behind it."""
    return raised_by(failures(hooks, folder))


def raised_by(calls: Iterable[Callable[[], object]]) -> Iterator[tuple[int, BaseException]]:
    """What calls raise that fail, and what stands behind it."""
    for number, call in enumerate(calls):
        try:
            call()
        except Exception as error:
            raised: BaseException | None = error
        else:
            raise AssertionError(f"failure {number} did not fail")
        while raised is not None:
            yield number, raised
            raised = raised.__cause__ or raised.__context__
