"""The body about a skeleton: closed, the right way out, and on its bones."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
from pose_server.export.animation import Animation, animation_of
from pose_server.export.bones import rest_bones
from pose_server.pipeline.boundary import Motion


def closed_and_outward(mesh, joint: int) -> None:
    faces = mesh.triangles[mesh.joints[mesh.triangles[:, 0]] == joint]
    assert (mesh.joints[faces] == joint).all(), "a triangle belongs to one limb"
    edges = Counter()
    for a, b, c in faces.tolist():
        edges.update([(a, b), (b, c), (c, a)])
    assert all(count == 1 and edges[b, a] == 1 for (a, b), count in edges.items()), "closed"
    corners = mesh.points_m[faces]
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert volume > 0, "outside is outside"


def test_every_limb_is_closed_and_outward(motion: Motion, rig: Animation) -> None:
    for animation in (animation_of(motion), rig):
        mesh = animation.mesh
        assert set(mesh.joints.tolist()) == set(range(len(animation.joint_names)))
        assert np.isfinite(mesh.points_m).all()
        assert np.abs(np.linalg.norm(mesh.normals, axis=1) - 1).max() < 1e-9
        for joint in range(len(animation.joint_names)):
            closed_and_outward(mesh, joint)


def test_a_skeleton_without_a_body_gets_rods(rig: Animation) -> None:
    tips = rig.tips_m.copy()
    tips[4] = 0
    bare = dataclasses.replace(rig, mesh=None, tips_m=tips)
    mesh = bare.dressed().mesh
    for joint in range(len(rig.joint_names)):
        closed_and_outward(mesh, joint)
    assert np.isfinite(mesh.points_m).all() and np.isfinite(mesh.normals).all()
    others = mesh.joints != 4
    assert np.abs(mesh.points_m[others] - rig.mesh.points_m[others]).max() < 1e-12
    assert rig.dressed() is rig


def test_it_is_a_person(make_motion) -> None:
    for scale in (0.6, 1.0):
        motion = make_motion(scale=scale)
        mesh, bones = animation_of(motion).mesh, rest_bones(motion)
        tall = max(bone.tail_m[2] for bone in bones)
        low, high = mesh.points_m.min(axis=0), mesh.points_m.max(axis=0)
        assert abs(high[2] - tall) < 0.03 * scale and abs(low[2]) < 0.03 * scale
        assert np.abs(low[0] + high[0]) < 1e-6, "left and right alike"
        for joint, bone in enumerate(bones):
            middle = np.add(bone.head_m, bone.tail_m) / 2
            own = mesh.points_m[mesh.joints == joint]
            reach = np.linalg.norm(np.subtract(bone.tail_m, bone.head_m)) / 2 + 0.17 * scale
            assert np.linalg.norm(own - middle, axis=1).max() < reach, bone.name
        volume = 0.0
        for a, b, c in mesh.points_m[mesh.triangles]:
            volume += a @ np.cross(b, c) / 6
        # Limbs overlap, and there is no hair on it: a person of 70 kg has 70 litres.
        assert 0.02 < volume / scale**3 < 0.08
