"""A scene in memory that keeps the promises of `SceneHost`: what the window is tested with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from pose_from_video.scene_host import Character, ImagePlane, ImportedPerson, Placement
from pose_shared.errors import ConflictError
from pose_shared.joint_motion import JointMotion
from pose_shared.rig import Rig
from pose_shared.rig_motion import RigChannels
from pose_shared.session import RefineRequest, Result
from pose_shared.solve_settings import SolveSettings
from pose_shared.timing import SceneTiming
from pose_shared.weak_spans import scene_spans

__all__ = ["FakeSceneHost"]


@dataclass
class FakeSceneHost:
    """People are kept as what they remember, and the motions that they have."""

    rate: Fraction = Fraction(24)
    start: int = 1
    up: str = "y"
    planes: list[ImagePlane] = field(default_factory=list)
    rigs: dict[str, Rig] = field(default_factory=dict)
    human_ik: tuple[str, ...] = ()
    selection: list[str] = field(default_factory=list)
    people: dict[str, ImportedPerson] = field(default_factory=dict)
    motions: dict[str, JointMotion] = field(default_factory=dict)
    rig_motions: dict[str, RigChannels] = field(default_factory=dict)
    driven: dict[str, str] = field(default_factory=dict)
    placements: list[Placement] = field(default_factory=list)
    frame: int = 1
    kept: str = "{}"
    told: list[str] = field(default_factory=list)
    #: What the next write fails with.
    error: Exception | None = None

    def scene_rate(self) -> Fraction:
        return self.rate

    def first_frame(self) -> int:
        return self.start

    def up_axis(self) -> str:
        return self.up

    def image_planes(self) -> list[ImagePlane]:
        return list(self.planes)

    def write_import(self, result: Result, placement: Placement) -> list[str]:
        self._fail()
        assert result.joints and {motion.up for motion in result.joints} == {self.up}
        self.placements.append(placement)
        if placement.match_rate:
            self.rate = result.joints[0].source_rate
        for motion in result.joints:
            title, number = f"{placement.clip_name} person {motion.person}", 1
            node = title
            while node in self.people:
                number += 1
                node = f"{title}.{number}"
            timing = SceneTiming(
                self.rate, motion.source_rate, placement.first_source_frame, placement.scene_frame
            )
            self.motions[node] = motion
            self.people[node] = ImportedPerson(
                node=node,
                title=node,
                job=result.job,
                clip_name=placement.clip_name,
                person=motion.person,
                server=placement.server,
                asked_rate=placement.asked_rate,
                solve=placement.solve,
                weak_spans=scene_spans(motion.weak_spans, timing),
            )
        return []

    def imported_people(self) -> list[ImportedPerson]:
        return sorted(self.people.values(), key=lambda person: person.title)

    def write_refinement(self, result: Result, request: RefineRequest) -> list[str]:
        self._fail()
        motions = {motion.person: motion for motion in result.joints}
        there = [person for person in self.people.values() if person.job == request.job]
        if not there:
            raise ConflictError(
                f"The joints of '{request.name}' were deleted meanwhile; import the clip again.",
                reason="IMPORT_GONE",
            )
        for person in there:
            self.motions[person.node] = motions[person.person]
            solve = SolveSettings.of({**person.solve.options, **request.options})
            self.people[person.node] = replace(person, job=result.job, solve=solve)
        return []

    def selected(self, characters: Sequence[Character]) -> list[str]:
        return list(self.selection)

    def go_to_frame(self, frame: int) -> None:
        self.frame = frame

    def characters(self) -> list[Character]:
        return [Character(name, name, name in self.human_ik) for name in sorted(self.rigs)]

    def describe_rig(self, character: Character) -> Rig:
        return self.rigs[character.node]

    def write_rig_motion(
        self, character: Character, motion: RigChannels, person: ImportedPerson
    ) -> list[str]:
        self._fail()
        self.rig_motions[character.node] = motion
        return list(motion.notes)

    def drive_by_human_ik(self, character: Character, person: ImportedPerson) -> list[str]:
        self._fail()
        assert character.human_ik
        self.driven[character.node] = person.node
        return []

    def load_settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = json.loads(self.kept)
        return settings

    def save_settings(self, settings: Mapping[str, Any]) -> None:
        self.kept = json.dumps(settings)

    def tell(self, sentence: str) -> None:
        self.told.append(sentence)

    def _fail(self) -> None:
        error, self.error = self.error, None
        if error is not None:
            raise error
