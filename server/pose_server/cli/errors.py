"""How the command line ends: one sentence and an exit code, never a traceback."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from pose_shared.errors import InputError, InternalError, PoseError

__all__ = ["clear_errors"]


@contextmanager
def clear_errors(
    *, as_json: bool = False, debug: bool = False, stopped: str = "nothing was written"
) -> Iterator[None]:
    """Turn every error inside into a sentence on stderr and an exit code.

    Exit codes: 2 for the user's input, 1 for anything else.

    Parameters
    ----------
    as_json
        Print the error as one JSON object on stdout as well.
    debug
        Print the traceback first.
    stopped
        What an interruption leaves behind.
    """
    try:
        yield
    except KeyboardInterrupt:
        print(f"pose-server: stopped; {stopped}.", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        if debug:
            traceback.print_exc()
        if isinstance(error, FileNotFoundError) and not _stands_somewhere():
            error = InputError(
                "The folder in which this was started is gone or was replaced; enter it again, with cd.",
                reason="FOLDER_GONE",
            )
        if not isinstance(error, PoseError):
            error = InternalError(
                f"Something broke that should not ({type(error).__name__}: {error}); "
                "run it again with --debug and report what it prints.",
                reason="UNEXPECTED",
            )
        if as_json:
            print(json.dumps({"error": error.to_dict()}))  # noqa: T201
        print(f"pose-server: {error.message}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)


def _stands_somewhere() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True
