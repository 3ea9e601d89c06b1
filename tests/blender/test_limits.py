"""How fast the add-on is, what it refuses and how, and that it leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

from blender_hosts import BlenderHost
from dancers import Dancer
from fake_pose_server import FakeServer
from pose_shared.errors import MediaError

FRAMES, BONES = 10_000, 25
LIMIT_S = 2.0


def test_ten_thousand_frames_are_keyed_at_once(blender: BlenderHost, film: Path, tmp_path: Path) -> None:
    with FakeServer([Dancer(1, 0, FRAMES, extra_joints=2)]).running() as server:
        report = blender.run("speed", tmp_path, server=server.address, film=film)
    assert (report["frames"], report["bones"]) == (FRAMES, BONES)
    assert report["seconds"] < LIMIT_S
    assert report["refine seconds"] < LIMIT_S


def test_what_cannot_be_done_is_said_in_a_sentence(blender: BlenderHost, film: Path, tmp_path: Path) -> None:
    nobody = MediaError("Nobody was found in 'dance.mp4'; try another clip.", reason="NOBODY_FOUND")
    with FakeServer([], error=nobody).running() as server:
        report = blender.run("refusals", tmp_path, server=server.address, film=film, place=tmp_path)
    said = report["said"]
    assert "There is no file" in said["no file"]
    assert "is a single picture; pick a film" in said["one picture"]
    assert "either the field of view or the focal length" in said["two lenses"]
    assert "No pose server answers at 127.0.0.1:1" in said["no server"]
    assert "is no address of a server" in said["no address"]
    assert nobody.message in said["the server says no"]
    assert "'Camera' shows no perspective" in said["a flat camera"]
    assert "Blender cannot open 'nonsense.mp4'" in said["no film"]
    assert "The scene has no camera; choose one" in said["no camera"]
    assert "select an armature that was imported" in said["nothing to refine"]
    assert "No pose server answers at 127.0.0.1:1" in said["no server to test"]
    assert "'render-box:50551' is not on this machine" in said["server runs elsewhere"]
    assert "There is no command" in said["no command"]
    assert not any("Traceback" in sentence for sentence in said.values())
    assert report["untouched"]
    assert report["connection"] == ["FINISHED"]
    assert report["leftovers"] == []


def test_the_clip_that_the_user_looks_at_is_offered(blender: BlenderHost, film: Path, tmp_path: Path) -> None:
    found = blender.run("active_clip", tmp_path, film=film)
    offered = {name for name, path in found.items() if path == str(film)}
    assert offered == {"image empty", "image plane", "camera", "scene"}
    assert {path for name, path in found.items() if name not in offered} == {""}
