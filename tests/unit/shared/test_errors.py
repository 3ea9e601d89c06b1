from __future__ import annotations

import json
import pickle
import re

import pytest
from pose_shared import errors
from pose_shared.errors import InputError, InternalError, MediaError, PoseError, class_of_code

KINDS = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_survives_pickling_and_json(kind: type[PoseError]) -> None:
    error = kind("The clip is gone; choose another.", reason="CLIP_GONE", path="a b", count=3)
    for copy in (
        pickle.loads(pickle.dumps(error)),
        PoseError.from_dict(json.loads(json.dumps(error.to_dict()))),
    ):
        assert type(copy) is kind
        assert copy == error
        assert str(copy) == error.message
        assert copy.metadata == {"path": "a b", "count": "3"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_can_be_made_of_nothing(kind: type[PoseError]) -> None:
    assert re.fullmatch(r"[A-Z][A-Z_]{2,62}", kind().reason)


def test_an_unknown_kind_falls_back_to_its_code() -> None:
    error = PoseError.from_dict({"kind": "FromTheFuture", "code": "INVALID_ARGUMENT", "message": "No."})
    assert type(error) is InputError
    assert type(PoseError.from_dict({"kind": "FromTheFuture", "code": "ABORTED"})) is InternalError


def test_exit_codes_tell_the_users_input_from_the_rest() -> None:
    assert MediaError().exit_code == 2
    assert InternalError().exit_code == 1
    assert class_of_code("UNAVAILABLE")().exit_code == 2


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = re.findall(r"(\w+Error)\s+([A-Z_]+)\s+exit (\d)", errors.__doc__ or "")
    assert {(k.__name__, k.code, str(k.exit_code)) for k in KINDS} == set(drawn)
