"""Threats 38 to 43 of docs/threats.md: memory that changes, mixes, runs out and overflows."""

from __future__ import annotations

import itertools
import mmap
import random
import sys
import threading
from array import array
from collections.abc import Callable
from typing import Any

import pytest

import hookseal
from hookseal import Verdict
from tests.children import run
from tests.implementations import BODY, NOW, SECRET, key, secret, signed
from tests.lines import judge_of
from tests.profiles import IS_FULL

V = Verdict

pytest.importorskip("hookseal._core")
each_module = pytest.mark.parametrize("name", ["hookseal", "hookseal.pure"])
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and limits addresses")


# 38: a buffer that another thread changes.

GOOD, BAD = b"a" * 700, b"b" * 700

# What is verified, and what changes it.
Buffer = tuple[Any, Callable[[bytes], None]]


def _bytearray() -> Buffer:
    owner = bytearray(GOOD)

    def put(content: bytes) -> None:
        owner[:] = content

    return owner, put


def _resized() -> Buffer:
    """A bytearray that is never as long as it was."""
    owner = bytearray(GOOD)

    def put(content: bytes) -> None:
        for wanted in (b"", content + content, content):
            try:
                owner[:] = wanted
            except BufferError:  # it is being read: Python itself refuses
                continue

    return owner, put


def _view_of(owner: Any) -> Buffer:
    view = memoryview(owner)

    def put(content: bytes) -> None:
        view[:] = content

    return view, put


def _mmap() -> Buffer:
    owner = mmap.mmap(-1, len(GOOD))
    owner[:] = GOOD
    return _view_of(owner)


BUFFERS: dict[str, Callable[[], Buffer]] = {
    "bytearray": _bytearray,
    "resized": _resized,
    "memoryview": lambda: _view_of(bytearray(GOOD)),
    "array": lambda: _view_of(array("B", GOOD)),
    "mmap": _mmap,
}


@pytest.mark.parametrize("kind", BUFFERS)
def test_threat_38_a_buffer_that_another_thread_changes(hooks: Any, kind: str) -> None:
    """PyO3 #6267. Every acceptance gives bytes that verify again: those that were hashed."""
    times = 100_000
    body, put = BUFFERS[kind]()
    verifier = hooks.Verifier(SECRET)
    headers = signed(GOOD)
    stop = threading.Event()
    changes = 0
    failed: list[BaseException] = []

    def change() -> None:
        nonlocal changes
        try:
            chance = random.Random(38)
            while not stop.is_set():
                put(chance.choice((BAD, GOOD[:350] + BAD[350:], GOOD, GOOD)))
                changes += 1
        except BaseException as error:
            failed.append(error)

    other = threading.Thread(target=change)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    other.start()
    accepted = refused = 0
    # One that is never as long as it was is seldom right.
    wanted = 0 if kind == "resized" else 1
    try:
        while changes < times or accepted + refused < 5_000 or min(accepted, refused) < wanted:
            assert failed == []
            try:
                proof = verifier.verify(body, headers, now=NOW)
            except hookseal.SignatureMismatchError:
                refused += 1
                continue
            accepted += 1
            assert proof.body == GOOD
            if accepted % 64 == 0:
                for _, one in verifier.verify_batch([(body, headers)] * 12, now=NOW).accepted():
                    assert one.body == GOOD
    finally:
        stop.set()
        other.join()
        sys.setswitchinterval(before)


# 39 is test_hostile_*.py.

# 40: one message judged with the key of another.


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 40])
def test_threat_40_an_item_judged_with_another_ones_key(hooks: Any, count: int) -> None:
    """Each of n messages with each of n keys: n are valid, and those are the right ones."""
    ring = hooks.Keyring({f"t{n}": secret(n) for n in range(count)})
    verifier = hooks.Verifier(ring)
    bodies = [b"%d" % n * (7 * n % 90) for n in range(count)]
    made = [signed(body, key=key(n)) for n, body in enumerate(bodies)]
    pairs = list(itertools.product(range(count), repeat=2))
    result = verifier.verify_batch(
        [(bodies[n], made[n]) for n, _ in pairs],
        endpoint=[f"t{tenant}" for _, tenant in pairs],
        now=NOW,
    )
    assert list(result) == [V.VALID if n == m else V.SIGNATURE_MISMATCH for n, m in pairs]
    assert result.by_secret() == {(f"t{n}", "0"): 1 for n in range(count)}
    proofs = [proof for _, proof in result.accepted()]
    assert [proof.endpoint for proof in proofs] == [f"t{n}" for n in range(count)]
    # The secrets of one endpoint, by position.
    several = hooks.Verifier([secret(n) for n in range(8)])
    order = [n % 9 for n in range(count * 9)]
    messages = [(b"%d" % n, signed(b"%d" % n, key=key(n))) for n in order]
    expected = [n if n < 8 else -1 for n in order]
    assert several.verify_batch(messages, now=NOW).secrets.tolist() == expected


def test_threat_40_no_other_endpoint_is_tried(hooks: Any) -> None:
    """alga-psa #3342: the tenant is named by us, and what the message says is not asked."""
    verifier = hooks.Verifier(hooks.Keyring({"a": secret(1), "b": secret(2)}))
    theirs = {**signed(key=key(2)), "endpoint": "b", "x-endpoint": "b", "host": "b"}
    message = {"body": BODY, "headers": theirs, "endpoint": "b"}
    expected = {"a": V.SIGNATURE_MISMATCH, "b": V.VALID, None: V.UNKNOWN_ENDPOINT}
    for endpoint, verdict in expected.items():
        assert verifier.check(BODY, theirs, endpoint=endpoint, now=NOW) is verdict
        assert list(verifier.verify_batch([message], endpoint=endpoint, now=NOW)) == [verdict]


# 41: a panic.


def test_threat_41_a_panic() -> None:
    """PyO3's PanicException is no Exception; ours is a RuntimeError, and life goes on."""
    import hookseal._core

    verifier = hookseal.Verifier(SECRET)
    result = verifier.verify_batch([(BODY, signed())] * 40, now=NOW)
    for _ in range(3):
        with pytest.raises(RuntimeError, match=r"^bug in hookseal: ") as caught:
            hookseal._core._panic_for_test()
        assert type(caught.value) is RuntimeError
        assert verifier.check(BODY, signed(), now=NOW)
        assert verifier.verify_batch([(BODY, signed())] * 40, now=NOW).valid == 40
        assert result.verified(39).body == BODY


# 42: no memory.

# What needs more memory than there is, in a Python that may address 512 MiB.
# What is given is there before; the call is what has to say so.
_NO_MEMORY = {
    "a batch": ("((b'x', headers),) * 30_000_000", "verifier.verify_batch(given, now=NOW)"),
    "a list": ("[(b'x', headers)] * 33_000_000", "verifier.verify_batch(given, now=NOW)"),
    "a generator": (
        "((bytes(2000), headers) for _ in range(10**9))",
        "verifier.verify_batch(given, now=NOW)",
    ),
    "columns": (
        "[['x'] * 15_000_000] * 3 + [[b'x'] * 15_000_000]",
        "verifier.verify_columns(*given, now=NOW)",
    ),
    "a bytearray": ("bytearray(300 << 20)", "verifier.check(given, headers, now=NOW)"),
    "a memoryview": ("memoryview(bytearray(300 << 20))", "verifier.check(given, headers, now=NOW)"),
    "a text": ("'\u00e9' * (200 << 20)", "verifier.check(given, headers, now=NOW)"),
    "bodies": (
        "((bytearray(30 << 20), headers) for _ in range(40))",
        "verifier.verify_batch(given, now=NOW)",
    ),
    # In a list: a value that stands alone is judged where it lies.
    "an id": (
        "{**headers, 'webhook-id': ['x' * (300 << 20)]}",
        "verifier.check(b'x', given, now=NOW)",
    ),
    "instants": (
        "memoryview(bytes(1 << 27)).cast('q')",
        "verifier.verify_batch(((b'x', headers),) * (1 << 24), keep=False, received_at=given)",
    ),
    "bodies to sign": ("(b'x',) * 30_000_000", "signer.sign_batch(given, timestamps=NOW)"),
    "large bodies to sign": (
        "(bytearray(30 << 20) for _ in range(40))",
        "signer.sign_batch(given)",
    ),
    "a body to sign": ("bytearray(300 << 20)", "signer.sign(given)"),
}


@linux
@each_module
@pytest.mark.parametrize("what", _NO_MEMORY)
def test_threat_42_no_memory_ends_the_process(name: str, what: str) -> None:
    """Rust aborts where an allocation fails; a caller gets `MemoryError`, and can go on."""
    given, call = _NO_MEMORY[what]
    if "bytearray" in given and name == "hookseal.pure":
        pytest.skip("CPython itself complains when it cannot copy a bytearray")
    said = run(
        f"""
        import resource
        verifier, signer = Verifier(KEY), Signer(KEY)
        headers = signed(b"x")
        assert verifier.verify_batch([(b"x", headers)] * 700, now=NOW).valid == 700
        resource.setrlimit(resource.RLIMIT_AS, (512 << 20, resource.RLIM_INFINITY))
        given = {given}
        try:
            {call}
        except MemoryError:
            print("MemoryError")
        assert verifier.verify_batch([(b"x", headers)] * 700, now=NOW).valid == 700
        """,
        name,
        timeout=120,
    )
    assert said == "MemoryError\n"


@linux
def test_threat_42_an_id_that_there_is_no_memory_to_copy() -> None:
    """The core has no need to: the id is refused for its length, alone and in a batch."""
    said = run(
        """
        import resource
        verifier = Verifier(KEY)
        headers = signed(b"x")
        assert verifier.check(b"x", headers, now=NOW)
        resource.setrlimit(resource.RLIMIT_AS, (512 << 20, resource.RLIM_INFINITY))
        headers["webhook-id"] = "x" * (300 << 20)
        print(verifier.check(b"x", headers, now=NOW).name)
        print(*{verdict.name for verdict in verifier.verify_batch([(b"x", headers)] * 40, now=NOW)})
        """
    )
    assert said == "MALFORMED_HEADER\nMALFORMED_HEADER\n"


@linux
def test_threat_42_no_memory_for_what_a_result_is_asked() -> None:
    said = run(
        """
        import resource
        verifier = Verifier(KEY)
        messages = ((b"x", signed(b"x")),) * 6_000_000
        result = verifier.verify_batch(messages, now=NOW, keep=False)
        with open("/proc/self/statm") as file:
            has = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (has + (40 << 20), resource.RLIM_INFINITY))
        for ask in (
            result.valid_indices,
            lambda: list(result),
            lambda: result[:],
            lambda: result.partition(messages),
            lambda: verifier.verify_batch([messages[0]] * 6_000_000, now=NOW),
        ):
            try:
                ask()
            except MemoryError:
                print("MemoryError", end=" ")
        assert result.invalid_indices() == []
        assert result[5_999_999]
        """
    )
    assert said == "MemoryError " * 5


@linux
@pytest.mark.parametrize("what", ["body", "endpoint", "escaped endpoint", "header", "key"])
def test_threat_42_no_memory_for_a_line(what: str) -> None:
    """The largest line there may be, in a process that has less and less for it."""
    said = run(
        f"""
        import json, resource
        from hookseal._core import LineJudge
        size = 6 << 20
        good = {{"headers": dict(signed(b"x")), "body": "x"}}
        members = {{
            "body": {{**good, "body": "\\n" * (size // 2)}},
            "endpoint": {{**good, "endpoint": "e" * size}},
            "escaped endpoint": {{**good, "endpoint": "\\n" * (size // 2)}},
            "header": {{**good, "headers": {{"webhook-id": "\\n" * (size // 2)}}}},
            "key": {{"\\n" * (size // 2): 1}},
        }}[{what!r}]
        line = json.dumps(members).encode() + b"\\n"
        verifier = Verifier(Keyring({{"a": KEY}}))
        with open("/proc/self/statm") as file:
            has = int(file.read().split()[0]) * resource.getpagesize()
        said = set()
        for more in range(60, 1, -{2 if IS_FULL else 6}):
            resource.setrlimit(resource.RLIMIT_AS, (has + (more << 20), resource.RLIM_INFINITY))
            judge = LineJudge(verifier, now=NOW, threads=2, keep_rejects=True)
            try:
                judge.feed(line)
                said.add("judged")
            except MemoryError:
                said.add("MemoryError")
        print(sorted(said))
        """,
        timeout=120,
    )
    assert said in ("['MemoryError', 'judged']\n", "['judged']\n")


# 43: sizes that overflow.


@pytest.mark.parametrize("size", [0, 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**40])
def test_threat_43_sizes_that_overflow(hooks: Any, size: int) -> None:
    verifier = hooks.Verifier(SECRET, max_body_bytes=size)
    expected = V.VALID if size >= len(BODY) else V.TOO_LARGE
    assert verifier.check(BODY, signed(), now=NOW) is expected
    assert list(verifier.verify_batch([(BODY, signed())] * 12, now=NOW)) == [expected] * 12
    result = hooks.Verifier(SECRET).verify_batch([(BODY, signed())], now=NOW, threads=size or 1)
    for index in (size or 5, -size - 2):
        with pytest.raises(IndexError):
            result[index]
        with pytest.raises(IndexError):
            result.verified(index)
    judge = judge_of(hooks)(hooks.Verifier(SECRET), max_line_bytes=size or 1, threads=size or 1)
    judge.feed(b"{}\n")
    judge.finish()
    assert judge.broken == 1


def test_threat_43_lengths_around_a_decoders_room(hooks: Any) -> None:
    """RUSTSEC-2017-0004: texts of every length, for secrets and signatures."""
    verifier = hooks.Verifier(SECRET)
    for length in range(200):
        text = "A" * length
        for padding in ("", "=", "=="):
            header = {"webhook-signature": f"v1,{text}{padding}"}
            verdict = verifier.check(BODY, {**signed(), **header}, now=NOW)
            right = length == 43 and padding == "="
            assert verdict is (V.SIGNATURE_MISMATCH if right else V.MALFORMED_SIGNATURE)
            for make in (hooks.Secret.from_base64, hooks.Secret.from_hex, hooks.Verifier):
                try:
                    make(text + padding)
                except hookseal.SecretError:
                    continue
