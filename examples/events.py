"""Invented webhook bodies in the manner of the systems that send them, for make_queue.py.

Sizes are log-normal around a median of about 1.2 KB, as bodies of real events are: most are
small, a few are long. Each system keeps its own way of writing JSON, so that nothing but the
bytes that came will verify.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple

MEDIAN_BYTES = 1200
SIGMA = 0.7  # of the logarithm: one body in twenty is over 3.8 KB, one in twenty under 0.4 KB

Json = dict[str, Any]

_WORDS = (
    *("invoice", "order", "parcel", "review", "agenda", "sprint", "budget", "draft", "release"),
    *("meeting", "ready", "late", "early", "signed", "blocked", "customer", "supplier", "quarter"),
    *("Zürich", "São", "café", "naïve", "東京", "Kraków", "12.50", "€40", "✓", "🚚"),
)
_NAMES = ("Ada Byron", "Zoë Müller", "Nguyễn An", "Łukasz Nowak", "Aiko 田中", "O'Neil, Pat")
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789"


def letters(rng: Random, count: int) -> str:
    """Random letters and digits, as ids have them."""
    return "".join(rng.choices(_LETTERS, k=count))


def write_body(scheme: str, at: int, rng: Random) -> str:
    """An event as its sender writes it, at that moment (Unix seconds)."""
    sender = _SENDERS[scheme]
    size = rng.lognormvariate(0, SIGMA) * MEDIAN_BYTES
    rows = max(0, round((size - sender.bare_bytes) / sender.row_bytes))
    when = datetime.fromtimestamp(at, UTC)
    event = sender.event(when, [sender.row(rng) for _ in range(rows)], rng)
    text = json.dumps(event, ensure_ascii=False, separators=sender.separators, indent=sender.indent)
    # What survives only where nobody parses and renders the body on its way.
    return text.replace("/", "\\/") if sender.escapes_slash else text + sender.end


def _iso(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")


def _words(rng: Random, least: int, most: int) -> str:
    return " ".join(rng.choices(_WORDS, k=rng.randint(least, most)))


# Standard Webhooks: the envelope of the specification, here from a billing system.


def _invoice(when: datetime, rows: list[Json], rng: Random) -> Json:
    kind = rng.choice(("invoice.paid", "invoice.created", "invoice.voided"))
    customer = {"id": "cus_" + letters(rng, 14), "name": rng.choice(_NAMES), "country": "CH"}
    data = {
        "id": "inv_" + letters(rng, 16),
        "customer": customer,
        "currency": "EUR",
        "total": rng.randrange(100, 10**7),
        "lines": rows,
    }
    return {"type": kind, "timestamp": _iso(when), "data": data}


def _invoice_line(rng: Random) -> Json:
    return {
        "id": "il_" + letters(rng, 10),
        "description": _words(rng, 2, 6),
        "quantity": rng.randrange(1, 20),
        "amount": rng.randrange(100, 10**6),
    }


# Svix: events of a mail service.


def _email(when: datetime, rows: list[Json], rng: Random) -> Json:
    kind = rng.choice(("email.sent", "email.delivered", "email.bounced", "email.opened"))
    data = {
        "email_id": letters(rng, 20),
        "from": "Acme Shop <shop@acme.example>",
        "subject": _words(rng, 3, 7),
        "to": rows,
    }
    return {"created_at": _iso(when), "data": data, "type": kind}


def _recipient(rng: Random) -> Json:
    address = letters(rng, 10).lower() + "@mail.example"
    return {"name": rng.choice(_NAMES), "address": address, "opens": rng.randrange(9)}


# Uplift: loans for orders, in the GitHub manner: pretty-printed, with a newline at the end.


def _loan(when: datetime, rows: list[Json], rng: Random) -> Json:
    action = rng.choice(("approved", "funded", "refunded", "cancelled"))
    loan = {"id": rng.randrange(10**9, 10**10), "status": action, "months": rng.choice((3, 6, 12))}
    return {
        "action": action,
        "loan": loan,
        "sender": {"login": rng.choice(_NAMES), "at": _iso(when)},
        "order": {"url": f"https://uplift.example/orders/{letters(rng, 12)}", "items": rows},
    }


def _item(rng: Random) -> Json:
    return {
        "sku": letters(rng, 8).upper(),
        "name": _words(rng, 1, 4),
        "price": rng.randrange(100, 10**6) / 100,
        "digital": rng.random() < 0.3,
    }


# Zoho Projects: tasks, with slashes escaped, and dates as America writes them.


def _task(when: datetime, rows: list[Json], rng: Random) -> Json:
    number = rng.randrange(1, 900)
    task = {
        "id_string": str(rng.randrange(10**17, 10**18)),
        "key": f"ZR-T{number}",
        "name": _words(rng, 2, 6),
        "status": {"name": rng.choice(("Open", "In Progress", "Closed")), "color_code": "#2cc8ba"},
        "start_date": f"{when:%m/%d/%Y}",
        "owner": {"name": rng.choice(_NAMES), "work": f"{rng.randrange(9)}:00"},
    }
    return {
        "event": rng.choice(("TASK_CREATED", "TASK_UPDATED", "TASK_CLOSED")),
        "project": {"name": "Zylker / rollout", "id_string": str(rng.randrange(10**17, 10**18))},
        "task": task,
        "comments": rows,
    }


def _comment(rng: Random) -> Json:
    return {"id": rng.randrange(10**9), "by": rng.choice(_NAMES), "content": _words(rng, 3, 9)}


# A monitor that knows no signatures, and sends a token.


def _alert(when: datetime, rows: list[Json], rng: Random) -> Json:
    return {
        "alert": str(rng.randrange(10**14, 10**15)),
        "status": rng.choice(("firing", "resolved")),
        "at": _iso(when),
        "summary": _words(rng, 3, 8),
        "samples": rows,
    }


def _sample(rng: Random) -> Json:
    return {
        "host": f"node-{rng.randrange(64)}.eu.example",
        "metric": rng.choice(("cpu", "disk", "latency_p99")),
        "value": rng.randrange(10**4) / 100,
    }


class _Sender(NamedTuple):
    """How a system writes its events; the sizes are those of its output, measured."""

    event: Callable[[datetime, list[Json], Random], Json]
    row: Callable[[Random], Json]
    bare_bytes: int
    row_bytes: int
    separators: tuple[str, str] | None = (",", ":")
    indent: int | None = None
    end: str = ""
    escapes_slash: bool = False


_SENDERS = {
    "standard-webhooks": _Sender(_invoice, _invoice_line, 216, 96),
    "svix": _Sender(_email, _recipient, 196, 69),
    "uplift": _Sender(_loan, _item, 278, 131, separators=None, indent=2, end="\n"),
    "zoho-projects": _Sender(_task, _comment, 352, 95, separators=None, escapes_slash=True),
    "shared-token": _Sender(_alert, _sample, 136, 62),
}
