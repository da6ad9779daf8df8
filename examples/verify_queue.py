"""Verify the sample queue in three ways, and compare what each finds with what was put in.

    python examples/verify_queue.py [--pure] [FOLDER]

The ways are the command `hookseal verify-batch`, which prints its table, `Verifier.verify_batch`,
and the same of `hookseal.pure`. With --pure the last one is all, and nothing compiled is needed.
FOLDER holds queue.jsonl, queue.expected.json and keyring.toml; it is this file's unless named. The
exit status is 1 if a count is not as expected.
"""

from __future__ import annotations

import argparse
import base64
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from hookseal import Message

# Counts as queue.expected.json holds them: of verdicts, of endpoints, of secrets.
Report = dict[str, Any]
Place = tuple[str, ...]


def load_queue(path: Path) -> list[Message]:
    """One message a line. Whoever reads the files of strangers uses `hookseal verify-batch`."""
    messages = []
    with path.open("rb") as file:
        for line in file:
            item = json.loads(line)
            body = base64.b64decode(item["body_b64"]) if "body_b64" in item else item["body"]
            place = {key: item.get(key) for key in ("endpoint", "received_at")}
            messages.append(Message(body, item["headers"], **place))
    return messages


def by_command(folder: Path, now: int) -> Report:
    """What the command finds. It runs twice: first for you to see, then to be compared."""
    files = [str(folder / "queue.jsonl"), "--keyring", str(folder / "keyring.toml")]
    command = [sys.executable, "-m", "hookseal", "verify-batch", *files, "--now", str(now)]
    subprocess.run(command, check=False)
    done = subprocess.run([*command, "--json"], check=False, stdout=subprocess.PIPE)
    if done.returncode not in {0, 1}:  # all valid, something refused
        sys.exit(done.returncode)
    told = json.loads(done.stdout)
    secrets: dict[str, dict[str, Any]] = {}
    for row in told["secrets"]:
        secrets.setdefault(row.pop("endpoint"), {})[row.pop("label")] = row
    # What names no endpoint of the keyring is counted under none.
    rows = [row for row in told["endpoints"] if row["endpoint"] is not None]
    return {
        "messages": told["messages"],
        "verdicts": told["verdicts"],
        "endpoints": {row.pop("endpoint"): row for row in rows},
        "secrets": secrets,
    }


def by_batch(hooks: Any, folder: Path, now: int) -> Report:
    """What `verify_batch` finds; `hooks` is hookseal or hookseal.pure."""
    ring = hooks.Keyring.from_file(folder / "keyring.toml")
    messages = load_queue(folder / "queue.jsonl")
    result = hooks.Verifier(ring).verify_batch(messages, now=now)

    seen = {message.endpoint for message in messages}
    names = [name for name in ring.endpoints() if name in seen]
    endpoints = {name: {"valid": 0, "refused": 0} for name in names}
    for message, verdict in zip(messages, result, strict=True):
        if message.endpoint in endpoints:
            endpoints[message.endpoint]["valid" if verdict else "refused"] += 1

    secrets: dict[str, dict[str, dict[str, Any]]] = {
        name: {label: {"matched": 0, "first": None, "last": None} for label in ring.labels(name)}
        for name in names
    }
    for index, event in result.accepted():
        match = secrets[event.endpoint][event.secret]
        arrival = messages[index].received_at
        at = now if arrival is None else int(arrival)
        match["matched"] += 1
        match["first"] = at if match["first"] is None else min(match["first"], at)
        match["last"] = at if match["last"] is None else max(match["last"], at)

    return {
        "messages": len(result),
        "verdicts": {verdict.name: count for verdict, count in result.counts().items()},
        "endpoints": endpoints,
        "secrets": secrets,
    }


def leaves(report: Report) -> dict[Place, object]:
    """Each count with its place: ("verdicts", "VALID") and the like."""

    def walk(place: Place, part: object) -> Iterator[tuple[Place, object]]:
        if isinstance(part, dict):
            for name, inner in part.items():
                yield from walk((*place, name), inner)
        else:
            yield place, part

    return dict(walk((), report))


def compare(way: str, found: Report, expected: Report) -> bool:
    """Whether all counts are as expected; those that are not are printed."""
    wants, has = leaves(expected), leaves(found)
    wrong = [place for place in wants | has if wants.get(place, ...) != has.get(place, ...)]
    for place in wrong:
        said = [str(counts.get(place, "nothing")) for counts in (wants, has)]
        print(f"{way}: {' '.join(place)}: expected {said[0]}, found {said[1]}", file=sys.stderr)
    if wrong:
        print(f"{way}: {len(wrong)} of {len(wants)} counts are not as expected", file=sys.stderr)
    else:
        print(f"{way}: all {len(wants)} counts are as expected")
    return not wrong


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description="Verify a sample queue of webhooks.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--pure", action="store_true", help="hookseal.pure alone")
    options = parser.parse_args()
    folder = options.folder

    # Git keeps no modes, and hookseal warns where others can read a file with secrets in it.
    with suppress(OSError):
        (folder / "keyring.toml").chmod(0o600)
    expected: Report = json.loads((folder / "queue.expected.json").read_bytes())
    now = expected.pop("now")

    good = True
    if not options.pure:
        good &= compare("hookseal verify-batch", by_command(folder, now), expected)
    for name in ["hookseal.pure"] if options.pure else ["hookseal", "hookseal.pure"]:
        hooks = importlib.import_module(name)
        good &= compare(f"{name}.Verifier.verify_batch", by_batch(hooks, folder, now), expected)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
