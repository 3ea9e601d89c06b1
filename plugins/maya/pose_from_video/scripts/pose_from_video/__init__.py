"""Pose from Video: turn the people in a video into keyed joints, through a pose server.

Any Python can read this file, so that an old Maya hears a sentence and no traceback.
"""

import sys

if sys.version_info < (3, 9):
    raise ImportError("Pose from Video needs Maya 2023 or later, which has Python 3.9; update Maya.")
