"""The files that a person's motion can be written to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from pose_server.export.bvh import write_bvh
from pose_server.export.npz import write_npz
from pose_server.pipeline.boundary import Motion

__all__ = ["PERSON_FORMATS", "PersonFormat"]


class PersonFormat(NamedTuple):
    """One of the files in a person's folder."""

    file_name: str
    write: Callable[[Path, Motion], None]


#: By the name that `--formats` takes.
PERSON_FORMATS: Mapping[str, PersonFormat] = {
    "npz": PersonFormat("motion.npz", write_npz),
    "bvh": PersonFormat("motion.bvh", write_bvh),
}
