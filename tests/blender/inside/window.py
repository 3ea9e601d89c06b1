"""A user with a window: import through the dialog, go on working, undo once."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import harness

TICK_S = 0.02
PATIENCE_S = 60.0


class Story:
    """Runs a generator, one step each tick; a step may wait for something by yielding False."""

    def __init__(self, steps: Iterator[Any], given: dict[str, Any]) -> None:
        self.steps, self.given = steps, given
        self.last = time.perf_counter()
        self.gaps_s: list[float] = []

    def tick(self) -> float:
        now = time.perf_counter()
        self.gaps_s.append(now - self.last)
        self.last = now
        try:
            next(self.steps)
        except StopIteration as done:
            harness.end(done.value, self.given)
        except BaseException:
            harness.fail()
        return TICK_S


def people() -> list[str]:
    return sorted(ob.name for ob in bpy.data.objects if ob.type == "ARMATURE")


def jobs() -> list[str]:
    return [bpy.data.objects[name].pose_import.job for name in people()]


def refine(window: Any, work: Any, given: dict[str, Any], *, cancel: bool = False) -> Iterator[None]:
    """Press the button of the active armature and wait for the end."""
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    with bpy.context.temp_override(window=window, area=area):
        window.view_layer.objects.active = bpy.data.objects[people()[0]]
        bpy.ops.pose.refine("INVOKE_DEFAULT", server=given["import"]["server"])
    yield from idle(0.3)
    if cancel:
        bpy.ops.pose.cancel_import()
    yield from until(lambda: not work.running())


def until(condition: Any) -> Iterator[None]:
    begin = time.perf_counter()
    while not condition():
        if time.perf_counter() - begin > PATIENCE_S:
            raise TimeoutError(condition)
        yield


def press(window: Any, key: str) -> None:
    window.event_simulate(type=key, value="PRESS", x=window.width // 2, y=window.height // 2)
    window.event_simulate(type=key, value="RELEASE", x=window.width // 2, y=window.height // 2)


def start(window: Any, work: Any, given: dict[str, Any]) -> Iterator[None]:
    """Open the dialog and press OK."""
    invoke(window, **given["import"])
    yield from idle(0.5)
    press(window, "RET")
    yield from until(work.running)


def invoke(window: Any, **values: Any) -> None:
    window.event_simulate(type="MOUSEMOVE", value="NOTHING", x=window.width // 2, y=window.height // 2)
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.pose.import_video("INVOKE_DEFAULT", True, **values)


def steps(given: dict[str, Any], work: Any) -> Iterator[None]:
    window = bpy.context.window_manager.windows[0]
    report: dict[str, Any] = {}
    for area in window.screen.areas:
        if area.type == "VIEW_3D":
            area.spaces[0].show_region_ui = True
    yield from idle(1.0)
    with bpy.context.temp_override(window=window):
        bpy.ops.ed.undo_push(message="Before")
    yield from idle(0.5)

    story.gaps_s.clear()
    yield from idle(2.0)
    report["gaps before"] = list(story.gaps_s)

    invoke(window, **given["import"])
    yield from idle(0.5)
    report["running before OK"] = work.running() is not None
    press(window, "RET")
    yield from until(work.running)
    story.gaps_s.clear()
    yield from until(lambda: not work.running())
    # In the last of them the result was written.
    report["gaps"] = list(story.gaps_s)
    report["outcome"] = work.last_outcome().message
    report["people"] = people()
    yield from idle(0.3)
    with bpy.context.temp_override(window=window):
        bpy.ops.ed.undo()
    yield from idle(0.3)
    report["people after undo"] = people()
    report["actions after undo"] = len(bpy.data.actions)
    with bpy.context.temp_override(window=window):
        bpy.ops.ed.redo()
    yield from idle(0.3)
    report["people after redo"] = people()

    yield from refine(window, work, given)
    report["outcome of refining"] = work.last_outcome().message
    report["jobs after refining"] = jobs()
    yield from idle(0.3)
    with bpy.context.temp_override(window=window):
        bpy.ops.ed.undo()
    yield from idle(0.3)
    report["jobs after undo"] = jobs()
    yield from refine(window, work, given, cancel=True)
    report["outcome of cancelling a refinement"] = work.last_outcome().message
    report["jobs after cancelling"] = jobs()
    with bpy.context.temp_override(window=window):
        bpy.ops.ed.undo()

    yield from start(window, work, given)
    yield from idle(0.3)
    begin = time.perf_counter()
    bpy.ops.pose.cancel_import()
    yield from until(lambda: not work.running())
    report["seconds to cancel"] = time.perf_counter() - begin
    report["outcome of cancelling"] = work.last_outcome().message
    report["people after cancelling"] = people()

    yield from start(window, work, given)
    yield from idle(1.0)
    bpy.ops.wm.read_homefile()
    report["running after loading a file"] = work.running() is not None
    yield from idle(0.5)

    yield from start(bpy.context.window_manager.windows[0], work, given)
    bpy.context.scene.name = "Renamed"
    yield from until(lambda: not work.running())
    report["outcome without its scene"] = work.last_outcome().message
    return report


def idle(seconds: float) -> Iterator[None]:
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        yield


arguments = harness.arguments()
package = harness.enable()
story = Story(steps(arguments, package.work), arguments)
bpy.app.timers.register(story.tick, first_interval=1.0, persistent=True)
