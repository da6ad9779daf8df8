"""Verify the sample queue, and compare what is found with what was put in.

    python examples/verify_queue.py [--pure] [FOLDER]

FOLDER holds queue.jsonl, queue.expected.json and keyring.json; it is this file's unless named.
With --pure, hookseal.pure does the work instead of the compiled core. The exit status is 1 if a
count is not as expected.
"""

from __future__ import annotations

import argparse
import base64
import importlib
import json
import statistics
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import hookseal
from hookseal import Endpoint, Message, VerificationError

MAX_BODY_BYTES = 64 * 1024
RUNS = 25

Key = tuple[str, ...]


def load_keyring(hooks: Any, path: Path) -> Any:
    """A `Keyring` of `hooks`, which is hookseal or hookseal.pure."""
    endpoints = {}
    for name, endpoint in json.loads(path.read_bytes())["endpoints"].items():
        secrets = [hooks.Secret(s.pop("value"), **s) for s in endpoint["secrets"]]
        endpoints[name] = Endpoint(secrets, scheme=endpoint["scheme"])
    return hooks.Keyring(endpoints)


def load_queue(path: Path) -> list[Message]:
    """One message a line, each with the time at which it arrived."""
    messages = []
    for number, line in enumerate(path.read_bytes().removesuffix(b"\n").split(b"\n"), 1):
        try:
            item = json.loads(line)
            body = base64.b64decode(item["body_b64"]) if "body_b64" in item else item["body"]
            messages.append(
                Message(
                    body,
                    item["headers"],
                    endpoint=item["endpoint"],
                    received_at=item["received_at"],
                )
            )
        except (KeyError, TypeError, ValueError) as error:
            sys.exit(f"{path.name}:{number}: {type(error).__name__}: {error}")
    return messages


def load_expected(path: Path) -> dict[Key, int]:
    """The expected counts: ("VALID",) and its like, and (endpoint, label)."""
    expected = json.loads(path.read_bytes())
    counts: dict[Key, int] = {(verdict,): n for verdict, n in expected["verdicts"].items()}
    for endpoint, labels in expected["secrets"].items():
        counts |= {(endpoint, label): n for label, n in labels.items()}
    return {("messages",): expected["messages"]} | counts


def first_reasons(result: Any) -> dict[Key, str]:
    """For each verdict that refuses, the first message it refused, and why."""
    reasons: dict[Key, str] = {}
    for index in result.invalid_indices():
        try:
            result.verified(index)
        except VerificationError as error:
            cause = f" ({error.__cause__})" if error.__cause__ else ""
            text = textwrap.shorten(f"line {index + 1}: {error}{cause}", 100, placeholder=" …")
            reasons.setdefault((error.verdict.name,), text)
    return reasons


def show(title: Key, counts: dict[Key, int], remarks: dict[Key, str]) -> None:
    """Print a table: the keys, the count, and a remark where there is one."""
    print("\n  " + "".join(cell.ljust(26) for cell in title) + "messages")
    for key, count in counts.items():
        cells = "".join(cell.ljust(26) for cell in key)
        print(f"  {cells}{count:>8}   {remarks.get(key, '')}".rstrip())


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description="Verify a sample queue of webhooks.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--pure", action="store_true", help="use hookseal.pure")
    options = parser.parse_args()
    hooks = importlib.import_module("hookseal.pure") if options.pure else hookseal

    keyring = load_keyring(hooks, options.folder / "keyring.json")
    messages = load_queue(options.folder / "queue.jsonl")
    expected = load_expected(options.folder / "queue.expected.json")

    verifier = hooks.Verifier(keyring, max_body_bytes=MAX_BODY_BYTES)
    result = verifier.verify_batch(messages)

    verdicts: dict[Key, int] = {(verdict.name,): n for verdict, n in result.counts().items()}
    by_secret: dict[Key, int] = result.by_secret()
    print(f"{hooks.__name__}: {len(messages)} messages at {len(keyring)} endpoints")
    show(("verdict",), verdicts, first_reasons(result))
    show(("endpoint", "secret that matched"), by_secret, {})

    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        verifier.verify_batch(messages)
        times.append(time.perf_counter() - start)
    rate = len(messages) / statistics.median(times)
    print(f"\n{rate:,.0f} messages a second (the median of {RUNS} runs of this batch)")

    found = {("messages",): len(messages)} | verdicts | by_secret
    wrong = [key for key in expected | found if expected.get(key) != found.get(key)]
    for key in wrong:
        wants, has = expected.get(key, "none"), found.get(key, "none")
        print(f"{' '.join(key)}: expected {wants}, found {has}", file=sys.stderr)
    if wrong:
        print(f"{len(wrong)} of {len(expected)} counts are not as expected", file=sys.stderr)
        return 1
    print(f"all {len(expected)} counts are as expected")
    return 0


if __name__ == "__main__":
    sys.exit(main())
