"""The sample queue: what its script makes, in the shares that it promises."""

from __future__ import annotations

import base64
import hmac
import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import gidgethub
import gidgethub.sansio
import pytest
import standardwebhooks
import svix.webhooks
import time_machine

from examples import faults, make_queue, verify_queue
from examples.deliveries import Delivery, write_line
from hookseal import Message, Verdict
from tests.lines import judge_of
from tests.vector_rows import each_implementation, module

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"

QUEUE = (EXAMPLES / "queue.jsonl").read_bytes()
LINES: list[dict[str, Any]] = [json.loads(line) for line in QUEUE.splitlines()]
EXPECTED: dict[str, Any] = json.loads((EXAMPLES / "queue.expected.json").read_bytes())
NOW: int = EXPECTED["now"]


def make(folder: Path, *options: object, seed: int = 0) -> tuple[bytes, bytes]:
    """Both files, as the script makes them for a user."""
    command = map(str, [sys.executable, EXAMPLES / "make_queue.py", folder, *options])
    environ = {**os.environ, "PYTHONHASHSEED": str(seed)}
    subprocess.run([*command], cwd=folder, env=environ, check=True)
    return (folder / "queue.jsonl").read_bytes(), (folder / "queue.expected.json").read_bytes()


def keyring(folder: Path) -> Path:
    """A copy that nobody else can read: hookseal warns of others."""
    copy = folder / "keyring.toml"
    copy.write_bytes((EXAMPLES / "keyring.toml").read_bytes())
    copy.chmod(0o600)
    return copy


def body_of(line: dict[str, Any]) -> bytes:
    """The bytes that were sent."""
    if "body_b64" in line:
        return base64.b64decode(line["body_b64"], validate=True)
    body: str = line["body"]
    return body.encode()


def matched(label: str) -> int:
    """How many messages that secret matched, over all endpoints."""
    return sum(
        labels[label]["matched"] for labels in EXPECTED["secrets"].values() if label in labels
    )


# What the script makes.


def test_the_queue_is_what_its_script_makes(tmp_path: Path) -> None:
    queue, expected = make(tmp_path)
    assert queue == QUEUE
    assert expected == (EXAMPLES / "queue.expected.json").read_bytes()


def test_the_same_options_make_the_same_bytes(tmp_path: Path) -> None:
    first = make(tmp_path, "--count", 200, seed=1)
    assert make(tmp_path, "--count", 200, seed=2) == first
    assert first[0].count(b"\n") == json.loads(first[1])["messages"] == 200


def test_the_script_does_not_ask_hookseal() -> None:
    code = "import sys; import examples.make_queue; print('hookseal' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    assert done.stdout.split() == [b"False"]


def test_the_sample_is_not_overwritten_by_another(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        make_queue.parse(["--count", "3"])
    assert exit_.value.code == 2
    assert "name a folder" in capsys.readouterr().err


@pytest.mark.parametrize("scheme", [None, *faults.STRANGERS])
@pytest.mark.parametrize("options", [[], ["--genuine"]], ids=["faulty", "genuine"])
def test_a_queue_of_any_options_is_as_expected(
    scheme: str | None, options: list[str], tmp_path: Path
) -> None:
    now = NOW + 400 * 86400  # after the end of the secret that has one
    chosen = [] if scheme is None else ["--scheme", scheme]
    times = ["--now", str(now), "--span", "250"]
    make_queue.write(
        tmp_path, make_queue.parse([str(tmp_path), "--count", "700", *times, *chosen, *options])
    )
    expected = json.loads((tmp_path / "queue.expected.json").read_bytes())
    assert expected.pop("now") == now
    keyring(tmp_path)
    found = verify_queue.by_batch(module("hookseal.pure"), tmp_path, now)
    assert found == expected
    if options:
        assert found["verdicts"] == {"VALID": 700}
        lines = (tmp_path / "queue.jsonl").read_bytes().splitlines()
        assert len(set(lines)) == 700
    if scheme is not None:
        assert {name.partition("/")[2] for name in found["endpoints"]} == {scheme}


@each_implementation
@pytest.mark.parametrize(
    ("verdict", "way"),
    [
        pytest.param(verdict, way, id=f"{verdict}-{number}")
        for ways in (faults.GOOD, *make_queue.FAULTS.values())
        for verdict, each in ways.items()
        for number, way in enumerate(each)
    ],
)
@pytest.mark.parametrize("tenant", ["acme", "globex", "initech"])
def test_each_way_is_what_it_says(
    implementation: str, verdict: str, way: faults.Way, tenant: str
) -> None:
    """Whichever receiver wrote it down."""
    hooks = module(implementation)
    endpoint, rng = f"{tenant}/sender", random.Random(1)
    secret = next(
        secret
        for name in make_queue.ENDPOINTS
        if make_queue.scheme_of(name) == way.scheme
        for secret in make_queue.secrets_of(name).values()
    )
    ring = hooks.Keyring({endpoint: secret}, scheme=way.scheme)
    delivery = Delivery(endpoint, way.scheme, [secret], NOW, rng)
    way.change(delivery)
    line = json.loads(write_line(delivery, rng))
    place = {key: line.get(key) for key in ("endpoint", "received_at")}
    message = Message(body_of(line), line["headers"], **place)
    assert hooks.Verifier(ring).verify_batch([message])[0].name == verdict


# The lines as `hookseal verify-batch` reads them.


@each_implementation
def test_the_judge_of_lines_finds_what_was_put_in(implementation: str, tmp_path: Path) -> None:
    hooks = module(implementation)
    verifier = hooks.Verifier(hooks.Keyring.from_file(keyring(tmp_path)))
    judge = judge_of(hooks)(verifier, now=NOW, keep_rejects=True)
    blocks = [QUEUE[at : at + 65_536] for at in range(0, len(QUEUE), 65_536)]
    rejected = b"".join(judge.feed(block).rejected for block in blocks) + judge.finish().rejected
    assert (judge.messages, judge.broken, judge.bytes) == (2000, 0, len(QUEUE))
    counts = {verdict.name: count for verdict, count in judge.counts().items() if count}
    assert counts == EXPECTED["verdicts"]
    assert {
        name: {"valid": valid, "refused": refused}
        for name, valid, refused in judge.endpoints()
        if name is not None
    } == EXPECTED["endpoints"]
    secrets: dict[str, dict[str, dict[str, int | None]]] = {}
    for name, label, count, first, last in judge.secrets():
        match = {"matched": count, "first": first, "last": last}
        secrets.setdefault(name, {})[label] = match
    assert secrets == EXPECTED["secrets"]
    assert rejected.count(b"\n") == 180


# Files of your own, as docs/queue-file.md describes them.


@each_implementation
def test_the_page_shows_a_way_to_write_a_line(implementation: str) -> None:
    hooks = module(implementation)
    page = (ROOT / "docs" / "queue-file.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(block, "docs/queue-file.md", "exec"), names)
    secret = make_queue.secrets_of("acme/uplift")["2026-11"]
    ring = hooks.Keyring({"acme/forms": secret}, scheme="uplift")
    judge = judge_of(hooks)(hooks.Verifier(ring), now=NOW)
    for body in ('{"city":"Zürich"}'.encode(), b"\xff", b""):
        headers = [*hooks.Signer(secret, scheme="uplift").sign(body).items()]
        line = names["line_of"](body, headers, "acme/forms", NOW + 0.25)
        judge.feed(line.encode() + b"\n")
    assert judge.counts()[Verdict.VALID] == 3

    (sample,) = re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (refusal,) = judge.feed(sample.encode()).refusals
    assert refusal[1] is Verdict.UNKNOWN_ENDPOINT


# What the sample holds.


def test_the_shares_are_those_that_are_promised() -> None:
    verdicts = EXPECTED["verdicts"]
    assert len(LINES) == EXPECTED["messages"] == sum(verdicts.values()) == 2000
    copies = Counter(QUEUE.splitlines())
    assert sum(copies.values()) - len(copies) == 20
    assert verdicts["VALID"] == 1800 + 20
    assert matched("2026-05") == 120
    assert matched("2026-11") == 1700
    assert verdicts["SIGNATURE_MISMATCH"] == 60
    assert verdicts["TOO_OLD"] == 60
    malformed = {name: verdicts[name] for name in faults.MALFORMED}
    assert sum(malformed.values()) == 60
    assert min(malformed.values()) == 7


def test_every_verdict_is_there_that_a_line_can_lead_to() -> None:
    # A line that would be no message is broken, and has no verdict; the command asks no guard.
    never = {"UNVERIFIED", "NOT_A_MESSAGE", "REPLAYED"}
    assert set(EXPECTED["verdicts"]) | never == {v.name for v in Verdict}


def test_every_way_is_met() -> None:
    """The sample is long enough for all of them to have had their turn."""
    for ways in make_queue.FAULTS.values():
        for verdict, each in ways.items():
            assert EXPECTED["verdicts"][verdict] >= len(each)


def test_there_are_three_tenants_with_four_systems_each() -> None:
    four = {"standard-webhooks", "uplift", "zoho-projects", "shared-token"}
    names = {f"{tenant}/{scheme}" for tenant in ("acme", "globex", "initech") for scheme in four}
    assert set(EXPECTED["endpoints"]) == names | {"acme/svix", "initech/svix"}
    for counts in EXPECTED["endpoints"].values():
        assert counts["valid"] > 30
        assert counts["refused"] > 0
    refused = sum(counts["refused"] for counts in EXPECTED["endpoints"].values())
    assert refused + EXPECTED["verdicts"]["UNKNOWN_ENDPOINT"] == 180


def test_a_rotation_is_in_progress() -> None:
    acme, globex, initech = (
        EXPECTED["secrets"][name]
        for name in ("acme/standard-webhooks", "globex/standard-webhooks", "initech/zoho-projects")
    )
    both = [line for line in LINES if str(line["headers"]).count("v1,") == 2]
    assert {line["endpoint"] for line in both} == {"acme/standard-webhooks"}
    # The old secret is used to the end at one endpoint, and less and less.
    arrivals = sorted(
        line["received_at"]
        for line in LINES
        if line.get("endpoint") == "acme/standard-webhooks" and "received_at" in line
    )
    assert acme["2026-05"]["last"] > arrivals[-len(arrivals) // 10]
    # It has an end at another, and was given up at a third.
    end = make_queue.END
    assert globex["2026-05"]["last"] < end < globex["2026-11"]["last"]
    assert 0 < initech["2026-05"]["last"] < NOW - 2 * 3600
    assert EXPECTED["secrets"]["acme/uplift"]["2026-05"] == {
        "matched": 0,
        "first": None,
        "last": None,
    }


def test_most_messages_waited_for_hours() -> None:
    waited = sorted(NOW - line["received_at"] for line in LINES if "received_at" in line)
    assert 0 <= waited[0] < 60
    assert 5 * 3600 < waited[-1] <= 6 * 3600
    assert sum(seconds > 3600 for seconds in waited) > 0.7 * len(LINES)
    assert 20 < len(LINES) - len(waited) < 0.1 * len(LINES)
    assert any(isinstance(line.get("received_at"), float) for line in LINES)


def test_the_bodies_have_the_sizes_of_real_ones() -> None:
    bodies = [body_of(json.loads(line)) for line in dict.fromkeys(QUEUE.splitlines())]
    plain = [body for body in bodies if body not in {b"", bytes(range(256))}]
    assert len(set(plain)) == len(plain) > 1970
    sizes = [len(body) for body in plain]
    assert 1100 < median(sizes) < 1300
    # As a log-normal distribution has it: the quartiles lie at equal ratios to the median.
    low, middle, high = quantiles(sizes, n=4)
    assert 0.85 < (high / middle) / (middle / low) < 1.15
    assert max(sizes) > 6 * middle


def test_the_lines_have_all_the_forms_of_the_format() -> None:
    forms = Counter(type(line["headers"]).__name__ for line in LINES)
    assert min(forms["dict"], forms["list"]) > 300
    assert any(
        isinstance(value, list)
        for line in LINES
        if isinstance(line["headers"], dict)
        for value in line["headers"].values()
    )
    assert all(len(list(line["headers"])) >= 7 for line in LINES)
    names = {str(name) for line in LINES for name in dict(line["headers"])}
    assert {"Webhook-Id", "webhook-id", "X-ZP-WEBHOOK-SIGNATURE", "x-zp-webhook-signature"} < names

    in_base64 = [body_of(line) for line in LINES if "body_b64" in line]
    assert all(("body" in line) != ("body_b64" in line) for line in LINES)
    assert len(in_base64) > 100
    assert sum(not is_utf_8(body) for body in in_base64) > 5
    assert sum(not body_of(line).isascii() for line in LINES) > 1000
    assert b"\\ud83d\\ude9a" in QUEUE
    assert "🚚".encode() in QUEUE
    assert {line.get("endpoint", ...) for line in LINES} > {None, ..., "umbrella/uplift"}


def is_utf_8(body: bytes) -> bool:
    """Whether the body can be sent as text."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


@each_implementation
def test_the_secrets_say_that_they_are_samples(implementation: str, tmp_path: Path) -> None:
    for endpoint in make_queue.ENDPOINTS:
        assert all("sample" in value.lower() for value in make_queue.secrets_of(endpoint).values())
    assert all("sample" in value.lower() for value in faults.STRANGERS.values())
    ring = module(implementation).Keyring.from_file(keyring(tmp_path))
    assert ring.endpoints() == list(EXPECTED["secrets"])
    assert "shared-key" not in {finding.code for finding in ring.check()}


# The senders' own packages.


def test_the_vendors_packages_confirm_what_they_signed(tmp_path: Path) -> None:
    """Each good message, and no forged one, is good for the package of its sender too."""
    hooks = module("hookseal.pure")
    messages = verify_queue.load_queue(EXAMPLES / "queue.jsonl")
    ring = hooks.Keyring.from_file(keyring(tmp_path))
    result = hooks.Verifier(ring).verify_batch(messages, now=NOW)
    confirmed: Counter[str] = Counter()
    for index, verdict in enumerate(result):
        if verdict not in {Verdict.VALID, Verdict.SIGNATURE_MISMATCH}:
            continue
        message = messages[index]
        assert message.endpoint is not None
        scheme = make_queue.scheme_of(message.endpoint)
        if scheme == "shared-token" or not (verdict or is_utf_8(bytes_of(message))):
            continue
        # We cut fractions of an arrival; the packages' windows would end within the second.
        at = int(LINES[index].get("received_at", NOW))
        good = [
            label
            for label, secret in make_queue.secrets_of(message.endpoint).items()
            if confirms(scheme, secret, message, at)
        ]
        if verdict:
            assert result.verified(index).secret == good[0]
        else:
            # The packages know of no end of a secret.
            assert good in ([], ["2026-05"])
            assert not good or at >= make_queue.END
        confirmed[f"{scheme} {verdict.name}"] += 1
    assert sum(confirmed.values()) > 1600
    assert min(confirmed.values()) >= 5
    assert len(confirmed) == 8


def bytes_of(message: Message) -> bytes:
    """The body as it was signed."""
    body: Any = message.body
    return body.encode() if isinstance(body, str) else bytes(body)


def confirms(scheme: str, secret: str, message: Message, at: int) -> bool:
    """Whether the vendor's own package accepts it; where there is none, the standard library."""
    pairs: Any = message.headers
    headers = {name.lower(): value for name, value in dict(pairs).items()}
    body = bytes_of(message)
    match scheme:
        case "standard-webhooks" | "svix":
            package = svix.webhooks if scheme == "svix" else standardwebhooks
            with time_machine.travel(at, tick=False):
                try:
                    check = package.Webhook(secret)
                    if scheme == "svix":
                        check.verify(body, headers)
                    else:
                        check.verify(body, headers, json_parse=False)
                except standardwebhooks.WebhookVerificationError:
                    return False
            return True
        case "uplift":
            try:
                gidgethub.sansio.validate_event(
                    body, signature=headers["x-uplift-signature-256"], secret=secret
                )
            except gidgethub.ValidationFailure:
                return False
            return True
        case _:
            mac = hmac.digest(secret.encode(), body, "sha256")
            sent: str = headers["x-zp-webhook-signature"]
            return hmac.compare_digest(base64.b64encode(mac).decode(), sent)
