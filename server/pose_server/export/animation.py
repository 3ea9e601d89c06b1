"""A moving skeleton as the writers of files take it: a person's motion, or the same on a user's rig."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InternalError

from pose_server.export.bones import rest_bones
from pose_server.export.camera_view import CameraView, camera_view
from pose_server.export.mannequin import Mesh, mannequin
from pose_server.export.quaternions import matrices, products, turned
from pose_server.pipeline.boundary import FloatArray, IntArray, Motion
from pose_server.pipeline.kinematics import same_hemisphere

__all__ = ["SHORTEST_M", "Y_UP", "Animation", "animation_of"]

#: Our x, y, z (left, back, up) in a world of y up: x, z, -y.
Y_UP: FloatArray = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
#: Of a bone that is to be seen.
SHORTEST_M = 1e-3
# So many rotation matrices at a time.
_BLOCK = 200_000


@dataclass(frozen=True, repr=False)
class Animation:
    """Joints that turn about their parents; a few of them, the root above all, also move.

    The world is z up, in metres.  J joints, T rows.
    """

    name: str
    rate: Fraction
    """Rows per second."""
    start_s: float
    """Of the first row, after source frame 0."""
    joint_names: tuple[str, ...]
    parents: IntArray
    """(J,) -1 for the one root, which is the first; a parent stands before its children."""
    rest_translations_m: FloatArray
    """(J, 3) place at rest in the parent's axes, the root's in the world."""
    rest_rotations_wxyz: FloatArray
    """(J, 4) about the parent, the root's in the world."""
    local_rotations_wxyz: FloatArray
    """(T, J, 4) in place of those at rest; neighbouring rows in one hemisphere."""
    translations_m: Mapping[int, FloatArray]
    """(T, 3) of each joint that moves, in place of its translation at rest."""
    tips_m: FloatArray
    """(J, 3) where each joint's bone ends, in its own axes."""
    mesh: Mesh | None = None
    camera: CameraView | None = field(default=None)

    def __post_init__(self) -> None:
        frames, joints = self.local_rotations_wxyz.shape[:2]
        shapes = {
            "parents": (joints,),
            "rest_translations_m": (joints, 3),
            "rest_rotations_wxyz": (joints, 4),
            "local_rotations_wxyz": (frames, joints, 4),
            "tips_m": (joints, 3),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise _bad(name, f"expected {shape}, got {getattr(self, name).shape}")
        if len(self.joint_names) != joints or frames == 0:
            raise _bad("joint_names", f"{len(self.joint_names)} names of {joints} joints in {frames} rows")
        for joint, moves in self.translations_m.items():
            if moves.shape != (frames, 3):
                raise _bad(f"translations_m[{joint}]", f"expected {(frames, 3)}, got {moves.shape}")
        parents = self.parents.tolist()
        if parents[0] != -1 or any(not 0 <= parent < i for i, parent in enumerate(parents[1:], 1)):
            raise _bad("parents", "no tree with one root at the front")

    def __len__(self) -> int:
        return len(self.local_rotations_wxyz)

    def __repr__(self) -> str:
        return f"Animation({self.name!r}, {len(self.joint_names)} joints, {len(self)} rows at {self.rate}/s)"

    @property
    def first_frame(self) -> int:
        """Number of the first row where frames are counted from the clip's first at `rate`."""
        return round(self.start_s * float(self.rate))

    @property
    def times_s(self) -> FloatArray:
        """(T,) after source frame 0."""
        return self.start_s + np.arange(len(self)) * (self.rate.denominator / self.rate.numerator)

    def rest_world(self) -> tuple[FloatArray, FloatArray]:
        """Return (J, 3) places and (J, 3, 3) axes of the joints at rest in the world."""
        places = np.zeros((len(self.parents), 3))
        axes = np.zeros((len(self.parents), 3, 3))
        local = matrices(self.rest_rotations_wxyz)
        for joint, parent in enumerate(self.parents):
            above, at = (axes[parent], places[parent]) if parent >= 0 else (np.eye(3), np.zeros(3))
            places[joint] = at + above @ self.rest_translations_m[joint]
            axes[joint] = above @ local[joint]
        return places, axes

    def positions_m(self) -> NDArray[np.float32]:
        """Return (T, J, 3) places in the world, by forward kinematics."""
        positions = np.empty((len(self), len(self.parents), 3), np.float32)
        for rows in self.blocks():
            local = matrices(self.local_rotations_wxyz[rows])
            world = np.empty_like(local)
            places = np.empty((*local.shape[:2], 3))
            for joint, parent in enumerate(self.parents):
                moves = self.translations_m.get(joint)
                offset = self.rest_translations_m[joint] if moves is None else moves[rows]
                if parent < 0:
                    places[:, joint], world[:, joint] = offset, local[:, joint]
                    continue
                above = world[:, parent]
                places[:, joint] = places[:, parent] + np.einsum(
                    "tij,tj->ti", above, np.broadcast_to(offset, (len(above), 3))
                )
                world[:, joint] = above @ local[:, joint]
            positions[rows] = places
        return positions

    def blocks(self) -> Iterator[slice]:
        """Give slices of rows that are small enough to hold all their rotations as matrices."""
        step = max(1, _BLOCK // len(self.parents))
        yield from (slice(begin, begin + step) for begin in range(0, len(self), step))

    def unrotated(self) -> Animation:
        """Return the same motion of joints whose axes are the world's at rest, as BVH has them.

        Notes
        -----
        With G the rest axes in the world, R a local rotation and p the parent, the turn away from rest
        in the axes of the world is G_p R G^-1.
        """
        if not np.any(self.rest_rotations_wxyz[:, 1:]):
            return self
        _, axes = self.rest_world()
        above = np.concatenate([np.eye(3)[None], axes])[np.asarray(self.parents) + 1]
        rest = self.rest_rotations_wxyz * (1, -1, -1, -1)
        # G = G_p rest, hence G_p R G^-1 = G_p (R rest^-1) G_p^-1, which only turns the vector part.
        local = turned(products(self.local_rotations_wxyz, rest), above)
        return dataclasses.replace(
            self,
            rest_translations_m=np.einsum("jik,jk->ji", above, self.rest_translations_m),
            rest_rotations_wxyz=np.tile([1.0, 0, 0, 0], (len(axes), 1)),
            local_rotations_wxyz=local,
            translations_m={j: moves @ above[j].T for j, moves in self.translations_m.items()},
            tips_m=np.einsum("jik,jk->ji", axes, self.tips_m),
        )

    def dressed(self) -> Animation:
        """Return the same with a body, rods about the bones where there was none.

        Blender takes a glTF without a skin for loose objects, and an FBX without one rests as it
        stands in its first frame.
        """
        if self.mesh is not None:
            return self
        heads, axes = self.rest_world()
        tips = np.einsum("jik,jk->ji", axes, self.tips_m)
        tips[np.linalg.norm(tips, axis=1) < SHORTEST_M] = (0, 0, SHORTEST_M)
        # Of no name: what a rig calls its head or its spine may be of any shape.
        nameless = [""] * len(self.joint_names)
        return dataclasses.replace(self, mesh=mannequin(nameless, heads, heads + tips))

    def in_axes(self, axes: FloatArray) -> Animation:
        """Return the same in another world, and with every joint's own axes turned alike.

        Parameters
        ----------
        axes
            (3, 3) rotation such as `Y_UP`; a skeleton without rest rotations keeps having none.
        """
        camera = self.camera
        if camera is not None:
            back = np.eye(4)
            back[:3, :3] = axes.T
            camera = dataclasses.replace(camera, world_to_camera=camera.world_to_camera @ back)
        return dataclasses.replace(
            self,
            rest_translations_m=self.rest_translations_m @ axes.T,
            rest_rotations_wxyz=turned(self.rest_rotations_wxyz, axes),
            local_rotations_wxyz=turned(self.local_rotations_wxyz, axes),
            translations_m={joint: moves @ axes.T for joint, moves in self.translations_m.items()},
            tips_m=self.tips_m @ axes.T,
            mesh=self.mesh.in_axes(axes) if self.mesh is not None else None,
            camera=camera,
        )


def animation_of(motion: Motion, name: str = "person") -> Animation:
    """Return a person's motion with a mannequin and the clip's camera; the rest is a T-pose facing -y."""
    bones = rest_bones(motion)
    offsets = motion.rest_offsets_m.astype(np.float64)
    offsets[0] = bones[0].head_m
    local = motion.local_rotations_wxyz.astype(np.float64)
    local /= np.linalg.norm(local, axis=-1, keepdims=True)
    heads, tails = (np.array([getattr(bone, end) for bone in bones]) for end in ("head_m", "tail_m"))
    return Animation(
        name=name,
        rate=motion.rate,
        start_s=float(motion.times_s[0]),
        joint_names=motion.joint_names,
        parents=motion.parents,
        rest_translations_m=offsets,
        rest_rotations_wxyz=np.tile([1.0, 0, 0, 0], (len(bones), 1)),
        local_rotations_wxyz=same_hemisphere(local),
        translations_m={0: motion.root_world_m.astype(np.float64)},
        tips_m=tails - heads,
        mesh=mannequin(motion.joint_names, heads, tails),
        camera=camera_view(motion),
    )


def _bad(name: str, why: str) -> InternalError:
    return InternalError(f"Animation.{name}: {why}", reason="BAD_BOUNDARY")
