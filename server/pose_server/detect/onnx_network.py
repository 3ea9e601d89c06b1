"""A network in an ONNX file, run by onnxruntime on pictures in batches.

Where the installed onnxruntime can compute is where it computes: CUDA with the package onnxruntime-gpu,
OpenVINO with onnxruntime-openvino, and the CPU with each of them.  An ONNX file is a list of known operations
on arrays; reading and running one executes nothing that its author wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InputError, MissingExtraError

__all__ = ["OnnxNetwork", "computing_place", "needs_onnxruntime"]

FloatArray = NDArray[np.floating[Any]]

#: Pictures that are computed at once where the network takes any number.
_BATCH = 16
#: cuDNN chooses its ways by rules; the default tries all of them anew for each number of people.
_CUDA = {"cudnn_conv_algo_search": "HEURISTIC"}


def needs_onnxruntime() -> None:
    """Find the package without importing it.

    Raises
    ------
    MissingExtraError
        It is not installed; says how to.
    """
    if find_spec("onnxruntime") is None:
        raise MissingExtraError(
            'RTMPose needs onnxruntime; install it with: pip install "pose-server[rtmpose]" '
            "(onnxruntime-gpu instead for a GPU).",
            extra="rtmpose",
        )


class OnnxNetwork:
    """A network that takes pictures.

    Parameters
    ----------
    path
        The file.
    device
        ``cpu`` or ``cuda:N``; the CPU where this onnxruntime has no CUDA.
    threads
        Cores to use on the CPU.
    usual_size
        Width and height of the pictures for a network that takes any.

    Raises
    ------
    InputError
        It is no ONNX file, or takes anything but pictures (``NETWORK_UNREADABLE``).
    """

    def __init__(self, path: Path, *, device: str, threads: int, usual_size: tuple[int, int]) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; its warnings are for whoever made the file
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), sess_options=options, providers=_providers(device, threads)
            )
        except Exception as error:  # each kind of damage has a class of its own, without a common one
            raise _unreadable(path, f"onnxruntime says '{str(error).splitlines()[0][:150]}'") from None
        inputs = self._session.get_inputs()
        shape = inputs[0].shape if inputs else []
        if len(inputs) != 1 or len(shape) != 4 or shape[1] != 3 or inputs[0].type != "tensor(float)":
            raise _unreadable(path, "it does not take pictures of three colours")
        self.path = path
        self._input = inputs[0].name
        self.width = shape[3] if isinstance(shape[3], int) else usual_size[0]
        self.height = shape[2] if isinstance(shape[2], int) else usual_size[1]
        self._batch = shape[0] if isinstance(shape[0], int) else None
        #: Of each output for one picture; the sizes in a file may be names, so one answer is looked at.
        self.answer_shapes = self._answer_shapes()

    @property
    def batch(self) -> int:
        """How many pictures it is best given at once."""
        return self._batch or _BATCH

    def run(self, pictures: Sequence[FloatArray]) -> Iterator[list[FloatArray]]:
        """Yield what the network answers for each picture: its outputs, without the axis of the batch.

        Parameters
        ----------
        pictures
            Each (3, height, width), as the network was trained to see them.
        """
        for start in range(0, len(pictures), self.batch):
            some = np.stack(pictures[start : start + self.batch]).astype(np.float32, copy=False)
            missing = (self._batch or 0) - len(some)
            if missing > 0:
                some = np.concatenate((some, np.zeros((missing, *some.shape[1:]), np.float32)))
            outputs = self._session.run(None, {self._input: some})
            for index in range(len(some) - max(0, missing)):
                yield [output[index] for output in outputs]

    def unsuitable(self, wanted: str, advice: str) -> InputError:
        """Return the error that this is another network than is wanted."""
        outputs = [output.name for output in self._session.get_outputs()]
        found = ", ".join(f"{name} {shape}" for name, shape in zip(outputs, self.answer_shapes, strict=True))
        return InputError(
            f"{self.path.name} is no {wanted} (it gives {found}); {advice}.",
            reason="NETWORK_UNSUITABLE",
            path=self.path,
            found=found,
        )

    def _answer_shapes(self) -> list[tuple[int, ...]]:
        if self._batch is None and not self._takes_several():
            self._batch = 1
        (answer,) = self.run([np.zeros((3, self.height, self.width), np.float32)])
        return [output.shape for output in answer]

    def _takes_several(self) -> bool:
        """Whether two pictures get two answers: some exports say that they take any number, and do not."""
        two = np.zeros((2, 3, self.height, self.width), np.float32)
        try:
            outputs = self._session.run(None, {self._input: two})
        except Exception:  # as above
            return False
        return all(output.ndim and len(output) == 2 for output in outputs)


def computing_place(device: str) -> str:
    """Return what computes, and its version: other numbers come out elsewhere, if only in the last digit."""
    import onnxruntime

    first = _providers(device, 1)[0]
    name = first if isinstance(first, str) else first[0]
    return f"{name.removesuffix('ExecutionProvider')}-{onnxruntime.__version__}"


def _providers(device: str, threads: int) -> list[Any]:
    import onnxruntime

    there = onnxruntime.get_available_providers()
    chosen: list[Any] = []
    if device.startswith("cuda") and "CUDAExecutionProvider" in there:
        chosen.append(("CUDAExecutionProvider", {"device_id": int(device.partition(":")[2] or 0), **_CUDA}))
    elif "OpenVINOExecutionProvider" in there:
        chosen.append(("OpenVINOExecutionProvider", {"device_type": "CPU", "num_of_threads": str(threads)}))
    return [*chosen, "CPUExecutionProvider"]


def _unreadable(path: Path, why: str) -> InputError:
    return InputError(
        f"{path.name} is no network that can be used here: {why}; get it again, or give another file.",
        reason="NETWORK_UNREADABLE",
        path=path,
        detail=why,
    )
