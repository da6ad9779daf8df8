"""``verify_columns``: the verdicts of ``verify_batch``, of messages that are held as columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookseal import Verdict
from tests import messages
from tests.implementations import NOW, SECRET, core, signed, twin
from tests.messages import SCHEMES
from tests.observation import batch, outcome
from tests.profiles import fewer
from tests.vector_rows import each_implementation, module

pytest.importorskip("hookseal._core")

COLUMNS = ("ids", "timestamps", "signatures")


@pytest.fixture(autouse=True, scope="module")
def stopped_clock() -> Iterator[None]:
    """Not the ``clock`` of conftest.py: a property has no fixture for each of its examples."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: NOW + 0.75)
        yield


def names_of(scheme: Any) -> tuple[str | None, str | None, str]:
    """The headers of a scheme's first family, in the order of ``COLUMNS``."""
    family = scheme.families[0]
    return family.id, family.timestamp, family.signature


# What may stand in a column: what a header may be, and what it may not.
values = st.one_of(
    messages.hostile_texts,
    st.none(),
    st.lists(messages.hostile_texts, max_size=2),
    st.sampled_from([5, b"x", object, ("a", 5)]),
)


@fewer(4)
@given(st.data())
def test_columns_are_the_batch(data: st.DataObject) -> None:
    """Core and twin, columns and headers: one word, whatever stands in the columns."""
    is_ring = data.draw(st.booleans())
    first = SCHEMES[data.draw(messages.scheme_names)]
    second = SCHEMES[data.draw(messages.scheme_names)]
    by_name: dict[str | None, Any] = {"a": first, "b": second} if is_ring else {None: first}
    specs = {name: data.draw(messages.specs(most=2)) for name in by_name}
    endpoints: list[str | None] = []
    rows: list[Any] = []
    items: list[Any] = []
    for _ in range(data.draw(st.integers(0, 20))):
        name = data.draw(st.sampled_from(sorted(by_name, key=str)))
        scheme = by_name[name]
        draft = data.draw(messages.drafts(scheme, specs[name]))
        found = {str(key).lower(): value for key, value in draft.headers}
        row = [None if key is None else found.get(key) for key in names_of(scheme)]
        if data.draw(st.integers(0, 3)) == 0:
            row[data.draw(st.integers(0, 2))] = data.draw(values)
        order = (2, 0, 1)
        headers = [(names_of(scheme)[at], row[at]) for at in order if names_of(scheme)[at]]
        endpoints.append(name)
        rows.append((*row, draft.body))
        items.append((draft.body, headers))
    is_lost: bool = data.draw(st.booleans())
    if is_ring and rows and is_lost:
        endpoints[0] = "nowhere"
    columns: list[Any] = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    given: dict[str, Any] = {"endpoint": endpoints} if is_ring else {}

    said = []
    for hooks in (core(), twin()):

        def make(hooks: Any) -> Any:
            made = {
                name: [spec.make(hooks, by_name[name]) for spec in specs[name]] for name in by_name
            }
            if is_ring:
                from hookseal import Endpoint

                ring = {name: Endpoint(made[name], scheme=by_name[name]) for name in made}
                return hooks.Verifier(hooks.Keyring(ring))
            return hooks.Verifier(made[None], scheme=first)

        verifier = outcome(make, hooks)
        if verifier[0] != "gave":
            return
        as_columns = outcome(
            lambda it: it.verify_columns(*columns, **given), verifier[1], show=batch
        )
        as_batch = outcome(lambda it: it.verify_batch(items, **given), verifier[1], show=batch)
        assert as_columns == as_batch
        said.append(as_columns)
    assert said[0] == said[1]


def columns_of(count: int) -> tuple[list[Any], list[Any], list[Any], list[bytes]]:
    rows = []
    for number in range(count):
        body = b"%d" % number * (number % 50)
        headers = signed(body, id=f"msg_{number}")
        rows.append(
            (*(headers[f"webhook-{part}"] for part in ("id", "timestamp", "signature")), body)
        )
    ids, timestamps, signatures, bodies = (list(column) for column in zip(*rows, strict=True))
    return ids, timestamps, signatures, bodies


@each_implementation
@pytest.mark.parametrize("threads", [1, 2, None])
def test_thousands(implementation: str, threads: int | None) -> None:
    columns = columns_of(2_000)
    columns[3][7] += b"x"
    result = module(implementation).Verifier(SECRET).verify_columns(*columns, threads=threads)
    assert result.invalid_indices() == [7]
    assert result.verified(1_999).id == "msg_1999"
    assert result.verified(1_999).body == columns[3][1_999]


@each_implementation
def test_what_a_scheme_does_not_sign_is_not_looked_at(implementation: str) -> None:
    verifier = module(implementation).Verifier("token", scheme="shared-token")
    result = verifier.verify_columns([5, 5], None, ["token", "other"], [b"", b""])
    assert list(result) == [Verdict.VALID, Verdict.SIGNATURE_MISMATCH]
    unsigned_columns = (None, None, None, [b"a"])
    with pytest.warns(UserWarning, match="accepts every message"):
        unsigned = module(implementation).Verifier.unsigned(reason="a test")
    assert unsigned.verify_columns(*unsigned_columns).valid == 1


@each_implementation
def test_a_column_that_is_not_there(implementation: str) -> None:
    ids, timestamps, signatures, bodies = columns_of(3)
    verifier = module(implementation).Verifier(SECRET)
    for columns in (
        (None, timestamps, signatures, bodies),
        (ids, None, signatures, bodies),
        (ids, timestamps, None, bodies),
        (ids, [None, "", " "], signatures, bodies),
    ):
        assert set(verifier.verify_columns(*columns)) == {Verdict.MISSING_HEADER}


@each_implementation
def test_one_bad_value_sinks_no_batch(implementation: str) -> None:
    ids, timestamps, signatures, bodies = columns_of(4)
    bad: list[Any] = list(bodies)
    ids[1], bad[2] = 5, 5
    result = (
        module(implementation).Verifier(SECRET).verify_columns(ids, timestamps, signatures, bad)
    )
    assert list(result)[1:3] == [Verdict.NOT_A_MESSAGE] * 2
    assert result.valid_indices() == [0, 3]
    assert str(result.errors[1]).startswith("header 'webhook-id' must be ")
    assert str(result.errors[2]).startswith("body must be ")


# Misuse.


@each_implementation
def test_columns_of_other_lengths_and_types(implementation: str) -> None:
    ids, timestamps, signatures, bodies = columns_of(3)
    verifier = module(implementation).Verifier(SECRET)
    good = {"ids": ids, "timestamps": timestamps, "signatures": signatures, "bodies": bodies}
    for name in COLUMNS:
        with pytest.raises(ValueError, match=f"^{name} has 2 elements for 3 messages$"):
            verifier.verify_columns(**{**good, name: good[name][:2]})
        for wrong in ("text", b"text", 5, {"a": 1}, iter(ids)):
            with pytest.raises(TypeError, match=f"^{name} must be a sequence with the value of"):
                verifier.verify_columns(**{**good, name: wrong})
    with pytest.raises(TypeError, match=r"^bodies must be an iterable of bodies, not bytes$"):
        verifier.verify_columns(ids, timestamps, signatures, b"one body")
    with pytest.raises(TypeError, match="endpoint is for a verifier with a Keyring"):
        verifier.verify_columns(**good, endpoint="a")
