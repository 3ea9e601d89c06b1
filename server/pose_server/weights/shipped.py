"""The weights that this project trained and ships; MODEL_CARD.md beside them says how."""

from __future__ import annotations

from pathlib import Path

__all__ = ["shipped_weights"]


def shipped_weights(name: str) -> Path:
    """Return the file of a model of this project: ``house`` or ``house_causal``."""
    return Path(__file__).with_name(f"{name}.safetensors")
