"""Times everything in paired rounds and writes docs/benchmarks.md.

python benches/report.py [target/benchmarks.json] [--quick] [--output FILE]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

# Run as a script, Python looks beside this file, not above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benches import cases, document, machine, memory, queue_file, startup
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
    for case in cases.quick() if options.quick else cases.every():
        _say(f"{monotonic() - start:4.0f} s  {case}")
        bare_micros.append(machine.bare_digest_micros())
        results[case] = case.run()
    _say(f"{monotonic() - start:4.0f} s  a file of messages")
    queue = queue_file.measure(quick=options.quick)
    _say(f"{monotonic() - start:4.0f} s  memory and import")
    memory_messages = 20_000 if options.quick else 1_000_000
    import_runs = 3 if options.quick else 30
    found = document.Findings(
        results=results,
        memory={keep: memory.measure(memory_messages, keep=keep) for keep in (True, False)},
        memory_messages=memory_messages,
        import_millis=startup.import_millis(import_runs),
        import_runs=import_runs,
        queue=queue,
        bare_micros=bare_micros,
        load_before=load_before,
        load_after=machine.load(),
        seconds=monotonic() - start,
        quick=options.quick,
        json=options.json,
    )
    options.output.write_text(document.render(found), encoding="utf-8")
    for figure in found.figures():
        judged = "pass" if figure.met else "MISS"
        print(f"{judged}  {figure.what}: {figure.measured}, {figure.limit}")
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("json", nargs="?", help="what pytest-benchmark wrote, to be mentioned")
    parser.add_argument("--quick", action="store_true", help="a few small cases, to try it out")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks.md")
    return parser.parse_args(arguments)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
