"""What every replay guard promises, whatever it keeps its claims in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hookseal import Claim, ClaimLostError, Claims
from tests.guards import DONE, PENDING, WON, claim, guard, key, keys, kind, wait

__all__ = ["guard", "kind", "wait"]


def test_a_claim_without_a_lease_is_final(guard: Any) -> None:
    assert claim(guard, [1, 2]) == (WON, WON)
    assert claim(guard, [2, 3]) == (DONE, WON)
    # It can be given back by nobody.
    guard.release(keys(1, 2, 3))
    assert claim(guard, [1, 2, 3]) == (DONE, DONE, DONE)


def test_a_lease_is_pending_until_it_is_committed(guard: Any) -> None:
    first = claim(guard, [1, 2, 3], lease=60)
    assert first == (WON, WON, WON)
    assert claim(guard, [1, 2, 3]) == (PENDING, PENDING, PENDING)
    guard.commit(keys(1), token=first.token)
    guard.release(keys(2), token=first.token)
    second = claim(guard, [1, 2, 3], lease=60)
    assert second == (DONE, WON, PENDING)
    # A commit that is sent twice is one; what is done stays done.
    guard.commit(keys(1), token=first.token)
    guard.release(keys(1), token=first.token)
    assert claim(guard, [1]) == (DONE,)


def test_a_key_that_is_named_twice_is_won_once(guard: Any) -> None:
    assert claim(guard, [1, 1, 2, 1]) == (WON, DONE, WON, DONE)
    assert claim(guard, [3, 1, 3], lease=60) == (WON, DONE, PENDING)


def test_no_keys(guard: Any) -> None:
    nothing = claim(guard, [], lease=60)
    assert nothing == ()
    guard.commit([], token=nothing.token)
    guard.commit([])
    guard.release([])


def test_what_claims_are(guard: Any) -> None:
    claims = claim(guard, [1], lease=60)
    assert isinstance(claims, Claims)
    assert isinstance(claims[0], Claim)
    assert claims.token is not None
    assert claim(guard, [2]).token is None


def test_without_a_token_it_is_whoever_won(guard: Any) -> None:
    claim(guard, [1, 2], lease=60)
    guard.commit(keys(1))
    guard.release(keys(2))
    assert claim(guard, [1, 2]) == (DONE, WON)
    with pytest.raises(ClaimLostError, match=r"^1 of 2 claims"):
        guard.commit(keys(1, 99))


def test_a_lapsed_lease_is_won_again_and_the_late_one_changes_nothing(
    guard: Any, wait: Callable[[], None]
) -> None:
    late = claim(guard, [1, 2, 3], lease=1)
    wait()
    assert claim(guard, [1, 2, 3], lease=60)[:2] == (WON, WON)
    guard.release(keys(1, 2), token=late.token)
    assert claim(guard, [1, 2]) == (PENDING, PENDING)
    with pytest.raises(ClaimLostError, match=r"^2 of 2 claims"):
        guard.commit(keys(1, 2), token=late.token)
    assert claim(guard, [1, 2]) == (PENDING, PENDING)


def test_a_lapsed_lease_that_nobody_took_can_be_committed(
    guard: Any, wait: Callable[[], None]
) -> None:
    late = claim(guard, [1, 2], lease=1)
    wait()
    assert claim(guard, [2], lease=60) == (WON,)
    with pytest.raises(ClaimLostError, match=r"^1 of 2 claims"):
        guard.commit(keys(1, 2), token=late.token)
    # The other one is final all the same.
    assert claim(guard, [1, 2]) == (DONE, PENDING)


def test_who_lapsed_last_may_be_committed_over(guard: Any, wait: Callable[[], None]) -> None:
    """Two leases lapsed one after the other: the first who is done has done the work."""
    first = claim(guard, [1], lease=1)
    wait()
    second = claim(guard, [1], lease=1)
    assert second == (WON,)
    wait()
    guard.commit(keys(1), token=first.token)
    assert claim(guard, [1]) == (DONE,)
    with pytest.raises(ClaimLostError, match=r"^1 of 1 claims"):
        guard.commit(keys(1), token=second.token)


def test_a_final_claim_ends(guard: Any, wait: Callable[[], None]) -> None:
    claim(guard, [1], ttl=1)
    token = claim(guard, [2], lease=60, ttl=1).token
    guard.commit(keys(2), token=token)
    assert claim(guard, [1, 2], ttl=60) == (DONE, DONE)
    wait()
    assert claim(guard, [1, 2], ttl=60) == (WON, WON)


def test_wrong_arguments(guard: Any) -> None:
    wrong: list[tuple[Any, Any, Any, type[Exception], str]] = [
        ("no keys", None, 60, TypeError, "^keys must be a sequence of keys, not str$"),
        (b"no keys", None, 60, TypeError, "^keys must be a sequence of keys, not bytes$"),
        (None, None, 60, TypeError, "^keys must be a sequence of keys, not NoneType$"),
        ([key(1), "text"], None, 60, TypeError, r"^keys\[1\] must be bytes, not str$"),
        ([b"short"], None, 60, ValueError, r"^keys\[0\] must have 16 bytes, not 5$"),
        (keys(1), 0, 60, ValueError, "^lease must lie between 1 and 315360000 seconds$"),
        (keys(1), True, 60, TypeError, "^lease must be whole seconds, not bool$"),
        (keys(1), 1.5, 60, TypeError, "^lease must be whole seconds, not float$"),
        (keys(1), None, None, TypeError, "^ttl must be whole seconds, not NoneType$"),
        (keys(1), None, 315_360_001, ValueError, "^ttl must lie between"),
    ]
    for named, lease, ttl, error, text in wrong:
        with pytest.raises(error, match=text):
            guard.claim(named, lease=lease, ttl=ttl)
    for call in (guard.commit, guard.release):
        with pytest.raises(TypeError, match=r"^token must be that of the claims"):
            call(keys(1), token="somebody else's")
        with pytest.raises(ValueError, match="16 bytes"):
            call([b""])
    assert claim(guard, [1], ttl=315_360_000) == (WON,)


def test_keys_are_read_by_their_own_type(guard: Any) -> None:
    def lies(*_: Any) -> Any:
        return 5

    names = ("__len__", "__getitem__", "__iter__", "__bytes__", "__buffer__", "hex")
    named = type("Lying", (bytes,), dict.fromkeys(names, lies))(key(1))
    assert guard.claim([named], lease=60, ttl=60) == (WON,)
    assert claim(guard, [1]) == (PENDING,)
    guard.release([named])
    assert claim(guard, [1]) == (WON,)


def test_closed(guard: Any) -> None:
    claim(guard, [1])
    guard.close()
    guard.close()
    calls: list[Callable[[], Any]] = [
        lambda: claim(guard, [2]),
        lambda: guard.commit([]),
        lambda: guard.release([]),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"^the replay guard was closed$"):
            call()


def test_it_is_true_when_it_is_empty(guard: Any) -> None:
    """``replay=guard or None`` must not leave a verifier without one."""
    assert guard
