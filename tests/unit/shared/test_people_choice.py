"""Who of the people in a clip comes."""

from __future__ import annotations

import pytest
from pose_shared.errors import InputError
from pose_shared.messages import Person
from pose_shared.people_choice import PeopleChoice, count_words


@pytest.fixture
def people() -> list[Person]:
    return [
        Person(1, 10, 109, 1.0, 0.8, spans=((10, 59), (70, 109))),
        Person(2, 60, 84, 0.25, 0.5),
        Person(5, 35, 35, 0.01, 0.5),
    ]


def test_everybody_is_chosen_at_first(people: list[Person]) -> None:
    choice = PeopleChoice(people)
    assert choice.chosen == (1, 2, 5)
    assert choice.summary == "3 of 3 people"
    assert PeopleChoice(people, chosen=[2, 9]).chosen == (2,)


def test_choosing(people: list[Person]) -> None:
    choice = PeopleChoice(people)
    choice.toggle(1)
    choice.choose(5, False)
    assert choice.chosen == (2,)
    assert [row.chosen for row in choice.rows] == [False, True, False]
    choice.toggle(1)
    assert choice.chosen == (1, 2)
    choice.choose_all(False)
    assert choice.chosen == ()
    choice.choose_all()
    assert choice.chosen == (1, 2, 5)


@pytest.mark.parametrize("act", ["choose", "toggle"])
def test_somebody_who_is_not_there(people: list[Person], act: str) -> None:
    with pytest.raises(InputError) as caught:
        getattr(PeopleChoice(people), act)(3)
    assert caught.value.message == "There is no person 3 in the clip; choose from 1, 2, 5."


def test_bars_lie_where_people_were_found(people: list[Person]) -> None:
    first, second, third = PeopleChoice(people).rows
    assert first.bars == ((0.0, 0.5), (0.6, 1.0))
    assert second.bars == ((0.5, 0.75),)
    assert third.bars == ((0.25, 0.26),)
    assert (second.title, second.coverage, second.span) == (
        "Person 2",
        "in 25% of the frames",
        "film frames 60 to 84",
    )


def test_nobody() -> None:
    choice = PeopleChoice(())
    assert (choice.rows, choice.chosen, choice.summary) == ([], (), "0 of 0 people")
    assert count_words(1) == "1 person"
