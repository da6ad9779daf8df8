"""The examples do what they say, and the sample queue is what its script makes."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any
from wsgiref.types import WSGIApplication
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from examples import verify_queue
from hookseal import VerificationError
from tests.vector_rows import each_implementation, module

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
NOW = 1_795_154_400

QUEUE = (EXAMPLES / "queue.jsonl").read_bytes()
LINES: list[dict[str, Any]] = [json.loads(line) for line in QUEUE.splitlines()]
EXPECTED: dict[str, Any] = json.loads((EXAMPLES / "queue.expected.json").read_bytes())
PLACES = [
    ("messages",),
    *(("verdicts", verdict) for verdict in EXPECTED["verdicts"]),
    *(("secrets", name, label) for name, labels in EXPECTED["secrets"].items() for label in labels),
]

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


# The queue.


def test_the_queue_is_what_its_script_makes(tmp_path: Path) -> None:
    done = run("make_queue.py", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "queue.jsonl").read_bytes() == QUEUE
    expected = (EXAMPLES / "queue.expected.json").read_bytes()
    assert (tmp_path / "queue.expected.json").read_bytes() == expected


def test_the_script_that_makes_the_queue_does_not_ask_hookseal() -> None:
    code = "import sys; import examples.make_queue; print('hookseal' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    assert done.stdout.split() == [b"False"]


def test_the_queue_is_worth_looking_at() -> None:
    assert len(LINES) == EXPECTED["messages"] == sum(EXPECTED["verdicts"].values()) == 400
    assert len(EXPECTED["verdicts"]) == 12
    schemes = {"standard-webhooks", "uplift", "zoho-projects", "shared-token"}
    both = {f"{tenant}/{scheme}" for tenant in ("acme", "globex") for scheme in schemes}
    assert set(EXPECTED["secrets"]) == both | {"acme/svix"}
    arrivals = [line["received_at"] for line in LINES]
    assert arrivals == sorted(arrivals)
    assert arrivals[-1] - arrivals[0] > 5 * 3600


def test_the_bodies_are_distinct_and_of_real_sizes() -> None:
    bodies = [
        line["body"].encode("utf-8", "surrogatepass")
        if "body_b64" not in line
        else base64.b64decode(line["body_b64"])
        for line in LINES
        if line.get("body", "") is not None
    ]
    assert len(set(bodies)) == len(bodies) == 399
    assert 1100 < median(map(len, bodies)) < 1300
    assert sum(len(body) > 4096 for body in bodies) > 10


def test_a_rotation_is_in_progress() -> None:
    two = [line for line in LINES if str(line["headers"]).count("v1,") == 2]
    assert {line["endpoint"] for line in two} == {"acme/standard-webhooks"}
    assert len(two) == 24
    secrets = EXPECTED["secrets"]
    assert 0 < secrets["acme/standard-webhooks"]["2026-05"] < 10
    assert secrets["acme/uplift"]["2026-05"] == 0


# The demo.


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sample that a test may change."""
    for name in ("queue.jsonl", "queue.expected.json", "keyring.json"):
        shutil.copy(EXAMPLES / name, tmp_path)
    return tmp_path


def verify(monkeypatch: pytest.MonkeyPatch, folder: Path) -> int:
    """Run the demo in this process, in plain Python."""
    monkeypatch.setattr(sys, "argv", ["verify_queue.py", "--pure", str(folder)])
    monkeypatch.setattr(verify_queue, "RUNS", 1)
    return verify_queue.main()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        pytest.param([], "hookseal", marks=needs_core, id="core"),
        pytest.param(["--pure"], "hookseal.pure", id="twin"),
    ],
)
def test_the_demo_finds_what_was_put_in(options: list[str], name: str) -> None:
    done = run("verify_queue.py", *options)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"{name}: 400 messages at 9 endpoints"
    assert lines[-1] == f"all {len(PLACES)} counts are as expected"
    assert "messages a second (the median of 25 runs" in lines[-2]
    rows = {tuple(line.split()[:2]) for line in lines}
    assert {(verdict, str(n)) for verdict, n in EXPECTED["verdicts"].items()} < rows
    zero = [line.split() for line in lines if line.split()[-1:] == ["0"]]
    assert zero == [["acme/uplift", "2026-05", "0"]]


@pytest.mark.parametrize("place", PLACES, ids="/".join)
def test_the_demo_fails_when_a_count_is_changed(
    place: tuple[str, ...],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    changed = json.loads((folder / "queue.expected.json").read_bytes())
    part = changed
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] += 1
    (folder / "queue.expected.json").write_text(json.dumps(changed))
    assert verify(monkeypatch, folder) == 1
    name = " ".join(place[1:] or place)
    assert capsys.readouterr().err.splitlines() == [
        f"{name}: expected {part[place[-1]]}, found {part[place[-1]] - 1}",
        f"1 of {len(PLACES)} counts are not as expected",
    ]


def test_the_demo_fails_when_a_count_is_left_out_or_made_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = json.loads((folder / "queue.expected.json").read_bytes())
    changed["verdicts"]["VERY_VALID"] = changed["verdicts"].pop("VALID")
    (folder / "queue.expected.json").write_text(json.dumps(changed))
    assert verify(monkeypatch, folder) == 1
    assert capsys.readouterr().err.splitlines()[:2] == [
        "VERY_VALID: expected 321, found none",
        "VALID: expected none, found 321",
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
    ring = verify_queue.load_keyring(hooks, folder / "keyring.json")
    lines = QUEUE.splitlines(keepends=True)
    index = next(
        index
        for index in hooks.Verifier(ring).verify_batch(messages).valid_indices()
        if messages[index].endpoint == endpoint and isinstance(messages[index].body, str)
    )
    start = lines[index].index(b'"body": "')
    at = next(i for i in range(start, len(lines[index])) if chr(lines[index][i]).isdecimal())
    line = bytearray(lines[index])
    line[at] ^= 1
    (folder / "queue.jsonl").write_bytes(b"".join([*lines[:index], line, *lines[index + 1 :]]))
    assert verify(monkeypatch, folder) == 1
    diff = capsys.readouterr().err.splitlines()
    assert "VALID: expected 321, found 320" in diff
    assert "SIGNATURE_MISMATCH: expected 22, found 23" in diff


@pytest.mark.parametrize("seed", range(40))
def test_no_flipped_byte_breaks_the_demo(
    seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    queue = bytearray(QUEUE)
    queue[rng.randrange(len(queue))] ^= 1 << rng.randrange(8)
    (folder / "queue.jsonl").write_bytes(queue)
    try:
        status: object = verify(monkeypatch, folder)
    except SystemExit as error:  # A line that is no message any more.
        status = str(error).partition(":")[0]
    assert status in {0, 1, "queue.jsonl"}


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


@pytest.mark.parametrize("name", ["wsgi_endpoint.py", "rotate.py"])
def test_a_recipe_fits_on_a_page(name: str) -> None:
    assert len((EXAMPLES / name).read_text().splitlines()) < 80


@each_implementation
def test_the_sample_secrets_say_that_they_are_samples(implementation: str) -> None:
    text = (EXAMPLES / "keyring.json").read_text()
    secrets = [s for e in json.loads(text)["endpoints"].values() for s in e["secrets"]]
    assert all("sample" in secret["value"].lower() for secret in secrets)
    ring = verify_queue.load_keyring(module(implementation), EXAMPLES / "keyring.json")
    assert ring.endpoints() == list(EXPECTED["secrets"])
    assert "shared-key" not in {finding.code for finding in ring.check()}
