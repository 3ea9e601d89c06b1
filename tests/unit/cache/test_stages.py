from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from pose_server.cache.stages import StageCache
from pose_shared.errors import InternalError

ARRAYS = {"a": np.arange(12.0).reshape(3, 4), "names": np.array(["x", "y"]), "none": np.zeros((0, 3))}


@pytest.fixture
def cache(tmp_path: Path) -> StageCache:
    return StageCache(tmp_path / "stages", 10**9)


def test_what_was_put_comes_back(cache: StageCache) -> None:
    assert cache.get("ab12") is None
    cache.put("ab12", ARRAYS)
    found = cache.get("ab12")
    assert found is not None
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("damage", ["cut", "empty", "flip", "text"])
def test_a_damaged_file_counts_as_absent_and_goes(cache: StageCache, tmp_path: Path, damage: str) -> None:
    cache.put("ab12", ARRAYS)
    path = tmp_path / "stages" / "ab12.npz"
    data = bytearray(path.read_bytes())
    if damage == "cut":
        del data[len(data) // 2 :]
    elif damage == "empty":
        data.clear()
    elif damage == "flip":
        data[data.index(ARRAYS["a"].tobytes())] ^= 1
    else:
        data[:] = b"not an archive"
    path.write_bytes(data)
    assert cache.get("ab12") is None
    assert not path.exists()
    cache.put("ab12", ARRAYS)
    assert cache.get("ab12") is not None


def test_a_pickle_is_never_read_nor_written(cache: StageCache, tmp_path: Path) -> None:
    with pytest.raises(InternalError):
        cache.put("ab12", {"a": np.array([{}])})
    (tmp_path / "stages").mkdir()
    np.savez(tmp_path / "stages" / "ab12.npz", a=np.array([{}], dtype=object))
    assert cache.get("ab12") is None


def test_the_least_recently_read_goes_first(tmp_path: Path) -> None:
    cache = StageCache(tmp_path, 3 * 8200 + 2000)
    arrays = {"a": np.zeros(1000)}
    for age, key in enumerate(("aa", "bb", "cc")):
        cache.put(key, arrays)
        os.utime(tmp_path / f"{key}.npz", (age, age))
    assert cache.get("aa") is not None
    cache.put("dd", arrays)
    assert sorted(path.stem for path in tmp_path.glob("*.npz")) == ["aa", "cc", "dd"]


def test_a_result_larger_than_the_quota_is_not_kept(tmp_path: Path) -> None:
    cache = StageCache(tmp_path, 100)
    cache.put("aa", {"a": np.zeros(1000)})
    assert cache.get("aa") is None


def test_no_key_leaves_the_folder(cache: StageCache) -> None:
    for key in ("../aa", "", "a/b", "a.b"):
        with pytest.raises(InternalError):
            cache.get(key)


def test_many_writers_and_readers_see_whole_results_only(cache: StageCache) -> None:
    wrong: list[object] = []

    def write(number: int) -> None:
        for _ in range(20):
            cache.put("aa", {"a": np.full(5000, number)})
            found = cache.get("aa")
            if found is not None and len(set(found["a"].tolist())) != 1:
                wrong.append(found)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert cache.get("aa") is not None
