"""``hookseal secret rotate`` and ``hookseal secret retire``: changes of a keyring file."""

from __future__ import annotations

import os
import sys
import time

from hookseal._cli import _exit, _implementation, _say
from hookseal._cli._editor import Editor, instant
from hookseal._cli._exit import Fault, io_fault
from hookseal._cli._inventory import rows_of, usage_of
from hookseal._cli._keys import secret_from
from hookseal._cli._say import named, printable
from hookseal._cli._secret import entered
from hookseal._cli._tables import rendered
from hookseal._errors import SecretError, shown, without_calls
from hookseal._instant import seconds
from hookseal._keyring_file import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from hookseal._keyring_outline import Outline
    from hookseal._usage import Usage
    from hookseal._usage_file import Key

__all__ = ["retire", "rotate"]

_DAY_SECONDS = 24 * 60 * 60


def rotate(options: Namespace) -> int:
    """Puts a new secret first in an endpoint; returns the exit status.

    Raises:
        Fault: The file, the endpoint or the secret is not as it must be; nothing has changed.
    """
    editor = Editor(options.keyring)
    outline = editor.outline(options.endpoint)
    now = _now(options)
    label = options.label or _new_label(now, {one.label for one in outline.secrets})
    secret, entry = _new(options, editor, outline.scheme)
    entry["label"] = label
    _judge(editor, options.endpoint, outline, secret, label)
    until = None
    if options.overlap_days is not None:
        until = now + options.overlap_days * _DAY_SECONDS
    data = editor.with_first(options.endpoint, entry, until)
    _show(editor, options.endpoint, data)
    if (status := _asked(options, editor)) is not None:
        return status
    if options.new_file is not None:
        _put_secret(options.new_file, secret)
    try:
        editor.write(data)
    except BaseException:
        # Ctrl-C may come when the keyring names the new file already.
        if options.new_file is not None and not editor.is_written(data):
            os.unlink(options.new_file)
        raise
    if options.show:
        _say.put(f"{_text_of(secret)}\n")
    return _exit.FINE


def retire(options: Namespace) -> int:
    """Takes a secret out of an endpoint, if it is idle; returns the exit status.

    Raises:
        Fault: The file, the endpoint or the label is not as it must be, or the secret is not
            known to be idle; nothing has changed.
    """
    editor = Editor(options.keyring)
    outline = editor.outline(options.endpoint)
    listed = {one.label: one for one in outline.secrets}
    name = f"{shown(options.label)} of {shown(options.endpoint)}"
    if options.label not in listed:
        raise Fault(f"{named(options.keyring)} has no secret {name}")
    if options.usage is None and not options.force:
        raise Fault("secret retire needs --usage FILE, which shows that nobody signs with it")
    now = _now(options)
    if options.usage is not None:
        records = usage_of(options.usage)
        if why := _why_not_idle(records, (options.endpoint, options.label), now, options.idle_days):
            if not options.force:
                raise Fault(f"{name} stays: {why}; --force takes it out", _exit.REFUSED)
            _say.warn(f"{name}: {why}")
    left = [one for one in outline.secrets if one.label != options.label]
    if options.with_endpoint:
        if left:
            raise Fault(f"--with-endpoint is for a last secret: {name} is none")
        data = editor.without_endpoint(options.endpoint)
    elif not left:
        words = f"{name} is the last one there: --with-endpoint removes the endpoint with it"
        raise Fault(words, _exit.REFUSED)
    else:
        if not options.force and not any(one.is_live(now) for one in left):
            words = f"{name} stays: without it none there is live now; --force takes it out"
            raise Fault(words, _exit.REFUSED)
        data = editor.without(options.endpoint, options.label)
    _show(editor, options.endpoint, data)
    if (status := _asked(options, editor)) is not None:
        return status
    editor.write(data)
    source = listed[options.label]
    if source.source != "value":
        _say.complain(f"its {source.source} {_say.named(source.name or '')} is still there")
    return _exit.FINE


def _why_not_idle(records: dict[Key, Usage], key: Key, now: int, idle_days: int) -> str | None:
    """Why a usage file does not show that a secret was idle; None if it does."""
    if key not in records:
        return "the usage file has no record of it, which is not one of its being unused"
    since = now - idle_days * _DAY_SECONDS
    last = records[key].last_matched
    days = f"{idle_days} day{'s' * (idle_days != 1)}"
    if last is not None and last > since:
        return f"it matched at {_shown(last)}, and has not been idle for {days}"
    if not idle_days:
        return None
    # That it did not match says something where others of the endpoint did, before and within
    # that time: else there was nothing to match, or nobody who wrote it down.
    others = [record for (endpoint, _), record in records.items() if endpoint == key[0]]
    firsts = [one.first_matched for one in others if one.first_matched is not None]
    lasts = [one.last_matched for one in others if one.last_matched is not None]
    if not lasts or max(lasts) < since:
        return f"the usage file shows no message of the endpoint within {days}"
    if min(firsts) > since:
        return f"the usage file goes back to {_shown(min(firsts))}, which is less than {days}"
    return None


def _new(options: Namespace, editor: Editor, scheme: str) -> tuple[Any, dict[str, str]]:
    """The new secret, and how the keyring file names it."""
    hooks = _implementation.hooks()
    if options.secrets:
        if len(options.secrets) > 1 or options.enter or options.new_file is not None:
            raise Fault("one new secret: --secret-env, --secret-file, --enter, or none of them")
        ((source, name),) = options.secrets
        secret = secret_from(source, name)
        if source == "file" and not os.path.isabs(name):
            # A relative path starts at the folder of the keyring file.
            folder = os.path.dirname(os.path.abspath(editor.path))
            name = os.path.relpath(os.path.abspath(name), folder)
        return secret, {source: name}
    secret = entered() if options.enter else hooks.Secret.generate(scheme)
    if options.new_file is not None:
        folder = os.path.dirname(os.path.abspath(editor.path))
        path = os.path.abspath(options.new_file)
        if os.path.lexists(path):
            raise Fault(f"--new-file: {named(options.new_file)} is there already")
        is_beside = os.path.commonpath([folder, path]) == folder
        return secret, {"file": os.path.relpath(path, folder) if is_beside else path}
    return secret, {"value": _text_of(secret)}


def _judge(editor: Editor, endpoint: str, outline: Outline, secret: Any, label: str) -> None:
    """Refuses a secret that the endpoint could not have; says what is weak about it."""
    from hmac import compare_digest

    from hookseal import schemes
    from hookseal.pure import Secret

    scheme, place = schemes.get(outline.scheme), f"the new secret of {shown(endpoint)}"
    try:
        new = Secret(secret.reveal(), label=label)
        key = new._key(scheme, place)
    except SecretError as error:
        raise Fault(without_calls(str(error))) from None
    reader = Reader(os.path.dirname(editor.path), Secret)
    for entry in editor.entries(endpoint):
        try:
            other = reader.entry(entry)._key(scheme, place)
        except (OSError, ValueError):
            continue  # Its variable or file is on another machine.
        if compare_digest(key, other):
            raise Fault(f"{place} is the same key as another one of the endpoint")
    for finding in new.check(scheme):
        _say.warn(f"{place}: {finding.text}")


def _put_secret(path: str, secret: Any) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    is_made = False
    try:
        with open(os.open(path, flags, 0o600), "wb") as stream:
            is_made = True
            stream.write(_text_of(secret).encode())
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        if is_made:
            os.unlink(path)
        raise io_fault(f"cannot write to {named(path)}", error) from None


def _text_of(secret: Any) -> str:
    value = secret.reveal()
    assert isinstance(value, str), "it was generated, or entered as text"
    return value


def _new_label(now: int, taken: set[str]) -> str:
    """The day, and a number where there is one of that day."""
    day = f"{instant(now):%Y-%m-%d}"
    label, number = day, 1
    while label in taken:
        number += 1
        label = f"{day}.{number}"
    return label


def _show(editor: Editor, endpoint: str, data: bytes) -> None:
    """Prints what the endpoint will be."""
    from hookseal._keyring_outline import outline_of

    after = outline_of(editor.path, data, _implementation.hooks().Secret)
    if endpoint not in after:
        _say.put(f"without the endpoint {printable(endpoint)}\n")
        return
    before = {one.label: one for one in editor.outline(endpoint).secrets}
    _say.put(rendered([rows_of({endpoint: after[endpoint]}, before=before)]))


def _asked(options: Namespace, editor: Editor) -> int | None:
    """Asks whether the change is to be made; the exit status if it is not."""
    if options.dry_run:
        _say.complain("nothing was changed: this was a dry run")
        return _exit.FINE
    if options.yes:
        return None
    if sys.stdin is None or not sys.stdin.isatty():
        raise Fault("nobody can be asked: --yes makes the change, --dry-run shows it")
    sys.stderr.write(f"change {_say.named(editor.path)}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return None
    _say.complain("nothing was changed")
    return _exit.REFUSED


def _now(options: Namespace) -> int:
    return seconds(time.time(), "time.time()") if options.now is None else int(options.now)


def _shown(second: int) -> str:
    return f"{instant(second):%Y-%m-%d %H:%M:%SZ}"
