"""Core against twin: the same words for every message, whatever was done to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookseal import Endpoint, Message, Verdict
from tests import messages
from tests.implementations import NOW, core, twin
from tests.messages import SCHEMES, Draft, Spec
from tests.observation import batch, outcome, verified
from tests.profiles import fewer

pytest.importorskip("hookseal._core")

# Standard Webhooks and svix have the most rules, so they come more often.
names = st.one_of(st.sampled_from(["standard-webhooks", "svix"]), messages.scheme_names)


@pytest.fixture(autouse=True, scope="module")
def stopped_clock() -> Iterator[None]:
    """Not the ``clock`` of conftest.py: a property has no fixture for each of its examples."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: NOW + 0.75)
        yield


class World:
    """A verifier as it is described to both implementations."""

    def __init__(self, draw: st.DrawFn, *, is_ring: bool) -> None:
        self.is_ring = is_ring
        self.scheme = SCHEMES[draw(names)]
        self.specs = draw(messages.specs())
        self.tolerance = draw(messages.tolerances(self.scheme))
        self.limit = draw(st.sampled_from([*[None] * 9, 0, 14, 64]))
        self.others: dict[str, tuple[Any, list[Spec], Any]] = {}
        if is_ring:
            self.limit = None
            for name in draw(st.lists(st.sampled_from("bcd"), unique=True, max_size=3)):
                scheme = SCHEMES[draw(names)] if draw(st.booleans()) else self.scheme
                tolerance = draw(messages.tolerances(scheme))
                self.others[name] = scheme, draw(messages.specs(most=3)), tolerance

    def verifier(self, hooks: Any) -> Any:
        secrets = [spec.make(hooks, self.scheme) for spec in self.specs]
        common = {"tolerance": self.tolerance, "max_body_bytes": self.limit}
        if not self.is_ring:
            return hooks.Verifier(secrets, scheme=self.scheme, **common)
        endpoints: dict[str, Any] = {"a": secrets}
        for name, (scheme, specs, tolerance) in self.others.items():
            given = [spec.make(hooks, scheme) for spec in specs]
            endpoints[name] = Endpoint(given, scheme=scheme, tolerance=tolerance)
        return hooks.Verifier(hooks.Keyring(endpoints, scheme=self.scheme), **common)

    def draft(self, draw: Any) -> Draft:
        name = draw(st.sampled_from(["a", "a", *self.others]))
        scheme, specs, _ = self.others.get(name, (self.scheme, self.specs, None))
        draft: Draft = draw(messages.drafts(scheme, specs))
        if self.is_ring:
            draft.endpoint = draw(st.sampled_from([*[name] * 12, "z", None, "", "\ud800"]))
        return draft


@st.composite
def worlds(draw: st.DrawFn, *, is_ring: bool) -> World:
    return World(draw, is_ring=is_ring)


def agree_on_one(world: World, draft: Draft) -> None:
    verifiers = [outcome(world.verifier, hooks) for hooks in (core(), twin())]
    assert verifiers[0][:1] == verifiers[1][:1]
    if verifiers[0][0] != "gave":
        assert verifiers[0] == verifiers[1]
        return
    ours, theirs = verifiers[0][1], verifiers[1][1]
    assert repr(ours) == repr(theirs)

    named = draft.arguments()

    def check(verifier: Any) -> Any:
        return verifier.check(draft.body, draft.shaped(), **named)

    def verify(verifier: Any) -> Any:
        return verifier.verify(draft.body, draft.shaped(), **named)

    def verify_batch(verifier: Any) -> Any:
        return verifier.verify_batch([(draft.body, draft.shaped())], **named)

    checks = [outcome(check, verifier) for verifier in (ours, theirs)]
    assert checks[0] == checks[1]
    proofs = [outcome(verify, verifier, show=verified) for verifier in (ours, theirs)]
    assert proofs[0] == proofs[1]
    results = [outcome(verify_batch, verifier, show=batch) for verifier in (ours, theirs)]
    assert results[0] == results[1]

    # The laws that bind the three ways to ask.
    if checks[0][0] == "gave":
        verdict = checks[0][1]
        assert type(verdict) is Verdict
        assert (proofs[0][0] == "gave") is bool(verdict)
        if proofs[0][0] == "refused":
            assert proofs[0][1].verdict is verdict
        assert results[0][1][0] == [verdict]
    else:
        assert proofs[0] == checks[0]


@given(st.data(), st.booleans())
def test_one_message(data: st.DataObject, is_ring: bool) -> None:
    """The main property: EXAMPLES messages."""
    world = data.draw(worlds(is_ring=is_ring))
    agree_on_one(world, world.draft(data.draw))


@fewer()
@given(st.data(), st.booleans(), st.booleans(), st.sampled_from([None, 1, 2]))
def test_many_messages(data: st.DataObject, is_ring: bool, keep: bool, threads: int | None) -> None:
    world = data.draw(worlds(is_ring=is_ring))
    drafts = [world.draft(data.draw) for _ in range(data.draw(st.integers(0, 5)))]
    for draft in drafts:
        if any(draft.received_at is wrong for wrong in messages.WRONG_INSTANTS):
            draft.received_at = None
    # More than a handful are read by other ways.
    drafts *= data.draw(st.sampled_from([1, 11]))
    endpoints = [draft.endpoint for draft in drafts] if is_ring else None
    received_at = [draft.received_at for draft in drafts]
    as_messages = data.draw(st.booleans())

    def ask(hooks: Any) -> Any:
        items: list[Any] = [
            Message(d.body, d.shaped(), endpoint=d.endpoint, received_at=d.received_at)
            if as_messages
            else (d.body, d.shaped())
            for d in drafts
        ]
        named: dict[str, Any] = {} if as_messages else {"endpoint": endpoints}
        if not as_messages:
            named["received_at"] = received_at
        return world.verifier(hooks).verify_batch(
            items, now=NOW, keep=keep, threads=threads, **named
        )

    answers = [outcome(ask, hooks, show=batch) for hooks in (core(), twin())]
    assert answers[0] == answers[1]


@fewer(2)
@given(
    st.data(),
    names,
    st.lists(st.integers(0, 9), min_size=1, max_size=8, unique=True),
    messages.bodies,
)
def test_against_the_standard_library(
    data: st.DataObject, name: str, numbers: list[int], body: bytes
) -> None:
    """What hmac signed is accepted, at the position of its secret; one bit more is not."""
    scheme = SCHEMES[name]
    at = NOW + data.draw(st.integers(-30, 30))
    position = data.draw(st.integers(0, len(numbers) - 1))
    id = data.draw(
        messages.ids.filter(
            lambda id: id == id.strip(" ") != "" and not set(id) & set(scheme.id_forbidden)
        )
    )
    draft = messages.good(scheme, [numbers[position]], body, id, at)
    damaged = Draft(body, list(draft.headers))
    flip: Any = messages.flip_value if "body" not in scheme.covers else messages.flip_body
    flip(data.draw, damaged, scheme)
    for hooks in (core(), twin()):
        secrets = [messages.key_of(number, scheme) for number in numbers]
        verifier = hooks.Verifier(secrets, scheme=scheme)
        result = verifier.verify_batch([(body, draft.headers)], now=NOW)
        assert list(result) == [Verdict.VALID]
        assert result.secrets.tolist() == [position]
        proof = verifier.verify(body, dict(draft.headers), now=NOW)
        assert proof.secret == str(position)
        assert proof.body == body
        assert proof.id == (None if scheme.id is None else id)
        assert proof.timestamp == (None if scheme.timestamp is None else at)
        if (damaged.body, damaged.headers) != (body, draft.headers):
            assert not verifier.check(damaged.body, damaged.headers, now=NOW)
