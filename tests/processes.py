"""What a process must survive: scripts for Pythons of their own, and what they must say."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Final

from tests.children import PRELUDE, run, script

# Work that takes seconds, of every kind that a batch can have.
LONG_WORKS: Final = {
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


def seconds_to_interrupt(work: str, threads: int) -> float:
    """How long after Ctrl-C the call of a batch of `LONG_WORKS` has ended, with
    ``KeyboardInterrupt`` and without harm to what comes next."""
    text = f"""
    import time
    class Thing: pass
    headers = dict(signed(b"?"))
    {LONG_WORKS[work]}
    verifier = Verifier(KEY)
    print("ready", flush=True)
    begun = time.monotonic()
    try:
        verifier.verify_batch(messages, now=NOW, threads={threads}, keep=False)
    except KeyboardInterrupt:
        print(time.monotonic(), time.monotonic() - begun)
        assert verifier.check(b"", signed(b""), now=NOW)
        assert verifier.verify_batch([(b"", signed(b""))] * 40, now=NOW).valid == 40
    else:
        print("finished after", time.monotonic() - begun)
    """
    with subprocess.Popen(
        script(text), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == "ready\n"
        # The parent sends it: inside the child nothing else need get its turn.
        time.sleep(0.25)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        said = child.stdout.read().split()
        assert (child.wait(30), child.stderr.read()) == (0, "")
    assert said[0] != "finished", "the work was too short for this machine"
    # CLOCK_MONOTONIC is one clock for all processes.
    return float(said[0]) - sent


def fork_around_batches(module: str) -> str:
    """What a process says that forks after a batch, whose child forks too, all with batches: the
    status of the child, which is the grandchild's."""
    return run(
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


def fork_before_any_batch(module: str) -> str:
    """What a process says of three children that it forked before its first batch."""
    return run(
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
        """,
        module,
    )


def pool(folder: Path, method: str, module: str) -> str:
    """What a pool of ``multiprocessing`` says that is started in that way, after a batch. It gets
    messages, not verifiers: those refuse to be pickled."""
    file = folder / "pool.py"
    text = """
    import multiprocessing
    def work(messages):
        return Verifier(KEY).verify_batch(messages, now=NOW, threads=2).codes.tobytes()
    if __name__ == "__main__":
        body = bytes(1 << 12)
        messages = [(body, signed(body)), (b"", signed(body))] * 20
        assert work(messages) == b"\\1\\14" * 20
        context = multiprocessing.get_context(METHOD)
        with context.Pool(2) as pool:
            assert pool.map_async(work, [messages] * 4).get(30) == [b"\\1\\14" * 20] * 4
        assert work(messages) == b"\\1\\14" * 20
        if METHOD == "fork":
            print("forked")
        else:
            try:
                context.Process(target=print, args=[Verifier(KEY)]).start()
            except TypeError:
                print("refused")
    """.replace("METHOD", repr(method))
    file.write_text(PRELUDE.format(module=module) + textwrap.dedent(text))
    child = subprocess.run(
        [sys.executable, str(file)], capture_output=True, text=True, timeout=300, check=False
    )
    assert child.returncode == 0, child
    return child.stdout


def first_calls_at_once(module: str) -> str:
    """What 64 threads say whose first calls come at once: the code of one refusal."""
    return run(
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
            print(set(pool.map(first, range(64), timeout=300)))
        """,
        module,
    )


# What threads do while their process ends: Rust alone, and Rust that calls Python of every kind.
ENDED_WORKS: Final = {
    "plain": """
        verifier.verify(body, headers, now=NOW)
        verifier.verify_batch([(body, headers)] * 20, now=NOW, threads=2)
        old = {**headers, "webhook-timestamp": "1"}
        for wrong in (b"x" + body, headers), (body, {}), (body, old):
            with suppress(VerificationError):
                verifier.verify(*wrong, now=NOW)
    """,
    "headers in Python": """
        verifier.verify(body, UserDict(headers), now=NOW)
        verifier.verify_batch([(body, UserDict(headers))] * 20, now=NOW, threads=2)
    """,
    "messages in Python": """
        verifier.verify_batch(((body, headers) for _ in range(20)), now=NOW)
    """,
    "guard in memory": """
        with suppress(VerificationError):
            remembers.verify(body, headers, now=NOW)
    """,
    "guard in a file": """
        with suppress(VerificationError):
            files.verify(body, headers, now=NOW)
    """,
}


def exit_with_threads(number: int, work: str, claims: Path) -> str:
    """What a process says that ends while daemon threads do one of `ENDED_WORKS`, on bodies of some
    size: nothing. Its exit status is looked at too: a thread that is cut off inside Python which
    Rust has called takes the process down, most often without a word."""
    text = """
    import threading, time
    from collections import UserDict
    from contextlib import suppress
    body = bytes(1 << SIZE)
    headers = signed(body)
    verifier = Verifier(KEY)
    remembers = Verifier(KEY, replay=MemoryReplayGuard())
    files = Verifier(KEY, replay=SQLiteReplayGuard(CLAIMS))
    def work():
        while True:
            WORK
    for _ in range(6):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(0.03)
    """
    done = textwrap.indent(textwrap.dedent(ENDED_WORKS[work]).strip(), " " * 12).strip()
    told = {"SIZE": str(12 + number % 10), "CLAIMS": repr(str(claims)), "WORK": done}
    for name, value in told.items():
        text = text.replace(name, value)
    return run(text)


def other_interpreters() -> str:
    """What two other interpreters of a process say of the core, of each kind there is, while the
    first one goes on."""
    return run(
        """
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        def made():
            yield interpreters.create()
            try:  # with the lock of the first one, as mod_wsgi makes them
                yield interpreters.create("legacy")
            except TypeError:
                yield interpreters.create(isolated=False)
        text = '''
        try:
            import hookseal
        except ImportError as error:
            print(type(error).__name__, flush=True)
        else:
            print(hookseal.Verifier(b"k").check(b"", {}, now=0), flush=True)
        '''
        import textwrap
        verifier = Verifier(KEY)
        for other in made():
            assert interpreters.run_string(other, textwrap.dedent(text)) is None
            interpreters.destroy(other)
            assert verifier.check(b"", signed(b""), now=NOW) is Verdict.VALID
        """
    )


_RESIDENT: Final = """
import gc, os
def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
"""


def measured(text: str, module: str = "hookseal", timeout: float = 60) -> list[float]:
    """The numbers that a script prints, which may ask ``resident()``: bytes in memory."""
    said = run(_RESIDENT + textwrap.dedent(text), module, timeout)
    return [float(one) for one in said.split()]


def grown_by_verifying(times: int, module: str) -> float:
    """How many bytes a process has gained when it has verified as often as before, errors,
    batches, rotations and signing included."""
    (grown,) = measured(
        f"""
        verifier = Verifier(KEY)
        ring = Keyring({{"a": KEY}})
        ringed = Verifier(ring)
        headers = signed(b"body")
        def work(times):
            for number in range(times):
                proof = verifier.verify(b"body", headers, now=NOW)
                proof.id, proof.secret, proof.covers, repr(proof)
                verifier.check(bytearray(b"bodx"), headers, now=NOW)
                if number % 10 == 0:
                    try:
                        verifier.verify("other", headers, now=NOW)
                    except VerificationError as error:
                        str(error)
                    result = ringed.verify_batch([(b"body", headers), None], endpoint="a", now=NOW)
                    result.errors, result.codes, result.by_secret(), list(result.accepted())
                    ring.replace("a", [Secret(KEY, label="x"), b"%d" % number])
                    Signer(KEY).sign(b"", timestamp=NOW)
        work({times // 2})
        before = resident()
        work({times // 2})
        print(resident() - before)
        """,
        module,
        timeout=300,
    )
    return grown
