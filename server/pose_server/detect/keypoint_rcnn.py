"""Detectron2's Keypoint R-CNN over several frames at once, equal to its own predictor over one."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pose_shared.errors import InputError, MissingExtraError
from pose_shared.skeleton import COCO_17
from torch import Tensor

from pose_server.detect.keypoint_rcnn_files import KeypointRcnnFiles, read_config, read_weights

__all__ = ["KeypointRcnn", "People", "expected_similarity", "import_detectron2"]

#: How far from the truth people place COCO's points, in square roots of a person's area (its own sigmas).
_SIGMAS = (
    *(0.026, 0.025, 0.025, 0.035, 0.035),
    *(0.079, 0.079, 0.072, 0.072, 0.062, 0.062),
    *(0.107, 0.107, 0.087, 0.087, 0.089, 0.089),
)
#: Share of a box that a person covers, as COCO's own tools take it where only a box is known.
_COVERED = 0.53
#: What old files hold beside the weights, and the configuration says too.
_KNOWN_EXTRAS = ("pixel_mean", "pixel_std", "anchor_generator.cell_anchors")
#: Memory for each pixel of the resized picture, measured (see docs/detectors.md), and with some room.
_BYTES_PER_PIXEL = 800
_MOST_FRAMES, _CPU_FRAMES = 16, 2


class People(NamedTuple):
    """Whom the network sees in one frame, the surest first."""

    boxes_px: NDArray[np.float32]
    """(P, 4)."""
    scores: NDArray[np.float32]
    """(P,)."""
    keypoints_px: NDArray[np.float32]
    """(P, 17, 2); the first pixel's centre is (0.5, 0.5) in Detectron2, too."""
    confidence: NDArray[np.float32]
    """(P, 17) 0..1, see `expected_similarity`."""


def import_detectron2() -> None:
    """Import what is needed of Detectron2, which takes seconds.

    Raises
    ------
    MissingExtraError
        It does not run beside the torch and torchvision that are installed (``DETECTRON2_UNUSABLE``).
    """
    # What the import and the first run say each time, and nobody can act on.
    warnings.filterwarnings("ignore", message="torch.meshgrid: in an upcoming release")
    logging.getLogger("torch.fx._symbolic_trace").setLevel(logging.ERROR)
    try:
        import detectron2.config
        import detectron2.modeling  # noqa: F401
    except Exception as error:  # Whatever a library of another build of torch leads to.
        raise MissingExtraError(
            f"Detectron2 does not run beside the installed torch and torchvision ({_told(error)}); install "
            "them and Detectron2 again as docs/detectors.md describes.",
            reason="DETECTRON2_UNUSABLE",
            detail=_told(error),
        ) from None


def _told(error: Exception) -> str:
    """Return what an error of somebody else's says, short and on one line."""
    return " ".join(str(error).split())[:100] or type(error).__name__


class KeypointRcnn:
    """A loaded network.

    Parameters
    ----------
    files
        Configuration and weights.
    device
        ``cpu`` or ``cuda:N``.
    least_score
        Nobody below it is reported.
    half
        Compute in half precision, all but places and points; on a GPU if None.

    Raises
    ------
    MissingExtraError
        Detectron2 does not run here.
    InputError
        The configuration is not of a network for people's 17 points (``DETECTOR_CONFIG_UNSUITABLE``), the
        weights are not of this network (``CHECKPOINT_SHAPE``), or a file cannot be read.
    """

    def __init__(
        self, files: KeypointRcnnFiles, device: str, least_score: float, *, half: bool | None = None
    ) -> None:
        import_detectron2()
        config = _configuration(files, device, least_score)
        self._device = torch.device(device)
        self._half = self._device.type == "cuda" if half is None else half
        self._sizes = config.INPUT.MIN_SIZE_TEST, config.INPUT.MAX_SIZE_TEST
        self._bgr = config.INPUT.FORMAT == "BGR"
        self._model = _model(files, config)

    def prepare(self, frame: NDArray[np.uint8]) -> dict[str, Any]:
        """Return a frame, (H, W, 3) RGB, as the network takes it: its short side as it was trained."""
        from PIL import Image

        height, width = frame.shape[:2]
        wanted = _network_size(height, width, *self._sizes)
        resized = np.asarray(Image.fromarray(frame).resize(wanted, Image.Resampling.BILINEAR))
        if self._bgr:
            resized = resized[..., ::-1]
        channels_first = np.ascontiguousarray(resized.transpose(2, 0, 1))
        return {"image": torch.from_numpy(channels_first), "height": height, "width": width}

    def look(self, prepared: Sequence[Mapping[str, Any]]) -> list[People]:
        """Return the people in each of some prepared frames, which are computed together."""
        with torch.inference_mode(), torch.autocast(self._device.type, enabled=self._half):
            results = self._model(list(prepared))
        return [_people(result["instances"]) for result in results]

    def frames_at_once(self, height: int, width: int) -> int:
        """Return how many frames of a size to compute together on this device as it is now."""
        if self._device.type != "cuda":
            return _CPU_FRAMES
        free_bytes, _ = torch.cuda.mem_get_info(self._device)
        wide, high = _network_size(height, width, *self._sizes)
        return max(1, min(_MOST_FRAMES, int(free_bytes / (_BYTES_PER_PIXEL * wide * high))))


def _network_size(height: int, width: int, shortest: int, longest: int) -> tuple[int, int]:
    """Return width and height as Detectron2's `ResizeShortestEdge` makes them."""
    from detectron2.data.transforms import ResizeShortestEdge

    if shortest == 0:
        return width, height
    new_height, new_width = ResizeShortestEdge.get_output_shape(height, width, shortest, longest)
    return max(1, new_width), max(1, new_height)


def _configuration(files: KeypointRcnnFiles, device: str, least_score: float) -> Any:
    from detectron2.config import CfgNode, get_cfg

    def unsuitable(why: str) -> InputError:
        return InputError(
            f"{files.config.name} does not describe a Keypoint R-CNN for people's 17 points ({why}); give "
            "one that is based on Detectron2's COCO-Keypoints.",
            reason="DETECTOR_CONFIG_UNSUITABLE",
            path=files.config,
            detail=why,
        )

    settings = read_config(files.config)
    config = get_cfg()
    version = config.VERSION
    try:
        config.merge_from_other_cfg(CfgNode(settings))
    except Exception as error:  # Names that do not exist and values of other types, in many ways.
        raise unsuitable(_told(error)) from None
    model = config.MODEL
    points = model.ROI_KEYPOINT_HEAD.NUM_KEYPOINTS
    for wrong, why in (
        (version != config.VERSION, f"it is of version {config.VERSION}, not {version}"),
        (model.META_ARCHITECTURE != "GeneralizedRCNN", f"it is a {model.META_ARCHITECTURE}"),
        (not model.KEYPOINT_ON, "MODEL.KEYPOINT_ON is false"),
        (model.LOAD_PROPOSALS, "it wants proposals from elsewhere"),
        (model.ROI_HEADS.NUM_CLASSES != 1, f"it knows {model.ROI_HEADS.NUM_CLASSES} classes"),
        (points != len(COCO_17), f"it has {points} points"),
        (config.INPUT.FORMAT not in ("RGB", "BGR"), f"its colours are {config.INPUT.FORMAT}"),
    ):
        if wrong:
            raise unsuitable(why)
    model.DEVICE, model.WEIGHTS = device, ""
    model.ROI_HEADS.SCORE_THRESH_TEST = least_score
    return config


def _model(files: KeypointRcnnFiles, config: Any) -> Any:
    from detectron2.modeling import build_model

    weights = read_weights(files.weights)
    # First without memory: no configuration takes any before its weights are known to fit.
    shapes = config.clone()
    shapes.MODEL.DEVICE = "meta"
    try:
        with torch.device("meta"):
            own = build_model(shapes).state_dict()
    except Exception as error:  # Parts by names that do not exist, sizes that do not fit.
        raise InputError(
            f"Detectron2 cannot build what {files.config.name} describes ({_told(error)}); give a "
            "configuration that it can.",
            reason="DETECTOR_CONFIG_UNSUITABLE",
            path=files.config,
        ) from None
    given = {name: value for name, value in weights.items() if not any(k in name for k in _KNOWN_EXTRAS)}
    missing, unknown = sorted(own.keys() - given), sorted(given.keys() - own.keys())
    others = sorted(name for name in own.keys() & given if own[name].shape != given[name].shape)
    for names, what in ((missing, "lacks"), (unknown, "also has"), (others, "has in another size")):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise InputError(
                f"{files.weights.name} is not of the network that {files.config.name} describes (it {what} "
                f"{names[0]}{more}); give the weights and the configuration of one training.",
                reason="CHECKPOINT_SHAPE",
                path=files.weights,
                first=names[0],
                count=len(names),
            )
    model = build_model(config).eval()
    model.load_state_dict(given)
    head = model.roi_heads.keypoint_head
    layers = head.layers
    # Places are read off the heat maps in their own precision, and half a one is a pixel at 1000.
    head.layers = lambda features: layers(features).float()
    return model


def _people(instances: Any) -> People:
    boxes_px, keypoints = instances.pred_boxes.tensor, instances.pred_keypoints
    confidence = expected_similarity(instances.pred_keypoint_heatmaps, boxes_px, keypoints[..., :2])

    def array(tensor: Tensor) -> NDArray[np.float32]:
        return tensor.float().cpu().numpy()

    return People(array(boxes_px), array(instances.scores), array(keypoints[..., :2]), array(confidence))


def expected_similarity(heatmaps: Tensor, boxes_px: Tensor, keypoints_px: Tensor) -> Tensor:
    """Return how near the truth the network itself expects its points to be, 0..1.

    A heat map is trained with a cross-entropy, so its softmax is the chance that the point lies in each of
    its cells.  A point's confidence is the mean over these chances of COCO's object keypoint similarity to
    the place that is reported, ``exp(-d² / (2 s² (2 sigma)²))`` with `d` in pixels and `s²` the area of the
    person: 1 where the network is sure within what people agree on, near 0 where it could be anywhere.
    Detectron2's own number, the largest chance of one cell, is small even for a clear hip, and depends on
    how many cells a person's box has.

    Parameters
    ----------
    heatmaps
        (P, 17, S, S) logits over each box.
    boxes_px
        (P, 4).
    keypoints_px
        (P, 17, 2).
    """
    side = heatmaps.shape[-1]
    chances = heatmaps.float().flatten(2).softmax(dim=2).reshape(heatmaps.shape)
    sizes_px = (boxes_px[:, 2:] - boxes_px[:, :2]).clamp(min=1)
    centres = (torch.arange(side, device=heatmaps.device) + 0.5) / side
    cells_px = boxes_px[:, :2, None] + centres * sizes_px[:, :, None]
    sigmas = 2 * torch.tensor(_SIGMAS, device=heatmaps.device)
    spread_px2 = (_COVERED * sizes_px.prod(dim=1))[:, None] * sigmas**2
    apart_px = keypoints_px[..., None] - cells_px[:, None]
    near = torch.exp(-(apart_px**2) / (2 * spread_px2[:, :, None, None]))
    return torch.einsum("pkyx,pky,pkx->pk", chances, near[:, :, 1], near[:, :, 0]).clamp(0, 1)
