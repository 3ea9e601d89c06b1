"""BlazePose's two networks, run by MediaPipe's own calculators on crops that we cut ourselves.

The wheel of mediapipe 0.10.21 carries the weights.  Its ready-made landmarkers decide for themselves
where to look; here a graph ends before that, so that `detect` can follow each person on its own terms.
A graph runs on threads of its own and without the interpreter's lock: `send` returns at once.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InternalError, MissingExtraError

__all__ = [
    "LANDMARK_PIXELS",
    "PERSON_PIXELS",
    "LandmarkNetwork",
    "Landmarks",
    "PersonNetwork",
    "weights_sha256",
]

FloatArray = NDArray[np.floating[Any]]

#: Side of the square input of the landmark network and of the person detector.
LANDMARK_PIXELS = 256
PERSON_PIXELS = 224

_LANDMARK_WEIGHTS = "mediapipe/modules/pose_landmark/pose_landmark_full.tflite"
_PERSON_WEIGHTS = "mediapipe/modules/pose_detection/pose_detection.tflite"
#: Body points, two alignment points, four that MediaPipe does not use either.
_POINTS = 39

# Both configurations repeat what MediaPipe's pose_landmark_by_roi_cpu and pose_detection_cpu say of
# the networks (Apache-2.0), without their choices of region and threshold.
_INFERENCE = """
node {
  calculator: "ImageToTensorCalculator"
  input_stream: "IMAGE:picture"
  output_stream: "TENSORS:input"
  options { [mediapipe.ImageToTensorCalculatorOptions.ext] {
    output_tensor_width: %(pixels)d
    output_tensor_height: %(pixels)d
    output_tensor_float_range { min: %(low).1f max: 1.0 }
  } }
}
node {
  calculator: "InferenceCalculator"
  input_stream: "TENSORS:input"
  output_stream: "TENSORS:output"
  options { [mediapipe.InferenceCalculatorOptions.ext] {
    model_path: "%(weights)s"
    delegate { xnnpack { num_threads: %(threads)d } }
  } }
}
"""
_LANDMARK_GRAPH = """
input_stream: "picture"
output_stream: "landmarks"
output_stream: "score"
output_stream: "world"
node {
  calculator: "SplitTensorVectorCalculator"
  input_stream: "output"
  output_stream: "landmark_tensor"
  output_stream: "score_tensor"
  output_stream: "heatmap_tensor"
  output_stream: "world_tensor"
  options { [mediapipe.SplitVectorCalculatorOptions.ext] {
    ranges { begin: 0 end: 1 }
    ranges { begin: 1 end: 2 }
    ranges { begin: 3 end: 4 }
    ranges { begin: 4 end: 5 }
  } }
}
node {
  calculator: "TensorsToFloatsCalculator"
  input_stream: "TENSORS:score_tensor"
  output_stream: "FLOAT:score"
}
node {
  calculator: "TensorsToLandmarksCalculator"
  input_stream: "TENSORS:landmark_tensor"
  output_stream: "NORM_LANDMARKS:coarse_landmarks"
  options { [mediapipe.TensorsToLandmarksCalculatorOptions.ext] {
    num_landmarks: 39
    input_image_width: 256
    input_image_height: 256
    visibility_activation: SIGMOID
    presence_activation: SIGMOID
  } }
}
node {
  calculator: "RefineLandmarksFromHeatmapCalculator"
  input_stream: "NORM_LANDMARKS:coarse_landmarks"
  input_stream: "TENSORS:heatmap_tensor"
  output_stream: "NORM_LANDMARKS:landmarks"
  options { [mediapipe.RefineLandmarksFromHeatmapCalculatorOptions.ext] { kernel_size: 7 } }
}
node {
  calculator: "TensorsToFloatsCalculator"
  input_stream: "TENSORS:world_tensor"
  output_stream: "FLOATS:world"
}
"""
_PERSON_GRAPH = """
input_stream: "picture"
output_stream: "people"
node {
  calculator: "SsdAnchorsCalculator"
  output_side_packet: "anchors"
  options { [mediapipe.SsdAnchorsCalculatorOptions.ext] {
    num_layers: 5
    min_scale: 0.1484375
    max_scale: 0.75
    input_size_height: 224
    input_size_width: 224
    anchor_offset_x: 0.5
    anchor_offset_y: 0.5
    strides: 8
    strides: 16
    strides: 32
    strides: 32
    strides: 32
    aspect_ratios: 1.0
    fixed_anchor_size: true
  } }
}
node {
  calculator: "TensorsToDetectionsCalculator"
  input_stream: "TENSORS:output"
  input_side_packet: "ANCHORS:anchors"
  output_stream: "DETECTIONS:raw_people"
  options { [mediapipe.TensorsToDetectionsCalculatorOptions.ext] {
    num_classes: 1
    num_boxes: 2254
    num_coords: 12
    keypoint_coord_offset: 4
    num_keypoints: 4
    num_values_per_keypoint: 2
    sigmoid_score: true
    score_clipping_thresh: 100.0
    reverse_output_order: true
    x_scale: 224.0
    y_scale: 224.0
    h_scale: 224.0
    w_scale: 224.0
    min_score_thresh: %(min_score)f
  } }
}
node {
  calculator: "NonMaxSuppressionCalculator"
  input_stream: "raw_people"
  output_stream: "people"
  options { [mediapipe.NonMaxSuppressionCalculatorOptions.ext] {
    min_suppression_threshold: 0.3
    overlap_type: INTERSECTION_OVER_UNION
    algorithm: WEIGHTED
  } }
}
"""

#: What MediaPipe, absl and TensorFlow Lite say each time a graph starts; nothing that a user can act on.
_CHATTER = re.compile(
    rb"All log messages before absl|GPU suport is not available|GL version|TensorFlow Lite XNNPACK|"
    rb"inference_feedback_manager|landmark_projection_calculator"
)


def _weight_files() -> tuple[Path, Path]:
    """Return the landmark network's and the person detector's weights inside the mediapipe package.

    Raises
    ------
    MissingExtraError
        mediapipe is not installed, or its release does not carry them.
    """
    spec = find_spec("mediapipe")
    if spec is None or spec.origin is None:
        raise MissingExtraError(
            "BlazePose needs the package mediapipe; install it with 'pip install mediapipe==0.10.21'.",
            reason="MEDIAPIPE_MISSING",
        )
    root = Path(spec.origin).parent.parent
    files = root / _LANDMARK_WEIGHTS, root / _PERSON_WEIGHTS
    for file in files:
        if not file.is_file():
            raise MissingExtraError(
                f"The installed mediapipe carries no {file.name}; "
                "install the release that does with 'pip install mediapipe==0.10.21'.",
                reason="MEDIAPIPE_WITHOUT_WEIGHTS",
                file=file.name,
            )
    return files


def weights_sha256() -> str:
    """Return one hexadecimal digest of both networks' weights."""
    digest = hashlib.sha256()
    for file in _weight_files():
        digest.update(file.read_bytes())
    return digest.hexdigest()


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Hold back what libraries print on standard error, and print all of it but the chatter afterwards."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        original = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            held.seek(0)
            kept = b"".join(line for line in held if not _CHATTER.search(line))
            if kept:
                os.write(2, kept)


class _Graph:
    """A running MediaPipe graph with one picture going in; results come out in the order of pictures."""

    def __init__(self, config: str, readers: dict[str, str]) -> None:
        from mediapipe.python import packet_creator, packet_getter
        from mediapipe.python._framework_bindings import calculator_graph, image_frame, resource_util

        # The calculators look their weights up below this folder.
        resource_util.set_resource_dir(str(_weight_files()[0].parents[3]))
        self._create = packet_creator.create_image_frame
        self._format = image_frame.ImageFormat.SRGB
        self._results: dict[int, dict[str, Any]] = {}
        self._sent = 0
        self._graph = calculator_graph.CalculatorGraph(graph_config=config)
        for stream, reader in readers.items():
            self._graph.observe_output_stream(
                stream, _observer(self._results, stream, getattr(packet_getter, reader))
            )
        self._graph.start_run()

    def send(self, picture: NDArray[np.uint8]) -> None:
        self._results[self._sent] = {}
        packet = self._create(np.ascontiguousarray(picture), image_format=self._format)
        self._graph.add_packet_to_input_stream("picture", packet.at(self._sent))
        self._sent += 1

    def receive(self) -> list[dict[str, Any]]:
        try:
            self._graph.wait_until_idle()
        except (RuntimeError, ValueError) as error:
            raise InternalError(f"MediaPipe's graph failed: {error}", reason="DETECTOR_FAILED") from error
        results = [self._results[key] for key in sorted(self._results)]
        self._results.clear()
        return results

    def close(self) -> None:
        self._graph.close()


def _observer(results: dict[int, dict[str, Any]], stream: str, read: Any) -> Any:
    # Must not know the graph: a graph that its own observer holds is never freed.
    def observe(_: str, packet: Any) -> None:
        results[packet.timestamp.value][stream] = read(packet)

    return observe


@dataclass(frozen=True)
class Landmarks:
    """What the landmark network says of one crop."""

    points: FloatArray
    """(39, 2) from 0 to 1 across the crop: 33 body points, then hips and rim of the body's circle."""
    visibility: FloatArray
    """(39,) 0..1, not hidden."""
    presence: FloatArray
    """(39,) 0..1, inside the picture."""
    world_m: FloatArray
    """(39, 3) metres about the hips, axes parallel to the crop's."""
    score: float
    """0..1, that there is a person in the crop."""


class LandmarkNetwork:
    """The landmark network in several copies that work at the same time.

    Parameters
    ----------
    copies
        How many graphs.
    threads
        For each of them.
    """

    def __init__(self, *, copies: int, threads: int) -> None:
        config = _INFERENCE % {
            "pixels": LANDMARK_PIXELS,
            "low": 0.0,
            "weights": _LANDMARK_WEIGHTS,
            "threads": threads,
        }
        readers = {"landmarks": "get_proto", "score": "get_float", "world": "get_float_list"}
        self._graphs: list[_Graph] = []
        with _without_chatter():
            for _ in range(copies):
                self._graphs.append(_Graph(_LANDMARK_GRAPH + config, readers))
            # A graph opens its weights, and talks, after start_run returned.
            blank = np.zeros((LANDMARK_PIXELS, LANDMARK_PIXELS, 3), np.uint8)
            self.look(blank for _ in range(copies))

    def look(self, crops: Iterable[NDArray[np.uint8]]) -> list[Landmarks]:
        """Return what each crop shows; an iterator is read while the first crops are being looked at."""
        count = 0
        for crop in crops:
            self._graphs[count % len(self._graphs)].send(crop)
            count += 1
        queues = [iter(graph.receive()) for graph in self._graphs[:count]]
        return [_landmarks(next(queues[i % len(queues)])) for i in range(count)]

    def close(self) -> None:
        """Stop the graphs and free their memory."""
        while self._graphs:
            self._graphs.pop().close()


def _landmarks(result: dict[str, Any]) -> Landmarks:
    table = np.array([(p.x, p.y, p.visibility, p.presence) for p in result["landmarks"].landmark])
    world = np.array(result["world"]).reshape(_POINTS, 3)
    return Landmarks(table[:, :2], table[:, 2], table[:, 3], world, float(result["score"]))


class PersonNetwork:
    """The person detector, for people who take up a fifth or more of the square picture shown to it.

    Parameters
    ----------
    threads
        For its graph.
    min_score
        People with less are not reported, 0..1.
    """

    def __init__(self, *, threads: int, min_score: float) -> None:
        config = _INFERENCE % {
            "pixels": PERSON_PIXELS,
            "low": -1.0,
            "weights": _PERSON_WEIGHTS,
            "threads": threads,
        }
        graph = _PERSON_GRAPH % {"min_score": min_score}
        with _without_chatter():
            self._graph = _Graph(graph + config, {"people": "get_proto_list"})
            self._graph.send(np.zeros((PERSON_PIXELS, PERSON_PIXELS, 3), np.uint8))
            self._graph.receive()

    def send(self, tile: NDArray[np.uint8]) -> None:
        """Start looking at a (224, 224, 3) picture."""
        self._graph.send(tile)

    def receive(self) -> list[FloatArray]:
        """Return (P, 5) for each picture sent: score, hips x, y and rim x, y from 0 to 1 across it."""
        found = []
        for result in self._graph.receive():
            rows = []
            for person in result.get("people", ()):
                hips, rim = person.location_data.relative_keypoints[:2]
                rows.append((person.score[0], hips.x, hips.y, rim.x, rim.y))
            found.append(np.array(rows).reshape(-1, 5))
        return found

    def close(self) -> None:
        """Stop the graph and free its memory."""
        self._graph.close()
