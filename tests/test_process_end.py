"""The end of a process that has threads in calls: it comes soon, and nobody is cut off before.

That no thread takes the process down with it is threat 47, in test_threats_process.py.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.children import ran, run, script

pytest.importorskip("hookseal._core")
posix = pytest.mark.skipif(sys.platform == "win32", reason="fork is POSIX")

# A guard whose claims take as long as `wait` says.
_GUARD = """
from hookseal import Claim
class Guard:
    def __init__(self, wait): self.wait = wait
    def claim(self, keys, *, lease, ttl):
        self.wait()
        return [Claim.WON] * len(keys)
    def commit(self, keys, *, ttl): pass
    def release(self, keys): pass
    def close(self): pass
"""


def test_a_call_that_never_ends_holds_the_end_up_for_a_while_only() -> None:
    said = run(f"""
{_GUARD}
import threading
within = threading.Event()
def wait():
    within.set()
    threading.Event().wait()
verifier = Verifier(KEY, replay=Guard(wait))
def work():
    verifier.verify(b"", signed(b""), now=NOW)
threading.Thread(target=work, daemon=True).start()
within.wait()
print("ended")
""")
    assert said == "ended\n"


def test_a_handler_that_waits_for_a_thread_of_its_own_gets_what_it_waits_for() -> None:
    """Handlers run last first, so this one runs when calls of other threads are held."""
    text = """
import atexit, queue, threading
todo = queue.Queue()
def work():
    from hookseal import Signer, Verifier
    key = bytes(range(32))
    headers = Signer(key).sign(b"", id="1", timestamp=1)
    while todo.get():
        print(Verifier(key).check(b"", headers, now=1).name, flush=True)
    print("drained", flush=True)
worker = threading.Thread(target=work, daemon=True)
def drain():
    todo.put(True)
    todo.put(False)
    worker.join()
atexit.register(drain)
import hookseal
worker.start()
"""
    child = ran([sys.executable, "-c", text])
    assert (child.returncode, child.stdout, child.stderr) == (0, "VALID\ndrained\n", "")


@posix
def test_ctrl_c_does_not_cut_the_wait_short() -> None:
    """It is told, as Python tells what handlers of the end raise, and the calls are waited for."""
    child = ran(
        script(f"""
{_GUARD}
import os, signal, threading, time
def wait():
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        sum(range(50))
    os.kill(os.getpid(), signal.SIGINT)
    end += 0.3
    while time.monotonic() < end:
        sum(range(50))
verifier = Verifier(KEY, replay=Guard(wait))
def work():
    verifier.verify(b"", signed(b""), now=NOW)
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.1)
""")
    )
    assert child.returncode == 0
    assert "KeyboardInterrupt" in child.stderr or sys.version_info >= (3, 14)


def test_handlers_that_come_later_and_take_long() -> None:
    """Calls are held for longer than the end waits for them, and then each for a moment. Several
    processes, because a thread has to be in a call when the last handler has returned."""
    text = """
import atexit, time
atexit.register(time.sleep, SECONDS)
import threading
from collections import UserDict
from hookseal import Signer, Verifier
key = bytes(range(32))
verifier = Verifier(key)
headers = UserDict(Signer(key).sign(b"", id="1", timestamp=1))
def work():
    while True:
        verifier.verify_batch([(b"", headers)] * 20, now=1)
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.05)
"""

    def ended(number: int) -> tuple[int, str]:
        seconds = "1.3" if number % 2 else "2.2"
        child = ran([sys.executable, "-c", text.replace("SECONDS", seconds)])
        return child.returncode, child.stderr

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(ended, range(12))) == {(0, "")}


@posix
def test_a_signal_in_the_middle_of_hashing_may_verify_and_fork() -> None:
    """What a handler calls is counted as a call of its own, also where another thread is in one; a
    child that it forks has none but its own."""
    said = run(f"""
{_GUARD}
import os, signal, threading, time
go, within = threading.Event(), threading.Event()
def wait():
    within.set()
    go.wait()
def work():
    print(Verifier(KEY, replay=Guard(wait)).verify(b"", signed(b""), now=NOW).id)
other = threading.Thread(target=work)
other.start()
within.wait()
verifier, large, small = Verifier(KEY), bytes(1 << 26), bytes(1 << 16)
headers = {{body: signed(body) for body in (large, small)}}
heard, children = [], []
def handle(*_):
    if not heard:
        children.append((time.monotonic(), os.fork()))
    heard.append(verifier.verify(small, headers[small], now=NOW))
    verifier.verify_batch([(small, headers[small])] * 40, now=NOW, threads=2).raise_for_invalid()
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.005)
while not heard:
    verifier.verify(large, headers[large], now=NOW)
(begun, child), = children
if not child:
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
took = time.monotonic() - begun
go.set()
other.join()
print(took)
""")
    proof, took = said.split()
    assert proof == "msg_1"
    # Of which it waits for a second if it believes that somebody is in a call.
    assert float(took) < 1


@posix
def test_the_end_of_a_child_does_not_wait_for_the_threads_of_its_parent() -> None:
    """They are in the middle of a call when it is forked, and do not exist in it. It is forked in a
    call, which the child leaves as its parent does. The least of some: others may be in the way."""
    said = run(f"""
{_GUARD}
import os, threading, time
go, within = threading.Event(), threading.Barrier(4)
def wait():
    within.wait()
    go.wait()
def verify(wait):
    Verifier(KEY, replay=Guard(wait)).verify(b"", signed(b""), now=NOW)
threads = [threading.Thread(target=verify, args=(wait,)) for _ in range(3)]
for thread in threads: thread.start()
within.wait()
least = []
for _ in range(5):
    verify(lambda: least.append((time.monotonic(), os.fork())))
    begun, child = least.pop()
    if not child:
        sys.exit()
    assert os.waitpid(child, 0)[1] == 0
    least.insert(0, time.monotonic() - begun)
go.set()
for thread in threads: thread.join()
print(min(least))
""")
    assert float(said) < 1
