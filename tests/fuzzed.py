"""Messages and lines as the fuzzer describes them: core and twin must say the same of each.

    python -m tests.fuzzed FOLDER ...        # judge every message of those folders
    python -m tests.fuzzed --record          # write tests/vectors/fuzzed.json

The form of an input is told in rust/fuzz/src/messages.rs, which reads the same ones.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hookseal import Scheme, Verdict, VerificationError
from tests import oracle
from tests.implementations import NOW, core, twin
from tests.messages import SCHEMES, signatures

ROOT: Final = Path(__file__).resolve().parent.parent
CORPUS: Final = ROOT / "rust/fuzz/corpus"
# By the number that an input has for it.
LISTED: Final = (ROOT / "rust/fuzz/schemes.txt").read_text(encoding="ascii").split()
RECORD: Final = ROOT / "tests/vectors/fuzzed.json"

MAX_HEADERS: Final = 16
# By the role's number; the third stands for the first again.
ROLES: Final = ("signature", "id", "timestamp", "signature")


class Input:
    """What is left of an input; behind its end there are zeros."""

    def __init__(self, rest: bytes) -> None:
        self.rest = rest

    def take(self, length: int) -> bytes:
        taken, self.rest = self.rest[:length], self.rest[length:]
        return taken

    def byte(self) -> int:
        return self.take(1).ljust(1, b"\0")[0]


@dataclass
class Draft:
    """An input's message, and the verifier it describes."""

    scheme: Scheme
    tolerance: Any
    secrets: int
    at: int
    headers: list[tuple[str, str, bytes]] = field(default_factory=list)
    body: bytes = b""

    @property
    def count(self) -> int:
        return 1 + (self.secrets & 3)

    def first(self, role: str) -> bytes:
        return next((value.strip(b" \t") for its, _, value in self.headers if its == role), b"")

    def signature(self, number: int) -> bytes:
        id, timestamp = self.first("id"), self.first("timestamp")
        return signatures(self.scheme, [key(number)], self.body, id, timestamp)[0].encode()

    def verifier(self, hooks: Any) -> Any:
        given = []
        for number in range(self.count):
            window = {}
            if number == 0 and self.secrets & 16:
                window["not_after"] = NOW
            if number == self.count - 1 and self.secrets & 32 and not window:
                window["not_before"] = NOW
            given.append(hooks.Secret(text(self.scheme, number), **window))
        limit = 32 if self.secrets & 8 else None
        return hooks.Verifier(
            given, scheme=self.scheme, tolerance=self.tolerance, max_body_bytes=limit
        )


def read(data: bytes) -> Draft:
    """The message that an input describes."""
    source = Input(data)
    scheme = SCHEMES[LISTED[source.byte() % len(LISTED)]]
    tolerance = source.byte()
    seconds, form = tolerance >> 2, tolerance & 3
    window: Any = None
    if form == 1:
        window = "off"
    elif form and scheme.tolerance is not None:
        window = seconds if form == 2 else (seconds, 0)
    secrets = source.byte()
    at = NOW + int.from_bytes(source.take(2).ljust(2, b"\0"), "little", signed=True)
    draft = Draft(scheme, window, secrets, at)
    signed = []
    for _ in range(min(source.byte(), MAX_HEADERS)):
        kind = source.byte()
        value = source.take(source.byte())
        family = scheme.families[(kind & 7) % len(scheme.families)]
        role = ROLES[kind >> 3 & 3]
        if getattr(family, role) is None:
            role = "signature"
        draft.headers.append((role, getattr(family, role), value))
        signed.append(kind >> 5 & 3)
    draft.body = source.rest
    for number, how in enumerate(signed):
        if how:
            more = [draft.signature(0), draft.signature(draft.count - 1), b"%d" % at][how - 1]
            role, name, value = draft.headers[number]
            draft.headers[number] = role, name, value + more
    return draft


def key(number: int) -> bytes:
    """The key of that number, which is text as well."""
    return b"fuzz-secret-%d-0123456789abcdef" % number


def text(scheme: Scheme, number: int) -> str:
    """The key as the scheme's secrets are written."""
    if scheme.key == "hex":
        return key(number).hex()
    if scheme.key == "base64":
        return (scheme.key_prefix or "") + oracle.b64(key(number))
    return key(number).decode()


def said(hooks: Any, draft: Draft) -> list[Any]:
    """Verdict, position of the secret, and words: by all three ways, which must agree.

    The law is tested here too: an exception that is not ours leaves this function.
    """
    verifier = draft.verifier(hooks)
    pairs = [(name, value) for _, name, value in draft.headers]
    verdict = verifier.check(draft.body, pairs, now=draft.at)
    result = verifier.verify_batch([(draft.body, pairs)], now=draft.at)
    assert result[0] is verdict
    refused: VerificationError | None
    try:
        verified = verifier.verify(draft.body, pairs, now=draft.at)
    except VerificationError as error:
        refused = error
        words = f"{type(error).__name__}: {error}"
    else:
        refused = None
        words = repr((verified.id, verified.timestamp, verified.secret, verified.fresh))
    assert verdict is (Verdict.VALID if refused is None else refused.verdict)
    return [verdict.name, result.secrets[0], words]


def agree(data: bytes) -> list[Any]:
    """What both implementations say of an input."""
    draft = read(data)
    ours, theirs = said(core(), draft), said(twin(), draft)
    assert ours == theirs, (data, ours, theirs)
    return theirs


def corpus(target: str) -> dict[str, bytes]:
    """The inputs of a target's corpus by name."""
    lines = (CORPUS / f"{target}.txt").read_text().splitlines()
    pairs = (line.split(" ") for line in lines)
    return {name: base64.b64decode(text, validate=True) for name, text in pairs}


def record() -> dict[str, list[Any]]:
    """What the twin says of each input of the corpus, and the digest of that."""
    found = {}
    for name, data in corpus("messages").items():
        verdict, secret, _ = said(twin(), read(data))
        found[name] = [hashlib.sha256(data).hexdigest()[:16], verdict, secret]
    return found


def written(rows: dict[str, list[Any]]) -> str:
    """The record as it stands in its file, an input of the corpus a line."""
    lines = [f" {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments: list[str]) -> int:
    """Returns the exit status."""
    if arguments == ["--record"]:
        RECORD.write_text(written(record()))
        return 0
    count = 0
    for folder in arguments:
        for file in sorted(Path(folder).iterdir()):
            try:
                agree(file.read_bytes())
            except Exception:
                print(f"core and twin differ on {file}", file=sys.stderr)
                raise
            count += 1
    print(f"messages: core and twin say the same of {count} inputs")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
