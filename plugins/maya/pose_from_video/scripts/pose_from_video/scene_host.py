"""What the window needs of a scene: the only way from the window to Maya, and back.

Every method is called from the main thread. What cannot be done is a `PoseError` whose sentence says what to
do next; the scene is then as it was. Sentences that are returned are shown to the user.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from pose_shared.clips import Clip
from pose_shared.rig import Rig
from pose_shared.rig_motion import RigChannels
from pose_shared.session import RefineRequest, Result
from pose_shared.solve_settings import SolveSettings
from pose_shared.weak_spans import SceneSpan

try:
    from typing import Protocol
except ImportError:  # pragma: no cover - Python before 3.8 is refused by the package itself
    Protocol = object  # type: ignore[assignment]

__all__ = ["Character", "ImagePlane", "ImportedPerson", "Placement", "SceneHost"]


@dataclass(frozen=True)
class ImagePlane:
    """A clip that an image plane of the scene shows.

    Attributes
    ----------
    name
        Of the node, for people.
    path
        Of the film, or of one picture of the sequence.
    """

    name: str
    path: str


@dataclass(frozen=True)
class Placement:
    """How the result of a job goes into the scene.

    Attributes
    ----------
    clip_name
        What the clip is called.
    server
        Address of the server that has the job; people remember it, to be refined there.
    clip
        The clip, if it is on this machine: what the camera can show.
    scene_frame
        Where the first imported film frame goes.
    first_source_frame
        Which film frame that is.
    match_rate
        Give the scene the clip's rate and range.
    asked_rate
        Rate that the server was asked for, the scene's; its own when None.
    camera, film
        Whether to add the camera of the clip, and the clip behind what it sees.
    confidence
        Whether to key how sure the server is of each joint.
    solve
        How it was solved; people remember it.
    """

    clip_name: str
    server: str
    clip: Optional[Clip]
    scene_frame: int
    first_source_frame: int = 0
    match_rate: bool = True
    asked_rate: Optional[Fraction] = None
    camera: bool = True
    film: bool = True
    confidence: bool = False
    solve: SolveSettings = field(default_factory=SolveSettings)


@dataclass(frozen=True)
class ImportedPerson:
    """Somebody in the scene who came from a video.

    Attributes
    ----------
    node
        What the host finds the person again by: unique, and the same as long as the person is there.
    title
        What the person is called, for people.
    job, clip_name, person, server, asked_rate, solve
        Where from, and how: as the person remembers it.
    weak_spans
        What to look at first.
    """

    node: str
    title: str
    job: str
    clip_name: str
    person: int
    server: str
    asked_rate: Optional[Fraction] = None
    solve: SolveSettings = field(default_factory=SolveSettings)
    weak_spans: Tuple[SceneSpan, ...] = ()


@dataclass(frozen=True)
class Character:
    """Somebody who can be moved as a person does.

    Attributes
    ----------
    node
        What the host finds the character again by.
    title
        For people.
    human_ik
        Whether it has a HumanIK definition, so that Maya's own solver can move it.
    """

    node: str
    title: str
    human_ik: bool = False


class SceneHost(Protocol):
    """The scene."""

    def scene_rate(self) -> Fraction:
        """Return the scene's frames per second, exactly."""

    def first_frame(self) -> int:
        """Return the first frame of the playback range."""

    def up_axis(self) -> str:
        """Return ``y`` or ``z``."""

    def image_planes(self) -> List[ImagePlane]:
        """Return the films and sequences that the scene's image planes show."""

    def write_import(self, result: Result, placement: Placement) -> List[str]:
        """Add the people of ``result.joints`` to the scene in one undo step; return sentences about it."""

    def imported_people(self) -> List[ImportedPerson]:
        """Return everybody in the scene who came from a video, in the order of their titles."""

    def write_refinement(self, result: Result, request: RefineRequest) -> List[str]:
        """Give the people of ``request.job`` the motion of ``result.joints`` in one undo step.

        They then remember ``result.job`` and the settings that were asked for.
        """

    def selected(self, characters: Sequence[Character]) -> List[str]:
        """Return `ImportedPerson.node` and `Character.node` of what is selected, also by a part of it.

        Of characters only those that are given are looked at.
        """

    def go_to_frame(self, frame: int) -> None:
        """Make a frame the current one."""

    def characters(self) -> List[Character]:
        """Return the characters of the scene that did not come from a video."""

    def describe_rig(self, character: Character) -> Rig:
        """Return what the server needs to move a character."""

    def write_rig_motion(
        self, character: Character, motion: RigChannels, person: ImportedPerson
    ) -> List[str]:
        """Key a character in one undo step; return sentences about it."""

    def drive_by_human_ik(self, character: Character, person: ImportedPerson) -> List[str]:
        """Make a person the source of a character's HumanIK solver in one undo step."""

    def load_settings(self) -> Dict[str, Any]:
        """Return what `save_settings` was given last, on whatever day; empty if there is nothing."""

    def save_settings(self, settings: Mapping[str, Any]) -> None:
        """Keep texts, numbers, yes and no, and lists and mappings of such, as JSON has them."""

    def tell(self, sentence: str) -> None:
        """Show a sentence to somebody who does not see the window, such as in the host's status line."""
