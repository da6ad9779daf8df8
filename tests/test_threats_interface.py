"""Threats 51 to 54 of docs/threats.md: what a caller can get wrong."""

from __future__ import annotations

import io
import logging
import re
from typing import Any

import pytest

import hookseal
from examples import wsgi_endpoint
from hookseal import Verdict, VerificationError
from hookseal.pure import _key
from tests import oracle
from tests.implementations import BODY, KEY, NOW, SECRET, secret, signed
from tests.judges import PUBLIC_MESSAGE, changed
from tests.vector_rows import ROOT

V = Verdict


def test_threat_51_true_false_none_or_an_exception(hooks: Any) -> None:
    """What `verify` returns is a proof and no truth value; what can be false says so by type."""
    verifier = hooks.Verifier(SECRET)
    proof = verifier.verify(BODY, signed(), now=NOW)
    assert type(proof) is hooks.Verified
    with pytest.raises(VerificationError):
        verifier.verify(BODY, signed(b"x"), now=NOW)
    for body, expected in ((BODY, True), (b"", False)):
        verdict = verifier.check(body, signed(), now=NOW)
        assert type(verdict) is Verdict
        assert bool(verdict) is expected
    assert [bool(verdict) for verdict in Verdict] == [verdict is V.VALID for verdict in Verdict]
    for messages in ([], [(BODY, signed())], [(b"", signed())]):
        result = verifier.verify_batch(messages, now=NOW)
        with pytest.raises(TypeError, match="no truth value"):
            bool(result)
        for use in (lambda: not result, lambda: result or None, lambda: all([result])):  # noqa: B023
            with pytest.raises(TypeError):
                use()
    for name in ("is_valid", "valid", "verify_or_none", "ok"):
        assert not hasattr(verifier, name)


def test_threat_51_no_page_shows_a_truth_test_of_verify() -> None:
    pages = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.py")]
    pages += ROOT.glob("python/**/*.py")
    assert len(pages) > 50
    wrong = re.compile(r"^\s*(el)?(if|while|assert)\b.*\.verify(_batch|_columns)?\(", re.MULTILINE)
    for page in pages:
        assert not wrong.search(page.read_text(encoding="utf-8")), page


def test_threat_52_a_reason_that_helps_to_probe(hooks: Any) -> None:
    """To the sender all refusals are one; the reason is for the log."""
    ring = hooks.Keyring({"a": SECRET, "b": secret(1)})
    verifier = hooks.Verifier(ring)
    told = set()
    for message, endpoint in (
        (changed(b"x"), "b"),
        (changed(webhook_signature="v1," + "A" * 43 + "="), "a"),
        (changed(webhook_id="other"), "a"),
        (changed(), "no such endpoint"),
        (changed(webhook_timestamp="1"), "a"),
        (changed(webhook_signature="x"), "a"),
        (changed(webhook_id=...), "a"),
        (changed(webhook_signature="x" * 20_000), "a"),
    ):
        with pytest.raises(VerificationError) as caught:
            verifier.verify(*message, endpoint=endpoint, now=NOW)
        error = caught.value
        told.add(error.public_message)
        # Neither does the text tell how near the signature came.
        assert not re.search(r"[0-9a-f]{16}|[A-Za-z0-9+/]{30}", str(error))
    assert told == {PUBLIC_MESSAGE}
    texts = set()
    right = oracle.mac(KEY, b"msg_1.%d." % NOW, BODY)
    for bit in range(0, 256, 5):
        mac = bytes(byte ^ (bit // 8 == at) << bit % 8 for at, byte in enumerate(right))
        message = changed(webhook_signature="v1," + oracle.b64(mac))
        with pytest.raises(VerificationError) as caught:
            verifier.verify(*message, endpoint="a", now=NOW)
        texts.add(str(caught.value))
    assert len(texts) == 1


def test_threat_53_work_before_authentication(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is hashed of what is refused for anything else; in the core, rust/harness counts."""
    macs = []
    tag = _key.MacKey.tag

    def counted(key: _key.MacKey, pieces: Any) -> bytes:
        macs.append(key)
        return tag(key, pieces)

    verifier = hookseal.pure.Verifier(SECRET, max_body_bytes=len(BODY))
    monkeypatch.setattr(_key.MacKey, "tag", counted)
    for message, verdict in (
        ((BODY + b"x", signed(BODY + b"x")), V.TOO_LARGE),
        (changed(webhook_signature="x" * 16_385), V.TOO_LARGE),
        (changed(webhook_id=...), V.MISSING_HEADER),
        (changed(webhook_id=["a", "b"]), V.AMBIGUOUS_HEADER),
        (changed(webhook_id="a.b"), V.MALFORMED_HEADER),
        (changed(webhook_timestamp="x"), V.MALFORMED_TIMESTAMP),
        (changed(webhook_timestamp="1"), V.TOO_OLD),
        (changed(webhook_timestamp="9999999999"), V.TOO_NEW),
        (changed(webhook_signature="v1,AAAA"), V.MALFORMED_SIGNATURE),
    ):
        assert verifier.check(*message, now=NOW) is verdict
        assert macs == []
    assert verifier.check(*changed(), now=NOW) is V.VALID
    assert len(macs) == 1
    page = (ROOT / "docs/strict-reading.md").read_text(encoding="utf-8")
    assert "Nothing is hashed before row 12" in page


def test_threat_53_a_large_body_is_not_hashed(hooks: Any) -> None:
    """Of three tebibytes that are refused, not one byte is looked at."""
    verifier = hooks.Verifier(SECRET, max_body_bytes=1 << 20)
    body = bytes(1 << 26)
    headers = signed(b"x")
    result = verifier.verify_batch([(body, headers)] * 50_000, now=NOW)
    assert result.counts() == {V.TOO_LARGE: 50_000}


def test_threat_54_an_error_that_becomes_a_500() -> None:
    """Each refusal has a status of its own, of the sender's kind; the example answers so."""
    refusals = VerificationError.__subclasses__()
    assert len(refusals) == len(Verdict) - 2
    for error in refusals:
        assert 400 <= error.status_hint < 500
        assert error.public_message == PUBLIC_MESSAGE
    handled: list[Any] = []
    answers: list[str] = []

    def answer(status: str, *_: Any) -> Any:
        answers.append(status)

    application = wsgi_endpoint.application(hookseal.Verifier(KEY), handled.append)
    logging.getLogger("webhooks").setLevel(logging.CRITICAL)
    for environ in (
        {},
        {"HTTP_WEBHOOK_ID": "\xff"},
        {"HTTP_WEBHOOK_ID": "a", "HTTP_WEBHOOK_TIMESTAMP": "\u00b2"},
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "\u0661"},
        {
            "HTTP_WEBHOOK_SIGNATURE": "v1,\xe9",
            "HTTP_WEBHOOK_ID": "a",
            "HTTP_WEBHOOK_TIMESTAMP": "1",
        },
    ):
        given: Any = {"wsgi.input": io.BytesIO(b"body"), **environ}
        text = b"".join(application(given, answer))
        assert answers.pop().startswith("40")
        assert text == PUBLIC_MESSAGE.encode()
    assert handled == []
