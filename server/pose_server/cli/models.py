"""`pose-server models`: weights of others, with their licences; nothing is fetched but by name."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer
from pose_shared.errors import InputError, PoseError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from pose_server.cli.errors import clear_errors
from pose_server.weights.registry import WEIGHTS, Weights, weights_named
from pose_server.weights.store import WeightsStore, weights_path, weights_store

__all__ = ["fetch", "list_models", "models", "path", "verify"]

models = typer.Typer(
    help="List, fetch and verify weights of others: detectors and lifters.", no_args_is_help=True
)

Names = Annotated[list[str], typer.Argument(help="As 'models list' shows them.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@models.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the weights that can be fetched, whose licence they have, and which are here."""
    with clear_errors(as_json=as_json):
        store = weights_store()
        rows = [_row(store, weights) for weights in WEIGHTS.values()]
        if as_json:
            typer.echo(json.dumps(rows, indent=2))
            return
        table = Table(box=None, pad_edge=False)
        for title in ("name", "licence", "size", "here", "checked against"):
            table.add_column(title, overflow="fold", no_wrap=title in ("name", "size"))
        used_by = ""
        for row in rows:
            if row["used_by"] != used_by:
                used_by = row["used_by"]
                table.add_row(f"[bold]for {used_by}[/bold]")
            licence = row["licence"] if row["commercial"] else f"{row['licence']}, not commercial"
            size = f"{row['size_bytes'] / 1e6:.0f} MB" if row["size_bytes"] else ""
            table.add_row(
                f"  {row['name']}",
                licence,
                size,
                "yes" if row["path"] else "",
                ", ".join(row["known_from"]),
            )
        console = Console(highlight=False)
        console.print(table)
        mirror = ""
        if store.mirror is not None:
            there = "" if store.mirror.is_dir() else ", which is not there"
            mirror = f"; before that, {store.mirror} is looked in{there}"
        console.print(f"\nThey are kept in {escape(str(store.folder))}{escape(mirror)}.", soft_wrap=True)


@models.command()
def fetch(
    names: Names,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Take the licences as read, for scripts.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch weights: show the licence and the source, ask, download, check."""
    from pose_server.weights.fetch import fetch_weights

    with clear_errors(as_json=as_json, stopped="what has arrived stays, and the same command goes on there"):
        store = weights_store()
        wanted = [weights_named(name) for name in names]
        missing = [weights for weights in wanted if store.find(weights) is None]
        if missing and not accept_licence:
            _ask(missing)
        fetched = []
        for weights in wanted:
            with _Bar(weights.name, quiet=as_json) as bar:
                checked = fetch_weights(store, weights, on_bytes=bar.show)
            if checked.known_from == "now" and not as_json:
                typer.echo(
                    f"No digest of {weights.name} is published; from now on it must keep {checked.sha256}."
                )
            fetched.append(
                {
                    "name": weights.name,
                    "path": str(checked.path),
                    "sha256": checked.sha256,
                    "known_from": checked.known_from,
                }
            )
        _answer(fetched, as_json)


@models.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="All that are here, if none is named.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read weights that are here and hold them against their digests."""
    with clear_errors(as_json=as_json):
        store = weights_store()
        wanted = [weights_named(name) for name in names or WEIGHTS]
        if not names:
            wanted = [weights for weights in wanted if store.find(weights) is not None]
        found: list[dict[str, Any]] = []
        failure: PoseError | None = None
        for weights in wanted:
            try:
                checked = store.check(weights)
            except PoseError as error:
                failure = failure or error
                found.append({"name": weights.name, "error": error.to_dict()})
                if not as_json:
                    typer.echo(f"{weights.name}: {error.message}", err=True)
            else:
                found.append(
                    {
                        "name": weights.name,
                        "path": str(checked.path),
                        "sha256": checked.sha256,
                        "known_from": checked.known_from,
                    }
                )
        _answer(found, as_json)
        if not wanted and not as_json:
            typer.echo("There are no weights here; 'pose-server models list' names those there are.")
        if failure is not None:
            sys.exit(failure.exit_code)


@models.command()
def path(
    name: Annotated[str, typer.Argument(help="As 'models list' shows it.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Print where weights lie."""
    with clear_errors(as_json=as_json):
        place = weights_path(name)
        typer.echo(json.dumps({"name": name, "path": str(place)}) if as_json else place)


def _row(store: WeightsStore, weights: Weights) -> dict[str, Any]:
    place = store.find(weights)
    known = store.known_digests(weights, mirrored=place is not None and place.parent == store.mirror)
    sources = [*known, *(["published MD5"] if weights.md5_prefix else [])]
    return {
        "name": weights.name,
        "what": weights.what,
        "used_by": weights.used_by,
        "licence": weights.licence.name,
        "licence_text": weights.licence.address,
        "commercial": weights.licence.commercial,
        "note": weights.note,
        "source": weights.address,
        "size_bytes": weights.size_bytes or (place.stat().st_size if place is not None else None),
        "sha256": next(iter(known.values()), None),
        "known_from": sources,
        "path": str(place) if place is not None else None,
    }


def _ask(missing: list[Weights]) -> None:
    """Show licences and sources, and go on only if somebody agrees."""
    for weights in missing:
        use = "" if weights.licence.commercial else " NOT for commercial use."
        typer.echo(
            f"{weights.name}: {weights.what}\n"
            f"  licence  {weights.licence.name}, {weights.licence.address}{use}\n"
            f"  source   {weights.address}\n"
            f"  {weights.note}",
            err=True,
        )
    names = " ".join(weights.name for weights in missing)
    if not sys.stdin.isatty():
        raise InputError(
            "Nobody is here to accept the licence; read it, then run "
            f"'pose-server models fetch --accept-licence {names}'.",
            reason="LICENCE_NOT_ACCEPTED",
            names=names,
        )
    if not typer.confirm("Accept and fetch?", err=True):
        raise InputError("The licence was not accepted; nothing was fetched.", reason="LICENCE_NOT_ACCEPTED")


def _answer(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for row in found:
        if "path" in row:
            typer.echo(
                f"{row['name']}: {row['path']} is whole ({row['known_from']}: {row['sha256'][:16]}...)"
            )


class _Bar:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, name: str, *, quiet: bool) -> None:
        console = Console(stderr=True, quiet=quiet)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=32),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        self._task = self._progress.add_task(name, total=None)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, arrived: int, total: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=arrived, total=total or None)
