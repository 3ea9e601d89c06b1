"""A double of Maya with the add-on in it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import ModuleType
from typing import Any

import pytest
from double import signatures
from double.installation import installed
from double.maya import Maya

__all__ = ["addon", "maya", "start_maya"]


Start = Callable[..., Maya]


@pytest.fixture
def start_maya() -> Iterator[Start]:
    """Start doubles of Maya, one at a time, each with the add-on freshly imported."""
    try:
        signatures.stub_folder()
    except signatures.StubsAbsent as error:
        pytest.skip(str(error))
    kept = _forget()
    with ExitStack() as stack:

        def start(**settings: Any) -> Maya:
            _forget()
            return stack.enter_context(installed(**settings))

        yield start
    _forget()
    sys.modules.update(kept)


def _forget() -> dict[str, ModuleType]:
    """Take away the add-on's modules, which hold on to the Maya that they were imported in."""
    names = [name for name in sys.modules if name.split(".")[0] == "pose_from_video"]
    return {name: sys.modules.pop(name) for name in names}


@pytest.fixture
def maya(start_maya: Start) -> Maya:
    """Maya 2025 in batch mode."""
    return start_maya()


@pytest.fixture
def addon() -> Callable[[str], ModuleType]:
    """Import a module of the add-on, within the Maya that is running."""
    return lambda name: importlib.import_module(f"pose_from_video.{name}")
