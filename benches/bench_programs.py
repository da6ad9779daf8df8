"""The programs that time the lanes print what the report reads."""

from __future__ import annotations

import pytest

from benches import programs
from benches.programs import Programs

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
