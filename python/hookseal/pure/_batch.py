"""Batches: many messages judged one by one, and what can be asked of the result."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from operator import index as as_index
from typing import NoReturn, TypeVar, cast, final, overload

from hookseal._errors import refusal
from hookseal._instant import seconds
from hookseal._verdict import Verdict
from hookseal.pure._arguments import drained, each, instants, require_threads
from hookseal.pure._body import NOT_UTF8
from hookseal.pure._call import Call, Reading, Rules
from hookseal.pure._items import read_item
from hookseal.pure._judgement import Judgement
from hookseal.pure._sealed import Sealed, put
from hookseal.pure._tally import Tally
from hookseal.pure._verified import Verified, verified
from hookseal.types import Instant

T = TypeVar("T")


@final
class BatchResult(Sealed):
    """The verdicts of a batch, in the order of its messages."""

    __slots__ = ("_by_secret", "_codes", "_errors", "_judgements", "_secrets", "_unsigned")

    _codes: bytes
    _secrets: bytes
    _errors: dict[int, Exception]
    _by_secret: dict[str, int] | dict[tuple[str, str], int]
    _judgements: list[Judgement] | None
    _unsigned: bool

    @property
    def codes(self) -> memoryview:
        """The numbers of the verdicts."""
        return memoryview(self._codes).cast("b")

    @property
    def secrets(self) -> memoryview:
        """The position of the secret that matched each message, -1 where none did."""
        return memoryview(self._secrets).cast("b")

    @property
    def valid(self) -> int:
        """How many messages are valid."""
        return self._codes.count(Verdict.VALID)

    @property
    def invalid(self) -> int:
        """How many messages were refused."""
        return len(self._codes) - self.valid

    @property
    def errors(self) -> dict[int, Exception]:
        """Why the items that are not messages could not be read, by index."""
        return dict(self._errors)

    def counts(self) -> dict[Verdict, int]:
        """How often each verdict occurs; only those that do."""
        return {Verdict(code): many for code, many in sorted(Counter(self._codes).items())}

    def by_secret(self) -> dict[str, int] | dict[tuple[str, str], int]:
        """How many messages each secret matched. A zero is the evidence that one is unused."""
        return self._by_secret.copy()

    def valid_indices(self) -> list[int]:
        """The indices of the valid messages."""
        return [index for index, code in enumerate(self._codes) if code == Verdict.VALID]

    def invalid_indices(self) -> list[int]:
        """The indices of the refused messages."""
        return [index for index, code in enumerate(self._codes) if code != Verdict.VALID]

    def verified(self, index: int) -> Verified:
        """The verified message of that index, or raises the item's exception."""
        position = range(len(self._codes))[index]
        verdict = Verdict(self._codes[position])
        if self._judgements is None:
            if verdict is Verdict.VALID:
                raise ValueError("verified messages were not kept: the batch had keep=False")
            raise refusal(verdict) from self._errors.get(position)
        judgement = self._judgements[position]
        if judgement.accepted is None:
            raise judgement.exception() from self._errors.get(position)
        return verified(judgement.accepted)

    def accepted(self) -> Iterator[tuple[int, Verified]]:
        """The valid messages with their indices."""
        return ((index, self.verified(index)) for index in self.valid_indices())

    def partition(self, messages: Sequence[T]) -> tuple[list[T], list[T]]:
        """Splits the messages, or anything as long, into valid and refused."""
        if len(messages) != len(self._codes):
            raise ValueError(
                f"messages has {len(messages)} entries for {len(self._codes)} verdicts"
            )
        good: list[T] = []
        bad: list[T] = []
        for code, message in zip(self._codes, messages, strict=True):
            (good if code == Verdict.VALID else bad).append(message)
        return good, bad

    def raise_for_invalid(self) -> None:
        """Raises the exception of the first refused message, if there is one."""
        for index, code in enumerate(self._codes):
            if code != Verdict.VALID:
                try:
                    self.verified(index)
                except Exception as error:
                    error.add_note(
                        f"message {index} is the first of {self.invalid} refused,"
                        f" in a batch of {len(self._codes)}"
                    )
                    raise

    def __len__(self) -> int:
        return len(self._codes)

    @overload
    def __getitem__(self, index: int, /) -> Verdict: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[Verdict]: ...
    def __getitem__(self, index: int | slice, /) -> Verdict | list[Verdict]:
        if isinstance(index, slice):
            return [Verdict(code) for code in self._codes[index]]
        return Verdict(self._codes[as_index(index)])

    def __iter__(self) -> Iterator[Verdict]:
        return map(Verdict, self._codes)

    def __bool__(self) -> NoReturn:
        raise TypeError("a BatchResult is neither true nor false: ask for valid, invalid or len()")

    def __repr__(self) -> str:
        unsigned = "UNSIGNED, " if self._unsigned else ""
        return f"BatchResult({unsigned}valid={self.valid}, invalid={self.invalid})"


def verify_batch(
    rules: Rules,
    messages: object,
    endpoint: object,
    received_at: object,
    now: Instant | None,
    threads: object,
    keep: object,
) -> BatchResult:
    """Judges every message as ``check`` would; the arguments are those of ``Verifier``."""
    call = Call(rules)
    items = drained(messages, "messages")
    endpoints = _endpoints(call, endpoint, len(items))
    arrivals = instants(received_at, "received_at", len(items))
    call.now = None if now is None else seconds(now, "now")
    require_threads(threads)
    if not isinstance(keep, bool):
        raise TypeError(f"keep must be a bool, not {type(keep).__name__}")

    tally = Tally(rules.state)
    codes, positions = bytearray(), array("b")
    errors: dict[int, Exception] = {}
    judgements: list[Judgement] | None = [] if keep else None
    for index, item in enumerate(items):
        try:
            reading, arrival = _read(call, item, endpoints[index], arrivals[index])
        except MemoryError:
            raise
        except Exception as error:
            # This frame holds the whole batch; the traceback goes on below it.
            beneath = error.__traceback__.tb_next if error.__traceback__ else None
            errors[index] = error.with_traceback(beneath)
            judgement = Judgement(Verdict.NOT_A_MESSAGE)
        else:
            at = call.instant(reading, arrival)
            judgement = call.judge(reading, at)
            tally.note(reading, at, judgement.position)
        codes.append(judgement.verdict)
        positions.append(judgement.position)
        if judgements is not None:
            judgements.append(judgement)

    result = object.__new__(BatchResult)
    put(result, "_codes", bytes(codes))
    put(result, "_secrets", positions.tobytes())
    put(result, "_errors", errors)
    put(result, "_by_secret", tally.by_secret())
    put(result, "_judgements", judgements)
    put(result, "_unsigned", rules.reason is not None)
    return result


def _read(
    call: Call, item: object, endpoint: str | None, arrival: int | None
) -> tuple[Reading, int | None]:
    body, headers, own_endpoint, own_arrival = read_item(item)
    if own_endpoint is not None:
        endpoint = own_endpoint
    reading = call.read(body, headers, endpoint)
    if reading.body is None:
        raise ValueError(NOT_UTF8)
    return reading, arrival if own_arrival is None else own_arrival


def _endpoints(call: Call, endpoint: object, count: int) -> list[str | None]:
    if endpoint is None or isinstance(endpoint, str):
        return [call.endpoint(endpoint)] * count
    # A sequence says that there are endpoints, even one that names none.
    call.endpoint("", "endpoint")
    return cast(list[str | None], each(endpoint, "endpoint", count, call.endpoint))
