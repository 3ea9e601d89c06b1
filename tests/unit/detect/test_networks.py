from __future__ import annotations

import subprocess
import sys
import threading
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
from pose_server.detect import networks
from pose_server.detect.networks import LANDMARK_PIXELS, PERSON_PIXELS, LandmarkNetwork, PersonNetwork
from pose_shared.errors import MissingExtraError


def noise(pixels: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (pixels, pixels, 3), np.uint8)


def test_looks_come_back_in_the_order_of_crops(landmark_network: LandmarkNetwork) -> None:
    crops = [noise(LANDMARK_PIXELS, seed) for seed in range(5)]
    together = landmark_network.look(iter(crops))
    alone = [landmark_network.look([crop])[0] for crop in crops]
    for one, other in zip(together, alone, strict=True):
        assert (one.points == other.points).all()
        assert (one.world_m == other.world_m).all()
        assert one.score == other.score
    assert len({look.points.tobytes() for look in together}) == len(crops)
    assert landmark_network.look([]) == []


def test_a_look_has_the_promised_shapes_and_ranges(landmark_network: LandmarkNetwork) -> None:
    (look,) = landmark_network.look([noise(LANDMARK_PIXELS, 1)])
    assert (look.points.shape, look.world_m.shape) == ((39, 2), (39, 3))
    for probability in (look.visibility, look.presence, np.array(look.score)):
        assert ((probability >= 0) & (probability <= 1)).all()


def test_noise_shows_nobody(person_network: PersonNetwork, landmark_network: LandmarkNetwork) -> None:
    for seed in range(3):
        person_network.send(noise(PERSON_PIXELS, seed))
    assert [len(found) for found in person_network.receive()] == [0, 0, 0]
    assert person_network.receive() == []
    assert landmark_network.look([np.zeros((LANDMARK_PIXELS, LANDMARK_PIXELS, 3), np.uint8)])[0].score < 0.1


def test_threads_do_not_change_the_numbers(landmark_network: LandmarkNetwork) -> None:
    crop = noise(LANDMARK_PIXELS, 7)
    network = LandmarkNetwork(copies=1, threads=2)
    try:
        (one,), (other,) = network.look([crop]), landmark_network.look([crop])
    finally:
        network.close()
    assert (one.points == other.points).all()
    assert (one.world_m == other.world_m).all()


def test_other_threads_go_on_while_a_network_works(landmark_network: LandmarkNetwork) -> None:
    counted, done = [0], threading.Event()

    def count() -> None:
        while not done.is_set():
            counted[0] += 1

    counter = threading.Thread(target=count)
    counter.start()
    before = counted[0]
    landmark_network.look([noise(LANDMARK_PIXELS, 1)] * 6)
    during = counted[0] - before
    done.set()
    counter.join()
    assert during > 1000


def test_closed_networks_give_their_memory_back() -> None:
    code = (
        "import gc, os, pathlib\n"
        "from pose_server.detect.networks import LandmarkNetwork, PersonNetwork\n"
        "def once():\n"
        "    LandmarkNetwork(copies=2, threads=1).close()\n"
        "    PersonNetwork(threads=1, min_score=0.3).close()\n"
        "    gc.collect()\n"
        "    pages = int(pathlib.Path('/proc/self/statm').read_text().split()[1])\n"
        "    return pages * os.sysconf('SC_PAGE_SIZE') / 1e6\n"
        "sizes = [once() for _ in range(8)]\n"
        "print(sizes[-1] - sizes[1])\n"
    )
    # A process of its own: what other tests leave behind comes and goes by as much.
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # Six that were not freed would hold 500 MB; on a busy machine threads keep up to 200 for a while.
    assert float(done.stdout) < 300


def test_libraries_are_silent_and_nobody_else_is() -> None:
    code = (
        "import os, sys, threading\n"
        "from pose_server.detect.networks import LandmarkNetwork, PersonNetwork, _without_chatter\n"
        "LandmarkNetwork(copies=1, threads=1).close()\n"
        "PersonNetwork(threads=1, min_score=0.3).close()\n"
        "with _without_chatter():\n"
        "    print('said meanwhile', file=sys.stderr)\n"
        "    os.write(2, b'INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\n')\n"
        "print('said after', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["said meanwhile", "said after"]
    assert done.stdout == ""


def test_without_mediapipe_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install mediapipe==0\.10\.21") as caught:
        networks.weights_sha256()
    assert caught.value.reason == "MEDIAPIPE_MISSING"


def test_a_mediapipe_without_weights_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = ModuleSpec("mediapipe", None, origin=str(tmp_path / "mediapipe" / "__init__.py"))
    monkeypatch.setattr(networks, "find_spec", lambda name: spec)
    with pytest.raises(MissingExtraError, match=r"pose_landmark_full\.tflite") as caught:
        networks.weights_sha256()
    assert caught.value.reason == "MEDIAPIPE_WITHOUT_WEIGHTS"
