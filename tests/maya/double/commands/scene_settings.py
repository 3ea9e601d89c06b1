"""Units, time, range and up axis. Pages: CommandsPython/<command>.html."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from .. import units
from ..command import Call, command
from ..scene import Scene


@command("currentUnit", "linear angle time fullName updateAnimation")
def current_unit(call: Call) -> Any:
    """-updateAnimation: with it (as when nothing is said) keys keep their seconds when the time unit changes,
    so that a key at frame 12 of film is at 15 of ntsc; without it they keep their frame numbers.
    """
    scene = call.scene
    if call.query:
        if call.on("linear"):
            return _full(units.LINEAR, scene.linear) if call.on("fullName") else scene.linear
        if call.on("angle"):
            return _full(units.ANGLE, scene.angle) if call.on("fullName") else scene.angle
        return scene.time_unit
    if "updateAnimation" in call and "time" not in call:
        raise call.fail("updateAnimation goes with time.")
    if "linear" in call:
        if call.flags["linear"] not in units.LINEAR:
            raise call.fail(f"Invalid linear unit: {call.flags['linear']}")
        scene.set_state("linear", units.LINEAR_SHORT[call.flags["linear"]])
    if "angle" in call:
        if call.flags["angle"] not in units.ANGLE:
            raise call.fail(f"Invalid angular unit: {call.flags['angle']}")
        scene.set_state("angle", units.ANGLE_SHORT[call.flags["angle"]])
    if "time" in call:
        change_time_unit(scene, units.time_unit(call.flags["time"]), bool(call.get("updateAnimation", True)))
    return scene.linear if "linear" in call else scene.angle if "angle" in call else scene.time_unit


def _full(table: dict[str, float], short: str) -> str:
    return max((name for name, size in table.items() if size == table[short]), key=len)


def change_time_unit(scene: Scene, unit: str, keep_seconds: bool) -> None:
    """The frame numbers of the time slider stay; what becomes of keys is the flag's to say."""
    ratio = units.RATES[scene.time_unit] / units.RATES[unit]
    if not keep_seconds:
        for node in scene:
            if node.is_curve and node.keys.ticks:
                scene.set_keys(node, node.keys.retimed(tuple(_scaled(t, ratio) for t in node.keys.ticks)))
        scene.set_state("moment", _scaled(scene.moment, ratio))
        scene.set_state("playback", {name: _scaled(t, ratio) for name, t in scene.playback.items()})
    scene.set_state("time_unit", unit)


def _scaled(moment: int, ratio: Fraction) -> int:
    return round(moment * ratio)


@command("currentTime", "update", arity=(0, 1), undoable=False, plain_query=True)
def current_time(call: Call) -> float:
    """CommandsPython/currentTime.html: "currentTime is NOT undoable, queryable, and editable"."""
    scene = call.scene
    if call.query:
        return units.in_unit(scene.moment, scene.time_unit)
    if not call.args:
        raise call.fail("No time was given.")
    moment = units.parse_time(call.args[0], scene.time_unit)
    scene.set_state("moment", moment)
    call.maya.run_jobs("timeChanged")
    return units.in_unit(moment, scene.time_unit)


_RANGE = ("minTime", "maxTime", "animationStartTime", "animationEndTime")


@command("playbackOptions", " ".join(_RANGE) + " framesPerSecond loop by view playbackSpeed")
def playback_options(call: Call) -> Any:
    """An inner range that leaves the outer takes it along, and the other way round."""
    scene = call.scene
    if call.query:
        flag = next(iter(call.flags))
        if flag not in _RANGE:
            raise NotImplementedError(f"playbackOptions: the double does not know {flag}")
        return units.in_unit(scene.playback[flag], scene.time_unit)
    now = dict(scene.playback)
    for flag, value in call.flags.items():
        if flag not in _RANGE:
            raise NotImplementedError(f"playbackOptions: the double does not know {flag}")
        now[flag] = units.parse_time(value, scene.time_unit)
    outer_given = call.flags.keys() & set(_RANGE[2:])
    if outer_given:
        now["minTime"] = max(now["minTime"], now["animationStartTime"])
        now["maxTime"] = min(now["maxTime"], now["animationEndTime"])
    if call.flags.keys() & set(_RANGE[:2]):
        for inner in ("minTime", "maxTime"):
            if inner in call:
                now[inner] = units.parse_time(call.flags[inner], scene.time_unit)
        now["animationStartTime"] = min(now["animationStartTime"], now["minTime"])
        now["animationEndTime"] = max(now["animationEndTime"], now["maxTime"])
    if now["minTime"] > now["maxTime"] or now["animationStartTime"] > now["animationEndTime"]:
        raise call.fail("The range would end before it starts.")
    scene.set_state("playback", now)
    return None


@command("upAxis", "axis rotateView")
def up_axis(call: Call) -> Any:
    """Undoable; nothing in the scene turns."""
    if call.query:
        return call.scene.up_axis
    if call.get("axis") not in ("y", "z"):
        raise call.fail(f"Invalid axis: {call.get('axis')}")
    call.scene.set_state("up_axis", call.flags["axis"])
    return None
