"""What the tests of JSON Lines say again and again."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any, Final, TypeAlias

from tests.implementations import BODY, NOW, SECRET, key, signed

Row: TypeAlias = tuple[int, Any, str, str | None]

GOOD: Final[dict[str, Any]] = {"headers": signed(), "body": BODY.decode()}
FORGED: Final = signed(key=key(1))


def judge_of(hooks: Any) -> Any:
    """The class of that implementation: private to the command."""
    if hooks.__name__ == "hookseal.pure":
        from hookseal.pure import _lines

        return _lines.LineJudge
    from hookseal import _core

    return _core.LineJudge


def judge(hooks: Any, **named: Any) -> Any:
    """A judge with the secret, as of NOW, that keeps what is rejected."""
    return judge_of(hooks)(hooks.Verifier(SECRET), **{"now": NOW, "keep_rejects": True, **named})


def line(**changes: Any) -> bytes:
    """A good line with other members; None of Python's takes one out."""
    members = {**GOOD, **changes}
    return json.dumps({key: value for key, value in members.items() if value is not OUT}).encode()


OUT: Final = object()


def told(judge: Any) -> Any:
    """All that a judge says."""
    return (
        judge.messages,
        judge.broken,
        judge.bytes,
        list(judge.counts().items()),
        judge.endpoints(),
        judge.secrets(),
        repr(judge),
    )


def run(judge: Any, stream: bytes, cuts: list[int] | None = None) -> tuple[list[Row], bytes]:
    """Feeds a file, cut at these places, to its end: all refusals, and all that was rejected."""
    refusals: list[Row] = []
    rejected = b""
    places = [0, *sorted(cuts or []), len(stream)]
    reports = [judge.feed(stream[a:b]) for a, b in pairwise(places)]
    for report in [*reports, judge.finish()]:
        refusals += report.refusals
        rejected += report.rejected
    return refusals, rejected
