"""Make the sample queue of `make demo`: queue.jsonl, and queue.expected.json beside it.

    python examples/make_queue.py [FOLDER]

Each line of the queue is a webhook as a receiver would have stored it: the endpoint it came to,
its headers, its body, and when it arrived. `standardwebhooks` and `svix` sign for their schemes;
the other senders publish no package, and `hmac` signs for them.

What becomes of each message is settled in `ROWS`, before anything is signed, and the expected
counts are added up from there: hookseal is not asked. The same seed makes the same bytes.
"""

from __future__ import annotations

import base64
import hmac
import json
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import standardwebhooks
import svix.webhooks

HERE = Path(__file__).resolve().parent
SEED = 20261120
START = 1795154400  # 2026-11-20 06:00 UTC; the queue took in six hours
END = START + 6 * 3600
WINDOW_SECONDS = 300
MEDIAN_BODY_BYTES = 1150  # before the last row of a body, which goes a little over
# verify_queue.py refuses bodies over 64 KiB.
TOO_LARGE_BYTES = 64 * 1024 + 1

NEW, OLD = "2026-11", "2026-05"
RING: dict[str, Any] = json.loads((HERE / "keyring.json").read_text())["endpoints"]
# Until then, 09:00, globex takes its old secret.
RETIRED: int = RING["globex/standard-webhooks"]["secrets"][1]["not_after"]


def secrets(endpoint: str) -> dict[str, str]:
    """The endpoint's secrets by label, in the order in which a verifier tries them."""
    return {secret["label"]: secret["value"] for secret in RING[endpoint]["secrets"]}


class Delivery:
    """One webhook on its way: first what the sender means, then the headers it sends."""

    def __init__(self, endpoint: str, keys: list[str], received_at: int, rng: random.Random):
        self.endpoint: str | None = endpoint
        self.scheme: str = RING[endpoint]["scheme"]
        self.keys = keys
        self.received_at = received_at
        self.sent_at = received_at - rng.choice((0, 0, 1, 1, 2, 4))
        self.id = "msg_" + letters(rng, 24)
        size = int(rng.lognormvariate(0, 0.7) * MEDIAN_BODY_BYTES)
        self.body: Any = write_body(self.scheme, self.sent_at, size, rng).encode()
        self.headers: Any = {
            "Host": f"hooks.{endpoint.partition('/')[0]}.example",
            "User-Agent": f"{self.scheme}/1.{rng.randrange(10)}",
            "Content-Type": "application/json",
        }

    def sign(self) -> None:
        """Add the headers that the scheme asks for."""
        if self.scheme in {"standard-webhooks", "svix"}:
            at, text = datetime.fromtimestamp(self.sent_at, UTC), self.body.decode()
            package = svix.webhooks if self.scheme == "svix" else standardwebhooks
            family = "svix" if self.scheme == "svix" else "webhook"
            signatures = [package.Webhook(key).sign(self.id, at, text) for key in self.keys]
            self.headers |= {
                f"{family}-id": self.id,
                f"{family}-timestamp": str(self.sent_at),
                f"{family}-signature": " ".join(signatures),
            }
        elif self.scheme == "uplift":
            mac = hmac.digest(self.keys[0].encode(), self.body, "sha256")
            self.headers["x-uplift-signature-256"] = "sha256=" + mac.hex()
        elif self.scheme == "zoho-projects":
            mac = hmac.digest(self.keys[0].encode(), self.body, "sha256")
            self.headers["X-ZP-WEBHOOK-SIGNATURE"] = base64.b64encode(mac).decode()
        else:
            self.headers["x-webhook-secret"] = self.keys[0]

    def line(self) -> dict[str, Any]:
        """The delivery as a line of the queue; what is not UTF-8 goes as base64."""
        line = {"endpoint": self.endpoint, "received_at": self.received_at, "headers": self.headers}
        if not isinstance(self.body, bytes):
            return line | {"body": self.body}
        try:
            return line | {"body": self.body.decode()}
        except UnicodeDecodeError:
            return line | {"body_b64": base64.b64encode(self.body).decode()}


# The bodies.

WORDS = (
    *("invoice", "order", "parcel", "review", "agenda", "sprint", "budget", "draft", "release"),
    *("meeting", "ready", "late", "early", "signed", "blocked", "customer", "supplier", "quarter"),
    *("Zürich", "São", "café", "naïve", "東京", "Kraków", "12.50", "€40", "✓", "🚚"),
)
NAMES = ("Ada Byron", "Zoë Müller", "Nguyễn An", "Łukasz Nowak", "Aiko 田中", "O'Neil, Pat")
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789"


def letters(rng: random.Random, count: int) -> str:
    """Random letters and digits, as ids have them."""
    return "".join(rng.choices(LETTERS, k=count))


def make_event(scheme: str, at: int, rows: list[Any], rng: random.Random) -> dict[str, Any]:
    """An event in the manner of the scheme's senders, with rows that are still to come."""
    when = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
    number = str(rng.randrange(10**14, 10**15))
    match scheme:
        case "standard-webhooks":
            kind = rng.choice(("invoice.paid", "invoice.created", "invoice.voided"))
            data = {"id": "inv_" + letters(rng, 16), "currency": "EUR", "lines": rows}
            return {"type": kind, "timestamp": when, "data": data}
        case "svix":
            kind = rng.choice(("email.sent", "email.delivered", "email.bounced"))
            data = {"email_id": letters(rng, 20), "from": "shop@acme.example", "tags": rows}
            return {"created_at": when, "data": data, "type": kind}
        case "uplift":
            form = {"id": number, "title": "Intake form"}
            by = {"name": rng.choice(NAMES), "at": when}
            return {"event": "form.submitted", "form": form, "by": by, "answers": rows}
        case "zoho-projects":
            project = {"id_string": number, "name": "Zylker / rollout"}
            task = {"key": f"ZR-T{rng.randrange(1, 900)}", "owner": rng.choice(NAMES)}
            action = rng.choice(("task_created", "task_updated", "task_closed"))
            return {"project": project, "task": task, "action": action, "changes": rows}
        case _:
            status = rng.choice(("firing", "resolved"))
            return {"alert": number, "status": status, "at": when, "labels": rows}


def write_body(scheme: str, at: int, size: int, rng: random.Random) -> str:
    """An event as text, of a little more than so many bytes, and never twice the same."""
    rows: list[dict[str, Any]] = []
    event = make_event(scheme, at, rows, rng)
    compact = None if scheme in {"uplift", "zoho-projects"} else (",", ":")
    indent = 2 if scheme == "uplift" else None
    while True:
        text = json.dumps(event, ensure_ascii=False, separators=compact, indent=indent)
        if len(text.encode()) >= size:
            break
        words = " ".join(rng.choices(WORDS, k=rng.randrange(3, 9)))
        rows.append({"id": rng.randrange(10**6), "value": words})
    # What survives only where nobody parses and renders the body on its way.
    if scheme == "zoho-projects":
        text = text.replace("/", "\\/")
    return text + "\n" if scheme == "uplift" else text


# What happens to a delivery.

Change = Callable[[Delivery], object]


def signed(delivery: Delivery) -> None:
    """Nothing but what the sender does."""
    delivery.sign()


def before(change: Change) -> Change:
    """Change what the sender means, then sign it."""

    def step(delivery: Delivery) -> None:
        change(delivery)
        delivery.sign()

    return step


def after(change: Change) -> Change:
    """Sign, then change what is sent."""

    def step(delivery: Delivery) -> None:
        delivery.sign()
        change(delivery)

    return step


def put(name: str, value: Callable[[Delivery], Any]) -> Change:
    """Set an attribute of the delivery to what a function makes of it all."""
    return lambda delivery: vars(delivery).update({name: value(delivery)})


def header(name: str, change: Callable[[Any], Any]) -> Change:
    """Set a header to what a function makes of its value, which may be None."""
    return lambda delivery: delivery.headers.update({name: change(delivery.headers.get(name))})


def without(name: str) -> Change:
    """Take a header away."""
    return lambda delivery: delivery.headers.pop(name)


def renamed(old: str, new: str) -> Change:
    """Give headers that begin so another beginning."""
    return put("headers", lambda d: {n.replace(old, new): v for n, v in d.headers.items()})


def at_offset(seconds: int) -> Change:
    """Sign so many seconds before or after the arrival."""
    return before(put("sent_at", lambda delivery: delivery.received_at + seconds))


def with_key(key: str) -> Change:
    """Sign with another secret than the endpoint's."""
    return before(put("keys", lambda delivery: [key]))


def parsed_and_rendered(delivery: Delivery) -> bytes:
    """The body as a proxy leaves it that thinks it knows JSON."""
    return json.dumps(json.loads(delivery.body)).encode()


def in_arabic_digits(number: str) -> str:
    """The number in digits that `int` reads too."""
    return "".join(chr(0x660 + int(digit)) for digit in number)


def as_unpadded_base64url(signature: str) -> str:
    """The signature in the other alphabet."""
    return signature.rstrip("=").replace("+", "-").replace("/", "_")


class Row(NamedTuple):
    """So many deliveries of a kind."""

    copies: int
    endpoint: str
    keys: tuple[str, ...]
    change: Change
    arrives: tuple[int, int] = (START, END)


SW, SVIX, UPLIFT = "acme/standard-webhooks", "acme/svix", "acme/uplift"
ZOHO, TOKEN = "acme/zoho-projects", "acme/shared-token"
G_SW, G_UPLIFT = "globex/standard-webhooks", "globex/uplift"
G_ZOHO, G_TOKEN = "globex/zoho-projects", "globex/shared-token"
ID, TIME, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
HUB, ZP, SECRET = "x-uplift-signature-256", "X-ZP-WEBHOOK-SIGNATURE", "x-webhook-secret"

# In the order of judgement. In a VALID row the first of its keys that the ring knows matches.
ROWS: dict[str, list[Row]] = {
    "VALID": [
        # acme rotates: the sender has begun to sign with both secrets.
        Row(38, SW, (NEW,), signed),
        Row(24, SW, (NEW, OLD), signed),
        Row(9, SW, (OLD,), signed),
        Row(2, SW, (NEW,), at_offset(-WINDOW_SECONDS)),
        Row(2, SW, (NEW,), at_offset(+WINDOW_SECONDS)),
        Row(3, SW, (NEW,), after(header(SIGNATURE, lambda v: "v2,c29vbg== v1a,ZWQ= " + v))),
        Row(3, SW, (NEW,), after(renamed("webhook-", "Webhook-"))),
        # globex rotates with an end: the old secret was taken until nine o'clock.
        Row(40, G_SW, (NEW,), signed),
        Row(6, G_SW, (OLD,), signed, arrives=(START, RETIRED - 1)),
        Row(1, G_SW, (NEW,), before(put("body", lambda d: b""))),
        Row(28, SVIX, (NEW,), signed),
        Row(6, SVIX, (NEW,), after(renamed("svix-", "webhook-"))),
        # The old secret of acme/uplift is still in the ring, and nobody signs with it.
        Row(36, UPLIFT, (NEW,), signed),
        Row(2, UPLIFT, (NEW,), before(put("body", lambda d: d.body.decode().encode("utf-16")))),
        Row(28, G_UPLIFT, (NEW,), signed),
        Row(26, ZOHO, (NEW,), signed),
        Row(24, G_ZOHO, (NEW,), signed),
        Row(1, G_ZOHO, (NEW,), before(put("body", lambda d: bytes(range(256))))),
        Row(21, TOKEN, (NEW,), signed),
        Row(2, TOKEN, (NEW,), after(header(SECRET, lambda v: f"  {v}\t"))),
        Row(15, G_TOKEN, (NEW,), signed),
        Row(4, G_TOKEN, (OLD,), signed),
    ],
    "NOT_A_MESSAGE": [
        Row(1, UPLIFT, (NEW,), after(put("body", lambda d: None))),
        Row(1, SW, (NEW,), after(put("body", lambda d: '{"name":"\ud800"}'))),
        Row(1, ZOHO, (NEW,), after(put("headers", lambda d: "\n".join(d.headers)))),
    ],
    "UNKNOWN_ENDPOINT": [
        Row(3, UPLIFT, (NEW,), after(put("endpoint", lambda d: "initech/uplift"))),
        Row(2, SW, (NEW,), after(put("endpoint", lambda d: None))),
    ],
    "TOO_LARGE": [
        Row(1, UPLIFT, (NEW,), before(put("body", lambda d: d.body.ljust(TOO_LARGE_BYTES)))),
        Row(1, SW, (NEW,), after(header(SIGNATURE, lambda v: " ".join([v] * 400)))),
    ],
    "MISSING_HEADER": [
        Row(2, SW, (NEW,), after(without(SIGNATURE))),
        Row(1, G_SW, (NEW,), after(without(TIME))),
        Row(1, SW, (NEW,), after(header(ID, lambda v: " "))),
        # Half of one family and half of the other.
        Row(1, SVIX, (NEW,), after(renamed("svix-id", "webhook-id"))),
        Row(2, G_UPLIFT, (NEW,), after(without(HUB))),
        Row(1, ZOHO, (NEW,), after(header(ZP, lambda v: None))),
        Row(2, TOKEN, (NEW,), after(without(SECRET))),
    ],
    "AMBIGUOUS_HEADER": [
        Row(2, SW, (NEW,), after(header(ID, lambda v: [v, "msg_other"]))),
        Row(1, G_SW, (NEW,), after(header(TIME, lambda v: [v, str(int(v) + 1)]))),
        Row(2, G_TOKEN, (NEW,), after(header(SECRET, lambda v: ["guess", v]))),
    ],
    "MALFORMED_HEADER": [
        # A full stop in the id would let parts of the signed bytes change places.
        Row(2, SW, (NEW,), before(put("id", lambda d: f"{d.id}.{d.sent_at}"))),
        Row(1, G_SW, (NEW,), before(put("id", lambda d: d.id.ljust(257, "x")))),
        Row(1, SVIX, (NEW,), before(put("id", lambda d: "msg_naïve"))),
    ],
    "MALFORMED_TIMESTAMP": [
        Row(1, SW, (NEW,), after(header(TIME, lambda v: f"{int(v):e}"))),
        Row(1, SW, (NEW,), after(header(TIME, lambda v: "+" + v))),
        Row(1, G_SW, (NEW,), after(header(TIME, lambda v: "2026-11-20T08:00:00Z"))),
        Row(1, G_SW, (NEW,), after(header(TIME, lambda v: v.rjust(16, "0")))),
        Row(1, SVIX, (NEW,), after(header("svix-timestamp", lambda v: v + ".0"))),
        Row(1, SVIX, (NEW,), after(header("svix-timestamp", in_arabic_digits))),
    ],
    "TOO_OLD": [
        Row(3, SW, (NEW,), at_offset(-WINDOW_SECONDS - 1)),
        Row(2, G_SW, (NEW,), at_offset(-3600)),
        Row(3, SVIX, (NEW,), at_offset(-3 * 86400)),
        Row(1, SW, (OLD,), after(header(TIME, lambda v: "0"))),
    ],
    "TOO_NEW": [
        Row(2, SW, (NEW,), at_offset(WINDOW_SECONDS + 1)),
        Row(1, SVIX, (NEW,), at_offset(86400)),
        Row(1, G_SW, (NEW,), after(header(TIME, lambda v: v + "000"))),  # milliseconds
    ],
    "MALFORMED_SIGNATURE": [
        Row(1, SW, (NEW,), after(header(SIGNATURE, lambda v: v.removeprefix("v1,")))),
        Row(1, SW, (NEW,), after(header(SIGNATURE, lambda v: v.replace("v1,", "v1a,")))),
        Row(1, G_SW, (NEW,), after(header(SIGNATURE, as_unpadded_base64url))),
        Row(1, SVIX, (NEW,), after(header("svix-signature", lambda v: v[:-8]))),
        Row(2, UPLIFT, (NEW,), after(header(HUB, lambda v: "sha256=" + v[7:].upper()))),
        Row(1, G_UPLIFT, (NEW,), after(header(HUB, lambda v: v.replace("256", "1")))),
        Row(2, ZOHO, (NEW,), after(header(ZP, lambda v: base64.b64decode(v).hex()))),
    ],
    "SIGNATURE_MISMATCH": [
        # Signed by a secret that is no more, or by another tenant's.
        Row(5, G_SW, (OLD,), signed, arrives=(RETIRED, END)),
        Row(2, SW, (NEW,), with_key(secrets(G_SW)[NEW])),
        Row(2, G_UPLIFT, (NEW,), with_key(secrets(UPLIFT)[NEW])),
        Row(1, ZOHO, (NEW,), with_key("")),
        # Changed on the way.
        Row(2, SW, (NEW,), after(put("body", lambda d: d.body.replace(b"EUR", b"USD", 1)))),
        Row(1, SW, (NEW,), after(header(ID, lambda v: v[::-1]))),
        Row(1, SVIX, (NEW,), after(header("svix-timestamp", lambda v: str(int(v) + 7)))),
        Row(2, UPLIFT, (NEW,), after(put("body", lambda d: d.body.rstrip()))),
        Row(2, ZOHO, (NEW,), after(put("body", parsed_and_rendered))),
        Row(1, G_ZOHO, (NEW,), after(header(ZP, lambda v: base64.b64encode(bytes(32)).decode()))),
        # Tokens that are not quite the token.
        Row(1, TOKEN, (NEW,), after(header(SECRET, lambda v: v[:-1]))),
        Row(1, TOKEN, (NEW,), after(header(SECRET, lambda v: v.upper()))),
        Row(1, G_TOKEN, (NEW,), with_key(secrets(TOKEN)[NEW])),
    ],
}


def make() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The lines of the queue in order of arrival, and the counts that are expected of it."""
    rng = random.Random(SEED)
    lines: list[dict[str, Any]] = []
    verdicts: dict[str, int] = {}
    matches = {endpoint: dict.fromkeys(secrets(endpoint), 0) for endpoint in RING}
    for verdict, rows in ROWS.items():
        for row in rows:
            known = secrets(row.endpoint)
            for _ in range(row.copies):
                received_at = rng.randrange(row.arrives[0], row.arrives[1])
                keys = [known[label] for label in row.keys]
                delivery = Delivery(row.endpoint, keys, received_at, rng)
                row.change(delivery)
                lines.append(delivery.line())
            verdicts[verdict] = verdicts.get(verdict, 0) + row.copies
            if verdict == "VALID":
                first = next(label for label in known if label in row.keys)
                matches[row.endpoint][first] += row.copies
    rng.shuffle(lines)
    lines.sort(key=lambda line: line["received_at"])
    return lines, {"messages": len(lines), "verdicts": verdicts, "secrets": matches}


def main(folder: Path) -> None:
    """Write both files."""
    lines, expected = make()
    queue = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    # A lone surrogate cannot be UTF-8; as "\udXXX" it is what JSON writes for it.
    (folder / "queue.jsonl").write_bytes(queue.encode("utf-8", "backslashreplace"))
    text = json.dumps(expected, indent=2) + "\n"
    (folder / "queue.expected.json").write_bytes(text.encode("ascii"))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
