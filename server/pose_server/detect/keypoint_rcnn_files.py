"""What a Keypoint R-CNN of Detectron2 is made of: a YAML configuration and weights; reading runs neither."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pose_shared.errors import InputError, MissingExtraError
from pose_shared.transfer import file_sha256

from pose_server.weights.store import checked_weights, weights_path

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "ZOO_MODELS",
    "KeypointRcnnFiles",
    "chosen_files",
    "read_config",
    "read_weights",
    "require_detectron2",
]

#: Models of Detectron2's zoo for the points of people, the usual one first.
ZOO_MODELS = (
    "keypoint_rcnn_R_50_FPN_3x",
    "keypoint_rcnn_R_101_FPN_3x",
    "keypoint_rcnn_X_101_32x8d_FPN_3x",
)
#: What no configuration exceeds.
_CONFIG_BYTES, _BASES, _DEPTH = 1 << 20, 8, 32


class KeypointRcnnFiles(NamedTuple):
    """Where a model lies."""

    name: str
    """As the user chose it, without folders."""
    config: Path
    weights: Path
    registered: bool
    """Whether the weights are those of a name, held against what is known of them."""

    def checked(self) -> str:
        """Return the weights' SHA-256, as they are now.

        Raises
        ------
        DataLossError
            They are not what they were or should be (``WEIGHTS_CHANGED``).
        """
        return checked_weights(self.name).sha256 if self.registered else file_sha256(self.weights)


def require_detectron2() -> None:
    """Make sure that Detectron2 is installed, without importing it.

    Raises
    ------
    MissingExtraError
        It, or what it runs on, is not (``DETECTRON2_MISSING``); says how to install it.
    """
    missing = next((name for name in ("torchvision", "detectron2") if find_spec(name) is None), None)
    if missing is not None:
        raise MissingExtraError(
            f"The detector detectron2 needs the package {missing}; run 'pip install torch===2.13.0 "
            "torchvision==0.28.0 setuptools' and then 'pip install --no-build-isolation "
            'git+https://github.com/facebookresearch/detectron2 "protobuf<5" "numpy<2"\', as '
            "docs/detectors.md describes.",
            reason="DETECTRON2_MISSING",
            package=missing,
        )


def chosen_files(model: str | None) -> KeypointRcnnFiles:
    """Return the files of a model: a name of `ZOO_MODELS`, or ``CONFIG,WEIGHTS`` of the user's.

    Raises
    ------
    InputError
        It is neither (``DETECTOR_MODEL_UNKNOWN``), a file is not there (``FILE_MISSING``), or the
        configuration is a program (``DETECTOR_CONFIG_IS_CODE``).
    NotFoundError
        The weights of that name have not been fetched (``WEIGHTS_MISSING``).
    """
    name = model or ZOO_MODELS[0]
    if name in ZOO_MODELS:
        spec = find_spec("detectron2")
        root = Path(spec.origin).parent if spec is not None and spec.origin else Path()
        config = root / "model_zoo" / "configs" / "COCO-Keypoints" / f"{name}.yaml"
        return KeypointRcnnFiles(name, config, weights_path(name), registered=True)
    paths = [Path(part.strip()).expanduser() for part in name.split(",")]
    if len(paths) != 2:
        raise InputError(
            f"There is no model '{name}' of Detectron2 here; choose from {', '.join(ZOO_MODELS)}, or give "
            "two files as config.yaml,weights.pkl.",
            reason="DETECTOR_MODEL_UNKNOWN",
            value=name,
        )
    config, weights = paths
    for path in paths:
        if not path.is_file():
            raise _missing(path)
    if config.suffix.lower() not in (".yaml", ".yml"):
        raise InputError(
            f"{config.name} is no YAML file, and a configuration that is a program is never run here; write "
            "it out as YAML with Detectron2 and give that.",
            reason="DETECTOR_CONFIG_IS_CODE",
            path=config,
        )
    return KeypointRcnnFiles(f"{config.name},{weights.name}", config, weights, registered=False)


def _missing(path: Path) -> InputError:
    return InputError(f"There is no file {path}; check its name.", reason="FILE_MISSING", path=path)


def read_config(path: Path) -> dict[str, Any]:
    """Return a YAML configuration with those that it is based on; plain values only.

    Raises
    ------
    InputError
        A file is missing (``FILE_MISSING``), or is no plain configuration (``DETECTOR_CONFIG_DAMAGED``):
        damaged, with tags that would run something, aliases, or a base from the network.
    """
    return _with_bases(path, _BASES)


def _with_bases(path: Path, room: int) -> dict[str, Any]:
    import yaml

    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is no file")
        if path.stat().st_size > _CONFIG_BYTES:
            raise ValueError("it is longer than any configuration")
        text = path.read_text(encoding="utf-8")
        # A few aliases of aliases can stand for more values than any memory holds, and brackets in
        # brackets take forever.
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEPTH or isinstance(event, yaml.AliasEvent):
                raise ValueError("it has aliases, or is too deep")
        own: Any = yaml.safe_load(text)
        if not isinstance(own, dict):
            raise ValueError("it has no settings")
        base = own.pop("_BASE_", None)
        if base is not None and (not isinstance(base, str) or "://" in base):
            raise ValueError("its base is no file")
        if base is not None and room == 0:
            raise ValueError("its bases have no end")
    except OSError:
        raise InputError(
            f"There is no file {path}; check its name.", reason="FILE_MISSING", path=path
        ) from None
    except (ValueError, yaml.YAMLError) as error:
        told = f"{error}".splitlines()[0] if isinstance(error, ValueError) else type(error).__name__
        raise InputError(
            f"{path.name} is no plain configuration of Detectron2 ({told}); give one that Detectron2 wrote.",
            reason="DETECTOR_CONFIG_DAMAGED",
            path=path,
            detail=f"{error}"[:200],
        ) from None
    below = _with_bases(path.parent / Path(base).expanduser(), room - 1) if base is not None else {}
    return _merged(below, own)


def _merged(base: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in own.items():
        below = base.get(name)
        if isinstance(value, dict) and isinstance(below, dict):
            base[name] = _merged(below, value)
        else:
            base[name] = value
    return base


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the weights of a ``.pkl`` of the zoo or a ``.pth`` of a training, by name.

    Raises
    ------
    InputError
        ``FILE_MISSING``, ``CHECKPOINT_DAMAGED``, ``CHECKPOINT_HOLDS_CODE``, ``CHECKPOINT_SHAPE`` (it holds no
        weights by name), ``CHECKPOINT_NOT_FINITE``.
    """
    import torch
    from torch import Tensor

    from pose_server.weights.pickled import read_pickled

    content = read_pickled(path)
    weights = content.get("model", content) if isinstance(content, Mapping) else None
    if not isinstance(weights, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor | np.ndarray) for name, value in weights.items()
    ):
        raise InputError(
            f"{path.name} holds no weights of Detectron2; give the .pkl of its model zoo or the .pth of a "
            "training.",
            reason="CHECKPOINT_SHAPE",
            path=path,
        )
    try:
        tensors = {name: torch.as_tensor(np.array(value)) for name, value in weights.items()}
    except TypeError:  # Arrays of texts or objects.
        raise _not_finite(path) from None
    if not all(bool(torch.isfinite(value).all()) for value in tensors.values()):
        raise _not_finite(path)
    return tensors


def _not_finite(path: Path) -> InputError:
    return InputError(
        f"{path.name} holds weights that are not numbers; get it again.",
        reason="CHECKPOINT_NOT_FINITE",
        path=path,
    )
