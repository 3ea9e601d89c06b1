"""4x4 matrices for row vectors, as Maya has them: p' = p * M, sixteen numbers row by row.

Formulas: help.autodesk.com Tech-Docs Nodes/transform.html and Nodes/joint.html.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Matrix = tuple[float, ...]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
#: The orders of the attribute rotateOrder, by its number: xyz turns about x first.
ORDERS = ("xyz", "yzx", "zxy", "xzy", "yxz", "zyx")


def multiply(a: Matrix, b: Matrix) -> Matrix:
    """First a, then b."""
    b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15 = b
    out: list[float] = []
    for row in (0, 4, 8, 12):
        x, y, z, w = a[row : row + 4]
        out += (
            x * b0 + y * b4 + z * b8 + w * b12,
            x * b1 + y * b5 + z * b9 + w * b13,
            x * b2 + y * b6 + z * b10 + w * b14,
            x * b3 + y * b7 + z * b11 + w * b15,
        )
    return tuple(out)


def product(*matrices: Matrix) -> Matrix:
    """The first is applied first."""
    result = matrices[0]
    for matrix in matrices[1:]:
        if matrix is not IDENTITY:
            result = multiply(result, matrix)
    return result


def translation(v: Sequence[float]) -> Matrix:
    if not (v[0] or v[1] or v[2]):
        return IDENTITY
    return (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, v[0], v[1], v[2], 1.0)


def scaling(v: Sequence[float]) -> Matrix:
    if v[0] == v[1] == v[2] == 1.0:
        return IDENTITY
    return (v[0], 0.0, 0.0, 0.0, 0.0, v[1], 0.0, 0.0, 0.0, 0.0, v[2], 0.0, 0.0, 0.0, 0.0, 1.0)


def shearing(xy: float, xz: float, yz: float) -> Matrix:
    """SH of the page on transform."""
    if not (xy or xz or yz):
        return IDENTITY
    return (1.0, 0.0, 0.0, 0.0, xy, 1.0, 0.0, 0.0, xz, yz, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def about(axis: str, angle: float) -> Matrix:
    """A turn about one axis, in radians: AX, AY, AZ of the page on transform."""
    c, s = math.cos(angle), math.sin(angle)
    if axis == "x":
        return (1.0, 0.0, 0.0, 0.0, 0.0, c, s, 0.0, 0.0, -s, c, 0.0, 0.0, 0.0, 0.0, 1.0)
    if axis == "y":
        return (c, 0.0, -s, 0.0, 0.0, 1.0, 0.0, 0.0, s, 0.0, c, 0.0, 0.0, 0.0, 0.0, 1.0)
    return (c, s, 0.0, 0.0, -s, c, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def rotation(angles: Sequence[float], order: int = 0) -> Matrix:
    """Euler angles about x, y, z in radians; the order's first letter turns first."""
    if not (angles[0] or angles[1] or angles[2]):
        return IDENTITY
    first, second, third = (about(axis, angles["xyz".index(axis)]) for axis in ORDERS[order])
    return multiply(multiply(first, second), third)


def angles_of(matrix: Matrix, order: int = 0) -> tuple[float, float, float]:
    """Euler angles about x, y, z of a pure rotation; the middle one lies within a quarter turn."""
    i, j, k = ("xyz".index(axis) for axis in ORDERS[order])
    sign = 1.0 if (j - i) % 3 == 1 else -1.0

    def at(row: int, column: int) -> float:
        return matrix[4 * row + column]

    cosine = math.hypot(at(i, i), at(i, j))
    middle = math.atan2(-sign * at(i, k), cosine)
    if cosine > 1e-9:
        first = math.atan2(sign * at(j, k), at(k, k))
        third = math.atan2(sign * at(i, j), at(i, i))
    else:
        first, third = math.atan2(-sign * at(k, j), at(j, j)), 0.0
    angles = [0.0, 0.0, 0.0]
    angles[i], angles[j], angles[k] = first, middle, third
    return angles[0], angles[1], angles[2]


def unscaled(matrix: Matrix) -> tuple[Matrix, tuple[float, float, float], tuple[float, float, float]]:
    """Rotation, scale and shear (xy, xz, yz) of the upper 3x3, so that it is S * SH * R."""
    rows = [list(matrix[4 * i : 4 * i + 3]) for i in range(3)]

    def dot(a: list[float], b: list[float]) -> float:
        return sum(p * q for p, q in zip(a, b, strict=True))

    sx = math.sqrt(dot(rows[0], rows[0]))
    x = [v / sx for v in rows[0]]
    xy = dot(rows[1], x)
    y = [v - xy * w for v, w in zip(rows[1], x, strict=True)]
    sy = math.sqrt(dot(y, y))
    y = [v / sy for v in y]
    xz, yz = dot(rows[2], x), dot(rows[2], y)
    z = [v - xz * p - yz * q for v, p, q in zip(rows[2], x, y, strict=True)]
    sz = math.sqrt(dot(z, z))
    z = [v / sz for v in z]
    cross = [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]]
    if dot(cross, z) < 0.0:
        z, sz = [-v for v in z], -sz
        yz, xz = yz, xz
    pure = (*x, 0.0, *y, 0.0, *z, 0.0, 0.0, 0.0, 0.0, 1.0)
    return pure, (sx, sy, sz), (xy / sy, xz / sz, yz / sz)


def inverse(matrix: Matrix) -> Matrix:
    """Inverse of an affine matrix; raises ZeroDivisionError for a flat one."""
    a, b, c, _, d, e, f, _, g, h, i, _, x, y, z, _ = matrix
    c0, c1, c2 = e * i - f * h, f * g - d * i, d * h - e * g
    det = a * c0 + b * c1 + c * c2
    n = (c0 / det, (c * h - b * i) / det, (b * f - c * e) / det)
    m = (c1 / det, (a * i - c * g) / det, (c * d - a * f) / det)
    o = (c2 / det, (b * g - a * h) / det, (a * e - b * d) / det)
    back = tuple(-(x * n[k] + y * m[k] + z * o[k]) for k in range(3))
    return (*n, 0.0, *m, 0.0, *o, 0.0, *back, 1.0)
