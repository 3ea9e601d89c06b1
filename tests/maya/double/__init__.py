"""A strict double of the part of Maya that the add-on uses. It is not Maya: see installed."""

from .installation import installed
from .maya import Maya
from .signatures import StubsAbsent

__all__ = ["Maya", "StubsAbsent", "installed"]
