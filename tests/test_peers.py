"""Against the genuine packages: standardwebhooks, svix, gidgethub.

What they sign we accept, and what we sign they accept. On damaged messages we may differ where
LENIENCIES says so, with a reason, and nowhere else; each entry is met at least once.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import gidgethub
import gidgethub.sansio
import pytest
import standardwebhooks
import svix.webhooks
import time_machine

from hookseal import Verdict
from tests import oracle
from tests.implementations import NOW, core, key, secret, twin

MESSAGES = 500
_V1 = re.compile(r"v1,[A-Za-z0-9+/]{43}=")


class Case(NamedTuple):
    """A damaged message, for one peer."""

    peer: str
    body: bytes
    headers: dict[str, str]

    def value(self, part: str) -> str:
        """A header of Standard Webhooks as svix reads it: its own name before the other."""
        lower = {name.lower(): value for name, value in self.headers.items()}
        own = lower.get(f"svix-{part}") if self.peer == "svix" else None
        return lower.get(f"webhook-{part}", "") if own is None else own

    @property
    def is_standard(self) -> bool:
        return self.peer != "gidgethub"


class Leniency(NamedTuple):
    """A disagreement that is meant."""

    name: str
    we_accept: bool
    applies: Callable[[Case, Any], bool]
    reason: str


def _families_mixed(case: Case, _: Any) -> bool:
    names = {name.lower() for name in case.headers}
    full = [
        all(f"{family}-{part}" in names for part in ("id", "timestamp", "signature"))
        for family in ("svix", "webhook")
    ]
    return case.peer == "svix" and any(name.startswith("svix-") for name in names) and not full[0]


# `applies` sees the case and what the peer said: True, or the exception it raised.
LENIENCIES = [
    Leniency(
        "timestamp-spelling",
        False,
        lambda case, said: (
            (case.is_standard and not re.fullmatch("[0-9]{1,15}", case.value("timestamp")))
            or (case.is_standard and case.value("timestamp").startswith("0"))
        ),
        "float() takes signs, points, spaces, exponents, underscores and other scripts, and signs"
        " the number it read: one signature for many headers. We sign the header's bytes.",
    ),
    Leniency(
        "id-with-a-full-stop",
        False,
        lambda case, said: case.is_standard and "." in case.value("id"),
        "Such an id can be cut out of another message's body (strict-reading.md §4).",
    ),
    Leniency(
        "id-not-visible-ascii",
        False,
        lambda case, said: (
            case.is_standard and not re.fullmatch("[ -~]{1,256}", case.value("id").strip(" \t"))
        ),
        "An id is 1 to 256 visible ASCII characters; no sender makes another.",
    ),
    Leniency(
        "base64-not-canonical",
        False,
        lambda case, said: (
            case.is_standard
            and said is True
            and not any(_V1.fullmatch(piece) for piece in case.value("signature").split(" "))
        ),
        "b64decode drops what is not of the alphabet and ignores trailing bits: many texts for"
        " one MAC, and a replay guard that knows only one of them.",
    ),
    Leniency(
        "base64-trailing-bits",
        False,
        lambda case, said: (
            case.is_standard
            and said is True
            and any(
                _V1.fullmatch(piece) and oracle.b64(_lenient(piece)) != piece[3:]
                for piece in case.value("signature").split(" ")
            )
        ),
        "The last character's unused bits must be zero (RFC 4648 §3.5).",
    ),
    Leniency(
        "junk-in-the-list",
        True,
        lambda case, said: case.is_standard and isinstance(said, ValueError),
        "The peer's exception for a piece that is no version,value, or that does not decode, ends"
        " the search before the good signature; it is no answer to a sender's bytes.",
    ),
    Leniency(
        "white-space-around",
        True,
        lambda case, said: any(value != value.strip(" \t") for value in case.headers.values()),
        "A field value loses SP and HTAB around it (RFC 9110 §5.5); the peer takes them as part.",
    ),
    Leniency(
        "comma-of-a-proxy",
        True,
        lambda case, said: case.is_standard and ", " in case.value("signature"),
        "Two signature headers joined by a proxy; the peer raises ValueError.",
    ),
    Leniency(
        "two-spellings",
        False,
        lambda case, said: len({name.lower() for name in case.headers}) < len(case.headers),
        "Two spellings of a name are two values; the peer lets the last one win.",
    ),
    Leniency(
        "two-spellings-of-the-signature",
        True,
        lambda case, said: len({name.lower() for name in case.headers}) < len(case.headers),
        "Two signature headers: the candidates of both count; the peer sees the last alone.",
    ),
    Leniency(
        "svix-families-mixed",
        False,
        _families_mixed,
        "svix falls back header by header, so a message can be half of one family, half of the"
        " other. We use the first family that is whole, as its Go library does.",
    ),
    Leniency(
        "svix-stray-header",
        True,
        _families_mixed,
        "A stray svix-* header breaks a webhook-* delivery for the peer, and changes nothing here.",
    ),
    Leniency(
        "edge-of-the-window",
        True,
        lambda case, said: case.is_standard and case.value("timestamp") == str(NOW - 300),
        "The peer compares with microseconds, so a message 300 s old is too old for it unless the"
        " clock shows a whole second. We floor: both ends are inclusive.",
    ),
    Leniency(
        "body-not-utf-8",
        True,
        lambda case, said: case.is_standard and isinstance(said, UnicodeDecodeError),
        "The peer decodes the body; we sign bytes.",
    ),
    Leniency(
        "sha1",
        False,
        lambda case, said: (
            case.peer == "gidgethub" and _value_of(case, "x-hub-signature-256").startswith("sha1=")
        ),
        "gidgethub accepts SHA-1 in the SHA-256 header. The algorithm comes from the scheme.",
    ),
]


def _lenient(piece: str) -> bytes:
    import base64

    return base64.b64decode(piece.partition(",")[2])


def _value_of(case: Case, name: str) -> str:
    return {key.lower(): value for key, value in case.headers.items()}.get(name, "")


# The peers.


def _standardwebhooks(case: Case) -> Any:
    webhook = standardwebhooks.Webhook(secret(0))
    return webhook.verify(case.body, case.headers, json_parse=False)


def _svix(case: Case) -> Any:
    return svix.webhooks.Webhook(secret(0)).verify(case.body, case.headers)


def _gidgethub(case: Case) -> Any:
    signature = _value_of(case, "x-hub-signature-256")
    if not signature:
        raise gidgethub.ValidationFailure("signature is missing")
    gidgethub.sansio.validate_event(case.body, signature=signature, secret=secret(0))


PEERS = {
    "standardwebhooks": ("standard-webhooks", _standardwebhooks),
    "svix": ("svix", _svix),
    "gidgethub": ("github", _gidgethub),
}


def _said(case: Case) -> Any:
    try:
        PEERS[case.peer][1](case)
    except Exception as error:
        return error
    return True


def _sign(peer: str, id: str, at: int, body: str) -> dict[str, str]:
    """Signed by the peer itself, where it can sign."""
    if peer == "gidgethub":
        return {"X-Hub-Signature-256": oracle.sha256(secret(0).encode(), body.encode())}
    webhook = {"standardwebhooks": standardwebhooks, "svix": svix.webhooks}[peer].Webhook(secret(0))
    family = "svix" if peer == "svix" else "webhook"
    return {
        f"{family}-id": id,
        f"{family}-timestamp": str(at),
        f"{family}-signature": webhook.sign(id, datetime.fromtimestamp(at, UTC), body),
    }


def _random(seed: str) -> random.Random:
    return random.Random(f"tests.test_peers {seed}")


def _drawn(peer: str, chance: random.Random) -> tuple[str, int, str]:
    length = chance.choice([0, 1, 20, 55, 64, 200, 1000])
    body = "".join(chance.choice('{"a":1, é\0\n😀.}') for _ in range(length))
    id = (
        "msg_"
        + "".join(chance.choice("abcXYZ019_- ~!") for _ in range(chance.randint(1, 30)))
        + "x"
    )
    return id, NOW + chance.randint(-299, 300), body


@pytest.mark.parametrize("peer", PEERS)
def test_what_they_sign_we_accept(hooks: Any, peer: str) -> None:
    chance = _random(peer)
    verifier = hooks.Verifier([secret(1), secret(0)], scheme=PEERS[peer][0])
    messages = []
    for _ in range(MESSAGES):
        id, at, body = _drawn(peer, chance)
        messages.append((body.encode(), _sign(peer, id, at, body)))
    result = verifier.verify_batch(messages, now=NOW)
    assert result.counts() == {Verdict.VALID: MESSAGES}
    assert set(result.secrets) == {1}


@pytest.mark.parametrize("peer", PEERS)
@time_machine.travel(NOW, tick=False)
def test_what_we_sign_they_accept(hooks: Any, peer: str) -> None:
    chance = _random(peer + " signs")
    signer = hooks.Signer(secret(0), scheme=PEERS[peer][0])
    for _ in range(MESSAGES):
        id, at, body = _drawn(peer, chance)
        named: dict[str, Any] = {} if peer == "gidgethub" else {"id": id, "timestamp": at}
        assert _said(Case(peer, body.encode(), signer.sign(body, **named))) is True
    rotating = hooks.Signer([secret(1), secret(0)], scheme="svix")
    if peer != "gidgethub":
        headers = {
            name.replace("svix", "webhook"): value for name, value in rotating.sign(b"").items()
        }
        assert _said(Case("standardwebhooks", b"", headers)) is True


# Damage.


def _damages(peer: str, chance: random.Random, headers: dict[str, str], body: bytes) -> bytes:
    """One random damage to the headers, in place; gives the body, which it may damage too."""
    family = {"svix": "svix", "standardwebhooks": "webhook"}.get(peer)
    signature = "X-Hub-Signature-256" if family is None else f"{family}-signature"
    parts = [signature] if family is None else [f"{family}-{x}" for x in ("id", "timestamp")]
    name = chance.choice([*parts, signature, signature])
    value = headers.get(name, "")
    good = headers.get(signature, "")
    junk = ["v1", "v1,", "", "v1,!!", "v2,AAAA", "x", "v1,AAAA,", "v1a,AAAA", "sha256=00", "v1,AAA"]
    match chance.randrange(18):
        case 0:
            headers.pop(name, None)
        case 1:
            headers[name] = value[:-1]
        case 2:
            headers[name] = value + chance.choice(["A", "=", "0", " ", "\n", "!"])
        case 3:
            headers[name] = chance.choice([" ", "\t", "+", "0", "\n"]) + value
        case 4:
            headers[name] = value.swapcase()
        case 5 if good:
            pieces = [chance.choice(junk), good]
            headers[signature] = " ".join(pieces[:: chance.choice([1, -1])])
        case 6 if good:
            headers[signature] = chance.choice([", ", ",", "\t"]).join([good, good])
        case 7:
            before = {name.upper(): chance.choice([value, "other", ""])}
            after = {name.title(): chance.choice([value, "other", ""])}
            headers |= chance.choice([before, after])
            if chance.random() < 0.5 and name in headers:
                headers[name] = headers.pop(name)  # the good one last
        case 8 if good:
            at = chance.randrange(len(good))
            headers[signature] = good[:at] + chance.choice("AZaz09+/-_=,.!\n") + good[at + 1 :]
        case 9 if good:
            at = chance.randrange(3, len(good))
            headers[signature] = good[:at] + chance.choice("!\n ") + good[at:]
        case 10 if family:
            stamps = [f"{NOW}.0", f"+{NOW}", f" {NOW}", f"{NOW}.9", "1_700_000_000", "1.7e9", "nan"]
            headers[f"{family}-timestamp"] = chance.choice([*stamps, "١٧٠٠٠٠٠٠٠٠", f"0{NOW}", "-5"])
        case 11 if family:
            ids = ["a.b", "é", "x" * 257, "id\x7f", "", f"x.{NOW}.y"]
            id = chance.choice([*ids, *["msg"] * len(ids)])
            at = NOW + chance.choice([0, 0, -300, 300, -301, 301])
            headers.update(_sign(peer, id, at, body.decode("utf-8", "replace")))
        case 12 if family:
            other = "webhook" if family == "svix" else "svix"
            stray = chance.choice(["id", "timestamp", "signature"])
            headers[f"{other}-{stray}"] = headers.get(f"{family}-{stray}", "") or "x"
            if chance.random() < 0.5:
                headers.pop(f"{family}-{stray}", None)
        case 13 if family == "svix":
            for part in ("id", "timestamp", "signature"):
                headers[f"webhook-{part}"] = headers.pop(f"svix-{part}", "")
            if chance.random() < 0.7:
                stray = chance.choice(["id", "timestamp", "signature"])
                headers[f"svix-{stray}"] = chance.choice([headers[f"webhook-{stray}"], "x", ""])
        case 14:
            body = chance.choice([body + b" ", body[:-1], b"\xff" + body, body.upper()])
        case 15 if good:
            # Another spelling of the same MAC: the unused bits of the last character.
            last = good.rstrip("=")
            if family and len(last) > 10:
                headers[signature] = last[:-1] + chance.choice("BCDFGHJKLNOP") + "="
                alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                step = alphabet.find(last[-1])
                headers[signature] = (
                    last[:-1] + alphabet[(step & 0x3C) | chance.randint(1, 3)] + "="
                )
        case 16 if family is None:
            import hmac

            digest = hmac.new(secret(0).encode(), body, "sha1").hexdigest()
            headers[signature] = chance.choice(["sha1=", "sha256="]) + digest
        case 17 if family:
            mac = oracle.v1(key(0), headers.get(f"{family}-id", "").encode(), b"%d" % NOW, b"\xff")
            headers[f"{family}-timestamp"] = str(NOW)
            headers[signature], body = mac, b"\xff"
    return body


def _cases() -> list[Case]:
    cases = []
    for peer in PEERS:
        chance = _random(peer + " damaged")
        for _ in range(MESSAGES):
            id, at, text = _drawn(peer, chance)
            headers = _sign(peer, id, at, text)
            body = text.encode()
            for _ in range(chance.choice([1, 1, 1, 2])):
                body = _damages(peer, chance, headers, body)
            cases.append(Case(peer, body, headers))
    return cases


# The peer's clock has microseconds; ours is floored.
@time_machine.travel(NOW + 0.5, tick=False)
def _disagreements(hooks: Any) -> list[tuple[Case, Any, Any]]:
    found = []
    verifiers = {
        peer: hooks.Verifier(secret(0), scheme=scheme) for peer, (scheme, _) in PEERS.items()
    }
    for case in CASES:
        ours, theirs = verifiers[case.peer].check(case.body, case.headers), _said(case)
        if bool(ours) is not (theirs is True):
            found.append((case, ours, theirs))
    return found


CASES = _cases()


def test_every_disagreement_is_on_the_list(hooks: Any) -> None:
    for case, ours, theirs in _disagreements(hooks):
        reasons = [
            leniency.name
            for leniency in LENIENCIES
            if leniency.we_accept is bool(ours) and leniency.applies(case, theirs)
        ]
        assert reasons, (case, ours, theirs)


def test_every_entry_is_met() -> None:
    """An entry that nothing shows is a leniency that nobody has."""
    met = {
        leniency.name
        for case, ours, theirs in _disagreements(core())
        for leniency in LENIENCIES
        if leniency.we_accept is bool(ours) and leniency.applies(case, theirs)
    }
    assert met == {leniency.name for leniency in LENIENCIES}


def test_they_agree_often_enough() -> None:
    """Else the damages would test the list, and not the peers."""
    with time_machine.travel(NOW + 0.5, tick=False):
        valid = sum(_said(case) is True for case in CASES)
    assert len(CASES) // 8 < valid < len(CASES) // 2
    assert len(_disagreements(twin())) < len(CASES) // 3
    assert all(leniency.reason for leniency in LENIENCIES)
