"""Names of stage results: a chain of hashes, so that a result is found again only when nothing changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["stage_fingerprint"]


def stage_fingerprint(previous: str, stage: str, version: int, settings: Mapping[str, Any]) -> str:
    """Return the name of a stage's result.

    Parameters
    ----------
    previous
        Fingerprint of what the stage reads: the clip's SHA-256, or the stage before.
    stage
        Its name.
    version
        Raised whenever the stage's code gives other numbers for the same input.
    settings
        JSON data: all options the stage looks at, and the fingerprints of its weights.
    """
    text = json.dumps([previous, stage, version, settings], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
