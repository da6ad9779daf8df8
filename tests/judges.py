"""The three ways in which messages are judged: by the core, by the twin, and by the command."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import pytest

from hookseal import Verdict, VerificationError
from hookseal._cli import main
from tests.implementations import BODY, NOW, SECRET, signed

# A body and its headers, as pairs or a dict.
Message: TypeAlias = tuple[bytes, Any]

WAYS: Final = ("core", "twin", "command")
# What all refusals say to the one who sent the message.
PUBLIC_MESSAGE: Final = "webhook verification failed"


class Judge(Protocol):
    """Says what becomes of messages."""

    def __call__(
        self,
        messages: Sequence[Message],
        *,
        secrets: Sequence[str] = (SECRET,),
        scheme: str = "standard-webhooks",
        tolerance: Any = None,
        now: int = NOW,
    ) -> list[Verdict | None]:
        """The verdict of each message; None for one that cannot be asked about in this way."""


class Objects:
    """``check``, and what ``verify`` and ``verify_batch`` say must be the same."""

    def __init__(self, hooks: Any) -> None:
        self._hooks = hooks

    def __call__(
        self,
        messages: Sequence[Message],
        *,
        secrets: Sequence[str] = (SECRET,),
        scheme: str = "standard-webhooks",
        tolerance: Any = None,
        now: int = NOW,
    ) -> list[Verdict | None]:
        verifier = self._hooks.Verifier(list(secrets), scheme=scheme, tolerance=tolerance)
        verdicts = []
        for body, headers in messages:
            verdict = verifier.check(body, headers, now=now)
            verdicts.append(verdict)
            if verdict is Verdict.VALID:
                assert verifier.verify(body, headers, now=now).body == body
                continue
            with pytest.raises(VerificationError) as caught:
                verifier.verify(body, headers, now=now)
            assert caught.value.verdict is verdict
            assert caught.value.public_message == PUBLIC_MESSAGE
        assert list(verifier.verify_batch(messages, now=now)) == verdicts
        return verdicts


class Command:
    """``hookseal verify-batch`` over a file of the messages, and ``hookseal verify`` for the
    first one, which must say the same."""

    def __init__(
        self, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
    ) -> None:
        self._folder = folder
        self._patch = patch
        self._capture = capture

    def __call__(
        self,
        messages: Sequence[Message],
        *,
        secrets: Sequence[str] = (SECRET,),
        scheme: str = "standard-webhooks",
        tolerance: Any = None,
        now: int = NOW,
    ) -> list[Verdict | None]:
        options = ["--scheme", scheme, "--now", str(now)]
        for number, secret in enumerate(secrets):
            self._patch.setenv(f"HOOK_SECRET_{number}", secret)
            options += ["--secret-env", f"HOOK_SECRET_{number}"]
        if tolerance is not None:
            both = isinstance(tolerance, tuple)
            options += ["--tolerance", ",".join(map(str, tolerance)) if both else str(tolerance)]
        told = [_said(message) for message in messages]
        verdicts = self._of_lines([line for line in told if line is not None], options)
        given = [None if line is None else next(verdicts) for line in told]
        assert next(verdicts, None) is None
        if told[:1] != [None] and messages:
            self._same_alone(messages[0], given[0], options)
        return given

    def _of_lines(self, lines: list[str], options: list[str]) -> Iterator[Verdict]:
        queue, reasons = self._folder / "queue.jsonl", self._folder / "reasons.jsonl"
        queue.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
        verdicts = [Verdict.VALID] * len(lines)
        status = main(["verify-batch", "--json", *options, "--reasons", str(reasons), str(queue)])
        summary = json.loads(self._capture.readouterr().out)
        for text in reasons.read_text(encoding="ascii").splitlines():
            reason = json.loads(text)
            verdicts[reason["line"] - 1] = Verdict[reason["verdict"]]
        assert summary["messages"] == len(lines)
        assert summary["valid"] == verdicts.count(Verdict.VALID)
        assert status == (0 if summary["valid"] == len(lines) else 1)
        return iter(verdicts)

    def _same_alone(self, message: Message, verdict: Verdict | None, options: list[str]) -> None:
        body, headers = message
        lines = [f"{name}: {value}" for name, value in _pairs(headers)]
        if not all(isinstance(value, str) for _, value in _pairs(headers)):
            return
        if not all(line.isprintable() and line == line.strip() for line in lines):
            return  # No such line can be written, or it is read without its blanks.
        body_file, headers_file = self._folder / "body", self._folder / "headers"
        body_file.write_bytes(body)
        headers_file.write_text("\n".join(lines), encoding="utf-8")
        arguments = ["verify", "--json", *options, "--headers-file", str(headers_file)]
        main([*arguments, str(body_file)])
        assert verdict is not None
        assert json.loads(self._capture.readouterr().out)["verdict"] == verdict.name


def _pairs(headers: Any) -> list[tuple[Any, Any]]:
    return list(headers.items() if isinstance(headers, dict) else headers)


def _said(message: Message) -> str | None:
    """The message as a line of a queue; None if JSON has no way to say it."""
    body, headers = message
    try:
        pairs = [[_text(name), _value(value)] for name, value in _pairs(headers)]
    except UnicodeError:
        return None
    return json.dumps({"headers": pairs, "body_b64": base64.b64encode(body).decode()})


def _text(text: str | bytes) -> str:
    decoded = text.decode() if isinstance(text, bytes) else text
    decoded.encode()  # A lone surrogate is no character.
    return decoded


def _value(value: Any) -> Any:
    if value is None:
        return None
    return [_text(one) for one in value] if isinstance(value, (list, tuple)) else _text(value)


def changed(body: bytes = BODY, **headers: Any) -> Message:
    """A message of Standard Webhooks with other headers beside a good signature; a value that
    is ``...`` takes the header out."""
    given = {**signed(body), **{name.replace("_", "-"): value for name, value in headers.items()}}
    return body, {name: value for name, value in given.items() if value is not ...}


def only(verdicts: Sequence[Verdict | None]) -> set[Verdict]:
    """The verdicts that there are."""
    found = {verdict for verdict in verdicts if verdict is not None}
    assert found
    return found
