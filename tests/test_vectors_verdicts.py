"""The specification, row by row, against both implementations."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import hookseal._errors
from hookseal import ReplayedError, Verdict, VerificationError
from tests import vector_rows
from tests.vector_rows import Row, each_implementation
from tests.vectors import make_folded, make_schemes, make_verdicts

_ROWS = vector_rows.load("verdicts.json")
each_row = pytest.mark.parametrize("row", [pytest.param(row, id=row["name"]) for row in _ROWS])


@each_implementation
@each_row
def test_row(implementation: str, row: Row) -> None:
    verifier = vector_rows.verifier(implementation, row["verifier"])
    body, headers, times = vector_rows.body(row), vector_rows.headers(row), vector_rows.times(row)
    expected = row["expect"]
    verdict = Verdict[expected["verdict"]]

    assert verifier.check(body, headers, **times) is verdict
    if verdict is Verdict.VALID:
        _assert_verified(verifier.verify(body, headers, **times), row)
    else:
        with pytest.raises(VerificationError) as caught:
            verifier.verify(body, headers, **times)
        _assert_refused(caught.value, expected)

    endpoint = times.pop("endpoint", None)
    mapping = vector_rows.mapping(row)
    for result in (
        verifier.verify_batch([vector_rows.message(row)], now=row["now"]),
        verifier.verify_batch([(body, headers)], endpoint=endpoint, **times),
        verifier.verify_batch(
            [(body, headers if mapping is None else mapping)], endpoint=endpoint, **times
        ),
    ):
        _assert_batch_of_one(result, row)


def _assert_verified(verified: Any, row: Row) -> None:
    expected = row["expect"]
    assert {
        "id": verified.id,
        "timestamp": verified.timestamp,
        "fresh": verified.fresh,
        "covers": sorted(verified.covers),
        "scheme": verified.scheme,
        "endpoint": verified.endpoint,
    } == expected["verified"]
    assert verified.secret == expected["label"]
    body = vector_rows.body(row)
    assert verified.body == (body.encode() if isinstance(body, str) else body)
    assert type(verified.body) is bytes
    assert type(verified.fresh) is bool


def _assert_refused(error: BaseException, expected: Row) -> None:
    assert isinstance(error, VerificationError)
    assert type(error).__name__ == expected["exception"]
    assert error.verdict is Verdict[expected["verdict"]]
    assert error.code == expected["verdict"].lower()


def _assert_batch_of_one(result: Any, row: Row) -> None:
    expected = row["expect"]
    verdict = Verdict[expected["verdict"]]
    assert result.codes.tolist() == [verdict]
    assert result.secrets.tolist() == [expected["secret"]]
    assert (result.valid, result.invalid) == ((1, 0) if verdict else (0, 1))
    assert result.counts() == {verdict: 1}
    if verdict is Verdict.VALID:
        _assert_verified(result.verified(0), row)
    else:
        with pytest.raises(VerificationError) as caught:
            result.verified(0)
        _assert_refused(caught.value, expected)


_NOW = 1_700_000_000
_GOOD = {"webhook-id": "m", "webhook-timestamp": str(_NOW), "webhook-signature": "v1,x"}
_SECRET = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
_ZEROS = "v1," + "A" * 43 + "="


@each_implementation
@pytest.mark.parametrize(
    ("scheme", "headers", "named", "number"),
    [
        # In one verdict: signature header, id, timestamp.
        ("standard-webhooks", {}, "webhook-signature", None),
        ("standard-webhooks", {"webhook-signature": "x"}, "webhook-id", None),
        ("standard-webhooks", {**_GOOD, "webhook-timestamp": ""}, "webhook-timestamp", None),
        (
            "standard-webhooks",
            {**_GOOD, "Webhook-Id": "n", "Webhook-Timestamp": "1"},
            "webhook-id",
            None,
        ),
        ("standard-webhooks", {**_GOOD, "Webhook-Timestamp": "1"}, "webhook-timestamp", None),
        # A message that has no family is named after the first.
        ("svix", {}, "svix-signature", None),
        ("svix", {"webhook-id": "m", "webhook-signature": "x"}, "svix-signature", None),
        ("svix", {"svix-signature": "x", "webhook-id": "m"}, "svix-id", None),
        ("shared-token", {}, "x-webhook-secret", None),
        (
            "shared-token",
            [("x-webhook-secret", "a"), ("x-webhook-secret", "b")],
            "x-webhook-secret",
            None,
        ),
        ("standard-webhooks", {**_GOOD, "webhook-id": "."}, "webhook-id", None),
        ("standard-webhooks", {**_GOOD, "webhook-timestamp": "x"}, "webhook-timestamp", None),
        ("standard-webhooks", _GOOD, "webhook-signature", None),
        # Numbers: seconds outside the window, the limit, how many secrets were tried.
        (
            "standard-webhooks",
            {**_GOOD, "webhook-timestamp": str(_NOW - 307)},
            "webhook-timestamp",
            7,
        ),
        (
            "standard-webhooks",
            {**_GOOD, "webhook-timestamp": str(_NOW + 309)},
            "webhook-timestamp",
            9,
        ),
        (
            "standard-webhooks",
            {**_GOOD, "webhook-signature": "x" * 16_385},
            "signature headers",
            16_384,
        ),
        ("standard-webhooks", {**_GOOD, "webhook-signature": _ZEROS}, "webhook-signature", 1),
    ],
)
def test_what_a_refusal_names(
    implementation: str, scheme: str, headers: Any, named: str, number: int | None
) -> None:
    verifier = vector_rows.module(implementation).Verifier(_SECRET, scheme=scheme)
    with pytest.raises(VerificationError) as caught:
        verifier.verify(b"{}", headers, now=_NOW)
    text = str(caught.value)
    assert named in text
    assert number is None or re.search(rf"\b{number}\b", text), text


@each_implementation
@pytest.mark.parametrize("times", [1, 3])
def test_rows_of_one_verifier_in_one_batch(implementation: str, times: int) -> None:
    """Neighbours of every kind change nothing."""
    together: dict[str, list[Row]] = defaultdict(list)
    for row in _ROWS:
        together[json.dumps([row["verifier"], row["now"]])].append(row)
    assert max(len(rows) for rows in together.values()) > 32
    for rows in together.values():
        verifier = vector_rows.verifier(implementation, rows[0]["verifier"])
        messages = [vector_rows.message(row) for row in rows] * times
        result = verifier.verify_batch(messages, now=rows[0]["now"])
        expected = [row["expect"] for row in rows] * times
        assert list(result) == [Verdict[each["verdict"]] for each in expected]
        assert result.secrets.tolist() == [each["secret"] for each in expected]


def test_names_of_rows_are_unique() -> None:
    names = [row["name"] for row in _ROWS]
    assert len(set(names)) == len(names)


def test_every_verdict_is_reached() -> None:
    reached = {row["expect"]["verdict"] for row in _ROWS}
    # A row is judged once, and by nobody who has seen another: tests/test_replay.py.
    never = {Verdict.UNVERIFIED, Verdict.REPLAYED}
    assert reached == {verdict.name for verdict in Verdict if verdict not in never}


def test_every_exception_is_reached() -> None:
    classes = {
        name
        for name in hookseal._errors.__all__
        if issubclass(getattr(hookseal._errors, name), VerificationError)
        and name not in {VerificationError.__name__, ReplayedError.__name__}
    }
    assert {row["expect"]["exception"] for row in _ROWS} == classes | {None}


def test_the_engine_has_the_same_verdicts() -> None:
    """Names and numbers; that the binary answers with them, the rows show."""
    source = (vector_rows.ROOT / "rust/engine/src/outcome.rs").read_text(encoding="utf-8")
    found = re.search(r"pub enum Verdict \{(.*?)\n\}", source, re.DOTALL)
    assert found is not None
    members = re.findall(r"^    ([A-Z]\w+) = (\d+),$", found[1], re.MULTILINE)
    names = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper(): int(number) for name, number in members}
    assert names == {verdict.name: verdict.value for verdict in Verdict}


def test_every_section_of_the_contract_that_judges_a_message_has_rows() -> None:
    assert {row["rule"] for row in _ROWS} == set("123456789")


def test_python_rows_hold_what_other_languages_cannot() -> None:
    """Everything else is read by cargo too."""
    for row in _ROWS:
        values = [value for _, value in row["headers"]]
        needs_python = any(value is None or isinstance(value, list) for value in values)
        needs_python |= '{"chars": ' in json.dumps(row) or row["name"] == "preset-alias"
        assert row["layer"] == ("python" if needs_python else "engine"), row["name"]


def test_verdicts_json_is_not_stale() -> None:
    written = make_verdicts.FILE.read_text(encoding="ascii")
    assert written == make_verdicts.text(), "run: python -m tests.vectors.make_verdicts"


def test_schemes_json_is_not_stale() -> None:
    written = make_schemes.FILE.read_text(encoding="ascii")
    assert written == make_schemes.text(), "run: python -m tests.vectors.make_schemes"


def test_folded_json_is_not_stale() -> None:
    written = make_folded.FILE.read_text(encoding="ascii")
    assert written == make_folded.text(), "run: python -m tests.vectors.make_folded"


def test_the_kernels_are_checked_against_what_the_standard_library_computes() -> None:
    source = (make_folded.FILE.parents[2] / "rust/lanes/src/chosen.rs").read_text(encoding="utf-8")
    constant = source.partition("const KNOWN_ANSWER")[2].partition("];")[0]
    known = "".join(re.findall(r"0x([0-9a-f]{2})", constant))
    assert known == json.loads(make_folded.FILE.read_text(encoding="ascii"))["known answer"]


def test_schemes_json_holds_every_scheme_of_the_rows() -> None:
    known = json.loads(make_schemes.FILE.read_text(encoding="ascii"))
    for row in _ROWS:
        verifier = row["verifier"]
        if row["layer"] == "python" or "unsigned" in verifier:
            continue
        ring = verifier.get("ring")
        named = [verifier["scheme"]] if ring is None else [ring["scheme"]]
        if ring is not None:
            named += [e["scheme"] for _, e in ring["endpoints"] if e["scheme"] is not None]
        assert set(named) <= known.keys(), row["name"]


def test_the_oracle_shares_no_code_with_hookseal() -> None:
    """Nor do the rows that it signs."""
    vectors = Path(make_verdicts.__file__).parent
    files = [vectors.parent / "oracle.py", vectors / "texts.py", vectors / "make_verdicts.py"]
    files.append(vectors / "make_folded.py")
    files += sorted((vectors / "rows").glob("*.py"))
    assert len(files) > 10
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in getattr(node, "names", [])]
            names.append(getattr(node, "module", "") or "")
            assert not any(name.partition(".")[0] == "hookseal" for name in names), file
