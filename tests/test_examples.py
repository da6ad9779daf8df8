"""The examples do what they say; tests/test_queue.py looks at the sample queue itself."""

from __future__ import annotations

import base64
import copy
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from examples import verify_queue
from hookseal import VerificationError
from tests.vector_rows import module

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
EXPECTED: dict[str, Any] = json.loads((EXAMPLES / "queue.expected.json").read_bytes())
NOW: int = EXPECTED.pop("now")
PLACES = list(verify_queue.leaves(EXPECTED))
AS_EXPECTED = f"all {len(PLACES)} counts are as expected"

needs_core = pytest.mark.skipif(
    importlib.util.find_spec("hookseal._core") is None, reason="hookseal._core is not built"
)


def run(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run an example as a user does."""
    command = [sys.executable, EXAMPLES / script, *arguments]
    environ = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        command, cwd=ROOT, env=environ, check=False, capture_output=True, encoding="utf-8"
    )


# The demo.


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sample that a test may change."""
    for name in ("queue.jsonl", "queue.expected.json", "keyring.toml"):
        shutil.copy(EXAMPLES / name, tmp_path)
    (tmp_path / "keyring.toml").chmod(0o600)
    return tmp_path


def verify(monkeypatch: pytest.MonkeyPatch, folder: Path) -> int:
    """Run the demo in this process, in plain Python."""
    monkeypatch.setattr(sys, "argv", ["verify_queue.py", "--pure", str(folder)])
    return verify_queue.main()


def test_the_demo_finds_what_was_put_in_by_the_twin() -> None:
    done = run("verify_queue.py", "--pure")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"hookseal.pure.Verifier.verify_batch: {AS_EXPECTED}\n"


@needs_core
def test_the_demo_finds_what_was_put_in_three_times() -> None:
    done = run("verify_queue.py")
    assert (done.returncode, done.stderr) == (0, "")
    *table, command, core, twin = done.stdout.splitlines()
    assert command == f"hookseal verify-batch: {AS_EXPECTED}"
    assert core == f"hookseal.Verifier.verify_batch: {AS_EXPECTED}"
    assert twin == f"hookseal.pure.Verifier.verify_batch: {AS_EXPECTED}"
    words = {tuple(line.replace(",", "").split()[:3]) for line in table}
    assert ("VALID", str(EXPECTED["verdicts"]["VALID"]), "91.0%") in words
    assert ("acme/uplift", "2026-05", "0") in words


@needs_core
def test_the_demo_judges_the_command_by_what_it_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A count that is another, a file that is not there."""
    changed = json.loads((folder / "queue.expected.json").read_bytes())
    changed["verdicts"]["TOO_OLD"] += 1
    (folder / "queue.expected.json").write_text(json.dumps(changed))
    monkeypatch.setattr(sys, "argv", ["verify_queue.py", str(folder)])
    assert verify_queue.main() == 1
    assert capfd.readouterr().err.splitlines()[0] == (
        "hookseal verify-batch: verdicts TOO_OLD: expected 61, found 60"
    )
    (folder / "queue.jsonl").unlink()
    with pytest.raises(SystemExit) as left:
        verify_queue.main()
    assert left.value.code == 2


@pytest.mark.parametrize("place", PLACES, ids="/".join)
def test_the_demo_fails_when_a_count_is_changed(
    place: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    changed = copy.deepcopy(EXPECTED)
    part = changed
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = wrong = (part[place[-1]] or 0) + 1
    assert not verify_queue.compare("a way", EXPECTED, changed)
    right = verify_queue.leaves(EXPECTED)[place]
    assert capsys.readouterr() == (
        "",
        f"a way: {' '.join(place)}: expected {wrong}, found {right}\n"
        f"a way: 1 of {len(PLACES)} counts are not as expected\n",
    )


def test_the_demo_fails_when_a_count_is_left_out_or_made_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = json.loads((folder / "queue.expected.json").read_bytes())
    changed["verdicts"]["VERY_VALID"] = changed["verdicts"].pop("VALID")
    (folder / "queue.expected.json").write_text(json.dumps(changed))
    assert verify(monkeypatch, folder) == 1
    assert capsys.readouterr().err.splitlines()[:2] == [
        "hookseal.pure.Verifier.verify_batch: verdicts VERY_VALID: expected 1820, found nothing",
        "hookseal.pure.Verifier.verify_batch: verdicts VALID: expected nothing, found 1820",
    ]


@pytest.mark.parametrize("endpoint", [name for name in EXPECTED["secrets"] if "token" not in name])
def test_the_demo_fails_when_a_byte_is_flipped(
    endpoint: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hooks = module("hookseal.pure")
    messages = verify_queue.load_queue(folder / "queue.jsonl")
    ring = hooks.Keyring.from_file(folder / "keyring.toml")
    lines = (folder / "queue.jsonl").read_bytes().splitlines(keepends=True)
    copies = Counter(lines)
    index = next(
        index
        for index in hooks.Verifier(ring).verify_batch(messages, now=NOW).valid_indices()
        if messages[index].endpoint == endpoint
        and isinstance(messages[index].body, str)
        and copies[lines[index]] == 1
    )
    line = bytearray(lines[index])
    start = re.search(rb'"body": ?"', line)
    assert start is not None
    at = next(i for i in range(start.end(), len(line)) if chr(line[i]).isdecimal())
    line[at] ^= 1
    (folder / "queue.jsonl").write_bytes(b"".join([*lines[:index], line, *lines[index + 1 :]]))
    assert verify(monkeypatch, folder) == 1
    diff = capsys.readouterr().err
    assert "verdicts VALID: expected 1820, found 1819\n" in diff
    assert "verdicts SIGNATURE_MISMATCH: expected 60, found 61\n" in diff
    valid = EXPECTED["endpoints"][endpoint]["valid"]
    assert f"endpoints {endpoint} valid: expected {valid}, found {valid - 1}\n" in diff


# The recipes.


@pytest.fixture
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: float(NOW))


def post(
    app: WSGIApplication, body: bytes, headers: dict[str, str], length: str | None = None
) -> tuple[str, bytes]:
    """What a WSGI application answers."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)) if length is None else length,
        "QUERY_STRING": "",
        "wsgi.input": io.BytesIO(body),
        **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()},
    }
    setup_testing_defaults(environ)
    statuses: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        statuses.append(status)
        return lambda data: None

    answer = (validator(app) if length is None else app)(environ, start_response)
    text = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    (status,) = statuses
    return status, text


@needs_core
@pytest.mark.usefixtures("_clock")
def test_the_wsgi_endpoint_takes_what_is_signed_and_nothing_else() -> None:
    from examples.wsgi_endpoint import MAX_BODY_BYTES, application
    from hookseal import Signer, Verified, Verifier

    secret = "whsec_" + base64.b64encode(bytes(range(32))).decode()
    taken: list[Verified] = []
    app = application(Verifier(secret, max_body_bytes=MAX_BODY_BYTES), taken.append)
    body = '{"type":"invoice.paid","city":"Zürich"}'.encode()
    headers = Signer(secret).sign(body)

    assert post(app, body, headers) == ("200 OK", b"taken")
    (event,) = taken
    assert (event.body, event.id, event.timestamp) == (body, headers["webhook-id"], NOW)

    refused = ("401 Unauthorized", VerificationError.public_message.encode())
    assert post(app, body + b" ", headers) == refused
    assert post(app, body, {}) == refused
    assert post(app, body, headers | {"webhook-timestamp": "soon"}) == refused
    # A UTF-8 header comes as latin-1 text.
    as_latin_1 = "msg_é".encode().decode("latin-1")
    assert post(app, body, headers | {"webhook-id": as_latin_1}) == refused
    assert post(app, body, Signer(secret).sign(body, timestamp=NOW - 301)) == refused
    for length in ("", "-1", "1e3", "²"):
        assert post(app, body, headers, length) == refused
    status, text = post(app, bytes(MAX_BODY_BYTES + 100), headers)
    assert (status[:3], text) == ("413", refused[1])
    assert len(taken) == 1


@needs_core
def test_the_wsgi_endpoint_reads_headers_as_the_bytes_they_were() -> None:
    from examples.wsgi_endpoint import read_headers

    environ = {"HTTP_WEBHOOK_ID": "Ã¼", "CONTENT_TYPE": "text/plain", "HTTP_HOST": "a"}
    assert read_headers(environ) == {"WEBHOOK-ID": "ü".encode(), "HOST": b"a"}


@needs_core
def test_the_rotation_ends_when_the_old_secret_matches_nothing() -> None:
    done = run("rotate.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "rotated: ['2026-11', '2026-05'] are tried, in this order",
        "20 Nov: 2026-11 matched 0, 2026-05 matched 240, 0 refused",
        "21 Nov: 2026-11 matched 48, 2026-05 matched 192, 0 refused",
        "22 Nov: 2026-11 matched 168, 2026-05 matched 72, 0 refused",
        "23 Nov: 2026-11 matched 240, 2026-05 matched 0, 0 refused",
        "24 Nov: 2026-11 matched 240, 2026-05 matched 0, 0 refused",
        "2026-05 matched nothing for 2 days: ['2026-11'] is left",
    ]


@needs_core
def test_each_invoice_is_booked_once() -> None:
    done = run("replays.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "48 done, 6 failed, 6 taken before",
        "43 done, 4 failed, 13 taken before",
        "9 done, 0 failed, 25 taken before",
        "100 of 100 invoices are booked, at most 1 time each",
    ]


@pytest.mark.parametrize("name", ["wsgi_endpoint.py", "rotate.py", "replays.py"])
def test_a_recipe_fits_on_a_page(name: str) -> None:
    assert len((EXAMPLES / name).read_text().splitlines()) < 80
