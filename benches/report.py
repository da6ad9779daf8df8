"""Times all in paired rounds; writes docs/benchmarks.md, its plots, and the figures of README.md.

python benches/report.py [target/benchmarks.json] [--quick] [--output FILE] [--readme FILE]

Takes ten minutes, and nothing else should run meanwhile. Nothing is written before the end.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

# Run as a script, Python looks beside this file, not above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benches import (
    cases,
    costs,
    document,
    floor,
    lanes,
    machine,
    memory,
    plots,
    programs,
    queue_file,
    readme,
    sample_queue,
    startup,
    tenants,
)
from benches.apart import apart
from benches.cases import Case
from benches.paired import Rounds

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    options = _options(arguments)
    start = monotonic()
    load_before = machine.load()
    bare_micros = []
    results: dict[Case, Rounds] = {}
    _say(start, "building the programs")
    built = programs.build()
    for case in cases.quick() if options.quick else cases.every():
        _say(start, str(case))
        bare_micros.append(machine.bare_digest_micros())
        results[case] = apart(case.run)
    _say(start, "the kernels alone")
    kernels = apart(lanes.measure, built, quick=options.quick)
    _say(start, "what a batch costs besides hashing")
    besides = apart(costs.measure, built, quick=options.quick)
    _say(start, "the sample queue")
    sampled = sample_queue.SampleQueue.read()
    sample = apart(sample_queue.measure, sampled, quick=options.quick)
    _say(start, "what stops the batch")
    least = apart(floor.measure, built, sampled, quick=options.quick)
    _say(start, "a file of messages")
    queue = queue_file.measure(quick=options.quick)
    _say(start, "many tenants")
    many = apart(tenants.measure, quick=options.quick)
    _say(start, "memory and start-up")
    memory_messages = 20_000 if options.quick else 1_000_000
    found = document.Findings(
        results=results,
        lanes=kernels,
        missing=built.missing,
        costs=besides,
        sample=sample,
        floor=least,
        memory={keep: memory.measure(memory_messages, keep=keep) for keep in (True, False)},
        memory_messages=memory_messages,
        starts=startup.measure(3 if options.quick else 30),
        queue=queue,
        tenants=many,
        bare_micros=bare_micros,
        load_before=load_before,
        load_after=machine.load(),
        seconds=monotonic() - start,
        quick=options.quick,
        json=options.json,
    )
    plotted = plots.write(options.output.with_suffix(""), results, kernels)
    options.output.write_text(document.render(found, plotted), encoding="utf-8")
    if options.readme:
        readme.write(options.readme, results)
    for figure in found.figures():
        judged = "reached" if figure.met else "MISSED "
        print(f"{judged}  {figure.what}: {figure.measured}, {figure.limit}")
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("json", nargs="?", help="what pytest-benchmark wrote, to be mentioned")
    parser.add_argument("--quick", action="store_true", help="a few small cases, to try it out")
    parser.add_argument("--output", type=Path, help="the page, in the place of docs/benchmarks.md")
    parser.add_argument("--readme", type=Path, help="the file whose figures are written anew")
    options = parser.parse_args(arguments)
    if options.output is None:
        if options.quick:
            parser.error("figures of a quick run mean nothing: say with --output where to put them")
        options.output = ROOT / "docs" / "benchmarks.md"
        options.readme = options.readme or ROOT / "README.md"
    return options


def _say(start: float, line: str) -> None:
    print(f"{monotonic() - start:4.0f} s  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
