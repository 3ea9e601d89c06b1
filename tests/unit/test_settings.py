from __future__ import annotations

from pathlib import Path

import pytest
from pose_server.settings import load_settings
from pose_shared.errors import InputError


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in os.environ:
        if name.startswith("POSE_"):
            monkeypatch.delenv(name)


def test_defaults() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.device) == ("127.0.0.1", 50551, "auto")
    assert settings.data_dir.name == "pose-server"
    assert settings.data_dir.is_absolute()
    assert settings.media_roots == ()
    assert settings.weights_dir is None


def test_what_is_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_PORT", "1234")
    monkeypatch.setenv("POSE_MEDIA_ROOTS", "/films:/more films")
    assert load_settings().port == 1234
    assert load_settings(port=5, device=None).port == 5
    assert load_settings().media_roots == (Path("/films"), Path("/more films"))
    assert load_settings(media_roots=(Path("/a"),)).media_roots == (Path("/a"),)


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", 70000), ("port", "x"), ("device", "cuda"), ("log_level", "LOUD"), ("cache_bytes", -1)],
)
def test_what_cannot_be_is_named(name: str, value: object) -> None:
    with pytest.raises(InputError) as caught:
        load_settings(**{name: value})
    assert caught.value.reason == "SETTING_INVALID"
    assert f"POSE_{name.upper()}" in caught.value.message


def test_settings_do_not_change() -> None:
    with pytest.raises(Exception, match="frozen"):
        load_settings().port = 3


def test_a_server_and_its_workers_look_for_weights_in_its_own_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pose_server.api import server
    from pose_server.weights.store import weights_store

    monkeypatch.setenv("POSE_DATA_DIR", "/elsewhere")
    monkeypatch.setenv("POSE_WEIGHTS_DIR", "~/mirror")
    monkeypatch.setattr(server.asyncio, "run", lambda job: job.close())
    server.run_server(load_settings(data_dir=tmp_path / "data"))
    assert weights_store().folder == tmp_path / "data" / "weights"
    assert weights_store().mirror == Path.home() / "mirror"
