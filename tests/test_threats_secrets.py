"""Threats 14 to 20 of docs/threats.md: secrets."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookseal import SecretError, Verdict
from hookseal._cli import main
from tests.canaries import TEXT_CANARY, failures_of_dropins, raised_by, shows
from tests.canary_searches import (
    found_in_errors,
    found_in_frames,
    found_in_objects,
    found_in_text,
    logged,
    shown_by_errors,
    shown_by_frames,
)
from tests.implementations import BODY, KEY, NOW, SECRET, signed
from tests.judges import Judge, only
from tests.mirrors import modules as dropins
from tests.presets import ALL_SCHEMES, message_of
from tests.profiles import EXAMPLES
from tests.vector_rows import ROOT

V = Verdict


def _doors(hooks: Any, value: Any, scheme: str) -> list[Callable[[], object]]:
    """All ways in which a secret can enter."""
    ring = hooks.Keyring({"a": "b" * 32}, scheme="github")
    return [
        lambda: hooks.Verifier(value, scheme=scheme),
        lambda: hooks.Verifier([value], scheme=scheme),
        lambda: hooks.Verifier([b"k" * 32, value], scheme=scheme),
        lambda: hooks.Signer(value, scheme=scheme),
        lambda: hooks.Secret(value),
        lambda: hooks.Keyring({"a": value}, scheme=scheme),
        lambda: hooks.Keyring({"a": [b"k" * 32, value]}, scheme=scheme),
        lambda: ring.rotate("a", value),
        lambda: ring.replace("a", value),
    ]


@pytest.mark.parametrize("scheme", ALL_SCHEMES)
@pytest.mark.parametrize("value", ["", b"", " ", "\t\n\r ", b" \t", " " * 40])
def test_threat_14_an_empty_or_blank_secret(hooks: Any, scheme: str, value: Any) -> None:
    """CVE-2026-41432: who has none can be forged by everybody."""
    for enter in _doors(hooks, value, scheme):
        with pytest.raises(SecretError):
            enter()


def test_threat_14_no_secret(hooks: Any) -> None:
    for scheme in ALL_SCHEMES:
        for enter in _doors(hooks, None, scheme):
            with pytest.raises(TypeError):
                enter()
        for nothing in (list[str](), ()):
            with pytest.raises(SecretError):
                hooks.Verifier(nothing, scheme=scheme)
    for text in ("whsec_", "whsec_====", "whsec_!!!!", "====", "whsec_ "):
        with pytest.raises(SecretError):
            hooks.Verifier(text)
    with pytest.raises(TypeError):
        hooks.Verifier()
    for name in ("from_text", "from_base64", "from_hex"):
        for text in ("", "  "):
            with pytest.raises(SecretError):
                getattr(hooks.Secret, name)(text)


def test_threat_14_a_short_secret_is_a_finding(hooks: Any) -> None:
    """A provider that issued it cannot be refused."""
    for scheme in ("github", "zoho-projects", "shared-token"):
        codes = {finding.code for finding in hooks.Secret("abcdefgh").check(scheme)}
        assert "short" in codes
        assert hooks.Verifier("abcdefgh", scheme=scheme)


@pytest.mark.parametrize("value", ["", " \n", "\n"])
def test_threat_14_the_command_takes_no_blank_secret(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOOK_SECRET", value)
    (tmp_path / "secret").write_text(value)
    (tmp_path / "queue").write_bytes(b"")
    ring = tmp_path / "ring.toml"
    ring.write_text('[endpoints.a]\nscheme = "github"\nsecrets = [{ env = "HOOK_SECRET" }]\n')
    for options in (
        ["--secret-env", "HOOK_SECRET"],
        ["--secret-env", "HOOK_SECRET", "--scheme", "github"],
        ["--secret-file", str(tmp_path / "secret"), "--scheme", "shared-token"],
        ["--keyring", str(ring)],
        [],
    ):
        assert main(["verify-batch", *options, str(tmp_path / "queue")]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.count("\n") == 1


# A secret that one slip away is another key, or none.
_SLIPS: dict[str, str] = {
    SECRET + "!": "base64",
    SECRET[:20] + "-" + SECRET[21:]: "base64",
    SECRET[:20] + "\n" + SECRET[20:]: "white space",
    SECRET + "\n": "white space",
    " " + SECRET: "white space",
    SECRET[:-2]: "base64",
    SECRET[:-1] + "==": "base64",
    SECRET[:-2] + "9=": "base64",
    "v1," + SECRET: "v1,",
    "whsec_" + SECRET: "twice",
    "whsk_" + SECRET[6:]: "whsk_",
    "whpk_" + SECRET[6:]: "whpk_",
    "Whsec_" + SECRET[6:]: "base64",
    SECRET.replace("A", "\uff21"): "base64",
}


@pytest.mark.parametrize("slip", _SLIPS, ids=range(len(_SLIPS)))
def test_threat_15_lenient_decoding_of_a_secret(hooks: Any, slip: str) -> None:
    """The error names the slip and not the value."""
    enter: list[Callable[[], object]] = [
        lambda: hooks.Verifier(slip),
        lambda: hooks.Signer([slip]),
        lambda: hooks.Keyring({"a": slip}),
    ]
    for way in enter:
        with pytest.raises(SecretError, match=_SLIPS[slip]) as caught:
            way()
        shown = f"{caught.value} {caught.value.args} {caught.value!r}"
        assert SECRET[10:30] not in shown
        assert slip[10:30] not in shown


def test_threat_15_the_text_of_a_secret_as_its_bytes(hooks: Any) -> None:
    """`secret.encode()` is no key: the provider signs with what the text stands for."""
    with pytest.raises(SecretError, match="bytes"):
        hooks.Verifier(SECRET.encode())
    assert hooks.Verifier(KEY).check(BODY, signed(), now=NOW)


# What was a password to somebody's back door, or is true to a careless reader.
MAGIC = [
    "***",
    "*",
    "true",
    "True",
    "1",
    "0",
    "none",
    "None",
    "null",
    "undefined",
    "NaN",
    "[]",
    "{}",
    "test",
    "debug",
    "skip",
    "off",
    "disabled",
    "valid",
    "VALID",
    "admin",
    "v1,",
    "v1,valid",
    "sha256=",
    "sha256=valid",
    "unsigned",
    "../../etc/passwd",
    "%00",
    "$(id)",
    "' or '1'='1",
    "\0",
]


@pytest.mark.parametrize("scheme", ALL_SCHEMES)
def test_threat_16_a_magic_value(judge: Judge, scheme: str) -> None:
    """hermes-agent #6264: `***` skipped all checks. No value stands in for a MAC."""
    body, headers = message_of(scheme)
    messages = []
    for magic in MAGIC:
        for at in range(len(headers)):
            given = [(name, magic if i == at else "x") for i, (name, _) in enumerate(headers)]
            messages.append((magic.encode(), given))
            # The other headers as they should be.
            given = [(name, magic if i == at else v) for i, (name, v) in enumerate(headers)]
            if at == 0:
                messages.append((body, given))
        messages.append((body, [(magic, magic), *[(name, magic) for name, _ in headers]]))
        messages.append((body, [("authorization", magic), ("x-test", magic), *headers[1:]]))
    assert V.VALID not in only(judge(messages, secrets=["a" * 32], scheme=scheme))


def test_threat_16_no_argument_takes_the_place_of_a_mac(hooks: Any) -> None:
    """Of any values of all arguments together, a message is valid by its MAC alone."""
    body, headers = BODY, signed(key=b"another key of thirty-two bytes!")
    odd: st.SearchStrategy[Any] = st.one_of(
        st.sampled_from(MAGIC),
        st.text(max_size=5),
        st.none(),
        st.booleans(),
        st.integers(-5, NOW * 2),
        st.floats(),
        st.binary(max_size=5),
        st.just([]),
    )

    @settings(suppress_health_check=list(HealthCheck), max_examples=EXAMPLES // 10)
    @given(st.lists(odd, min_size=8, max_size=8), st.booleans())
    def ask(values: list[Any], is_ring: bool) -> None:
        label, endpoint, arrival, now, tolerance, limit, threads, keep = values
        try:
            secret = hooks.Secret(SECRET, label=label if isinstance(label, str) else None)
            named = {"tolerance": tolerance, "max_body_bytes": limit}
            given = hooks.Keyring({str(endpoint): secret}) if is_ring else secret
            verifier = hooks.Verifier(given, **named)
            where = {"endpoint": endpoint, "received_at": arrival, "now": now}
            assert not verifier.check(body, headers, **where)
            result = verifier.verify_batch([(body, headers)], threads=threads, keep=keep, **where)
            assert result.valid == 0
        except (TypeError, ValueError):
            pass  # refused before anything is judged

    ask()


# Who reads the environment, and for what.
_READ_THE_ENVIRONMENT = {
    "python/hookseal/_arguments.py": "the secrets that a caller names",
    "python/hookseal/_keyring_env.py": "the same, by their prefix",
    "python/hookseal/_cli/_parser.py": "how wide the help is",
    "python/hookseal/_cli/_say.py": "whether a terminal is drawn on",
    "rust/binding/src/kernel.rs": "the name of the code that hashes",
}


def test_threat_16_the_environment_turns_nothing_off() -> None:
    """None of what is read of it has a say in a verdict."""
    named, readers = set(), set()
    files = [*ROOT.glob("python/hookseal/**/*.py")]
    crates = ("lanes", "engine", "lines", "replay", "binding")
    files += [file for crate in crates for file in ROOT.glob(f"rust/{crate}/src/**/*.rs")]
    assert len(files) > 100
    for file in files:
        text = file.read_text(encoding="utf-8")
        named |= set(re.findall(r'"(HOOKSEAL_\w+)"', text))
        if re.search(r"\bos\.environ|\bgetenv|import environ\b|\benv::(var|\{)|option_env!", text):
            readers.add(file.relative_to(ROOT).as_posix())
    assert readers == _READ_THE_ENVIRONMENT.keys()
    assert named == {"HOOKSEAL_KERNEL"}


def test_threat_17_a_secret_shown(hooks: Any) -> None:
    """By `repr`, `str`, `format`, `dir`, `vars`, `__reduce__`, pickles, copies, logs."""
    assert found_in_text(hooks) == []


def test_threat_17_objects_that_lead_to_a_secret(hooks: Any) -> None:
    """Of all that the garbage collector knows."""
    assert found_in_objects(hooks) == 0


def test_threat_17_a_secret_in_a_log(hooks: Any, tmp_path: Path) -> None:
    """RUSTSEC-2022-0087."""
    text = logged(hooks, tmp_path)
    assert text.startswith("the handler hears\n")
    assert not shows(text)


def test_threat_18_a_secret_in_a_traceback(hooks: Any, tmp_path: Path) -> None:
    """By the locals of its frames, as reporters of errors take them."""
    assert found_in_frames(hooks, tmp_path) == []


def test_threat_18_a_secret_in_an_exception(hooks: Any, tmp_path: Path) -> None:
    """Nor the signature that was expected."""
    assert found_in_errors(hooks, tmp_path) == []


@pytest.mark.parametrize("which", ["core", "twin"])
def test_threat_18_a_drop_in_that_refuses(which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their functions take the secret with each message: a forgery is enough to have it shown."""
    monkeypatch.setenv("SECRET_TOKEN", TEXT_CANARY)
    errors = list(raised_by(failures_of_dropins(dropins(which))))
    assert len(errors) > 30
    assert shown_by_errors(errors) == []
    assert shown_by_frames(errors) == []


def test_threat_18_the_command_shows_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    body = tmp_path / "body"
    body.write_bytes(BODY)
    headers = tmp_path / "headers"
    for value in (SECRET, SECRET + "!", "v1," + SECRET, "whsec_" + SECRET):
        monkeypatch.setenv("HOOK_SECRET", value)
        for name, good in signed().items():
            headers.write_text("".join(f"{n}: {v}\n" for n, v in signed().items() if n != name))
            options = ["--secret-env", "HOOK_SECRET", "--headers-file", str(headers)]
            main(["verify", *options, "--header", f"{name}: x{good}", str(body)])
            main(["verify", *options, "--json", str(body)])
        told = "".join(capsys.readouterr())
        assert SECRET[8:30] not in told
        assert signed()["webhook-signature"][5:] not in told


def test_threat_19_variable_time_decoding_of_a_secret() -> None:
    """RUSTSEC-2024-0354: secrets are decoded by crates that use no table, as `make
    constant-time` shows; signatures, which are public, by faster ones."""
    source = (ROOT / "rust/engine/src/secret.rs").read_text(encoding="utf-8")
    assert "use base64ct::" in source
    assert "base16ct::" in source
    engine = ROOT / "rust/engine/src"
    others = [f for f in engine.rglob("*.rs") if f.name not in ("secret.rs", "sign.rs")]
    for file in others:
        assert not re.search(r"base(16|64)(ct)?::", file.read_text(encoding="utf-8")), file
    page = (ROOT / "docs/constant-time.md").read_text(encoding="utf-8")
    assert re.search(r"^trace +base64 +secrets 8 traces 1 ", page, re.MULTILINE)
    assert re.search(r"^trace +hex +secrets 8 traces 1 ", page, re.MULTILINE)


def test_threat_20_keys_left_in_memory() -> None:
    """What the core gives back to the system holds no key: rust/harness/tests/freed.rs looks at
    every block. Python's own copies cannot be wiped, which README says."""
    harness = (ROOT / "rust/harness/tests/freed.rs").read_text(encoding="utf-8")
    assert "fn test_threat_20_" in harness
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "cannot wipe your copy of a secret" in readme
