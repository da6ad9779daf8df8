"""Verify webhook signatures: strictly, one by one and in batches.

>>> from hookseal import Verifier
>>> verifier = Verifier("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

``verifier.verify(body, headers)`` returns a ``Verified`` or raises;
``verifier.verify_batch(messages)`` judges a whole queue.
"""

from __future__ import annotations

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

TYPE_CHECKING = False

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

try:
    from hookseal._core import (
        BatchResult,
        Keyring,
        MemoryReplayGuard,
        Secret,
        Signer,
        Verified,
        Verifier,
        __version__,
        kernel,
    )
except ModuleNotFoundError as error:
    # Only the absence of the binary is a case of its own; a binary that is there and
    # does not load must say so at once.
    if error.name != "hookseal._core":
        raise

    _HOT = frozenset(
        {
            "BatchResult",
            "Keyring",
            "MemoryReplayGuard",
            "Secret",
            "Signer",
            "Verified",
            "Verifier",
            "kernel",
        }
    )

    if not TYPE_CHECKING:  # a type checker is to know the names above, and no other

        def __getattr__(name: str) -> str:
            if name in _HOT:
                raise ImportError(
                    f"hookseal.{name} needs the compiled module, which this installation does"
                    " not have: use `import hookseal.pure`, the same in plain Python, or install"
                    " a wheel for this platform",
                    name="hookseal._core",
                )
            if name == "__version__":
                from importlib.metadata import version

                return version("hookseal")
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
