"""How many examples the properties use: HOOKSEAL_TEST_PROFILE is unset, "full" or "quick"."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, settings

# `make test`, `make test-full`, and the Pythons that are not the main one.
EXAMPLES_BY_PROFILE: Final = {"": 2_000, "full": 20_000, "quick": 200}

PROFILE: Final = os.environ.get("HOOKSEAL_TEST_PROFILE", "")
if PROFILE not in EXAMPLES_BY_PROFILE:
    raise ValueError(f"HOOKSEAL_TEST_PROFILE must be one of {sorted(EXAMPLES_BY_PROFILE)}")

EXAMPLES: Final = EXAMPLES_BY_PROFILE[PROFILE]
IS_FULL: Final = PROFILE == "full"
IS_QUICK: Final = PROFILE == "quick"


def load() -> None:
    """Makes every run of a profile the same run: no clock, no database, no chance."""
    settings.register_profile(
        "hookseal",
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    settings.load_profile("hookseal")


def fewer(divisor: int = 4) -> settings:
    """For the properties that are not the main one."""
    return settings(max_examples=max(20, EXAMPLES // divisor))
