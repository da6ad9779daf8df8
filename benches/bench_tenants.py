"""The bench of many tenants can be run, and says what it is to say."""

from __future__ import annotations

from benches import tenants


def test_a_small_ring() -> None:
    found = tenants.measure(quick=True)

    assert [figure.limit for figure in found.figures()] == ["at most 1 s", "at most 1.15 ×"]
    text = found.section()
    for name in (tenants.ALL, tenants.ONE, tenants.CALL):
        assert f"| {name} |" in text
    assert "A ring of 50 endpoints with two secrets each" in text
