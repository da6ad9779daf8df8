"""Each drop-in beside its original, in paired rounds; writes docs/benchmarks-compat.md.

python benches/dropins.py [--quick] [--output FILE]

Takes a minute, and nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any, Final

# Run as a script, Python looks beside this file, not above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benches import machine, messages, paired
from benches.cases import size_name
from benches.contenders import Work
from benches.figures import Figure, ratio, short
from benches.markdown import table
from benches.messages import KIB, SECRET, MessageSet
from benches.paired import Rounds
from hookseal._core import _json_loads
from tests.mirrors import TEXT_SECRET, Side, base64_mac, dropins, genuine, hex_mac

ROOT = Path(__file__).resolve().parent.parent
SIZES: Final = (128, KIB, 16 * KIB)
HEADERS: Final = "H5"
MORE_HEADERS: Final = "H12"
COUNT: Final = 200
ROUNDS: Final = 31
ORIGINAL, OURS = "original", "hookseal.compat"

Loop = Callable[[Side, MessageSet], Work]


def _verify(name: str) -> Loop:
    def loop(side: Side, chosen: MessageSet) -> Work:
        verify, several = getattr(side, name)(SECRET).verify, chosen.messages

        def work() -> int:
            for body, headers in several:
                verify(body, headers)
            return len(several)

        return work

    return loop


def _without_json(side: Side, chosen: MessageSet) -> Work:
    verify, several = side.standard(SECRET).verify, chosen.messages

    def work() -> int:
        for body, headers in several:
            verify(body, headers, json_parse=False)
        return len(several)

    return work


def _made_each_time(side: Side, chosen: MessageSet) -> Work:
    cls, several = side.standard, chosen.messages

    def work() -> int:
        for body, headers in several:
            cls(SECRET).verify(body, headers)
        return len(several)

    return work


def _github(side: Side, chosen: MessageSet) -> Work:
    validate = side.validate_event
    several = [(body, hex_mac(body)) for body, _ in chosen.messages]

    def work() -> int:
        for body, signature in several:
            validate(body, signature=signature, secret=TEXT_SECRET)
        return len(several)

    return work


def _zoho(side: Side, chosen: MessageSet) -> Work:
    verify = side.zoho
    several = [(body.decode(), base64_mac(body)) for body, _ in chosen.messages]

    def work() -> int:
        return sum(verify(body, signature, TEXT_SECRET) for body, signature in several)

    return work


def _uplift(side: Side, chosen: MessageSet) -> Work:
    os.environ["SECRET_TOKEN"] = TEXT_SECRET
    verify = side.uplift
    several = [(body.decode(), hex_mac(body)) for body, _ in chosen.messages]

    def work() -> int:
        return sum(verify(body, signature) for body, signature in several)

    return work


JSON_CASE: Final = "`standardwebhooks`, with JSON"
NO_JSON_CASE: Final = "`standardwebhooks`, without JSON"
SVIX_CASE: Final = "`svix`"
GITHUB_CASE: Final = "`gidgethub`, the secret with each call"
CASES: Final[Mapping[str, Loop]] = {
    JSON_CASE: _verify("standard"),
    NO_JSON_CASE: _without_json,
    "`standardwebhooks`, with JSON, a `Webhook` for each message": _made_each_time,
    SVIX_CASE: _verify("svix"),
    "`svix` 1, with JSON": _verify("svix1"),
    GITHUB_CASE: _github,
    "Uplift's function": _uplift,
    "Zoho's function": _zoho,
}
# Those that read headers.
WITH_HEADERS: Final = (JSON_CASE, NO_JSON_CASE, SVIX_CASE)
# What was promised at 1 KiB.
FLOORS: Final[Mapping[str, float]] = {
    JSON_CASE: 3,
    NO_JSON_CASE: 6,
    SVIX_CASE: 6,
    GITHUB_CASE: 1.5,
}


def works(case: str, chosen: MessageSet) -> dict[str, Work]:
    """The original's loop and ours."""
    loop = CASES[case]
    return {ORIGINAL: loop(genuine(), chosen), OURS: loop(dropins("core"), chosen)}


def assert_honest(size: int, kind: str = HEADERS) -> None:
    """Fails unless both sides refuse what is forged, old, future or incomplete."""
    for side in (genuine(), dropins("core")):
        for name in ("standard", "svix", "svix1"):
            verify = getattr(side, name)(SECRET).verify
            for index, (body, headers) in enumerate(messages.bad_ones(kind, size)):
                try:
                    verify(body, headers)
                except Exception:
                    continue
                raise AssertionError(f"{name} accepts bad message {index}")


# JSON alone.


def _texts(size: int) -> bytes:
    """A few fields and one long text, as the messages have."""
    return messages.make(HEADERS, size, 1).messages[0][0]


def _fields(size: int) -> bytes:
    """Many small values, as invoices have."""
    line: dict[str, Any] = {
        "id": "li_00000001", "amount": 1999, "price": 19.99, "paid": True, "note": None,
        "tags": ["a", "b"], "name": "Größe M",
    }  # fmt: skip
    count = max(1, size // len(json.dumps(line)))
    return json.dumps({"object": "event", "lines": [line] * count}, ensure_ascii=False).encode()


JSON_BODIES: Final[Mapping[str, Callable[[int], bytes]]] = {
    "one long text": _texts,
    "many small values": _fields,
}


def _parsing(body: bytes, count: int) -> dict[str, Work]:
    loads = json.loads
    assert _json_loads(body) == loads(body.decode())

    def theirs() -> int:
        for _ in range(count):
            loads(body.decode())
        return count

    def ours() -> int:
        for _ in range(count):
            _json_loads(body)
        return count

    return {ORIGINAL: theirs, OURS: ours}


@dataclass(frozen=True)
class DropInFindings:
    """What was measured, by case and size."""

    verified: Mapping[tuple[str, int], Rounds]
    # The same with more headers, at 1 KiB.
    verified_h12: Mapping[str, Rounds]
    parsed: Mapping[tuple[str, int], Rounds]
    bare_micros: float
    seconds: float
    quick: bool

    def figures(self) -> Iterator[Figure]:
        """Promises and whether they are kept."""
        for case, floor in FLOORS.items():
            measured = self.verified[case, KIB].ratio(ORIGINAL, OURS)
            yield Figure.at_least(f"{case}, 1 KiB: faster than the original", floor, measured)

    def page(self) -> str:
        """The report."""
        return "\n".join([_HEAD, *self._facts(), *self._figures(), *self._tables()])

    def _facts(self) -> Iterator[str]:
        yield "## Command and machine\n"
        if self.quick:
            yield "- A quick run: its figures mean nothing."
        today = datetime.datetime.now(datetime.UTC).date()
        yield f"- `python benches/dropins.py`, {today}, {self.seconds:.0f} s"
        yield from (f"- {fact}" for fact in machine.facts())
        yield f"- gidgethub {version('gidgethub')}, and svix 1.84 beside svix 2"
        yield (
            "- How busy: a bare `hmac.digest` of 1 KiB took"
            f" {self.bare_micros:.2f} µs; on a quiet machine of this class less than"
            f" {machine.QUIET_MICROS}\n"
        )

    def _figures(self) -> Iterator[str]:
        yield "## Figures to judge\n"
        rows = (
            (each.what, each.limit, each.measured, "reached" if each.met else "**missed**")
            for each in self.figures()
        )
        yield table(("", "wanted", "measured", ""), rows)

    def _tables(self) -> Iterator[str]:
        yield _METHOD
        yield table(_columns("drop-in"), _rows(self.verified))
        yield _MORE_HEADERS
        rows = (
            (case, short(found.micros_of(OURS).median), ratio(found.ratio(ORIGINAL, OURS)))
            for case, found in self.verified_h12.items()
        )
        yield table(("drop-in", "1 KiB, µs", "1 KiB, ×"), rows)
        yield _JSON
        yield table(_columns("body"), _rows(self.parsed))


def _columns(first: str) -> list[str]:
    return [first, *(f"{size_name(size)}{what}" for size in SIZES for what in (", µs", ", ×"))]


def _rows(found: Mapping[tuple[str, int], Rounds]) -> Iterator[list[str]]:
    for case in dict.fromkeys(case for case, _ in found):
        row = [case]
        for size in SIZES:
            rounds = found[case, size]
            row += [short(rounds.micros_of(OURS).median), ratio(rounds.ratio(ORIGINAL, OURS))]
        yield row


_HEAD = """\
# Benchmarks of the drop-ins

Written by `make bench`; do not edit it, run it. All figures come from one machine and one run.
"""

_METHOD = """\
## Each drop-in beside its original

What the drop-in takes for a message, and how many times as long the original takes: above 1,
`hookseal` is faster. The messages are those of [benchmarks.md](benchmarks.md): H5, bodies of JSON
with one long text, all good. In each of the rounds both run once, in an order drawn anew; a cell is
the median of the ratios, with its quartiles. Before anything is timed both must refuse messages
that are forged, old, future or incomplete. Of Uplift and Zoho the original is the function of their
pages.
"""

_MORE_HEADERS = """\
The same messages of 1 KiB with H12, twelve headers in Title-Case:
"""

_JSON = """\
## JSON alone

What parsing a body takes, decoding it as UTF-8 included, and how many times as long `json.loads`
takes.
"""


def measure(*, quick: bool) -> DropInFindings:
    """Times everything."""
    start = monotonic()
    rounds, count = (2, 5) if quick else (ROUNDS, COUNT)
    bare = machine.bare_digest_micros()
    verified, verified_h12, parsed = {}, {}, {}
    for size in SIZES:
        assert_honest(size)
        chosen = messages.make(HEADERS, size, count)
        for case in CASES:
            until = monotonic() + 60
            verified[case, size] = paired.run(works(case, chosen), count, count, rounds, until)
    assert_honest(KIB, MORE_HEADERS)
    chosen = messages.make(MORE_HEADERS, KIB, count)
    for case in WITH_HEADERS:
        until = monotonic() + 60
        verified_h12[case] = paired.run(works(case, chosen), count, count, rounds, until)
    for size in SIZES:
        for name, make in JSON_BODIES.items():
            until = monotonic() + 60
            parsed[name, size] = paired.run(
                _parsing(make(size), count), count, count, rounds, until
            )
    found = (_by_case(verified), verified_h12, _by_case(parsed))
    return DropInFindings(*found, bare, monotonic() - start, quick)


def _by_case(found: dict[tuple[str, int], Rounds]) -> dict[tuple[str, int], Rounds]:
    return dict(sorted(found.items(), key=lambda item: [*CASES, *JSON_BODIES].index(item[0][0])))


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a few messages, to try it out")
    parser.add_argument("--output", type=Path, help="in the place of docs/benchmarks-compat.md")
    options = parser.parse_args(arguments)
    if options.quick and options.output is None:
        parser.error("figures of a quick run mean nothing: say with --output where to put them")
    found = measure(quick=options.quick)
    page = options.output or ROOT / "docs" / "benchmarks-compat.md"
    page.write_text(found.page(), encoding="utf-8")
    for figure in found.figures():
        judged = "reached" if figure.met else "MISSED "
        print(f"{judged}  {figure.what}: {figure.measured}, {figure.limit}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
