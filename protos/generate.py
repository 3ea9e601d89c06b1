"""Write the Python stubs of ``protos/`` into ``shared/pose_shared/_generated``.

Usage: ``python protos/generate.py [OUTPUT_FOLDER]``.  The stubs import each other below
``pose_shared._generated``, so that they never collide with a host's own package named ``pose``.
"""

import re
import shutil
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTOS = Path(__file__).parent
OUTPUT = PROTOS.parent / "shared" / "pose_shared" / "_generated"


def generate(output: Path) -> None:
    """Replace `output` by freshly made stubs."""
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        code = protoc.main(
            [
                "protoc",
                f"-I{PROTOS}",
                f"-I{files('grpc_tools') / '_proto'}",
                f"--python_out={folder}",
                f"--pyi_out={folder}",
                f"--grpc_python_out={folder}",
                *sources,
            ]
        )
        if code:
            sys.exit(code)
        for path in Path(folder).rglob("*.py*"):
            text = re.sub(r"^from pose\.", "from pose_shared._generated.pose.", path.read_text(), flags=re.M)
            path.write_text(text)
        for package in [Path(folder), *(p for p in Path(folder).rglob("*") if p.is_dir())]:
            (package / "__init__.py").write_text("")
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(folder, output)


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT)
