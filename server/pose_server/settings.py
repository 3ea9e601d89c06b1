"""What a server is told at its start: the only place that knows the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pose_shared.errors import InputError
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

__all__ = ["Settings", "hand_on_settings", "load_settings"]

_GIB = 1024**3


class Settings(BaseSettings):
    """Settings of one server; every field is also an environment variable ``POSE_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="POSE_", frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=50551, ge=0, le=65535)
    """0 picks a free one."""
    data_dir: Path = Field(default_factory=lambda: platformdirs.user_data_path("pose-server"))
    """Jobs, uploads and cached stage results; on a local disk, for one server at a time."""
    weights_dir: Path | None = None
    """A studio's folder of fetched weights, which is looked in first and never written."""
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda:\d+)$")
    media_roots: Annotated[tuple[Path, ...], NoDecode] = ()
    """Folders whose films clients may name by path; separated like PATH in the environment."""
    cache_bytes: int = Field(default=20 * _GIB, ge=0)
    """How much cached stage results may take."""
    disk_reserve_bytes: int = Field(default=2 * _GIB, ge=0)
    """Uploads are refused when less than this would stay free."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("media_roots", mode="before")
    @classmethod
    def _split_roots(cls, value: Any) -> Any:
        return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value

    @field_validator("data_dir", "weights_dir", mode="after")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value is not None else None


def load_settings(**given: Any) -> Settings:
    """Return the settings: what is `given` and not None, then the environment, then the defaults.

    Raises
    ------
    InputError
        A value cannot be used; names the setting.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        raise InputError(
            f"The setting {name} (or POSE_{name.upper()}) cannot be {first['input']!r}: {first['msg']}.",
            reason="SETTING_INVALID",
            setting=name,
            value=first["input"],
        ) from None


def hand_on_settings(settings: Settings) -> None:
    """Let the processes that this one starts, and itself, find files where these settings say."""
    os.environ["POSE_DATA_DIR"] = str(settings.data_dir)
