"""The scene as the window sees it."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any, Dict, List, Mapping, Optional, Sequence

from maya import cmds
from pose_shared.errors import ConflictError, InputError
from pose_shared.rig import Rig
from pose_shared.rig_motion import RigChannels
from pose_shared.session import RefineRequest, Result

from ..scene_host import Character, ImagePlane, ImportedPerson, Placement
from .film import shown_files
from .human_ik import drive, ready_human_ik
from .layers import linked
from .record import ImportedPart, imported_parts, part_above, person_of
from .rig import LiveRig, is_control_rig, live_rig
from .rig_keys import key_rig
from .scene import CHARACTER, scene_rate, up_axis, write_import, write_refinement
from .undo_step import undo_step

__all__ = ["MayaScene"]

_SETTINGS = "poseFromVideoSettings"
#: A hand or a tail is no character.
_LEAST_JOINTS = 10


class MayaScene:
    """What the window needs of Maya's scene; see `pose_from_video.scene_host.SceneHost`."""

    def __init__(self) -> None:
        self._described: Dict[str, LiveRig] = {}

    def scene_rate(self) -> Fraction:
        """Return the scene's frames per second, exactly."""
        return scene_rate()

    def first_frame(self) -> int:
        """Return the first frame of the playback range."""
        return int(cmds.playbackOptions(query=True, minTime=True))

    def up_axis(self) -> str:
        """Return ``y`` or ``z``."""
        return up_axis()

    def image_planes(self) -> List[ImagePlane]:
        """Return the films and sequences that the scene's image planes show."""
        return [ImagePlane(name, path) for name, path in shown_files()]

    def write_import(self, result: Result, placement: Placement) -> List[str]:
        """Add the people of a result to the scene in one undo step; return sentences about it."""
        return write_import(result, placement)

    def imported_people(self) -> List[ImportedPerson]:
        """Return everybody in the scene who came from a video, in the order of their titles."""
        people = [person_of(part) for part in imported_parts() if part.person]
        return sorted(people, key=lambda person: person.title)

    def write_refinement(self, result: Result, request: RefineRequest) -> List[str]:
        """Give the people of a job another motion in one undo step; return sentences about it."""
        return write_refinement(result, request)

    def selected(self, characters: Sequence[Character]) -> List[str]:
        """Return what is selected of people and of these characters, also by a part of it."""
        found: Dict[str, None] = {}
        tops = {character.node for character in characters}
        for path in cmds.ls(selection=True, long=True, objectsOnly=True) or []:
            part = part_above(path)
            if part is not None:
                found[part.identity] = None
                continue
            if path in tops:
                found[path] = None
            found.update(dict.fromkeys(top for top in tops if path.startswith(f"{top}|")))
        return list(found)

    def go_to_frame(self, frame: int) -> None:
        """Make a frame the current one."""
        cmds.currentTime(frame, edit=True)

    def characters(self) -> List[Character]:
        """Return the characters of the scene that did not come from a video."""
        ours = {linked(part.top, CHARACTER) for part in imported_parts()}
        found = [
            Character(name, name, human_ik=True)
            for name in cmds.ls(type="HIKCharacterNode") or []
            if name not in ours
        ]
        rigs = [top for top in cmds.ls(assemblies=True, long=True) or [] if is_control_rig(top)]
        skeletons = [
            joint
            for joint in _skeletons(cmds.ls(type="joint", long=True) or [])
            if part_above(joint) is None and not any(joint.startswith(f"{rig}|") for rig in rigs)
        ]
        return found + [Character(path, path.rpartition("|")[2]) for path in (*rigs, *skeletons)]

    def describe_rig(self, character: Character) -> Rig:
        """Return what the server needs to move a character."""
        live = live_rig(character.node)
        self._described[character.node] = live
        return live.rig

    def write_rig_motion(
        self, character: Character, motion: RigChannels, person: ImportedPerson
    ) -> List[str]:
        """Key a character in one undo step; return sentences about it."""
        live = self._described.get(character.node) or live_rig(character.node)
        gone = [path for path in live.paths.values() if not cmds.objExists(path)]
        if gone:
            raise ConflictError(
                f"'{character.title}' was changed during the retargeting; retarget again.",
                reason="CHARACTER_CHANGED",
                character=character.title,
            )
        part = self._part(person)
        timing = part.record.timing(motion.source_rate)
        frames = timing.row_frames(motion.start_time_s, motion.rate, motion.frame_count)
        frame_s = float(1 / timing.scene_rate)
        name = f"{part.namespace or 'person'}_motion"
        notes = key_rig(character.node, live, motion, [frame * frame_s for frame in frames], name)
        return [*notes, *motion.notes]

    def drive_by_human_ik(self, character: Character, person: ImportedPerson) -> List[str]:
        """Make a person the source of a character's HumanIK solver in one undo step."""
        part = self._part(person)
        source = linked(part.top, CHARACTER)
        if not ready_human_ik() or not source:
            raise ConflictError(
                f"'{person.title}' is no HumanIK character; load the plug-in mayaHIK and import the clip "
                "again, or retarget without HumanIK.",
                reason="HUMAN_IK_MISSING",
            )
        with undo_step("Retarget Pose from Video"):
            drive(character.node, source)
        return []

    def load_settings(self) -> Dict[str, Any]:
        """Return what `save_settings` was given last, on whatever day; empty if there is nothing."""
        try:
            settings = json.loads(cmds.optionVar(query=_SETTINGS) or "{}")
        except (TypeError, ValueError):
            return {}
        return settings if isinstance(settings, dict) else {}

    def save_settings(self, settings: Mapping[str, Any]) -> None:
        """Keep texts, numbers, yes and no, and lists and mappings of such, as JSON has them."""
        cmds.optionVar(stringValue=(_SETTINGS, json.dumps(dict(settings))))

    def tell(self, sentence: str) -> None:
        """Show a sentence in Maya's status line."""
        cmds.warning(sentence)

    def find_character(self, name: str) -> Character:
        """Return the character of a name, path or HumanIK definition, for scripts.

        Raises
        ------
        InputError
            There is none, or it came from a video (``NO_CHARACTER``).
        """
        paths = cmds.ls(name, long=True) or []
        if len(paths) == 1 and cmds.nodeType(paths[0]) == "HIKCharacterNode":
            return Character(name, name, human_ik=True)
        if len(paths) != 1 or part_above(paths[0]) is not None:
            raise InputError(
                f"There is no character '{name}' in the scene; name the top of its skeleton or rig, or its "
                "HumanIK definition.",
                reason="NO_CHARACTER",
                name=name,
            )
        return Character(paths[0], name)

    def find_person(self, name: Optional[str] = None) -> ImportedPerson:
        """Return the imported person of a title or node, or the only one, for scripts.

        Raises
        ------
        InputError
            There is none, or it is not clear who is meant (``NOT_IMPORTED``).
        """
        if name:
            part = part_above(name)
            people = [person for person in self.imported_people() if name in (person.title, person.node)]
            people = people or ([person_of(part)] if part and part.person else [])
        else:
            people = self.imported_people()
        if len(people) != 1:
            raise InputError(
                "Nothing here came from a video; name somebody who was imported."
                if not people
                else f"{len(people)} people came from videos; name one of them.",
                reason="NOT_IMPORTED",
            )
        return people[0]

    def _part(self, person: ImportedPerson) -> ImportedPart:
        for part in imported_parts():
            if part.identity == person.node:
                return part
        raise ConflictError(
            f"'{person.title}' was deleted meanwhile; import the clip again.", reason="IMPORT_GONE"
        )


def _skeletons(joints: Sequence[str]) -> List[str]:
    """Return the paths of joints below no other that have enough below them; asks nothing of Maya."""
    known = set(joints)
    sizes = {path: 0 for path in joints if path.rpartition("|")[0] not in known}
    for path in joints:
        top = path
        while top:
            if top in sizes:
                sizes[top] += 1
            top = top.rpartition("|")[0]
    return [path for path, size in sizes.items() if size >= _LEAST_JOINTS]
