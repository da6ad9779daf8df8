"""The programs that time the lanes print what the report reads."""

from __future__ import annotations

import pytest

from benches import floor, messages, programs, sample_queue
from benches.floor import Floor
from benches.programs import Programs
from benches.sample_queue import SampleQueue

KEYS = ["kernel", "bytes", "messages", "ns_per_message", "gb_per_s"]


@pytest.fixture(scope="module")
def built() -> Programs:
    """All that can be built here."""
    built = programs.build()
    if built.throughput is None:
        pytest.skip(built.missing[0])
    return built


def test_throughput_prints_one_object_a_line(built: Programs) -> None:
    lines = programs.lines([str(built.throughput), "--json", "--quick", "--bytes", "64"])

    assert {"single", "portable"} <= {line["kernel"] for line in lines}
    for line in lines:
        assert list(line) == KEYS
        assert line["bytes"] == 64
        assert line["gb_per_s"] == pytest.approx(64 / line["ns_per_message"], rel=0.02, abs=0.001)


def test_throughput_hashes_what_it_is_told(built: Programs) -> None:
    shape = ["--bytes", "100", "--head", "40", "--messages", "33", "--kernel", "single"]
    (line,) = programs.lines([str(built.throughput), "--json", "--rounds", "1", *shape])

    assert (line["kernel"], line["bytes"], line["messages"]) == ("single", 100, 33)
    assert line["gb_per_s"] == pytest.approx(140 / line["ns_per_message"], rel=0.02, abs=0.001)


def test_the_library_prints_the_same(built: Programs) -> None:
    if built.ipsec is None:
        pytest.skip(built.missing[0])
    lines = programs.lines([str(built.ipsec), "16", "1000", "1"])

    assert [line["kernel"] for line in lines] in (
        ["ipsec-mb job"],
        ["ipsec-mb job", "ipsec-mb burst"],
    )
    for line in lines:
        assert list(line) == KEYS
        assert (line["bytes"], line["messages"]) == (1000, 16)


def test_the_ceiling_is_that_of_a_kernel(built: Programs) -> None:
    ceilings = programs.lines([str(built.ceiling)])

    assert {line["kernel"] for line in ceilings} <= {"avx512", "avx2", "shani2"}
    for line in ceilings:
        assert list(line) == ["kernel", "ns_per_block"]
        assert line["ns_per_block"] > 0


@pytest.fixture(scope="module")
def least(built: Programs) -> Floor:
    """The module of the floor."""
    if built.floor is None:
        pytest.skip(built.missing[-1])
    return floor.load(built.floor)


def test_the_floor_looks_at_what_a_verifier_must(least: Floor) -> None:
    touch = least.touch
    names = ["webhook-id", "webhook-timestamp"]

    assert touch([(b"body", {"Webhook-Id": "abc", "Accept": "no value"})], names) == 4 + 13 + 6
    assert touch([(b"body", [["webhook-timestamp", "17"], ["a", "b"]])] * 20, names) == 20 * 24
    with pytest.raises(TypeError):
        touch([(b"body", {b"webhook-id": "abc"})], names)


def test_the_floor_hashes_bodies_of_any_length(least: Floor) -> None:
    bodies = [(length % 61, b"x" * length) for length in range(300)]

    assert least.Bodies(bodies).hash() == 300


def test_the_floor_does_both_on_two_threads(least: Floor) -> None:
    bodies = least.Bodies([(length % 61, b"x" * length) for length in range(1000)])

    assert bodies.hash_beside([(b"body", {"Accept": "no value"})] * 3, []) == (3 * 10, 1000)
    with pytest.raises(TypeError):
        bodies.hash_beside([(b"body", None)], [])


@pytest.mark.parametrize("headers", messages.HEADER_SETS)
def test_the_halves_of_the_floor_see_every_message(least: Floor, headers: str) -> None:
    made = messages.make(headers, 100, 20)

    for work in floor.works(least, made).values():
        assert work() == 20


def test_of_the_sample_queue_all_is_hashed_that_must_be() -> None:
    queue = SampleQueue.read()
    bodies = sample_queue.hashed_bodies(queue)
    heads = [head for head, _ in bodies]

    # Tokens are compared, not hashed.
    assert queue.valid * 3 // 4 < len(bodies) < queue.valid
    assert {head > 20 for head in heads if head} == {True}
    assert 0 < heads.count(0) < len(heads) // 2
