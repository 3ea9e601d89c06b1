"""The caller's word on contacts, laid over those that were found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pose_server.pipeline.boundary import FloatArray, IntArray
from pose_server.pipeline.solve_options import CONTACT_POINTS, ContactEdit

__all__ = ["edited"]

#: Rows beside an edit in which it fades away. Outside it never reaches one half, so that whoever cuts
#: there gets the very frames that were asked for.
_FADE_ROWS = 2


def edited(contacts: FloatArray, frames: IntArray, edits: Sequence[ContactEdit], person: int) -> FloatArray:
    """Return (T, 4) contacts as a person's edits want them.

    Parameters
    ----------
    contacts
        (T, 4) 0..1 of `CONTACT_POINTS`.
    frames
        (T,) source frame of each row, ascending.
    edits
        Of anybody; the later of two that overlap holds.
    person
        Whose contacts these are: 1 + the place in the solve, see `SolveOptions.numbered`.
    """
    result = contacts.copy()
    own = [edit for edit in edits if edit.person == person]
    rows = np.arange(len(frames))
    spans = [
        (CONTACT_POINTS.index(edit.point), *np.searchsorted(frames, (edit.first_frame, edit.last_frame + 1)))
        for edit in own
    ]
    for edit, (point, begin, end) in zip(own, spans, strict=True):
        if begin < end:
            distance = np.maximum(begin - rows, rows - (end - 1)).clip(0)
            share = (1 - distance / (_FADE_ROWS + 1)).clip(0) ** 2
            fade = np.maximum if edit.on else np.minimum
            result[:, point] = fade(result[:, point], share if edit.on else 1 - share)
    # What was asked for holds wherever the fading of a neighbour reached into it.
    for edit, (point, begin, end) in zip(own, spans, strict=True):
        result[begin:end, point] = float(edit.on)
    return result
