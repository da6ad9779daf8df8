"""Make the sample queue of `make demo`: queue.jsonl, and queue.expected.json beside it.

    python examples/make_queue.py [FOLDER [--count N] [--scheme S] [--genuine] [--now T] [--span S]]

Each line of the queue is a webhook as a receiver stored it: the endpoint it came to, its headers,
its body, and when it arrived; `hookseal verify-batch` reads such files. Of 100 messages 90 are
good, 6 of them by a secret that is being rotated out; 3 are forged, 3 were too old when they
arrived, 3 are malformed, and one good message came twice.

What becomes of each message is settled before anything is signed, and the expected counts are
added up from there: hookseal is not asked. The same options make the same bytes. Lines are
written as they are made, so that a file may have any length.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

# Run as a script, Python looks beside this file, not above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from examples.deliveries import Delivery, write_line
from examples.faults import FORGED, GOOD, MALFORMED, STALE, WINDOW_SECONDS, Way, Ways

HERE = Path(__file__).resolve().parent
SEED = 20261120
COUNT = 2000
NOW = 1795176000  # 2026-11-20 12:00 UTC, when the queue is verified
SPAN_SECONDS = 6 * 3600  # before that, in which its messages arrived

# What becomes of 100 messages.
SHARES = {"new": 84, "old": 6, "forged": 3, "stale": 3, "malformed": 3, "twice": 1}
FAULTS: dict[str, Ways] = {"forged": FORGED, "stale": STALE, "malformed": MALFORMED}
RECENT_LINES = 50  # from which the next one that comes twice is drawn
UNUSUAL_SHARE = 0.02  # of the good messages
RETIRED_SHARE = 0.2  # of the forged ones, once a secret has come to its end

NEW, OLD = "2026-11", "2026-05"
ENDPOINTS: dict[str, Any] = tomllib.loads((HERE / "keyring.toml").read_text())["endpoints"]
# Where the rotation has an end, and when that is (Unix seconds).
ENDING = "globex/standard-webhooks"
END: float = ENDPOINTS[ENDING]["secrets"][1]["not_after"].timestamp()
# How busy the endpoints are.
WEIGHTS = {
    "acme/standard-webhooks": 20,
    "acme/svix": 9,
    "acme/uplift": 12,
    "acme/zoho-projects": 8,
    "acme/shared-token": 4,
    "globex/standard-webhooks": 11,
    "globex/uplift": 8,
    "globex/zoho-projects": 7,
    "globex/shared-token": 4,
    "initech/standard-webhooks": 6,
    "initech/svix": 3,
    "initech/uplift": 3,
    "initech/zoho-projects": 4,
    "initech/shared-token": 2,
}


@cache
def scheme_of(endpoint: str) -> str:
    """The scheme of an endpoint, which is the keyring's default where it names none."""
    return str(ENDPOINTS[endpoint].get("scheme", "standard-webhooks"))


@cache
def secrets_of(endpoint: str) -> dict[str, str]:
    """The endpoint's secrets by label, in the order in which a verifier tries them."""
    return {secret["label"]: secret["value"] for secret in ENDPOINTS[endpoint]["secrets"]}


class Tally:
    """The counts that a run over the queue is to find."""

    def __init__(self, now: int, endpoints: Sequence[str]) -> None:
        self.now = now
        # In the order of judgement.
        self.verdicts = dict.fromkeys([*GOOD, *MALFORMED, *STALE, *FORGED], 0)
        self.endpoints = {endpoint: {"valid": 0, "refused": 0} for endpoint in endpoints}
        self.secrets: dict[str, dict[str, dict[str, int | None]]] = {
            endpoint: {
                label: {"matched": 0, "first": None, "last": None} for label in secrets_of(endpoint)
            }
            for endpoint in endpoints
        }

    def valid(self, endpoint: str, label: str, at: int) -> None:
        """A message is good, by that secret, judged at that moment."""
        self.verdicts["VALID"] += 1
        self.endpoints[endpoint]["valid"] += 1
        entry = self.secrets[endpoint][label]
        first, last = entry["first"], entry["last"]
        entry["matched"] = (entry["matched"] or 0) + 1
        entry["first"] = at if first is None else min(first, at)
        entry["last"] = at if last is None else max(last, at)

    def refused(self, endpoint: str | None, verdict: str) -> None:
        """A message is refused; no endpoint: it names none of the ring."""
        self.verdicts[verdict] += 1
        if endpoint is not None:
            self.endpoints[endpoint]["refused"] += 1

    def report(self) -> dict[str, Any]:
        """What queue.expected.json holds: the endpoints that have messages, and all of those."""
        seen = [name for name, counts in self.endpoints.items() if any(counts.values())]
        return {
            "now": self.now,
            "messages": sum(self.verdicts.values()),
            "verdicts": {verdict: count for verdict, count in self.verdicts.items() if count},
            "endpoints": {name: self.endpoints[name] for name in seen},
            "secrets": {name: self.secrets[name] for name in seen},
        }


class Repeatable(NamedTuple):
    """A line that may come twice, and what it counts for."""

    line: str
    endpoint: str
    at: int


class Queue:
    """Makes the lines, in order of arrival, and adds up what they are."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._rng = Random(SEED)
        self._count: int = options.count
        self._now: int = options.now
        self._span: int = options.span
        self._genuine: bool = options.genuine
        self._endpoints = [
            endpoint for endpoint in ENDPOINTS if options.scheme in {None, scheme_of(endpoint)}
        ]
        self._by_scheme: dict[str, list[str]] = {}
        for endpoint in self._endpoints:
            self._by_scheme.setdefault(scheme_of(endpoint), []).append(endpoint)
        self._unusual = _taking_turns(GOOD, self._by_scheme)
        self._faults = {kind: _taking_turns(ways, self._by_scheme) for kind, ways in FAULTS.items()}
        self._recent: deque[Repeatable] = deque(maxlen=RECENT_LINES)
        self.tally = Tally(self._now, self._endpoints)

    def lines(self) -> Iterator[str]:
        """Each line once; the tally is complete after the last."""
        kinds: list[str] = []
        for number in range(self._count):
            if not kinds:
                kinds = [kind for kind, copies in SHARES.items() for _ in range(copies)]
                self._rng.shuffle(kinds)
            kind = kinds.pop()
            passed = (number + self._rng.random()) / self._count
            arrival = self._now - self._span + int(passed * self._span)
            if kind == "old":
                yield self._old(arrival, passed)
            elif kind == "new" or self._genuine:
                yield self._new(arrival)
            elif kind == "twice":
                yield self._again(arrival)
            else:
                yield self._faulty(kind, arrival)

    def _again(self, arrival: int) -> str:
        """One of the last lines, as a queue hands it out that delivers at least once."""
        if not self._recent:
            return self._new(arrival)
        good = self._rng.choice(self._recent)
        self.tally.valid(good.endpoint, NEW, good.at)
        return good.line

    def _new(self, arrival: int) -> str:
        """Good, by the newest secret; now and then in a way that is unusual."""
        rng = self._rng
        way: Way | None = None
        if self._unusual and not self._genuine and rng.random() < UNUSUAL_SHARE:
            _, way = next(self._unusual)
        endpoint = self._draw(self._endpoints if way is None else self._by_scheme[way.scheme])
        labels = [NEW]
        if way is None and endpoint == "acme/standard-webhooks" and rng.random() < 0.3:
            labels = [NEW, OLD]  # the sender signs with both while it changes over
        delivery = self._deliver(endpoint, labels, arrival)
        if way is None:
            delivery.sign()
        else:
            way.change(delivery)
        # An arrival that nobody wrote down is taken for that of the run.
        timed = delivery.scheme in {"standard-webhooks", "svix"}
        fresh = not timed or self._now - delivery.sent_at < WINDOW_SECONDS
        dated = way is not None or not fresh or rng.random() < 0.8
        at = arrival if dated else self._now
        line = write_line(delivery, rng, dated=dated)
        self._recent.append(Repeatable(line, endpoint, at))
        self.tally.valid(endpoint, NEW, at)
        return line

    def _old(self, arrival: int, passed: float) -> str:
        """Good, by a secret that is being rotated out. `passed`: the part of the span."""
        # Who still signs with one: a sender that changes over bit by bit, one until its secret
        # ends, one until the middle of the span, and one that says nothing about it.
        weights = {
            "acme/standard-webhooks": 12 * (1 - passed) + 1,
            ENDING: 4 if arrival < END else 0,
            "initech/zoho-projects": 6 if passed < 0.5 else 0,
            "globex/shared-token": 2,
        }
        known = {
            name: weight for name, weight in weights.items() if weight and name in self._endpoints
        }
        if not known:
            return self._new(arrival)
        (endpoint,) = self._rng.choices(list(known), list(known.values()))
        delivery = self._deliver(endpoint, [OLD], arrival)
        delivery.sign()
        self.tally.valid(endpoint, OLD, arrival)
        return write_line(delivery, self._rng)

    def _faulty(self, kind: str, arrival: int) -> str:
        """Refused, each time in the next way of its kind."""
        ended = kind == "forged" and arrival >= END and ENDING in self._endpoints
        if ended and self._rng.random() < RETIRED_SHARE:
            return self._retired(arrival)
        ways = self._faults[kind]
        if ways is None:
            return self._new(arrival)
        verdict, way = next(ways)
        endpoint = self._rng.choice(self._by_scheme[way.scheme])
        delivery = self._deliver(endpoint, [NEW], arrival)
        way.change(delivery)
        known = delivery.route.get("endpoint") in ENDPOINTS
        self.tally.refused(endpoint if known else None, verdict)
        return write_line(delivery, self._rng)

    def _retired(self, arrival: int) -> str:
        """Signed by the secret whose end has come, and so no better than forged."""
        delivery = self._deliver(ENDING, [OLD], arrival)
        delivery.sign()
        self.tally.refused(ENDING, "SIGNATURE_MISMATCH")
        return write_line(delivery, self._rng)

    def _deliver(self, endpoint: str, labels: list[str], arrival: int) -> Delivery:
        known = secrets_of(endpoint)
        secrets = [known[label] for label in labels]
        return Delivery(endpoint, scheme_of(endpoint), secrets, arrival, self._rng)

    def _draw(self, endpoints: Sequence[str]) -> str:
        (endpoint,) = self._rng.choices(endpoints, [WEIGHTS[name] for name in endpoints])
        return endpoint


def _taking_turns(ways: Ways, schemes: Collection[str]) -> Iterator[tuple[str, Way]] | None:
    """Verdict after verdict, each time by its next way; None where no way is of these schemes."""
    chosen = {
        verdict: cycle([way for way in each if way.scheme in schemes])
        for verdict, each in ways.items()
        if any(way.scheme in schemes for way in each)
    }
    if not chosen:
        return None
    return ((verdict, next(chosen[verdict])) for verdict in cycle(chosen))


def write(folder: Path, options: argparse.Namespace) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    queue = Queue(options)
    with (folder / "queue.jsonl").open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(line + "\n" for line in queue.lines())
    text = json.dumps(queue.tally.report(), indent=2) + "\n"
    (folder / "queue.expected.json").write_bytes(text.encode("ascii"))


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options; without any, those of the committed files."""
    parser = argparse.ArgumentParser(description="Make a queue of webhooks.")
    schemes = sorted({scheme_of(endpoint) for endpoint in ENDPOINTS})
    parser.add_argument("folder", nargs="?", type=Path, default=HERE)
    parser.add_argument("--count", type=int, default=COUNT, metavar="N", help="how many lines")
    parser.add_argument("--scheme", choices=schemes, help="messages of this scheme alone")
    parser.add_argument("--genuine", action="store_true", help="good messages alone, none twice")
    parser.add_argument(
        "--now", type=int, default=NOW, metavar="T", help="when it is verified, Unix seconds"
    )
    parser.add_argument(
        "--span", type=int, default=SPAN_SECONDS, metavar="S", help="all arrived so long before"
    )
    options = parser.parse_args(arguments)
    committed = parser.parse_args([])
    if options.folder == HERE and options != committed:
        parser.error("with options name a folder, or the sample queue is overwritten")
    return options


if __name__ == "__main__":
    chosen = parse()
    write(chosen.folder, chosen)
