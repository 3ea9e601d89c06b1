"""The way of a clip: ask the server, let the user pick, fetch who was picked, and write the scene."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any, Callable, Dict, List, Optional, Tuple

from pose_shared.errors import ConflictError, JobCancelledError, MediaError
from pose_shared.import_settings import ImportSettings
from pose_shared.people_choice import count_words
from pose_shared.session import Delivery, FetchRequest, RefineRequest, Result, Session
from pose_shared.solve_settings import SolveSettings

from ..qt import QtCore, Signal
from ..scene_host import ImportedPerson, Placement
from .desk import Desk

__all__ = ["Flow"]


class Flow(QtCore.QObject):
    """Imports, fetches and refines, one at a time.

    Attributes
    ----------
    picking
        Emitted when the user should pick people, with the `Result` that names them and the `Placement` for
        `bring`.
    written
        Emitted when something has come into the scene.
    """

    picking = Signal(object, object)
    written = Signal()

    def __init__(self, desk: Desk, parent: QtCore.QObject) -> None:
        super().__init__(parent)
        self._desk = desk

    def import_clip(self, settings: ImportSettings, placement: Placement, everybody: bool) -> None:
        """Have a clip imported; raises as `ImportSettings.request` and `Work.start`."""
        host = self._desk.host
        persons = None if everybody else ()
        request = settings.request(placement.server, host.scene_rate(), self._delivery(placement, persons))
        self._desk.say("")
        self._desk.work.start(
            request, self._end("import", lambda session: self._found(session, placement, everybody))
        )

    def fetch(self, job: str, placement: Placement, everybody: bool) -> None:
        """Fetch the result of a job, once it has one; raises as `Work.start`."""
        persons = None if everybody else ()
        self._begin_fetch(job, placement, persons, lambda s: self._found(s, placement, everybody))

    def bring(self, job: str, placement: Placement, persons: Tuple[int, ...]) -> None:
        """Bring people of a finished job into the scene; raises as `Work.start`."""
        self._begin_fetch(job, placement, persons, lambda session: self._write(session, placement))

    def refine(self, person: ImportedPerson, solve: SolveSettings) -> None:
        """Have everybody in the clip of a person solved again; raises as `Work.start`."""
        request = RefineRequest(
            person.job,
            person.clip_name,
            person.server,
            solve.options,
            Delivery(fps=person.asked_rate, joints_up=self._desk.host.up_axis()),
        )
        self._desk.say("")
        self._desk.work.start(
            request, self._end("refinement", lambda session: self._write_refinement(session, request))
        )

    def leave(self, why: str) -> str:
        """Let go of what goes on, while its job goes on; return a sentence about it, or an empty text."""
        session = self._desk.work.leave()
        if session is None:
            return ""
        name = session.request.name
        if not session.job:
            return f"{why} '{name}' was not yet sent to the server; import it again."
        self._desk.remember(left={"job": session.job, "name": name, "server": session.request.server})
        return (
            f"{why} '{name}' goes on at {session.request.server} as {session.job}; "
            "fetch it from the list of jobs."
        )

    def left_before(self) -> str:
        """Return a sentence about what was left when the window was closed last; it is said once."""
        left: Dict[str, Any] = self._desk.remembered("left", {})
        if not left:
            return ""
        self._desk.remember(left={})
        return (
            f"'{left.get('name')}' was left with the server at {left.get('server')} as {left.get('job')}; "
            "fetch it from the list of jobs."
        )

    def placement_of(
        self, placement: Placement, job: str, first_source_frame: Optional[int], solve: SolveSettings
    ) -> Placement:
        """Return how a job of another day goes into the scene, its clip with it if that is still here."""
        clip = None
        path = self._desk.clip_of(job)
        if path:
            with suppress(MediaError):
                clip = ImportSettings(path).clip()
        first = placement.first_source_frame if first_source_frame is None else first_source_frame
        return replace(placement, clip=clip, first_source_frame=first, solve=solve)

    def _begin_fetch(
        self,
        job: str,
        placement: Placement,
        persons: Optional[Tuple[int, ...]],
        then: Callable[[Session], None],
    ) -> None:
        delivery = self._delivery(placement, persons)
        request = FetchRequest(job, placement.clip_name, placement.server, delivery)
        self._desk.say("")
        self._desk.work.start(request, self._end("import", then))

    def _delivery(self, placement: Placement, persons: Optional[Tuple[int, ...]]) -> Delivery:
        return Delivery(persons, placement.asked_rate, self._desk.host.up_axis())

    def _end(self, noun: str, then: Callable[[Session], None]) -> Callable[[Session], None]:
        def end(session: Session) -> None:
            with self._desk.speaking():
                try:
                    then(session)
                except JobCancelledError:
                    self._desk.say(f"The {noun} of '{session.request.name}' was cancelled.")

        return end

    def _found(self, session: Session, placement: Placement, everybody: bool) -> None:
        result = session.result()
        if placement.clip is not None:
            self._desk.remember_clip(result.job, str(placement.clip.first_file))
        if everybody:
            self._write(session, placement)
        elif len(result.found) == 1:
            self.bring(result.job, placement, (result.found[0].index,))
        else:
            self.picking.emit(result, placement)

    def _write(self, session: Session, placement: Placement) -> None:
        result = session.result()
        self._check_axis(result)
        notes = self._desk.host.write_import(result, placement)
        people = count_words(len(result.joints))
        self._tell(f"Imported {people} from {placement.clip_name}.", session, notes)

    def _write_refinement(self, session: Session, request: RefineRequest) -> None:
        result = session.result()
        self._check_axis(result)
        clip = self._desk.clip_of(request.job)
        notes = self._desk.host.write_refinement(result, request)
        if clip:
            self._desk.remember_clip(result.job, clip)
        people = count_words(len(result.joints))
        self._tell(f"Refined {people} from {request.name}.", session, notes)

    def _check_axis(self, result: Result) -> None:
        if result.joints and result.joints[0].up != self._desk.host.up_axis():
            raise ConflictError(
                "The scene's up axis was changed meanwhile; fetch the clip again from the list of jobs.",
                reason="AXIS_CHANGED",
            )

    def _tell(self, done: str, session: Session, notes: List[str]) -> None:
        self._desk.say("\n".join([done, *session.notes, *notes]))
        self._desk.scene_changed.emit()
        self.written.emit()
