"""Write the JSON schema of ``report.json`` to ``docs/report.schema.json``, or to the path given."""

import json
import sys
from pathlib import Path

from pose_server.pipeline.report import REPORT_VERSION, ImportReport
from pydantic import TypeAdapter

TARGET = Path(__file__).parents[1] / "docs" / "report.schema.json"


def schema_text() -> str:
    """Return the schema as the file holds it."""
    schema = TypeAdapter(ImportReport).json_schema(mode="serialization")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"pose-server report.json, version {REPORT_VERSION}",
        **{key: value for key, value in schema.items() if key != "title"},
    }
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET).write_text(schema_text(), encoding="utf-8")
