"""The Maya that the API speaks to: the one that is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..maya import Maya
    from ..scene import Scene

_present: list[Maya] = []


def enter(maya: Maya) -> None:
    _present.append(maya)


def leave() -> None:
    _present.pop()


def maya() -> Maya:
    """The installed Maya; the API may be called from the main thread alone."""
    if not _present:
        raise RuntimeError("no Maya is installed: use double.installed()")
    _present[-1].check_thread("OpenMaya")
    return _present[-1]


def scene() -> Scene:
    return maya().scene


def need(value: Any, *kinds: type, what: str = "argument") -> Any:
    """Raise TypeError for a value of another type, as the API does; a bool is no number here."""
    if isinstance(value, bool) and bool not in kinds and (int in kinds or float in kinds):
        raise TypeError(f"{what} must be {' or '.join(k.__name__ for k in kinds)}, not bool")
    if not isinstance(value, kinds):
        raise TypeError(
            f"{what} must be {' or '.join(k.__name__ for k in kinds)}, not {type(value).__name__}"
        )
    return value
