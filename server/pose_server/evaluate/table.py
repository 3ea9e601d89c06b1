"""Results as tables: Markdown for people, JSON for programs, from the same rows."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["MEASURES", "Column", "Table", "columns", "write_tables"]

Cell = str | float | int | None


@dataclass(frozen=True)
class Column:
    """One column: which value of a row, under which title, and how a number is shown."""

    key: str
    title: str
    digits: int = 1
    percent: bool = False
    """Show a share times a hundred; JSON keeps the share."""

    def text(self, value: Cell) -> str:
        """Return a cell as Markdown shows it; a number that is missing or NaN as a dash."""
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return "–"
        if isinstance(value, str):
            return value.replace("|", "\\|")
        if isinstance(value, int):
            return str(value)
        return f"{value * (100 if self.percent else 1):.{self.digits}f}"


#: How the measures of `evaluate.metrics` are shown everywhere.
MEASURES: Mapping[str, Column] = {
    column.key: column
    for column in (
        Column("coverage", "Coverage %", percent=True),
        Column("mpjpe_mm", "MPJPE mm"),
        Column("p_mpjpe_mm", "P-MPJPE mm"),
        Column("n_mpjpe_mm", "N-MPJPE mm"),
        Column("pa_seq_mm", "PA-seq mm"),
        Column("w_mpjpe_mm", "W-MPJPE mm", 0),
        Column("wa_mpjpe_mm", "WA-MPJPE mm", 0),
        Column("mpjve_mm_frame", "MPJVE mm/frame", 2),
        Column("mpjve_mm_s", "MPJVE mm/s"),
        Column("acceleration_error_mm_frame2", "Acceleration error mm/frame²", 2),
        Column("acceleration_result_mm_frame2", "Acceleration mm/frame²", 2),
        Column("acceleration_reference_mm_frame2", "Reference acceleration mm/frame²", 2),
        Column("acceleration_kept", "Acceleration kept", 2),
        Column("jitter_10m_s3", "Jitter 10 m/s³", 2),
        Column("reference_jitter_10m_s3", "Reference jitter 10 m/s³", 2),
        Column("bone_spread", "Bone spread %", percent=True),
        Column("reference_bone_spread", "Reference bone spread %", percent=True),
        Column("root_absolute_m", "Root error m", 3),
        Column("root_scaled_m", "Root error after scale m", 3),
        Column("root_scale", "Root scale", 3),
        Column("root_relative_depth", "Root depth error %", percent=True),
        Column("root_per_metre", "Root error % of way", percent=True),
        Column("foot_slide_mm_frame", "Foot slide mm/frame", 2),
        Column("foot_slide_m_s", "Foot slide m/s", 3),
        Column("own_slide_mm_frame", "Slide in own contacts mm/frame", 2),
        Column("reference_slide_mm_frame", "Reference slide mm/frame", 2),
        Column("penetration_mm", "Below floor mm"),
        Column("worst_penetration_mm", "Lowest below floor mm"),
        Column("gravity_deg", "Gravity error °"),
        Column("way_error", "Camera's way error %", percent=True),
        Column("focal_error", "Focal length error %", percent=True),
        Column("limb_deg", "Limb error °"),
        Column("trunk_deg", "Trunk °"),
        Column("upper_arm_deg", "Upper arms °"),
        Column("forearm_deg", "Forearms °"),
        Column("thigh_deg", "Thighs °"),
        Column("shin_deg", "Shins °"),
        Column("worst_rotation_step_deg", "Largest turn °/frame", 0),
        Column("worst_limb_step_deg", "Largest turn of a limb °/frame", 0),
        Column("worst_reference_limb_step_deg", "Reference's °/frame", 0),
        Column("reprojection_px", "Reprojection px"),
        Column("contact_precision", "Contact precision", 3),
        Column("contact_recall", "Contact recall", 3),
        Column("contact_f1", "Contact F1", 3),
        Column("frames_per_s", "Frames/s", 0),
    )
}

#: A result's acceleration says nothing without both others.
_TOGETHER = tuple(key for key in MEASURES if key.startswith("acceleration_") and key.endswith("_frame2"))


def columns(*keys: str) -> tuple[Column, ...]:
    """Return the columns of some measures.

    ``acceleration`` stands for three: the error, and the result's and the reference's own, which
    are never shown apart.
    """
    found: list[Column] = []
    for key in keys:
        found += [MEASURES[k] for k in (_TOGETHER if key == "acceleration" else (key,))]
    return tuple(found)


@dataclass(frozen=True)
class Table:
    """Rows of named values, and which of them to show in which order."""

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Mapping[str, Cell]]
    note: str = ""
    """What a reader must know to read the numbers right: data, protocol, how often it was run."""

    def to_markdown(self, *, level: int = 2) -> str:
        """Return the table under a heading of that level; numbers stand to the right."""
        numeric = [
            not any(isinstance(row.get(column.key), str) for row in self.rows) for column in self.columns
        ]
        lines = [f"{'#' * level} {self.title}", ""]
        if self.note:
            lines += [self.note, ""]
        lines.append(_line(column.title for column in self.columns))
        lines.append(_line("---:" if right else "---" for right in numeric))
        for row in self.rows:
            lines.append(_line(column.text(row.get(column.key)) for column in self.columns))
        return "\n".join(lines) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Return the table as plain JSON data: every value of every row, NaN as null."""
        return {
            "title": self.title,
            "note": self.note,
            "columns": [{"key": column.key, "title": column.title} for column in self.columns],
            "rows": [{key: _plain(value) for key, value in row.items()} for row in self.rows],
        }


def write_tables(target: Path, tables: Sequence[Table], *, heading: str = "") -> tuple[Path, Path]:
    """Write tables beside each other as `target`.md and `target`.json; return both paths.

    Each file appears when it is complete.
    """
    markdown = "\n".join(([f"# {heading}\n"] if heading else []) + [table.to_markdown() for table in tables])
    as_json = json.dumps(
        {"heading": heading, "tables": [table.to_dict() for table in tables]}, indent=2, ensure_ascii=False
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    paths = []
    for suffix, text in ((".md", markdown), (".json", as_json + "\n")):
        path = target.with_name(target.name + suffix)
        partial = path.with_name(path.name + ".part")
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
        paths.append(path)
    return paths[0], paths[1]


def _line(cells: Any) -> str:
    return "| " + " | ".join(cells) + " |"


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    number = float(value)
    return number if math.isfinite(number) else None
