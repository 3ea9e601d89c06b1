"""One job gives the same in every host: what an animator may rely on wherever they work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_pose_server import FakeServer
from pose_shared.skeleton import SKELETON
from scene_hosts import Imported, SceneHost

#: Of any joint in any frame, from where the person was, and so between any two hosts at most twice that.
WITHIN_M = 0.25e-3


@pytest.fixture
def imported(host: SceneHost, dance: FakeServer, clip: Path, tmp_path: Path) -> Imported:
    return host.imported(dance, clip, tmp_path)


def test_import(imported: Imported, dance: FakeServer) -> None:
    """Everybody, on the very frames of the clip, every joint where it was, in one tree, with contacts."""
    assert len(imported.people) == len(dance.dancers)
    for person, dancer in zip(imported.people, dance.dancers, strict=True):
        motion = dancer.motion()
        assert np.abs(np.array(person.frames) - (motion.frames + 1)).max() < 1e-3
        furthest = np.linalg.norm(person.joints_m - motion.joints_world_m, axis=-1).max()
        assert furthest < WITHIN_M
        assert person.parents == {
            name: SKELETON.joints[parent] if parent >= 0 else ""
            for name, parent in zip(SKELETON.joints, SKELETON.parents, strict=True)
        }
        assert set(person.contacts) == set(motion.contact_names)
        for index, name in enumerate(motion.contact_names):
            assert np.abs(person.contacts[name] - motion.contacts[:, index]).max() < 1e-6
    assert list(imported.left_after_undo) == []
