"""Which device the networks run on."""

from __future__ import annotations

from pose_shared.errors import InputError

__all__ = ["list_devices", "resolve_device"]


def list_devices() -> tuple[str, ...]:
    """Return what torch can use here: ``cpu``, then ``cuda:0`` and so on."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return ("cpu", *(f"cuda:{index}" for index in range(count)))


def resolve_device(text: str) -> str:
    """Return the device that ``auto``, ``cpu`` or ``cuda:N`` means on this machine.

    ``auto`` is the first GPU, or the CPU without one. Only ``cpu`` does without importing torch.

    Raises
    ------
    InputError
        It is none of these, or the machine lacks it; names what there is.
    """
    if text == "cpu":
        return text
    devices = list_devices()
    if text == "auto":
        return devices[1] if len(devices) > 1 else devices[0]
    if text not in devices:
        raise InputError(
            f"There is no device '{text}' here; choose auto or one of {', '.join(devices)}.",
            reason="DEVICE_UNKNOWN",
            device=text,
            devices=", ".join(devices),
        )
    return text
