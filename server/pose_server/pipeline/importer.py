"""One import from clip to output folder: the stages in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_server import __version__
from pose_server.cache.stages import StageCache
from pose_server.cleanup.cleaning import cleaned_up
from pose_server.detect.detector import Detector
from pose_server.detect.registry import best_detector, create_detector
from pose_server.egomotion.following import FOLLOW_VERSION, Followed, followed
from pose_server.egomotion.lines import LINES_VERSION, Backdrop
from pose_server.egomotion.room import seen_room
from pose_server.egomotion.stillness import Stillness
from pose_server.export.formats import check_formats
from pose_server.keypoints.blank import BlankClip, open_blank
from pose_server.keypoints.clip import KeypointClip
from pose_server.keypoints.detector import KeypointDetector, keypoint_detector
from pose_server.lift.lifter import Lifter
from pose_server.lift.registry import create_lifter
from pose_server.lift.steady_view import lifted_steadily
from pose_server.pipeline.boundary import (
    Camera,
    CameraPath,
    ClipInfo,
    Detections,
    FloatArray,
    Track2D,
    Vertical,
)
from pose_server.pipeline.camera import camera_of_clip, focal_mm_of, with_focal
from pose_server.pipeline.casting import cast_people
from pose_server.pipeline.detection import DETECT_VERSION, detect_clip, pack_detections, unpack_detections
from pose_server.pipeline.distortion import largest_bend_px, straightened
from pose_server.pipeline.evidence import Evidence
from pose_server.pipeline.fingerprint import stage_fingerprint
from pose_server.pipeline.options import ImportOptions
from pose_server.pipeline.output import output_folder
from pose_server.pipeline.plate import Plate
from pose_server.pipeline.portraits import best_rows, found_spans, thumbnails
from pose_server.pipeline.progress import FoundPerson, Progress
from pose_server.pipeline.report import ClipReport, ImportReport, StageTiming, write_report
from pose_server.pipeline.solving import files_in, solve_to_files
from pose_server.pipeline.stages import StageLog
from pose_server.pipeline.witness import Witness
from pose_server.track.footage import Footage
from pose_server.track.selection import coverage
from pose_server.track.tracker import track_people
from pose_server.video.content import content_fingerprint
from pose_server.video.open import open_clip
from pose_server.video.source import FrameSource

__all__ = ["import_clip"]

#: A lens that is said to be known and seems to be another by more than this is worth a word.
_LENS_OFF = 0.1
#: So is one that moves what is at the border by more.
_BEND_PX = 2.0


def import_clip(
    clip: Path | None,
    options: ImportOptions,
    out_dir: Path,
    *,
    device: str,
    progress: Progress,
    display_name: str | None = None,
    stage_cache: StageCache | None = None,
    keypoints: KeypointClip | None = None,
) -> ImportReport:
    """Turn a clip into a folder of motions.

    Parameters
    ----------
    clip
        A film, or the pattern of an image sequence; None for `keypoints` without one.
    options
        What the user asked for.
    out_dir
        The folder that appears when everything is done; an error leaves it as it was.
    device
        ``cpu`` or ``cuda:N``, for what runs on torch.
    progress
        Is told of every stage, and may cancel.
    display_name
        The clip's name for the user, where `clip` is a stored upload.
    stage_cache
        Where detections are kept and found again.
    keypoints
        What another program found in the clip, taken instead of what a detector would; without a clip
        their size must be known.

    Raises
    ------
    PoseError
        Whatever keeps the import from its end, as one sentence.
    """
    with output_folder(out_dir) as folder:
        job = _Import(options, device, progress, stage_cache, keypoints)
        report = job.run(clip, folder, display_name)
        write_report(folder, report)
    return report


class _Import:
    """One run of the stages; collects what the report says of it."""

    def __init__(
        self,
        options: ImportOptions,
        device: str,
        progress: Progress,
        stage_cache: StageCache | None,
        keypoints: KeypointClip | None,
    ) -> None:
        self.options = options
        self.device = device
        self.progress = progress
        self.stage_cache = stage_cache
        self.keypoints = keypoints
        self.log = StageLog(progress)
        self.camera_moved = False
        self.lines_px: FloatArray = np.zeros((0, 2, 2))

    def run(self, clip: Path | None, folder: Path, name: str | None) -> ImportReport:
        options = self.options
        check_formats(options.formats, options.files)
        with self.log.stage("video", 0):
            source, sha256 = self.open(clip)
            if options.camera_track is not None and not options.allow_truncated:
                first, count = source.info.first_frame, source.info.frame_count
                options.camera_track.path(np.array([first, first + count - 1]))  # what cannot be is said now
            self.lens(source.info)  # of another shape of pictures, for one
        detector = self.detector(clip, source.info)
        lifter = create_lifter(options.lifter, self.device)
        found, footage = self.detect(source, detector, sha256)
        frames = len(found)
        with self.log.stage("track", frames):
            size = (source.info.width, source.info.height)
            everybody = track_people(
                found,
                keypoint_names=detector.keypoint_names,
                image_size=size,
                progress=self.progress,
                identities=detector.identities(found) if isinstance(detector, KeypointDetector) else None,
                footage=footage,
                sure_score=detector.sure_score,
                reidentify=options.tracking.reidentify == "auto",
            )
            people = cast_people(everybody, options, found)
            tracks = tuple(people.values())
            best = best_rows(people, found, footage)
            pictures = thumbnails(source, people, best)
            summaries = [
                _summary(number, track, frames, size[1], best[number], pictures.get(number, b""))
                for number, track in people.items()
            ]
            self.progress.people(summaries)
            options.solve.numbered(summaries)  # who is not there is said now
        camera, vertical = self.camera(source.info, frames)
        path = None
        if tracks and options.camera_track is not None:
            path = options.camera_track.path(np.array([frame.index for frame in found]))
            self.log.note("The camera goes as its track says, and everything is in the world of that track.")
        elif tracks and self.camera_moved and options.camera != "still":
            moved = self.follow(source, found, camera, sha256, detector.fingerprint)
            lens, path = camera, moved.path
            camera = self.felt(camera, moved)
            if camera is not lens:  # what lines say is up is another direction through another lens
                room = seen_room(self.lines_px, camera)
                vertical = room.vertical if room is not None else None
        self.note_lens(camera)
        numbers = tuple(person.index for person in summaries)
        evidence = replace(self.lift(tracks, numbers, camera, path, lifter, source.info), vertical=vertical)
        plate = Plate.of(clip, source.info.rate, name) if clip is not None else None
        reports = solve_to_files(folder, evidence, options, summaries, source, self.log, plate)
        return ImportReport(
            clip=_clip_report(name or source.info.path.name, sha256, source.info, found),
            options=replace(options, camera_track=None).to_dict(),  # the evidence has its path
            detector=detector.name,
            lifter=lifter.name,
            device=self.device,
            focal_px=float(camera.matrix[0, 0]),
            focal_source=camera.focal_source,
            focal_sigma=None if camera.focal_sigma is None else round(camera.focal_sigma, 4),
            people=reports,
            notes=self.log.notes,
            timings=self.log.timings,
            files=files_in(folder),
            pose_server=__version__,
        )

    def open(self, clip: Path | None) -> tuple[FrameSource, str]:
        """Return the frames, and the hash of what they, or the keypoints without a film, are known by."""
        options = self.options
        if clip is None:
            assert self.keypoints is not None
            blank = open_blank(
                self.keypoints, start=options.start, end=options.end, input_fps=options.input_fps
            )
            return blank, self.keypoints.sha256
        source = open_clip(
            clip,
            start=options.start,
            end=options.end,
            input_fps=options.input_fps,
            allow_truncated=options.allow_truncated,
            progress=self.progress,
        )
        for remark in source.info.remarks:
            self.log.note(remark)
        return source, content_fingerprint(clip, progress=self.progress)

    def detector(self, clip: Path | None, info: ClipInfo) -> Detector | KeypointDetector:
        if self.keypoints is None:
            chosen, score = self.options.detector, self.options.detector_score
            if chosen == "auto" and self.options.lifter == "landmarks":
                chosen = "blazepose"
                self.log.note("The detector is blazepose, the only one that gives the lifter 3D landmarks.")
            elif chosen == "auto":
                chosen, why = best_detector()
                self.log.note(why)
            return create_detector(chosen, self.device, score=score)
        detector = keypoint_detector(self.keypoints, clip, info)
        who = "who is who is theirs" if self.keypoints.identified else "who is who was found out here"
        self.log.note(
            f"The 2D points are those of '{self.keypoints.name}' ({detector.name}, "
            f"{len(detector.keypoint_names)} a person); {who}."
        )
        end = info.first_frame + info.frame_count
        if detector.last_frame >= end and self.options.end is None:
            self.log.note(
                f"The 2D points go on to frame {detector.last_frame}, and the clip only to {end - 1}; "
                "see whether they are of this very film."
            )
        return detector

    def frame_settings(self) -> dict[str, Any]:
        """What decides which frames there are."""
        options = self.options
        return {
            "start": str(options.start),
            "end": str(options.end),
            "input_fps": str(options.input_fps),
            "allow_truncated": options.allow_truncated,
        }

    def detect(
        self, source: FrameSource, detector: Detector, sha256: str
    ) -> tuple[list[Detections], Footage | None]:
        """Return who is in each frame, and what else the pictures tell; nothing if there are none."""
        settings = {**self.frame_settings(), "detector": detector.fingerprint, "lines": LINES_VERSION}
        key = stage_fingerprint(sha256, "detect", DETECT_VERSION, settings)
        known = self.stage_cache.get(key) if self.stage_cache else None
        if known is not None:
            found, self.camera_moved = unpack_detections(known), bool(known["camera_moved"])
            self.lines_px = known["lines_px"]
            self.progress.report("detect", len(found), len(found))
            self.log.timings.append(StageTiming("detect", 0.0, None, cached=True))
            return found, Footage.of_arrays(known) if "steady" in known else None
        with self.log.stage("detect", source.info.frame_count):
            stillness, backdrop = Stillness(), Backdrop()

            def look(index: int, frame: NDArray[np.uint8]) -> None:
                stillness.look(index, frame)
                backdrop.look(index, frame)

            size = (source.info.width, source.info.height)
            witness = None if isinstance(source, BlankClip) else Witness(size, detector.keypoint_names)
            found = detect_clip(source, detector, self.progress, look=look, witness=witness)
            self.camera_moved = stillness.moved(found)
            footage = witness.footage(still=not self.camera_moved) if witness is not None else None
            self.lines_px = backdrop.lines(found, size, still=not self.camera_moved)
        if self.stage_cache:
            packed = pack_detections(found, len(detector.keypoint_names))
            seen = {"camera_moved": np.array(self.camera_moved), "lines_px": self.lines_px}
            seen |= footage.arrays() if footage is not None else {}
            self.stage_cache.put(key, packed | seen)
        return found, footage

    def camera(self, info: ClipInfo, frames: int) -> tuple[Camera, Vertical | None]:
        """Return the lens as well as it is known, and which way is up if the background shows it."""
        camera = self.lens(info)
        with self.log.stage("room", frames):
            room = seen_room(self.lines_px, camera)
        if room is not None:
            camera = with_focal(camera, room.focal_px, room.focal_sigma)
        return camera, room.vertical if room is not None else None

    def lens(self, info: ClipInfo) -> Camera:
        """Return the lens as the user or the clip's metadata have it, or the usual one."""
        options = self.options
        if options.calibration is not None:
            return options.calibration.camera(info)
        return camera_of_clip(
            (info.width, info.height),
            fov_deg=options.fov_deg,
            focal_mm=options.known_focal_mm,
            recorded_mm=info.focal_mm,
        )

    def note_lens(self, camera: Camera) -> None:
        """Say what lens there is where nobody gave it, and what comes of one that bends."""
        bend_px = largest_bend_px(camera)
        if bend_px > _BEND_PX:
            self.log.note(
                f"The lens bends the picture by up to {bend_px:.0f} px, as the preview does; the camera of "
                "a host does not, so undistort the film there to see the skeleton on it."
            )
        known = f"a focal length of {camera.matrix[0, 0]:.0f} px ({focal_mm_of(camera):.0f} mm)"
        if camera.focal_source == "estimated":
            self.log.note(
                f"The lens is not known; the background tells {known}, give or take "
                f"{100 * (camera.focal_sigma or 0):.0f} %; give its field of view or focal length if you "
                "know it."
            )
        elif camera.focal_source == "assumed":
            self.log.note(
                f"The lens is not known, so {known} was assumed; "
                "give its field of view or focal length to make distances true."
            )

    def follow(
        self, source: FrameSource, found: Sequence[Detections], camera: Camera, sha256: str, detector: str
    ) -> Followed:
        """Return how the camera moved, from the cache if it is known."""
        lens = [camera.matrix.tolist(), camera.distortion.tolist(), camera.focal_source, camera.focal_sigma]
        settings = {**self.frame_settings(), "detector": detector, "lens": lens}
        key = stage_fingerprint(sha256, "camera", FOLLOW_VERSION, settings)
        known = self.stage_cache.get(key) if self.stage_cache else None
        if known is not None:
            return Followed.of_arrays(known)
        with self.log.stage("camera", len(found)):
            moved = followed(source, found, camera, self.progress)
        if self.stage_cache:
            self.stage_cache.put(key, moved.arrays())
        return moved

    def felt(self, camera: Camera, moved: Followed) -> Camera:
        """Return the camera with the lens that its moves tell, and say what was found."""
        if moved.breaks:
            at = ", ".join(map(str, moved.breaks[:5])) + (" and later" if len(moved.breaks) > 5 else "")
            self.log.note(
                f"The film is cut, or shows nothing to follow the camera by, at frame {at}; what the camera "
                "did there is not known. Import each shot by itself, by its first and last frame."
            )
        if moved.zooms:
            self.log.note(
                "The lens zooms; it is taken for one that does not, so distances change where it does."
            )
        path = moved.path
        if path is not None:
            turns = f"turns by {path.widest_deg:.0f} degrees at most"
            how = f"{turns}, and does not travel" if path.places is None else f"travels, and {turns}"
            self.log.note(f"The camera {how}; it was followed. Give --camera still if it stood still.")
        if moved.focal_px is None:
            return camera
        off = moved.focal_px / camera.matrix[0, 0] - 1
        if camera.focal_source in ("given", "recorded") and abs(off) > max(_LENS_OFF, 3 * moved.focal_sigma):
            self.log.note(
                f"The lens was {camera.focal_source} as {camera.matrix[0, 0]:.0f} px, but how the camera "
                f"moves tells {moved.focal_px:.0f} px, give or take {100 * moved.focal_sigma:.0f} %."
            )
        return with_focal(camera, moved.focal_px, moved.focal_sigma)

    def lift(
        self,
        tracks: Sequence[Track2D],
        people: tuple[int, ...],
        camera: Camera,
        path: CameraPath | None,
        lifter: Lifter,
        info: ClipInfo,
    ) -> Evidence:
        rows = sum(len(track) for track in tracks)
        poses = []
        with self.log.stage("lift", rows):
            done = 0
            tracks = tuple(cleaned_up(straightened(track, camera), self.options.cleanup) for track in tracks)
            for track in tracks:
                self.progress.report("lift", done, rows)
                poses.append(lifted_steadily(lifter, track, camera, path))
                done += len(track)
            self.progress.report("lift", done, rows)
        return Evidence(info.rate, camera, people, tracks, tuple(poses), path)


def _summary(
    number: int, track: Track2D, frame_count: int, height: int, best: int, thumbnail: bytes
) -> FoundPerson:
    heights = track.boxes_px[:, 3] - track.boxes_px[:, 1]
    return FoundPerson(
        index=number,
        first_frame=int(track.indices[0]),
        last_frame=int(track.indices[-1]),
        coverage=round(coverage(track, frame_count), 4),
        relative_height=round(float(np.nanmean(heights)) / height, 4),
        spans=found_spans(track),
        best_frame=int(track.indices[best]),
        best_box_px=tuple(round(float(edge), 1) for edge in track.boxes_px[best]),
        thumbnail=thumbnail,
    )


def _clip_report(name: str, sha256: str, info: ClipInfo, found: Sequence[Detections]) -> ClipReport:
    return ClipReport(
        name=name,
        sha256=sha256,
        width=info.width,
        height=info.height,
        rate=_fraction(info.rate),
        first_frame=found[0].index,
        frame_count=len(found),
        start_s=found[0].time_s,
        end_s=found[-1].time_s,
        rotation_ccw_deg=info.rotation_ccw_deg,
        pixel_aspect=_fraction(info.pixel_aspect),
        codec=info.codec,
    )


def _fraction(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"
