"""The section of the report about what no batch verifier can spare."""

from __future__ import annotations

from collections.abc import Iterator

from benches.batch_figures import BATCHES, BEYOND, SAMPLE_QUEUE, TWO_THREADS_FASTER
from benches.contenders import HOOKSEAL, STDLIB, TWO_THREADS
from benches.costs import WARM_MESSAGES
from benches.figures import ratio, short
from benches.floor import COLD_MESSAGES, HASH, TOUCH, FloorFindings, floor_of, in_floors
from benches.markdown import table
from benches.paired import Spread


def section(found: FloorFindings | None) -> str:
    """Both tables."""
    if found is None:
        return "## What stops the batch\n\nThe floor was not measured.\n"
    head = ("ns a message", "touch", "hash", "floor", "`verify_batch`", "`verify_batch` : floor")
    figures = ("", "wanted", "bound", "`verify_batch`", "")
    return "\n".join(
        [
            _METHOD,
            table(head, _nanos(found)),
            _BOUNDS,
            table(figures, _bounds(found)),
        ]
    )


def _nanos(found: FloorFindings) -> Iterator[tuple[str, ...]]:
    rows = {
        **{f"{COLD_MESSAGES:,}, 1 KiB, {name}": rounds for name, rounds in found.cold.items()},
        **{f"{WARM_MESSAGES}, 1 KiB, {n}, warm": rounds for n, rounds in found.warm.items()},
        "the sample queue": found.sample,
    }
    for words, rounds in rows.items():
        taken = [rounds.micros[TOUCH], rounds.micros[HASH], floor_of(rounds)]
        taken.append(rounds.micros[HOOKSEAL])
        nanos = [f"{Spread.of(list(each)).median * 1000:,.0f}" for each in taken]
        yield words, *nanos, ratio(in_floors(rounds, HOOKSEAL))


def _bounds(found: FloorFindings) -> Iterator[tuple[str, ...]]:
    for rival, words, limits in BATCHES:
        for headers, limit in limits.items():
            measured = found.cold[headers].ratio(rival, HOOKSEAL)
            what = f"{headers}: faster than {words}"
            yield _at_least(what, measured, limit, found.bound(headers, rival))
    for headers in found.cold:
        measured = found.cold[headers].ratio(HOOKSEAL, TWO_THREADS)
        what = f"{headers}: two threads faster than one"
        yield _at_least(what, measured, TWO_THREADS_FASTER, found.threads_bound(headers))
    what = "the sample queue: faster than the stdlib"
    measured = found.sample.ratio(STDLIB, HOOKSEAL)
    yield _at_least(what, measured, SAMPLE_QUEUE, found.sample_bound())
    for headers, limit in BEYOND.items():
        warm, bound = found.warm[headers], found.beyond_bound(headers)
        batch = zip(warm.micros[HOOKSEAL], warm.micros[HASH], strict=True)
        beyond = Spread.of([whole / hashing - 1 for whole, hashing in batch])
        cells = (f"at most {limit:g} ×", f"{ratio(bound)} ×", f"{ratio(beyond)} ×")
        what = f"{headers}, warm: all beyond hashing, of the hashing"
        yield what, *cells, _words(bound, limit, is_within=bound.median <= limit)


def _at_least(what: str, measured: Spread, limit: float, bound: Spread) -> tuple[str, ...]:
    cells = (f"at least {limit:g} ×", f"{ratio(bound)} ×", f"{short(measured.median)} ×")
    return what, *cells, _words(bound, limit, is_within=bound.median >= limit)


def _words(bound: Spread, limit: float, *, is_within: bool) -> str:
    if bound.low <= limit <= bound.high:
        return "at the bound"
    return "within the bound" if is_within else "**beyond the bound**"


_METHOD = """\
## What stops the batch

A verifier of a batch must read its messages out of Python's objects, and hash them. Each of the two
was timed alone, on one thread, in turns with `verify_batch(threads=1)` and with the rivals over
the same messages (`benches/floor.py`, `rust/binding/examples/floor.rs`):

- *touch* holds each body, goes through each dict, looks at the text of every name and at the text
  of the three values that are signed or compared, by PyO3's safe calls, and keeps nothing.
- *hash* computes HMAC-SHA-256 over the same bodies, behind heads of the same lengths, with the
  fastest kernel and a ready key, in chunks of 256, and sees no object of Python's. Of the sample
  queue it hashes once each message that cannot be judged without, however many secrets there are.

The *floor* is the sum of both within a round. It judges no timestamp, reads no signature, compares
nothing and writes nothing down. On two threads one hashes while the other looks, and then both
hash; nothing is handed over.
"""

_BOUNDS = """\
The *bound* of a figure is what it would come to if `verify_batch` took no longer than the floor.
What is wanted beyond it needs a faster way to look at Python's objects than the safe ones that were
tried, or a faster hash; what lies within it is for us to do. Where what is wanted lies between
the quartiles of its bound, it says *at the bound*. The bound of the last two rows is *touch* in
times of *hash*: the least that can come on top of the hashing.
"""
