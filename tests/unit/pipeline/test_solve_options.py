from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
from pose_server.pipeline.filter_options import FILTERS
from pose_server.pipeline.progress import PersonSummary
from pose_server.pipeline.solve_options import (
    BODY_PARTS,
    CONTACT_MODES,
    CONTACT_POINTS,
    FLOOR_MODES,
    ContactEdit,
    PartFilter,
    SolveOptions,
)
from pose_server.pipeline.weak_spans import WEAK_REASONS
from pose_shared.errors import InputError


def test_options_survive_json() -> None:
    options = SolveOptions(
        smoothing=0.1,
        height_m=1.83,
        floor="steps",
        contacts="ground",
        edits=(ContactEdit.parse("1:left_heel:120-140=on"), ContactEdit(2, "right_toe", 3, 3, False)),
        filters=(PartFilter.parse("arms=butterworth:6"), PartFilter("head", "one_euro")),
    )
    assert SolveOptions.from_dict(json.loads(json.dumps(options.to_dict()))) == options
    assert SolveOptions.from_dict(SolveOptions().to_dict()) == SolveOptions()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"smoothing": 1.5}, "SMOOTHING_INVALID"),
        ({"smoothing": float("nan")}, "SMOOTHING_INVALID"),
        ({"height_m": 175.0}, "HEIGHT_INVALID"),
        ({"height_m": float("nan")}, "HEIGHT_INVALID"),
        ({"floor": "lava"}, "FLOOR_INVALID"),
        ({"contacts": ""}, "CONTACTS_INVALID"),
        ({"filters": (PartFilter("all", "rts"),) * 101}, "TOO_MANY"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError) as caught:
        SolveOptions(**fields)  # type: ignore[arg-type]
    assert caught.value.reason == reason
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("text", ["1:left_heel:120-140=on", "12:right_toe:0-0=off"])
def test_a_contact_edit_is_read_as_it_is_written(text: str) -> None:
    edit = ContactEdit.parse(text)
    assert str(edit) == text
    assert edit == ContactEdit.parse(str(edit))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "such as 1:left_heel:120-140=on"),
        ("1:left_heel:120-140", "=on or =off"),
        ("1:left_heel:-3-140=on", "FIRST-LAST"),
        ("0:left_heel:1-2=on", "counted from 1"),
        ("1:left_ear:1-2=on", "left_heel, left_toe"),
        ("1:left_heel:9-2=on", "before the last"),
        ("1:left_heel:1-2=on" * 100, "1:left_heel:1-2=on"),
    ],
)
def test_other_contact_edits_are_refused(text: str, word: str) -> None:
    with pytest.raises(InputError, match=word) as caught:
        ContactEdit.parse(text)
    assert caught.value.reason == "CONTACT_EDIT_INVALID"
    assert len(caught.value.message) < 250


def test_a_filter_takes_its_own_numbers_where_none_are_given() -> None:
    assert PartFilter.parse("all=butterworth").filter.settings == {"cutoff_hz": 6.0}
    assert PartFilter.parse("head=one_euro:2").filter.settings == {"min_cutoff_hz": 2.0, "beta": 0.7}
    assert PartFilter.parse("head=one_euro:2,0.1").filter.settings == {"min_cutoff_hz": 2.0, "beta": 0.1}
    for name in FILTERS:
        assert PartFilter.parse(str(PartFilter("all", name))) == PartFilter("all", name)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "such as arms=butterworth:6"),
        ("butterworth:6", "such as"),
        ("arms=butterworth:six", "such as"),
        ("tail=butterworth:6", "left_arm"),
        ("arms=kalman", "savitzky_golay"),
        ("arms=butterworth:6,7", "cutoff_hz"),
        ("arms=butterworth:0", "between 0.05 and 1000"),
        ("arms=median:nan", "window_s lies between"),
    ],
)
def test_other_filters_are_refused(text: str, word: str) -> None:
    with pytest.raises(InputError, match=word) as caught:
        PartFilter.parse(text)
    assert caught.value.reason == "FILTER_INVALID"


def test_the_docs_name_what_there_is(root: Path) -> None:
    text = (root / "docs" / "solve.md").read_text(encoding="utf-8")
    for names in (BODY_PARTS, CONTACT_MODES, CONTACT_POINTS, FLOOR_MODES, WEAK_REASONS):
        assert not [name for name in names if f"`{name}`" not in text]
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]* \| ([\d., ]+) \|", text, re.M))
    for name, settings in FILTERS.items():
        assert rows[name] == ", ".join(f"{setting.default:g}" for setting in settings)
    for edit in re.findall(r"`(\d:\w+:\S+)`|--contact (\d\S+)", text):
        ContactEdit.parse("".join(edit))
    for example in re.findall(r"--filter (\w+=[\w:.,]+)", text):
        PartFilter.parse(example)


def test_edits_are_numbered_as_the_solve_sees_people() -> None:
    options = SolveOptions(
        edits=(ContactEdit(4, "left_toe", 1, 2, True), ContactEdit(2, "left_toe", 5, 6, True))
    )
    second, third, fourth = (PersonSummary(index, 2, 9, 1.0, 0.5) for index in (2, 3, 4))
    assert [edit.person for edit in options.numbered([second, fourth]).edits] == [2, 1]
    with pytest.raises(InputError, match="no person 4, only 2, 3"):
        options.numbered([second, third])
    for frames in ((7, 9), (0, 4)):
        late = dataclasses.replace(second, first_frame=frames[0], last_frame=frames[1])
        with pytest.raises(InputError, match=f"person 2 is in frames {frames[0]} to {frames[1]} only"):
            options.numbered([late, fourth])
