"""What a user may ask of the motion solve; all of it can be asked again of a finished result."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pose_shared.errors import InputError

from pose_server.pipeline.filter_options import NamedFilter
from pose_server.pipeline.progress import PersonSummary

__all__ = [
    "BODY_PARTS",
    "CONTACT_MODES",
    "CONTACT_POINTS",
    "FLOOR_MODES",
    "ContactEdit",
    "PartFilter",
    "SolveOptions",
]

#: ``auto``: flat unless steps say otherwise; ``flat``: one height; ``steps``: stairs and platforms stay;
#: ``none``: nothing is tied to a floor.
FLOOR_MODES = ("auto", "flat", "steps", "none")
#: ``auto``: where feet rest; ``always``, ``never``; ``ground``: whenever they are on the floor.
CONTACT_MODES = ("auto", "always", "never", "ground")
#: What may be said to touch the ground, in the order of `Motion.contacts`.
CONTACT_POINTS = (
    "left_heel",
    "left_toe",
    "right_heel",
    "right_toe",
    "left_hand",
    "right_hand",
    "left_knee",
    "right_knee",
)
#: What a filter may be asked for; ``root`` is where the body is and how it is turned.
BODY_PARTS = (
    "all",
    "root",
    "spine",
    "head",
    "arms",
    "left_arm",
    "right_arm",
    "legs",
    "left_leg",
    "right_leg",
)


_EDIT = re.compile(r"(\d{1,9}):([a-z_]+):(\d{1,15})-(\d{1,15})=(on|off)")
_EDIT_LIMIT, _FILTER_LIMIT = 10_000, 100


@dataclass(frozen=True)
class ContactEdit:
    """The caller's word on a foot, hand or knee: from one frame to another it carries, or it does not.

    Raises
    ------
    InputError
        There is no such point, person or span (``CONTACT_EDIT_INVALID``).
    """

    person: int
    """Counted from 1, as in the report."""
    point: str
    """One of `CONTACT_POINTS`."""
    first_frame: int
    """Source frames, the last one included."""
    last_frame: int
    on: bool

    def __post_init__(self) -> None:
        if self.point not in CONTACT_POINTS:
            raise _edit_error(
                str(self), f"there is no '{self.point}', choose from {', '.join(CONTACT_POINTS)}"
            )
        if self.person < 1:
            raise _edit_error(str(self), "people are counted from 1")
        if not 0 <= self.first_frame <= self.last_frame:
            raise _edit_error(str(self), "the first frame comes before the last, both counted from 0")

    @classmethod
    def parse(cls, text: str) -> ContactEdit:
        """Read ``1:left_heel:120-140=on``; raises `InputError`."""
        match = _EDIT.fullmatch(text)
        if not match:
            raise _edit_error(
                text, "write PERSON:POINT:FIRST-LAST=on or =off, such as 1:left_heel:120-140=on"
            )
        person, point, first, last, word = match.groups()
        return cls(int(person), point, int(first), int(last), word == "on")

    def __str__(self) -> str:
        word = "on" if self.on else "off"
        return f"{self.person}:{self.point}:{self.first_frame}-{self.last_frame}={word}"


@dataclass(frozen=True)
class PartFilter:
    """A classic filter on a part of the body.

    Raises
    ------
    InputError
        There is no such part or filter, or a number is out of range (``FILTER_INVALID``).
    """

    part: str
    """One of `BODY_PARTS`."""
    name: str
    """One of `FILTERS`."""
    values: tuple[float, ...] = ()
    """As many of the filter's settings as are given, in their order; the others take their defaults."""

    def __post_init__(self) -> None:
        if self.part not in BODY_PARTS:
            raise _filter_error(
                str(self), f"there is no part '{self.part}', choose from {', '.join(BODY_PARTS)}"
            )
        try:
            NamedFilter(self.name, self.values)
        except ValueError as error:
            raise _filter_error(str(self), str(error)) from None

    @property
    def filter(self) -> NamedFilter:
        """What is done to the part."""
        return NamedFilter(self.name, self.values)

    @classmethod
    def parse(cls, text: str) -> PartFilter:
        """Read ``arms=butterworth:6`` or ``all=one_euro:1.5,0.7``; raises `InputError`."""
        part, equals, rest = text.partition("=")
        if not equals:
            raise _filter_error(text, "write PART=FILTER or PART=FILTER:NUMBERS, such as arms=butterworth:6")
        try:
            chosen = NamedFilter.parse(rest)
        except ValueError as error:
            raise _filter_error(text, str(error)) from None
        return cls(part, chosen.name, chosen.values)

    def __str__(self) -> str:
        numbers = ",".join(f"{value:g}" for value in self.values)
        return f"{self.part}={self.name}" + (f":{numbers}" if numbers else "")


@dataclass(frozen=True)
class SolveOptions:
    """Settings of the solve.

    Raises
    ------
    InputError
        A value is out of range; the sentence says which values are possible.
    """

    smoothing: float = 0.5
    """0 leaves the solved motion as it is, 1 is calm."""
    height_m: float | None = None
    """Of the actor without shoes; a usual one when None."""
    floor: str = "auto"
    """One of `FLOOR_MODES`."""
    contacts: str = "auto"
    """One of `CONTACT_MODES`."""
    edits: tuple[ContactEdit, ...] = ()
    """What the caller knows better than `contacts`; of two that overlap the later holds."""
    filters: tuple[PartFilter, ...] = ()
    """Run over the solved motion one after the other."""

    def __post_init__(self) -> None:
        if not 0 <= self.smoothing <= 1:
            raise InputError(
                f"--smoothing {self.smoothing:g} is not possible; give 0 (raw) to 1 (calm).",
                reason="SMOOTHING_INVALID",
                value=self.smoothing,
            )
        if self.height_m is not None and not 0.3 <= self.height_m <= 3:
            raise InputError(
                f"--height {self.height_m:g} is not possible; give the actor's height in metres, 0.3 to 3.",
                reason="HEIGHT_INVALID",
                value=self.height_m,
            )
        for name, value, modes in (
            ("floor", self.floor, FLOOR_MODES),
            ("contacts", self.contacts, CONTACT_MODES),
        ):
            if value not in modes:
                raise InputError(
                    f"--{name} {value[:80]} is not possible; choose from {', '.join(modes)}.",
                    reason=f"{name.upper()}_INVALID",
                    value=value[:80],
                )
        for option, given, limit in (
            ("contact", self.edits, _EDIT_LIMIT),
            ("filter", self.filters, _FILTER_LIMIT),
        ):
            if len(given) > limit:
                raise InputError(
                    f"{len(given)} times --{option} is too much; give {limit} at most.",
                    reason="TOO_MANY",
                    count=len(given),
                )

    def numbered(self, people: Sequence[PersonSummary]) -> SolveOptions:
        """Return the options with edits by place among `people`, counted from 1, as a solve sees them.

        Raises
        ------
        InputError
            An edit names somebody who is not among them, or frames in all of which that person is not
            (``CONTACT_EDIT_INVALID``).
        """
        places = {person.index: place for place, person in enumerate(people, start=1)}
        for edit in self.edits:
            if edit.person not in places:
                listed = ", ".join(str(person.index) for person in people)
                raise _edit_error(
                    str(edit), f"the result has no person {edit.person}, only {listed or 'nobody'}"
                )
            person = people[places[edit.person] - 1]
            if edit.last_frame < person.first_frame or edit.first_frame > person.last_frame:
                frames = f"{person.first_frame} to {person.last_frame}"
                raise _edit_error(str(edit), f"person {edit.person} is in frames {frames} only")
        edits = tuple(dataclasses.replace(edit, person=places[edit.person]) for edit in self.edits)
        return dataclasses.replace(self, edits=edits)

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain JSON data, canonical: equal options give equal text."""
        fields = dataclasses.asdict(self)
        fields["edits"] = list(fields["edits"])
        fields["filters"] = [one | {"values": list(one["values"])} for one in fields["filters"]]
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> SolveOptions:
        """Read back what `to_dict` wrote."""
        values = dict(fields)
        values["edits"] = tuple(ContactEdit(**edit) for edit in values.get("edits", ()))
        filters = values.get("filters", ())
        values["filters"] = tuple(PartFilter(**one | {"values": tuple(one["values"])}) for one in filters)
        return cls(**values)


def _edit_error(text: str, why: str) -> InputError:
    return InputError(
        f"--contact {text[:80]} is not possible: {why}.", reason="CONTACT_EDIT_INVALID", value=text[:80]
    )


def _filter_error(text: str, why: str) -> InputError:
    return InputError(
        f"--filter {text[:80]} is not possible: {why}.", reason="FILTER_INVALID", value=text[:80]
    )
