"""Leases: what is committed, what is given back, and what becomes of either that fails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from hookseal import Verdict
from tests.implementations import BODY, NOW, signed
from tests.recorder import Recorder, guard, verifier

__all__ = ["guard"]


def test_processing_commits(hooks: Any, guard: Any) -> None:
    ours = verifier(hooks, guard, lease=60)
    event = ours.verify(BODY, signed(), now=NOW)
    with event.processing():
        with pytest.raises(hooks.ReplayedError) as caught:
            ours.verify(BODY, signed(), now=NOW)
        assert caught.value.status_hint == 409
        assert str(caught.value) == "another copy of the message is at work: its lease runs"
    with pytest.raises(hooks.ReplayedError) as caught:
        ours.verify(BODY, signed(), now=NOW)
    assert caught.value.status_hint == 200


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_processing_releases_what_raised(hooks: Any, guard: Any, error: Any) -> None:
    ours = verifier(hooks, guard, lease=60)
    event = ours.verify(BODY, signed(), now=NOW)
    with pytest.raises(error), event.processing():
        raise error
    again = ours.verify(BODY, signed(), now=NOW)
    with again.processing():
        pass
    assert ours.check(BODY, signed(), now=NOW) is Verdict.REPLAYED


def test_without_a_lease_a_claim_is_final(hooks: Any, guard: Any) -> None:
    """At most once: what raised is not tried again."""
    ours = verifier(hooks, guard)
    event = ours.verify(BODY, signed(), now=NOW)
    with pytest.raises(ValueError, match="x"), event.processing():
        raise ValueError("x")
    assert ours.check(BODY, signed(), now=NOW) is Verdict.REPLAYED
    result = ours.verify_batch([(BODY, signed(id="msg_2"))], now=NOW)
    result.commit()
    with pytest.raises(ValueError, match=r"^claims without a lease are final: pass lease="):
        result.release()


def test_check_commits_at_once(hooks: Any) -> None:
    """Nothing could be committed later, and a lease would let the message in again."""
    guard = Recorder()
    assert verifier(hooks, guard, lease=60).check(BODY, signed(), now=NOW)
    assert [call[2] for call in guard.calls] == [(None, 601)]


def test_a_batch_commits_and_releases(hooks: Any, guard: Any) -> None:
    ours = verifier(hooks, guard, lease=60)
    messages = [(BODY, signed(id=f"msg_{number}")) for number in range(20)]
    messages.insert(3, (BODY, {}))
    result = ours.verify_batch(messages, now=NOW, keep=False)
    assert result.valid == 20
    result.release([0, -1])
    result.commit([1])
    result.commit(iter([1, 2]))
    for index in (3, -18):
        with pytest.raises(ValueError, match=r"^message 3 was refused: nothing of it was claimed$"):
            result.commit([index])
    with pytest.raises(IndexError):
        result.release([21])
    for wrong in (5, "01", b"1", {1: 2}):
        with pytest.raises(TypeError, match=r"^indices must be an iterable of whole numbers, or"):
            result.commit(wrong)
    with pytest.raises(TypeError, match=r"^index must be a whole number, not str$"):
        result.commit(["1"])
    # A mask of all that is valid would have committed the messages 0 and 1, again and again.
    with pytest.raises(TypeError, match=r"^index must be a whole number, not bool$"):
        result.commit([bool(verdict) for verdict in result])
    # The rest: what was released stays so.
    result.commit()
    again = ours.verify_batch(messages, now=NOW)
    assert again.valid_indices() == [0, 20]
    again.release()
    again.commit()
    assert ours.verify_batch(messages, now=NOW).valid_indices() == [0, 20]


def test_a_verified_of_a_batch_is_processed_alone(hooks: Any, guard: Any) -> None:
    ours = verifier(hooks, guard, lease=60)
    messages = [(BODY, signed(id=f"msg_{number}")) for number in range(3)]
    for index, event in ours.verify_batch(messages, now=NOW).accepted():
        if index == 1:
            with pytest.raises(OSError, match="disk"), event.processing():
                raise OSError("disk")
        else:
            with event.processing():
                pass
    assert ours.verify_batch(messages, now=NOW).valid_indices() == [1]


def test_what_was_given_back_alone_is_not_committed_with_the_rest(hooks: Any, guard: Any) -> None:
    """Else the work that failed would count as done, and its redelivery be refused."""
    ours = verifier(hooks, guard, lease=60)
    messages = [(BODY, signed(id=f"msg_{number}")) for number in range(4)]
    result = ours.verify_batch(messages, now=NOW)
    for index in (0, 2):
        with pytest.raises(OSError, match="disk"), result.verified(index).processing():
            raise OSError("disk")
    with result.verified(1).processing():
        pass
    result.commit()
    again = ours.verify_batch(messages, now=NOW)
    assert again.valid_indices() == [0, 2]
    # Who says so by index means it.
    with pytest.raises(OSError, match="disk"), again.verified(0).processing():
        raise OSError("disk")
    again.commit([0])
    again.release()
    assert ours.verify_batch(messages, now=NOW).valid_indices() == [2]


def test_a_commit_that_failed_can_be_tried_again(hooks: Any) -> None:
    class Flaky(Recorder):
        def commit(self, keys: Any) -> None:
            self.calls.append(("commit", list(keys), None))
            if self.error is not None:
                raise self.error

    guard = Flaky()
    ours = verifier(hooks, guard, lease=60)
    result = ours.verify_batch([(BODY, signed())], now=NOW)
    guard.error = ConnectionError("gone")
    with pytest.raises(ConnectionError):
        result.commit()
    with pytest.raises(ConnectionError), result.verified(0).processing():
        pass
    guard.error = None
    for _ in range(2):
        result.commit()
    assert len([call for call in guard.calls if call[0] == "commit"]) == 3


def test_the_token_goes_with_the_claims(hooks: Any) -> None:
    """A guard that gives a token is told which call's claims are meant."""

    class Tokens(Recorder):
        def claim(self, keys: Any, *, lease: Any, ttl: Any) -> Any:
            from hookseal import Claims

            return Claims(super().claim(keys, lease=lease, ttl=ttl), token="the token")

        def commit(self, keys: Any, *, token: Any = None) -> None:
            self.calls.append(("commit", list(keys), token))

        def release(self, keys: Any, *, token: Any = None) -> None:
            self.calls.append(("release", list(keys), token))

    guard = Tokens()
    ours = verifier(hooks, guard, lease=60)
    with ours.verify(BODY, signed(), now=NOW).processing():
        pass
    ours.verify_batch([(BODY, signed(id="msg_2"))], now=NOW).release()
    assert [(what, told) for what, _, told in guard.calls] == [
        ("claim", (60, 601)),
        ("commit", "the token"),
        ("claim", (60, 601)),
        ("release", "the token"),
    ]


def test_a_release_that_fails_hides_nothing(hooks: Any) -> None:
    class Broken(Recorder):
        def release(self, keys: Iterable[bytes]) -> None:
            raise ConnectionError("gone")

        def commit(self, keys: Iterable[bytes]) -> None:
            raise ConnectionError("gone")

    ours = verifier(hooks, Broken(), lease=60)
    event = ours.verify(BODY, signed(), now=NOW)
    with pytest.raises(ValueError, match="the work") as caught, event.processing():
        raise ValueError("the work")
    assert caught.value.__notes__ == [
        "nor could the replay guard take its claim back (ConnectionError)"
    ]
    event = ours.verify(BODY, signed(id="msg_2"), now=NOW)
    with pytest.raises(ConnectionError), event.processing():
        pass
