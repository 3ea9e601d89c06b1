"""Calibrations as other programs write them; described for users in docs/footage.md.

All of them have OpenCV's pixels, where the centre of the first one is (0, 0).
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from pose_shared.errors import InputError

from pose_server.pipeline.calibration import Calibration, invalid_calibration

__all__ = ["read_calibration"]

_BYTES_LIMIT = 1_000_000
#: OpenCV's reader of YAML goes into what is nested by calling itself: so deep, so many spaces and dashes.
_DEEPEST, _WIDEST_INDENT, _DASHES = 16, 64, 8
_HALF_PIXEL = 0.5
#: What the programs call the same things.
_MATRIX = ("matrix", "camera_matrix", "cameraMatrix", "mtx", "K", "k")
_DISTORTION = (
    "distortions",
    "distortion",
    "distortion_coefficients",
    "distortion_coeffs",
    "dist_coeffs",
    "distCoeffs",
    "dist",
    "D",
    "d",
)
_SIZE = ("size", "image_size", "imageSize", "img_size")
_WIDTH, _HEIGHT = ("image_width", "width"), ("image_height", "height")
_MODEL = ("distortion_model", "camera_model", "model")
_FISHEYES = ("fisheye", "equidistant", "kannala", "omni", "mei")
_COEFFICIENTS = 5
_COEFFICIENT_NAMES = ("k1", "k2", "p1", "p2", "k3")


def read_calibration(path: Path, camera: str | None = None) -> Calibration:
    """Read a calibration from TOML (Pose2Sim, Anipose, Caliscope), YAML (OpenCV, ROS) or JSON.

    Parameters
    ----------
    path
        File to read.
    camera
        Name of the camera, where the file has several.

    Raises
    ------
    InputError
        It cannot be read, or is no calibration (``CALIBRATION_INVALID``), has several cameras or none of
        that name (``CALIBRATION_CAMERA``), or one of a kind that is not known here (``CALIBRATION_MODEL``).
    """
    try:
        if path.exists() and not path.is_file():
            raise invalid_calibration(f"'{path}' is no file")
        if path.stat().st_size > _BYTES_LIMIT:
            raise invalid_calibration(f"'{path}' is larger than {_BYTES_LIMIT // 10**6} MB")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise invalid_calibration(f"'{path}' cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise invalid_calibration(f"'{path.name}' is no text") from error
    fields = _parsed(path, text)
    try:
        return _calibration(_chosen(fields, camera, path.name))
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise invalid_calibration(f"'{path.name}' has something else where numbers belong") from error


def _parsed(path: Path, text: str) -> Mapping[str, Any]:
    kind = path.suffix.lower()
    try:
        if kind == ".toml":
            return tomllib.loads(text)
        if kind in (".yaml", ".yml"):
            return _parsed_yaml(text)
        if kind == ".json":
            fields = json.loads(text)
            if isinstance(fields, dict):
                return fields
            raise invalid_calibration(f"'{path.name}' holds no object")
    except (ValueError, RecursionError) as error:
        raise invalid_calibration(f"'{path.name}' is no {kind[1:].upper()}") from error
    raise invalid_calibration(f"'{path.name}' is neither TOML, YAML nor JSON by its name")


def _parsed_yaml(text: str) -> Mapping[str, Any]:
    """Return what OpenCV, or ROS without OpenCV's first lines, wrote."""
    import cv2

    lines = [line for line in text.splitlines() if not line.startswith(("%YAML", "---"))]
    if _is_nested(lines):
        raise ValueError("nested too deeply")
    storage = cv2.FileStorage()
    try:
        content = "\n".join(["%YAML:1.0", "---", *lines, ""])
        storage.open(content, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        root = storage.root()
        return {name: _node(root.getNode(name)) for name in root.keys()}  # noqa: SIM118 - a node of OpenCV's
    except cv2.error as error:
        raise ValueError("not read by OpenCV") from error
    finally:
        storage.release()


def _is_nested(lines: Sequence[str]) -> bool:
    """Whether a text is nested more deeply than a calibration."""
    steps = [{"[": 1, "{": 1, "]": -1, "}": -1}.get(letter, 0) for line in lines for letter in line]
    return (
        max(accumulate(steps), default=0) > _DEEPEST
        or max((len(line) - len(line.lstrip()) for line in lines), default=0) > _WIDEST_INDENT
        or max((line.count("- ") for line in lines), default=0) > _DASHES
    )


def _node(node: Any) -> Any:
    if node.isMap():
        return {name: _node(node.getNode(name)) for name in node.keys()}  # noqa: SIM118
    if node.isSeq():
        return [_node(node.at(place)) for place in range(node.size())]
    if node.isInt() or node.isReal():
        return node.real()
    return node.string() if node.isString() else None


def _chosen(fields: Mapping[str, Any], camera: str | None, name: str) -> Mapping[str, Any]:
    """Return the fields of one camera: the file's only one, or the one of that name."""
    tables = fields.get("cameras", fields)
    if isinstance(tables, list):
        tables = dict(enumerate(tables))
    known: dict[str, Mapping[str, Any]] = {}
    if isinstance(tables, Mapping):
        for key, table in tables.items():
            if isinstance(table, Mapping) and (_has(table, _MATRIX) or "fx" in table):
                known[str(table.get("name", key))] = known[str(key)] = table
    if not known:
        return fields
    if camera is not None and camera in known:
        return known[camera]
    each = list({id(table): label for label, table in known.items()}.values())
    if camera is None and len(each) == 1:
        return known[each[0]]
    listed = ", ".join(sorted(known)[:12])
    what = "has several cameras" if camera is None else f"has no camera '{camera[:80]}'"
    raise InputError(
        f"'{name}' {what}; name one with --calibration-camera: {listed}.",
        reason="CALIBRATION_CAMERA",
        path=name,
    )


def _calibration(fields: Mapping[str, Any]) -> Calibration:
    model = str(_first(fields, _MODEL) or "").lower()
    if fields.get("fisheye") is True or any(kind in model for kind in _FISHEYES):
        raise _unknown_model("that of a fisheye lens")
    if "fx" in fields:
        fx, fy, cx, cy = (float(fields[name]) for name in ("fx", "fy", "cx", "cy"))
    else:
        (fx, skew, cx), (_, fy, cy) = _matrix(_first(fields, _MATRIX))[:2]
        if abs(skew) > 1e-6 * abs(fx):
            raise _unknown_model("one whose pixels are skew")
    return Calibration(
        image_size=_size(fields),
        focal_px=(fx, fy),
        centre_px=(cx + _HALF_PIXEL, cy + _HALF_PIXEL),
        distortion=_distortion(fields),
    )


def _matrix(value: Any) -> list[list[float]]:
    if value is None:
        raise invalid_calibration("it has no camera matrix")
    numbers = _numbers(value)
    if len(numbers) != 9:
        raise invalid_calibration("its camera matrix is not 3 by 3")
    return [numbers[:3], numbers[3:6], numbers[6:]]


def _size(fields: Mapping[str, Any]) -> tuple[int, int]:
    size = _first(fields, _SIZE)
    if size is None:
        sides = [_first(fields, _WIDTH), _first(fields, _HEIGHT)]
        if None in sides:
            raise invalid_calibration("it does not say the size of its pictures; add its width and height")
        size = sides
    width, height = (float(side) for side in _numbers(size))
    return int(width), int(height)


def _distortion(fields: Mapping[str, Any]) -> tuple[float, ...]:
    """Return five coefficients; those that are not there, as in older files, are 0."""
    value = _first(fields, _DISTORTION)
    if value is None:
        _refuse_other_distortion(fields)
    numbers = [] if value is None else _numbers(value)
    if len(numbers) not in (0, 2, 4, 5, 8, 12, 14):
        raise invalid_calibration(f"{len(numbers)} coefficients are none of OpenCV's distortion")
    if any(numbers[_COEFFICIENTS:]):
        raise _unknown_model(f"one with {len(numbers)} coefficients")
    return tuple((numbers + [0.0] * _COEFFICIENTS)[:_COEFFICIENTS])


def _refuse_other_distortion(fields: Mapping[str, Any]) -> None:
    """Raise where coefficients stand under a name that is not known here, so that none is left out unsaid."""
    for name, value in fields.items():
        named = name.lower() in _COEFFICIENT_NAMES or "distor" in name.lower()
        if named and value and not isinstance(value, str):
            raise invalid_calibration(
                f"its '{name[:80]}' is not understood; write k1, k2, p1, p2, k3 as a list named 'distortion'"
            )


def _numbers(value: Any) -> list[float]:
    """Return all numbers of a list, a list of lists, or a matrix as OpenCV and ROS write it."""
    if isinstance(value, Mapping):
        return _numbers(value.get("data"))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [number for part in value for number in _numbers(part)]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("no number")
    return [float(value)]


def _first(fields: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((fields[name] for name in names if name in fields), None)


def _has(fields: Mapping[str, Any], names: Sequence[str]) -> bool:
    return any(name in fields for name in names)


def _unknown_model(what: str) -> InputError:
    return InputError(
        f"The lens model of the calibration is {what}; calibrate with OpenCV's standard model, "
        "of five coefficients.",
        reason="CALIBRATION_MODEL",
    )
