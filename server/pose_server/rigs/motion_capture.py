"""The rigs of motion capture files, BVH and Acclaim, with their motion.

They have joints and no orientation at rest, name no unit, and BVH tells neither which way is up.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pose_shared.rig import Rig, RigBone

from pose_server.mocap.amc import read_amc, read_asf
from pose_server.mocap.bvh import read_bvh
from pose_server.mocap.recording import Recording, bad_motion
from pose_server.pipeline.boundary import FloatArray
from pose_server.rigs.faults import LARGEST_BYTES, bad_rig
from pose_server.rigs.recorded import RecordedRig, rate_of, unit_of, up_of

__all__ = ["read_acclaim", "read_bvh_rig"]

_END = "_end"
_MOST_JOINTS = 10_000
#: A rest pose that is lower than this share of the body as it moves is none that anybody stands in.
_STANDS = 0.7
#: An AMC does not say; nearly all of CMU's are.
_ACCLAIM_HZ = 120.0


def read_bvh_rig(path: Path) -> RecordedRig:
    """Read a BVH as the rig and its motion; ends of chains become tails, and the rig stands on its origin.

    Raises
    ------
    InputError
        ``MOTION_UNREADABLE`` with the line, ``RIG_UNREADABLE``, ``RIG_INVALID``.
    """
    if path.is_file() and path.stat().st_size > LARGEST_BYTES:
        raise bad_rig(path, f"it is larger than {LARGEST_BYTES >> 20} MB", "cut it into parts")
    take = read_bvh(path, metres_per_unit=1.0)
    assert take.rest_m is not None
    if len(take.names) > _MOST_JOINTS:
        raise bad_rig(path, f"it has {len(take.names)} joints; {_MOST_JOINTS} are the most")
    ends = [
        parent >= 0 and name == take.names[parent] + _END and joint not in take.parents
        for joint, (name, parent) in enumerate(zip(take.names, take.parents, strict=True))
    ]
    joints = [joint for joint, end in enumerate(ends) if not end]
    children: dict[int, list[int]] = {}
    for joint, parent in enumerate(take.parents.tolist()):
        children.setdefault(parent, []).append(joint)
    rest = take.rest_m - take.rest_m[0]
    up, height = up_of(rest)
    moving_up, moving_height = up_of(take.points_m)
    lies = height < _STANDS * moving_height
    if lies:
        up = moving_up
    rest[:, "xyz".index(up)] -= rest[:, "xyz".index(up)].min()
    names = _told_apart(take)
    bones = []
    for joint in joints:
        parent, below = int(take.parents[joint]), children.get(joint, [])
        tail = rest[below[0]] if len(below) == 1 else None
        bones.append(_bone(names[joint], names[parent] if parent >= 0 else "", rest[joint], tail))
    unit, note = unit_of(moving_height if lies else height)
    rig = Rig(path.stem[:200], tuple(bones), metres_per_unit=unit, up=up)
    found = RecordedRig(
        rig, rate_of(take.rate_hz), take.turns[:, joints], take.points_m[:, joints], notes=(note,)
    )
    if not lies:
        return found
    note = "Its rest pose is no standing body's; the first frame was taken for one."
    return replace(found.rested(0), notes=(*found.notes, note))


def read_acclaim(amc: Path) -> RecordedRig:
    """Read an AMC with the one ASF that lies beside it; a bone begins where its parent ends.

    Raises
    ------
    InputError
        ``MOTION_UNREADABLE``.
    """
    skeletons = sorted(path for path in amc.parent.glob("*") if path.suffix.lower() == ".asf")
    own = [path for path in skeletons if amc.stem.startswith(path.stem)]
    if len(own or skeletons) != 1:
        raise bad_motion(amc, None, f"{len(skeletons)} skeletons (.asf) lie beside it", "put its own there")
    take = read_amc(amc, read_asf((own or skeletons)[0]), _ACCLAIM_HZ)
    assert take.rest_m is not None
    parents = take.parents.tolist()
    starts = [max(parent, 0) for parent in parents]
    rest = take.rest_m - (0.0, take.rest_m[:, 1].min(), 0.0)
    bones = [
        _bone(name, take.names[parent] if parent >= 0 else "", rest[start], rest[joint] if joint else None)
        for joint, (name, parent, start) in enumerate(zip(take.names, parents, starts, strict=True))
    ]
    note = f"An AMC does not say its rate; {_ACCLAIM_HZ:g} frames per second were assumed."
    return RecordedRig(
        Rig(amc.stem[:200], tuple(bones), up="y"),
        rate_of(_ACCLAIM_HZ),
        take.turns,
        take.points_m[:, starts],
        notes=(note,),
    )


def _bone(name: str, parent: str, head: FloatArray, tail: FloatArray | None = None) -> RigBone:
    x, y, z = head.tolist()
    end = None
    if tail is not None:
        a, b, c = tail.tolist()
        end = (a, b, c)
    rest = (1.0, 0.0, 0.0, x, 0.0, 1.0, 0.0, y, 0.0, 0.0, 1.0, z, 0.0, 0.0, 0.0, 1.0)
    return RigBone(name, parent, rest, end, keys=("location", "rotation"))


def _told_apart(take: Recording) -> list[str]:
    """Return the joints' names, later ones of a name with a number."""
    names: list[str] = []
    for name in take.names:
        names.append(name if name not in names else f"{name}.{len(names)}")
    return names
