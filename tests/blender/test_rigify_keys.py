"""The rig that Rigify generates, keyed in a real Blender: FK and IK both, without a pop between them."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from generated_rigify import Rigify, Seen
from made_rig import walk
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.retarget_options import RetargetOptions
from pose_server.retarget.reach import steps_rad
from pose_server.retarget.retargeter import retargeted

pytestmark = [
    pytest.mark.blender,
    pytest.mark.skipif(shutil.which("blender") is None, reason="no Blender (apt-get install blender)"),
]


@pytest.fixture(scope="module")
def rigify() -> Rigify:
    return Rigify()


@pytest.mark.parametrize("relock", [(), ("legs",)])
def test_it_walks_alike_by_fk_and_by_ik(rigify: Rigify, relock: tuple[str, ...]) -> None:
    motion = walk(60)
    result = retargeted(motion, rigify.mapped.rig, rigify.mapped.bones, RetargetOptions(relock=relock))
    seen, _ = rigify.seen(result)
    assert np.linalg.norm(seen["fk"].heads - seen["ik"].heads, axis=2).max() < 5e-4
    for bone in range(seen["fk"].turns.shape[1]):
        for frame in range(0, len(motion), 6):
            both = np.stack([seen[kind].turns[frame, bone] for kind in ("fk", "ik")])
            assert np.degrees(steps_rad(both)[0]) < 0.1
    for one in seen.values():
        check(rigify, motion, one, held=bool(relock))


def check(rigify: Rigify, motion: Motion, one: Seen, *, held: bool) -> None:
    found = rigify.measured(motion, one)
    assert found.jump_deg < 0.05
    if held:
        assert found.slide_mm is not None and found.slide_mm < 1
        assert found.under_ground_mm < 5
    else:
        assert max(found.direction_deg.values()) < 2
