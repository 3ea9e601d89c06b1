"""Maya plug-in with the command ``poseKeys``: keys animation curves in one go, as an undo step.

Keys that the API writes are not in Maya's undo queue unless a command keeps what was changed.
"""

from __future__ import annotations

from typing import Any, Dict

import maya.api.OpenMaya as om
import maya.api.OpenMayaAnim as oma

__all__ = ["initializePlugin", "maya_useNewAPI", "uninitializePlugin"]


def maya_useNewAPI() -> None:
    """Tell Maya which API this is written for."""


class _PoseKeys(om.MPxCommand):
    """``poseKeys(number)``: give the curves that wait under a number their keys, instead of any they have."""

    NAME = "poseKeys"

    def __init__(self) -> None:
        om.MPxCommand.__init__(self)
        self._change = oma.MAnimCurveChange()

    def doIt(self, arguments: om.MArgList) -> None:
        """Write the keys, or leave everything as it is."""
        # The add-on may have been brought up to date since this plug-in was loaded.
        from pose_from_video import key_batch

        try:
            _write(key_batch.take(arguments.asInt(0)), self._change)
        except BaseException:
            self._change.undoIt()
            raise

    def redoIt(self) -> None:
        self._change.redoIt()

    def undoIt(self) -> None:
        self._change.undoIt()

    def isUndoable(self) -> bool:
        return True


def _write(curves: Any, change: oma.MAnimCurveChange) -> None:
    times: Dict[int, om.MTimeArray] = {}
    for keyed in curves:
        curve = keyed.curve
        # Curves of a person share one array of times, which becomes Maya's once.
        if id(curve.times_s) not in times:
            seconds = [om.MTime(time, om.MTime.kSeconds) for time in curve.times_s]
            times[id(curve.times_s)] = om.MTimeArray(seconds)
        selection = om.MSelectionList()
        selection.add(keyed.node)
        function = oma.MFnAnimCurve(selection.getDependNode(0))
        leaving = oma.MFnAnimCurve.kTangentStep if curve.stepped else oma.MFnAnimCurve.kTangentLinear
        function.addKeys(
            times[id(curve.times_s)],
            om.MDoubleArray(curve.values.tolist()),
            oma.MFnAnimCurve.kTangentLinear,
            leaving,
            False,
            change,
        )


def _made() -> _PoseKeys:
    return _PoseKeys()


def initializePlugin(plugin: om.MObject) -> None:
    """Add the command to Maya."""
    om.MFnPlugin(plugin, "The pose-server authors", "0.1.0", "Any").registerCommand(_PoseKeys.NAME, _made)


def uninitializePlugin(plugin: om.MObject) -> None:
    """Take the command out of Maya again."""
    om.MFnPlugin(plugin).deregisterCommand(_PoseKeys.NAME)
