"""The tables of batches: by size, by length, by kernel, by threads; in order and shuffled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benches import cases, kernels
from benches.cases import COUNT_OF_SIZE, COUNTS, LONG, LONG_SHUFFLED, Case, batches_of, size_name
from benches.contenders import HOOKSEAL, OWN_WAYS, PEERS
from benches.figures import ratio, short
from benches.lanes import KERNELS
from benches.markdown import table
from benches.paired import Rounds

Results = Mapping[Case, Rounds]
# A row: its words, what is timed, and the rounds of both orders, of which one may be missing.
Row = tuple[str, str, Sequence[Rounds | None]]

_HEAD = """\
## Batches

How many times as long as `verify_batch(threads=1)` the others take: above 1, `hookseal` is faster.
Each has two columns: *in order* and *shuffled*. What is shuffled has 100,000 messages, or 100 MB of
bodies where that is less; it is bound by the latency of memory, and where `hookseal` wins least.
"""


def render(results: Results) -> str:
    """All four."""
    return "\n".join(
        [
            _HEAD,
            *(_by_size(results, headers) for headers in ("H5", "H12")),
            _by_length(results),
            _by_kernel(results),
            _by_threads(results),
        ]
    )


def _both(results: Results, headers: str, size: int) -> tuple[Rounds | None, Rounds | None]:
    pair = (cases.in_order(headers, size), cases.shuffled(headers, size))
    in_order, shuffled = (results.get(case) for case in pair)
    return in_order, shuffled


def _by_size(results: Results, headers: str) -> str:
    rows: list[Row] = [
        (size_name(size), HOOKSEAL, _both(results, headers, size)) for size in COUNT_OF_SIZE
    ]
    mixed = results.get(cases.MIXED)
    if headers == cases.MIXED.headers and mixed is not None:
        rows.append((f"{size_name(cases.MIXED.size)}, 10 % bad", HOOKSEAL, (mixed, None)))
    title = f"### By size of the body, {headers}\n"
    counts = ", ".join(f"{count:,} of {size_name(size)}" for size, count in COUNT_OF_SIZE.items())
    return f"{title}\nIn order a batch has {counts}.\n\n" + _against_peers(rows)


def _by_length(results: Results) -> str:
    both = [results.get(LONG), results.get(LONG_SHUFFLED)]
    rows: list[Row] = []
    for count in COUNTS:
        name = HOOKSEAL if count == COUNTS[-1] else batches_of(count)
        rows.append((f"{count:,}", name, both))
    return (
        "### By length of the batch, 1 KiB, H5\n\nThe same 100,000 messages, cut into batches of"
        " so many; all within the same rounds.\n\n" + _against_peers(rows)
    )


def _against_peers(rows: Iterable[Row]) -> str:
    head = ["", "µs a message, in order", "shuffled"]
    for name in PEERS:
        head += [f"{name}, in order", "shuffled"]
    lines = []
    for words, name, both in rows:
        if any(rounds is not None for rounds in both):
            cells = [words, *_micros(name, both)]
            for peer in PEERS:
                cells += ["" if r is None else ratio(r.ratio(peer, name)) for r in both]
            lines.append(cells)
    return table(head, lines)


def _by_kernel(results: Results) -> str:
    import hookseal

    used = hookseal.kernel()
    named = {kernel: kernels.name_of(kernel) for kernel in KERNELS if kernel != used}
    head = ["", f"{used}, µs, in order", "shuffled"]
    lines = []
    present: dict[str, str] = {}
    pairs = {size: _both(results, "H5", size) for size in COUNT_OF_SIZE}
    for both in pairs.values():
        for rounds in both:
            if rounds is not None:
                present |= {k: name for k, name in named.items() if name in rounds.micros}
    for kernel in present:
        head += [f"{kernel}, in order", "shuffled"]
    for size, both in pairs.items():
        if any(rounds is not None for rounds in both):
            cells = [size_name(size), *_micros(HOOKSEAL, both)]
            for name in present.values():
                cells += _ratios(name, HOOKSEAL, both)
            lines.append(cells)
    return (
        f"### By kernel, H5\n\nHow many times as long as with `{used}`, which is in use here, it"
        " takes with each of the others, forced with `HOOKSEAL_KERNEL` in processes that take their"
        " turns in the same rounds.\n\n" + table(head, lines)
    )


def _by_threads(results: Results) -> str:
    head = ["", "one thread, µs, in order", "shuffled"]
    for name in OWN_WAYS:
        head += [f"{name.removeprefix(HOOKSEAL + ', ')}, in order", "shuffled"]
    lines = []
    for headers in ("H5", "H12"):
        for size in COUNT_OF_SIZE:
            both = _both(results, headers, size)
            if any(rounds is not None for rounds in both):
                cells = [f"{size_name(size)}, {headers}", *_micros(HOOKSEAL, both)]
                for name in OWN_WAYS:
                    cells += _ratios(HOOKSEAL, name, both)
                lines.append(cells)
    return (
        "### By number of threads\n\nHow many times as fast as `verify_batch(threads=1)` these are:"
        " `verify_batch` with other threads, and a loop of `verify`.\n\n" + table(head, lines)
    )


def _micros(name: str, both: Sequence[Rounds | None]) -> list[str]:
    return ["" if rounds is None else short(rounds.micros_of(name).median) for rounds in both]


def _ratios(name: str, base: str, both: Sequence[Rounds | None]) -> list[str]:
    return [
        "" if rounds is None or name not in rounds.micros else ratio(rounds.ratio(name, base))
        for rounds in both
    ]
