"""One training run: its folder with options, curves and checkpoints, and what it says while it runs.

A folder holds ``options.json``, ``curves.csv`` (a row per measured moment, a column per quantity),
``last.pt`` (whatever the loop needs to go on, plain tensors and numbers) and, where the package is
there, TensorBoard's events.  Everything is written so that a kill at any moment loses at most what
came after the last checkpoint.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pose_shared.errors import InputError

__all__ = ["TrainingRun", "seed_everything"]

_OPTIONS, _CURVES, _LAST = "options.json", "curves.csv", "last.pt"


def seed_everything(seed: int) -> None:
    """Make Python, numpy and torch draw the same numbers again."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - libraries still draw from it
    torch.manual_seed(seed)


class TrainingRun:
    """The folder of a run.

    Parameters
    ----------
    folder
        Is made; an older run in it is continued with `resume`, and refused without.
    options
        What decides the result, as plain JSON values; a continued run must have the same.
    resume
        Go on from the folder's last checkpoint, if there is one.
    tell
        Is given one line of text now and then.

    Raises
    ------
    InputError
        ``RUN_EXISTS``, ``RUN_DIFFERS`` or ``RUN_UNREADABLE``.
    """

    def __init__(
        self,
        folder: Path,
        options: Mapping[str, Any],
        *,
        resume: bool = False,
        tell: Callable[[str], None] = print,
    ) -> None:
        self.folder = folder
        self._tell = tell
        kept = folder / _OPTIONS
        text = json.dumps(dict(options), indent=2, sort_keys=True) + "\n"
        if kept.exists() and not resume:
            raise InputError(
                f"'{folder}' already holds a run; continue it with --resume, or name another folder.",
                reason="RUN_EXISTS",
                path=folder,
            )
        if kept.exists() and kept.read_text(encoding="utf-8") != text:
            raise InputError(
                f"The run in '{folder}' was begun with other options (see its options.json); "
                "give the same to continue it, or name another folder.",
                reason="RUN_DIFFERS",
                path=folder,
            )
        folder.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, kept)
        self._rows: list[dict[str, float]] = _read_rows(folder / _CURVES) if resume else []
        self._board = _board(folder)

    def restore(self, *needed: str) -> dict[str, Any] | None:
        """Return what `save` was last given, with all that is `needed`, or None in a fresh folder.

        Raises
        ------
        InputError
            ``RUN_UNREADABLE``: the checkpoint is cut or no checkpoint of a run.
        """
        path = self.folder / _LAST
        if not path.exists():
            return None
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            if lacking := {"step", *needed} - set(state):
                raise KeyError(min(lacking))
        except Exception as error:
            raise InputError(
                f"'{path}' cannot be read ({type(error).__name__}); remove it to begin the run anew.",
                reason="RUN_UNREADABLE",
                path=path,
            ) from error
        self._rows = [row for row in self._rows if row["step"] <= state["step"]]
        return state

    def save(self, step: int, state: Mapping[str, Any]) -> None:
        """Keep all that is needed to go on: tensors, numbers, and dicts and lists of them."""
        path = self.folder / _LAST
        fresh = path.with_suffix(".new")
        torch.save({**state, "step": step}, fresh)
        os.replace(fresh, path)

    def log(self, step: int, **values: float) -> None:
        """Add a row to the curves; quantities may come and go from row to row."""
        self._rows.append({"step": step, **{name: float(value) for name, value in values.items()}})
        columns = list(dict.fromkeys(name for row in self._rows for name in row))
        fresh = (self.folder / _CURVES).with_suffix(".new")
        with fresh.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self._rows)
        os.replace(fresh, self.folder / _CURVES)
        if self._board:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)
            self._board.flush()

    def steps(self, first: int, total: int, *, every_s: float = 10.0) -> Iterator[int]:
        """Count from `first` below `total`, and say now and then how far it is and what time is left."""
        begin = said = time.monotonic()
        for step in range(first, total):
            yield step
            now = time.monotonic()
            if now - said >= every_s or step + 1 == total:
                said = now
                rate = (step + 1 - first) / max(now - begin, 1e-9)
                left = _clock((total - step - 1) / rate)
                latest = "  ".join(
                    f"{k} {v:.4g}" for k, v in (self._rows[-1] if self._rows else {}).items() if k != "step"
                )
                self._tell(f"step {step + 1}/{total}  {rate:.1f} steps/s  {left} left  {latest}")


def _read_rows(path: Path) -> list[dict[str, float]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            {name: int(value) if name == "step" else float(value) for name, value in row.items() if value}
            for row in csv.DictReader(file)
        ]


def _board(folder: Path) -> Any:
    """Return a TensorBoard writer where the package is installed."""
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(folder)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
