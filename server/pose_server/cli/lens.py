"""What the command line says of the lens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from pose_shared.errors import InputError

__all__ = ["CalibrationCamera", "CalibrationFile", "FocalMm", "Fov", "SensorMm", "lens_options"]

Fov = Annotated[float | None, typer.Option(help="Horizontal field of view of the upright picture, degrees.")]
FocalMm = Annotated[
    float | None,
    typer.Option(help="Focal length on a sensor 36 mm along the longer side, or as --sensor-mm says."),
]
SensorMm = Annotated[
    float | None,
    typer.Option(
        help="Length of the part of the sensor that is filmed, along the picture's longer side; with it "
        "--focal-mm is the lens's own.",
        show_default=False,
    ),
]
CalibrationFile = Annotated[
    Path | None,
    typer.Option(
        "--calibration",
        help="TOML, YAML or JSON of the measured lens, with its distortion; see docs/footage.md.",
        show_default=False,
    ),
]
CalibrationCamera = Annotated[
    str | None,
    typer.Option(help="Which camera of --calibration, where it has several.", show_default=False),
]


def lens_options(
    fov: float | None,
    focal_mm: float | None,
    sensor_mm: float | None,
    calibration: Path | None,
    calibration_camera: str | None,
) -> dict[str, Any]:
    """Return the fields of `ImportOptions` that are about the lens.

    Raises
    ------
    InputError
        The calibration cannot be used, or a camera was named without one.
    """
    from pose_server.pipeline.calibration_file import read_calibration

    if calibration is None and calibration_camera is not None:
        raise InputError(
            "--calibration-camera belongs to --calibration; give its file, too.", reason="CAMERA_INVALID"
        )
    return {
        "fov_deg": fov,
        "focal_mm": focal_mm,
        "sensor_mm": sensor_mm,
        "calibration": None if calibration is None else read_calibration(calibration, calibration_camera),
    }
