"""From detections to people: one track for everybody, through crossings, gaps and exits.

Four steps, each in a module of its own: `linking` joins neighbouring frames where there is no
doubt, `stitching` joins the pieces over crossings and gaps once the whole clip is known,
`plausibility` drops what is nobody, and `returning` knows again who left the picture and came back.
All times are seconds, all distances lengths of the body, so that the same scene gives the same people
at any frame rate.

Why not a library: `norfair`, and the ByteTrack, SORT and OC-SORT of `supervision` and `trackers`, work
online, on boxes or bare points, and count patience and speed in frames of a constant rate.  An import
knows the whole clip, and what decides a crossing is what comes after it.  `trackers` needs numpy 2
and opencv-python besides, which cannot stand beside mediapipe; BoxMOT is AGPL.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pose_server.pipeline.boundary import Detections, FloatArray, IntArray, Track2D
from pose_server.pipeline.progress import Progress
from pose_server.track.footage import Footage
from pose_server.track.linking import Track, link_frames
from pose_server.track.plausibility import keep_people
from pose_server.track.returning import join_returned
from pose_server.track.sightings import Sightings, gather, order_of
from pose_server.track.stitching import stitch

__all__ = ["track_people"]


def track_people(
    detections: Iterable[Detections],
    *,
    keypoint_names: Sequence[str],
    image_size: tuple[int, int],
    progress: Progress,
    identities: Sequence[IntArray] | None = None,
    footage: Footage | None = None,
    sure_score: float = 0.0,
    reidentify: bool = True,
) -> list[Track2D]:
    """Find out who is who in a clip.

    Parameters
    ----------
    detections
        One for each frame, in order; the order of people inside a frame does not matter.
    keypoint_names
        (K,) names as in `pose_shared.skeleton`.
    image_size
        Width and height of the upright picture.
    progress
        Is told of frames, and may cancel.
    identities
        Whoever found the people may know who is who: for each frame (P,) numbers, the same for the same
        person.  Then nobody is followed, and only those who are no people are dropped.
    footage
        What the pictures tell beside: how people look, and how the camera moved.
    sure_score
        A person needs one detection of at least this score; lower ones only continue a track.
    reidentify
        Whether whoever leaves the picture and comes back may be known again, which takes a footage.

    Returns
    -------
    list
        One track per person, in the order in which they appear; empty if nobody is in the clip.

    Notes
    -----
    The rule of coming back: whoever is lost inside the picture and found inside it again within 5 s,
    where they could have walked and about as large, is the same person.  Whoever walks out of
    the picture has left; who is merely missed while lingering at its edge is the same for 1 s.  Whoever
    walks in is somebody new, unless looks and proportions say beyond doubt who it is
    (`returning.join_returned`).  For what is dropped see `plausibility.keep_people`.
    """
    detections = list(detections)
    sightings = gather(detections, keypoint_names=keypoint_names, progress=progress, footage=footage)
    if identities is None:
        tracks = stitch(sightings, link_frames(sightings, progress, sure_score=sure_score), image_size)
    else:
        tracks = _identified(detections, identities)
    people = keep_people(sightings, tracks, image_size, sure_score=sure_score)
    if reidentify and identities is None:
        people = join_returned(sightings, people)
    frames = len(sightings.frame_times_s)
    progress.report("track", frames, frames)
    return [_track(sightings, person, tuple(keypoint_names)) for person in people]


def _identified(detections: Sequence[Detections], identities: Sequence[IntArray]) -> list[Track]:
    """Return the sightings of everybody whose number is known, in the order in which they appear."""
    tracks: dict[int, Track] = {}
    count = 0
    for found, known in zip(detections, identities, strict=True):
        for person in known[order_of(found)].tolist():
            tracks.setdefault(person, []).append(count)
            count += 1
    return list(tracks.values())


def _track(sightings: Sightings, track: Track, names: tuple[str, ...]) -> Track2D:
    seen = sightings.frame_indices[sightings.rows[track]]
    indices = np.arange(seen[0], seen[-1] + 1)

    def spread(values: FloatArray, missing: float) -> FloatArray:
        rows = np.full((len(indices), *values.shape[1:]), missing, dtype=values.dtype)
        rows[seen - seen[0]] = values[track]
        return rows

    return Track2D(
        keypoint_names=names,
        indices=indices,
        times_s=np.interp(indices, sightings.frame_indices, sightings.frame_times_s),
        boxes_px=spread(sightings.boxes_px, np.nan),
        keypoints_px=spread(sightings.keypoints_px, np.nan),
        keypoint_confidence=spread(sightings.confidence, 0.0),
        landmarks_m=spread(sightings.landmarks_m, np.nan),
    )
