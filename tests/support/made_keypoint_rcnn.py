"""A Keypoint R-CNN of random weights that sees people everywhere, for tests and for measuring speed."""

from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
import torch

#: Small enough for a test; parts as in the zoo's own.
SMALL = """
MODEL:
  META_ARCHITECTURE: GeneralizedRCNN
  KEYPOINT_ON: true
  BACKBONE: {NAME: build_resnet_fpn_backbone}
  RESNETS: {DEPTH: 50, OUT_FEATURES: [res2, res3, res4, res5]}
  FPN: {IN_FEATURES: [res2, res3, res4, res5]}
  ANCHOR_GENERATOR: {SIZES: [[32], [64], [128], [256], [512]]}
  RPN: {IN_FEATURES: [p2, p3, p4, p5, p6], PRE_NMS_TOPK_TEST: 200, POST_NMS_TOPK_TEST: 100}
  ROI_HEADS: {NAME: StandardROIHeads, NUM_CLASSES: 1, IN_FEATURES: [p2, p3, p4, p5]}
  ROI_BOX_HEAD: {NAME: FastRCNNConvFCHead, NUM_FC: 2, FC_DIM: 64, POOLER_RESOLUTION: 7}
  ROI_KEYPOINT_HEAD: {CONV_DIMS: [64, 64]}
INPUT: {MIN_SIZE_TEST: 160, MAX_SIZE_TEST: 266}
TEST: {DETECTIONS_PER_IMAGE: 30}
VERSION: 2
"""


def made_picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """(H, W, 3) soft coloured blots, all different."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (max(2, height // 24), max(2, width // 24), 3)).astype(np.uint8)
    fine = rng.integers(-20, 21, (height, width, 3))
    blots = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(blots + fine, 0, 255).astype(np.uint8)


def write_small_config(folder: Path) -> Path:
    """Write the configuration of a small network; needs no Detectron2."""
    path = folder / "small.yaml"
    path.write_text(SMALL)
    return path


def write_weights(config: Path, path: Path, *, sureness: float = 3.0, doubt: float = 0.0) -> Path:
    """Write seeded weights for a configuration: a ``.pth`` as trainings have it, or a ``.pkl`` as the zoo.

    Activations keep their size through all layers as those of a trained network do, places and scores
    spread; `sureness` says how far scores spread, `doubt` how low their middle lies.
    """
    from detectron2.config import get_cfg
    from detectron2.layers import FrozenBatchNorm2d
    from detectron2.modeling import build_model

    settings = get_cfg()
    settings.merge_from_file(str(config))
    settings.MODEL.DEVICE = "cpu"
    torch.manual_seed(0)
    model = build_model(settings).eval()

    def keep_size(layer: torch.nn.Module, inputs: tuple[torch.Tensor]) -> None:
        layer.running_mean.copy_(inputs[0].mean((0, 2, 3)))
        layer.running_var.copy_(inputs[0].var((0, 2, 3)) + 1e-3)

    hooks = [
        layer.register_forward_pre_hook(keep_size)
        for layer in model.modules()
        if isinstance(layer, FrozenBatchNorm2d)
    ]
    picture = torch.from_numpy(made_picture(160, 224).transpose(2, 0, 1).copy())
    with torch.no_grad():
        model.backbone(model.preprocess_image([{"image": picture}]).tensor)
        model.roi_heads.box_predictor.cls_score.weight.normal_(0, 0.01 * sureness)
        model.roi_heads.box_predictor.cls_score.bias[0] = -doubt
        model.roi_heads.box_predictor.bbox_pred.weight.normal_(0, 0.02)
    for hook in hooks:
        hook.remove()
    if path.suffix == ".pth":
        torch.save({"model": model.state_dict(), "iteration": 1}, path)
    else:
        arrays = {name: value.numpy() for name, value in model.state_dict().items()}
        # As the zoo's, which were written when these were weights too.
        arrays["pixel_mean"] = np.zeros((3, 1, 1), np.float32)
        arrays["proposal_generator.anchor_generator.cell_anchors.0"] = np.zeros((3, 4), np.float32)
        path.write_bytes(pickle.dumps({"model": arrays, "__author__": "made"}))
    return path
