"""The exceptions.

::

    Exception
     └── VerificationError            the sender's fault: answer with status_hint
          ├── NotAMessageError        400
          ├── UnknownEndpointError    401
          ├── TooLargeError           413
          ├── MissingHeaderError      401
          ├── AmbiguousHeaderError    401
          ├── MalformedHeaderError    401
          ├── MalformedTimestampError 401
          ├── TooOldError             401
          ├── TooNewError             401
          ├── MalformedSignatureError 401
          ├── SignatureMismatchError  401
          └── ReplayedError           409

    ValueError                        the caller's fault: a mistake in the program
     ├── SecretError                  a secret that cannot be a key
     └── SchemeError                  a scheme that does not exist or cannot be sound

    Exception
     └── ReplayStoreError             a replay guard's store: in hookseal._store_errors
          ├── ReplayStoreFullError    there is no room, and nothing is forgotten to make any
          └── ClaimLostError          a commit came after the lease, and somebody else's claim

Wrong types are ``TypeError``. No exception holds a body, a secret or the
signature that was expected; all of them can be pickled.
"""

from __future__ import annotations

from hookseal._verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, Final

__all__ = [
    "AmbiguousHeaderError",
    "MalformedHeaderError",
    "MalformedSignatureError",
    "MalformedTimestampError",
    "MissingHeaderError",
    "NotAMessageError",
    "ReplayedError",
    "SchemeError",
    "SecretError",
    "SignatureMismatchError",
    "TooLargeError",
    "TooNewError",
    "TooOldError",
    "UnknownEndpointError",
    "VerificationError",
]


class VerificationError(Exception):
    """A message was refused.

    Attributes:
        code: The reason in snake_case, stable, for logs and metrics.
        verdict: The same as a ``Verdict``.
        status_hint: The HTTP status that fits an answer to the sender.
        public_message: One constant for every reason, for the answer's body:
            different texts help an attacker to probe.

    ``str(error)`` gives the reason in words and is meant for the log.
    """

    code: ClassVar[str] = "unverified"
    verdict: ClassVar[Verdict] = Verdict.UNVERIFIED
    status_hint: int = 401
    public_message: ClassVar[str] = "webhook verification failed"


class NotAMessageError(VerificationError):
    """The item is not a message: not of a message's shape, or its text cannot be encoded."""

    code = "not_a_message"
    verdict = Verdict.NOT_A_MESSAGE
    status_hint = 400


class UnknownEndpointError(VerificationError):
    """The keyring holds no endpoint of that name, or no name was given."""

    code = "unknown_endpoint"
    verdict = Verdict.UNKNOWN_ENDPOINT


class TooLargeError(VerificationError):
    """The body is over ``max_body_bytes``, or the signature headers are over 16 KiB."""

    code = "too_large"
    verdict = Verdict.TOO_LARGE
    status_hint = 413


class MissingHeaderError(VerificationError):
    """A header of the scheme is absent, None or blank."""

    code = "missing_header"
    verdict = Verdict.MISSING_HEADER


class AmbiguousHeaderError(VerificationError):
    """A header that may have one value has several that differ."""

    code = "ambiguous_header"
    verdict = Verdict.AMBIGUOUS_HEADER


class MalformedHeaderError(VerificationError):
    """The message id is too long, or holds a character that it may not hold."""

    code = "malformed_header"
    verdict = Verdict.MALFORMED_HEADER


class MalformedTimestampError(VerificationError):
    """The timestamp is not 1 to 15 ASCII digits."""

    code = "malformed_timestamp"
    verdict = Verdict.MALFORMED_TIMESTAMP


class TooOldError(VerificationError):
    """The timestamp lies before the window."""

    code = "too_old"
    verdict = Verdict.TOO_OLD


class TooNewError(VerificationError):
    """The timestamp lies after the window."""

    code = "too_new"
    verdict = Verdict.TOO_NEW


class MalformedSignatureError(VerificationError):
    """No signature in the header has the scheme's form."""

    code = "malformed_signature"
    verdict = Verdict.MALFORMED_SIGNATURE


class SignatureMismatchError(VerificationError):
    """The signature was made with another secret, or over another message."""

    code = "signature_mismatch"
    verdict = Verdict.SIGNATURE_MISMATCH


class ReplayedError(VerificationError):
    """The message was claimed before. The signature is good: no answer as to a forgery.

    ``status_hint`` is 200 where another copy was taken, so that the sender is content; 409
    where another copy is at work, so that the sender tries again; 503 where the replay guard could
    not be asked.
    """

    code = "replayed"
    verdict = Verdict.REPLAYED
    status_hint = 409


class SecretError(ValueError):
    """A secret cannot be a key; the text says what it looks like and what to pass instead."""


class SchemeError(ValueError):
    """A scheme is unknown, or what was asked of it is not sound."""


# The forms of the texts are here so that both implementations speak the same words. A
# refusal of the engine is a verdict, the header it concerns, and one number.
_TEXTS: dict[Verdict, tuple[type[VerificationError], str]] = {
    Verdict.NOT_A_MESSAGE: (NotAMessageError, "this is not a message"),
    Verdict.UNKNOWN_ENDPOINT: (
        UnknownEndpointError,
        "no endpoint was named, or the keyring holds none of that name",
    ),
    Verdict.TOO_LARGE: (TooLargeError, "{header}: more than {number} bytes"),
    Verdict.MISSING_HEADER: (MissingHeaderError, "{header} is missing or empty"),
    Verdict.AMBIGUOUS_HEADER: (AmbiguousHeaderError, "{header} has several values that differ"),
    Verdict.MALFORMED_HEADER: (
        MalformedHeaderError,
        "{header} must be 1 to 256 characters of printable ASCII, without those that separate"
        " the parts of the signed bytes",
    ),
    Verdict.MALFORMED_TIMESTAMP: (
        MalformedTimestampError,
        "{header} must be 1 to 15 ASCII digits",
    ),
    Verdict.TOO_OLD: (TooOldError, "{header} lies {number} s before the window"),
    Verdict.TOO_NEW: (TooNewError, "{header} lies {number} s after the window"),
    Verdict.MALFORMED_SIGNATURE: (
        MalformedSignatureError,
        "{header} holds no signature of the scheme's form",
    ),
    Verdict.SIGNATURE_MISMATCH: (
        SignatureMismatchError,
        "{header} matches no live secret ({number} tried)",
    ),
    Verdict.REPLAYED: (ReplayedError, "the message was claimed before"),
}

# Those of which header and number say all, by the numbers of the verdicts: for the core.
PLAIN_FORMS: Final = {
    int(verdict): form
    for verdict, form in _TEXTS.items()
    if verdict not in {Verdict.TOO_NEW, Verdict.REPLAYED}
}

# What became of a replayed message's claim: the number of hookseal.Claim, or 0 where nobody knows.
_REPLAYED = {
    0: ("the replay guard could not be asked, and on_store_error is 'reject'", 503),
    2: ("another copy of the message is at work: its lease runs", 409),
    3: ("the message was taken before", 200),
}

# A seconds timestamp that lies this far ahead is one in milliseconds: 13 digits.
_MILLISECONDS_AHEAD = 10**11


def refusal(
    verdict: int,
    header: str | None = None,
    number: int | None = None,
    cause: BaseException | None = None,
) -> VerificationError:
    """Makes the exception for a verdict.

    Args:
        verdict: Any verdict but ``VALID`` and ``UNVERIFIED``.
        header: Where the reason lies: "header 'webhook-id'", "the body".
        number: Seconds for TOO_OLD and TOO_NEW, a limit in bytes for
            TOO_LARGE, how many secrets were tried for SIGNATURE_MISMATCH, for
            REPLAYED the claim that another has.
            Without a number the text is the first sentence of the class.
        cause: Why an item is not a message, or a guard could not be asked. Its type
            is told, not its text, which could hold anything.
    """
    cls, text = _TEXTS[Verdict(verdict)]
    lacks_header = "{header}" in text and header is None
    if lacks_header or ("{number}" in text and number is None):
        return cls((cls.__doc__ or cls.code).partition(".\n")[0].rstrip("."))
    text = text.format(header=header, number=number)
    if verdict == Verdict.REPLAYED and number is not None:
        text, hint = _REPLAYED.get(number, (text, cls.status_hint))
        error = _caused(cls, text, cause)
        error.status_hint = hint
        return error
    if verdict == Verdict.TOO_NEW and number is not None and number > _MILLISECONDS_AHEAD:
        text += "; it looks like milliseconds, and the scheme counts seconds"
    return _caused(cls, text, cause)


def _caused(
    cls: type[VerificationError], text: str, cause: BaseException | None
) -> VerificationError:
    if cause is None:
        return cls(text)
    error = cls(f"{text} ({type(cause).__name__})")
    error.__cause__ = cause
    return error


def shown(name: str) -> str:
    """A name that somebody gave, for an error; not if it looks like a secret in the wrong place."""
    if looks_secret(name):
        return "(a secret, by its looks; it is not shown)"
    return repr(name if len(name) <= _LONGEST_SHOWN else f"{name[:_LONGEST_SHOWN]}…")


def looks_secret(text: str) -> bool:
    """Whether a text begins as only secrets do."""
    return text.startswith(("whsec_", "whsk_", "v1,"))


_LONGEST_SHOWN = 64

_OR_A_TEXT_KEY = "or Secret.from_text for a text key"

_SECRET_FAULTS = {
    "empty": "is empty: pass the secret that the provider shows",
    "blank": "is white space: pass the secret that the provider shows",
    "not-utf8": "cannot be encoded as UTF-8: it holds a lone surrogate",
    "not-set": "is not set",
    "guessable": (
        "can be guessed, like a setting: if it is a secret, name its endpoint in endpoints=; if"
        " it is none, choose a prefix of the secrets' own"
    ),
    "white-space": (f"holds white space, which no encoding has: pass it without, {_OR_A_TEXT_KEY}"),
    "versioned": 'begins with "v1,": pass what stands after the comma',
    "private-key": 'begins with "whsk_", an asymmetric private key: pass the whsec_ secret',
    "public-key": 'begins with "whpk_", an asymmetric public key: pass the whsec_ secret',
    "prefix-twice": "begins with its prefix twice: pass it once",
    "nothing-left": "holds no key, only a prefix or padding: pass the whole secret",
    "not-base64": (
        "is not base64 (standard alphabet, zero trailing bits): pass the secret as the"
        f" provider shows it, {_OR_A_TEXT_KEY}"
    ),
    "not-hex": (f"is not hexadecimal: pass an even number of hexadecimal digits, {_OR_A_TEXT_KEY}"),
    "text-as-bytes": "is bytes that hold the text of an encoded secret: pass the text as str",
    "token-not-utf8": "is not valid UTF-8, which a token must be",
    "token-not-sendable": (
        "cannot stand in a header: it has a control character, or white space at an end"
    ),
    "no-secret": "holds no secret: pass at least one",
    "too-many": "is one too many: an endpoint has at most 8 secrets",
    "same-key": "is the same key as another one of the endpoint",
    "label": "has a label that is not 1 to 64 characters of printable ASCII",
    "label-taken": "has a label that another secret of the endpoint has",
    "last-secret": "would lose its last secret: replace it, or remove the endpoint",
    "none-live": "has no secret that is live at the time of signing",
}


def secret_error(fault: str, place: str = "the secret") -> SecretError:
    """Makes the exception for what is wrong with a secret, or with a set of them.

    Args:
        fault: The name of the fault.
        place: What it is that is wrong, never the secret itself: "the secret",
            "secrets[1]", "endpoints['acme'][0]".
    """
    return SecretError(f"{place} {_SECRET_FAULTS[fault]}")


def without_calls(text: str) -> str:
    """The text of a ``SecretError`` for people who write no Python but a file or a command."""
    return text.replace(_OR_A_TEXT_KEY, "or the base64 of a text key")


_SCHEME_FAULTS = {
    "replay-token": "signs nothing: a replay guard could tell no message from another",
    "replay-no-window": (
        "has no window that says how long a copy would be accepted: pass replay_ttl="
    ),
    "replay-short": "needs a longer replay_ttl: a copy would be accepted after its claim has ended",
    "no-timestamp": 'signs no timestamp: the tolerance must be None or "off"',
    "one-signature": "has room for one signature: pass one secret",
}


def scheme_error(fault: str, scheme: str) -> SchemeError:
    """Makes the exception for what was asked of a scheme in vain."""
    return SchemeError(f"{scheme} {_SCHEME_FAULTS[fault]}")


def with_count(
    error: VerificationError, index: int, refused: int, messages: int
) -> VerificationError:
    """Says where in a batch an error belongs, and how many there are."""
    error.add_note(f"message {index}; {refused} of {messages} messages were refused")
    return error


_LINE_FAULTS = {
    "too-long": "the line has more than {0} bytes",
    "not-utf8": "the line is not UTF-8",
    "too-deep": "the line is nested more than 16 levels deep",
    "not-json": "the line is not JSON",
    "half-pair": "a string holds half of a surrogate pair, which is no character",
    "not-object": "the line is not a JSON object",
    "unknown-key": (
        "key {0} is unknown: a line has headers, body or body_b64, received_at and endpoint"
    ),
    "key-twice": "key '{0}' stands twice",
    "headers": "headers must be an object, or an array of [name, value] pairs",
    "header-pair": "headers[{0}] must be a [name, value] pair",
    "header-name": "headers[{0}] must have a string for its name",
    "header-value": "the value of header {0} must be a string, an array of strings, or null",
    "body": "{0} must be a string",
    "received-at": "received_at must be a number of Unix seconds",
    "received-at-range": "received_at must be Unix seconds between 0 and 10**11",
    "received-at-late": (
        "received_at must be Unix seconds between 0 and 10**11; it looks like milliseconds"
    ),
    "endpoint": "endpoint must be a string or null",
    "no-headers": "headers is missing",
    "no-body": "body is missing, and so is body_b64",
    "two-bodies": "body and body_b64 are both there: a line has one of them",
    "no-ring": "endpoint is for a keyring; there is none",
    "not-base64": "body_b64 is not base64 (standard alphabet, padded, zero trailing bits)",
}
# The faults whose text shows a name that stands in the line.
_NAMING_FAULTS = frozenset({"unknown-key", "header-value"})


def line_fault(fault: str, told: str | int = "") -> str:
    """Says what is wrong with a line that is no message.

    Args:
        fault: The name of the fault.
        told: What its text names: a key, an index, a limit.
    """
    naming = fault in _NAMING_FAULTS
    return _LINE_FAULTS[fault].format(shown(str(told)) if naming else told)
