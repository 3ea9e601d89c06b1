"""Who of the people in a clip comes into the scene: rows for a picker, in any host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from pose_shared.errors import InputError
from pose_shared.messages import Person

__all__ = ["PeopleChoice", "PersonRow", "count_words"]


@dataclass(frozen=True)
class PersonRow:
    """What a picker shows of a person.

    Attributes
    ----------
    person
        As the server tells.
    chosen
        Whether the person comes.
    bars
        Beginning and end of each stretch in which the person was found, 0 to 1 of the part of the clip in
        which anybody was.
    """

    person: Person
    chosen: bool
    bars: Tuple[Tuple[float, float], ...]

    @property
    def title(self) -> str:
        """What the person is called."""
        return f"Person {self.person.index}"

    @property
    def coverage(self) -> str:
        """How much of the clip shows the person, in words."""
        return f"in {self.person.coverage:.0%} of the frames"

    @property
    def span(self) -> str:
        """Between which film frames."""
        return f"film frames {self.person.first_frame} to {self.person.last_frame}"


class PeopleChoice:
    """Everybody in a clip, and who of them is chosen: all at first.

    Parameters
    ----------
    people
        As a finished job has them.
    chosen
        Numbers of those that are chosen at first; all when None.
    """

    def __init__(self, people: Sequence[Person], chosen: Optional[Iterable[int]] = None) -> None:
        self._people = tuple(people)
        known = [person.index for person in people]
        wanted = set(known if chosen is None else chosen)
        self._chosen: Dict[int, bool] = {index: index in wanted for index in known}
        self._first = min((person.first_frame for person in people), default=0)
        self._end = max((person.last_frame for person in people), default=0) + 1

    @property
    def rows(self) -> List[PersonRow]:
        """A row for each person, in the server's order."""
        return [
            PersonRow(person, self._chosen[person.index], tuple(self._bars(person)))
            for person in self._people
        ]

    @property
    def chosen(self) -> Tuple[int, ...]:
        """Numbers of the people who come."""
        return tuple(index for index, chosen in self._chosen.items() if chosen)

    @property
    def summary(self) -> str:
        """How many of how many come, in words."""
        return f"{len(self.chosen)} of {count_words(len(self._people))}"

    def choose(self, index: int, chosen: bool = True) -> None:
        """Say whether a person comes.

        Raises
        ------
        InputError
            There is no such person (``PERSON_UNKNOWN``).
        """
        if index not in self._chosen:
            raise InputError(
                f"There is no person {index} in the clip; choose from {_listed(self._chosen)}.",
                reason="PERSON_UNKNOWN",
                person=index,
            )
        self._chosen[index] = chosen

    def toggle(self, index: int) -> None:
        """Turn a person's choice round; raises as `choose`."""
        self.choose(index, not self._chosen.get(index, False))

    def choose_all(self, chosen: bool = True) -> None:
        """Choose everybody, or nobody."""
        for index in self._chosen:
            self._chosen[index] = chosen

    def _bars(self, person: Person) -> Iterable[Tuple[float, float]]:
        length = self._end - self._first
        for first, last in person.spans or ((person.first_frame, person.last_frame),):
            yield (first - self._first) / length, (last + 1 - self._first) / length


def count_words(count: int) -> str:
    """Return a number of people in words."""
    return f"{count} {'person' if count == 1 else 'people'}"


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers)) or "nobody"
