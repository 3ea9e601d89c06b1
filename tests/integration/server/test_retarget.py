"""A person's motion on a rig that a client describes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from made_rig import make_rig, walk
from pose_server.export.npz import read_npz, write_npz
from pose_server.pipeline.retarget_options import RetargetOptions
from pose_server.retarget.channels import rig_curves
from pose_server.retarget.retargeter import retargeted
from pose_server.solve.resample import resampled
from pose_shared._generated.pose.v1 import motion_pb2, rigs_pb2, types_pb2
from pose_shared.client import Client
from pose_shared.errors import DataLossError, InputError, NotFoundError
from pose_shared.messages import Job
from pose_shared.rig import Rig, Setting
from pose_shared.rig_messages import read_rig_motion, rig_message, rig_of
from serving import RunningServer, servers

RIG, BONES = make_rig(root=True, twist=True, ik=True, arms_deg=30, unit=0.01, up="y")


@pytest.fixture(scope="module")
def npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("motion") / "motion.npz"
    write_npz(path, walk(60))
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, npz: Path) -> Iterator[RunningServer]:
    with servers(tmp_path_factory.mktemp("server")) as start:
        yield start(MOTION_NPZ=npz)


@pytest.fixture(scope="module")
def job(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Job:
    film = tmp_path_factory.mktemp("film") / "walk.mp4"
    film.write_bytes(b"film")
    with Client(server.address) as client:
        return client.import_clip(film, {})


def euler(rig: Rig) -> Rig:
    """Return a rig of which some bones have Euler angles, and a property that must be set."""
    orders = ("XYZ", "ZXY", "YXZ")
    bones = (replace(bone, rotation=orders[i % 3]) if i % 2 else bone for i, bone in enumerate(rig.bones))
    return replace(rig, bones=tuple(bones), settings=(Setting("ground", "follow", 1.0),))


@pytest.mark.parametrize("rig", [RIG, euler(RIG)], ids=["quaternions", "angles"])
def test_keys_arrive_as_they_are_made_here(client: Client, job: Job, npz: Path, rig: Rig) -> None:
    found = client.retarget(job, 1, rig, {"bones": BONES.roles})
    wanted = rig_curves(retargeted(read_npz(npz), rig, BONES))
    assert (found.frame_count, found.rate, found.source_rate) == (60, Fraction(30), Fraction(25))
    assert (found.start_time_s, found.first_source_frame) == (0.0, 0)
    assert found.bones == wanted.bones and found.settings == wanted.settings
    assert found.channels.keys() == wanted.channels.keys()
    for name, values in wanted.channels.items():
        np.testing.assert_array_equal(np.array(found.channels[name], np.float32), values)
    assert found.roles == dict(BONES.roles)


def test_angles_say_what_quaternions_say(npz: Path) -> None:
    from scipy.spatial.transform import Rotation

    rig = euler(RIG)
    motion = retargeted(read_npz(npz), rig, BONES)
    curves = rig_curves(motion)
    for column, bone in enumerate(curves.bones):
        if bone.rotation == "quaternion":
            continue
        angles = [curves.channels[f"{bone.name}/rotation/{axis}"] for axis in "xyz"]
        turned = Rotation.identity(len(motion))
        for axis in bone.rotation:  # the first letter turns first
            turned = (
                Rotation.from_rotvec(np.outer(angles["XYZ".index(axis)], np.eye(3)["XYZ".index(axis)]))
                * turned
            )
        keyed = Rotation.from_quat(motion.rotations_wxyz[:, column], scalar_first=True)
        assert (turned * keyed.inv()).magnitude().max() < 1e-5
        assert np.abs(np.diff(np.stack(angles, axis=1), axis=0)).max() < 2


def test_options_and_rate_are_heard(client: Client, job: Job, npz: Path) -> None:
    asked = {
        "bones": BONES.roles,
        "fps": "24",
        "in_place": True,
        "root_motion": "hips",
        "relock": ("legs", "arms"),
    }
    found = client.retarget(job, 1, RIG, asked)
    options = RetargetOptions(in_place=True, root_motion="hips", relock=("legs", "arms"))
    wanted = rig_curves(retargeted(resampled(read_npz(npz), Fraction(24)), RIG, BONES, options))
    assert found.rate == 24
    for name, values in wanted.channels.items():
        np.testing.assert_array_equal(np.array(found.channels[name], np.float32), values)
    free = client.retarget(job, 1, RIG, {"bones": BONES.roles, "relock": ()})
    assert (
        free.channels["B_left_knee/rotation/w"]
        != client.retarget(job, 1, RIG, {"bones": BONES.roles}).channels["B_left_knee/rotation/w"]
    )


def test_a_rig_without_a_map_is_recognised(client: Client, job: Job) -> None:
    found = client.retarget(job, 1, RIG)
    assert found.roles["left_knee"] == ("B_left_knee",) and 0 < found.confidence <= 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"bones": {"tail": ("B_head",)}}, "tail"),
        ({"bones": {"head": ("wing",)}}, "wing"),
        ({"root_motion": "tail"}, "--root-motion tail is not possible"),
        ({"relock": ("wings",)}, "--relock wings is not possible"),
        ({"fps": 5000}, "5000 is not possible"),
        ({"speed": 2}, "no option 'speed'"),
    ],
)
def test_what_cannot_be_is_one_sentence(client: Client, job: Job, options: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        client.retarget(job, 1, RIG, options)


def test_what_is_not_there_is_one_sentence(client: Client, job: Job) -> None:
    with pytest.raises(NotFoundError, match="person 7"):
        client.retarget(job, 7, RIG)
    with pytest.raises(NotFoundError):
        client.retarget("jobs/none", 1, RIG)


def test_a_message_that_is_no_rig_is_refused() -> None:
    message = rig_message(RIG)
    assert rig_of(message) == RIG
    message.bones[3].parent = "nobody"
    with pytest.raises(InputError, match="does not stand before it"):
        rig_of(message)
    with pytest.raises(InputError, match="no bones"):
        rig_of(rigs_pb2.Rig(name="nothing"))


def test_a_stream_that_was_cut_is_refused() -> None:
    piece = rigs_pb2.RigMotionChunk(piece=motion_pb2.ChannelPiece(channel="a/rotation/w", values=bytes(8)))
    header = rigs_pb2.RigMotionChunk(
        header=rigs_pb2.RigMotionHeader(
            frame_count=3,
            rate=types_pb2.Rate(numerator=30, denominator=1),
            source_rate=types_pb2.Rate(numerator=30, denominator=1),
        )
    )
    with pytest.raises(DataLossError, match="without its header"):
        read_rig_motion([piece])
    with pytest.raises(DataLossError, match="2 of 3 values"):
        read_rig_motion([header, piece])
