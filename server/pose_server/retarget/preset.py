"""Kinds of rigs that are known by the names of their bones: what is in `presets/`."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from pose_shared.rig import IkChain, Rig, Setting, Switch

from pose_server.retarget.bone_map import CHAINS, NEEDED, TWISTED, BoneMap, parse_bone_map

__all__ = ["Preset", "best_preset", "presets", "short_names"]

#: A kind is taken for a rig if the rig has so much of it, which must include all that walks.
_ENOUGH = 0.6
#: What a bone that the kind has and the rig lacks counts against one that both have.
_LACKING = 0.5
_CACHED = 10_000
_FIRST_WORD = re.compile(r"[A-Za-z]+\d*[_. ]")
_SEPARATORS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Preset:
    """A kind of rig.

    Attributes
    ----------
    key
        The name of its file.
    bones
        Every bone that the kind may have, so more than one rig has.
    chains, settings
        What hosts cannot tell of such a rig.
    """

    key: str
    bones: BoneMap
    chains: tuple[IkChain, ...] = ()
    settings: tuple[Setting, ...] = ()

    def fitted(self, rig: Rig) -> BoneMap | None:
        """Return the part of it that a rig has, in the rig's own spelling; None if nothing could walk."""
        spelt = _spelt(rig)
        roles = {
            role: tuple(spelt[_plain(bone)] for bone in bones if _plain(bone) in spelt)
            for role, bones in self.bones.roles.items()
        }
        roles = {role: bones for role, bones in roles.items() if bones}
        return BoneMap(roles, self.bones.name) if all(role in roles for role in NEEDED) else None

    def chains_in(self, rig: Rig) -> tuple[IkChain, ...]:
        """Return those of its IK chains whose bones a rig has."""
        there = {bone.name for bone in rig.bones}
        return tuple(chain for chain in self.chains if there.issuperset(chain.bones))

    def settings_in(self, rig: Rig) -> tuple[Setting, ...]:
        """Return those of its settings whose bones a rig has."""
        there = {bone.name for bone in rig.bones}
        return tuple(setting for setting in self.settings if setting.bone in there)


@cache
def presets() -> Mapping[str, Preset]:
    """Return all kinds by key."""
    folder = resources.files("pose_server.retarget") / "presets"
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".json")), key=lambda f: f.name)
    return {
        file.name.removesuffix(".json"): _parsed(file.name.removesuffix(".json"), file.read_text("utf-8"))
        for file in found
    }


def best_preset(rig: Rig) -> tuple[Preset, BoneMap] | None:
    """Return the kind whose names a rig has, and its map."""
    best: tuple[float, Preset, BoneMap] | None = None
    for preset in presets().values():
        bones = preset.fitted(rig)
        if bones is None:
            continue
        # How many bones a chain has differs within a kind.
        single = [role for role in preset.bones.roles if role not in (*CHAINS, *TWISTED)]
        share = sum(role in bones for role in single) / len(single)
        # A root is an extra that many kinds come with or without.
        there, known = (
            sum(len(chain) for role, chain in roles.items() if role != "root" or role in bones)
            for roles in (bones.roles, preset.bones.roles)
        )
        controls = {bone for chain in preset.chains_in(rig) for bone in chain.bones}
        score = there - _LACKING * (known - there) + len(controls)
        if share >= _ENOUGH and (best is None or score > best[0]):
            best = score, preset, bones
    return best[1:] if best else None


def _parsed(key: str, text: str) -> Preset:
    content = json.loads(text)
    chains = [
        IkChain(**{**fields, "switch": Switch(**fields["switch"])}) for fields in content.get("chains", ())
    ]
    settings = tuple(Setting(**fields) for fields in content.get("settings", ()))
    return Preset(key, parse_bone_map(text, key), tuple(chains), settings)


@lru_cache(maxsize=_CACHED)
def _plain(name: str) -> str:
    return _SEPARATORS.sub("_", name.casefold()).strip("_")


def short_names(rig: Rig) -> dict[str, str]:
    """Return each bone's name without its namespace, and without a word that most of them begin with."""
    short = {bone.name: re.split(r"[:|]", bone.name)[-1] or bone.name for bone in rig.bones}
    begins = Counter(match[0] for name in short.values() if (match := _FIRST_WORD.match(name)))
    common, count = begins.most_common(1)[0] if begins else ("", 0)
    if count <= _ENOUGH * len(short):
        return short
    return {bone: name.removeprefix(common) or name for bone, name in short.items()}


def _spelt(rig: Rig) -> dict[str, str]:
    """Return the rig's names by plain ones; in full first, for some kinds begin all names alike."""
    spelt: dict[str, str] = {}
    for names in ({bone.name: re.split(r"[:|]", bone.name)[-1] for bone in rig.bones}, short_names(rig)):
        for bone, name in names.items():
            spelt.setdefault(_plain(name), bone)
    return spelt
