"""A person's motion and files, as hosts fetch them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import grpc
import numpy as np
import pytest
from made_motion import FRAMES, RATE, make_motion
from pose_server.export.channels import host_channels
from pose_server.export.joints import person_curves
from pose_server.export.npz import read_npz, write_npz
from pose_server.solve.resample import resampled
from pose_shared._generated.pose.v1 import motion_pb2, motion_pb2_grpc
from pose_shared.client import Client
from pose_shared.errors import ConflictError, DataLossError, InputError, NotFoundError
from pose_shared.joint_motion import read_joint_motion
from pose_shared.messages import Job
from pose_shared.motion import WeakSpan, read_motion
from pose_shared.skeleton import SKELETON
from serving import RunningServer, servers, wait_for


@pytest.fixture(scope="module")
def npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("motion") / "motion.npz"
    motion = make_motion()
    motion.confidence[100:200, SKELETON.index("left_wrist")] = 0.1
    write_npz(path, motion)
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, npz: Path) -> Iterator[RunningServer]:
    with servers(tmp_path_factory.mktemp("server")) as start:
        yield start(MOTION_NPZ=npz)


@pytest.fixture(scope="module")
def job(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Job:
    film = tmp_path_factory.mktemp("film") / "jump.mp4"
    film.write_bytes(b"film")
    with Client(server.address) as client:
        return client.import_clip(film, {})


def test_channels_arrive_as_they_were_exported(client: Client, job: Job, npz: Path) -> None:
    motion = client.get_motion(job, 1)
    wanted = host_channels(read_npz(npz), clip_name="jump.mp4", person=1)
    assert (motion.clip_name, motion.person, motion.frame_count) == ("jump.mp4", 1, FRAMES)
    assert (motion.rate, motion.source_rate) == (RATE, Fraction(25))
    assert (motion.first_source_frame, motion.contact_names) == (7, ("left_heel",))
    assert motion.start_time_s == pytest.approx(7 / float(RATE), abs=1e-12)
    assert motion.channels.keys() == wanted.channels.keys()
    for name, values in wanted.channels.items():
        np.testing.assert_array_equal(np.array(motion.channels[name], np.float32), values)
    for bone, expected in zip(motion.bones, wanted.bones, strict=True):
        assert (bone.name, bone.parent, bone.joint) == (expected.name, expected.parent, expected.name)
        np.testing.assert_allclose([bone.head_m, bone.tail_m], [expected.head_m, expected.tail_m], atol=1e-6)
    assert motion.camera.world_to_camera == tuple(np.eye(4).ravel())
    assert (motion.camera.width, motion.camera.height) == (640, 360)
    assert [vars(span) for span in motion.weak_spans] == [vars(span) for span in wanted.weak_spans]
    assert motion.weak_spans[0] == WeakSpan(107, 206, "gap", ("left_wrist",))
    assert motion.camera.intrinsics_px == wanted.camera.intrinsics_px


def test_another_rate_is_resampled(client: Client, job: Job, npz: Path) -> None:
    motion = client.get_motion(job, 1, fps=24)
    wanted = host_channels(resampled(read_npz(npz), Fraction(24)), clip_name="jump.mp4", person=1)
    assert (motion.rate, motion.frame_count) == (Fraction(24), wanted.frame_count)
    assert list(motion.channels["pelvis/location/x"]) == wanted.channels["pelvis/location/x"].tolist()
    assert client.get_motion(job, 1, fps=RATE).frame_count == FRAMES


@pytest.mark.parametrize("up", ["y", "z"])
def test_joints_come_where_they_are_asked_for(client: Client, job: Job, npz: Path, up: str) -> None:
    motion = client.get_joint_motion(job, 1, up)
    wanted = person_curves(read_npz(npz), up=up)
    assert set(motion.channels) == set(wanted.channels)
    for name, values in wanted.channels.items():
        assert list(motion.channels[name]) == values.tolist()
    assert [vars(joint) for joint in motion.joints] == [vars(joint) for joint in wanted.joints]
    assert (motion.up, motion.camera_rotation_order) == (up, wanted.camera_order)
    assert client.get_joint_motion(job, 1, up, fps=24).rate == Fraction(24)


def test_an_axis_that_is_none_is_refused(client: Client, job: Job) -> None:
    with pytest.raises(InputError, match="choose from y, z"):
        client.get_joint_motion(job, 1, "x")


def test_a_server_that_is_older_than_joints_is_named() -> None:
    header = motion_pb2.MotionHeader(frame_count=0, rate={"numerator": 25, "denominator": 1})
    with pytest.raises(ConflictError, match="update the server"):
        read_joint_motion([motion_pb2.MotionChunk(header=header)], "y")


def test_what_is_not_there_is_refused(client: Client, job: Job) -> None:
    for person in (0, 2, -1, 10**6):
        with pytest.raises(NotFoundError):
            client.get_motion(job, person)
    with pytest.raises(NotFoundError):
        client.get_motion("jobs/none", 1)
    for fps in (0, 100_000):
        with pytest.raises(InputError):
            client.get_motion(job, 1, fps=fps)


def test_a_job_without_result_is_said(client: Client, tmp_path: Path) -> None:
    film = tmp_path / "a.mp4"
    film.write_bytes(b"film")
    running = client.create_job(client.upload_clip(film), {"detector": "steps:1000"})
    wait_for(lambda: client.get_job(running).progress)
    with pytest.raises(ConflictError) as caught:
        client.get_motion(running, 1)
    assert caught.value.reason == "JOB_NOT_SUCCEEDED"
    client.cancel(running)


@pytest.mark.parametrize(
    "path", ["", "none.txt", "../../../jobs.sqlite3", "/etc/passwd", "person_01/../report.json", "person_01"]
)
def test_only_listed_files_are_handed_out(server: RunningServer, job: Job, path: str) -> None:
    with grpc.insecure_channel(server.address) as channel:
        call = motion_pb2_grpc.MotionServiceStub(channel).GetFile(
            motion_pb2.GetFileRequest(job=job.name, path=path)
        )
        with pytest.raises(grpc.RpcError) as caught:
            list(call)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_every_file_arrives_whole(client: Client, job: Job, npz: Path, tmp_path: Path) -> None:
    paths = client.download_result(job, tmp_path / "result")
    assert (tmp_path / "result" / "person_01" / "motion.npz").read_bytes() == npz.read_bytes()
    assert len(paths) == len(job.files)


def test_a_stream_that_was_cut_is_noticed() -> None:
    with pytest.raises(DataLossError):
        read_motion([])
    header = motion_pb2.MotionHeader(frame_count=3, rate={"numerator": 25, "denominator": 1})
    header.camera.intrinsics_px.extend([1, 1, 0, 0])
    piece = motion_pb2.ChannelPiece(channel="a", values=bytes(8))
    chunks = [motion_pb2.MotionChunk(header=header), motion_pb2.MotionChunk(piece=piece)]
    with pytest.raises(DataLossError, match="2 of 3"):
        read_motion(chunks)


def test_numbers_are_right_on_machines_of_the_other_byte_order(monkeypatch: pytest.MonkeyPatch) -> None:
    header = motion_pb2.MotionHeader(frame_count=2, rate={"numerator": 25, "denominator": 1})
    header.camera.intrinsics_px.extend([1, 1, 0, 0])
    monkeypatch.setattr(sys, "byteorder", "big")
    # What such a machine would read into memory from the little-endian bytes.
    piece = motion_pb2.ChannelPiece(channel="a", values=np.array([1.5, -2], ">f4").tobytes())
    chunks = [motion_pb2.MotionChunk(header=header), motion_pb2.MotionChunk(piece=piece)]
    assert list(read_motion(chunks).channels["a"]) == [1.5, -2.0]
