"""hookseal in plain Python: the same API on ``hmac`` and ``hashlib``, written to be read.

It is the specification in code, what the Rust core is compared with, and what runs where
there is no binary. docs/strict-reading.md holds the rules; each file here is one of them::

    Secret ──┐
    Keyring ─┴─ State: keyed hashes, labels, windows        _secret _decode _key _entries _keyring
                their findings, and how often they matched  _findings _usage
    message ─── Reading: bytes, and no opinion yet          _body _headers _items
    Call ────── a State, a Reading, an instant: Judgement   _call _plan _timestamp _signature
    Judgement ─ Verified, an exception, or a BatchResult    _judgement _verified _batch
    LineJudge ─ messages as JSON Lines, for the command     _lines _line _line_tally
    guards ──── which messages were taken before            _memory_guard
"""

from hookseal import schemes
from hookseal._claim import Claim, Claims
from hookseal._endpoint import Endpoint
from hookseal._errors import (
    AmbiguousHeaderError,
    MalformedHeaderError,
    MalformedSignatureError,
    MalformedTimestampError,
    MissingHeaderError,
    NotAMessageError,
    ReplayedError,
    SchemeError,
    SecretError,
    SignatureMismatchError,
    TooLargeError,
    TooNewError,
    TooOldError,
    UnknownEndpointError,
    VerificationError,
)
from hookseal._finding import Finding
from hookseal._guard import AsyncReplayGuard, ReplayGuard
from hookseal._message import Message
from hookseal._redis_guard import AsyncRedisReplayGuard, RedisReplayGuard
from hookseal._scheme import Scheme
from hookseal._sqlite_guard import SQLiteReplayGuard
from hookseal._store_errors import ClaimLostError, ReplayStoreError, ReplayStoreFullError
from hookseal._usage import Usage
from hookseal._verdict import Verdict
from hookseal.pure._batch import BatchResult
from hookseal.pure._keyring import Keyring
from hookseal.pure._memory_guard import MemoryReplayGuard
from hookseal.pure._secret import Secret
from hookseal.pure._signer import Signer
from hookseal.pure._verified import Verified
from hookseal.pure._verifier import Verifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    __version__: str

__all__ = [
    "AmbiguousHeaderError",
    "AsyncRedisReplayGuard",
    "AsyncReplayGuard",
    "BatchResult",
    "Claim",
    "ClaimLostError",
    "Claims",
    "Endpoint",
    "Finding",
    "Keyring",
    "MalformedHeaderError",
    "MalformedSignatureError",
    "MalformedTimestampError",
    "MemoryReplayGuard",
    "Message",
    "MissingHeaderError",
    "NotAMessageError",
    "RedisReplayGuard",
    "ReplayGuard",
    "ReplayStoreError",
    "ReplayStoreFullError",
    "ReplayedError",
    "SQLiteReplayGuard",
    "Scheme",
    "SchemeError",
    "Secret",
    "SecretError",
    "SignatureMismatchError",
    "Signer",
    "TooLargeError",
    "TooNewError",
    "TooOldError",
    "UnknownEndpointError",
    "Usage",
    "Verdict",
    "VerificationError",
    "Verified",
    "Verifier",
    "__version__",
    "kernel",
    "schemes",
]


def kernel() -> str:
    """The code that hashes in this process: here ``"hashlib"``."""
    return "hashlib"


def __getattr__(name: str) -> str:
    if name == "__version__":
        # Asked for when it is wanted: importlib.metadata is heavy.
        from importlib.metadata import version

        return version("hookseal")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
