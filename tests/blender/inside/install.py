"""Install the add-on's zip as a user does."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import harness


def main(given: dict[str, Any]) -> dict[str, Any]:
    if harness.EXTENSIONS:
        bpy.ops.extensions.package_install_files(
            filepath=given["zip"], repo="user_default", enable_on_install=True
        )
    else:
        bpy.ops.preferences.addon_install(filepath=given["zip"])
    harness.enable()
    import google.protobuf
    import grpc
    import pose_shared

    return {
        "version": list(bpy.app.version),
        "places": [grpc.__file__, google.protobuf.__file__, pose_shared.__file__],
    }


harness.run(main)
