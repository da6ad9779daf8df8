"""What a ring knows of the use of its secrets, and how it is saved."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import hookseal
import hookseal.pure
from hookseal import Endpoint, Message
from hookseal._usage import Usage
from hookseal._usage_file import read, save
from tests import oracle
from tests.command import PATIENCE_SECONDS
from tests.conftest import Clock
from tests.implementations import BODY, KEY, NOW, SECRET, key, secret, signed

A0, A1, B0 = ("a", "0"), ("a", "1"), ("b", "0")


@pytest.fixture
def ring(hooks: Any) -> Any:
    return hooks.Keyring({"a": [SECRET, secret(1)], "b": secret(2)})


def pairs(count: int, by: bytes = KEY, **more: Any) -> list[tuple[bytes, dict[str, str]]]:
    return [(b"%d" % n, signed(b"%d" % n, key=by, **more)) for n in range(count)]


def test_nothing_yet(hooks: Any, ring: Any) -> None:
    assert ring.usage() == {A0: Usage(0), A1: Usage(0), B0: Usage(0)}
    assert list(ring.usage()) == [A0, A1, B0]
    assert hooks.Keyring().usage() == {}
    assert all(type(one) is hookseal.Usage for one in ring.usage().values())


def test_every_way_to_verify_counts(hooks: Any, ring: Any) -> None:
    verifier, other = hooks.Verifier(ring), hooks.Verifier(ring, tolerance="off")
    verifier.verify(BODY, signed(), endpoint="a", now=NOW)
    assert ring.usage()[A0] == Usage(1, NOW, NOW)
    assert other.check(BODY, signed(key=key(1)), endpoint="a", now=NOW + 1)
    assert ring.usage()[A1] == Usage(1, NOW + 1, NOW + 1)
    for count in (1, 10, 11, 100, 2000):
        before = ring.usage()[B0].count
        assert verifier.verify_batch(pairs(count, key(2)), endpoint="b", now=NOW).valid == count
        assert ring.usage()[B0] == Usage(before + count, NOW, NOW)
    bodies, headers = zip(*pairs(50), strict=True)
    columns = [[one[name] for one in headers] for name in signed()]
    result = verifier.verify_columns(*columns, bodies, endpoint="a", now=NOW - 5)
    assert result.valid == 50
    assert ring.usage()[A0] == Usage(51, NOW, NOW - 5)
    # Whoever shares the ring, and however it was counted.
    assert ring.usage() == {
        A0: Usage(51, NOW, NOW - 5),
        A1: Usage(1, NOW + 1, NOW + 1),
        B0: Usage(2122, NOW, NOW),
    }


@pytest.mark.parametrize("count", [4, 400])
@pytest.mark.parametrize("times", [(NOW + 9, NOW), (NOW, NOW + 9)])
def test_another_instant_late_in_a_batch(
    hooks: Any, ring: Any, count: int, times: tuple[int, int]
) -> None:
    """What was counted before keeps its own, and so does who comes later."""
    early, late = times
    received_at = [early] * (count // 2) + [late] * (count // 2)
    names = ["a"] * (count - 1) + ["b"]
    messages = [*pairs(count - 1), (BODY, signed(key=key(2)))]
    verifier = hooks.Verifier(ring)
    result = verifier.verify_batch(messages, endpoint=names, received_at=received_at)
    assert result.valid == count
    assert ring.usage() == {
        A0: Usage(count - 1, NOW + 9, NOW),
        A1: Usage(0),
        B0: Usage(1, late, late),
    }


@pytest.mark.parametrize("threads", [1, 2])
def test_a_mixed_batch(hooks: Any, ring: Any, threads: int) -> None:
    """As ``by_secret`` says, and each at its own time."""
    messages = []
    for number in range(600):
        at, name = NOW + number, "ab"[number % 3 == 2]
        by = key(2) if name == "b" else (KEY, key(1))[number % 5 == 0]
        headers = signed(key=by, timestamp=at)
        body = BODY if number % 7 else BODY + b"!"  # forged
        messages.append(Message(body, headers, endpoint=name, received_at=at))
    result = hooks.Verifier(ring).verify_batch(messages, threads=threads)
    usage = ring.usage()
    assert {name: one.count for name, one in usage.items()} == result.by_secret()
    for pair, position in ((A0, 0), (A1, 1), (B0, 0)):
        matched = [
            NOW + index
            for index, message in enumerate(messages)
            if message.endpoint == pair[0] and result.secrets[index] == position
        ]
        assert usage[pair] == Usage(len(matched), max(matched), min(matched))


def test_what_is_refused_does_not_count(hooks: Any, ring: Any) -> None:
    verifier = hooks.Verifier(ring)
    for body, headers, name, at in (
        (BODY + b"!", signed(), "a", NOW),
        (BODY, signed(), "a", NOW + 301),
        (BODY, signed(), "b", NOW),
        (BODY, signed(), "no", NOW),
        (BODY, {}, "a", NOW),
    ):
        assert not verifier.check(body, headers, endpoint=name, now=at)
        verifier.verify_batch([(body, headers)] * 20, endpoint=name, now=at)
    assert set(ring.usage().values()) == {Usage(0)}


def test_a_batch_that_raises_counts_nothing(hooks: Any, ring: Any) -> None:
    """Nobody acts on messages whose verdicts never came."""

    class Stops(dict[str, str]):
        def items(self) -> Any:
            raise KeyboardInterrupt

    for count in (3, 3000):
        with pytest.raises(KeyboardInterrupt):
            hooks.Verifier(ring).verify_batch(
                [*pairs(count), (BODY, Stops(signed()))], endpoint="a", now=NOW
            )
    assert set(ring.usage().values()) == {Usage(0)}


def test_the_instant_is_that_of_judgement(hooks: Any, ring: Any, clock: Clock) -> None:
    """Never the one that the message states."""
    verifier = hooks.Verifier(ring)
    clock.now = NOW + 7.9
    verifier.check(BODY, signed(), endpoint="a")
    assert ring.usage()[A0] == Usage(1, NOW + 7, NOW + 7)
    verifier.check(BODY, signed(), endpoint="a", received_at=NOW - 3, now=NOW + 100)
    assert ring.usage()[A0] == Usage(2, NOW + 7, NOW - 3)
    verifier.verify_batch(pairs(20), endpoint="a", received_at=list(range(NOW, NOW + 20)))
    assert ring.usage()[A0] == Usage(22, NOW + 19, NOW - 3)


def test_a_scheme_without_times(hooks: Any, clock: Clock) -> None:
    """A ring looks at the clock for it, once a call; a verifier of its own has no need to."""
    ring = hooks.Keyring({"a": "a-long-text-that-github-shows"}, scheme="github")
    headers = {
        "x-hub-signature-256": oracle.sha256(b"a-long-text-that-github-shows", BODY),
    }
    assert hooks.Verifier(ring).check(BODY, headers, endpoint="a")
    assert (clock.looks, ring.usage()[A0]) == (1, Usage(1, NOW, NOW))
    clock.now += 10
    for count in (4, 40):
        clock.looks = 0
        assert hooks.Verifier(ring).verify_batch([(BODY, headers)] * count, endpoint="a").valid
        assert clock.looks == 1
    assert ring.usage()[A0] == Usage(45, NOW + 10, NOW)
    clock.looks = 0
    assert hooks.Verifier(ring).check(BODY, headers, endpoint="a", received_at=5)
    assert ring.usage()[A0] == Usage(46, NOW + 10, 5)
    alone = hooks.Verifier("a-long-text-that-github-shows", scheme="github")
    assert alone.check(BODY, headers)
    assert alone.verify_batch([(BODY, headers)] * 40).valid == 40
    assert clock.looks == 0


def test_through_changes(hooks: Any, ring: Any) -> None:
    """Counts stay with a secret as long as its label and its key do."""
    verifier = hooks.Verifier(ring)
    verifier.verify_batch(pairs(30), endpoint="a", now=NOW)
    verifier.verify_batch(pairs(20, key(1)), endpoint="a", now=NOW)
    used = {A0: Usage(30, NOW, NOW), A1: Usage(20, NOW, NOW), B0: Usage(0)}
    assert ring.usage() == used
    assert ring.rotate("a", secret(3), overlap=timedelta(days=1), now=NOW) == "2"
    assert ring.usage() == {("a", "2"): Usage(0), **used}
    # The same again, as who reloads it from a store does it.
    reloaded = [hooks.Secret(SECRET, label="0"), hooks.Secret(secret(1), label="1")]
    ring.replace("a", reloaded)
    assert ring.usage() == used
    ring.replace("a", Endpoint(reloaded, tolerance=60))
    assert ring.usage() == used
    # Another key under the label, and another label for the key.
    ring.replace("a", [hooks.Secret(secret(4), label="0"), hooks.Secret(secret(1), label="x")])
    assert ring.usage() == {A0: Usage(0), ("a", "x"): Usage(0), B0: Usage(0)}
    verifier.check(BODY, signed(key=key(4)), endpoint="a", now=NOW + 1)
    assert ring.usage()[A0] == Usage(1, NOW + 1, NOW + 1)
    ring.remove("a", "x")
    assert ring.usage() == {A0: Usage(1, NOW + 1, NOW + 1), B0: Usage(0)}
    ring.remove_endpoint("a")
    assert ring.usage() == {B0: Usage(0)}


def test_a_call_in_progress_counts_for_its_secret(hooks: Any, ring: Any) -> None:
    """It finishes on the secrets that it began with, and they keep their counts."""

    class Rotates(dict[str, str]):
        def items(self) -> Any:
            ring.rotate("a", secret(5))
            return super().items()

    hooks.Verifier(ring).check(BODY, Rotates(signed()), endpoint="a", now=NOW)
    assert ring.usage() == {
        ("a", "2"): Usage(0),
        A0: Usage(1, NOW, NOW),
        A1: Usage(0),
        B0: Usage(0),
    }


def test_rings_and_endpoints_do_not_mix(hooks: Any) -> None:
    """The same secret at two endpoints is counted where the message came in."""
    ring, other = (hooks.Keyring({"a": SECRET, "b": SECRET}) for _ in range(2))
    hooks.Verifier(ring).check(BODY, signed(), endpoint="b", now=NOW)
    assert ring.usage() == {A0: Usage(0), B0: Usage(1, NOW, NOW)}
    assert set(other.usage().values()) == {Usage(0)}


def test_threads(hooks: Any, ring: Any) -> None:
    """No match is lost."""
    verifiers = [hooks.Verifier(ring) for _ in range(4)]
    batch = pairs(40)
    start = threading.Barrier(4)

    def work(number: int) -> None:
        start.wait()
        for round_ in range(50):
            at = NOW + number * 50 + round_
            assert verifiers[number].check(BODY, signed(), endpoint="a", now=at)
            assert verifiers[number].verify_batch(batch, endpoint="a", now=NOW).valid == 40

    interval = sys.getswitchinterval()
    # So that a thread gives way between any look and its change.
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
    finally:
        sys.setswitchinterval(interval)
    assert ring.usage()[A0] == Usage(4 * 50 * 41, NOW + 199, NOW)


# Saved.


def test_saved_once(hooks: Any, ring: Any, tmp_path: Path) -> None:
    """However often it is saved, each match is added once."""
    verifier, file = hooks.Verifier(ring), tmp_path / "u"
    verifier.verify_batch(pairs(30), endpoint="a", now=NOW)
    for _ in range(3):
        ring.save_usage(file)
        assert (
            read(str(file)) == ring.usage() == {A0: Usage(30, NOW, NOW), A1: Usage(0), B0: Usage(0)}
        )
    verifier.verify_batch(pairs(5), endpoint="a", now=NOW + 9)
    ring.save_usage(str(file))
    ring.save_usage(os.fsencode(file))
    assert read(str(file)) == ring.usage()
    # Another file has seen nothing yet, and one that was taken away begins anew.
    ring.save_usage(tmp_path / "v")
    assert read(str(tmp_path / "v")) == ring.usage()
    file.unlink()
    ring.save_usage(file)
    assert read(str(file)) == ring.usage()


def test_saved_by_who_looked_earlier(tmp_path: Path) -> None:
    """A thread that looked before another one, and comes to the file after it, adds nothing."""
    file, saved = tmp_path / "u", dict[str, dict[int, int]]()
    for count, total in ((7, 7), (5, 7), (7, 7), (9, 9)):
        save(file, [("a", "0", 3, count, NOW, NOW)], saved)
        assert read(str(file)) == {A0: Usage(total, NOW, NOW)}


def test_saved_by_several_rings(hooks: Any, tmp_path: Path) -> None:
    file = tmp_path / "u"
    for number in range(3):
        ring = hooks.Keyring({"a": SECRET})
        hooks.Verifier(ring).verify_batch(pairs(10), endpoint="a", now=NOW + number)
        ring.save_usage(file)
        ring.save_usage(file)
    assert read(str(file)) == {A0: Usage(30, NOW + 2, NOW)}


def test_saved_across_a_change_of_key(hooks: Any, ring: Any, tmp_path: Path) -> None:
    """Under one label there were two secrets, and both matched."""
    verifier, file = hooks.Verifier(ring), tmp_path / "u"
    verifier.verify_batch(pairs(30), endpoint="a", now=NOW)
    ring.save_usage(file)
    ring.replace("a", hooks.Secret(secret(4), label="0"))
    verifier.verify_batch(pairs(2, key(4)), endpoint="a", now=NOW + 1)
    ring.save_usage(file)
    assert read(str(file))[A0] == Usage(32, NOW + 1, NOW)


def test_saved_by_threads(hooks: Any, ring: Any, tmp_path: Path) -> None:
    verifier, file = hooks.Verifier(ring), tmp_path / "u"
    batch = pairs(15)

    def work() -> None:
        for _ in range(20):
            verifier.verify_batch(batch, endpoint="a", now=NOW)
            ring.save_usage(file)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert read(str(file))[A0] == Usage(4 * 20 * 15, NOW, NOW)


PROCESS = """
import sys
import {module} as hooks
from tests.implementations import NOW, SECRET
from tests.test_usage import pairs
ring = hooks.Keyring({{"a": SECRET}})
verifier, batch = hooks.Verifier(ring), pairs(12)
for number in range(10):
    verifier.verify_batch(batch, endpoint="a", now=NOW + number)
    ring.save_usage(sys.argv[1])
"""


def test_saved_by_processes(hooks: Any, tmp_path: Path) -> None:
    file = tmp_path / "u"
    script = PROCESS.format(module=hooks.__name__)
    root = Path(__file__).resolve().parent.parent
    children = [
        subprocess.Popen([sys.executable, "-c", script, str(file)], cwd=root) for _ in range(3)
    ]
    assert [child.wait(PATIENCE_SECONDS) for child in children] == [0, 0, 0]
    assert read(str(file)) == {A0: Usage(3 * 10 * 12, NOW + 9, NOW)}


def test_a_file_that_is_another(hooks: Any, ring: Any, tmp_path: Path) -> None:
    """Nothing is written over it, and nothing is lost for a better one."""
    hooks.Verifier(ring).check(BODY, signed(), endpoint="a", now=NOW)
    file = tmp_path / "u"
    file.write_bytes(b"my notes")
    with pytest.raises(ValueError, match=f"{file}: not JSON"):
        ring.save_usage(file)
    assert file.read_bytes() == b"my notes"
    with pytest.raises(FileNotFoundError):
        ring.save_usage(tmp_path / "no" / "u")
    for wrong in (5, None, object(), ["u"]):
        with pytest.raises(TypeError):
            ring.save_usage(wrong)
    file.unlink()
    ring.save_usage(file)
    assert read(str(file))[A0] == Usage(1, NOW, NOW)


def test_a_disk_that_is_full(
    hooks: Any, ring: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks.Verifier(ring).check(BODY, signed(), endpoint="a", now=NOW)
    with monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            ring.save_usage(tmp_path / "u")
    ring.save_usage(tmp_path / "u")
    ring.save_usage(tmp_path / "u")
    assert read(str(tmp_path / "u"))[A0] == Usage(1, NOW, NOW)


def test_what_it_does_not_hold(hooks: Any, ring: Any, tmp_path: Path) -> None:
    ring.save_usage(tmp_path / "u")
    text = (tmp_path / "u").read_text()
    for shown in (SECRET, secret(1), secret(2)):
        assert shown not in text + repr(ring.usage())
