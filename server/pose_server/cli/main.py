"""The `pose-server` command and its subcommands."""

from __future__ import annotations

import typer

from pose_server import __version__
from pose_server.cli.doctor import doctor
from pose_server.cli.evaluate import evaluate
from pose_server.cli.export import export_command
from pose_server.cli.import_clip import import_command
from pose_server.cli.jobs import jobs
from pose_server.cli.models import models
from pose_server.cli.plot import plot_command
from pose_server.cli.refine import refine_command
from pose_server.cli.render import render_command
from pose_server.cli.retarget import retarget_command
from pose_server.cli.rig import rig_command
from pose_server.cli.serve import serve
from pose_server.cli.train import train

__all__ = ["main"]

app = typer.Typer(
    name="pose-server",
    help="Markerless motion capture: from a video to a keyed armature.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pose-server {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Show the version and leave."
    ),
) -> None: ...


app.command("import")(import_command)
app.command("refine")(refine_command)
app.command("retarget")(retarget_command)
app.command("rig")(rig_command)
app.command("export")(export_command)
app.command("render")(render_command)
app.command("plot")(plot_command)
app.command("serve")(serve)
app.command("doctor")(doctor)
app.add_typer(jobs, name="jobs")
app.add_typer(models, name="models")
app.add_typer(train, name="train")
app.add_typer(evaluate, name="evaluate")


def main() -> None:
    """Run the command line."""
    app()
