"""The classes behind ``hookseal.compat``: other packages' verifiers, name for name.

They are the strict reading, less what the originals refuse themselves, so that a drop-in never
takes what its original does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from math import floor
from typing import Any, ClassVar, NoReturn, Self, cast

from hookseal import schemes
from hookseal._arguments import json_text_value, mistake, wrong_type
from hookseal._errors import VerificationError, refusal
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


class MirroredWebhook:
    """What the drop-ins of standardwebhooks and svix share."""

    __slots__ = ("_chooses", "_signer", "_verifiers", "_window")

    _scheme: ClassVar[str]
    # Whether a tolerance was given.
    _chooses: bool
    _signer: Signer
    _window: tuple[int, int] | None
    # By the window they hold a time against; None for none.
    _verifiers: dict[tuple[int, int] | None, Verifier]

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        """Takes what the ``__init__`` of a subclass takes."""
        return object.__new__(cls)

    def __init__(
        self, whsecret: SecretLike | Sequence[SecretLike], *, tolerance: Tolerance = None
    ) -> None:
        """Takes a secret, or up to 8 of them."""
        scheme = schemes.get(self._scheme)
        given = window(tolerance)
        secrets = unwrapped(whsecret)
        own = scheme.tolerance if given is None else given
        self._window = None if own == "off" else own
        self._chooses = given is not None
        windows = {self._window, None}
        if given is None and self._window is not None:
            # The originals hold a time against the clock with its fraction.
            windows.add(_earlier(self._window))
        try:
            self._verifiers = {
                it: Verifier(secrets, scheme=scheme, tolerance="off" if it is None else it)
                for it in windows
            }
            self._signer = Signer(secrets, scheme=scheme)
        except (TypeError, ValueError) as error:
            raise webhook_secret(whsecret, error) from None

    def sign(self, msg_id: str, timestamp: datetime, data: str) -> str:
        """The value of the signature header, with one signature a secret."""
        chosen = self._signer._id(text(msg_id, "msg_id"), "msg_id")
        at = signing_second(timestamp)
        body = encodable(read_body(text(data, "data"), "data"), "data")
        (*_, signature) = self._signer.sign(body, id=chosen, timestamp=at).values()
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
        if self._own_judge() is not None:
            raise mistake("own-judge")
        self._refuse_own_sign()
        return self._verifiers[self._window].verify_batch(
            messages, received_at=received_at, now=now, threads=threads, keep=keep
        )

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise mistake("copy", type(self).__name__)

    def _own_judge(self) -> Callable[[str], object] | None:
        """What stands in the place of the original's private method; None where nothing does."""
        judge = getattr(self, "_Webhook__verify_timestamp", verify_timestamp)
        if judge is verify_timestamp:
            return None
        if self._chooses:
            raise mistake("two-judges")
        if not callable(judge):
            raise wrong_type("callable", judge, "__verify_timestamp")
        return cast(Callable[[str], object], judge)

    def _refuse_own_sign(self) -> None:
        """Raises where the original would ask something else for the signature.

        Raises:
            TypeError: As it says.
        """
        has_own = "sign" in getattr(self, "__dict__", ())
        if has_own or type(self).sign is not MirroredWebhook.sign:
            raise mistake("own-sign", "sign")
        names: dict[str, object] = getattr(self, "_names", {})
        if names.get("hmac_data", hmac_data) is not hmac_data:
            raise mistake("own-sign", "hmac_data")

    def _verified(
        self, data: object, headers: object, judge: Callable[[str], object] | None
    ) -> bytes:
        """The body of a good message; raises as the original for another."""
        body = read_body(data, "data")
        read = read_mirrored(headers, schemes.get(self._scheme))
        try:
            if judge is None:
                return self._judged(body, read, self._window)
            text, stated = read.timestamp_text(), read.timestamp()
        except Refused as refused:
            cause = _cause(refused)
            raise webhook_refusal(refused.verdict, cause) from cause
        # The original signs what this returns; here it has to be what the header states.
        said = stated_second(judge(text))
        try:
            if said != stated:
                raise Refused(Verdict.SIGNATURE_MISMATCH)
            return self._judged(body, read, None)
        except Refused as refused:
            cause = _cause(refused)
            raise webhook_refusal(refused.verdict, cause) from cause

    def _judged(
        self, body: bytes | None, read: MirroredHeaders, window: tuple[int, int] | None
    ) -> bytes:
        now = time.time()
        if window is not None and now != floor(now):
            shorter = _earlier(window)
            window = shorter if shorter in self._verifiers else window
        if read.strange:
            read.judge_time(window, floor(now))
        verifier = self._verifiers[window]
        try:
            # Of text that cannot be encoded the headers are judged all the same: they come first.
            verified = verifier.verify(body or b"", read.pairs(), now=floor(now))
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


class StandardWebhook(MirroredWebhook):
    """``Webhook`` of standardwebhooks."""

    __slots__ = ()
    _scheme = "standard-webhooks"

    def verify(self, data: Body, headers: Mapping[str, str], *, json_parse: bool = True) -> Any:
        """Gives what ``json.loads`` makes of a good message's body, or None; or raises."""
        judge = self._own_judge()
        self._refuse_own_sign()
        body = self._verified(data, headers, judge)
        return json_text_value(body) if json_parse else None


class SvixWebhook(MirroredWebhook):
    """``Webhook`` of svix 2."""

    __slots__ = ()
    _scheme = "svix"

    def verify(self, data: Body, headers: Mapping[str, str]) -> None:
        """Raises unless the message is good."""
        self._verified(data, headers, None)


class Svix1Webhook(MirroredWebhook):
    """``Webhook`` of svix 1."""

    __slots__ = ()
    _scheme = "svix"

    def verify(self, data: Body, headers: Mapping[str, str]) -> Any:
        """Gives what ``json.loads`` makes of a good message's body, or raises."""
        return json_text_value(self._verified(data, headers, None))


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
