"""MVector, MPoint, MMatrix, MEulerRotation, MQuaternion, MTransformationMatrix. Row vectors, as everywhere
in Maya.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from .. import matrix as m
from .present import need


class MSpace:
    """Spaces of a transformation."""

    kInvalid, kTransform, kPreTransform, kPostTransform, kWorld = range(5)
    kObject = kPreTransform


class MVector:
    """Three numbers; ``*`` with a vector is the dot product, ``^`` the cross product."""

    kTolerance = 1e-10

    def __init__(self, *given: Any) -> None:
        values = given[0] if len(given) == 1 else given
        if not given:
            values = (0.0, 0.0, 0.0)
        self.x, self.y, self.z = (float(v) for v in list(values)[:3])

    def __iter__(self) -> Iterator[float]:
        return iter((self.x, self.y, self.z))

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> float:
        return (self.x, self.y, self.z)[index]

    def __add__(self, other: MVector) -> MVector:
        return type(self)(*(a + b for a, b in zip(self, need(other, MVector), strict=False)))

    def __sub__(self, other: MVector) -> MVector:
        return MVector(*(a - b for a, b in zip(self, need(other, MVector), strict=False)))

    def __neg__(self) -> MVector:
        return MVector(-self.x, -self.y, -self.z)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, MVector):
            return sum(a * b for a, b in zip(self, other, strict=True))
        if isinstance(other, MMatrix):
            numbers = (*other._numbers[:12], 0.0, 0.0, 0.0, 1.0)
            return MVector(m.multiply(m.translation(tuple(self)), numbers)[12:15])
        return MVector(*(a * need(other, int, float) for a in self))

    __rmul__ = __mul__

    def __truediv__(self, factor: float) -> MVector:
        return self * (1.0 / factor)

    def __xor__(self, other: MVector) -> MVector:
        return MVector(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )

    def length(self) -> float:
        return math.sqrt(self * self)

    def normal(self) -> MVector:
        return self / self.length() if self.length() else MVector(self)

    def isEquivalent(self, other: MVector, tolerance: float = kTolerance) -> bool:
        return all(abs(a - b) <= tolerance for a, b in zip(self, other, strict=False))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MVector) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"maya.api.OpenMaya.MVector({self.x}, {self.y}, {self.z})"


class MPoint(MVector):
    """A place; a matrix moves it."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.w = 1.0

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, MMatrix):
            return MPoint(m.multiply(m.translation(tuple(self)), other._numbers)[12:15])
        return super().__mul__(other)


class MMatrix:
    """Sixteen numbers, row by row."""

    kTolerance = 1e-10

    def __init__(self, source: Any = m.IDENTITY) -> None:
        if isinstance(source, MMatrix):
            source = source._numbers
        rows = list(source)
        if len(rows) == 4:
            rows = [v for row in rows for v in row]
        if len(rows) != 16:
            raise ValueError("a matrix has 16 numbers")
        self._numbers: m.Matrix = tuple(float(v) for v in rows)

    def __mul__(self, other: Any) -> MMatrix:
        if isinstance(other, MMatrix):
            return MMatrix(m.multiply(self._numbers, other._numbers))
        return MMatrix([v * need(other, int, float) for v in self._numbers])

    def inverse(self) -> MMatrix:
        return MMatrix(m.inverse(self._numbers))

    def transpose(self) -> MMatrix:
        return MMatrix([self._numbers[4 * c + r] for r in range(4) for c in range(4)])

    def setToIdentity(self) -> MMatrix:
        self._numbers = m.IDENTITY
        return self

    def getElement(self, row: int, column: int) -> float:
        return self._numbers[4 * row + column]

    def setElement(self, row: int, column: int, value: float) -> MMatrix:
        numbers = list(self._numbers)
        numbers[4 * row + column] = float(value)
        self._numbers = tuple(numbers)
        return self

    def isEquivalent(self, other: MMatrix, tolerance: float = kTolerance) -> bool:
        return all(abs(a - b) <= tolerance for a, b in zip(self._numbers, other._numbers, strict=True))

    def __getitem__(self, index: int) -> float:
        return self._numbers[index]

    def __len__(self) -> int:
        return 16

    def __iter__(self) -> Iterator[float]:
        return iter(self._numbers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MMatrix) and self._numbers == other._numbers

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"maya.api.OpenMaya.MMatrix({self._numbers})"


class MEulerRotation:
    """Turns about x, y, z in radians; the order's first letter turns first."""

    kXYZ, kYZX, kZXY, kXZY, kYXZ, kZYX = range(6)

    def __init__(self, *given: Any, order: int | None = None) -> None:
        values: Sequence[Any] = given
        self.order = 0 if order is None else order
        if len(given) == 1 and isinstance(given[0], MEulerRotation):
            self.x, self.y, self.z, self.order = given[0].x, given[0].y, given[0].z, given[0].order
            return
        if given and isinstance(given[0], (MVector, list, tuple)):
            values, rest = list(given[0]), given[1:]
            self.order = rest[0] if rest else self.order
        elif len(given) == 4:
            values, self.order = given[:3], given[3]
        if not given:
            values = (0.0, 0.0, 0.0)
        self.x, self.y, self.z = (float(need(v, int, float)) for v in values)
        if self.order not in range(6):
            raise ValueError(f"order {self.order} is not known")

    def __iter__(self) -> Iterator[float]:
        return iter((self.x, self.y, self.z))

    def __getitem__(self, index: int) -> float:
        return (self.x, self.y, self.z)[index]

    def asMatrix(self) -> MMatrix:
        return MMatrix(m.rotation(tuple(self), self.order))

    def asQuaternion(self) -> MQuaternion:
        return MQuaternion._of_matrix(m.rotation(tuple(self), self.order))

    def asVector(self) -> MVector:
        return MVector(*self)

    def reorder(self, order: int) -> MEulerRotation:
        return MEulerRotation(*m.angles_of(m.rotation(tuple(self), self.order), order), order)

    def reorderIt(self, order: int) -> MEulerRotation:
        self.x, self.y, self.z = m.angles_of(m.rotation(tuple(self), self.order), order)
        self.order = order
        return self

    def alternateSolution(self) -> MEulerRotation:
        middle = "xyz".index(m.ORDERS[self.order][1])
        values = [math.pi - v if i == middle else v + math.pi for i, v in enumerate(self)]
        return MEulerRotation(*values, self.order)

    def closestSolution(self, other: MEulerRotation) -> MEulerRotation:
        """The turn that means the same and is nearest to another, angle by angle."""

        def near(turn: MEulerRotation) -> list[float]:
            return [
                v - 2 * math.pi * round((v - w) / (2 * math.pi)) for v, w in zip(turn, other, strict=True)
            ]

        options = [near(self), near(self.alternateSolution())]
        best = min(options, key=lambda o: sum(abs(a - b) for a, b in zip(o, other, strict=True)))
        return MEulerRotation(*best, self.order)

    def setToClosestSolution(self, other: MEulerRotation) -> MEulerRotation:
        self.x, self.y, self.z = self.closestSolution(other)
        return self

    def isEquivalent(self, other: MEulerRotation, tolerance: float = 1e-10) -> bool:
        return self.order == other.order and all(
            abs(a - b) <= tolerance for a, b in zip(self, other, strict=True)
        )

    @staticmethod
    def decompose(matrix: MMatrix, order: int) -> MEulerRotation:
        turn = m.unscaled(need(matrix, MMatrix)._numbers)[0]
        return MEulerRotation(*m.angles_of(turn, order), order)

    def __repr__(self) -> str:
        return f"maya.api.OpenMaya.MEulerRotation({self.x}, {self.y}, {self.z}, {self.order})"


class MQuaternion:
    """x, y, z, w; a * b turns by a first, as matrices do."""

    def __init__(self, *given: Any) -> None:
        if not given:
            given = (0.0, 0.0, 0.0, 1.0)
        if len(given) == 1:
            given = tuple(given[0])
        if len(given) == 2 and isinstance(given[1], MVector):
            half, axis = given[0] / 2, given[1].normal()
            given = (*(v * math.sin(half) for v in axis), math.cos(half))
        elif len(given) == 2:
            raise TypeError("MQuaternion(angle, axis) wants an MVector")
        self.x, self.y, self.z, self.w = (float(v) for v in given)

    @classmethod
    def _of_matrix(cls, a: m.Matrix) -> MQuaternion:
        trace = a[0] + a[5] + a[10]
        w = math.sqrt(max(0.0, 1 + trace)) / 2
        x = math.copysign(math.sqrt(max(0.0, 1 + a[0] - a[5] - a[10])) / 2, a[6] - a[9])
        y = math.copysign(math.sqrt(max(0.0, 1 - a[0] + a[5] - a[10])) / 2, a[8] - a[2])
        z = math.copysign(math.sqrt(max(0.0, 1 - a[0] - a[5] + a[10])) / 2, a[1] - a[4])
        return cls(x, y, z, w)

    def __iter__(self) -> Iterator[float]:
        return iter((self.x, self.y, self.z, self.w))

    def __getitem__(self, index: int) -> float:
        return (self.x, self.y, self.z, self.w)[index]

    def asMatrix(self) -> MMatrix:
        x, y, z, w = self.normal()
        return MMatrix(
            (
                1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w), 0,
                2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w), 0,
                2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y), 0,
                0, 0, 0, 1,
            )
        )  # fmt: skip

    def asEulerRotation(self) -> MEulerRotation:
        return MEulerRotation(*m.angles_of(self.asMatrix()._numbers), 0)

    def normal(self) -> MQuaternion:
        size = math.sqrt(sum(v * v for v in self))
        return MQuaternion(*(v / size for v in self))

    def inverse(self) -> MQuaternion:
        return MQuaternion(-self.x, -self.y, -self.z, self.w)

    def __mul__(self, other: MQuaternion) -> MQuaternion:
        turned = MMatrix(m.multiply(self.asMatrix()._numbers, need(other, MQuaternion).asMatrix()._numbers))
        return MQuaternion._of_matrix(turned._numbers)

    def __repr__(self) -> str:
        return f"maya.api.OpenMaya.MQuaternion({self.x}, {self.y}, {self.z}, {self.w})"


class MTransformationMatrix:
    """A matrix as its parts."""

    kInvalid, kXYZ, kYZX, kZXY, kXZY, kYXZ, kZYX = range(7)

    def __init__(self, source: MMatrix | MTransformationMatrix | None = None) -> None:
        numbers = m.IDENTITY
        if source is not None:
            numbers = (
                source.asMatrix() if isinstance(source, MTransformationMatrix) else need(source, MMatrix)
            )._numbers
        self._turn, self._scale, self._shear = m.unscaled(numbers)
        self._move = numbers[12:15]

    def asMatrix(self) -> MMatrix:
        return MMatrix(
            m.product(m.scaling(self._scale), m.shearing(*self._shear), self._turn, m.translation(self._move))
        )

    def translation(self, space: int) -> MVector:
        return MVector(*self._move)

    def setTranslation(self, vector: MVector, space: int) -> MTransformationMatrix:
        self._move = tuple(need(vector, MVector))
        return self

    def rotation(self, asQuaternion: bool = False) -> MEulerRotation | MQuaternion:
        return (
            MQuaternion._of_matrix(self._turn)
            if asQuaternion
            else MEulerRotation(*m.angles_of(self._turn), 0)
        )

    def setRotation(self, turn: MEulerRotation | MQuaternion) -> MTransformationMatrix:
        self._turn = need(turn, MEulerRotation, MQuaternion).asMatrix()._numbers
        return self

    def scale(self, space: int) -> list[float]:
        return list(self._scale)

    def setScale(self, scale: Sequence[float], space: int) -> MTransformationMatrix:
        self._scale = tuple(float(v) for v in scale)  # type: ignore[assignment]
        return self
