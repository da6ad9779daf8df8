"""The classes behind ``hookseal.compat``: other packages' verifiers, name for name.

They are the strict reading, less what the originals refuse themselves, so that a drop-in never
takes what its original does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, NoReturn, Self, cast

from hookseal import schemes
from hookseal._arguments import json_text_value, mistake, wrong_type
from hookseal._errors import VerificationError, refusal
from hookseal._instant import seconds
from hookseal._tolerance import window
from hookseal._verdict import Verdict
from hookseal.compat._errors import (
    signing_second,
    stated_second,
    webhook_refusal,
    webhook_secret,
)
from hookseal.compat._signing import hmac_data
from hookseal.compat._timestamp import verify_timestamp
from hookseal.compat._wrapped import unwrapped
from hookseal.pure._arguments import text
from hookseal.pure._batch import BatchResult
from hookseal.pure._body import encodable, read_body
from hookseal.pure._judgement import Refused
from hookseal.pure._key import MacKey, matches
from hookseal.pure._mirror_headers import MirroredHeaders, read_mirrored
from hookseal.pure._secret import THE_SECRET, SecretLike, secret_of
from hookseal.pure._signature import candidates
from hookseal.pure._signer import Signer
from hookseal.pure._verifier import Verifier
from hookseal.types import Body, Instant, Instants, MessageLike, Tolerance


class _State(NamedTuple):
    """What a drop-in was made with.

    Attributes:
        scheme: Its name.
        verifiers: By the window they hold a time against; None for none.
        signer: Signs with the same secrets.
        window: The one in use.
        chooses: Whether a tolerance was given.
    """

    scheme: str
    verifiers: dict[tuple[int, int] | None, Verifier]
    signer: Signer
    window: tuple[int, int] | None
    chooses: bool


class MirroredWebhook:
    """What the drop-ins of standardwebhooks and svix share.

    All it has is under one name, and all it does in functions: a subclass may call its own
    attributes and methods what it likes.
    """

    __slots__ = ("__state",)

    __state: _State

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        """Takes what the ``__init__`` of a subclass takes."""
        return object.__new__(cls)

    def __init__(
        self, whsecret: SecretLike | Sequence[SecretLike], *, tolerance: Tolerance = None
    ) -> None:
        """Takes a secret, or up to 8 of them."""
        name = "standard-webhooks" if isinstance(self, StandardWebhook) else "svix"
        self.__state = _made(name, whsecret, tolerance)

    def sign(self, msg_id: str, timestamp: datetime, data: str) -> str:
        """The value of the signature header, with one signature a secret."""
        signer = _state(self).signer
        chosen = signer._id(text(msg_id, "msg_id"), "msg_id")
        at = signing_second(timestamp)
        body = encodable(read_body(text(data, "data"), "data"), "data")
        (*_, signature) = signer.sign(body, id=chosen, timestamp=at).values()
        return signature

    def verify_batch(
        self,
        messages: Iterable[MessageLike],
        *,
        received_at: Instants = None,
        now: Instant | None = None,
        threads: int | None = None,
        keep: bool = True,
    ) -> BatchResult:
        """Gives the verdicts of many messages, as a ``Verifier`` with these secrets does."""
        _refuse_own_verify(self)
        if isinstance(self, StandardWebhook):
            if _own_judge(self) is not verify_timestamp:
                raise mistake("own-judge")
            _refuse_own_sign(self)
        state = _state(self)
        return state.verifiers[state.window].verify_batch(
            messages, received_at=received_at, now=now, threads=threads, keep=keep
        )

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise mistake("copy", type(self).__name__)


class StandardWebhook(MirroredWebhook):
    """``Webhook`` of standardwebhooks."""

    __slots__ = ()

    def verify(self, data: Body, headers: Mapping[str, str], *, json_parse: bool = True) -> Any:
        """Gives what ``json.loads`` makes of a good message's body, or None; or raises."""
        judge = _own_judge(self)
        _refuse_own_sign(self)
        body = _verified(self, data, headers, None if judge is verify_timestamp else (judge,))
        return json_text_value(body) if json_parse else None


class SvixWebhook(MirroredWebhook):
    """``Webhook`` of svix 2."""

    __slots__ = ()

    def verify(self, data: Body, headers: Mapping[str, str]) -> None:
        """Raises unless the message is good."""
        _verified(self, data, headers, None)


class Svix1Webhook(MirroredWebhook):
    """``Webhook`` of svix 1."""

    __slots__ = ()

    def verify(self, data: Body, headers: Mapping[str, str]) -> Any:
        """Gives what ``json.loads`` makes of a good message's body, or raises."""
        return json_text_value(_verified(self, data, headers, None))


def _made(name: str, whsecret: SecretLike | Sequence[SecretLike], tolerance: Tolerance) -> _State:
    scheme = schemes.get(name)
    given = window(tolerance)
    secrets = unwrapped(whsecret)
    own = scheme.tolerance if given is None else given
    chosen = None if own == "off" else own
    windows = {chosen, None}
    if given is None and chosen is not None:
        # The originals hold a time against the clock with its fraction.
        windows.add(_earlier(chosen))
    try:
        verifiers = {
            it: Verifier(secrets, scheme=scheme, tolerance="off" if it is None else it)
            for it in windows
        }
        return _State(name, verifiers, Signer(secrets, scheme=scheme), chosen, given is not None)
    except (TypeError, ValueError) as error:
        fault = webhook_secret(whsecret, error)
    # As no context of it, the other error would lead to frames that hold the secret.
    raise fault


def _state(webhook: MirroredWebhook) -> _State:
    try:
        return cast(_State, webhook._MirroredWebhook__state)  # type: ignore[attr-defined]
    except AttributeError:
        raise RuntimeError("Webhook.__init__ was not called") from None


def _own_judge(webhook: MirroredWebhook) -> object:
    """What stands in the place of the original's private method; itself where nothing does."""
    # A class of this module alone has none.
    if not hasattr(type(webhook), "_Webhook__verify_timestamp"):
        return verify_timestamp
    return webhook._Webhook__verify_timestamp  # type: ignore[attr-defined]


def _refuse_own_sign(webhook: MirroredWebhook) -> None:
    """Raises where the original would ask something else for the signature.

    Raises:
        TypeError: As it says.
    """
    has_own = "sign" in getattr(webhook, "__dict__", ())
    if has_own or type(webhook).sign is not MirroredWebhook.sign:
        raise mistake("own-sign", "sign")
    names: Any = getattr(type(webhook), "_hookseal_names", None)
    if isinstance(names, dict) and names.get("hmac_data", hmac_data) is not hmac_data:
        raise mistake("own-sign", "hmac_data")


def _refuse_own_verify(webhook: MirroredWebhook) -> None:
    """Raises where a batch would pass over what judges one message.

    Raises:
        TypeError: As it says.
    """
    cls = type(webhook)
    known = {own.verify for own in (StandardWebhook, SvixWebhook, Svix1Webhook)}
    if "verify" in getattr(webhook, "__dict__", ()) or getattr(cls, "verify", None) not in known:
        raise mistake("own-verify")


def _verified(
    webhook: MirroredWebhook, data: object, headers: object, judge: tuple[object] | None
) -> bytes:
    """The body of a good message; raises as the original for another."""
    state = _state(webhook)
    if judge is not None:
        if state.chooses:
            raise mistake("two-judges")
        if not callable(judge[0]):
            raise wrong_type("callable", judge[0], "__verify_timestamp")
    body = read_body(data, "data")
    read = read_mirrored(headers, schemes.get(state.scheme))
    try:
        if judge is None:
            return _judged(state, body, read, state.window)
        text, stated = read.timestamp_text(), read.timestamp()
    except Refused as refused:
        cause = _cause(refused)
        raise webhook_refusal(refused.verdict, cause) from cause
    # The original signs what this returns; here it has to be what the header states.
    said = stated_second(cast(Callable[[str], object], judge[0])(text))
    try:
        if said != stated:
            raise Refused(Verdict.SIGNATURE_MISMATCH)
        return _judged(state, body, read, None)
    except Refused as refused:
        cause = _cause(refused)
        raise webhook_refusal(refused.verdict, cause) from cause


def _judged(
    state: _State, body: bytes | None, read: MirroredHeaders, window: tuple[int, int] | None
) -> bytes:
    at = 0
    if window is not None:
        now = time.time()
        at = seconds(now, "time.time()")
        shorter = _earlier(window)
        window = shorter if now > at and shorter in state.verifiers else window
    if read.strange:
        read.judge_time(window, at)
    try:
        # Of text that cannot be encoded the headers are judged all the same: they come first.
        verified = state.verifiers[window].verify(body or b"", read.pairs(), now=at)
    except VerificationError as error:
        if error.verdict == Verdict.MISSING_HEADER:
            # What the strict reading finds missing is there, and strange.
            read.judge_strange()
        raise webhook_refusal(error.verdict, error) from error
    read.judge_strange()
    if body is None:
        raise Refused(Verdict.NOT_A_MESSAGE)
    return verified.body


def _earlier(window: tuple[int, int]) -> tuple[int, int]:
    past, future = window
    return past - 1, future


def _cause(refused: Refused) -> VerificationError:
    return refusal(refused.verdict, refused.header, refused.number)


def is_signed(scheme: str, body: Body, signature: str, secret: str) -> bool:
    """Whether a secret signed a body, in a scheme that signs nothing else."""
    known = schemes.get(scheme)
    data = read_body(body)
    key = secret_of(text(secret, "secret"), THE_SECRET)._key(known, THE_SECRET)
    if data is None:
        return False
    signed = text(signature, "signature").encode("utf-8", "surrogatepass")
    try:
        tags = candidates([signed], known, "the signature")
    except Refused:
        return False
    return matches(MacKey(key).tag((data,)), tags)
