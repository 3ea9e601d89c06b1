"""People and cameras of the scene that came from a video, found by what their top nodes remember."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional

from maya import cmds
from pose_shared.import_record import JOB, PERSON, ImportRecord, parse_spans, spans_text
from pose_shared.joint_motion import JointMotion
from pose_shared.weak_spans import scene_spans

from ..scene_host import ImportedPerson
from .nodes import set_text

__all__ = ["ImportedPart", "imported_parts", "list_weak_spans", "part_above", "person_of", "record_on"]

_IMPORT, _SPANS = "poseImport", "poseWeakSpans"


@dataclass(frozen=True)
class ImportedPart:
    """A person or camera.

    Attributes
    ----------
    top
        Path of its top node.
    namespace
        Of its nodes.
    person
        Counted from 1; 0 is the camera.
    """

    top: str
    namespace: str
    person: int
    record: ImportRecord

    @property
    def identity(self) -> str:
        """What it is found again by, whatever it is called by then."""
        return str(cmds.ls(self.top, uuid=True)[0])

    def node(self, name: str) -> str:
        """Return the path of a node of it; empty if somebody has deleted or renamed it."""
        found = [
            path
            for path in cmds.ls(f"{self.namespace}:{name}" if self.namespace else name, long=True) or []
            if path == self.top or path.startswith(f"{self.top}|")
        ]
        return found[0] if found else ""


def imported_parts(job: Optional[str] = None) -> List[ImportedPart]:
    """Return everything that came from a job, or from any."""
    tops = cmds.ls(f"*.{JOB}", recursive=True, objectsOnly=True, long=True) or []
    parts = (_part(top) for top in tops)
    return [part for part in parts if part and job in (None, part.record.job)]


def part_above(node: str) -> Optional[ImportedPart]:
    """Return the person or camera that a node belongs to."""
    paths = cmds.ls(node, long=True) or []
    names = paths[0].split("|")[1:] if paths else []
    for length in range(len(names), 0, -1):
        top = "|" + "|".join(names[:length])
        if cmds.attributeQuery(JOB, node=top, exists=True):
            return _part(top)
    return None


def person_of(part: ImportedPart) -> ImportedPerson:
    """Return what the window wants to know of a person."""
    text = _text(part.top, _SPANS)
    record = part.record
    return ImportedPerson(
        node=part.identity,
        title=part.namespace or part.top.rpartition("|")[2],
        job=record.job,
        clip_name=record.clip_name,
        person=part.person,
        server=record.server,
        asked_rate=record.asked_rate,
        solve=record.solve,
        weak_spans=parse_spans(text),
    )


def record_on(top: str, record: ImportRecord) -> None:
    """Let a top node remember another record."""
    for name, text in record.texts().items():
        set_text(top, name, text)


def list_weak_spans(top: str, record: ImportRecord, motion: JointMotion) -> None:
    """Let a person's top node remember what to look at first."""
    set_text(top, _SPANS, spans_text(scene_spans(motion.weak_spans, record.timing(motion.source_rate))))


def _part(top: str) -> Optional[ImportedPart]:
    texts = {name: _text(top, name) for name in (JOB, PERSON, _IMPORT)}
    record = ImportRecord.parse(texts)
    if record is None or not texts[PERSON].isdigit():
        return None
    return ImportedPart(top, top.rpartition("|")[2].rpartition(":")[0], int(texts[PERSON]), record)


def _text(node: str, attribute: str) -> str:
    if not cmds.attributeQuery(attribute, node=node, exists=True):
        return ""
    return str(cmds.getAttr(f"{node}.{attribute}") or "")
