"""What every file of rows uses: the constants, the verifiers, the messages, ``row``."""

import json
from typing import Any, TypeAlias

from tests import oracle
from tests.vectors.texts import Text, concat, dump, expand, raw, repeat

__all__ = [
    "BODY",
    "ID",
    "KEY",
    "NOW",
    "OTHER_KEY",
    "OTHER_SECRET",
    "SECRET",
    "STAMP",
    "TEXT_KEY",
    "Pairs",
    "Row",
    "Text",
    "concat",
    "dump",
    "expand",
    "github",
    "mac_hex",
    "raw",
    "repeat",
    "ring",
    "row",
    "standard",
    "uplift",
    "v1",
    "verifier",
]

Row: TypeAlias = dict[str, Any]
# (name, value): a text and a text, or None, or a list of texts.
Pairs: TypeAlias = list[tuple[Any, Any]]

NOW = 1_700_000_000
STAMP = str(NOW)
ID = "msg_1"
BODY = '{"type":"paid"}'
KEY = bytes(range(1, 33))
OTHER_KEY = bytes(range(65, 97))
SECRET = "whsec_" + oracle.b64(KEY)
OTHER_SECRET = "whsec_" + oracle.b64(OTHER_KEY)
TEXT_KEY = "correct horse battery staple"

_COVERS = {
    "standard-webhooks": ["body", "id", "timestamp"],
    "svix": ["body", "id", "timestamp"],
    "uplift": ["body"],
    "github": ["body"],
    "zoho-projects": ["body"],
    "shared-token": [],
    "gitlab-token": [],
    "unsigned": [],
    "test-suffix": ["body", "timestamp"],
    "test-id-behind": ["body", "id", "timestamp"],
    "test-id-between": ["body", "id", "timestamp"],
    "test-literals": ["body", "id", "timestamp"],
    "test-ambiguous": ["body", "id", "timestamp"],
    "test-long-template": ["body", "id", "timestamp"],
    "test-id-only": ["body", "id"],
    "test-token-prefix": [],
    "test-ms": ["body", "timestamp"],
    "test-window": ["body", "timestamp"],
}

_EXCEPTIONS = {
    "NOT_A_MESSAGE": "NotAMessageError",
    "UNKNOWN_ENDPOINT": "UnknownEndpointError",
    "TOO_LARGE": "TooLargeError",
    "MISSING_HEADER": "MissingHeaderError",
    "AMBIGUOUS_HEADER": "AmbiguousHeaderError",
    "MALFORMED_HEADER": "MalformedHeaderError",
    "MALFORMED_TIMESTAMP": "MalformedTimestampError",
    "TOO_OLD": "TooOldError",
    "TOO_NEW": "TooNewError",
    "MALFORMED_SIGNATURE": "MalformedSignatureError",
    "SIGNATURE_MISMATCH": "SignatureMismatchError",
}


def verifier(
    scheme: str = "standard-webhooks",
    *secrets: Any,
    tolerance: Any = None,
    max_body_bytes: int | None = None,
) -> Row:
    """``secrets``: texts, or objects with ``value`` and label or window."""
    return {
        "scheme": scheme,
        "secrets": [_secret(secret) for secret in secrets or (SECRET,)],
        "tolerance": tolerance,
        "max_body_bytes": max_body_bytes,
    }


def ring(
    *endpoints: tuple[str, Row],
    scheme: str = "standard-webhooks",
    tolerance: Any = None,
    max_body_bytes: int | None = None,
) -> Row:
    """``endpoints``: (name, {"secrets": […], "scheme"?: …, "tolerance"?: …})."""
    full = [
        [
            name,
            {
                "secrets": [_secret(secret) for secret in endpoint["secrets"]],
                "scheme": endpoint.get("scheme"),
                "tolerance": endpoint.get("tolerance"),
            },
        ]
        for name, endpoint in endpoints
    ]
    return {
        "ring": {"scheme": scheme, "endpoints": full},
        "tolerance": tolerance,
        "max_body_bytes": max_body_bytes,
    }


def _secret(secret: Any) -> Any:
    if isinstance(secret, dict) and "value" in secret:
        return {**secret, "value": dump(secret["value"])}
    return dump(secret)


def v1(id: Text = ID, stamp: Text = STAMP, body: Text = BODY, *, key: bytes = KEY) -> str:
    return oracle.v1(key, raw(id).strip(b" \t"), raw(stamp).strip(b" \t"), raw(body))


def standard(
    id: Text = ID,
    stamp: Text = STAMP,
    body: Text = BODY,
    *,
    key: bytes = KEY,
    signature: Text | None = None,
    family: str = "webhook",
) -> Pairs:
    """The headers of a Standard Webhooks message, rightly signed unless told."""
    if signature is None:
        signature = v1(id, stamp, body, key=key)
    return [
        (f"{family}-id", id),
        (f"{family}-timestamp", stamp),
        (f"{family}-signature", signature),
    ]


def mac_hex(*parts: Text, key: Text = TEXT_KEY) -> str:
    return oracle.mac(raw(key), *(raw(part) for part in parts)).hex()


def uplift(body: Text = BODY, *, key: Text = TEXT_KEY) -> Pairs:
    return [("x-uplift-signature-256", "sha256=" + mac_hex(body, key=key))]


def github(body: Text = BODY, *, key: Text = TEXT_KEY) -> Pairs:
    return [("x-hub-signature-256", "sha256=" + mac_hex(body, key=key))]


def row(
    name: str,
    rule: str,
    verdict: str,
    headers: Pairs,
    *,
    verifier: Row | None = None,
    body: Text = BODY,
    endpoint: Text | None = None,
    received_at: int | None = None,
    now: int = NOW,
    secret: int = 0,
    label: str | None = "0",
    layer: str | None = None,
    **verified: Any,
) -> Row:
    """One row. ``verified`` holds what differs from a message that ``standard()`` made."""
    if verifier is None:
        verifier = _plain()
    valid = verdict == "VALID"
    result: Row = {
        "name": name,
        "rule": rule,
        "layer": "engine",
        "verifier": verifier,
        "body": dump(body),
        "headers": [[dump(header), _value(value)] for header, value in headers],
        "endpoint": None if endpoint is None else dump(endpoint),
        "received_at": received_at,
        "now": now,
        "expect": {
            "verdict": verdict,
            "secret": secret if valid else -1,
            "label": label if valid else None,
            "exception": _EXCEPTIONS.get(verdict),
        },
    }
    if valid:
        result["expect"]["verified"] = _verified(verifier, endpoint, verified)
    else:
        assert not verified, f"{name}: a refusal verifies nothing"
    result["layer"] = layer or ("python" if _is_python(result) else "engine")
    return result


def _plain() -> Row:
    return verifier()


def _value(value: Any) -> Any:
    if value is None:
        return None
    return [dump(one) for one in value] if isinstance(value, list) else dump(value)


def _verified(verifier: Row, endpoint: Text | None, changes: Row) -> Row:
    if "unsigned" in verifier:
        scheme = "unsigned"
    elif "ring" in verifier:
        own = dict(map(tuple, verifier["ring"]["endpoints"]))
        scheme = own[endpoint]["scheme"] or verifier["ring"]["scheme"]
    else:
        scheme = verifier["scheme"]
    covers = _COVERS.get(scheme, ["body"])
    full = {
        "id": ID if "id" in covers else None,
        "timestamp": NOW if "timestamp" in covers else None,
        "fresh": "timestamp" in covers,
        "covers": covers,
        "scheme": scheme,
        "endpoint": endpoint,
    }
    assert full.keys() >= changes.keys(), changes
    return {**full, **changes}


def _is_python(result: Row) -> bool:
    """Whether a row holds what only Python can hand over."""
    values = [value for _, value in result["headers"]]
    return any(value is None or isinstance(value, list) for value in values) or (
        '{"chars": ' in json.dumps(result)
    )
