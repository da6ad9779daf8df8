"""The core in its process: fork, signals, threads, exit. Each test has a Python of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.children import PRELUDE, run, script
from tests.profiles import IS_FULL, IS_QUICK

pytest.importorskip("hookseal._core")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fork and signals are POSIX")

# What Ctrl-C may take. The claim is 0.2 s; the margin is for machines that do other things.
MOST_SECONDS_TO_INTERRUPT = 1.0


@pytest.mark.parametrize("module", ["hookseal", "hookseal.pure"])
def test_fork_after_a_batch(module: str) -> None:
    """A thread pool that was there before the fork would hang the child's first batch."""
    said = run(
        """
        import os, signal
        verifier = Verifier(KEY)
        body = bytes(1 << 16)
        messages = [(body, signed(body))] * 200
        def batch():
            assert verifier.verify_batch(messages, now=NOW, threads=2).valid == 200
        batch()
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            batch()
            assert verifier.check(*messages[0], now=NOW)
            grandchild = os.fork()
            if grandchild == 0:
                batch()
                os._exit(7)
            os._exit(os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]))
        batch()
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        batch()
        """,
        module,
    )
    assert said == "7\n"


def test_fork_before_the_first_batch() -> None:
    said = run(
        """
        import os, signal
        verifier = Verifier(KEY)
        message = (b"x", signed(b"x"))
        children = []
        for _ in range(3):
            child = os.fork()
            if child == 0:
                signal.alarm(10)
                os._exit(verifier.verify_batch([message] * 100, now=NOW, threads=2).valid)
            children.append(child)
        print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
        """
    )
    assert said == "[100, 100, 100]\n"


@pytest.mark.skipif(IS_QUICK, reason="starts eight interpreters")
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_multiprocessing(tmp_path: Path, method: str) -> None:
    """A pool gets messages, not verifiers: those refuse to be pickled."""
    file = tmp_path / "pool.py"
    text = """
    import multiprocessing
    def work(messages):
        return Verifier(KEY).verify_batch(messages, now=NOW, threads=2).codes.tobytes()
    if __name__ == "__main__":
        body = bytes(1 << 12)
        messages = [(body, signed(body)), (b"", signed(body))] * 20
        assert work(messages) == b"\\1\\14" * 20
        with multiprocessing.get_context(METHOD).Pool(2) as pool:
            assert pool.map(work, [messages] * 4) == [b"\\1\\14" * 20] * 4
        try:
            multiprocessing.get_context(METHOD).Process(target=print, args=[Verifier(KEY)]).start()
        except TypeError:
            print("refused")
    """.replace("METHOD", repr(method))
    file.write_text(PRELUDE.format(module="hookseal") + textwrap.dedent(text))
    child = subprocess.run(
        [sys.executable, str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert child.returncode == 0, child
    assert child.stdout.endswith("refused\n")


# Signals. The parent sends them: inside the child nothing else need get its turn.

_WORKS = {
    # 10 GiB in pieces of one MiB: sixteen at a time in the lanes.
    "lanes": "body = bytes(1 << 20); messages = ((body, headers),) * 10_000",
    # 10 GiB in bodies of which each is more than a chunk.
    "large": "body = bytes(1 << 26); messages = ((body, headers),) * 160",
    # Hardly any bytes, but many messages.
    "tiny": "messages = ((b'', headers),) * 8_000_000",
    # Not tuples: classes are asked what they are, which runs Python.
    "objects": "Thing.body = b''; Thing.headers = headers; messages = (Thing(),) * 3_000_000",
    # No MAC at all: every message is refused before.
    "unhashed": "messages = ((b'', {}),) * 30_000_000",
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("work", _WORKS)
def test_ctrl_c(
    work: str,
    threads: int,
    record_property: Callable[[str, object], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = f"""
    import time
    class Thing: pass
    headers = dict(signed(b"?"))
    {_WORKS[work]}
    verifier = Verifier(KEY)
    print("ready", flush=True)
    begun = time.monotonic()
    try:
        verifier.verify_batch(messages, now=NOW, threads={threads}, keep=False)
    except KeyboardInterrupt:
        print(time.monotonic(), time.monotonic() - begun)
        assert verifier.check(b"", signed(b""), now=NOW)
    else:
        print("finished after", time.monotonic() - begun)
    """
    with subprocess.Popen(
        script(text), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.25)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        said = child.stdout.read().split()
        assert (child.wait(30), child.stderr.read()) == (0, "")
    assert said[0] != "finished", "the work was too short for this machine"
    # CLOCK_MONOTONIC is one clock for all processes.
    seconds = float(said[0]) - sent
    record_property("seconds_to_interrupt", seconds)
    with capsys.disabled():
        print(f" [{seconds * 1000:.0f} ms]", end="")
    assert seconds < MOST_SECONDS_TO_INTERRUPT


# Threads.


@pytest.mark.parametrize("threads", [1, 2])
def test_other_threads_run_while_a_batch_hashes(threads: int) -> None:
    """The longest pause of a thread that only sleeps, during two GiB of hashing."""
    said = run(
        f"""
        import threading, time
        body = bytes(1 << 24)
        messages = [(body, signed(b""))] * 128
        longest, ticks, stop = 0.0, 0, False
        def tick():
            global longest, ticks
            last = time.perf_counter()
            while not stop:
                time.sleep(0.002)
                now = time.perf_counter()
                longest, ticks, last = max(longest, now - last), ticks + 1, now
        other = threading.Thread(target=tick)
        other.start()
        begun = time.perf_counter()
        Verifier(KEY).verify_batch(messages, now=NOW, threads={threads})
        took = time.perf_counter() - begun
        stop = True
        other.join()
        print(took, ticks, longest)
        """
    )
    took, ticks, longest = map(float, said.split())
    assert took > 0.2
    assert ticks > 10
    assert longest < took / 2


def test_single_verifies_of_large_bodies_let_others_run() -> None:
    """Four threads, each with its own large body: their results are taken, not only awaited."""
    said = run(
        """
        from concurrent.futures import ThreadPoolExecutor
        verifier = Verifier(KEY)
        bodies = [bytes([number]) * (1 << 22) for number in range(4)]
        headers = [signed(body) for body in bodies]
        def work(number):
            good = [verifier.verify(bodies[number], headers[number], now=NOW) for _ in range(8)]
            bad = [verifier.check(bodies[number], headers[number - 1], now=NOW) for _ in range(8)]
            return all(one.body is bodies[number] for one in good) and not any(bad)
        with ThreadPoolExecutor(4) as pool:
            print(list(pool.map(work, range(4))))
        """
    )
    assert said == "[True, True, True, True]\n"


@pytest.mark.parametrize("module", ["hookseal", "hookseal.pure"])
def test_sixty_four_threads_make_the_first_call_at_once(module: str) -> None:
    """Whatever is built on first use is built once, and nobody waits for ever."""
    said = run(
        """
        import threading
        from concurrent.futures import ThreadPoolExecutor
        gate = threading.Barrier(64)
        def first(number):
            gate.wait()
            name = ["standard-webhooks", "svix", "github", "uplift"][number % 4]
            signer = Signer("c2VjcmV0", scheme=name)
            body = b"%d" % number
            at = {} if number % 4 > 1 else {"timestamp": NOW}
            headers = signer.sign(body, **at)
            verifier = Verifier("c2VjcmV0", scheme=name)
            assert verifier.verify(body, headers, now=NOW).scheme == name
            result = verifier.verify_batch([(body, headers), (b"", headers), None] * 11, now=NOW)
            assert result.counts() == {1: 11, 2: 11, 12: 11}
            try:
                verifier.verify(b"?", headers, now=NOW)
            except SignatureMismatchError as error:
                return error.code
        with ThreadPoolExecutor(64) as pool:
            print(set(pool.map(first, range(64), timeout=30)))
        """,
        module,
    )
    assert said == "{'signature_mismatch'}\n"


def test_a_ring_that_changes_under_verifying_threads() -> None:
    """Every answer is that of one snapshot: each message fits the old secret or the new one."""
    said = run(
        """
        import threading
        from concurrent.futures import ThreadPoolExecutor
        old, new = bytes(range(32)), bytes(range(32, 64))
        ring = Keyring({"a": old})
        verifier = Verifier(ring)
        by_old = Signer(old).sign(b"", timestamp=NOW)
        by_new = Signer(new).sign(b"", timestamp=NOW)
        messages = [(b"", by_old), (b"", by_new)] * 10
        stop = threading.Event()
        def change():
            for number in range(2_000):
                ring.replace("a", old if number % 2 else new)
            stop.set()
            return "changed"
        def watch(_):
            seen = set()
            while not stop.is_set():
                result = verifier.verify_batch(messages, endpoint="a", now=NOW)
                seen.add(result.codes.tobytes())
            return seen
        with ThreadPoolExecutor(4) as pool:
            change, *watching = pool.submit(change), *[pool.submit(watch, n) for n in range(3)]
            print(change.result(30))
            seen = set().union(*[one.result(30) for one in watching])
        assert seen <= {b"\\1\\14" * 10, b"\\14\\1" * 10}, seen
        """
    )
    assert said == "changed\n"


# The end.


def test_exit_with_threads_that_verify() -> None:
    """Daemon threads are cut off wherever they are, hashing included."""
    for number in range(100 if IS_FULL else 3 if IS_QUICK else 10):
        run(
            f"""
            import threading, time
            body = bytes(1 << {12 + number % 10})
            headers = signed(body)
            verifier = Verifier(KEY)
            def work():
                while True:
                    verifier.verify(body, headers, now=NOW)
                    verifier.verify_batch([(body, headers)] * 20, now=NOW, threads=2)
            for _ in range(3):
                threading.Thread(target=work, daemon=True).start()
            time.sleep(0.03)
            """,
            timeout=30,
        )


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the check is CPython's, from 3.12 on")
def test_subinterpreter() -> None:
    """A second interpreter cannot have the core; it is told so, and nothing breaks."""
    said = run(
        """
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        for _ in range(2):
            other = interpreters.create()
            text = "try: import hookseal\\nexcept ImportError: print('refused', flush=True)"
            assert interpreters.run_string(other, text) is None
            interpreters.destroy(other)
        assert Verifier(KEY).check(b"", signed(b""), now=NOW)
        """
    )
    assert said == "refused\nrefused\n"
