"""A double of Maya without the add-on, as its own tests take it, and what they look at."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import double
import pytest

__all__ = ["INTERACTIVE", "keyed", "maya", "positions", "settings", "snapshot"]


@pytest.fixture
def settings() -> dict[str, Any]:
    return {}


@pytest.fixture
def maya(settings: dict[str, Any]) -> Iterator[Any]:
    try:
        context = double.installed(**settings)
        with context as running:
            yield SimpleNamespace(
                running=running,
                cmds=importlib.import_module("maya.cmds"),
                mel=importlib.import_module("maya.mel"),
                utils=importlib.import_module("maya.utils"),
                om=importlib.import_module("maya.api.OpenMaya"),
                oma=importlib.import_module("maya.api.OpenMayaAnim"),
            )
    except double.StubsAbsent as absent:
        pytest.skip(str(absent))


INTERACTIVE = pytest.mark.parametrize("settings", [{"batch": False}], ids=["interface"])


def positions(cmds: Any, name: str) -> Any:
    return pytest.approx(cmds.xform(name, query=True, worldSpace=True, translation=True), abs=1e-9)


def keyed(maya: Any, name: str, values: list[float], tangent: int | None = None) -> Any:
    """A curve into a plug by addKeys, a key per 24th of a second; values in inner units."""
    om, oma = maya.om, maya.oma
    curve = oma.MFnAnimCurve()
    curve.create(om.MSelectionList().add(name).getPlug(0))
    kind = oma.MFnAnimCurve.kTangentLinear if tangent is None else tangent
    times = om.MTimeArray([om.MTime(i / 24, om.MTime.kSeconds) for i in range(len(values))])
    curve.addKeys(times, om.MDoubleArray(values), kind, kind)
    return curve


def snapshot(cmds: Any) -> Any:
    nodes = cmds.ls(long=True)
    values = [cmds.getAttr(f"{n}.t") for n in cmds.ls(type="transform", long=True)]
    links = sorted(cmds.listConnections(*nodes, plugs=True, connections=True) or [])
    return (
        nodes,
        values,
        links,
        cmds.namespaceInfo(listOnlyNamespaces=True, recurse=True),
        cmds.ls(selection=True),
    )
