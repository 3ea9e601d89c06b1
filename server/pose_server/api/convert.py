"""Between messages and our own objects, both ways."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pose_shared._generated.pose.v1 import jobs_pb2, motion_pb2, types_pb2, uploads_pb2
from pose_shared.errors import InputError, JobCancelledError, PoseError

from pose_server.cache.media import Media, MediaFile, Upload
from pose_server.engine.executor import ResultFile, StageProgress
from pose_server.jobs.model import Job, JobEvent, JobRequest, JobState
from pose_server.pipeline.calibration import Calibration
from pose_server.pipeline.camera_track import CameraTrack
from pose_server.pipeline.cleanup_options import CleanupOptions
from pose_server.pipeline.file_options import FileOptions
from pose_server.pipeline.options import LIFTERS, ImportOptions, Moment
from pose_server.pipeline.progress import FoundPerson
from pose_server.pipeline.solve_options import ContactEdit, PartFilter, SolveOptions
from pose_server.pipeline.tracking_options import Click, Merge, Part, TrackingOptions

if TYPE_CHECKING:
    from pose_server.export.channels import HostMotion
    from pose_server.export.joints import JointCurves

__all__ = [
    "event_message",
    "header_message",
    "id_of",
    "job_message",
    "rate_of",
    "refinement_of",
    "request_of",
    "solve_options_of",
    "upload_message",
]

_DEFAULTS = ImportOptions()
_NO_DISTORTION = (0.0,) * 5


def id_of(name: str, collection: str) -> str:
    """Return the id in a name such as ``jobs/<id>``.

    Raises
    ------
    InputError
        It is no name of that collection (``NAME_INVALID``).
    """
    match = re.fullmatch(rf"{collection}/([0-9a-z]+)", name)
    if not match:
        raise InputError(
            f"'{name[:80]}' is no name such as {collection}/<id>.", reason="NAME_INVALID", name=name[:80]
        )
    return match[1]


def request_of(spec: jobs_pb2.ImportSpec) -> JobRequest:
    """Read what a client asks for; raises `InputError` for what cannot be."""
    media = spec.media
    files = tuple(MediaFile(id_of(file.upload, "uploads"), file.file_name) for file in media.uploaded.files)
    return JobRequest(
        media=Media(display_name=media.display_name, files=files, path=media.path or None),
        options=ImportOptions(
            people=spec.people or None,
            persons=tuple(spec.persons),
            start=_moment_of(spec.start) if spec.HasField("start") else None,
            end=_moment_of(spec.end) if spec.HasField("end") else None,
            fps=rate_of(spec.fps) if spec.HasField("fps") else None,
            input_fps=rate_of(spec.input_fps) if spec.HasField("input_fps") else None,
            fov_deg=spec.fov_deg if spec.HasField("fov_deg") else None,
            focal_mm=spec.focal_mm if spec.HasField("focal_mm") else None,
            sensor_mm=spec.sensor_mm if spec.HasField("sensor_mm") else None,
            calibration=_calibration_of(spec.calibration) if spec.HasField("calibration") else None,
            camera=spec.camera or _DEFAULTS.camera,
            camera_track=_track_of(spec.camera_track) if spec.HasField("camera_track") else None,
            detector=_detector_of(spec.detector),
            detector_score=spec.detector_score if spec.HasField("detector_score") else None,
            tracking=_tracking_of(spec.tracking),
            lifter=_lifter_of(spec.lifter),
            cleanup=_cleanup_of(spec.cleanup),
            files=_files_of(spec.files),
            solve=solve_options_of(spec.solve, _DEFAULTS.solve),
            formats=tuple(spec.formats) or _DEFAULTS.formats,
            allow_truncated=spec.allow_truncated,
        ),
    )


def refinement_of(job: Job, spec: jobs_pb2.SolveSpec) -> JobRequest:
    """Read how a client wants the result of a finished job solved again.

    Raises
    ------
    InputError
        A value is not possible, or is about somebody who is not in the result.
    """
    options = job.request.options
    solve = solve_options_of(spec, options.solve)
    solve.numbered(job.people)
    return dataclasses.replace(job.request, options=dataclasses.replace(options, solve=solve), refines=job.id)


def solve_options_of(spec: jobs_pb2.SolveSpec, otherwise: SolveOptions) -> SolveOptions:
    """Read how to solve; what the message leaves open is as in `otherwise`.

    Raises
    ------
    InputError
        A value is not possible.
    """
    changes: dict[str, Any] = {
        name: getattr(spec, name) for name in ("smoothing", "floor", "contacts") if spec.HasField(name)
    }
    if spec.HasField("height_m"):
        changes["height_m"] = spec.height_m or None
    if spec.HasField("edits"):
        changes["edits"] = tuple(
            ContactEdit(edit.person, edit.point, edit.first_frame, edit.last_frame, edit.on)
            for edit in spec.edits.edits
        )
    if spec.HasField("filters"):
        changes["filters"] = tuple(
            PartFilter(one.part, one.name, tuple(one.values)) for one in spec.filters.filters
        )
    return dataclasses.replace(otherwise, **changes)


def rate_of(message: types_pb2.Rate) -> Fraction:
    """Read a rate; raises `InputError` for one over zero."""
    if message.denominator <= 0:
        raise InputError(
            f"The rate {message.numerator}/{message.denominator} is not possible; give a positive fraction.",
            reason="RATE_INVALID",
        )
    return Fraction(message.numerator, message.denominator)


def job_message(job: Job, *, with_files: bool = True) -> jobs_pb2.Job:
    """Return a job as a message; in lists without its media's files, its camera's track and its pictures."""
    people = job.people if with_files else [dataclasses.replace(one, thumbnail=b"") for one in job.people]
    message = jobs_pb2.Job(
        name=f"jobs/{job.id}",
        spec=_spec_message(job.request, with_files=with_files),
        state=_state(job.state),
        attempt=job.attempt,
        create_time=job.create_time,
        start_time=job.start_time or 0.0,
        end_time=job.end_time or 0.0,
        people=[_person_message(person) for person in people],
        files=[_file_message(file) for file in job.files],
        last_seq=job.last_seq,
        refines=f"jobs/{job.request.refines}" if job.request.refines else "",
    )
    if job.progress:
        message.progress.CopyFrom(_progress_message(job.progress))
    if job.state is JobState.CANCELLED:
        message.error.CopyFrom(_error_message(JobCancelledError("The job was cancelled.")))
    elif job.error:
        message.error.CopyFrom(_error_message(job.error))
    return message


def event_message(event: JobEvent | StageProgress | None, now: float) -> jobs_pb2.JobEvent:
    """Return what a watcher hears; None is a heartbeat."""
    if event is None:
        return jobs_pb2.JobEvent(time=now, heartbeat=jobs_pb2.Heartbeat())
    if isinstance(event, StageProgress):
        return jobs_pb2.JobEvent(time=now, progress=_progress_message(event))
    message = jobs_pb2.JobEvent(seq=event.seq, time=event.time)
    if isinstance(event.content, JobState):
        message.state = _state(event.content)
    elif isinstance(event.content, str):
        message.note = event.content
    else:
        message.people.people.extend(_person_message(person) for person in event.content)
        message.people.SetInParent()
    return message


def upload_message(upload: Upload) -> uploads_pb2.Upload:
    """Return the state of an upload as a message."""
    return uploads_pb2.Upload(
        name=f"uploads/{upload.sha256}",
        size_bytes=upload.size_bytes,
        received_bytes=upload.received_bytes,
        complete=upload.complete,
    )


def header_message(
    motion: HostMotion, source_rate: Fraction, joints: JointCurves | None = None
) -> motion_pb2.MotionHeader:
    """Return all of a motion but its channels, with joints in place of bones if there are some."""
    camera = motion.camera
    return motion_pb2.MotionHeader(
        clip_name=motion.clip_name,
        person=motion.person,
        rate=_rate_message(motion.rate),
        frame_count=motion.frame_count,
        start_time_s=motion.start_time_s,
        first_source_frame=motion.first_source_frame,
        source_rate=_rate_message(source_rate),
        bones=[
            motion_pb2.Bone(
                name=bone.name,
                parent=bone.parent,
                head_m=bone.head_m,
                tail_m=bone.tail_m,
                z_axis=bone.z_axis,
                joint=bone.name,
            )
            for bone in (motion.bones if joints is None else ())
        ],
        joints=[motion_pb2.Joint(**vars(joint)) for joint in (joints.joints if joints else ())],
        camera_rotation_order=joints.camera_order if joints else "",
        camera=motion_pb2.CameraView(
            world_to_camera=camera.world_to_camera.ravel().tolist(),
            intrinsics_px=camera.intrinsics_px,
            width=camera.width,
            height=camera.height,
        ),
        contact_names=motion.contact_names,
        weak_spans=[motion_pb2.WeakSpan(**vars(span)) for span in motion.weak_spans],
    )


def _detector_of(choice: str) -> str:
    """Read a detector's name and model; a path is nothing that a stranger may make a server open."""
    if not re.fullmatch(r"[\w-]*(:[\w-]+)?", choice):
        raise InputError(
            f"The server has no detector '{choice[:80]}'; name one as 'pose-server doctor' on that machine "
            "lists them, or use your own files without --server.",
            reason="DETECTOR_UNKNOWN",
            value=choice[:80],
        )
    return choice or _DEFAULTS.detector


def _lifter_of(name: str) -> str:
    """Read a lifter's name; a path is nothing that a stranger may make a server open."""
    if name and name not in LIFTERS:
        raise InputError(
            f"The server has no lifter '{name[:80]}'; choose from {', '.join(LIFTERS)}, "
            "or lift with your own checkpoint without --server.",
            reason="LIFTER_UNKNOWN",
            value=name[:80],
        )
    return name or _DEFAULTS.lifter


def _cleanup_of(message: jobs_pb2.CleanupSpec) -> CleanupOptions:
    changes: dict[str, Any] = {
        name: getattr(message, name) for name in ("gaps", "gap_limit_s", "repair") if message.HasField(name)
    }
    if message.HasField("smoothing"):
        changes["smoothing"] = CleanupOptions.parse_smoothing(message.smoothing)
    return dataclasses.replace(_DEFAULTS.cleanup, **changes)


def _cleanup_message(options: CleanupOptions) -> jobs_pb2.CleanupSpec:
    return jobs_pb2.CleanupSpec(
        gaps=options.gaps,
        gap_limit_s=options.gap_limit_s,
        repair=options.repair,
        smoothing=str(options.smoothing or "none"),
    )


def _files_of(message: jobs_pb2.FileSpec) -> FileOptions:
    return FileOptions(**{field.name: value for field, value in message.ListFields()})


def _files_message(options: FileOptions) -> jobs_pb2.FileSpec:
    return jobs_pb2.FileSpec(**options.to_dict())


def _tracking_of(message: jobs_pb2.TrackingSpec) -> TrackingOptions:
    def moment(owner: Any) -> Moment | None:
        return _moment_of(owner.at) if owner.HasField("at") else None

    return TrackingOptions(
        people_by=message.people_by or _DEFAULTS.tracking.people_by,
        clicks=tuple(Click(click.x_px, click.y_px, moment(click)) for click in message.clicks),
        splits=tuple(Part(split.person, moment(split)) for split in message.splits),
        merges=tuple(
            Merge(tuple(Part(part.person, moment(part)) for part in merge.parts)) for merge in message.merges
        ),
        reidentify=message.reidentify or _DEFAULTS.tracking.reidentify,
    )


def _moment_of(message: types_pb2.Moment) -> Moment:
    if message.WhichOneof("at") == "seconds":
        return Moment.parse(f"{message.seconds!r}s")
    return Moment.parse(str(message.frame))


def _calibration_of(message: jobs_pb2.Calibration) -> Calibration:
    numbers = tuple(message.intrinsics_px)
    return Calibration(
        image_size=(message.width, message.height),
        focal_px=numbers[:2],
        centre_px=numbers[2:],
        distortion=tuple(message.distortion) or _NO_DISTORTION,
    )


def _calibration_message(calibration: Calibration) -> jobs_pb2.Calibration:
    width, height = calibration.image_size
    return jobs_pb2.Calibration(
        width=width,
        height=height,
        intrinsics_px=(*calibration.focal_px, *calibration.centre_px),
        distortion=calibration.distortion,
    )


def _track_of(message: jobs_pb2.CameraTrack) -> CameraTrack:
    return CameraTrack(
        frames=tuple(message.frames),
        positions_m=_rows_of(message.positions_m, 3),
        rotations_wxyz=_rows_of(message.rotations_wxyz, 4),
        focal_mm=message.focal_mm if message.HasField("focal_mm") else None,
    )


def _rows_of(values: Sequence[float], size: int) -> Any:
    """Return numbers in rows; the last is short where some are missing."""
    return tuple(tuple(values[i : i + size]) for i in range(0, len(values), size))


def _track_message(track: CameraTrack) -> jobs_pb2.CameraTrack:
    return jobs_pb2.CameraTrack(
        frames=track.frames,
        positions_m=[number for row in track.positions_m for number in row],
        rotations_wxyz=[number for row in track.rotations_wxyz for number in row],
        focal_mm=track.focal_mm,
    )


def _spec_message(request: JobRequest, *, with_files: bool) -> jobs_pb2.ImportSpec:
    media, options = request.media, request.options
    message = jobs_pb2.ImportSpec(
        media=jobs_pb2.Media(display_name=media.display_name),
        people=options.people or 0,
        persons=options.persons,
        camera=options.camera,
        detector=options.detector,
        lifter=options.lifter,
        cleanup=_cleanup_message(options.cleanup),
        files=_files_message(options.files),
        tracking=_tracking_message(options.tracking),
        solve=_solve_message(options.solve),
        formats=options.formats,
        allow_truncated=options.allow_truncated,
    )
    if media.path:
        message.media.path = media.path
    elif with_files:
        for file in media.files:
            message.media.uploaded.files.add(upload=f"uploads/{file.sha256}", file_name=file.file_name)
    if options.camera_track is not None and with_files:
        message.camera_track.CopyFrom(_track_message(options.camera_track))
    for name in ("start", "end"):
        moment = getattr(options, name)
        if moment is not None:
            getattr(message, name).CopyFrom(_moment_message(moment))
    for name in ("fps", "input_fps"):
        rate = getattr(options, name)
        if rate is not None:
            getattr(message, name).CopyFrom(_rate_message(rate))
    if options.detector_score is not None:
        message.detector_score = options.detector_score
    if options.fov_deg is not None:
        message.fov_deg = options.fov_deg
    if options.focal_mm is not None:
        message.focal_mm = options.focal_mm
    if options.sensor_mm is not None:
        message.sensor_mm = options.sensor_mm
    if options.calibration is not None:
        message.calibration.CopyFrom(_calibration_message(options.calibration))
    return message


def _moment_message(moment: Moment | None) -> types_pb2.Moment | None:
    return None if moment is None else types_pb2.Moment(frame=moment.frame, seconds=moment.seconds)


def _tracking_message(options: TrackingOptions) -> jobs_pb2.TrackingSpec:
    def part(one: Part) -> jobs_pb2.TrackPart:
        return jobs_pb2.TrackPart(person=one.person, at=_moment_message(one.at))

    return jobs_pb2.TrackingSpec(
        people_by=options.people_by,
        clicks=[
            jobs_pb2.Click(x_px=click.x_px, y_px=click.y_px, at=_moment_message(click.at))
            for click in options.clicks
        ],
        splits=[part(split) for split in options.splits],
        merges=[jobs_pb2.TrackMerge(parts=[part(one) for one in merge.parts]) for merge in options.merges],
        reidentify=options.reidentify,
    )


def _solve_message(options: SolveOptions) -> jobs_pb2.SolveSpec:
    return jobs_pb2.SolveSpec(
        smoothing=options.smoothing,
        height_m=options.height_m or 0.0,
        floor=options.floor,
        contacts=options.contacts,
        edits=jobs_pb2.ContactEdits(edits=[jobs_pb2.ContactEdit(**vars(edit)) for edit in options.edits]),
        filters=jobs_pb2.PartFilters(filters=[jobs_pb2.PartFilter(**vars(one)) for one in options.filters]),
    )


def _state(state: JobState) -> Any:
    return jobs_pb2.JobState.Value(f"JOB_STATE_{state}")


def _rate_message(rate: Fraction) -> types_pb2.Rate:
    return types_pb2.Rate(numerator=rate.numerator, denominator=rate.denominator)


def _progress_message(progress: StageProgress) -> jobs_pb2.StageProgress:
    return jobs_pb2.StageProgress(**vars(progress))


def _person_message(person: FoundPerson) -> jobs_pb2.Person:
    spans = [jobs_pb2.FrameSpan(first_frame=first, last_frame=last) for first, last in person.spans]
    return jobs_pb2.Person(**{**vars(person), "spans": spans})


def _file_message(file: ResultFile) -> jobs_pb2.ResultFile:
    return jobs_pb2.ResultFile(**vars(file))


def _error_message(error: PoseError) -> types_pb2.Error:
    return types_pb2.Error(**error.to_dict())
