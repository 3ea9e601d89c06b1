"""What people and cameras in a scene remember of the import they came from, as texts that a file keeps."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any, Dict, Iterable, Mapping, Optional, Tuple

from pose_shared.solve_settings import SolveSettings
from pose_shared.timing import SceneTiming
from pose_shared.weak_spans import SceneSpan

__all__ = ["JOB", "PERSON", "ImportRecord", "parse_spans", "spans_text"]

#: Attribute with the name of the server's job, by which hosts find what came from it.
JOB = "poseJob"
#: Attribute with the person's number; 0 is the camera.
PERSON = "posePerson"
_IMPORT = "poseImport"


@dataclass(frozen=True)
class ImportRecord:
    """Where something came from, and how it was laid into the scene.

    Attributes
    ----------
    job, clip_name, server
        Name of the server's job, what the clip is called, and which server it was.
    scene_rate, scene_frame, first_source_frame
        As in `pose_shared.timing.SceneTiming`.
    asked_rate
        Rate that the server was asked for; its own when None.
    confidence
        Whether confidence is keyed.
    solve
        How it was solved.
    """

    job: str
    clip_name: str
    server: str
    scene_rate: Fraction
    scene_frame: int
    first_source_frame: int
    asked_rate: Optional[Fraction]
    confidence: bool
    solve: SolveSettings

    def timing(self, source_rate: Fraction) -> SceneTiming:
        """Return where the clip lies in the scene."""
        return SceneTiming(self.scene_rate, source_rate, self.first_source_frame, self.scene_frame)

    def refined(self, job: str, options: Mapping[str, Any]) -> ImportRecord:
        """Return the record after a refinement with some options."""
        given = {name: value for name, value in options.items() if value is not None}
        return replace(self, job=job, solve=SolveSettings.of({**self.solve.options, **given}))

    def texts(self) -> Dict[str, str]:
        """Return it as texts by attribute."""
        rest = {
            "clip_name": self.clip_name,
            "server": self.server,
            "scene_rate": str(self.scene_rate),
            "scene_frame": self.scene_frame,
            "first_source_frame": self.first_source_frame,
            "asked_rate": str(self.asked_rate or ""),
            "confidence": self.confidence,
            "solve": self.solve.options,
        }
        return {JOB: self.job, _IMPORT: json.dumps(rest)}

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> Optional[ImportRecord]:
        """Read what `texts` wrote; None if somebody has changed it beyond that."""
        try:
            rest = json.loads(texts[_IMPORT])
            return cls(
                job=texts[JOB],
                clip_name=str(rest["clip_name"]),
                server=str(rest["server"]),
                scene_rate=Fraction(rest["scene_rate"]),
                scene_frame=int(rest["scene_frame"]),
                first_source_frame=int(rest["first_source_frame"]),
                asked_rate=Fraction(rest["asked_rate"]) if rest["asked_rate"] else None,
                confidence=bool(rest["confidence"]),
                solve=SolveSettings.of(rest["solve"]),
            )
        except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError):
            return None


def spans_text(spans: Iterable[SceneSpan]) -> str:
    """Return weak spans as text."""
    return json.dumps([asdict(span) for span in spans])


def parse_spans(text: str) -> Tuple[SceneSpan, ...]:
    """Read what `spans_text` wrote; nothing if somebody has changed it beyond that."""
    try:
        return tuple(
            SceneSpan(int(span["start"]), int(span["end"]), str(span["why"]), str(span["joints"]))
            for span in json.loads(text)
        )
    except (KeyError, TypeError, ValueError):
        return ()
