"""Reads what others pickled, without running anything that is pickled.

A pickle is a program that may call anything.  This reader knows the few names that checkpoints of
torch (the zip format, and the one before torch 1.6), plain pickles of arrays such as Detectron2's, and
object arrays of numpy need, puts its own harmless makers in their place, and refuses a file that asks
for any other name.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from pose_shared.errors import InputError
from torch import Tensor

__all__ = ["read_arrays", "read_pickled"]

#: First object of the format before torch 1.6.
_MAGIC = 0x1950A86A20F9469CFC6C
_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
#: What the random states of numpy 1.16, of 1.17 and later, and of 1.24 and later are made with.
_RANDOM_STATES = (
    ("numpy.random", "__RandomState_ctor"),
    ("numpy.random._pickle", "__randomstate_ctor"),
    ("numpy.random._pickle", "__bit_generator_ctor"),
    ("numpy.random._mt19937", "MT19937"),
)


def read_pickled(path: Path) -> Any:
    """Return what `torch.save` or `pickle.dump` wrote: containers, numbers, texts, arrays, tensors.

    Random states of numpy come as placeholders without content.

    Raises
    ------
    InputError
        There is no such file (``FILE_MISSING``), it is damaged or no checkpoint (``CHECKPOINT_DAMAGED``), or
        it contains code (``CHECKPOINT_HOLDS_CODE``).
    """
    with _one_sentence(path, "CHECKPOINT", "a checkpoint"), path.open("rb") as file:
        if zipfile.is_zipfile(file):
            return _from_zip(file)
        file.seek(0)
        is_torch = _MAGIC.to_bytes(10, "little") in file.read(64)
        file.seek(0)
        return _from_stream(file, path.stat().st_size) if is_torch else _from_plain(file)


def read_arrays(path: Path) -> dict[str, Any]:
    """Return the arrays of an ``.npz``; one that holds a single object comes as that object.

    Raises
    ------
    InputError
        There is no such file (``FILE_MISSING``), it is damaged or no ``.npz`` (``DATASET_DAMAGED``), or it
        contains code (``DATASET_HOLDS_CODE``).
    """
    with _one_sentence(path, "DATASET", "an .npz file"), zipfile.ZipFile(path) as archive:
        return {
            entry.filename.removesuffix(".npy"): _from_npy(archive.open(entry), entry.file_size)
            for entry in archive.infolist()
        }


class _CodeError(Exception):
    """The pickle wants something by a name that is not known here."""


@contextmanager
def _one_sentence(path: Path, kind: str, noun: str) -> Iterator[None]:
    """Turn whatever a damaged or hostile file leads to into a sentence about it."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(
            f"There is no file {path}; check its name.", reason="FILE_MISSING", path=path
        ) from None
    except _CodeError as error:
        raise InputError(
            f"{path.name} contains code ({error}), which is never run here; get the file from its authors.",
            reason=f"{kind}_HOLDS_CODE",
            path=path,
            name=error,
        ) from None
    except Exception as error:  # A broken pickle can raise anything at all.
        raise InputError(
            f"{path.name} is damaged, cut short or not {noun}; get it again.",
            reason=f"{kind}_DAMAGED",
            path=path,
            detail=f"{type(error).__name__}: {error}"[:200],
        ) from None


@dataclass(frozen=True)
class _StorageType:
    dtype: torch.dtype


@dataclass
class _Storages:
    """The memory that tensors of a file are views of."""

    room_bytes: int
    """No file may ask for more memory than it has bytes."""
    content: Callable[[str], bytes] | None = None
    """Reads the bytes of a key; without it they come later."""

    def __post_init__(self) -> None:
        self.made: dict[str, Tensor] = {}

    def __call__(self, reference: Any) -> Tensor:
        """Answer a persistent id: ('storage', type, key, device, number of elements[, view])."""
        _, kind, key, _, count, *view = reference
        key = str(key)
        if key not in self.made:
            self.room_bytes -= count * kind.dtype.itemsize
            if count < 0 or self.room_bytes < 0:
                raise ValueError("more elements than the file has")
            self.made[key] = torch.empty(count, dtype=kind.dtype)
            if self.content:
                self.fill(key, self.content(key))
        if view and view[0] is not None:
            _, start, length = view[0]
            return self.made[key][start : start + length]
        return self.made[key]

    def fill(self, key: str, content: bytes) -> None:
        """Put bytes into a storage that was made."""
        storage = self.made[key]
        if len(content) != storage.numel() * storage.dtype.itemsize:
            raise ValueError("a storage is cut short")
        if content:
            storage.copy_(torch.frombuffer(bytearray(content), dtype=storage.dtype))


class _Placeholder:
    """Stands for a random state: takes any content and keeps none."""

    __slots__ = ()

    def __init__(self, *content: Any) -> None: ...

    def __setstate__(self, content: Any) -> None: ...


def _tensor(storage: Tensor, offset: int, size: Any, stride: Any, *_: Any) -> Tensor:
    size, stride = tuple(size), tuple(stride)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if min((*size, *stride, offset, 0)) < 0 or (math.prod(size) and last >= storage.numel()):
        raise ValueError("a tensor reaches beyond its storage")
    return storage.as_strided(size, stride, offset)


def _scalar(dtype: np.dtype[Any], content: bytes) -> Any:
    if dtype.hasobject:
        raise ValueError("a scalar that is an object")
    return np.frombuffer(content, dtype=dtype)[0]


def _latin1(text: str, encoding: str = "latin1") -> bytes:
    if encoding != "latin1":
        raise ValueError(f"text in {encoding}")
    return text.encode("latin1")


def _empty_array(kind: Any, shape: Any, code: Any) -> np.ndarray[Any, Any]:
    return np.ndarray((0,), dtype="b")


def _array(content: bytes, dtype: np.dtype[Any], shape: Any, order: str) -> np.ndarray[Any, Any]:
    if dtype.hasobject:
        raise ValueError("an array of objects in bytes")
    return np.frombuffer(content, dtype=dtype).reshape(shape, order="F" if order == "F" else "C")


_MAKERS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): _latin1,
    ("torch", "Size"): tuple,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
    ("numpy", "dtype"): np.dtype,
    # Only ever an argument of _reconstruct, so nothing that could be called.
    ("numpy", "ndarray"): "ndarray",
    **{("torch", name): _StorageType(dtype) for name, dtype in _DTYPES.items()},
    **{
        (f"numpy.{core}.multiarray", name): maker
        for core in ("core", "_core")
        for name, maker in (("_reconstruct", _empty_array), ("scalar", _scalar))
    },
    **{(f"numpy.{core}.numeric", "_frombuffer"): _array for core in ("core", "_core")},
    **dict.fromkeys(_RANDOM_STATES, _Placeholder),
}


@dataclass(frozen=True)
class _Maker:
    """Calls a maker; a pickle may set attributes of what it is given, and this is thrown away after."""

    make: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        return self.make(*arguments)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: IO[bytes], storages: _Storages | None = None) -> None:
        # latin1 is what the pickles of Python 2 need, and changes no ASCII name.
        super().__init__(file, encoding="latin1")
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        known = _MAKERS.get((module.replace("__builtin__", "builtins"), name))
        if known is None:
            raise _CodeError(f"{module}.{name}")
        # Types of C cannot be changed by a pickle; functions of Python could.
        return known if not callable(known) or isinstance(known, type) else _Maker(known)

    def persistent_load(self, pid: Any) -> Tensor:
        if self._storages is None:
            raise ValueError("a reference to a storage outside of a checkpoint")
        return self._storages(pid)


def _from_zip(file: IO[bytes]) -> Any:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        root = next(name for name in names if name.endswith("data.pkl")).removesuffix("data.pkl")
        if f"{root}byteorder" in names and archive.read(f"{root}byteorder") != b"little":
            raise ValueError("not little-endian")
        room = sum(entry.file_size for entry in archive.infolist())
        storages = _Storages(room, lambda key: archive.read(f"{root}data/{key}"))
        return _Unpickler(io.BytesIO(archive.read(f"{root}data.pkl")), storages).load()


def _from_stream(file: IO[bytes], size: int) -> Any:
    """Read the format before torch 1.6: magic, version, machine, content, keys, then the storages."""
    magic, _, machine = (_Unpickler(file).load() for _ in range(3))
    if magic != _MAGIC or not machine["little_endian"]:
        raise ValueError("no checkpoint")
    storages = _Storages(size)
    content = _Unpickler(file, storages).load()
    for key in _Unpickler(file).load():
        count = int.from_bytes(file.read(8), "little")
        storages.fill(key, file.read(count * storages.made[key].dtype.itemsize))
    return content


def _from_plain(file: IO[bytes]) -> Any:
    stream = _modest(file.read())
    content = _Unpickler(stream).load()
    if stream.read(1):
        raise ValueError("more than one object")
    return content


def _modest(pickled: bytes) -> IO[bytes]:
    """Return a pickle that asks for no more memory than it has bytes.

    The unpickler makes room for whatever place of its memo, or length of a text, a pickle names.
    """
    places = (place for code, place, _ in pickletools.genops(pickled) if "PUT" in code.name)
    largest = max((int(place) for place in places if place is not None), default=0)
    if largest > len(pickled):
        raise ValueError("a memo larger than the file")
    return io.BytesIO(pickled)


def _from_npy(file: IO[bytes], size: int) -> Any:
    header: Any = np.lib.format
    version = header.read_magic(file)
    shape, fortran, dtype = (
        header.read_array_header_1_0(file) if version == (1, 0) else header.read_array_header_2_0(file)
    )
    if dtype.hasobject:
        values = _Unpickler(_modest(file.read())).load()
        return values.item() if shape == () else values
    count = math.prod(shape)
    if count * dtype.itemsize > size:
        raise ValueError("more elements than the file has")
    values = np.frombuffer(file.read(count * dtype.itemsize), dtype=dtype, count=count)
    return values.reshape(shape, order="F" if fortran else "C")
