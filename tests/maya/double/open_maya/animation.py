"""MFnAnimCurve, MAnimCurveChange, MAnimControl."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar

from ..commands.animation import curve_of
from ..curve import Keys
from ..node import Node
from ..node_types import NUMERIC
from . import present
from .functions import MFnDependencyNode
from .handles import MObject
from .modifiers import MDGModifier
from .plugs import MPlug
from .present import need
from .quantities import MDoubleArray, MTime, MTimeArray


class MAnimCurveChange:
    """Edits of curves, to take back and do again: no modifier keeps these."""

    def __init__(self) -> None:
        self._edits: list[tuple[Callable[[], None], Callable[[], None]]] = []
        self._done = True

    def undoIt(self) -> None:
        if not self._done:
            raise RuntimeError("(kFailure): these changes are undone already")
        present.maya()
        for back, _ in reversed(self._edits):
            back()
        self._done = False

    def redoIt(self) -> None:
        if self._done:
            raise RuntimeError("(kFailure): these changes are done already")
        present.maya()
        for _, again in self._edits:
            again()
        self._done = True


class MFnAnimCurve(MFnDependencyNode):
    """A curve; times are MTime, values radians or centimetres."""

    kAnimCurveTA, kAnimCurveTL, kAnimCurveTT, kAnimCurveTU = range(4)
    kAnimCurveUA, kAnimCurveUL, kAnimCurveUT, kAnimCurveUU, kAnimCurveUnknown = range(4, 9)
    kConstant, kLinear, kCycle, kCycleRelative, kOscillate = 0, 1, 3, 4, 5
    kTangentGlobal, kTangentFixed, kTangentLinear, kTangentFlat, kTangentSmooth, kTangentStep = range(6)
    kTangentSlow, kTangentFast, kTangentClamped, kTangentPlateau, kTangentStepNext, kTangentAuto = range(
        6, 12
    )

    _TYPES = ("animCurveTA", "animCurveTL", "animCurveTT", "animCurveTU")
    #: kTangentGlobal is what the preferences say, auto unless somebody changed them.
    _TANGENTS: ClassVar[dict[int, str]] = {
        0: "auto",
        2: "linear",
        3: "flat",
        4: "spline",
        5: "step",
        8: "clamped",
        9: "plateau",
        10: "stepnext",
        11: "auto",
    }

    def __init__(self, target: MObject | MPlug | None = None) -> None:
        if isinstance(target, MPlug):
            curve = curve_of(target._plug)
            if curve is None:
                raise RuntimeError("(kInvalidParameter): no animation curve drives the plug")
            target = MObject(curve)
        super().__init__(target)

    def _accepts(self, node: Node) -> bool:
        return node.is_curve

    # Making.

    def timedAnimCurveTypeForPlug(self, target: MPlug) -> int:
        kind = NUMERIC.get(need(target, MPlug)._plug.attribute.kind)
        return self._TYPES.index(kind) if kind else self.kAnimCurveUnknown

    def create(self, *given: Any, **named: Any) -> MObject:  # type: ignore[override]
        """create(plug, type=kAnimCurveUnknown, modifier=None); create(type, modifier=None);
        create(node, attribute, type=kAnimCurveUnknown, modifier=None).
        """
        scene = present.scene()
        words = list(given)
        target = None
        if words and isinstance(words[0], MObject):
            node, attribute = words.pop(0), words.pop(0)
            target = MPlug(node, attribute)
        elif words and isinstance(words[0], MPlug):
            target = words.pop(0)
        kind = (
            words.pop(0)
            if words and isinstance(words[0], int)
            else named.pop("animCurveType", self.kAnimCurveUnknown)
        )
        modifier = words.pop(0) if words else named.pop("modifier", None)
        if words or named:
            raise TypeError(f"create: unexpected arguments {words or sorted(named)}")
        if modifier is not None:
            need(modifier, MDGModifier, what="modifier")
        name = self._kind_name(target, kind)
        with scene.queue.collecting("MFnAnimCurve.create") as step:
            if target is None:
                made = scene.create(name, f"{name}#")
            else:
                made = self._make_on(target, name)
        if modifier is not None:
            modifier._take_done(step.edits)
        self._object = MObject(made)
        return self._object

    def _kind_name(self, target: MPlug | None, kind: int) -> str:
        wanted = self.timedAnimCurveTypeForPlug(target) if target else self.kAnimCurveUnknown
        if kind == self.kAnimCurveUnknown:
            kind = wanted
        elif target is not None and wanted != kind:
            raise NotImplementedError("the double makes no unitConversion: give the type that the plug wants")
        if not 0 <= kind < len(self._TYPES):
            raise RuntimeError("(kInvalidParameter): the plug cannot be driven by such a curve")
        return self._TYPES[kind]

    def _make_on(self, target: MPlug, name: str) -> Node:
        at = target._plug
        if at.held or not at.attribute.writable:
            raise RuntimeError("(kFailure): the plug is locked or connected already")
        made = at.scene.create(name, f"{at.node.name}_{at.path}", None, at.node.namespace)
        at.scene.connect((made, "output"), at.place)
        return made

    # Reading.

    @property
    def _keys(self) -> Keys:
        return self._node.keys

    def _index(self, index: int) -> int:
        if not 0 <= need(index, int) < len(self._keys):
            raise IndexError("index out of bounds")
        return index

    @property
    def animCurveType(self) -> int:
        return self._TYPES.index(self._node.kind)

    @property
    def numKeys(self) -> int:
        return len(self._keys)

    @property
    def isTimeInput(self) -> bool:
        return True

    @property
    def isWeighted(self) -> bool:
        return bool(self._node.values.get("weightedTangents", False))

    @property
    def isStatic(self) -> bool:
        return len(set(self._keys.values)) <= 1

    def input(self, index: int) -> MTime:
        return MTime._of_ticks(self._keys.ticks[self._index(index)])

    def value(self, index: int) -> float:
        return self._keys.values[self._index(index)]

    def evaluate(self, at: MTime) -> float:
        return self._keys.at(need(at, MTime)._ticks)

    def find(self, at: MTime) -> int | None:
        return self._keys.find(need(at, MTime)._ticks)

    def findClosest(self, at: MTime) -> int:
        moment = need(at, MTime)._ticks
        return min(range(len(self._keys)), key=lambda i: abs(self._keys.ticks[i] - moment))

    def inTangentType(self, index: int) -> int:
        return self._tangent_number(self._keys.into[self._index(index)])

    def outTangentType(self, index: int) -> int:
        return self._tangent_number(self._keys.out[self._index(index)])

    def _tangent_number(self, name: str) -> int:
        return next(number for number, each in self._TANGENTS.items() if each == name and number)

    @property
    def preInfinityType(self) -> int:
        return self._node.values.get("preInfinity", 0)

    @property
    def postInfinityType(self) -> int:
        return self._node.values.get("postInfinity", 0)

    def setPreInfinityType(self, kind: int, change: MAnimCurveChange | None = None) -> None:
        self._set_infinity("preInfinity", kind)

    def setPostInfinityType(self, kind: int, change: MAnimCurveChange | None = None) -> None:
        self._set_infinity("postInfinity", kind)

    def _set_infinity(self, name: str, kind: int) -> None:
        if kind != self.kConstant:
            raise NotImplementedError("the double keeps curves constant beyond their keys")
        present.scene().set_value(self._node, name, kind)

    # Writing.

    def _put(self, keys: Keys, change: MAnimCurveChange | None) -> None:
        scene = present.scene()
        if change is not None:
            need(change, MAnimCurveChange, what="change")
        with scene.queue.collecting("MFnAnimCurve") as step:
            scene.set_keys(self._node, keys)
        if change is not None:
            change._edits += step.edits

    def _tangent(self, number: int) -> str:
        if need(number, int) not in self._TANGENTS:
            raise NotImplementedError(f"the double does not know the tangent type {number}")
        return self._TANGENTS[number]

    def addKey(
        self,
        time: MTime,
        value: float,
        tangentInType: int = 0,
        tangentOutType: int = 0,
        change: MAnimCurveChange | None = None,
    ) -> int:
        moment = need(time, MTime)._ticks
        number = float(need(value, int, float))
        into, out = self._tangent(tangentInType), self._tangent(tangentOutType)
        self._put(self._keys.put(moment, number, into, out), change)
        index = self._keys.find(moment)
        assert index is not None
        return index

    def addKeys(
        self,
        times: MTimeArray,
        values: MDoubleArray,
        tangentInType: int = 0,
        tangentOutType: int = 0,
        keepExistingKeys: bool = False,
        change: MAnimCurveChange | None = None,
    ) -> None:
        """Many keys at once; plain lists pass too, as for any array of the API."""
        moments = [need(t, MTime, what="time")._ticks for t in times]
        numbers = [float(need(v, int, float, what="value")) for v in values]
        if len(moments) != len(numbers):
            raise RuntimeError("(kInvalidParameter): there must be as many values as times")
        need(keepExistingKeys, bool, what="keepExistingKeys")
        into, out = self._tangent(tangentInType), self._tangent(tangentOutType)
        self._put(self._keys.put_all(moments, numbers, into, out, keepExistingKeys), change)

    def remove(self, index: int, change: MAnimCurveChange | None = None) -> None:
        self._put(self._keys.without({self._index(index)}), change)

    def setValue(self, index: int, value: float, change: MAnimCurveChange | None = None) -> None:
        values = list(self._keys.values)
        values[self._index(index)] = float(need(value, int, float))
        self._put(self._keys.with_values(tuple(values)), change)

    def setInput(self, index: int, at: MTime, change: MAnimCurveChange | None = None) -> None:
        ticks = list(self._keys.ticks)
        ticks[self._index(index)] = need(at, MTime)._ticks
        if any(b <= a for a, b in pairwise(ticks)):
            raise RuntimeError("(kInvalidParameter): a key cannot pass another")
        self._put(self._keys.retimed(tuple(ticks)), change)

    def setInTangentType(self, index: int, kind: int, change: MAnimCurveChange | None = None) -> None:
        self._put(self._keys.with_tangents({self._index(index)}, self._tangent(kind), None), change)

    def setOutTangentType(self, index: int, kind: int, change: MAnimCurveChange | None = None) -> None:
        self._put(self._keys.with_tangents({self._index(index)}, None, self._tangent(kind)), change)

    def setIsWeighted(self, weighted: bool, change: MAnimCurveChange | None = None) -> None:
        if need(weighted, bool):
            raise NotImplementedError("the double knows no weighted tangents")


class MAnimControl:
    """The time of the scene."""

    @staticmethod
    def currentTime() -> MTime:
        return MTime._of_ticks(present.scene().moment)

    @staticmethod
    def setCurrentTime(time: MTime) -> None:
        present.scene().set_state("moment", need(time, MTime)._ticks)

    @staticmethod
    def minTime() -> MTime:
        return MTime._of_ticks(present.scene().playback["minTime"])

    @staticmethod
    def maxTime() -> MTime:
        return MTime._of_ticks(present.scene().playback["maxTime"])

    @staticmethod
    def isPlaying() -> bool:
        return False


__all__ = ["MAnimControl", "MAnimCurveChange", "MFnAnimCurve"]
