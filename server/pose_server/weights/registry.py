"""Which weights of others there are: what each is, its licence, where it comes from and how to check it.

Nothing here is fetched, imported or shipped with the program; `pose-server models fetch` fetches a file when
the user asks for it by name.  A digest stands here only where it was recorded of the very file by several
projects that fetched it independently; the others are trusted on first use (`store`).
"""

from __future__ import annotations

from dataclasses import dataclass

from pose_shared.errors import InputError

__all__ = ["WEIGHTS", "Licence", "Weights", "weights_named"]


@dataclass(frozen=True)
class Licence:
    """What the authors of weights permit."""

    name: str
    address: str
    """Of its text."""
    commercial: bool
    """Whether commercial use is allowed."""


@dataclass(frozen=True)
class Weights:
    """One file that can be fetched."""

    name: str
    """As `pose-server models` takes it."""
    file: str
    """Under which it is kept; a file of that name may be put into a mirror by hand."""
    what: str
    used_by: str
    """The detector or lifter that reads it."""
    licence: Licence
    address: str
    """Where its authors publish it; an archive where `member` is set."""
    member: str | None = None
    """Name of the one file in the archive that is kept, in whatever folder of it."""
    size_bytes: int | None = None
    """Of the kept file, where it is known."""
    sha256: str | None = None
    """Of the kept file, where it is known."""
    md5_prefix: str | None = None
    """First digits of the MD5, where the authors put them into the name of the file."""
    note: str = ""
    """What else to know before using it."""


_APACHE = Licence("Apache-2.0", "https://github.com/open-mmlab/mmpose/blob/main/LICENSE", commercial=True)
_BY_SA = Licence("CC BY-SA 3.0", "https://creativecommons.org/licenses/by-sa/3.0/", commercial=True)
_BY_NC = Licence("CC BY-NC 4.0", "https://creativecommons.org/licenses/by-nc/4.0/", commercial=False)

_OPENMMLAB = "https://download.openmmlab.com/mmpose/v1/projects"
_DETECTRON2 = "https://dl.fbaipublicfiles.com/detectron2/COCO-Keypoints"
_VIDEOPOSE3D = "https://dl.fbaipublicfiles.com/video-pose-3d"

_HUMAN_ART = "Trained on COCO and Human-Art; Human-Art's own terms allow non-commercial use only."
_BODY7 = "Trained on seven sets of pictures, some of which were given for research only."


def _openmmlab(
    name: str,
    archive: str,
    what: str,
    *,
    project: str = "rtmposev1",
    note: str = _BODY7,
    sha256: str | None = None,
    size_bytes: int | None = None,
) -> Weights:
    return Weights(
        name=name,
        file=f"{name}.onnx",
        what=what,
        used_by="rtmpose",
        licence=_APACHE,
        address=f"{_OPENMMLAB}/{project}/onnx_sdk/{archive}.zip",
        member="end2end.onnx",
        size_bytes=size_bytes,
        sha256=sha256,
        note=note,
    )


def _keypoint_rcnn(backbone: str, number: int, md5_prefix: str) -> Weights:
    name = f"keypoint_rcnn_{backbone}_FPN_3x"
    return Weights(
        name=name,
        file=f"{name}.pkl",
        what=f"people and 17 points of them, Keypoint R-CNN with {backbone.replace('_', '-')}",
        used_by="detectron2",
        licence=_BY_SA,
        address=f"{_DETECTRON2}/{name}/{number}/model_final_{md5_prefix}.pkl",
        md5_prefix=md5_prefix,
        note="Trained on COCO; changed weights that you pass on must have the same licence.",
    )


def _videopose3d(name: str, file: str, what: str) -> Weights:
    return Weights(
        name=name,
        file=file,
        what=what,
        used_by="videopose3d",
        licence=_BY_NC,
        address=f"{_VIDEOPOSE3D}/{file}",
        note="Trained on Human3.6M. Not for commercial use, and neither is what is made with it.",
    )


#: By name.
WEIGHTS: dict[str, Weights] = {
    weights.name: weights
    for weights in (
        _openmmlab(
            "yolox-tiny",
            "yolox_tiny_8xb8-300e_humanart-6f3252f9",
            "people's boxes, 416 x 416, fast",
            note=_HUMAN_ART,
            sha256="ceb11c07298f95c50d7c5abeb906d03340c85f23aa79e3e66966e7fb6c307250",
        ),
        _openmmlab(
            "yolox-m",
            "yolox_m_8xb8-300e_humanart-c2c7a14a",
            "people's boxes, 640 x 640",
            note=_HUMAN_ART,
            sha256="3dea6513388889f0fff4b77bf7a26013600321b9eb9ceb0e9a400a82572f5f23",
            size_bytes=101_400_344,
        ),
        _openmmlab(
            "rtmdet-nano",
            "rtmdet_nano_8xb32-100e_coco-obj365-person-05d8511e",
            "people's boxes, 320 x 320, fastest",
            note="Trained on COCO and Objects365.",
            sha256="8297e829ccc5590c8e2d32d5a211f322a0585fb7467eec85eb12c9525b0b95d6",
        ),
        _openmmlab(
            "rtmdet-m",
            "rtmdet_m_8xb32-100e_coco-obj365-person-235e8209",
            "people's boxes, 640 x 640",
            note="Trained on COCO and Objects365.",
            sha256="4f4d7e07350b1753299111d1ae500fd64447a5b0e38e4bacbefab6573c742d30",
        ),
        _openmmlab(
            "rtmpose-body17-s",
            "rtmpose-s_simcc-body7_pt-body7_420e-256x192-acd4a1ef_20230504",
            "17 points of a person, small",
            sha256="9aeb635b83f86aea45cf45d85798f7eba1a162de8e0d721c44e54fe5eebaf47d",
        ),
        _openmmlab(
            "rtmpose-body17-m",
            "rtmpose-m_simcc-body7_pt-body7_420e-256x192-e48f03d0_20230504",
            "17 points of a person, medium",
            sha256="5c0a4bf67953e6d2ac43ce15e77dc9d5d354ae18430a47d2c5963a7bc5683e3c",
            size_bytes=54_330_655,
        ),
        _openmmlab(
            "rtmpose-body17-l",
            "rtmpose-l_simcc-body7_pt-body7_420e-256x192-4dba18fc_20230504",
            "17 points of a person, large",
            sha256="cff059fd58a2c0d5fabaddcd66a96abcfb327563bcb0149ea59c9de4a8990fe2",
        ),
        _openmmlab(
            "rtmpose-halpe26-m",
            "rtmpose-m_simcc-body7_pt-body7-halpe26_700e-256x192-4d3e73dd_20230605",
            "26 points of a person with heels and toes, medium",
            sha256="26f3a19e61304a600dfb82d1001d41d24343b89fc70a33ffc84657e0b0bf2ecf",
            size_bytes=55_685_444,
        ),
        *(
            _openmmlab(
                f"rtmo-{size}",
                archive,
                f"people and 17 points of them at once, {word}",
                project="rtmo",
            )
            for size, word, archive in (
                ("s", "small", "rtmo-s_8xb32-600e_body7-640x640-dac2bf74_20231211"),
                ("m", "medium", "rtmo-m_16xb16-600e_body7-640x640-39e78cc4_20231211"),
                ("l", "large", "rtmo-l_16xb16-600e_body7-640x640-b37118ce_20231211"),
            )
        ),
        _keypoint_rcnn("R_50", 137849621, "a6e10b"),
        _keypoint_rcnn("R_101", 138363331, "997cc7"),
        _keypoint_rcnn("X_101_32x8d", 139686956, "5ad38f"),
        _videopose3d(
            "videopose3d-coco", "pretrained_h36m_detectron_coco.bin", "3D from 17 points in COCO's order"
        ),
        _videopose3d("videopose3d-cpn", "pretrained_h36m_cpn.bin", "3D from 17 points in Human3.6M's order"),
    )
}


def weights_named(name: str) -> Weights:
    """Return the entry of a name.

    Raises
    ------
    InputError
        There is none of that name (``WEIGHTS_UNKNOWN``).
    """
    if name not in WEIGHTS:
        raise InputError(
            f"There are no weights '{name}'; 'pose-server models list' names those there are.",
            reason="WEIGHTS_UNKNOWN",
            name=name,
        )
    return WEIGHTS[name]
