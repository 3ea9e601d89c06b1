from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pose_server.pipeline.solve_options import CONTACT_POINTS, ContactEdit
from pose_server.solve.contact_edits import edited

FRAMES = np.arange(100, 140)


def test_a_foot_stands_in_the_very_frames_that_were_asked_for() -> None:
    result = edited(np.zeros((40, 4)), FRAMES, [ContactEdit(1, "left_toe", 110, 114, True)], 1)
    assert (result[:, 1] > 0.5).nonzero()[0].tolist() == [10, 11, 12, 13, 14]
    assert (result[10:15, 1] == 1).all()
    assert (result[:, [0, 2, 3]] == 0).all()
    # It begins and ends softly.
    assert 0 < result[8, 1] < result[9, 1] < 0.5 > result[15, 1] > result[16, 1] > 0
    assert result[7, 1] == result[17, 1] == 0


def test_taking_away_is_the_opposite_of_giving() -> None:
    given_ = edited(np.zeros((40, 4)), FRAMES, [ContactEdit(1, "right_heel", 110, 114, True)], 1)
    taken = edited(np.ones((40, 4)), FRAMES, [ContactEdit(1, "right_heel", 110, 114, False)], 1)
    np.testing.assert_allclose(taken, 1 - given_)


def test_others_and_what_lies_outside_change_nothing() -> None:
    contacts = np.random.default_rng(0).uniform(size=(40, 4))
    kept = contacts.copy()
    for edit in (
        ContactEdit(2, "left_toe", 110, 114, True),
        ContactEdit(1, "left_toe", 0, 99, True),
        ContactEdit(1, "left_toe", 140, 900, False),
    ):
        np.testing.assert_array_equal(edited(contacts, FRAMES, [edit], 1), contacts)
    edited(contacts, FRAMES, [ContactEdit(1, "left_toe", 0, 900, True)], 1)
    np.testing.assert_array_equal(contacts, kept)
    assert edited(np.zeros((0, 4)), FRAMES[:0], [ContactEdit(1, "left_toe", 0, 9, True)], 1).shape == (0, 4)


edits = st.builds(
    lambda point, first, length, on: ContactEdit(1, point, first, first + length, on),
    st.sampled_from(CONTACT_POINTS),
    st.integers(90, 150),
    st.integers(0, 30),
    st.booleans(),
)


@given(st.lists(edits, max_size=6), st.integers(0, 10))
def test_the_last_word_holds_everywhere(words: list[ContactEdit], seed: int) -> None:
    contacts = np.random.default_rng(seed).uniform(size=(40, len(CONTACT_POINTS)))
    result = edited(contacts, FRAMES, words, 1)
    assert ((result >= 0) & (result <= 1)).all()
    for row, frame in enumerate(FRAMES):
        for column, point in enumerate(CONTACT_POINTS):
            said = [w.on for w in words if w.point == point and w.first_frame <= frame <= w.last_frame]
            if said:
                assert result[row, column] == said[-1]
            elif all(
                w.point != point or frame < w.first_frame - 2 or frame > w.last_frame + 2 for w in words
            ):
                assert result[row, column] == contacts[row, column]
