"""Files damaged in ways that storage, networks, other programs and ill will damage them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from made_keypoints import (
    alphapose_results,
    coco_results,
    made_points,
    mmpose_film,
    poseflow_results,
    write_alphapose_form,
    write_detectron,
    write_kpts,
    write_openpose,
    write_tf_pose,
    write_videopose3d,
)

__all__ = ["damaged_bytes", "damaged_keypoints", "damaged_text", "keypoint_documents", "keypoint_files"]

POINTS = made_points(frames=6, people=2)
COCO_18 = np.concatenate([POINTS, POINTS[:, :, :1]], axis=2)
#: Numbers that sizes and counts in headers are not made for.
_ODD_NUMBERS = (b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4), b"\xff" * 2, b"\x80" * 8)


def keypoint_documents() -> dict[str, Any]:
    """What four programs write into one JSON, by file name."""
    return {
        "alphapose.json": alphapose_results(POINTS, idx=lambda n: [n]),
        "poseflow.json": poseflow_results(POINTS),
        "coco.json": coco_results(POINTS),
        "mmpose.json": mmpose_film(POINTS),
    }


def keypoint_files(folder: Path) -> list[Path]:
    """Write one file or folder of keypoints in each format."""
    made = []
    for name, content in keypoint_documents().items():
        (folder / name).write_text(json.dumps(content))
        made.append(folder / name)
    made.append(write_openpose(folder / "openpose", COCO_18))
    made.append(write_tf_pose(folder / "tf", COCO_18))
    made.append(write_alphapose_form(folder / "cmu", POINTS, "cmu"))
    made.append(write_detectron(folder / "film.npz", POINTS))
    made.append(write_videopose3d(folder / "set.npz", {"a.mp4": POINTS}))
    made.append(write_kpts(folder / "kpts.npz", POINTS))
    with zipfile.ZipFile(folder / "shots.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((folder / "openpose").iterdir()):
            archive.write(file, f"shot/{file.name}")
    return [*made, folder / "shots.zip"]


def damaged_keypoints(original: Path, target: Path, rng: np.random.Generator) -> None:
    """Write a damaged copy of what `keypoint_files` wrote; zips half of the time inside their checksums."""
    if original.is_dir():
        target.mkdir()
        sources = sorted(file for file in original.iterdir() if file.is_file())
        victim = int(rng.integers(len(sources)))
        for number, file in enumerate(sources):
            content = file.read_bytes()
            (target / file.name).write_bytes(damaged_text(content, rng) if number == victim else content)
    elif original.suffix in (".npz", ".zip") and rng.random() < 0.5:
        with zipfile.ZipFile(original) as archive, zipfile.ZipFile(target, "w") as other:
            names = archive.namelist()
            chosen = names[int(rng.integers(len(names)))]
            for name in names:
                content = archive.read(name)
                other.writestr(name, damaged_text(content, rng) if name == chosen and content else content)
    else:
        target.write_bytes(damaged_text(original.read_bytes(), rng))


def damaged_text(content: bytes, rng: np.random.Generator) -> bytes:
    """Bytes flipped, cut off, doubled, or values replaced by what no program writes."""
    kind = rng.integers(5)
    at = int(rng.integers(len(content)))
    if kind == 0:
        return content[:at]
    if kind == 1:
        end = min(len(content), at + int(rng.integers(1, 200)))
        return content[:end] + content[at:]
    if kind == 2:
        parts = content.split(b",")
        odd = (b"null", b"1e400", b"-1e30", b"NaN", b'"x"', b"[]", b"{}", b"true", b"9" * 400, b"[[[[1]]]]")
        parts[int(rng.integers(len(parts)))] = odd[int(rng.integers(len(odd)))]
        return b",".join(parts)
    changed = bytearray(content)
    for place in rng.integers(len(content), size=1 if kind == 3 else 20):
        changed[int(place)] = int(rng.integers(256))
    return bytes(changed)


def damaged_bytes(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Bytes flipped, cut off, taken out, doubled or put from another file, or a number made absurd."""
    kind = rng.choice(["flip", "flip", "flip", "cut", "out", "double", "splice", "number", "number"])
    at = int(rng.integers(len(content)))
    length = int(rng.integers(1, max(len(content) // 4, 2)))
    if kind == "cut":
        return content[: max(at, 1)]
    if kind == "out":
        return content[:at] + content[at + length :]
    if kind == "double":
        return content[: at + length] + content[at:]
    if kind == "splice":
        begin = int(rng.integers(len(other)))
        return content[:at] + other[begin : begin + length] + content[at + length :]
    changed = bytearray(content)
    # Headers lie at both ends.
    edge = int(rng.choice([600, len(content)]))
    sides = rng.choice([1, -1], size=64)
    places = (rng.integers(min(edge, len(content)), size=64) * sides).tolist()
    if kind == "number":
        number = _ODD_NUMBERS[int(rng.integers(len(_ODD_NUMBERS)))]
        place = places[0] % len(content)
        changed[place : place + len(number)] = number
    else:
        for place in places[: int(rng.choice([1, 4, 64]))]:
            changed[place] ^= int(rng.integers(1, 256))
    return bytes(changed)
