"""How every reader says that a file cannot be used."""

from __future__ import annotations

from pose_shared.errors import InputError

__all__ = ["bad_content", "damaged", "too_large", "unknown"]


def damaged(name: str, why: str) -> InputError:
    """Return the error of a file that cannot be read at all."""
    return InputError(
        f"'{name}' is damaged or cut short ({why}); write it again.",
        reason="KEYPOINTS_DAMAGED",
        path=name,
        detail=why,
    )


def bad_content(name: str, why: str) -> InputError:
    """Return the error of a file of a known kind whose content makes no sense."""
    return InputError(
        f"'{name}' cannot be used: {why}; write it again, or name its format with --keypoint-format.",
        reason="KEYPOINTS_INVALID",
        path=name,
        detail=why,
    )


def unknown(name: str, formats: str, asked: str | None) -> InputError:
    """Return the error of something that no reader recognises, or not the one that was asked for."""
    why = f"of a known kind; give one of {formats}, and its name with --keypoint-format if it is one."
    if asked is not None:
        why = (
            f"as {asked} writes them; name another --keypoint-format, or leave it out to have it recognised."
        )
    return InputError(
        f"'{name}' holds no 2D keypoints {why}",
        reason="KEYPOINTS_UNKNOWN",
        path=name,
    )


def too_large(name: str, what: str) -> InputError:
    """Return the error of a file that would need more memory than it should."""
    return InputError(
        f"'{name}' is too large to be read ({what}); split it, or write one file a frame.",
        reason="KEYPOINTS_TOO_LARGE",
        path=name,
        detail=what,
    )
