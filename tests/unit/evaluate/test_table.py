"""Tables read the same as Markdown and as JSON, and show a lone acceleration never."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
from pose_server.evaluate import metrics
from pose_server.evaluate.table import MEASURES, Column, Table, columns, write_tables

TABLE = Table(
    title="By action",
    columns=(Column("action", "Action"), *columns("mpjpe_mm", "coverage"), Column("frames", "Frames")),
    rows=(
        {"action": "Walk|Run", "mpjpe_mm": 51.249, "coverage": 0.987, "frames": 120, "extra": 1.5},
        {"action": "Sit", "mpjpe_mm": math.nan, "frames": 8},
    ),
    note="Ten clips.",
)


def test_markdown() -> None:
    assert TABLE.to_markdown() == (
        "## By action\n\nTen clips.\n\n"
        "| Action | MPJPE mm | Coverage % | Frames |\n"
        "| --- | ---: | ---: | ---: |\n"
        "| Walk\\|Run | 51.2 | 98.7 | 120 |\n"
        "| Sit | – | – | 8 |\n"
    )


def test_json_keeps_everything_and_is_json() -> None:
    kept = json.loads(json.dumps(TABLE.to_dict(), allow_nan=False))
    assert kept["rows"][0] == {
        "action": "Walk|Run",
        "mpjpe_mm": 51.249,
        "coverage": 0.987,
        "frames": 120,
        "extra": 1.5,
    }
    assert kept["rows"][1]["mpjpe_mm"] is None


def test_numbers_of_numpy_are_numbers() -> None:
    table = Table("t", (Column("x", "x"),), [{"x": np.float32(0.5)}])
    assert json.dumps(table.to_dict()["rows"]) == '[{"x": 0.5}]'
    assert "| 0.5 |" in table.to_markdown()


def test_acceleration_always_stands_beside_both_others() -> None:
    assert [c.key for c in columns("acceleration")] == [
        "acceleration_error_mm_frame2",
        "acceleration_result_mm_frame2",
        "acceleration_reference_mm_frame2",
    ]


def test_every_measure_has_a_column() -> None:
    found = metrics.measures(np.zeros((4, 3, 3)), np.zeros((4, 3, 3)), fps=25, roots=(), bones=())
    assert set(found) <= set(MEASURES)


def test_written_files(tmp_path: Path) -> None:
    markdown, as_json = write_tables(tmp_path / "new" / "accuracy", [TABLE, TABLE], heading="Accuracy")
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["accuracy.json", "accuracy.md"]
    assert markdown.read_text().startswith("# Accuracy\n\n## By action\n")
    assert len(json.loads(as_json.read_text())["tables"]) == 2
