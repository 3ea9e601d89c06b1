"""`pose-server evaluate`: protocols and measures, as tables."""

from __future__ import annotations

import typer

from pose_server.cli.evaluate_baseline import evaluate_baseline_command
from pose_server.cli.evaluate_house import evaluate_clip_command, evaluate_mocap_command, report
from pose_server.cli.evaluate_motion import evaluate_motion_command
from pose_server.cli.evaluate_videopose3d import evaluate_videopose3d_command

__all__ = ["evaluate"]

evaluate = typer.Typer(help="Measure lifters and motions against known truth.", no_args_is_help=True)
evaluate.command("mocap")(evaluate_mocap_command)
evaluate.command("motion")(evaluate_motion_command)
evaluate.command("clip")(evaluate_clip_command)
evaluate.command("report")(report)
evaluate.command("baseline")(evaluate_baseline_command)
evaluate.command("videopose3d")(evaluate_videopose3d_command)
