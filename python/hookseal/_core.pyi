# The types of the compiled module. stubtest holds this file to the binary, and the
# surface test holds hookseal.pure to this file.

from collections.abc import (
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from datetime import datetime, timedelta
from os import PathLike
from typing import Any, Literal, NoReturn, Self, TypeAlias, TypeVar, final, overload

from typing_extensions import disjoint_base

from hookseal._claim import Claims
from hookseal._endpoint import Endpoint
from hookseal._finding import Finding
from hookseal._guard import AsyncReplayGuard, ReplayGuard
from hookseal._processing import Processing
from hookseal._scheme import Scheme
from hookseal._usage import Usage
from hookseal._verdict import Verdict
from hookseal.types import (
    Body,
    Headers,
    HeaderValue,
    Instant,
    Instants,
    MessageLike,
    SecretLike,
    Tolerance,
)

_T = TypeVar("_T")
_Told: TypeAlias = Mapping[str, SecretLike | Sequence[SecretLike] | Endpoint | None]
_Resolve: TypeAlias = Callable[[list[str]], _Told | Awaitable[_Told]]

__all__ = [
    "BatchResult",
    "Keyring",
    "LineJudge",
    "LineReport",
    "MemoryReplayGuard",
    "Message",
    "MirroredWebhook",
    "Secret",
    "Signer",
    "StandardWebhook",
    "Svix1Webhook",
    "SvixWebhook",
    "Verified",
    "Verifier",
    "__version__",
    "_json_loads",
    "_panic_for_test",
    "_verdict_names",
    "is_signed",
    "kernel",
]
__version__: str

def _json_loads(body: bytes) -> Any: ...
def _panic_for_test() -> None: ...
def _verdict_names() -> list[str]: ...
def is_signed(scheme: str, body: Body, signature: str, secret: str) -> bool: ...
def kernel() -> str: ...

@final
class Secret:
    def __new__(
        cls,
        value: SecretLike,
        *,
        label: str | None = None,
        not_before: Instant | None = None,
        not_after: Instant | None = None,
    ) -> Secret: ...
    @staticmethod
    def from_text(
        text: str,
        *,
        label: str | None = None,
        not_before: Instant | None = None,
        not_after: Instant | None = None,
    ) -> Secret: ...
    @staticmethod
    def from_base64(
        text: str,
        *,
        label: str | None = None,
        not_before: Instant | None = None,
        not_after: Instant | None = None,
    ) -> Secret: ...
    @staticmethod
    def from_hex(
        text: str,
        *,
        label: str | None = None,
        not_before: Instant | None = None,
        not_after: Instant | None = None,
    ) -> Secret: ...
    @staticmethod
    def from_env(
        name: str,
        *,
        label: str | None = None,
        not_before: Instant | None = None,
        not_after: Instant | None = None,
    ) -> Secret: ...
    @staticmethod
    def generate(
        scheme: Scheme | str = "standard-webhooks", *, label: str | None = None
    ) -> Secret: ...
    @property
    def label(self) -> str | None: ...
    @property
    def not_before(self) -> int | None: ...
    @property
    def not_after(self) -> int | None: ...
    def check(self, scheme: Scheme | str = "standard-webhooks") -> list[Finding]: ...
    def reveal(self) -> str | bytes: ...

@final
class Keyring:
    def __new__(
        cls,
        endpoints: Mapping[str, SecretLike | Sequence[SecretLike] | Endpoint] = {},
        *,
        scheme: Scheme | str = "standard-webhooks",
        resolver: _Resolve | None = None,
        resolver_ttl: float = 300,
        resolver_negative_ttl: float = 30,
        resolver_size: int = 10_000,
    ) -> Keyring: ...
    @staticmethod
    def from_file(path: str | bytes | PathLike[str] | PathLike[bytes]) -> Keyring: ...
    @staticmethod
    def from_env(
        prefix: str,
        *,
        scheme: Scheme | str = "standard-webhooks",
        endpoints: Sequence[str] | None = None,
    ) -> Keyring: ...
    def rotate(
        self,
        endpoint: str,
        new: SecretLike,
        *,
        overlap: timedelta | None = None,
        now: Instant | None = None,
    ) -> str: ...
    def replace(
        self, endpoint: str, secrets: SecretLike | Sequence[SecretLike] | Endpoint
    ) -> None: ...
    def remove(self, endpoint: str, label: str) -> None: ...
    def remove_endpoint(self, endpoint: str) -> None: ...
    def forget(self, endpoint: str | None = None) -> None: ...
    def endpoints(self) -> list[str]: ...
    def labels(self, endpoint: str) -> list[str]: ...
    def check(self) -> list[Finding]: ...
    def usage(self) -> dict[tuple[str, str], Usage]: ...
    def save_usage(self, path: str | bytes | PathLike[str] | PathLike[bytes]) -> None: ...
    def __contains__(self, endpoint: object, /) -> bool: ...
    def __len__(self) -> int: ...

@final
class Verified:
    @property
    def id(self) -> str | None: ...
    @property
    def timestamp(self) -> int | None: ...
    @property
    def secret(self) -> str | None: ...
    @property
    def endpoint(self) -> str | None: ...
    @property
    def scheme(self) -> str: ...
    @property
    def body(self) -> bytes: ...
    @property
    def covers(self) -> frozenset[str]: ...
    @property
    def fresh(self) -> bool: ...
    @property
    def claimed(self) -> bool: ...
    def processing(self) -> Processing: ...
    def json(self) -> Any: ...

@final
class BatchResult:
    @property
    def codes(self) -> memoryview: ...
    @property
    def secrets(self) -> memoryview: ...
    @property
    def valid(self) -> int: ...
    @property
    def invalid(self) -> int: ...
    @property
    def errors(self) -> dict[int, Exception]: ...
    def counts(self) -> dict[Verdict, int]: ...
    # Keys are labels; with a ring, pairs of endpoint and label.
    def by_secret(self) -> dict[Any, int]: ...
    def valid_indices(self) -> list[int]: ...
    def invalid_indices(self) -> list[int]: ...
    def verified(self, index: int) -> Verified: ...
    def accepted(self) -> Iterator[tuple[int, Verified]]: ...
    def partition(self, messages: Sequence[_T]) -> tuple[list[_T], list[_T]]: ...
    def raise_for_invalid(self) -> None: ...
    def commit(self, indices: Iterable[int] | None = None) -> None: ...
    def release(self, indices: Iterable[int] | None = None) -> None: ...
    def acommit(self, indices: Iterable[int] | None = None) -> Coroutine[Any, Any, None]: ...
    def arelease(self, indices: Iterable[int] | None = None) -> Coroutine[Any, Any, None]: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: int, /) -> Verdict: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[Verdict]: ...
    def __iter__(self) -> Iterator[Verdict]: ...
    def __reversed__(self) -> Iterator[Verdict]: ...
    def __bool__(self) -> NoReturn: ...

@final
class Verifier:
    def __new__(
        cls,
        secrets: SecretLike | Sequence[SecretLike] | Keyring,
        *,
        scheme: Scheme | str | None = None,
        tolerance: Tolerance = None,
        max_body_bytes: int | None = None,
        replay: ReplayGuard | AsyncReplayGuard | None = None,
        replay_ttl: int | None = None,
        lease: int | None = None,
        on_store_error: Literal["raise", "reject", "accept"] = "raise",
    ) -> Verifier: ...
    @staticmethod
    def unsigned(*, reason: str, max_body_bytes: int | None = None) -> Verifier: ...
    def verify(
        self,
        body: Body,
        headers: Headers,
        *,
        endpoint: str | None = None,
        received_at: Instant | None = None,
        now: Instant | None = None,
    ) -> Verified: ...
    def check(
        self,
        body: Body,
        headers: Headers,
        *,
        endpoint: str | None = None,
        received_at: Instant | None = None,
        now: Instant | None = None,
    ) -> Verdict: ...
    def verify_batch(
        self,
        messages: Iterable[MessageLike],
        *,
        endpoint: str | Sequence[str | None] | None = None,
        received_at: Instants = None,
        now: Instant | None = None,
        threads: int | None = None,
        keep: bool = True,
    ) -> BatchResult: ...
    def verify_columns(
        self,
        ids: Sequence[HeaderValue] | None,
        timestamps: Sequence[HeaderValue] | None,
        signatures: Sequence[HeaderValue] | None,
        bodies: Iterable[Body],
        *,
        endpoint: str | Sequence[str | None] | None = None,
        received_at: Instants = None,
        now: Instant | None = None,
        threads: int | None = None,
        keep: bool = True,
    ) -> BatchResult: ...
    def averify(
        self,
        body: Body,
        headers: Headers,
        *,
        endpoint: str | None = None,
        received_at: Instant | None = None,
        now: Instant | None = None,
    ) -> Coroutine[Any, Any, Verified]: ...
    def acheck(
        self,
        body: Body,
        headers: Headers,
        *,
        endpoint: str | None = None,
        received_at: Instant | None = None,
        now: Instant | None = None,
    ) -> Coroutine[Any, Any, Verdict]: ...
    def averify_batch(
        self,
        messages: Iterable[MessageLike],
        *,
        endpoint: str | Sequence[str | None] | None = None,
        received_at: Instants = None,
        now: Instant | None = None,
        threads: int | None = None,
        keep: bool = True,
    ) -> Coroutine[Any, Any, BatchResult]: ...

@final
class MemoryReplayGuard:
    def __new__(cls, *, max_claims: int = 1000000) -> MemoryReplayGuard: ...
    def claim(self, keys: Sequence[bytes], *, lease: int | None, ttl: int) -> Claims: ...
    def commit(self, keys: Sequence[bytes], *, token: object = None) -> None: ...
    def release(self, keys: Sequence[bytes], *, token: object = None) -> None: ...
    def close(self) -> None: ...
    def count(self) -> int: ...

@disjoint_base
class Message:
    def __new__(
        cls,
        body: Body,
        headers: Headers,
        *,
        endpoint: str | None = None,
        received_at: Instant | None = None,
        url: str | None = None,
        method: str | None = None,
    ) -> Self: ...
    @property
    def body(self) -> Body: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def endpoint(self) -> str | None: ...
    @property
    def received_at(self) -> Instant | None: ...
    @property
    def url(self) -> str | None: ...
    @property
    def method(self) -> str | None: ...

@final
class Signer:
    def __new__(
        cls,
        secrets: SecretLike | Sequence[SecretLike],
        *,
        scheme: Scheme | str = "standard-webhooks",
    ) -> Signer: ...
    def sign(
        self, body: Body, *, id: str | None = None, timestamp: Instant | None = None
    ) -> dict[str, str]: ...
    def sign_batch(
        self,
        bodies: Iterable[Body],
        *,
        ids: Sequence[str | None] | None = None,
        timestamps: Instants = None,
    ) -> list[dict[str, str]]: ...

@final
class LineReport:
    @property
    def refusals(self) -> list[tuple[int, Verdict | None, str, str | None]]: ...
    @property
    def rejected(self) -> bytes: ...

@final
class LineJudge:
    def __new__(
        cls,
        verifier: Verifier,
        *,
        now: Instant | None = None,
        threads: int | None = None,
        max_line_bytes: int = 67108864,
        keep_rejects: bool = False,
    ) -> LineJudge: ...
    def feed(self, block: bytes) -> LineReport: ...
    def finish(self) -> LineReport: ...
    @property
    def messages(self) -> int: ...
    @property
    def broken(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    def counts(self) -> dict[Verdict, int]: ...
    def endpoints(self) -> list[tuple[str | None, int, int]]: ...
    def secrets(self) -> list[tuple[str | None, str, int, int | None, int | None]]: ...

# The classes behind hookseal.compat, whose classes are their subclasses.

@disjoint_base
class MirroredWebhook:
    def __new__(cls, *arguments: Any, **named: Any) -> Self: ...
    def __init__(
        self, whsecret: SecretLike | Sequence[SecretLike], *, tolerance: Tolerance = None
    ) -> None: ...
    def sign(self, msg_id: str, timestamp: datetime, data: str) -> str: ...
    def verify_batch(
        self,
        messages: Iterable[MessageLike],
        *,
        received_at: Instants = None,
        now: Instant | None = None,
        threads: int | None = None,
        keep: bool = True,
    ) -> BatchResult: ...

class StandardWebhook(MirroredWebhook):
    def verify(self, data: Body, headers: Mapping[str, str], *, json_parse: bool = True) -> Any: ...

class SvixWebhook(MirroredWebhook):
    def verify(self, data: Body, headers: Mapping[str, str]) -> None: ...

class Svix1Webhook(MirroredWebhook):
    def verify(self, data: Body, headers: Mapping[str, str]) -> Any: ...
