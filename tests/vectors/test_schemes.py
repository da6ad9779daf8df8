"""Schemes that exist for the rows alone: shapes that no preset has.

Name to keyword arguments of ``hookseal.Scheme``. Names begin with ``test-``.
"""

from typing import Any

_SIGNATURE = "x-test-signature"
_ID = "x-test-id"
_TIMESTAMP = "x-test-timestamp"

TEST_SCHEMES: dict[str, dict[str, Any]] = {
    # Templates: what stands behind the body, and what stands between the parts.
    "test-suffix": {
        "signature": _SIGNATURE,
        "timestamp": _TIMESTAMP,
        "format": "sha256={hex}",
        "signed": "{body}.{timestamp}",
    },
    "test-id-behind": {
        "signature": _SIGNATURE,
        "id": _ID,
        "timestamp": _TIMESTAMP,
        "format": "{base64}",
        "signed": "{timestamp}:{body}#{id}",
    },
    "test-id-between": {
        "signature": _SIGNATURE,
        "id": _ID,
        "timestamp": _TIMESTAMP,
        "format": "{hex}",
        "signed": "{body}|{id}.{timestamp}",
    },
    "test-literals": {
        "signature": _SIGNATURE,
        "id": _ID,
        "timestamp": _TIMESTAMP,
        "format": "{hex}",
        "signed": "<{timestamp}|{id}:{body}>",
    },
    "test-ambiguous": {
        "signature": _SIGNATURE,
        "id": _ID,
        "timestamp": _TIMESTAMP,
        "format": "{hex}",
        "signed": "{id}{timestamp}{body}",
        "ambiguous": True,
    },
    # As long as a template may be: 512 characters.
    "test-long-template": {
        "signature": _SIGNATURE,
        "id": _ID,
        "timestamp": _TIMESTAMP,
        "format": "{hex}",
        "signed": "a" * 300 + "{id}.{timestamp}.{body}" + "z" * 189,
    },
    "test-id-only": {
        "signature": _SIGNATURE,
        "id": _ID,
        "format": "{hex}",
        "signed": "{id}.{body}",
    },
    # Time.
    "test-ms": {
        "signature": _SIGNATURE,
        "timestamp": _TIMESTAMP,
        "format": "t1={hex}",
        "signed": "{timestamp}.{body}",
        "unit": "ms",
    },
    "test-window": {
        "signature": _SIGNATURE,
        "timestamp": _TIMESTAMP,
        "format": "{hex}",
        "signed": "{timestamp}.{body}",
        "tolerance": (60, 30),
    },
    # Signatures: encodings, separators, families without an id.
    "test-hex-any-case": {"signature": _SIGNATURE, "format": "sha256={hex-any-case}"},
    "test-comma": {"signature": _SIGNATURE, "format": "v1={hex}", "separator": ","},
    "test-semicolon": {"signature": _SIGNATURE, "format": "{base64}", "separator": ";"},
    "test-space": {"signature": _SIGNATURE, "format": "{hex}", "separator": " "},
    "test-two-names": {"signature": ("x-new-signature", "x-old-signature"), "format": "{hex}"},
    "test-token-prefix": {
        "signature": _SIGNATURE,
        "format": "token={token}",
        "signed": "",
        "algorithm": "token",
    },
    # Keys.
    "test-key-hex": {"signature": _SIGNATURE, "format": "{hex}", "key": "hex"},
    "test-key-base64": {"signature": _SIGNATURE, "format": "{hex}", "key": "base64"},
    "test-key-prefix": {
        "signature": _SIGNATURE,
        "format": "{hex}",
        "key": "base64",
        "key_prefix": "sk_",
    },
}
