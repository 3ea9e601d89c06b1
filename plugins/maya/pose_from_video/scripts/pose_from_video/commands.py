"""For scripts: what the window does, one call each, without a window; they return when it is in the scene.

::

    from pose_from_video import commands
    commands.import_video("/shots/jump.mp4", scene_frame=1001)
    commands.refine("jump_person_1", smoothing=0.2)
    commands.retarget("hero:root", person="jump_person_1")
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, List, Optional

from pose_shared.client import Client
from pose_shared.connection import DEFAULT_PORT
from pose_shared.console import wait_for
from pose_shared.errors import InputError
from pose_shared.import_settings import ImportSettings
from pose_shared.session import Delivery, RefineRequest, Result, Session
from pose_shared.solve_settings import SETTINGS, SolveSettings

from .baseline import read_baseline
from .host import MayaScene, scene_rate, up_axis, write_scene
from .scene_host import Placement

__all__ = ["RATES", "import_baseline", "import_video", "refine", "retarget"]

#: What to do where the scene runs at another rate than the film, as in Blender's add-on.
RATES = ("MATCH", "CONVERT", "KEEP")
_SERVER = f"127.0.0.1:{DEFAULT_PORT}"


def import_video(
    path: str,
    *,
    server: str = "",
    people: int = 0,
    frame_start: int = 0,
    frame_end: int = 0,
    scene_frame: Optional[int] = None,
    rate: str = "MATCH",
    sequence_fps: float = 0.0,
    fov: float = 0.0,
    focal_mm: float = 0.0,
    camera: str = "",
    add_camera: bool = True,
    add_film: bool = True,
    add_confidence: bool = False,
    **solve: Any,
) -> List[str]:
    """Import the people of a video into the scene.

    Parameters
    ----------
    path
        A film, or any picture of an image sequence.
    server
        Address of the pose server; that of the window's settings when empty.
    people
        Keep this many of the largest; 0 keeps all.
    frame_start, frame_end
        First film frame to import, counted from 0, and first one to leave out; 0 imports to the end.
    scene_frame
        Where the first imported frame goes; the first of the playback range when None.
    rate
        ``MATCH`` gives the scene the film's rate and range, ``CONVERT`` puts a key on each frame of the
        scene, ``KEEP`` a key at the time of each film frame.
    sequence_fps
        Of an image sequence; the scene's rate when 0.
    fov, focal_mm
        Of the lens, if known: degrees across the picture, or mm on a 36 mm sensor.
    camera
        ``auto`` or ``still``; the server's choice when empty.
    add_camera, add_film, add_confidence
        What to add beside the people.
    **solve
        ``smoothing``, ``height_m``, ``floor``, ``contacts``, as the server takes them.

    Returns
    -------
    list of str
        Sentences about it.

    Raises
    ------
    PoseError
        It cannot be done; the scene is as it was.
    """
    if rate not in RATES:
        raise InputError(
            f"There is no rate '{rate}'; choose from {', '.join(RATES)}.",
            reason="OPTION_INVALID",
            option="rate",
        )
    _check_solve(solve)
    scene = MayaScene()
    settings = ImportSettings(
        path=str(path),
        people=people,
        frame_start=frame_start,
        frame_end=frame_end,
        sequence_fps=sequence_fps,
        fov_deg=fov,
        focal_mm=focal_mm,
        camera=camera,
        solve=solve,
    )
    asked_rate = scene_rate() if rate == "CONVERT" else None
    request = settings.request(
        server or _server(scene), scene_rate(), Delivery(fps=asked_rate, joints_up=up_axis())
    )
    placement = Placement(
        clip_name=request.name,
        server=request.server,
        clip=request.clip,
        scene_frame=scene.first_frame() if scene_frame is None else scene_frame,
        first_source_frame=frame_start,
        match_rate=rate == "MATCH",
        asked_rate=asked_rate,
        camera=add_camera,
        film=add_film,
        confidence=add_confidence,
        solve=SolveSettings.of(solve),
    )
    session = Session(request)
    result = _result(session)
    notes = scene.write_import(result, placement)
    return [f"Imported {_count(result)} from {request.name}.", *session.notes, *notes]


def refine(person: Optional[str] = None, *, server: str = "", **solve: Any) -> List[str]:
    """Solve the clip of an imported person again; everybody in it gets the new motion, in a layer.

    Parameters
    ----------
    person
        Title, or any node of it; may be left out if there is only one.
    server
        Address of the pose server; the one that has made the import when empty.
    **solve
        As for `import_video`; what is left out stays.

    Returns
    -------
    list of str
        Sentences about it.

    Raises
    ------
    PoseError
        It cannot be done; the scene is as it was.
    """
    _check_solve(solve)
    scene = MayaScene()
    somebody = scene.find_person(person)
    request = RefineRequest(
        job=somebody.job,
        name=somebody.clip_name,
        server=server or somebody.server,
        options={**somebody.solve.options, **solve},
        delivery=Delivery(fps=somebody.asked_rate, joints_up=up_axis()),
    )
    session = Session(request)
    result = _result(session)
    notes = scene.write_refinement(result, request)
    return [f"Refined {_count(result)} from {request.name}.", *session.notes, *notes]


def retarget(
    character: str,
    *,
    person: Optional[str] = None,
    in_place: bool = False,
    root_motion: str = "root",
    hold_hands: bool = False,
    human_ik: bool = False,
    server: str = "",
) -> List[str]:
    """Move a character as an imported person does.

    Parameters
    ----------
    character
        Top of its skeleton or rig; with `human_ik`, its HumanIK definition.
    person
        As for `refine`.
    in_place
        Keep it over one place.
    root_motion
        ``root`` or ``hips``: which bone goes the way through the scene.
    hold_hands
        Hold hands where they touch, as feet where they stand.
    human_ik
        Let Maya's own solver do it, live, instead of the server.
    server
        As for `refine`.

    Returns
    -------
    list of str
        Sentences about it.

    Raises
    ------
    PoseError
        It cannot be done; the scene is as it was.
    """
    scene = MayaScene()
    somebody, moved = scene.find_person(person), scene.find_character(character)
    if human_ik != moved.human_ik:
        raise InputError(
            f"'{character}' is {'a' if moved.human_ik else 'no'} HumanIK definition; "
            f"retarget with human_ik={moved.human_ik}, or name another character.",
            reason="NO_CHARACTER",
        )
    if human_ik:
        notes = scene.drive_by_human_ik(moved, somebody)
        return [f"'{moved.title}' follows '{somebody.title}' through HumanIK.", *notes]
    options = {
        "in_place": in_place,
        "root_motion": root_motion,
        "relock": ("legs", "arms") if hold_hands else ("legs",),
        "fps": somebody.asked_rate,
    }
    rig = scene.describe_rig(moved)
    with Client(server or somebody.server) as client:
        motion = client.retarget(somebody.job, somebody.person, rig, options)
    notes = scene.write_rig_motion(moved, motion, somebody)
    kind = f" Taken for {motion.kind}." if motion.kind else ""
    return [f"'{moved.title}' moves as '{somebody.title}'.{kind}", *notes]


def import_baseline(path: str, *, fps: Optional[Fraction] = None) -> List[str]:
    """Import the ``3d_data.json`` of 3d-pose-baseline, as `maya_skeleton.py` does, onto joints that turn.

    Parameters
    ----------
    path
        The file.
    fps
        Of the clip that it came from; the scene's when None.

    Returns
    -------
    list of str
        Sentences about it.

    Raises
    ------
    PoseError
        It is no such file; the scene is as it was.
    """
    plan = read_baseline(Path(path), fps or scene_rate(), up=up_axis(), scene_rate=scene_rate())
    return [f"Imported one person from {Path(path).name}.", *write_scene(plan)]


def _check_solve(solve: Any) -> None:
    for name in solve:
        if name not in SETTINGS:
            raise InputError(
                f"There is no option '{name}'; choose from {', '.join(SETTINGS)}.",
                reason="OPTION_UNKNOWN",
                option=name,
            )


def _server(scene: MayaScene) -> str:
    return str(scene.load_settings().get("server") or _SERVER)


def _result(session: Session) -> Result:
    wait_for(session)
    return session.result()


def _count(result: Result) -> str:
    count = len(result.joints)
    return f"{count} {'person' if count == 1 else 'people'}"
