"""``hookseal verify`` and ``hookseal sign``: one message."""

from __future__ import annotations

from hookseal._cli import _exit, _implementation, _say
from hookseal._cli._exit import Fault
from hookseal._cli._headers import headers
from hookseal._cli._keys import secrets, verifier
from hookseal._cli._sources import whole
from hookseal._errors import VerificationError
from hookseal._verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

__all__ = ["sign", "verify"]


def verify(options: Namespace) -> int:
    """Says whether a message is good, and why it is not; returns the exit status."""
    if (options.keyring is None) != (options.endpoint is None):
        raise Fault("--endpoint and --keyring go together: one names an endpoint of the other")
    judge, given = verifier(options), headers(options)
    body = whole(options.body, "the body")
    times = {"now": options.now, "received_at": options.received_at}
    try:
        verified = judge.verify(body, given, endpoint=options.endpoint, **times)
    except VerificationError as error:
        _say.put(_refused(error, options))
        return _exit.REFUSED
    _say.put(_accepted(verified, options))
    return _exit.FINE


def sign(options: Namespace) -> int:
    """Prints the headers that sign a body; returns the exit status."""
    signer = _implementation.hooks().Signer(
        secrets(options), scheme=options.scheme or "standard-webhooks"
    )
    body = whole(options.body, "the body")
    try:
        signed = signer.sign(body, id=options.id, timestamp=options.timestamp)
    except (TypeError, ValueError) as error:  # An id or a time that the scheme cannot sign.
        raise Fault(str(error)) from None
    if options.json:
        _say.put(_json(signed))
    else:
        _say.put("".join(f"{name}: {_say.printable(value)}\n" for name, value in signed.items()))
    return _exit.FINE


def _refused(error: VerificationError, options: Namespace) -> str:
    if not options.json:
        return f"{error.verdict.name}: {_say.printable(str(error))}\n"
    return _json({"verdict": error.verdict.name, "valid": False, "error": str(error)})


def _accepted(verified: Any, options: Namespace) -> str:
    told = {
        "scheme": verified.scheme,
        "endpoint": verified.endpoint,
        "secret": verified.secret,
        "id": verified.id,
        "timestamp": verified.timestamp,
        "fresh": verified.fresh,
        "covers": sorted(verified.covers),
    }
    if options.json:
        return _json({"verdict": Verdict.VALID.name, "valid": True, "error": None, **told})
    covers = " and ".join(sorted(verified.covers))
    words = f"the signature covers {covers}" if covers else "nothing is signed: the token is right"
    lines = [f"VALID: {words}"]
    lines += [
        f"  {name}: {_say.printable(str(value))}"
        for name, value in told.items()
        if value is not None and name not in ("covers", "fresh")
    ]
    if not verified.fresh:
        lines.append("  its age was not judged")
    return "\n".join(lines) + "\n"


def _json(told: dict[str, Any]) -> str:
    from json import dumps

    return dumps(told) + "\n"
