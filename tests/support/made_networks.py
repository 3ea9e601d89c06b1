"""Small ONNX networks with the signatures of real ones, whose answers are known functions of the picture.

A point of a body is a disc of its own colour; its place is the middle of the pixels that have that colour.
A person is a rectangle of one of three dark colours; their box is what has that colour.  Nobody who reads the
answers knows how they are made, and the other way round.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

#: (26, 3) RGB of the points: no two lie near each other, nor on the way from each other to black.
POINT_COLOURS = np.array(
    [c for c in itertools.product((0, 80, 160, 240), repeat=3) if max(c) == 240][:26], np.float32
)
#: RGB of the people, and the score that their boxes get.
PERSON_COLOURS = np.array([[60, 0, 0], [0, 60, 0], [0, 0, 60]], np.float32)
PERSON_SCORES = np.array([0.95, 0.5, 0.15], np.float32)
#: Of a point that is seen.
CONFIDENCE = 0.9

RTMPOSE_RGB = np.array([[123.675, 116.28, 103.53], [58.395, 57.12, 57.375]], np.float32)
RTMDET_BGR = np.array([[103.53, 116.28, 123.675], [57.375, 57.12, 58.395]], np.float32)


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._count = itertools.count()

    def constant(self, value: object, dtype: type = np.float32) -> str:
        name = f"c{next(self._count)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def __call__(self, operation: str, *inputs: str, output: str | None = None, **options: object) -> str:
        name = output or f"t{next(self._count)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [name], **options))
        return name

    def save(self, path: Path, size: tuple[object, ...], outputs: dict[str, tuple[object, ...]]) -> Path:
        def info(name: str, shape: tuple[object, ...]) -> onnx.ValueInfoProto:
            kind = TensorProto.INT64 if name == "labels" else TensorProto.FLOAT
            return helper.make_tensor_value_info(name, kind, list(shape))

        graph = helper.make_graph(
            self.nodes,
            "made",
            [info("input", size)],
            [info(name, shape) for name, shape in outputs.items()],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, path)
        return path

    def colours(self, mean_std: np.ndarray | None, *, bgr: bool) -> str:
        """The picture in RGB from 0 to 255 again, (N, 1, 3, H, W)."""
        picture = "input"
        if mean_std is not None:
            picture = self("Mul", picture, self.constant(mean_std[1].reshape(1, 3, 1, 1)))
            picture = self("Add", picture, self.constant(mean_std[0].reshape(1, 3, 1, 1)))
        if bgr:
            picture = self("Gather", picture, self.constant([2, 1, 0], np.int64), axis=1)
        return self("Unsqueeze", picture, self.constant([1], np.int64))

    def masks(self, picture: str, colours: np.ndarray, tolerance: float) -> str:
        """(N, K, H, W) 1 where a pixel has the colour of K, 0 elsewhere."""
        off = self("Sub", picture, self.constant(colours.reshape(1, -1, 3, 1, 1)))
        far = self("ReduceMax", self("Abs", off), axes=[2], keepdims=0)
        return self("Cast", self("Less", far, self.constant(tolerance)), to=TensorProto.FLOAT)

    def middles(self, masks: str, width: int, height: int) -> tuple[str, str, str]:
        """(N, K, 1) middle of the masks in x and in y, counted from the first centre, and if any is there."""
        total = self("ReduceSum", masks, self.constant([2, 3], np.int64), keepdims=0)
        safe = self("Max", total, self.constant(1.0))
        answers = []
        for line, shape in ((np.arange(width), (1, 1, 1, -1)), (np.arange(height), (1, 1, -1, 1))):
            weighed = self("Mul", masks, self.constant(line.reshape(shape)))
            sums = self("ReduceSum", weighed, self.constant([2, 3], np.int64), keepdims=0)
            answers.append(self("Unsqueeze", self("Div", sums, safe), self.constant([2], np.int64)))
        there = self("Unsqueeze", self("Min", total, self.constant(1.0)), self.constant([2], np.int64))
        return answers[0], answers[1], there


def made_pose(
    path: Path, *, points: int = 17, width: int = 192, height: int = 256, batch: object = "batch"
) -> Path:
    """RTMPose: ``simcc_x`` (N, K, 2 W) and ``simcc_y`` (N, K, 2 H), highest where the disc of K is."""
    graph = _Graph()
    picture = graph.colours(RTMPOSE_RGB, bgr=False)
    masks = graph.masks(picture, POINT_COLOURS[:points], 35.0)
    x, y, there = graph.middles(masks, width, height)
    for name, middle, side in (("simcc_x", x, width), ("simcc_y", y, height)):
        bins = graph.constant(np.arange(2 * side).reshape(1, 1, -1) / 2)
        fall = graph("Mul", graph("Abs", graph("Sub", bins, middle)), graph.constant(-0.01))
        high = graph("Mul", there, graph.constant(CONFIDENCE))
        # Where there is no disc the whole row is below 0.
        low = graph("Sub", there, graph.constant(1.0))
        graph("Add", graph("Add", fall, high), low, output=name)
    sizes = {"simcc_x": (batch, "points", 2 * width), "simcc_y": (batch, "points", 2 * height)}
    return graph.save(path, (batch, 3, height, width), sizes)


def made_persons(
    path: Path,
    *,
    side: int = 320,
    batch: object = "batch",
    size: object = None,
    rtmdet: bool = False,
    labels: tuple[int, int, int] = (0, 0, 0),
) -> Path:
    """YOLOX or RTMDet with the suppression inside: ``dets`` (N, 3, 5) and ``labels`` (N, 3)."""
    graph = _Graph()
    picture = graph.colours(RTMDET_BGR if rtmdet else None, bgr=True)
    masks = graph.masks(picture, PERSON_COLOURS, 30.0)
    edges = []
    for line, shape in ((np.arange(side), (1, 1, 1, -1)), (np.arange(side), (1, 1, -1, 1))):
        ahead = graph("Mul", masks, graph.constant((line + 1.0).reshape(shape)))
        behind = graph("Mul", masks, graph.constant((side - line).reshape(shape).astype(float)))
        last = graph("ReduceMax", ahead, axes=[2, 3], keepdims=0)
        first = graph("Sub", graph.constant(float(side)), graph("ReduceMax", behind, axes=[2, 3], keepdims=0))
        edges += [first, last]
    there = graph("ReduceMax", masks, axes=[2, 3], keepdims=0)
    score = graph("Mul", there, graph.constant(PERSON_SCORES.reshape(1, 3)))
    columns = [edges[0], edges[2], edges[1], edges[3], score]
    apart = [graph("Unsqueeze", column, graph.constant([2], np.int64)) for column in columns]
    graph("Concat", *apart, output="dets", axis=2)
    classes = graph("Add", graph("Mul", score, graph.constant(0.0)), graph.constant([labels]))
    graph("Cast", classes, output="labels", to=TensorProto.INT64)
    shape = (batch, 3, size or side, size or side)
    return graph.save(path, shape, {"dets": (batch, "n", 5), "labels": (batch, "n")})


def made_one_stage(path: Path, *, side: int = 320, batch: object = "batch") -> Path:
    """RTMO: ``dets`` (N, 2, 5) and ``keypoints`` (N, 2, 17, 3); the second person is never sure."""
    graph = _Graph()
    masks = graph.masks(graph.colours(None, bgr=True), POINT_COLOURS[:17], 35.0)
    x, y, there = graph.middles(masks, side, side)
    confidence = graph("Mul", there, graph.constant(CONFIDENCE))
    points = graph("Concat", x, y, confidence, axis=2)
    one = graph("Unsqueeze", points, graph.constant([1], np.int64))
    graph("Concat", one, one, output="keypoints", axis=1)
    low = [graph("ReduceMin", value, axes=[1], keepdims=1) for value in (x, y)]
    high = [graph("ReduceMax", value, axes=[1], keepdims=1) for value in (x, y)]
    found = graph("ReduceMax", there, axes=[1], keepdims=1)
    rows = [
        graph("Concat", *low, *high, graph("Mul", found, graph.constant(score)), axis=2)
        for score in (0.8, 0.05)
    ]
    graph("Concat", *rows, output="dets", axis=1)
    outputs = {"dets": (batch, "n", 5), "keypoints": (batch, "n", 17, 3)}
    return graph.save(path, (batch, 3, side, side), outputs)


def made_raw(path: Path, rows: np.ndarray, *, side: int = 64, batch: object = 1) -> Path:
    """YOLOX as its authors export it: ``output`` (N, A, 5 + classes), `rows` whatever the picture is."""
    graph = _Graph()
    nothing = graph("Mul", graph("ReduceMean", "input", keepdims=1), graph.constant(0.0))
    flat = graph("Reshape", nothing, graph.constant([1, 1, 1], np.int64))
    graph("Add", flat, graph.constant(rows[None]), output="output")
    return graph.save(path, (batch, 3, side, side), {"output": (batch, *rows.shape)})


def paint(
    frame: np.ndarray,
    *,
    boxes: dict[int, tuple[float, ...]],
    points: dict[int, tuple[float, float]],
    radius: float,
) -> None:
    """Draw people's rectangles and their points into an (H, W, 3) RGB picture, edges shaded as a camera does.

    Pixels count from the corner of the picture: the centre of the first is (0.5, 0.5).
    """
    height, width = frame.shape[:2]
    fine = 8
    xs = (np.arange(width * fine) + 0.5) / fine
    ys = (np.arange(height * fine) + 0.5) / fine

    def blend(inside: np.ndarray, colour: np.ndarray, rows: slice, columns: slice) -> None:
        share = inside.reshape(rows.stop - rows.start, fine, columns.stop - columns.start, fine).mean((1, 3))
        part = frame[rows, columns].astype(float)
        frame[rows, columns] = np.round(part + share[..., None] * (colour - part))

    for person, (left, top, right, bottom) in boxes.items():
        inside = ((ys >= top) & (ys < bottom))[:, None] & ((xs >= left) & (xs < right))[None]
        blend(inside, PERSON_COLOURS[person], slice(0, height), slice(0, width))
    for point, (x, y) in points.items():
        reach = int(radius) + 2
        rows = slice(max(0, int(y) - reach), min(height, int(y) + reach))
        columns = slice(max(0, int(x) - reach), min(width, int(x) + reach))
        far = np.hypot(
            xs[columns.start * fine : columns.stop * fine][None] - x,
            ys[rows.start * fine : rows.stop * fine][:, None] - y,
        )
        blend(far <= radius, POINT_COLOURS[point], rows, columns)
