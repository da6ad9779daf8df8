"""Usage files: what is refused, and that no addition is lost."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookseal import _usage_file
from hookseal._usage import Usage
from hookseal._usage_file import merge, read
from tests.command import PATIENCE_SECONDS
from tests.implementations import NOW

KEY = ("acme/billing", "2026-11")
OTHER = ("acme/billing", "2026-05")


def document(**changed: Any) -> dict[str, Any]:
    record = {"count": 2, "first_matched": 5, "last_matched": 9, **changed}
    return {"format": "hookseal-usage-1", "endpoints": {"a": {"0": record}}}


def test_added_up(tmp_path: Path) -> None:
    file = str(tmp_path / "u")
    merge(file, {KEY: Usage(3, NOW + 5, NOW), OTHER: Usage(0)})
    assert read(file) == {KEY: Usage(3, NOW + 5, NOW), OTHER: Usage(0)}
    merge(file, {KEY: Usage(4, NOW + 2, NOW - 7), ("b", "0"): Usage(1, 1, 1)})
    assert read(file) == {
        KEY: Usage(7, NOW + 5, NOW - 7),
        OTHER: Usage(0),
        ("b", "0"): Usage(1, 1, 1),
    }
    merge(file, {OTHER: Usage(1, NOW, NOW)})
    assert read(file)[OTHER] == Usage(1, NOW, NOW)
    merge(file, {OTHER: Usage(0)})
    assert read(file)[OTHER] == Usage(1, NOW, NOW)
    assert sorted(os.listdir(tmp_path)) == ["u", "u.lock"]


def test_as_docs_say(tmp_path: Path) -> None:
    merge(str(tmp_path / "u"), {("é", 'l"'): Usage(1, 2, 2)})
    text = (tmp_path / "u").read_text()
    assert text.isascii()
    assert json.loads(text) == {
        "format": "hookseal-usage-1",
        "endpoints": {"é": {'l"': {"count": 1, "first_matched": 2, "last_matched": 2}}},
    }


records = st.builds(
    lambda count, times: Usage(count, max(times), min(times)) if count else Usage(0),
    st.integers(0, 10**20),
    st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)),
)


@given(records, records, records)
def test_the_order_does_not_matter(one: Usage, other: Usage, third: Usage) -> None:
    """Processes add what they saw in whatever order they end."""
    assert one.plus(other) == other.plus(one)
    assert one.plus(other).plus(third) == one.plus(other.plus(third))
    assert one.plus(Usage(0)) == one
    together = one.plus(other)
    assert together.count == one.count + other.count
    times = [time for it in (one, other) for time in (it.first_matched, it.last_matched)]
    known = [time for time in times if time is not None]
    if known:
        assert (together.first_matched, together.last_matched) == (min(known), max(known))


WRONG: dict[str, tuple[object, str]] = {
    "empty": (b"", "not JSON"),
    "no JSON": (b"{", "not JSON"),
    "no UTF-8": (b'{"\xff": 1}', "not UTF-8"),
    "a mark": (b"\xef\xbb\xbf{}", "not JSON"),
    "deep": (b"[" * 100_000, "nested too deeply"),
    "NaN": (b'{"format": NaN}', "NaN is no JSON"),
    "a key twice": (b'{"format": 1, "format": 2}', "a key stands twice"),
    "a list": ([], "a usage file must be an object"),
    "more keys": ({**document(), "more": 1}, "must have exactly the keys format, endpoints"),
    "fewer keys": ({"format": "hookseal-usage-1"}, "must have exactly the keys"),
    "another format": ({**document(), "format": "hookseal-usage-2"}, "a later version"),
    "endpoints": ({**document(), "endpoints": []}, "endpoints must be an object"),
    "labels": ({**document(), "endpoints": {"a": 1}}, r"endpoints\['a'\] must be an object"),
    "a record": ({**document(), "endpoints": {"a": {"0": 1}}}, r"\['0'\] must be an object"),
    "a field more": (document(more=1), "must have exactly the keys count"),
    "a count": (document(count=-1), "count must be a whole number"),
    "a count that is none": (document(count=None), "count must be a whole number"),
    "a truth": (document(count=True), "count must be a whole number"),
    "a fraction": (document(last_matched=9.5), "last_matched must be a whole number"),
    "a text": (document(first_matched="5"), "first_matched must be a whole number"),
    "times without a count": (document(count=0), "contradict each other"),
    "a count without times": (document(first_matched=None, last_matched=None), "contradict"),
    "half": (document(first_matched=None), "contradict each other"),
    "the last before the first": (document(first_matched=10), "contradict each other"),
    "half of none": (document(count=0, first_matched=None), "contradict each other"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong(case: str, tmp_path: Path) -> None:
    """It is said where, and the file stays as it is: it may be somebody's."""
    content, words = WRONG[case]
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    file = tmp_path / "u"
    file.write_bytes(data)
    with pytest.raises(ValueError, match=words) as caught:
        read(str(file))
    assert str(caught.value).startswith(f"{file}: ")
    with pytest.raises(ValueError, match=words):
        merge(str(file), {KEY: Usage(1, 1, 1)})
    assert file.read_bytes() == data


def test_right(tmp_path: Path) -> None:
    """The document that the wrong ones differ from."""
    (tmp_path / "u").write_text(json.dumps(document()))
    assert read(str(tmp_path / "u")) == {("a", "0"): Usage(2, 9, 5)}


def test_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "u").write_text(json.dumps(document()))
    monkeypatch.setattr(_usage_file, "MAX_USAGE_FILE_BYTES", 10)
    with pytest.raises(ValueError, match="holds more than 10 bytes"):
        read(str(tmp_path / "u"))


def test_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(str(tmp_path / "u"))
    with pytest.raises(FileNotFoundError):
        merge(str(tmp_path / "no" / "u"), {})


ADDER = """
import sys
from hookseal._usage import Usage
from hookseal._usage_file import merge
for number in range(40):
    at = int(sys.argv[2]) + number
    merge(sys.argv[1], {("a", "0"): Usage(1, at, at), ("a", sys.argv[2]): Usage(2, at, at)})
"""


def test_several_processes(tmp_path: Path) -> None:
    """Each addition is there at the end, and a reader never sees half a file."""
    file = str(tmp_path / "u")
    merge(file, {})
    children = [
        subprocess.Popen([sys.executable, "-c", ADDER, file, str(number)])
        for number in (1000, 2000, 3000)
    ]
    try:
        while any(child.poll() is None for child in children):
            read(file)
        assert [child.wait(PATIENCE_SECONDS) for child in children] == [0, 0, 0]
    finally:
        for child in children:
            child.kill()
            child.wait()
    assert read(file) == {
        ("a", "0"): Usage(120, 3039, 1000),
        ("a", "1000"): Usage(80, 1039, 1000),
        ("a", "2000"): Usage(80, 2039, 2000),
        ("a", "3000"): Usage(80, 3039, 3000),
    }


def test_usage_is_a_value() -> None:
    one = Usage(3, NOW, first_matched=5)
    assert (one.count, one.last_matched, one.first_matched) == (3, NOW, 5)
    assert Usage(0) == Usage(0, None, None)
    assert one == copy(one) == pickle.loads(pickle.dumps(one))
    assert len({one, copy(one), Usage(3, NOW)}) == 2
    assert one != (3, NOW, 5)
    assert repr(one) == f"Usage(count=3, last_matched={NOW}, first_matched=5)"
    with pytest.raises(AttributeError, match="frozen"):
        one.count = 4
    with pytest.raises(AttributeError, match="frozen"):
        del one.count
    with pytest.raises(AttributeError):
        one.more = 1
