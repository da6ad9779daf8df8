"""Keyring files: what they may say, and where an error says it is. Both implementations."""

from __future__ import annotations

import os
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookseal import SchemeError, SecretError, Verdict
from hookseal._keyring_file import MAX_KEYRING_FILE_BYTES
from hookseal._secret_file import MAX_SECRET_FILE_BYTES
from tests.implementations import BODY, KEY, NOW, SECRET, core, key, secret, signed, twin

needs_modes = pytest.mark.skipif(os.name != "posix", reason="files have no modes")

# Stands in every secret of the faulty files: no error may hold it.
CANARY = "c4naryOfAKeyringFile"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a secret file; a secret in the environment."""
    (tmp_path / "old.secret").write_text(secret(1) + "\n")
    monkeypatch.setenv("HOOK_NEW", SECRET)
    monkeypatch.setenv("HOOK_EMPTY", "")
    monkeypatch.setenv("HOOK_CANARY", f"!{CANARY}")
    monkeypatch.delenv("HOOK_ABSENT", raising=False)
    return tmp_path


@pytest.fixture
def ring(hooks: Any, folder: Path) -> Callable[..., Any]:
    """Writes a keyring file and reads it."""

    def read(text: str | bytes, **named: Any) -> Any:
        file = folder / "keyring.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        file.chmod(0o600)
        return hooks.Keyring.from_file(file, **named)

    return read


GOOD = """
[defaults]
scheme = "github"

[endpoints."acme/billing"]
scheme = "standard-webhooks"
tolerance = 60
secrets = [
    { env = "HOOK_NEW", label = "new" },
    { file = "old.secret", not_after = 2023-11-14T22:13:21Z },
]

[endpoints.forms]
secrets = [{ value = "a text that github shows" }]
"""


def test_a_file(ring: Callable[..., Any], hooks: Any) -> None:
    keys = ring(GOOD)
    assert keys.endpoints() == ["acme/billing", "forms"]
    assert keys.labels("acme/billing") == ["new", "0"]
    assert repr(keys) == "Keyring(endpoints=2, scheme='github')"
    assert type(keys) is hooks.Keyring
    verifier = hooks.Verifier(keys)

    def judged(key: bytes, now: int) -> Verdict:
        headers = signed(key=key, timestamp=now)
        verdict = verifier.check(BODY, headers, endpoint="acme/billing", now=now)
        assert isinstance(verdict, Verdict)
        return verdict

    # 2023-11-14T22:13:20Z is NOW.
    assert judged(KEY, NOW) is Verdict.VALID
    assert judged(key(1), NOW) is Verdict.VALID
    assert judged(key(1), NOW + 1) is Verdict.SIGNATURE_MISMATCH
    late = verifier.check(BODY, signed(), endpoint="acme/billing", now=NOW + 61)
    assert late is Verdict.TOO_OLD
    headers = hooks.Signer("a text that github shows", scheme="github").sign(BODY)
    assert verifier.check(BODY, headers, endpoint="forms") is Verdict.VALID


def test_the_default_scheme_is_standard_webhooks(ring: Callable[..., Any]) -> None:
    assert "standard-webhooks" in repr(ring('[endpoints.a]\nsecrets = [{ env = "HOOK_NEW" }]'))


@pytest.mark.parametrize("tolerance", ["300", "0", '"off"'])
def test_tolerances(ring: Callable[..., Any], hooks: Any, tolerance: str) -> None:
    keys = ring(f'[endpoints.a]\ntolerance = {tolerance}\nsecrets = [{{ env = "HOOK_NEW" }}]')
    verdict = hooks.Verifier(keys).check(BODY, signed(), endpoint="a", now=NOW + 300)
    assert verdict is (Verdict.TOO_OLD if tolerance == "0" else Verdict.VALID)


@pytest.mark.parametrize(
    "instant", ["2023-11-14T22:13:20Z", "2023-11-15T00:13:20.5+02:00", str(NOW), f"{NOW}.9"]
)
def test_instants(ring: Callable[..., Any], hooks: Any, instant: str) -> None:
    entry = f'{{ env = "HOOK_NEW", not_before = {instant} }}'
    verifier = hooks.Verifier(ring(f"[endpoints.a]\nsecrets = [{entry}]"))
    before = verifier.check(BODY, signed(), endpoint="a", now=NOW - 1)
    assert before is Verdict.SIGNATURE_MISMATCH
    assert verifier.check(BODY, signed(), endpoint="a", now=NOW) is Verdict.VALID


@pytest.mark.parametrize(
    ("written", "read"),
    [("x y", "x y"), ("x y\n", "x y"), ("x y\r\n", "x y"), ("x y\n\n", "x y\n"), (" x \n", " x ")],
)
def test_a_secret_file_loses_one_final_newline(
    ring: Callable[..., Any], hooks: Any, folder: Path, written: str, read: str
) -> None:
    (folder / "one.secret").write_bytes(written.encode())
    keys = ring('[endpoints.a]\nscheme = "github"\nsecrets = [{ file = "one.secret" }]')
    headers = hooks.Signer(read, scheme="github").sign(BODY)
    assert hooks.Verifier(keys).check(BODY, headers, endpoint="a") is Verdict.VALID


def test_a_secret_file_is_relative_to_the_keyring(
    ring: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    text = "[endpoints.a]\nsecrets = [{{ file = {!r} }}]"
    assert len(ring(text.format("old.secret"))) == 1
    assert len(ring(text.format(str(folder / "old.secret")))) == 1


def test_paths(hooks: Any, folder: Path, ring: Callable[..., Any]) -> None:
    ring(GOOD)
    file = folder / "keyring.toml"
    for path in (file, str(file), os.fsencode(file)):
        assert len(hooks.Keyring.from_file(path)) == 2
    for wrong in (None, 3, ["keyring.toml"]):
        with pytest.raises(TypeError):
            hooks.Keyring.from_file(wrong)
    with pytest.raises(FileNotFoundError) as caught:
        hooks.Keyring.from_file(folder / "none.toml")
    assert caught.value.filename == str(folder / "none.toml")
    with pytest.raises(ValueError, match="null"):
        hooks.Keyring.from_file("a\0b")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_byte_order_mark_and_line_ends(ring: Callable[..., Any], newline: str) -> None:
    assert len(ring(b"\xef\xbb\xbf" + GOOD.replace("\n", newline).encode())) == 2


def test_twenty_thousand_endpoints(hooks: Any, ring: Callable[..., Any]) -> None:
    count = 20_000 if hooks.__name__ == "hookseal" else 500
    tables = [f'[endpoints."{n}"]\nsecrets = [{{ value = "text {n}" }}]\n' for n in range(count)]
    assert len(ring('[defaults]\nscheme = "github"\n' + "".join(tables))) == count


# What is refused. ``{place}`` is the place of the first endpoint.

A = "[endpoints.a]\n"
ONE = A + "secrets = [{{ {} }}]"
GIVEN = 'env = "HOOK_NEW"'
ENTRY = "endpoints['a'][0]"
KEYS = "the keys here are"
INSTANT = "an offset date-time (2026-12-01T00:00:00Z) or Unix seconds"

REFUSED: dict[str, tuple[str | bytes, type[Exception], str]] = {
    "endless integer": (
        A + "tolerance = " + "9" * 5000,
        ValueError,
        "not TOML: an integer has thousands of digits",
    ),
    "empty": ("", ValueError, 'names no endpoint: it needs tables such as [endpoints."name"]'),
    "no table": ("[endpoints]", ValueError, "names no endpoint"),
    "syntax": (A + "secrets = ]", ValueError, "not TOML: Invalid value (at line 2, column 11)"),
    "a key twice": (A + "[endpoints.a]", ValueError, "not TOML: Cannot declare"),
    "deep": ("a = " + "[" * 100_000, ValueError, "values are nested too deeply"),
    "not UTF-8": (b'[endpoints.a]\nx = "\xff"', ValueError, "not UTF-8 (at line 2, byte 6)"),
    "unknown table": (
        "[endpoint.a]",
        ValueError,
        f"unknown key 'endpoint'; {KEYS} defaults, endpoints",
    ),
    "defaults": ("defaults = 1", ValueError, "defaults: must be a table, not an integer"),
    "unknown default": (
        "[defaults]\ntolerance = 300",
        ValueError,
        f"defaults: unknown key 'tolerance'; {KEYS} scheme",
    ),
    "endpoints": ("endpoints = []", ValueError, "endpoints: must be a table, not an array"),
    "endpoint": ("[endpoints]\na = 'x'", ValueError, "endpoints['a']: must be a table, not a str"),
    "unknown in endpoint": (
        A + "secret = []",
        ValueError,
        f"endpoints['a']: unknown key 'secret'; {KEYS} scheme, tolerance, secrets",
    ),
    "secret as a key": (
        A + f"whsec_{CANARY} = 1",
        ValueError,
        "endpoints['a']: unknown key (a secret, by its looks; it is not shown)",
    ),
    "no secrets": (A, ValueError, "endpoints['a']: lacks the key 'secrets'"),
    "secrets": (
        A + f'secrets = "whsec_{CANARY}"',
        ValueError,
        "endpoints['a']: secrets must be an array of tables, not a string",
    ),
    "none": (A + "secrets = []", SecretError, "endpoints['a'] holds no secret"),
    "nine": (
        '[defaults]\nscheme = "github"\n'
        + A
        + "secrets = [{}]".format(",".join(f"{{ value = '{n}' }}" for n in range(9))),
        SecretError,
        "endpoints['a'][8] is one too many",
    ),
    "a bare secret": (
        A + f'secrets = ["whsec_{CANARY}"]',
        ValueError,
        f'{ENTRY}: must be a table such as {{ env = "NAME" }}, not a string',
    ),
    "unknown in entry": (
        ONE.format(GIVEN + ', labl = "x"'),
        ValueError,
        f"{ENTRY}: unknown key 'labl'; {KEYS} env, file, value, label, not_before, not_after",
    ),
    "no source": (ONE.format('label = "x"'), ValueError, f"{ENTRY}: needs exactly one of"),
    "two sources": (
        ONE.format(f'{GIVEN}, value = "whsec_{CANARY}"'),
        ValueError,
        f"{ENTRY}: needs exactly one of env, file and value, and has env and value",
    ),
    "env": (ONE.format("env = 1"), ValueError, f"{ENTRY}: env must be a string, not an integer"),
    "file": (ONE.format("file = true"), ValueError, f"{ENTRY}: file must be a string, not a bool"),
    "value": (ONE.format("value = []"), ValueError, f"{ENTRY}: value must be a string, not an arr"),
    "label": (ONE.format(GIVEN + ", label = 1"), ValueError, f"{ENTRY}: label must be a string"),
    "blank label": (ONE.format(GIVEN + ', label = ""'), SecretError, f"{ENTRY}: the secret has a"),
    "env not set": (
        ONE.format('env = "HOOK_ABSENT"'),
        SecretError,
        f"{ENTRY}: env: environment variable 'HOOK_ABSENT' is not set",
    ),
    "env empty": (
        ONE.format('env = "HOOK_EMPTY"'),
        SecretError,
        f"{ENTRY}: env: environment variable 'HOOK_EMPTY' is empty",
    ),
    "env is a secret": (ONE.format(f'env = "whsec_{CANARY}"'), SecretError, "by its looks"),
    "env wrong": (ONE.format('env = "HOOK_CANARY"'), SecretError, f"{ENTRY} is not base64"),
    "value wrong": (ONE.format(f'value = "whsec_!{CANARY}"'), SecretError, f"{ENTRY} is not base"),
    "value is a text": (
        ONE.format('value = "a text"'),
        SecretError,
        "which no encoding has: pass it without, or the base64 of a text key",
    ),
    "value empty": (ONE.format('value = ""'), SecretError, f"{ENTRY}: value: the secret is empty"),
    "value blank": (ONE.format('value = " "'), SecretError, f"{ENTRY}: value: the secret is white"),
    "file is a secret": (
        ONE.format(f'file = "whsec_{CANARY}"'),
        ValueError,
        f"{ENTRY}: file: a path was expected, not (a secret, by its looks",
    ),
    "file with NUL": (ONE.format(r'file = "a\u0000b"'), ValueError, f"{ENTRY}: file: embedded"),
    "file absent": (
        ONE.format('file = "no.secret"'),
        FileNotFoundError,
        f"{ENTRY}: file: No such file or directory: ",
    ),
    "file is a folder": (ONE.format('file = "."'), IsADirectoryError, f"{ENTRY}: file: Is a dir"),
    "file empty": (ONE.format('file = "empty"'), SecretError, f"{ENTRY}: file: the secret is empt"),
    "file newline": (ONE.format('file = "nl"'), SecretError, f"{ENTRY}: file: the secret is empty"),
    "file not UTF-8": (
        ONE.format('file = "latin"'),
        SecretError,
        f"{ENTRY}: file: the secret is not UTF-8",
    ),
    "file too long": (ONE.format('file = "long"'), ValueError, "holds more than 65536 bytes"),
    "a scheme unknown": (
        A + 'scheme = "githib"',
        SchemeError,
        "endpoints['a']: no scheme is called 'githib'; the nearest is 'github'",
    ),
    "default unknown": (
        "[defaults]\nscheme = 'svixx'",
        SchemeError,
        "defaults: no scheme is called 'svixx'; the nearest is 'svix'",
    ),
    "scheme": (A + "scheme = 1", ValueError, "endpoints['a']: scheme must be a string, not an int"),
    "tolerance: bool": (
        A + "tolerance = true",
        ValueError,
        "endpoints['a']: tolerance must be whole seconds or \"off\", not a boolean",
    ),
    "tolerance: float": (A + "tolerance = 1.5", ValueError, 'seconds or "off", not a float'),
    "tolerance: pair": (A + "tolerance = [1, 2]", ValueError, 'seconds or "off", not an array'),
    "tolerance: text": (
        A + 'tolerance = "of"',
        ValueError,
        "endpoints['a']: tolerance must be whole seconds or \"off\"",
    ),
    "tolerance: far": (A + "tolerance = 2678401", ValueError, "between 0 and 2678400 seconds"),
    "tolerance: untimed": (
        A + 'scheme = "github"\ntolerance = 5',
        SchemeError,
        "endpoints['a']: github signs no timestamp",
    ),
    "naive": (
        ONE.format(GIVEN + ", not_after = 2026-12-01T00:00:00"),
        ValueError,
        f"{ENTRY}: not_after must be {INSTANT}, not a local date-time",
    ),
    "a day": (
        ONE.format(GIVEN + ", not_before = 2026-12-01"),
        ValueError,
        f"{ENTRY}: not_before must be {INSTANT}, not a local date",
    ),
    "a time": (
        ONE.format(GIVEN + ", not_before = 12:00:00"),
        ValueError,
        f"{INSTANT}, not a local time",
    ),
    "an instant as text": (
        ONE.format(GIVEN + ', not_after = "2026-12-01"'),
        ValueError,
        f"{ENTRY}: not_after must be {INSTANT}, not a string",
    ),
    "an instant as bool": (
        ONE.format(GIVEN + ", not_after = true"),
        ValueError,
        f"{INSTANT}, not a boolean",
    ),
    "milliseconds": (ONE.format(GIVEN + f", not_after = {NOW}000"), ValueError, "milliseconds"),
    "nan": (ONE.format(GIVEN + ", not_after = nan"), ValueError, f"{ENTRY}: not_after must be"),
    "before 1970": (ONE.format(GIVEN + ", not_after = 1960-01-01T00:00:00Z"), ValueError, "must"),
    "window": (
        ONE.format(GIVEN + ", not_before = 5, not_after = 5"),
        ValueError,
        f"{ENTRY}: not_after must be later than not_before",
    ),
    "label twice": (
        A + f'secrets = [{{ {GIVEN}, label = "x" }}, {{ file = "old.secret", label = "x" }}]',
        SecretError,
        "endpoints['a'][1] has a label that another secret of the endpoint has",
    ),
    "key twice": (
        A + f"secrets = [{{ {GIVEN} }}, {{ {GIVEN} }}]",
        SecretError,
        "endpoints['a'][1] is the same key as another one of the endpoint",
    ),
    "an endpoint without a name": (
        f'[endpoints.""]\nsecrets = [{{ {GIVEN} }}]',
        ValueError,
        "an endpoint's name must not be empty",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(ring: Callable[..., Any], folder: Path, case: str) -> None:
    text, cls, words = REFUSED[case]
    (folder / "empty").touch()
    (folder / "nl").write_bytes(b"\n")
    (folder / "latin").write_bytes(CANARY.encode() + b"\xe9")
    (folder / "long").write_bytes(b"x" * (MAX_SECRET_FILE_BYTES + 1))
    with pytest.raises(Exception) as caught:  # noqa: PT011
        ring(text)
    error = caught.value
    assert type(error) is cls
    said = str(error)
    assert words in said
    assert f"{folder / 'keyring.toml'}: " in said
    # Neither it nor anything that hangs on it tells a secret.
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [repr(frame.f_locals) for frame in frames if frame.f_code.co_filename != __file__]
    assert ours
    # What only a program can call is no advice for who writes a file.
    assert "from_text" not in said
    assert "sys." not in said
    assert CANARY not in said + repr(error.args) + "".join(ours)
    assert error.__cause__ is None
    assert error.__context__ is None


def test_a_file_of_any_size_is_not_read(hooks: Any, tmp_path: Path) -> None:
    file = tmp_path / "large.toml"
    with file.open("wb") as stream:
        stream.truncate(MAX_KEYRING_FILE_BYTES + 1)
    with pytest.raises(ValueError, match="holds more than"):
        hooks.Keyring.from_file(file)


def test_a_secret_file_of_the_longest_kind(ring: Callable[..., Any], folder: Path) -> None:
    (folder / "long").write_bytes(b"x" * MAX_SECRET_FILE_BYTES)
    assert len(ring('[endpoints.a]\nscheme = "github"\nsecrets = [{ file = "long" }]')) == 1


# Who else can read it.


@needs_modes
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_value_that_others_can_read_warns(
    hooks: Any, ring: Callable[..., Any], folder: Path, mode: int
) -> None:
    ring(GOOD)
    file = folder / "keyring.toml"
    file.chmod(mode)
    with pytest.warns(UserWarning, match=f"holds a secret.*mode {mode:04o}") as caught:
        hooks.Keyring.from_file(file)
    assert str(file) in str(caught[0].message)
    # It points at the line that asked.
    assert caught[0].filename == __file__


@needs_modes
def test_what_does_not_warn(hooks: Any, ring: Callable[..., Any], folder: Path) -> None:
    file = folder / "keyring.toml"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ring(GOOD)
        ring(GOOD[: GOOD.index("[endpoints.forms]")])
        file.chmod(0o644)
        hooks.Keyring.from_file(file)


def test_core_and_twin_say_the_same(folder: Path) -> None:
    pytest.importorskip("hookseal._core")
    file = folder / "keyring.toml"
    for text, _, _ in REFUSED.values():
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        said = []
        for hooks in (core(), twin()):
            with pytest.raises(Exception) as caught:  # noqa: PT011
                hooks.Keyring.from_file(file)
            said.append((type(caught.value), str(caught.value)))
        assert said[0] == said[1]
