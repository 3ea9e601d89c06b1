"""The jobs of the server in Blender, and who of the people comes."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from blender_hosts import BlenderHost
from fake_pose_server import FakeServer
from PIL import Image
from pose_shared._generated.pose.v1 import jobs_pb2


def test_jobs_are_listed_picked_from_fetched_and_deleted(
    blender: BlenderHost, server: FakeServer, film: Path, tmp_path: Path
) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (60, 128), (200, 30, 30)).save(picture, "JPEG")
    server.thumbnail = picture.getvalue()
    now = time.time()
    spec = jobs_pb2.ImportSpec(media=jobs_pb2.Media(display_name="old.mp4"))
    failed = jobs_pb2.JOB_STATE_FAILED
    server.others = [jobs_pb2.Job(name="jobs/old", spec=spec, state=failed, create_time=now - 7300)]
    report = blender.run(
        "jobs",
        tmp_path,
        now=now,
        **{"import": {"filepath": str(film), "server": server.address, "floor": "steps"}},
    )

    assert "Nobody is waiting to be picked" in report["nobody asked"]
    assert report["asked"] == [
        ["Person 1", "in 100% of the frames", True],
        ["Person 2", "in 58% of the frames", True],
    ]
    assert report["pictures"] == [[60, 128]] * 2
    assert report["before picking"] == []
    assert "Nobody is chosen" in report["nobody chosen"]
    assert report["picked"] == ["dance person 2"]
    assert report["asked no more"]
    assert report["film"] == 1
    assert report["undone"] == []
    assert report["rows"] == [["dance.mp4", "Done, 2 people", "just now"], ["old.mp4", "Failed", "2 h ago"]]
    assert (report["left"], server.deleted) == (["jobs/dance"], ["jobs/old"])
    assert "The list has no job 'jobs/old'" in report["unlisted"]
    assert report["fetched"] == ["dance person 1", "dance person 2"]
    assert report["record"] == ["jobs/dance", "dance", 101, "steps"]
    assert report["first key"] == pytest.approx(101)
