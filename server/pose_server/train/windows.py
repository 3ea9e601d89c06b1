"""Batches for the house lifter: windows of motions, varied, filmed and seen, with what is true of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from pose_shared.skeleton import BODY_31
from torch import Tensor

from pose_server.lift.crop import Crop, crop_of, smallest_turn
from pose_server.lift.network import CONTACT_POINTS, Sight
from pose_server.train.bodies import crossed, hips, limbs_turned, mirrored, reproportioned
from pose_server.train.cameras import CameraModel, filmed
from pose_server.train.motions import RATE_HZ, MotionSet
from pose_server.train.sightings import SightModel, sighted

__all__ = ["LOW_M", "STILL_M_S", "BodyModel", "Window", "WindowSource", "contact_labels"]

_CONTACTS = [BODY_31.index(name) for name in CONTACT_POINTS]
#: What contacts are labelled by: a slower point, no higher above the lowest.
STILL_M_S = 0.3
LOW_M = 0.15


@dataclass(frozen=True)
class BodyModel:
    """How bodies and poses are varied; all zero leaves them as they were captured."""

    body: float = 0.06
    bone: float = 0.05
    crossed_share: float = 0.25
    turned_share: float = 0.5
    arms_rad: float = 0.5
    legs_rad: float = 0.3
    speed: float = 0.2
    #: Slowest and fastest rate, Hz; half of all windows have 30.
    rates_hz: tuple[float, float] = (19.0, 43.0)


@dataclass(frozen=True)
class Window:
    """A batch: what was seen, and the truth in the axes of its crop."""

    sight: Sight
    crop: Crop
    joints: Tensor
    """(B, T, 31, 3) about the middle of the hips."""
    root: Tensor
    """(B, T, 3) as a camera of the assumed focal length has it."""
    contacts: Tensor
    """(B, T, 4) 0 or 1."""


@dataclass
class WindowSource:
    """Draws windows from a set of motions."""

    motions: MotionSet
    frames: int
    cameras: CameraModel = field(default_factory=CameraModel)
    sights: SightModel = field(default_factory=SightModel)
    bodies: BodyModel = field(default_factory=BodyModel)
    causal: bool = False
    device: str = "cpu"

    def __post_init__(self) -> None:
        points = np.concatenate([take.points_m for take in self.motions.takes])
        self._points = torch.from_numpy(points).to(self.device)
        lengths = torch.tensor([len(take.points_m) for take in self.motions.takes], device=self.device)
        self._ends = lengths.cumsum(0)
        self._starts = self._ends - lengths

    def draw(self, count: int, generator: torch.Generator) -> Window:
        """Return `count` windows; each moment of the set is as likely as another.

        The generator must be of the source's device.
        """
        points, rate_hz = self._cut(count, generator)
        bodies = self.bodies
        points = mirrored(points, torch.rand(count, generator=generator, device=self.device) < 0.5)
        if bodies.crossed_share:  # between clips that face one way, or arms would come from behind
            points = crossed(points, generator, bodies.crossed_share)
        if bodies.turned_share:
            points = limbs_turned(
                points, generator, bodies.turned_share, arms=bodies.arms_rad, legs=bodies.legs_rad
            )
        points = reproportioned(points, generator, body=bodies.body, bone=bodies.bone)
        contacts = contact_labels(points, rate_hz)
        camera, focal_error = filmed(points, self.cameras, generator)
        return _seen_window(camera, focal_error, rate_hz, contacts, self.sights, generator, self.causal)

    def _cut(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return (B, T, 31, 3) and (B,) rates; a take that is too short stands still at its ends."""
        low, high = self.bodies.rates_hz
        device = self.device
        rate_hz = low + (high - low) * torch.rand(count, generator=generator, device=device)
        rate_hz = torch.where(torch.rand(count, generator=generator, device=device) < 0.5, 30.0, rate_hz)
        normal = torch.randn(count, generator=generator, device=device)
        step = RATE_HZ / rate_hz * torch.exp(self.bodies.speed * normal.clamp(-2, 2))
        middle = torch.randint(len(self._points), (count,), generator=generator, device=device)
        take = torch.searchsorted(self._ends, middle, right=True)
        offsets = torch.arange(self.frames, device=device) - (self.frames - 1) / 2
        places = middle[:, None] + step[:, None] * offsets
        first, last = self._starts[take][:, None], self._ends[take][:, None] - 1
        # Shifted into the take as far as it goes.
        places = places + (first - places[:, :1]).clamp(min=0)
        places = places - (places[:, -1:] - last).clamp(min=0)
        places = torch.minimum(torch.maximum(places, first.to(places.dtype)), last.to(places.dtype))
        before = places.floor().long()
        share = (places - before)[..., None, None]
        after = torch.minimum(before + 1, last)
        return self._points[before] * (1 - share) + self._points[after] * share, rate_hz


def _seen_window(
    camera: Tensor,
    focal_error: Tensor,
    rate_hz: Tensor,
    contacts: Tensor,
    sights: SightModel,
    generator: torch.Generator,
    causal: bool = False,
) -> Window:
    """Return what is seen of (B, T, 31, 3) points in the camera, and the truth in the crop's axes."""
    sight = sighted(camera, focal_error, rate_hz, sights, generator)
    crop = crop_of(sight.rays, sight.seen, causal=causal)
    root = hips(camera)
    # The body is seen along the true ray; a wrong lens turns it with the ray it seems to lie on.
    true_turn = smallest_turn(crop.centre * focal_error[:, None, None])
    joints = (camera - root[:, :, None]) @ true_turn.mT
    stretch = torch.ones_like(root)
    stretch[..., 2] = focal_error[:, None]
    root = ((root * stretch)[:, :, None] @ crop.turn.mT)[:, :, 0]
    return Window(sight, crop, joints, root, contacts)


def contact_labels(points: Tensor, rate_hz: Tensor) -> Tensor:
    """Return (B, T, 4): a foot's point is still, and low for this stretch of the motion."""
    feet = points[:, :, _CONTACTS]
    step = torch.diff(feet, dim=1).norm(dim=-1) * rate_hz[:, None, None]
    padded = torch.cat([step[:, :1], step, step[:, -1:]], dim=1)
    still = (padded[:, 1:] + padded[:, :-1]) / 2 < STILL_M_S
    low = feet[..., 1] < feet[..., 1].amin(dim=(1, 2), keepdim=True) + LOW_M
    return (still & low).to(points.dtype)
