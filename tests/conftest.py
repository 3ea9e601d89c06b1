"""What every test may use: the data folder beside the checkout, and marks that skip with a reason."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_REFERENCE = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of real clips and recordings beside the checkout."""
    if not _REFERENCE.is_dir():
        pytest.skip(f"the reference data is not here ({_REFERENCE})")
    return _REFERENCE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = {
        "bpy": None
        if importlib.util.find_spec("bpy")
        else "bpy is not installed (pip install -e .[blender])",
        "reference": None if _REFERENCE.is_dir() else f"the reference data is not here ({_REFERENCE})",
    }
    for item in items:
        for mark, reason in missing.items():
            if reason and item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=reason))
