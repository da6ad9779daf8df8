"""What an implementation answered, in a form in which two answers can be compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hookseal import VerificationError


def _same(value: Any) -> Any:
    return value


def outcome(call: Callable[..., Any], *arguments: Any, show: Callable[[Any], Any] = _same) -> Any:
    """What a call gave. Refusals have one table of words, so their texts must be equal too;
    of a mistake of the caller's only the class."""
    try:
        value = call(*arguments)
    except VerificationError as error:
        return "refused", type(error), str(error), cause(error)
    except Exception as error:
        return "raised", type(error)
    return "gave", show(value)


def calls(*given: Callable[[], Any]) -> tuple[Callable[[], Any], ...]:
    """Calls to be made one after the other."""
    return given


def cause(error: BaseException) -> Any:
    """The class of an exception's cause."""
    return None if error.__cause__ is None else type(error.__cause__)


def verified(proof: Any) -> Any:
    """All that a ``Verified`` says."""
    return (
        proof.id,
        proof.timestamp,
        proof.secret,
        proof.endpoint,
        proof.scheme,
        proof.body,
        type(proof.body),
        proof.covers,
        proof.fresh,
        repr(proof),
    )


def batch(result: Any) -> Any:
    """All that a ``BatchResult`` says."""
    return (
        result.codes.tolist(),
        result.secrets.tolist(),
        (result.valid, result.invalid, len(result)),
        list(result.counts().items()),
        list(result.by_secret().items()),
        result.valid_indices(),
        result.invalid_indices(),
        {index: type(error) for index, error in result.errors.items()},
        [outcome(result.verified, i, show=verified) for i in range(len(result))],
        outcome(lambda: [(index, verified(proof)) for index, proof in result.accepted()]),
        outcome(result.raise_for_invalid),
        repr(result),
    )
