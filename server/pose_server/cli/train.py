"""`pose-server train`: everything that makes weights."""

from __future__ import annotations

import typer

from pose_server.cli.train_baseline import train_baseline_command
from pose_server.cli.train_house import prepare, train_house_command
from pose_server.cli.train_videopose3d import (
    prepare_custom,
    prepare_human36m,
    prepare_humaneva,
    train_videopose3d_command,
)

__all__ = ["train"]

train = typer.Typer(help="Prepare data and train lifters.", no_args_is_help=True)
train.command("prepare")(prepare)
train.command("house")(train_house_command)
train.command("baseline")(train_baseline_command)
train.command("videopose3d")(train_videopose3d_command)
train.command("prepare-human36m")(prepare_human36m)
train.command("prepare-humaneva")(prepare_humaneva)
train.command("prepare-custom")(prepare_custom)
