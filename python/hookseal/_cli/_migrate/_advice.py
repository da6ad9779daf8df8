"""What to write in place of a check that is written by hand."""

from __future__ import annotations

from collections.abc import Iterator

from hookseal import schemes
from hookseal._cli._migrate._checks import Check
from hookseal._cli._migrate._found import Found
from hookseal._errors import SchemeError
from hookseal._scheme import Scheme

__all__ = ["advice", "token_headers"]

_VERIFIED = "verifier.verify(body, headers)  # the body's raw bytes; raises VerificationError"
# What Uplift's page calls the parameters of the function that it prints, and the variable.
_UPLIFT_PARAMETERS = ("request_body", "signature_from_request_header")
_UPLIFT_VARIABLE = "SECRET_TOKEN"


def advice(check: Check) -> Found | None:
    """What a check could be; None where hookseal has nothing for it."""
    scheme = _scheme(check)
    if check.algorithm == "token" and scheme is None:
        return None  # A comparison of some header with something: no more can be seen of it.
    text = "the signature is checked by hand"
    if check.function:
        text = f"`{check.function}` checks the signature by hand"
    if check.algorithm == "token":
        text = text.replace("signature", "token")
    if flaws := "; ".join(_flaws(check)):
        text += f" ({flaws})"
    if scheme is None and not _is_known(check.algorithm):
        return Found(check.line, "check", f"{text}: hookseal has no scheme with {check.algorithm}")
    if scheme is None and check.joins > 1:
        text += ": a Scheme can describe it where its time and id have headers of their own"
        return Found(check.line, "check", text)
    return Found(check.line, "check", text, lines=tuple(_lines(check, scheme)))


def _is_known(algorithm: str | None) -> bool:
    try:
        Scheme("any", signature="any", algorithm=algorithm or "hmac-sha256")
    except SchemeError:
        return False
    return True


def token_headers() -> list[str]:
    """The headers that carry a token, each as a pattern for the ways in which it is written."""
    tokens = (schemes.get(name) for name in schemes.names())
    found = (scheme for scheme in tokens if scheme.algorithm == "token")
    return [
        _key(family.signature).replace("-", "[-_]")
        for scheme in found
        for family in scheme.families
    ]


def _flaws(check: Check) -> Iterator[str]:
    if check.is_equality:
        yield "== takes the longer the more is right: it tells a forger how far he is"
    if check.dumps:
        yield "JSON written anew is not always the bytes that were signed"


def _lines(check: Check, scheme: str | None) -> Iterator[str]:
    if scheme == "uplift" and (check.parameters == _UPLIFT_PARAMETERS or _is_uplift(check)):
        yield "from hookseal.compat.uplift import verify_signature"
        yield "verify_signature(request_body, signature_from_request_header)"
        return
    if scheme == "zoho-projects":
        yield "from hookseal.compat.zoho import verify_signature"
        yield "verify_signature(payload, signature, secret)"
        return
    if scheme is not None:
        named = "" if scheme == "standard-webhooks" else f', scheme="{scheme}"'
        yield "from hookseal import Verifier"
        yield f"verifier = Verifier(secret{named})"
        yield _VERIFIED
        return
    header = check.headers[0] if check.headers else "the-header-with-the-signature"
    encoding = check.encoding or "hex"
    form = f'"{check.prefix}{{{encoding}}}"'
    yield "from hookseal import Scheme, Verifier"
    yield f'scheme = Scheme("a-name", signature="{_as_header(header)}", format={form})'
    yield "verifier = Verifier(secret, scheme=scheme)"
    yield _VERIFIED


def _scheme(check: Check) -> str | None:
    """The scheme that a check is one of, by the headers it names, or else by its form."""
    known = _by_header()
    named = [known[name] for header in check.headers if (name := _key(header)) in known]
    wanted = "token" if check.algorithm == "token" else "hmac-sha256"
    if check.algorithm not in (None, wanted):
        return None
    for scheme in named:
        if schemes.get(scheme).algorithm == wanted:
            return scheme
    if check.algorithm == "token" or named:
        return None
    if _is_uplift(check) or check.parameters == _UPLIFT_PARAMETERS:
        return "uplift"
    is_standard = check.joins == 3 and check.encoding == "base64"
    if is_standard and any("whsec_" in text or text.startswith("v1") for text in check.texts):
        return "standard-webhooks"
    return None


def _is_uplift(check: Check) -> bool:
    return _UPLIFT_VARIABLE in check.texts and check.prefix == "sha256=" and check.joins == 1


def _by_header() -> dict[str, str]:
    """The schemes by the names of their signature's headers; of two the one of fewer."""
    found: dict[str, str] = {}
    for name in sorted(schemes.names(), key=lambda name: len(schemes.get(name).families)):
        for family in schemes.get(name).families:
            found.setdefault(_key(family.signature), name)
    return found


def _as_header(text: str) -> str:
    return _key(text) if text.upper().startswith("HTTP_") else text


def _key(header: str) -> str:
    """A header's name, as WSGI or as HTTP writes it, in lower case."""
    return header.lower().replace("_", "-").removeprefix("http-")
