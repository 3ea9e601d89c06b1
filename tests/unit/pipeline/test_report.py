from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_schema_in_the_docs_is_fresh(root: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "schema.json"
    subprocess.run([sys.executable, root / "scripts" / "report_schema.py", fresh], check=True)
    kept = (root / "docs" / "report.schema.json").read_text(encoding="utf-8")
    assert kept == fresh.read_text(encoding="utf-8"), "run 'make docs'"
