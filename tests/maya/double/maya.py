"""One Maya: its version, scene, undo queue, plug-ins, interface and idle queue."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from .command import REGISTRY, Command, main_thread
from .scene import Scene
from .undo import UndoQueue

API_VERSIONS = {2022: 20220500, 2023: 20230300, 2024: 20240200, 2025: 20250300, 2026: 20260100}


class Maya:
    """What a session of Maya holds; tests read it, hosts never see it."""

    def __init__(
        self,
        version: int = 2025,
        batch: bool = True,
        up_axis: str = "y",
        linear: str = "cm",
        time: str = "film",
        user_folder: str = "/home/animator/maya",
    ) -> None:
        if version not in API_VERSIONS:
            raise ValueError(f"the double does not know Maya {version}")
        self.version = version
        self.batch = batch
        self.queue = UndoQueue()
        self.settings = {"up_axis": up_axis, "linear": linear, "time": time}
        self.scene = Scene(self.queue, **self.settings)
        #: Every call that passed the check: name, objects, flags.
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.warnings: list[str] = []
        self.option_vars: dict[str, Any] = {}
        self.plugins: dict[str, Any] = {}
        self.plugin_commands: dict[str, Command] = {}
        self.mel_globals: dict[str, Any] = {"gShelfTopLevel": "" if batch else "ShelfLayout"}
        self.mel_sourced: set[str] = set()
        self.interface: dict[str, dict[str, Any]] = {}
        self.jobs: dict[int, dict[str, Any]] = {}
        self.callbacks: dict[int, tuple[int, Callable[..., Any], Any]] = {}
        self.saved_shelves = 0
        self.main_window: Any = None
        self.modules: dict[str, dict[str, str]] = {}
        self.dialog_answers: list[list[str] | None] = []
        self.user_folder = user_folder
        if not batch:
            for name, kind in (("ShelfLayout", "shelfTabLayout"), ("ShelfLayout|Custom", "shelfLayout")):
                self.interface[name] = {"kind": kind, "parent": name.rpartition("|")[0]}
        self._idle: list[Callable[[], Any]] = []
        self._idle_lock = threading.Lock()
        self._number = 0
        self.inside_plugin = 0

    def next_number(self) -> int:
        """Numbers for jobs and callbacks."""
        self._number += 1
        return self._number

    def check_thread(self, what: str) -> None:
        """Developer help, "Python and threading": "you cannot call Maya commands from a thread other than the
        main".
        """
        if not main_thread():
            raise RuntimeError(f"{what}: Maya commands may be called from the main thread alone")

    def check_may_edit(self, name: str) -> None:
        if self.inside_plugin and name not in ("undoInfo",):
            raise RuntimeError(
                f"{name}: undoable commands inside a plug-in's doIt, undoIt or redoIt are undone twice: "
                "use a modifier"
            )

    def find_command(self, name: str) -> Command | None:
        """A command that exists now: plug-ins bring theirs."""
        if name in self.plugin_commands:
            return self.plugin_commands[name]
        entry = REGISTRY.get(name)
        if entry is not None and entry.own_flags is not None and "mayaHIK" not in self.plugins:
            return None
        return entry

    def defer(self, call: Callable[[], Any]) -> None:
        """Run when Maya is idle; any thread may ask."""
        with self._idle_lock:
            self._idle.append(call)

    def call_in_main_thread(self, call: Callable[[], Any]) -> Any:
        """Run at once in the main thread; a worker waits until a test pumps."""
        if main_thread():
            return call()
        done = threading.Event()
        answer: list[Any] = []

        def run() -> None:
            try:
                answer.append((call(), None))
            except BaseException as error:
                answer.append((None, error))
            done.set()

        self.defer(run)
        done.wait()
        result, error = answer[0]
        if error is not None:
            raise error
        return result

    def pump(self, rounds: int = 100) -> int:
        """Run what waits for idle, and what that asks for in turn; says how many ran."""
        self.check_thread("pump")
        ran = 0
        for _ in range(rounds):
            with self._idle_lock:
                waiting, self._idle = self._idle, []
            if not waiting:
                return ran
            for call in waiting:
                call()
                ran += 1
        raise AssertionError(f"still busy after {rounds} rounds")

    def notify(self, message: int, *, cancel: bool = False) -> bool:
        """Tell the callbacks of a message; for a check, whether all agree."""
        agreed = True
        for number, (kind, call, data) in list(self.callbacks.items()):
            if kind == message and number in self.callbacks:
                answer = call(data)
                agreed = agreed and (not cancel or answer is not False)
        return agreed

    def run_jobs(self, event: str) -> None:
        """Run the scriptJobs of an event; the interface's loop does, and in batch mode there is none."""
        if self.batch:
            return
        for number, job in list(self.jobs.items()):
            if job.get("event") == event and number in self.jobs:
                if job.get("runOnce"):
                    del self.jobs[number]
                job["call"]()

    def new_scene(self) -> None:
        """Close what is open: nodes die, undo is flushed, jobs that go with the scene end."""
        from .open_maya.messages import MSceneMessage

        self.notify(MSceneMessage.kBeforeNew)
        self._close()
        self.scene = Scene(self.queue, **self.settings)
        self.notify(MSceneMessage.kAfterNew)
        self.run_jobs("NewSceneOpened")

    def _close(self) -> None:
        for node in self.scene:
            node.alive = False
        self.queue.flush()
        self.jobs = {n: j for n, j in self.jobs.items() if not j.get("killWithScene") or j.get("protected")}

    def exit(self) -> None:
        """Maya quits: callbacks of kMayaExiting, then jobs of quitApplication."""
        from .open_maya.messages import MSceneMessage

        self.notify(MSceneMessage.kMayaExiting)
        self.run_jobs("quitApplication")
