"""What a user names, opened: a motion in any file, and a rig with its map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pose_shared.errors import InputError, NotFoundError
from pose_shared.rig import Rig

from pose_server.export.npz import read_npz
from pose_server.pipeline.boundary import Motion
from pose_server.retarget.bone_map import BoneMap, parse_roles
from pose_server.retarget.preset import presets
from pose_server.retarget.recognition import recognised
from pose_server.retarget.source import motion_of
from pose_server.retarget.validation import validated
from pose_server.rigs.faults import content_of
from pose_server.rigs.files import read_recorded_rig, read_rig

__all__ = ["MappedRig", "OpenedMotion", "map_rig", "open_motion", "open_rig"]

_LARGEST_MAP = 1 << 20


@dataclass(frozen=True)
class MappedRig:
    """A rig, which of its bones are which parts of the body, and how that is known."""

    rig: Rig
    bones: BoneMap
    found_by: str
    """``preset``, ``names``, ``shape``, or ``user`` for a map or a preset that was named."""
    preset: str
    confidence: float
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON data, with what is mapped, missing and extra."""
        return {
            "name": self.rig.name,
            "bones": len(self.rig.bones),
            "up": self.rig.up,
            "metres_per_unit": self.rig.metres_per_unit,
            "found_by": self.found_by,
            "preset": self.preset,
            "confidence": round(self.confidence, 3),
            "notes": list(self.notes),
            **validated(self.rig, self.bones).to_dict(),
        }


@dataclass(frozen=True)
class OpenedMotion:
    """A motion with what had to be assumed of it."""

    motion: Motion
    notes: tuple[str, ...] = ()


def open_rig(path: Path, *, corrections: Path | None = None, preset: str | None = None) -> MappedRig:
    """Read a rig and find its map.

    Parameters
    ----------
    path
        Of the rig.
    corrections
        A map as JSON with the roles that the user knows better.
    preset
        Key of the kind of rig; None to find out.

    Raises
    ------
    PoseError
        The file cannot be read, or nothing in it walks, as one sentence.
    """
    return map_rig(read_rig(path), corrections=corrections, preset=preset)


def map_rig(rig: Rig, *, corrections: Path | None = None, preset: str | None = None) -> MappedRig:
    """Find the map of a rig; as `open_rig`."""
    known = None
    if corrections is not None:
        text = content_of(corrections, _LARGEST_MAP).decode("utf-8-sig", errors="replace")
        _, known = parse_roles(text, corrections.name)
    if preset is None:
        found = recognised(rig, known)
        mapped = MappedRig(rig, found.bones, found.found_by, found.preset, found.confidence, found.notes)
    else:
        roles = {**_of_kind(rig, preset).roles, **(known or {})}
        bones = BoneMap({role: names for role, names in roles.items() if names}, preset)
        mapped = MappedRig(rig, bones, "user", preset, 1.0, ())
    kind = presets().get(mapped.preset)
    if kind is not None and not rig.chains:
        mapped = replace(mapped, rig=replace(rig, chains=kind.chains_in(rig), settings=kind.settings_in(rig)))
    return mapped


def _of_kind(rig: Rig, preset: str) -> BoneMap:
    kind = presets().get(preset)
    bones = kind.fitted(rig) if kind else None
    if bones is None:
        fault = "has no legs in this rig" if kind else "is no kind of rig that is known"
        raise InputError(
            f"--preset {preset[:80]} {fault}; choose from {', '.join(presets())}.",
            reason="PRESET_UNFIT" if kind else "PRESET_UNKNOWN",
            value=preset[:80],
        )
    return bones


def open_motion(
    path: Path,
    *,
    person: int | None = None,
    take: str | None = None,
    rest_frame: int | None = None,
    corrections: Path | None = None,
) -> OpenedMotion:
    """Read a motion: a result's folder, a ``motion.npz``, or a recording on any skeleton.

    Parameters
    ----------
    path
        Of the folder or the file.
    person
        Which of a result's people, from 1; needed only where there are several.
    take
        Name of an animation in a glTF; None for the longest.
    rest_frame
        Row of a recording, from 0, in which its skeleton stands as at rest; None for its own rest pose.
    corrections
        A map of the recording's bones, as JSON.

    Raises
    ------
    PoseError
        Nothing there can be read as a motion, as one sentence.
    """
    if path.is_dir():
        return OpenedMotion(read_npz(_of_person(path, person)))
    if path.suffix.lower() == ".npz":
        return OpenedMotion(read_npz(path))
    recorded = read_recorded_rig(path, take)
    if rest_frame is not None:
        if not 0 <= rest_frame < len(recorded):
            raise InputError(
                f"--rest-frame {rest_frame} is not in '{path.name[:80]}'; its frames are 0 to "
                f"{len(recorded) - 1}.",
                reason="REST_FRAME_INVALID",
                value=rest_frame,
            )
        recorded = recorded.rested(rest_frame)
    mapped = map_rig(recorded.rig, corrections=corrections)
    return OpenedMotion(motion_of(recorded, mapped.bones), (*recorded.notes, *mapped.notes))


def _of_person(folder: Path, person: int | None) -> Path:
    """Return the ``motion.npz`` of one person in a result."""
    motions = {
        path.parent.name.removeprefix("person_").lstrip("0"): path
        for path in sorted(folder.glob("person_*/motion.npz"))
    }
    if not motions and (folder / "motion.npz").is_file():
        return folder / "motion.npz"
    if not motions:
        raise NotFoundError(
            f"'{folder}' holds no result of an import; give its folder, a motion.npz, a BVH or a glTF.",
            reason="MOTION_MISSING",
            path=folder,
        )
    if person is None and len(motions) == 1:
        return next(iter(motions.values()))
    if person is None or str(person) not in motions:
        raise InputError(
            f"'{folder}' holds the people {', '.join(motions)}; choose one with --person.",
            reason="PERSON_UNKNOWN",
            value=person,
        )
    return motions[str(person)]
