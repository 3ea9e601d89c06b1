"""A camera that travels: what it sees is the same world, and what is not known of its way, steps tell."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from pose_server.pipeline.boundary import CameraPath
from pose_server.pipeline.camera import project
from pose_server.pipeline.kinematics import global_rotations, joint_positions
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.solve.clip import solve_clip
from pose_server.solve.contacts import SOLES, contact_points
from pose_server.solve.travel import Soles, way_of
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation

RATE_HZ = 30.0
DISTANCE_M = 6.0


def dolly(frames, speed_m_s=0.5):
    """On a rail that runs along and into the picture, panning to and fro."""
    t = np.arange(frames) / RATE_HZ
    places = np.stack([speed_m_s * t, 0.05 * np.sin(5 * t), 0.4 * speed_m_s * t], axis=1)
    return Rotation.from_rotvec(0.15 * np.sin(t)[:, None] * [0.2, 1.0, 0.1]).as_matrix(), places


def orbit(frames, angle_rad=2.6):
    """Around what is ahead of it, and looking there: at the end, the first picture's plane is behind it."""
    angle = np.linspace(0, angle_rad, frames)
    turns = Rotation.from_rotvec(angle[:, None] * [0.0, 1.0, 0.0]).as_matrix()
    ahead = np.array([0.0, 0.0, DISTANCE_M])
    return turns, ahead - turns.transpose(0, 2, 1) @ ahead


def filmed(take, turns, places):
    """Return the take as a camera sees it that leaves the place of its first frame."""
    points = take.pose.joints_root_m + take.pose.root_camera_m[:, None]
    seen = (points - places[:, None]) @ np.swapaxes(turns, 1, 2)
    root = ((take.pose.root_camera_m - places)[:, None] @ np.swapaxes(turns, 1, 2))[:, 0]
    return take.seen(
        keypoints_px=project(seen, take.camera.matrix),
        joints_root_m=seen - root[:, None],
        root_camera_m=root,
    )


def solved(takes, path, **options):
    motions = solve_clip(
        [take.track for take in takes],
        [take.pose for take in takes],
        takes[0].camera,
        rate=takes[0].rate,
        fps=options.pop("fps", None),
        options=SolveOptions(**options),
        progress=SilentProgress(),
        path=path,
    )
    return motions if len(takes) > 1 else motions[0]


def camera_way(motion):
    """Return (T, 3) where a motion has the camera in the world."""
    turns, shifts = motion.world_to_camera[:, :3, :3], motion.world_to_camera[:, :3, 3]
    return -np.einsum("tij,ti->tj", turns, shifts)


def way_factor(motion, places):
    found = camera_way(motion)
    return np.linalg.norm(found - found[0]) / np.linalg.norm(places - places[0])


def grounded(studio, local, **camera):
    """Film poses whose lowest sole stays where it stands."""
    body, frames = studio.body, len(local)
    joints = joint_positions(local, np.zeros((frames, 3)), body.rest_offsets_m, SKELETON.parents)
    soles = contact_points(joints, global_rotations(local, SKELETON.parents), body)[:, :SOLES]
    low = soles[1:, :, 2].argmin(axis=1)
    steps = -np.take_along_axis(np.diff(soles, axis=0), low[:, None, None], axis=1)[:, 0]
    root = np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])
    root[:, :2] -= root[:, :2].mean(axis=0)
    root[:, 2] = -soles[..., 2].min(axis=1)
    return studio.film(local, root, distance_m=DISTANCE_M, **camera)


@pytest.fixture(scope="module")
def squatting(studio):
    """Both feet stand, knees bend, arms wave."""
    t = np.arange(100) / RATE_HZ
    bend, wave, zero = 25 + 15 * np.sin(3 * t), 30 * np.sin(4 * t), 0 * t
    legs = {
        side + part: np.stack([factor * bend, zero, zero], axis=1)
        for side in ("left_", "right_")
        for part, factor in (("hip", -1), ("knee", 2), ("ankle", -1))
    }
    arms = {"left_shoulder": np.stack([zero, 60 + wave, zero], axis=1), "right_shoulder": (0, -70, 0)}
    return grounded(studio, studio.posed(len(t), pelvis=(0, 0, -30), **legs, **arms))


@pytest.fixture(scope="module")
def striding(studio):
    return grounded(studio, studio.walk(seconds=4.0).local_wxyz)


@pytest.mark.parametrize("move", [dolly, orbit])
def test_a_travelling_camera_sees_the_same_motion(studio, squatting, move):
    turns, places = move(len(squatting.track))
    path = CameraPath(squatting.track.indices, turns, places, metric=True)
    height_m = studio.body.height_m
    still = solved([squatting], None, height_m=height_m)
    moving = solved([filmed(squatting, turns, places)], path, height_m=height_m)
    off = np.linalg.norm(moving.joints_world_m - still.joints_world_m, axis=2)
    assert off.max() < 0.01 and off.mean() < 0.003
    np.testing.assert_allclose(moving.contacts, still.contacts, atol=0.05)
    # The world's camera goes the way it went, and lays the skeleton on the film.
    assert way_factor(moving, places) == pytest.approx(1, abs=1e-6)
    assert np.nanmedian(moving.reprojection_px) < np.nanmedian(still.reprojection_px) + 0.5


def test_resampled_it_lies_on_the_film_as_before(squatting):
    turns, places = dolly(len(squatting.track))
    path = CameraPath(squatting.track.indices, turns, places, metric=True)
    motion = solved([filmed(squatting, turns, places)], path, fps=Fraction(50))
    np.testing.assert_allclose(
        motion.joints_camera_m[:, 0],
        (motion.joints_world_m[:, :1] @ np.swapaxes(motion.world_to_camera[:, :3, :3], 1, 2))[:, 0]
        + motion.world_to_camera[:, :3, 3],
    )
    assert np.nanmedian(motion.reprojection_px) < 5


@pytest.mark.parametrize("factor", [0.02, 1.0, 40.0])
def test_steps_tell_how_long_the_way_was(studio, striding, factor):
    turns, places = dolly(len(striding.track))
    take = filmed(striding, turns, places)
    path = CameraPath(striding.track.indices, turns, places * factor)
    assert way_factor(solved([take], path), places) == pytest.approx(1, abs=0.07)
    # Of a larger actor it is longer.
    tall = solved([take], path, height_m=1.2 * studio.body.height_m)
    assert way_factor(tall, places) == pytest.approx(1.2, abs=0.08)


def test_a_way_in_metres_tells_the_size(striding):
    """Everything is a fifth larger than bodies are by custom."""
    turns, places = orbit(len(striding.track), 1.0)
    take = filmed(striding, turns, places)
    path = CameraPath(striding.track.indices, turns, 1.2 * places, metric=True)
    motion = solved([take], path)
    usual = solved([striding], None)
    assert way_factor(motion, 1.2 * places) == pytest.approx(1)
    size = np.linalg.norm(motion.rest_offsets_m) / np.linalg.norm(usual.rest_offsets_m)
    assert size == pytest.approx(1.2, abs=0.07)
    # A height that is given is nobody's guess.
    given = solved([take], path, height_m=1.7)
    assert np.linalg.norm(given.rest_offsets_m) < np.linalg.norm(motion.rest_offsets_m)
    assert way_factor(given, 1.2 * places) == pytest.approx(1)


def test_two_people_share_one_camera(studio, striding, squatting):
    frames = len(squatting.track)
    turns, places = dolly(frames)
    beside = squatting.seen(root_camera_m=squatting.pose.root_camera_m + np.array([1.0, 0.0, 0.5]))
    people = [filmed(take, turns, places) for take in (striding.rows(slice(frames)), beside)]
    path = CameraPath(squatting.track.indices, turns, places * 3)
    for options in ({}, {"height_m": 1.5}):
        one, other = solved(people, path, **options)
        np.testing.assert_allclose(one.world_to_camera, other.world_to_camera, atol=1e-9)


def test_a_world_that_is_given_stays(squatting):
    turns, places = dolly(len(squatting.track))
    world = np.eye(4)
    up = squatting.up_camera
    east = np.cross([0.0, 0.0, 1.0], up) / np.linalg.norm(np.cross([0.0, 0.0, 1.0], up))
    world[:3, :3] = np.stack([east, np.cross(up, east), up])
    world[:3, 3] = [10.0, -20.0, 31.4]
    path = CameraPath(squatting.track.indices, turns, places, metric=True, world=world)
    motion = solved([filmed(squatting, turns, places)], path)
    np.testing.assert_allclose(motion.world_to_camera[0] @ world, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(camera_way(motion), places @ world[:3, :3].T + world[:3, 3], atol=1e-9)
    lowest = motion.joints_world_m[:, SKELETON.index("left_toe"), 2]
    assert np.ptp(lowest) < 0.01 and abs(lowest.mean() - 30.05) < 0.15  # the floor, where it is


def seen_soles(places, *, noise=0.0, told=True, steps=True):
    rng = np.random.default_rng(3)
    frames = len(places)
    rows = np.arange(frames)
    world = np.tile([0.0, 1.0, 5.0], (frames, 4, 1))
    stance = np.zeros((frames, 4))
    for foot, phase in ((0, 0), (1, 0), (2, 15), (3, 15)):
        at = (rows + phase) % 30
        stance[:, foot] = at < 18
        # A step every second, in the time between.
        world[:, foot, 0] = (rows + phase) // 30 + np.clip((at - 18) / 12, 0, 1)
    points = world - places[:, None] + noise * rng.normal(size=world.shape)
    root = world.mean(axis=1) - places
    trust = np.full((frames, 4), 1.0 if steps else 0.0)
    return Soles(points, trust, stance if told else None, places, root)


@pytest.mark.parametrize("told", [True, False])
def test_the_way_is_measured_with_its_error(told):
    places = dolly(150)[1]
    exact = way_of([seen_soles(places, told=told)], rate_hz=RATE_HZ)
    assert exact.factor == pytest.approx(1, abs=0.01)
    noisy = way_of([seen_soles(places, noise=0.01, told=told)], rate_hz=RATE_HZ)
    assert abs(np.log(noisy.factor)) < 3 * noisy.error < 0.3
    both = way_of([seen_soles(places, noise=0.01, told=told)] * 2, rate_hz=RATE_HZ)
    assert both.error < noisy.error
    stretched = seen_soles(places, told=told)
    stretched = stretched._replace(places=places / 7)
    assert way_of([stretched], rate_hz=RATE_HZ).factor == pytest.approx(7, rel=0.01)


def test_what_tells_nothing_is_no_way():
    places = dolly(150)[1]
    assert way_of([seen_soles(np.zeros_like(places))], rate_hz=RATE_HZ) is None
    assert way_of([], rate_hz=RATE_HZ) is None
    # No steps and a slow camera: the body may walk as well.
    blind = seen_soles(places, steps=False, told=False)
    assert way_of([blind], rate_hz=RATE_HZ) is None
    # A fast one around it: the body does not fly.
    fast = orbit(150)[1]
    around = seen_soles(fast, steps=False, told=False)
    assert way_of([around], rate_hz=RATE_HZ).factor == pytest.approx(1, abs=0.3)
