"""The figures to judge about hashing many messages at once, and about batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benches import cases
from benches.cases import Case, size_name
from benches.contenders import BARE, HOOKSEAL, STANDARD_JSON, STDLIB, TWO_THREADS
from benches.costs import FEW, TOGETHER, CostFindings
from benches.figures import Figure, ratio
from benches.floor import FloorFindings
from benches.lanes import AVX512, SHANI2, SINGLE, LaneFindings
from benches.messages import KIB
from benches.paired import Rounds

# At least so many times as fast as one stream through the SHA extensions.
KERNELS = ((AVX512, KIB, 2.0), (AVX512, 16 * KIB, 2.2), (SHANI2, KIB, 1.25))
# The sizes at which the C library is to be passed.
IPSEC_SIZES = (KIB, 16 * KIB)
BATCHES = (
    (STANDARD_JSON, "`standardwebhooks` with JSON", {"H5": 22, "H12": 16}),
    (STDLIB, "the stdlib written as well as it can be", {"H5": 8, "H12": 5.5}),
    (BARE, "the bare `hmac.digest` calls alone", {"H5": 4.6, "H12": 3.4}),
)
TWO_THREADS_FASTER = 1.6
SAMPLE_QUEUE = 4.5
BEYOND = {"H5": 0.5, "H12": 0.8}
FEW_MESSAGES = 1.15
MORE_MESSAGES = 1.0
LONG_AMONG_SHORT = 1.1


def judge(
    results: Mapping[Case, Rounds],
    found: LaneFindings | None,
    costs: CostFindings,
    sample: Rounds,
    floor: FloorFindings | None,
) -> Iterator[Figure]:
    """All figures whose case was run."""
    if found is not None:
        yield from _kernels(found)
    for name, words, limits in BATCHES:
        for case in (cases.BATCH_H5, cases.BATCH_H12):
            if case in results:
                measured = results[case].ratio(name, HOOKSEAL)
                what = f"`verify_batch`, one thread, {case}: faster than {words}"
                bound = floor.bound(case.headers, name) if floor else None
                yield Figure.at_least(what, limits[case.headers], measured, bound)
    for case in (cases.BATCH_H5, cases.BATCH_H12):
        if case in results:
            measured = results[case].ratio(HOOKSEAL, TWO_THREADS)
            what = f"`verify_batch`, {case}: two threads faster than one"
            bound = floor.threads_bound(case.headers) if floor else None
            yield Figure.at_least(what, TWO_THREADS_FASTER, measured, bound)
    what = "the sample queue (all systems, mixed sizes), one thread: faster than the stdlib"
    bound = floor.sample_bound() if floor else None
    yield Figure.at_least(what, SAMPLE_QUEUE, sample.ratio(STDLIB, HOOKSEAL), bound)
    for headers, limit in BEYOND.items():
        if headers in costs.beyond:
            what = f"all that `verify_batch` does beyond hashing, 1 KiB, warm, {headers}: of the"
            bound = floor.beyond_bound(headers) if floor else None
            yield Figure.at_most(f"{what} hashing", limit, costs.beyond[headers].ratio, bound)
    yield from _small_batches(costs)
    worst = max(TOGETHER, key=lambda place: costs.long_ratio(place).median)
    what = f"one body of 1 MiB among 4,096 of 1 KiB, {worst}: of the sum of both alone"
    yield Figure.at_most(what, LONG_AMONG_SHORT, costs.long_ratio(worst))


def _kernels(found: LaneFindings) -> Iterator[Figure]:
    for kernel, size, limit in KERNELS:
        measured = found.ratio(kernel, SINGLE, size)
        if measured is not None:
            what = f"`{kernel}`, HMAC of {size_name(size)}: faster than one `sha2` stream"
            yield Figure.at_least(what, limit, measured)
    for size in IPSEC_SIZES:
        measured = found.against_ipsec(AVX512, size)
        if measured is not None:
            what = f"`{AVX512}`, HMAC of {size_name(size)}: against `intel-ipsec-mb`"
            passed = measured.median > 1
            yield Figure(what, "more than 1 ×", f"{ratio(measured)} ×", passed)


def _small_batches(costs: CostFindings) -> Iterator[Figure]:
    few = [length for length in costs.against_check if length in FEW]
    more = [length for length in costs.against_check if length not in FEW]
    for lengths, words, limit in (
        (few, "1 to 3", FEW_MESSAGES),
        (more, "4 and more", MORE_MESSAGES),
    ):
        worst = costs.worst_batch(lengths)
        if worst is not None:
            what = f"a batch of {words} (the dearest: {worst[0]}): of a loop of `check`"
            yield Figure.at_most(what, limit, worst[1])
