"""A double of Maya with the add-on in it, and a server that answers at once."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent
MODULE = HERE.parents[1] / "plugins/maya/pose_from_video"
sys.path[:0] = [str(HERE), str(MODULE / "scripts")]

from dance_floor import film, server  # noqa: E402, F401, fixtures
from double import signatures  # noqa: E402
from double.installation import installed  # noqa: E402
from double.maya import Maya  # noqa: E402

Start = Callable[..., Maya]


@pytest.fixture
def start_maya() -> Iterator[Start]:
    """Start doubles of Maya, one at a time, each with the add-on freshly imported."""
    try:
        signatures.stub_folder()
    except signatures.StubsAbsent as error:
        pytest.skip(str(error))
    with ExitStack() as stack:

        def start(**settings: Any) -> Maya:
            _forget()
            return stack.enter_context(installed(**settings))

        yield start
        _forget()


def _forget() -> None:
    """Modules of the add-on hold on to the Maya that they were imported in."""
    for name in [n for n in sys.modules if n.split(".")[0] == "pose_from_video"]:
        del sys.modules[name]


@pytest.fixture
def maya(start_maya: Start) -> Maya:
    """Maya 2025 in batch mode."""
    return start_maya()


@pytest.fixture
def addon() -> Callable[[str], ModuleType]:
    """Import a module of the add-on, within the Maya that is running."""
    return lambda name: importlib.import_module(f"pose_from_video.{name}")
