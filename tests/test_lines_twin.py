"""Properties of JSON Lines: core against twin, and against the messages themselves."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookseal import Message, VerificationError
from tests.implementations import BODY, NOW, SECRET, core, signed, twin
from tests.lines import judge_of, line, run, told
from tests.messages import Draft
from tests.profiles import fewer
from tests.test_lines_broken import TABLE
from tests.test_twin import World, worlds

pytest.importorskip("hookseal._core")

cuts = st.lists(st.integers(0, 4_000), max_size=6)
limits = st.sampled_from([1, 40, 400, 1_000, 67_108_864])

# What JSON is made of, and what it is not made of.
scraps = st.sampled_from(
    [
        b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b'\\"', b"\\\\", b"\\/", b"\\u",
        b"\\u0022", b"\\ud83d\\ude00", b"\\ud83d", b"\\ude00", b"\\n", b"\\x", b"\t", b"\r",
        b"\n", b" ", b"\0", b"0", b"1", b"-", b".", b"e", b"E+", b"00", b"1e999", b"1.5",
        b"9" * 30, b"NaN", b"Infinity", b"null", b"true", b"false", b"{}", b"[]", b'""',
        b"\xc3\xa9", b"\xc3", b"\xff", b"\xef\xbb\xbf", b'"headers"', b'"body"', b'"body_b64"',
        b'"received_at"', b'"endpoint"', b'"webhook-id"', b'"headers": {}', b'"body": "x"',
        b'"body_b64": "eA=="', b'"endpoint": null', b"[[[[[[[[[[", b'"received_at": 1700000000',
        b"a" * 31, b"a" * 64, b'\\"' * 20, line(),
    ]
)  # fmt: skip


def agree(judges: list[Any], stream: bytes, cut: list[int]) -> None:
    """Whether two judges say the same of a stream, though only one has it in pieces."""
    ours, theirs = judges
    said = run(ours, stream, [at for at in cut if at <= len(stream)])
    assert said == run(theirs, stream)
    assert told(ours) == told(theirs)


def both(limit: int = 67_108_864) -> list[Any]:
    return [
        judge_of(hooks)(
            hooks.Verifier(SECRET), now=NOW, max_line_bytes=limit, keep_rejects=True, threads=1
        )
        for hooks in (core(), twin())
    ]


@given(st.lists(st.one_of(scraps, st.binary(max_size=3)), max_size=30), cuts, limits)
def test_scraps(parts: list[bytes], cut: list[int], limit: int) -> None:
    agree(both(limit), b"".join(parts), cut)


@given(st.data(), cuts, limits)
def test_mutated_lines(data: st.DataObject, cut: list[int], limit: int) -> None:
    """Good and broken lines, with some bytes taken out and others put in."""
    bases = st.one_of(st.just(line()), st.sampled_from([broken for broken, _ in TABLE]))
    lines = []
    for _ in range(data.draw(st.integers(1, 3))):
        one = data.draw(bases)[:2_000]
        for _ in range(data.draw(st.integers(0, 3))):
            at = data.draw(st.integers(0, len(one)))
            gone = data.draw(st.integers(0, 3))
            more = data.draw(st.one_of(scraps, st.just(b"")))
            one = one[:at] + more + one[at + gone :]
        lines.append(one)
    agree(both(limit), b"\n".join(lines), cut)


values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**13), 10**13),
        st.floats(),
        st.text(max_size=6),
        st.sampled_from([BODY.decode(), "", "eA==", "\ud800", "é😀", "x", "webhook-id"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
headers = st.one_of(
    st.just(signed()),
    values,
    st.lists(st.lists(values, max_size=3), max_size=3),
    st.dictionaries(st.sampled_from(["webhook-id", "x", "WEBHOOK-ID"]), values, max_size=3),
)


encoded = st.binary(max_size=6).map(base64.b64encode).map(bytes.decode)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "headers": headers,
            "body": st.one_of(st.just(BODY.decode()), values),
            "body_b64": st.one_of(encoded, values),
            "received_at": st.one_of(st.integers(NOW - 500, NOW + 500), st.floats(), values),
            "endpoint": values,
            "x": values,
        },
    ),
    st.permutations(["headers", "body", "body_b64", "received_at", "endpoint", "x"]),
    st.booleans(),
)
def test_wrong_shapes(members: dict[str, Any], order: list[str], is_ascii: bool) -> None:
    """JSON that is no message, or nearly one, with its keys in any order."""
    ordered = {name: members[name] for name in order if name in members}
    text = json.dumps(ordered, ensure_ascii=is_ascii)
    agree(both(), text.encode("utf-8", "surrogatepass"), [])


def as_line(draft: Draft, draw: Any) -> bytes | None:
    """A message as a line of some form; None where JSON has none for it."""
    pairs: list[list[Any]] = []
    for name, value in draft.headers:
        values = list(value) if isinstance(value, (list, tuple)) else [value]
        if not all(isinstance(one, str) for one in (name, *values)):
            return None
        pairs.append([name, values if draw(st.booleans()) else value])
    members: dict[str, Any] = {"headers": pairs}
    if isinstance(draft.body, str):
        members["body"] = draft.body
    elif isinstance(draft.body, (bytes, bytearray)):
        members["body_b64"] = base64.b64encode(draft.body).decode()
    else:
        return None
    if draft.received_at is not None:
        if type(draft.received_at) is not int or not 0 <= draft.received_at <= 10**11:
            return None
        members["received_at"] = draft.received_at
    if draft.endpoint is not None or draw(st.booleans()):
        members["endpoint"] = draft.endpoint
    try:
        text = json.dumps(members, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return None  # A lone surrogate: NOT_A_MESSAGE at best in a batch, and broken as a line.
    return json.dumps(members).encode() if draw(st.booleans()) else text


@fewer()
@given(st.data(), st.booleans(), cuts, st.integers(1, 4))
def test_a_file_is_a_batch(
    data: st.DataObject, is_ring: bool, cut: list[int], threads: int
) -> None:
    """Lines say what ``verify_batch`` says of their messages, in the same words."""
    world: World = data.draw(worlds(is_ring=is_ring))
    drafts, lines = [], []
    for _ in range(data.draw(st.integers(0, 4))):
        draft = world.draft(data.draw)
        text = as_line(draft, data.draw)
        if text is not None:
            drafts.append(draft)
            lines.append(text)
    stream = b"\n".join(lines)
    answers = []
    for hooks in (core(), twin()):
        try:
            verifier = world.verifier(hooks)
        except (TypeError, ValueError):
            return  # The world is none: what both say of it is tests/test_twin.py's.
        judge = judge_of(hooks)(verifier, now=NOW, threads=threads, keep_rejects=True)
        refusals, rejected = run(judge, stream, [at for at in cut if at <= len(stream)])
        answers.append((refusals, rejected, told(judge)))
        batch = verifier.verify_batch(
            [
                Message(one.body, one.headers, endpoint=one.endpoint, received_at=one.received_at)
                for one in drafts
            ],
            now=NOW,
        )
        assert [row[0] - 1 for row in refusals] == batch.invalid_indices()
        for number, verdict, words, endpoint in refusals:
            with pytest.raises(VerificationError) as refused:
                batch.verified(number - 1)
            assert (verdict, words) == (refused.value.verdict, str(refused.value))
            assert endpoint == drafts[number - 1].endpoint
        assert judge.counts() == batch.counts()
        matched = {row[:2]: row[2] for row in judge.secrets()}
        labels = batch.by_secret().items()
        assert matched == {key if is_ring else (None, key): count for key, count in labels}
    assert answers[0] == answers[1]
