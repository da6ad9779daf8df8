"""The README is executed, and what it says of verdicts and schemes is what the code says."""

from __future__ import annotations

import ast
import logging
import re
import shlex
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hookseal import Verdict, VerificationError, schemes
from tests.vector_rows import each_implementation, module

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RESULT = re.compile(r"  # -> (.+)$")
RAISES = re.compile(r"  # raises (\w+)$")

# The example of the Standard Webhooks reference libraries.
SENT_AT = 1614265330
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
HEADERS = {
    "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "Webhook-Timestamp": str(SENT_AT),
    "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def blocks() -> Iterator[tuple[int, str]]:
    """The line and the text of each block of Python."""
    for match in FENCE.finditer(README):
        yield README.count("\n", 0, match.start(1)) + 1, match[1]


def execute(block: str, line: int, names: dict[str, Any]) -> int:
    """Run a block statement by statement; returns how many results it compared."""
    compared = 0
    lines = block.splitlines()
    for statement in ast.parse(block).body:
        where = f"README.md:{line + statement.lineno - 1}"
        last = lines[(statement.end_lineno or statement.lineno) - 1]
        result, raises = RESULT.search(last), RAISES.search(last)
        if not isinstance(statement, ast.Expr):
            assert not result, f"{where}: a statement has no result"
            assert not raises, f"{where}: a statement has no result"
            exec(compile(ast.Module([statement], []), where, "exec"), names)
            continue
        code = compile(ast.Expression(statement.value), where, "eval")
        try:
            outcome = repr(eval(code, names))
        except Exception as error:
            if not raises:
                raise
            outcome = type(error).__name__
        expected = result or raises
        assert expected is None or outcome == expected[1], where
        compared += bool(result or raises)
    return compared


def record(body: bytes, headers: dict[str, str], waited: int) -> SimpleNamespace:
    """What came out of a queue, hours after it had arrived."""
    return SimpleNamespace(body=body, headers=headers, enqueued_at=SENT_AT - 7200 + waited)


def fixtures(hooks: Any) -> dict[str, Any]:
    """What the README leaves to the reader."""
    signer = hooks.Signer(SECRET)
    records = []
    for number, late in enumerate((0, 2, 4000, 1, 0)):
        body = b'{"number": %d}' % number
        headers = signer.sign(body, timestamp=SENT_AT - 7200 + 60 * number)
        records.append(record(body, headers, 60 * number + late))
    records[-1].body += b" "
    refused: list[str] = []
    return {
        "request": SimpleNamespace(body=BODY, headers=HEADERS),
        "forged": SimpleNamespace(body=BODY.replace(b"2", b"3"), headers=HEADERS),
        "records": records,
        "log": logging.getLogger("readme"),
        "handle": lambda event: event.json(),
        "dead_letter": lambda record, reason: refused.append(reason),
        "refused": refused,
    }


@each_implementation
def test_the_readme_runs(
    implementation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hooks = module(implementation)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.time", lambda: SENT_AT + 2.5)
    monkeypatch.setenv("WEBHOOK_SECRET", hooks.Secret.generate().reveal())
    names = fixtures(hooks)
    compared = 0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for line, block in blocks():
            text = block.replace("from hookseal import", f"from {implementation} import")
            compared += execute(text, line, names)
    assert names["refused"] == ["TOO_OLD", "SIGNATURE_MISMATCH"]
    assert names["Verifier"] is hooks.Verifier
    # Each result in the text was compared, and nothing but `unsigned` warned.
    assert compared == sum(
        1 for line in README.splitlines() if re.search(r"  # (->|raises) ", line)
    )
    assert compared > 30
    (warning,) = caught
    assert "internal mesh" in str(warning.message)


def test_a_wrong_result_in_the_readme_is_found() -> None:
    assert execute("1 + 1  # -> 2\nint('x')  # raises ValueError\n", 1, {}) == 2
    with pytest.raises(AssertionError, match=r"README\.md:11"):
        execute("a = 1\na  # -> 2\n", 10, {})
    with pytest.raises(ZeroDivisionError):
        execute("1 / 0  # -> 1\n", 1, {})
    with pytest.raises(AssertionError, match=r"README\.md:1\b"):
        execute("int('1')  # raises ValueError\n", 1, {})


def rows(header: str) -> list[list[str]]:
    """The cells of the table that begins so, without their backquotes."""
    lines = README.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(header))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip().replace("`", "") for cell in line.strip("|").split("|")])
    return found


def test_the_table_of_verdicts_is_complete() -> None:
    errors = {error.verdict: error for error in VerificationError.__subclasses__()}
    expected = [["1", "VALID", "", "200"]]
    for verdict in sorted(Verdict)[2:]:
        error = errors[verdict]
        expected.append([str(int(verdict)), verdict.name, error.__name__, str(error.status_hint)])
    assert [row[:4] for row in rows("| n | verdict |")] == expected


def test_the_table_of_schemes_is_complete() -> None:
    found = {row[0]: row[1:] for row in rows("| scheme | header |")}
    assert set(found) == set(schemes.names())
    for name, (header, signature, signed, key) in found.items():
        scheme = schemes.get(name)
        assert header.split(" or ") == [family.signature for family in scheme.families]
        listed = scheme.format + (", a list" if scheme.separator else "")
        assert (signature, signed) == (listed, scheme.signed or "nothing")
        text = f"base64, after {scheme.key_prefix}" if scheme.key == "base64" else "text"
        assert key == text


def test_links_lead_to_files() -> None:
    links = set(re.findall(r"\]\(([^)#]+)\)", README))
    # `make bench` writes this one.
    assert {link for link in links if not (ROOT / link).exists()} <= {"docs/benchmarks.md"}


def test_every_page_can_be_found() -> None:
    """By links that begin at the README."""
    pages, found = [ROOT / "README.md"], set[Path]()
    while pages:
        page = pages.pop()
        if page not in found and page.exists():
            found.add(page)
            links = re.findall(r"\]\(([\w./-]+\.md)[#)]", page.read_text(encoding="utf-8"))
            pages += [(page.parent / link).resolve() for link in links]
    assert set((ROOT / "docs").rglob("*.md")) - found == set()


def test_figures_have_a_source() -> None:
    (figures,) = re.findall(r"<!-- figures -->\n(.*?)<!-- /figures -->", README, re.DOTALL)
    table = [line.split("|")[2:-1] for line in figures.splitlines() if line.startswith("|")]
    assert len(table) == 6
    filled = any(cell.strip() for row in table[2:] for cell in row)
    assert not filled or (ROOT / "docs/benchmarks.md").exists()


def shown_run() -> tuple[list[str], list[str]]:
    """The one command of the README that is shown with its output, and the lines shown."""
    (text,) = re.findall(
        r"^\$ (hookseal verify-batch examples/.*?)^```$", README, re.MULTILINE | re.DOTALL
    )
    command, *lines = text.splitlines()
    return shlex.split(command)[1:], [line for line in lines if line != "…"]


def test_the_command_prints_what_the_readme_shows(tmp_path: Path) -> None:
    arguments, lines = shown_run()
    # A copy that others cannot read, or there is a warning.
    at = arguments.index("examples/keyring.toml")
    keyring = tmp_path / "keyring.toml"
    keyring.write_bytes((ROOT / arguments[at]).read_bytes())
    keyring.chmod(0o600)
    arguments[at] = str(keyring)
    command = [sys.executable, "-m", "hookseal", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 1
    words = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 10
    assert [line for line in lines if line.split() not in words] == []
