"""The end of a process that has threads in calls: it comes soon, and nobody is cut off before.

That no thread takes the process down with it is threat 47, in test_threats_process.py.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.children import run

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
    child = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=300, check=True
    )
    assert (child.stdout, child.stderr) == ("VALID\ndrained\n", "")


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
parent, least = os.getpid(), []
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
