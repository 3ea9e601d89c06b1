"""``mayapy -m pose_from_video``, or ``mayapy`` with the path of this folder: see `pose_from_video.batch`.

mayapy knows nothing of modules until Maya is started in it, so that the packages of this one are looked for
here.
"""

import sys
from pathlib import Path

if not __package__:
    # Called by its path, Python has put this folder first, in place of the one that the package is in.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from pose_from_video.packages import find_packages

if __name__ == "__main__":
    find_packages()
    from pose_from_video.batch import main

    sys.exit(main())
