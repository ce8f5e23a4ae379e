"""What all tests share: the way to optional data sets, and how hard Hypothesis tries."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

SHARED_DATA = Path(
    os.environ.get("HEADCOUNT_SHARED_DATA") or Path(__file__).resolve().parents[1].parent / "shared" / "data"
)

# No deadline: the first example may compile a kernel. In CI the examples are the same in every run, so that a change
# is blamed for its own failures only; `HYPOTHESIS_PROFILE=search` looks longer and elsewhere each time.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, print_blob=True)
settings.register_profile("search", settings.get_profile("here"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "here"))


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """`shared_data("cdnow_master.csv")` is the path of that file; where it is absent the test is skipped.

    The data sets are published elsewhere and no part of the project. HEADCOUNT_SHARED_DATA names their folder; without
    it they are looked for in `shared/data` beside the checkout.
    """

    def find(name: str) -> Path:
        path = SHARED_DATA / name
        if not path.exists():
            pytest.skip(f"no {name} in {SHARED_DATA}; HEADCOUNT_SHARED_DATA says where the data sets are")
        return path

    return find
