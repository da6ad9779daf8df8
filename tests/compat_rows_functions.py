"""The written differences of the functions: gidgethub's, Uplift's, Zoho's."""

from __future__ import annotations

import array
from typing import Any, Final

from tests.compat_rows import ANSWERED, REFUSED, Row, call, is_utf8
from tests.implementations import BODY
from tests.mirrors import TEXT_SECRET, base64_mac, hex_mac


class Encodes:
    """Something that is no text and yet has ``encode``."""

    def __init__(self, text: str) -> None:
        self._text = text

    def encode(self, *_: object) -> bytes:
        return self._text.encode()


_TEXT: Final = BODY.decode()


def _blank(secret: Any) -> bool:
    return isinstance(secret, str) and not secret.strip(" \t\n\v\f\r")


def _github(
    payload: Any = BODY, signature: Any = None, secret: Any = TEXT_SECRET, over: bytes = BODY
) -> Any:
    if signature is None:
        signature = hex_mac(over, secret if isinstance(secret, str) else TEXT_SECRET)
    return call("github", payload=payload, signature=signature, secret=secret)


_PAYLOAD = (bytes, bytearray, memoryview, str)

GITHUB_ROWS: Final = [
    Row(
        "sha1",
        REFUSED,
        ("github",),
        [_github(signature=hex_mac(BODY, algorithm="sha1"))],
        lambda a: isinstance(a["signature"], str) and a["signature"].startswith("sha1="),
    ),
    Row(
        "secret-blank",
        REFUSED,
        ("github",),
        [_github(secret=secret) for secret in ("", " ", "\n\t")],
        lambda a: _blank(a["secret"]),
    ),
    Row(
        "payload-other",
        REFUSED,
        ("github",),
        [
            _github(payload=None, over=b""),
            _github(payload=array.array("B", BODY)),
            _github(payload=memoryview(BODY * 2).cast("H"), over=BODY * 2),
        ],
        lambda a: (
            not isinstance(a["payload"], _PAYLOAD)
            or (isinstance(a["payload"], memoryview) and a["payload"].itemsize != 1)
        ),
    ),
    Row(
        "secret-encodes",
        REFUSED,
        ("github",),
        [_github(secret=Encodes(TEXT_SECRET))],
        lambda a: isinstance(a["secret"], Encodes),
    ),
    Row(
        "signature-not-ascii",
        ANSWERED,
        ("github",),
        [_github(signature="sha256=é"), _github(signature=hex_mac(BODY) + "é")],
        lambda a: isinstance(a["signature"], str) and not a["signature"].isascii(),
    ),
    Row(
        "types",
        ANSWERED,
        ("github",),
        [_github(secret=secret, signature=hex_mac(BODY)) for secret in (b"secret", None, 5)]
        + [call("github", payload=BODY, signature=None, secret=TEXT_SECRET)]
        + [call("github", payload=BODY, signature=5, secret=TEXT_SECRET)]
        + [_github(payload=memoryview(BODY)[::2])],
        lambda a: (
            not isinstance(a["secret"], str)
            or not isinstance(a["signature"], str)
            or (isinstance(a["payload"], memoryview) and not a["payload"].c_contiguous)
        ),
    ),
    Row(
        "secret-surrogate",
        ANSWERED,
        ("github",),
        [_github(secret="\ud800", signature=hex_mac(BODY))],
        lambda a: isinstance(a["secret"], str) and not is_utf8(a["secret"]),
    ),
]


def _uplift(body: Any = _TEXT, signature: Any = "", **secret: Any) -> Any:
    text = secret.get("secret", TEXT_SECRET) or ""
    text = text if is_utf8(text) else TEXT_SECRET
    made = hex_mac(body.encode() if isinstance(body, str) and is_utf8(body) else BODY, text)
    return call(
        "uplift",
        request_body=body,
        signature_from_request_header=made if signature == "" else signature,
        **secret,
    )


def _zoho(payload: Any = _TEXT, signature: Any = "", secret: Any = TEXT_SECRET) -> Any:
    text = secret if isinstance(secret, str) and is_utf8(secret) else TEXT_SECRET
    made = base64_mac(
        payload.encode() if isinstance(payload, str) and is_utf8(payload) else BODY, text
    )
    return call(
        "zoho", payload=payload, signature=made if signature == "" else signature, secret=secret
    )


UPLIFT_ROWS: Final = [
    Row(
        "uplift-secret-blank",
        REFUSED,
        ("uplift",),
        [_uplift(secret=secret) for secret in ("", " ", "\t\n")],
        lambda a: _blank(a.get("secret", "x")),
    ),
    Row(
        "uplift-secret-missing",
        ANSWERED,
        ("uplift",),
        [_uplift(secret=None)],
        lambda a: a.get("secret", "x") is None,
    ),
    Row(
        "uplift-secret-undecodable",
        ANSWERED,
        ("uplift",),
        # What os.environ makes of a byte that is no UTF-8.
        [_uplift(secret="\udcff"), _uplift(secret="x\udc80")],
        lambda a: isinstance(a.get("secret"), str) and not is_utf8(a["secret"]),
    ),
    Row(
        "uplift-body",
        ANSWERED,
        ("uplift",),
        [_uplift(body=body) for body in (BODY, bytearray(BODY), memoryview(BODY), None, 5)]
        + [_uplift(body="\ud800")],
        lambda a: not isinstance(a["request_body"], str) or not is_utf8(a["request_body"]),
    ),
    Row(
        "uplift-signature",
        ANSWERED,
        ("uplift",),
        [_uplift(signature=signature) for signature in (None, "sha256=é", "é", "\ud800")],
        lambda a: (
            a["signature_from_request_header"] is None
            or (
                isinstance(a["signature_from_request_header"], str)
                and not a["signature_from_request_header"].isascii()
            )
        ),
    ),
]

ZOHO_ROWS: Final = [
    Row(
        "zoho-secret-blank",
        REFUSED,
        ("zoho",),
        [_zoho(secret=secret) for secret in ("", " ", "\t\n")],
        lambda a: _blank(a["secret"]),
    ),
    Row(
        "zoho-encodes",
        REFUSED,
        ("zoho",),
        [_zoho(secret=Encodes(TEXT_SECRET)), _zoho(payload=Encodes(BODY.decode()))],
        lambda a: isinstance(a["secret"], Encodes) or isinstance(a["payload"], Encodes),
    ),
    Row(
        "zoho-payload",
        ANSWERED,
        ("zoho",),
        [_zoho(payload=body) for body in (BODY, bytearray(BODY), memoryview(BODY), None, 5)]
        + [_zoho(payload="\ud800")],
        lambda a: not isinstance(a["payload"], str) or not is_utf8(a["payload"]),
    ),
    Row(
        "zoho-signature",
        ANSWERED,
        ("zoho",),
        [_zoho(signature=signature) for signature in (None, "é", "\ud800")],
        lambda a: (
            a["signature"] is None
            or (isinstance(a["signature"], str) and not a["signature"].isascii())
        ),
    ),
    Row(
        "zoho-secret-type",
        ANSWERED,
        ("zoho",),
        [_zoho(secret=secret) for secret in (None, b"secret", 5, "\ud800")],
        lambda a: not isinstance(a["secret"], str) or not is_utf8(a["secret"]),
    ),
]
