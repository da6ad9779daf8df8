"""The written differences of constructors and of ``sign``, and what is new."""

from __future__ import annotations

import re
from datetime import timedelta, timezone
from typing import Any, Final

from pydantic import SecretStr

from hookseal.pure import Secret
from tests.compat_rows import ANSWERED, REFUSED, Row, call, is_utf8, trimmed
from tests.implementations import NOW, SECRET
from tests.mirrors import utc


def _base64_text(secret: Any) -> bool:
    """Whether a secret's text is what a ``Secret`` takes."""
    rest = secret.removeprefix("whsec_")
    bare = rest.rstrip("=")
    length, padding = len(bare) % 4, len(rest) - len(bare)
    last = {0: "", 2: "AQgw", 3: "AEIMQUYcgkosw048"}.get(length)
    return (
        re.fullmatch("[A-Za-z0-9+/]+", bare) is not None
        and last is not None
        and (not last or bare[-1] in last)
        and padding in (0, -len(bare) % 4)
    )


_SHORT = "whsec_" + "A" * 32

CONSTRUCTOR_ROWS: Final = [
    Row(
        "secret-spelling",
        REFUSED,
        ("constructor",),
        [
            call("constructor", whsecret=secret)
            for secret in (
                SECRET + "\n",
                SECRET[:-1] + "!=",
                "my secret",
                "v1," + SECRET,
                "whsk_" + SECRET[6:-4],
                SECRET + "==",
                "whsec_AAB",
                "whsec_AAAA-_-_",
            )
        ],
        lambda a: isinstance(a["whsecret"], str) and not _base64_text(a["whsecret"]),
    ),
    Row(
        "secret-bytes",
        REFUSED,
        ("constructor",),
        [call("constructor", whsecret=secret) for secret in (SECRET.encode(), b"  ", b"\n")],
        lambda a: (
            isinstance(a["whsecret"], bytes)
            and (a["whsecret"].startswith(b"whsec_") or not a["whsecret"].strip())
        ),
    ),
    Row(
        "secret-undecodable",
        ANSWERED,
        ("constructor",),
        [
            call("constructor", whsecret=secret)
            for secret in ("whsec_" + _SHORT, "WHSEC_" + _SHORT[6:], " " + _SHORT, "whsec_A", "é")
        ],
        lambda a: isinstance(a["whsecret"], str) and not _base64_text(a["whsecret"]),
    ),
]

# What is new: the originals refuse it, so no program that runs today can notice.
ADDITIONS: Final = [
    call("constructor", whsecret=[SECRET, _SHORT]),
    call("constructor", whsecret=SecretStr(SECRET)),
    call("constructor", whsecret=Secret(SECRET)),
    call("constructor", whsecret=SECRET, tolerance=5),
    call("constructor", whsecret=SECRET, tolerance=None),
]

SIGN_ROWS: Final = [
    Row(
        "sign-zone",
        REFUSED,
        ("sign",),
        [
            call("sign", msg_id="m", timestamp=utc(NOW).astimezone(zone), data="{}")
            for zone in (timezone(timedelta(hours=2)), timezone(timedelta(seconds=-1)))
        ],
        lambda a: bool(getattr(a["timestamp"], "utcoffset", lambda: None)()),
    ),
    Row(
        "sign-id",
        REFUSED,
        ("sign",),
        [
            call("sign", msg_id=id, timestamp=utc(NOW), data="{}")
            for id in ("a.b", "é", "", " a", "x" * 257, None, 5, b"a")
        ],
        lambda a: (
            not isinstance(a["msg_id"], str)
            or re.fullmatch("[ -~]{1,256}", a["msg_id"]) is None
            or "." in a["msg_id"]
            or a["msg_id"] != trimmed(a["msg_id"])
        ),
    ),
    Row(
        "sign-data",
        REFUSED,
        ("sign",),
        [
            call("sign", msg_id="m", timestamp=utc(NOW), data=data)
            for data in (b"{}", None, {"a": 1}, 5)
        ],
        lambda a: not isinstance(a["data"], str),
    ),
    Row(
        "sign-range",
        REFUSED,
        ("sign",),
        [
            call("sign", msg_id="m", timestamp=stamp, data="{}")
            for stamp in (utc(-1), utc(10**11 + 1), utc(200_000_000_000))
        ],
        lambda a: (
            hasattr(a["timestamp"], "timestamp")
            and not 0 <= a["timestamp"].replace(tzinfo=utc(0).tzinfo).timestamp() < 10**11 + 1
        ),
    ),
    Row(
        "sign-timestamp-type",
        ANSWERED,
        ("sign",),
        [call("sign", msg_id="m", timestamp=stamp, data="{}") for stamp in (NOW, None)],
        lambda a: not hasattr(a["timestamp"], "timestamp"),
    ),
    Row(
        "sign-surrogate",
        ANSWERED,
        ("sign",),
        [
            call("sign", msg_id="\ud800", timestamp=utc(NOW), data="{}"),
            call("sign", msg_id="m", timestamp=utc(NOW), data="\ud800"),
        ],
        lambda a: any(
            isinstance(a[name], str) and not is_utf8(a[name]) for name in ("msg_id", "data")
        ),
    ),
]
