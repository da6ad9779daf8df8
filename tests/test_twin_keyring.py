"""Core against twin: a keyring through any sequence of changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hookseal import Endpoint, VerificationError
from tests import messages
from tests.implementations import BODY, NOW, core, key, signed, twin
from tests.observation import outcome
from tests.profiles import EXAMPLES

pytest.importorskip("hookseal._core")

# Few names and keys, so that they meet.
names = st.sampled_from(["a", "b", "c"])
odd_names = st.one_of(names, names, names, st.sampled_from(["d", "", "\ud800", 5, None, b"a"]))
given_labels = st.sampled_from([None, None, None, "0", "1", "3", "old", "07", "123456789"])
asked_labels = st.sampled_from(["0", "1", "2", "3", "4", "old", "07", "z", "", "\ud800", 5, None])
overlaps = st.sampled_from(
    [
        None,
        timedelta(0),
        timedelta(seconds=1.5),
        timedelta(hours=1),
        timedelta(-1),
        5,
        timedelta.max,
    ]
)


@st.composite
def given_secrets(draw: st.DrawFn, most: int = 4) -> list[tuple[int, dict[str, Any]]]:
    """Keys by number, each with what stands beside it; the same key twice now and then."""
    given = []
    for number in draw(st.lists(st.integers(0, 5), max_size=most)):
        named = draw(messages.windows())
        if (label := draw(given_labels)) is not None:
            named["label"] = label
        given.append((number, named))
    return given


def made(hooks: Any, given: list[tuple[int, dict[str, Any]]]) -> list[Any]:
    return [hooks.Secret(key(number), **named) for number, named in given]


class Rings(RuleBasedStateMachine):
    """The same changes to a ring of each; what they raise, and what they are, must be equal."""

    @initialize(
        endpoints=st.dictionaries(names, given_secrets().filter(bool), max_size=3),
        scheme=st.sampled_from(["standard-webhooks", "github"]),
    )
    def begin(self, endpoints: dict[str, Any], scheme: str) -> None:
        def ring(hooks: Any) -> Any:
            given = {name: made(hooks, secrets) for name, secrets in endpoints.items()}
            return hooks.Keyring(given, scheme=scheme)

        rings = [outcome(ring, hooks) for hooks in (core(), twin())]
        assert rings[0][:1] == rings[1][:1]
        if rings[0][0] == "raised":
            assert rings[0] == rings[1]
            rings = [("gave", hooks.Keyring(scheme=scheme)) for hooks in (core(), twin())]
        self.rings = [(core(), rings[0][1]), (twin(), rings[1][1])]
        self.verifiers = [hooks.Verifier(ring) for hooks, ring in self.rings]

    def both(self, change: Any) -> Any:
        answers = [outcome(change, h, ring) for h, ring in self.rings]
        assert answers[0] == answers[1]
        return answers[0]

    @rule(name=odd_names, given=given_secrets(most=1), overlap=overlaps, at=st.integers(0, 2))
    def rotate(self, name: Any, given: Any, overlap: Any, at: int) -> None:
        secret = given or [(0, {})]
        self.both(
            lambda h, ring: ring.rotate(name, made(h, secret)[0], overlap=overlap, now=NOW + at - 1)
        )

    @rule(name=odd_names, given=given_secrets())
    def replace(self, name: Any, given: Any) -> None:
        self.both(lambda h, ring: ring.replace(name, made(h, given)))

    @rule(
        name=names,
        given=given_secrets(),
        scheme=st.sampled_from([None, "svix", "github", "no-such"]),
        tolerance=st.sampled_from([None, "off", 300]),
    )
    def replace_with_endpoint(self, name: str, given: Any, scheme: Any, tolerance: Any) -> None:
        if scheme == "no-such":
            given = given or [(0, {})]
        self.both(
            lambda h, ring: ring.replace(
                name, Endpoint(made(h, given), scheme=scheme, tolerance=tolerance)
            )
        )

    @rule(name=odd_names, label=asked_labels)
    def remove(self, name: Any, label: Any) -> None:
        if isinstance(name, str) and isinstance(label, str):
            self.both(lambda h, ring: ring.remove(name, label))

    @rule(name=odd_names)
    def remove_endpoint(self, name: Any) -> None:
        self.both(lambda h, ring: ring.remove_endpoint(name))

    @rule(name=odd_names)
    def ask(self, name: Any) -> None:
        self.both(lambda h, ring: ring.labels(name))
        self.both(lambda h, ring: name in ring)

    @rule(name=names, number=st.integers(0, 5), at=st.integers(NOW - 2, NOW + 3602))
    def verify(self, name: str, number: int, at: int) -> None:
        """What the ring holds is what verifies, under the label that the ring says."""
        headers = signed(key=key(number), timestamp=at)

        def ask(verifier: Any) -> Any:
            result = verifier.verify_batch([(BODY, headers)], endpoint=name, now=at)
            try:
                return list(result), result.by_secret(), repr(result.verified(0))
            except VerificationError as error:
                return list(result), result.by_secret(), str(error)

        answers = [ask(verifier) for verifier in self.verifiers]
        assert answers[0] == answers[1]

    @invariant()
    def are_equal(self) -> None:
        if not hasattr(self, "rings"):
            return
        self.both(lambda h, ring: repr(ring))
        self.both(lambda h, ring: (len(ring), ring.endpoints()))
        self.both(lambda h, ring: [ring.labels(name) for name in ring.endpoints()])
        self.both(lambda h, ring: [str(finding) for finding in ring.check()])
        self.both(lambda h, ring: ring.usage())


Rings.TestCase.settings = settings(max_examples=max(20, EXAMPLES // 20), stateful_step_count=25)
TestRings = Rings.TestCase
