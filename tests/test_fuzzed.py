"""The law of the Python surface: for any bytes a verdict, or exactly one of our exceptions.

The corpus of the fuzzer is repeated here, and Hypothesis goes on from it.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookseal import Scheme, SchemeError, SecretError, Verdict
from tests import fuzzed
from tests.implementations import BODY, KEY, NOW, core, twin
from tests.lines import run, told
from tests.messages import SCHEMES
from tests.observation import outcome
from tests.profiles import fewer
from tests.test_lines_twin import both

pytest.importorskip("hookseal._core")

MESSAGES = fuzzed.corpus("messages")
LINES = fuzzed.corpus("lines")


def test_the_corpus_reaches_the_verdicts_of_a_message() -> None:
    reached = {fuzzed.agree(data)[0] for data in MESSAGES.values()}
    # What is not a message, endpoints and what was there before are no matter of one's bytes.
    beyond = {"UNVERIFIED", "NOT_A_MESSAGE", "UNKNOWN_ENDPOINT", "REPLAYED"}
    assert reached == {verdict.name for verdict in Verdict} - beyond


def test_the_record_of_the_twin_is_fresh() -> None:
    assert fuzzed.RECORD.read_text() == fuzzed.written(fuzzed.record())


@given(st.data())
def test_mutated_messages(data: st.DataObject) -> None:
    message = data.draw(
        st.one_of(st.binary(max_size=80), st.sampled_from(sorted(MESSAGES.values())))
    )
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(message)))
        gone = data.draw(st.integers(0, 2))
        message = message[:at] + data.draw(st.binary(max_size=4)) + message[at + gone :]
    fuzzed.agree(message)


def test_core_and_twin_say_the_same_of_the_corpus_of_lines() -> None:
    for data in LINES.values():
        stream = data[5:]
        ours, theirs = both()
        assert run(ours, stream) == run(theirs, stream), data
        assert told(ours) == told(theirs), data


texts = st.one_of(st.text(max_size=20), st.binary(max_size=20))


@given(st.sampled_from(sorted(SCHEMES)), texts)
def test_any_secret_is_taken_or_refused(name: str, value: Any) -> None:
    def make(hooks: Any) -> str:
        return repr(hooks.Verifier(value, scheme=SCHEMES[name]))

    said = [outcome(make, hooks) for hooks in (core(), twin())]
    assert said[0] == said[1]
    if said[0][0] != "gave":
        with pytest.raises(SecretError):
            make(core())


# Of the right types for the most part, and with any bytes.
header_names = st.one_of(
    st.sampled_from(["webhook-id", "Webhook-Timestamp", b"WEBHOOK-SIGNATURE", "webhook-signature"]),
    texts,
)
header_values = st.recursive(
    st.one_of(texts, st.sampled_from([str(NOW), "v1,", b"v1," + b"A" * 43 + b"="]), st.none()),
    lambda values: st.one_of(st.lists(values, max_size=2), st.tuples(values)),
    max_leaves=3,
)
any_headers = st.one_of(
    st.dictionaries(header_names, header_values, max_size=4),
    st.lists(st.tuples(header_names, header_values), max_size=5),
    header_values,
)
any_body = st.one_of(texts, st.none(), st.integers())


@given(any_body, any_headers, st.one_of(st.none(), st.integers(), st.floats(), texts))
def test_any_call_is_answered_or_one_of_our_exceptions(body: Any, headers: Any, now: Any) -> None:
    def check(hooks: Any) -> str:
        verdict: Verdict = hooks.Verifier(KEY, scheme="standard-webhooks").check(
            body, headers, now=now
        )
        return verdict.name

    said = [outcome(check, hooks) for hooks in (core(), twin())]
    assert said[0] == said[1]
    assert said[0][0] in ("gave", "refused") or said[0][1] in (TypeError, ValueError)
    assert said[0] != ("gave", "VALID")


# What schemes are made of, and what they are not made of.
scraps = st.sampled_from(
    ["{id}", "{timestamp}", "{body}", "{base64}", "{hex}", "{token}", "{", "}", "{}", "{id", "v1,",
     ".", ":", " ", ",", "x-id", "X-Id", "", "\0", "é", "\ud800", "a" * 300]
)  # fmt: skip
templates = st.lists(st.one_of(scraps, st.text(max_size=3)), max_size=6).map("".join)
names = st.one_of(st.sampled_from(["x-a", "x-b", "x-c"]), templates)
optional = {
    "format": st.one_of(st.sampled_from(["{base64}", "v1,{hex}", "{token}"]), templates),
    "separator": st.one_of(st.none(), st.sampled_from([" ", ",", ";"]), templates),
    "signed": st.one_of(st.sampled_from(["{body}", "{id}.{timestamp}.{body}"]), templates),
    "id": st.one_of(st.none(), names),
    "timestamp": st.one_of(st.none(), names),
    "unit": st.sampled_from(["s", "ms", ""]),
    "algorithm": st.sampled_from(["hmac-sha256", "token", "none"]),
    "key": st.sampled_from(["utf8", "base64", "hex", ""]),
    "key_prefix": st.one_of(st.none(), templates),
    "ambiguous": st.booleans(),
}


@given(names, st.fixed_dictionaries({}, optional=optional))
@fewer()
def test_any_scheme_is_refused_or_verifies_what_it_signs(
    signature: str, named: dict[str, Any]
) -> None:
    try:
        scheme = Scheme("fuzzed", signature=signature, **named)
    except SchemeError:
        return
    secret = KEY.hex()
    tolerance = "off"
    said = []
    for hooks in (core(), twin()):
        ids = {"id": "7"} if any(family.id for family in scheme.families) else {}
        times = {"timestamp": NOW} if any(family.timestamp for family in scheme.families) else {}
        made = hooks.Signer(secret, scheme=scheme).sign(BODY, **ids, **times)
        verifier = hooks.Verifier(secret, scheme=scheme, tolerance=tolerance)
        said.append((made, verifier.check(BODY, made, now=NOW).name))
        if scheme.algorithm != "token":
            assert not verifier.check(BODY + b"!", made, now=NOW)
    assert said[0] == said[1]
    assert said[0][1] == "VALID", scheme
