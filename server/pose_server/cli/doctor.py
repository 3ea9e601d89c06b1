"""`pose-server doctor`: what is installed, what can be used, and what to do about the rest."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer
from pose_shared import PROTOCOL_VERSION
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pose_server import __version__
from pose_server.cli.errors import clear_errors

__all__ = ["doctor", "examine"]

_PACKAGES = ("torch", "mediapipe", "av", "numpy", "scipy", "grpcio", "protobuf")
#: Optional packages: the extra that brings each, and what it is for.
_EXTRAS = {
    "bpy": ("blender", "importing, rendering and writing FBX without an installed Blender"),
    "OpenImageIO": ("exr", "OpenEXR, DPX and 16-bit TIFF sequences"),
    "ezc3d": ("c3d", "writing C3D"),
    "cdflib": ("datasets", "Human3.6M's own files"),
    "h5py": ("datasets", "Human3.6M as 3d-pose-baseline has it"),
    "onnxruntime": ("rtmpose", "the detector RTMPose"),
    "usd-core": ("usd", "writing USD"),
    "tensorboard": ("train", "curves of a training in a browser"),
}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks.")] = False,
) -> None:
    """Say what is installed, which detectors and devices can be used, and what to do about the rest."""
    with clear_errors(as_json=as_json, debug=debug):
        findings = examine()
        if as_json:
            typer.echo(json.dumps(findings, indent=2))
        else:
            _print(findings)


def examine() -> dict[str, Any]:
    """Return what `doctor` prints, as plain data."""
    from pose_server.detect.registry import available_detectors
    from pose_server.engine.device import list_devices
    from pose_server.lift.registry import available_lifters
    from pose_server.settings import load_settings

    settings = load_settings()
    place = settings.data_dir
    while not place.exists():
        place = place.parent
    return {
        "version": __version__,
        "protocol": ".".join(map(str, PROTOCOL_VERSION)),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "devices": list(list_devices()),
        "detectors": [
            {
                "name": status.name,
                "usable": status.usable,
                "advice": status.advice,
                "installed": status.usable or status.lacks_weights,
                "models": [dataclasses.asdict(model) for model in status.models],
            }
            for status in available_detectors()
        ],
        "lifters": [
            {"name": status.name, "usable": status.usable, "advice": status.advice}
            for status in available_lifters()
        ],
        "extras": [
            {
                "package": package,
                "version": _version(package),
                "for": purpose,
                "advice": "" if _version(package) else f'pip install "pose-server[{extra}]"',
            }
            for package, (extra, purpose) in _EXTRAS.items()
        ],
        "data_dir": {
            "path": str(settings.data_dir),
            "writable": place.is_dir() and os.access(place, os.W_OK),
            "free_bytes": shutil.disk_usage(place).free,
        },
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _print(findings: dict[str, Any]) -> None:
    console = Console(highlight=False)
    console.print(
        f"[bold]pose-server {findings['version']}[/bold], protocol {findings['protocol']}, "
        f"Python {findings['python']} at {sys.executable}"
    )
    console.print(f"{findings['platform']}, {findings['processors']} processors\n")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("", "what", "", "what to do"):
        table.add_column(title, overflow="fold")
    for name, found in findings["packages"].items():
        table.add_row(_mark(found), name, found or "missing", "" if found else "pip install pose-server")
    for device in findings["devices"]:
        table.add_row(_mark(True), f"device {device}", "usable", "")
    for kind in ("detector", "lifter"):
        for found in findings[f"{kind}s"]:
            state = "usable" if found["usable"] else "not usable"
            table.add_row(_mark(found["usable"]), f"{kind} {found['name']}", state, escape(found["advice"]))
            for model in found["models"] if found.get("installed") else ():
                state = "weights here" if model["here"] else "no weights"
                table.add_row(_mark(model["here"]), f"  model {model['name']}", state, model["advice"])
    for extra in findings["extras"]:
        state = extra["version"] or f"missing: {extra['for']}"
        table.add_row(_mark(extra["version"]), extra["package"], state, escape(extra["advice"]))
    data = findings["data_dir"]
    advice = "" if data["writable"] else "set POSE_DATA_DIR to a folder that you may write"
    free = f"{data['path']}, {data['free_bytes'] / 1e9:.0f} GB free"
    table.add_row(_mark(data["writable"]), "data folder", free, advice)
    console.print(table)


def _mark(good: object) -> str:
    return "[green]✓[/green]" if good else "[yellow]–[/yellow]"
