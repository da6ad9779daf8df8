"""The private method of standardwebhooks that people override to change its tolerance.

``Webhook`` asks for it by name at each call. As long as it is this function the core judges
times itself; anything else in its place is called instead.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from math import ceil, floor

from hookseal._arguments import wrong_type
from hookseal._errors import refusal
from hookseal._verdict import Verdict
from hookseal.compat._errors import webhook_refusal

__all__ = ["verify_timestamp"]

_TOLERANCE_SECONDS = 300
_MAX_DIGITS = 15
_LATEST = int(datetime.max.replace(tzinfo=UTC, microsecond=0).timestamp())
_HEADER = "header 'webhook-timestamp'"


def verify_timestamp(*arguments: str, **named: str) -> datetime:
    """Judges a timestamp header as the original does, for overrides that ask ``super()``.

    Args:
        arguments: The header's text, last: it was a method, and some pass ``self``.
        named: It, as ``timestamp_header``, by the name that it has in the original.

    Returns:
        The time it states, in UTC.

    Raises:
        WebhookVerificationError: It is no time, or lies more than 300 s from now.
        TypeError: There is none.
    """
    given: object = named.get("timestamp_header", arguments[-1] if arguments else None)
    if not isinstance(given, str):
        raise wrong_type("str", given, "timestamp_header")
    text = given.strip(" \t")
    is_plain = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    stated = int(text) if is_plain else -1
    if not is_plain or str(stated) != text or stated > _LATEST:
        raise _refused(Verdict.MALFORMED_TIMESTAMP, 0)
    now = time.time()
    earliest, latest = ceil(now) - _TOLERANCE_SECONDS, floor(now) + _TOLERANCE_SECONDS
    if stated < earliest:
        raise _refused(Verdict.TOO_OLD, earliest - stated)
    if stated > latest:
        raise _refused(Verdict.TOO_NEW, stated - latest)
    return datetime.fromtimestamp(stated, UTC)


def _refused(verdict: Verdict, seconds: int) -> Exception:
    return webhook_refusal(verdict, refusal(verdict, _HEADER, seconds))
