"""Put a finished import into the scene, all of it or nothing, and a refined one over it."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Dict, List, Optional, Sequence, Tuple

import maya.api.OpenMaya as om
from maya import cmds
from pose_shared.errors import ConflictError, InputError, PoseError
from pose_shared.import_record import ImportRecord
from pose_shared.joint_motion import JointMotion
from pose_shared.joint_scene import SceneOptions, joint_scene
from pose_shared.maya_time import rate_of, unit_of
from pose_shared.scene_nodes import Curve, Film, JointScene, Node, Part
from pose_shared.session import RefineRequest, Result
from pose_shared.timing import SceneTiming

from ..scene_host import Placement
from .curves import Destination, write_curves
from .film import add_film
from .human_ik import add_character, ready_human_ik
from .layers import add_layer, add_link, linked
from .nodes import add_namespace, add_nodes, destinations_of
from .record import ImportedPart, imported_parts, list_weak_spans, record_on
from .undo_step import UndoStep, undo_step

__all__ = ["CHARACTER", "scene_rate", "up_axis", "write_import", "write_refinement", "write_scene"]

#: Attributes of top nodes by which they know a person's HumanIK character, and the layer of a refinement.
CHARACTER, _LAYER = "poseCharacter", "poseLayer"
_SAME_RAD = 1e-3


@dataclass
class _Written:
    """What came of writing a scene: the top nodes by namespace of the plan, and sentences."""

    tops: Dict[str, str] = field(default_factory=dict)
    notes: List[str] = field(default_factory=list)


def scene_rate() -> Fraction:
    """Return the scene's frames per second, exactly."""
    return rate_of(cmds.currentUnit(query=True, time=True))


def up_axis() -> str:
    """Return ``y`` or ``z``."""
    return str(cmds.upAxis(query=True, axis=True))


def write_import(result: Result, placement: Placement) -> List[str]:
    """Add the people of a result, and the camera of the clip, in one undo step.

    Parameters
    ----------
    result
        With at least one person's joints.
    placement
        How.

    Returns
    -------
    list of str
        Sentences for the user that are no errors.

    Raises
    ------
    PoseError
        It cannot be; the scene is as it was.
    """
    motions = list(result.joints)
    if not motions:
        raise InputError("Nobody was picked; pick at least one person.", reason="NOBODY_PICKED")
    notes: List[str] = []
    rate, unit = scene_rate(), None
    if placement.match_rate:
        unit = unit_of(motions[0].rate)
        if unit is None:
            notes.append(
                f"Maya has no time unit for {float(motions[0].rate):g} frames per second; "
                "the scene keeps its own, and keys lie at their times."
            )
        else:
            rate = rate_of(unit)
    record = ImportRecord(
        job=result.job,
        clip_name=placement.clip_name,
        server=placement.server,
        scene_rate=rate,
        scene_frame=placement.scene_frame,
        first_source_frame=placement.first_source_frame,
        asked_rate=placement.asked_rate,
        confidence=placement.confidence,
        solve=placement.solve,
    )
    options = SceneOptions(
        confidence=placement.confidence,
        camera=placement.camera,
        film=placement.clip if placement.film else None,
        record=record.texts(),
    )
    plan = joint_scene(placement.clip_name, motions, record.timing(motions[0].source_rate), options)
    return notes + write_scene(plan, unit=unit, records=(record, motions))


def write_scene(
    plan: JointScene,
    *,
    unit: Optional[str] = None,
    records: Optional[Tuple[ImportRecord, Sequence[JointMotion]]] = None,
) -> List[str]:
    """Add a scene of joints to Maya's, in one undo step.

    Parameters
    ----------
    plan
        What.
    unit
        Time unit to give the scene, with the plan's range; it stays as it is when None. Animation that is
        there keeps its timing in seconds.
    records
        What people remember beside the plan: their weak spans.

    Returns
    -------
    list of str
        Sentences for the user that are no errors.

    Raises
    ------
    ConflictError
        Another axis of the scene points up by now (``SCENE_TURNED``).
    InternalError
        Maya refuses it; nothing is left behind.
    """
    if plan.up != up_axis():
        raise ConflictError(
            f"The scene has {up_axis().upper()} up, and the motion {plan.up.upper()}; import the clip again.",
            reason="SCENE_TURNED",
        )
    has_human_ik = ready_human_ik() if any(person.human_ik for person in plan.people) else True
    written = _Written()
    if not has_human_ik:
        written.notes.append("HumanIK is not installed here, so that nobody became a HumanIK character.")
    with undo_step("Import Pose from Video") as step:
        destinations: List[Destination] = []
        for namespace, part in plan.parts.items():
            destinations += _add_part(step, part, namespace, plan.film, written, has_human_ik)
        write_curves(destinations)
        if records:
            record, motions = records
            for person, motion in zip(plan.people, motions):
                list_weak_spans(written.tops[person.namespace], record, motion)
        if unit:
            _match(step, unit, plan)
    return written.notes


def _add_part(
    step: UndoStep, part: Part, wanted: str, film: Optional[Film], written: _Written, has_human_ik: bool
) -> List[Destination]:
    """Add a part; return where its keys go."""
    namespace = add_namespace(wanted)
    step.take_back_by(partial(_remove_namespace, namespace))
    paths = add_nodes(part, namespace)
    top = paths[part.nodes[0].name]
    written.tops[wanted] = top
    destinations = list(destinations_of(part, namespace, paths).values())
    if part.human_ik and has_human_ik:
        # The joints stand in their T-pose as long as nothing is keyed.
        joints = {body_part: paths[joint] for joint, body_part in part.human_ik.items()}
        try:
            character = add_character(step, f"{namespace}_HumanIK", joints)
        except PoseError as error:
            written.notes.append(error.message)
        else:
            add_link(top, CHARACTER, character)
    if film and not part.person:
        try:
            destinations.append(add_film(paths[part.nodes[-1].name], film, namespace))
        except RuntimeError as error:
            why = str(error).strip().rstrip(".")
            written.notes.append(f"The camera shows no film, because Maya cannot open it: {why}.")
    return destinations


def _remove_namespace(namespace: str) -> None:
    cmds.namespace(removeNamespace=f":{namespace}", deleteNamespaceContent=True)


def _match(step: UndoStep, unit: str, plan: JointScene) -> None:
    names = ("animationStartTime", "minTime", "maxTime", "animationEndTime")
    had_unit = cmds.currentUnit(query=True, time=True)
    had = {name: cmds.playbackOptions(query=True, **{name: True}) for name in names}
    step.take_back_by(partial(cmds.playbackOptions, **had))
    step.take_back_by(partial(cmds.currentUnit, time=had_unit, updateAnimation=True))
    cmds.currentUnit(time=unit, updateAnimation=True)
    ends = (plan.first_frame, plan.first_frame, plan.last_frame, plan.last_frame)
    cmds.playbackOptions(**dict(zip(names, ends)))


def write_refinement(result: Result, request: RefineRequest) -> List[str]:
    """Give everything that came from a job the motion of another one, in one undo step.

    It lies in an animation layer over the keys of the import, which stay; that of an earlier refinement goes.
    Bone lengths change with it.

    Returns
    -------
    list of str
        Sentences for the user that are no errors.

    Raises
    ------
    ConflictError
        Nothing in the scene comes from the job that was refined (``IMPORT_GONE``), or its joints are
        turned another way at rest than those that were refined (``REST_POSE_CHANGED``).
    """
    parts = imported_parts(request.job)
    motions = {motion.person: motion for motion in result.joints}
    parts = [part for part in parts if not part.person or part.person in motions]
    if not parts or not motions:
        raise ConflictError(
            f"The people of '{request.name}' were deleted meanwhile; import the clip again.",
            reason="IMPORT_GONE",
        )
    notes: List[str] = []
    with undo_step("Refine Pose from Video") as step:
        layers: Dict[str, str] = {}
        for scene_record, group in _by_placement(parts).items():
            plan = _plan(request.name, list(motions.values()), scene_record)
            curves: Dict[str, Curve] = {}
            for part in group:
                curves.update(_refined_curves(part, plan, notes))
            layer = add_layer(step, f"{plan.people[0].namespace.rpartition('_person_')[0]}_refined", curves)
            layers.update({part.top: layer for part in group})
        for part in parts:
            earlier = linked(part.top, _LAYER)
            add_link(part.top, _LAYER, layers[part.top])
            if earlier and cmds.objExists(earlier):
                cmds.delete(earlier)
            record_on(part.top, part.record.refined(result.job, request.options))
            if part.person:
                list_weak_spans(part.top, part.record, motions[part.person])
    return notes


def _by_placement(parts: Sequence[ImportedPart]) -> Dict[SceneTiming, List[ImportedPart]]:
    """Group what came from one job by where on the time line it lies: it may have been imported twice."""
    groups: Dict[SceneTiming, List[ImportedPart]] = {}
    for part in parts:
        groups.setdefault(part.record.timing(Fraction(1)), []).append(part)
    return groups


def _plan(name: str, motions: Sequence[JointMotion], placed: SceneTiming) -> JointScene:
    timing = SceneTiming(
        placed.scene_rate, motions[0].source_rate, placed.first_source_frame, placed.scene_frame
    )
    return joint_scene(name, motions, timing, SceneOptions(confidence=True))


def _refined_curves(part: ImportedPart, plan: JointScene, notes: List[str]) -> Dict[str, Curve]:
    """Return the curves of a part by the plugs of the scene that they go to."""
    planned = next((person for person in plan.people if person.person == part.person), plan.camera)
    assert planned is not None
    paths = {node.name: part.node(node.name) for node in planned.nodes}
    lost = sorted(name for name, path in paths.items() if not path)
    if lost:
        notes.append(f"'{part.namespace}' has no {', '.join(lost)} any more; the rest was refined.")
    curves: Dict[str, Curve] = {}
    for curve in (*planned.curves, *_still(planned)):
        path = paths[curve.node]
        if path and cmds.attributeQuery(curve.attribute, node=path, exists=True):
            curves[f"{path}.{curve.attribute}"] = curve
    for node in planned.nodes:
        if node.type == "joint" and paths[node.name]:
            _check_rest(paths[node.name], node)
    return curves


def _still(part: Part) -> List[Curve]:
    """Return what a refinement may change although it does not move: lengths, and a camera that stands."""
    first_s = array("d", part.curves[0].times_s[:1]) if part.curves else array("d", [0.0])
    keyed = {(curve.node, curve.attribute) for curve in part.curves}
    return [
        Curve(node.name, attribute.name, attribute.kind, first_s, array("f", [float(attribute.value)]))
        for node in part.nodes
        for attribute in node.attributes
        if attribute.name.startswith(("translate", "rotate"))
        and attribute.kind in ("distance", "angle")
        and (node.name, attribute.name) not in keyed
    ]


def _check_rest(path: str, node: Node) -> None:
    """See whether a joint's axes at rest are those that its new angles are about."""
    for attribute in node.attributes:
        if attribute.name.startswith("jointOrient"):
            there = om.MAngle.uiToInternal(cmds.getAttr(f"{path}.{attribute.name}"))
            if abs(there - float(attribute.value)) > _SAME_RAD:
                raise ConflictError(
                    f"'{path.rpartition('|')[2]}' has another joint orientation than when it was imported; "
                    "import the clip again.",
                    reason="REST_POSE_CHANGED",
                )
