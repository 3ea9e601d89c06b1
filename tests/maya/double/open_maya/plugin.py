"""MPxCommand, MFnPlugin, MSyntax and the arguments of commands."""

from __future__ import annotations

from typing import Any

from . import present
from .handles import MObject
from .paths import MSelectionList
from .present import need
from .quantities import MTime

__all__ = ["MArgDatabase", "MArgList", "MArgParser", "MFnPlugin", "MPxCommand", "MSyntax"]


class MSyntax:
    """Flags by long and short name, and how many arguments each takes."""

    (
        kInvalidArgType,
        kNoArg,
        kBoolean,
        kLong,
        kDouble,
        kString,
        kUnsigned,
        kDistance,
        kAngle,
        kTime,
        kSelectionItem,
    ) = range(11)
    kInvalidObjectFormat, kNone, kStringObjects, kSelectionList = range(4)

    def __init__(self) -> None:
        self._flags: dict[str, tuple[str, tuple[int, ...]]] = {}
        self._multi: set[str] = set()
        self._args: list[int] = []
        self._objects = (0, 0)
        self.enableQuery = False
        self.enableEdit = False

    def addFlag(self, shortName: str, longName: str, *argTypes: Any) -> MSyntax:
        kinds = argTypes[0] if argTypes and isinstance(argTypes[0], (list, tuple)) else argTypes
        short, long = shortName.lstrip("-"), longName.lstrip("-")
        if len(short) > 3 or len(long) < 4:
            raise RuntimeError("(kFailure): a short flag has at most 3 letters, a long one at least 4")
        if short in self._flags or long in self._flags:
            raise RuntimeError("(kFailure): flag exists already")
        self._flags[short] = self._flags[long] = (short, tuple(k for k in kinds if k != self.kNoArg))
        return self

    def makeFlagMultiUse(self, name: str) -> MSyntax:
        self._multi.add(self._flags[name.lstrip("-")][0])
        return self

    def addArg(self, kind: int) -> MSyntax:
        self._args.append(kind)
        return self

    def setObjectType(self, kind: int, minimum: int = 0, maximum: int = 0) -> MSyntax:
        self._objects = (minimum, maximum)
        return self

    def useSelectionAsDefault(self, use: bool) -> MSyntax:
        return self

    def _knows(self, flag: str) -> bool:
        return flag in self._flags

    def _count(self, flag: str) -> int:
        return len(self._flags[flag][1])


class MArgList:
    """The words of a command."""

    kInvalidArgIndex = 4294967295

    def __init__(self, words: list[Any] | None = None) -> None:
        self._words = list(words or [])

    def __len__(self) -> int:
        return len(self._words)

    def asString(self, index: int) -> str:
        return str(need(self._words[index], str))

    def asInt(self, index: int) -> int:
        return int(self._words[index])

    def asDouble(self, index: int) -> float:
        return float(self._words[index])

    def asBool(self, index: int) -> bool:
        return bool(self._words[index])

    def flagIndex(self, short: str, long: str | None = None) -> int:
        for i, word in enumerate(self._words):
            if (
                isinstance(word, str)
                and word.startswith("-")
                and word[1:] in (short.lstrip("-"), (long or "").lstrip("-"))
            ):
                return i
        return self.kInvalidArgIndex


class MArgParser:
    """Words read by a syntax."""

    def __init__(self, syntax: MSyntax, args: MArgList) -> None:
        need(syntax, MSyntax)
        self._syntax = syntax
        self._flags: dict[str, list[list[Any]]] = {}
        self._rest: list[Any] = []
        words = list(need(args, MArgList)._words)
        while words:
            word = words.pop(0)
            if isinstance(word, str) and word.startswith("-") and syntax._knows(word[1:]):
                short, kinds = syntax._flags[word[1:]]
                values = [self._typed(kind, words.pop(0)) for kind in kinds]
                if short in self._flags and short not in syntax._multi:
                    raise RuntimeError(f"(kFailure): flag -{short} is given twice")
                self._flags.setdefault(short, []).append(values)
            elif isinstance(word, str) and word.startswith("-") and word[1:2].isalpha():
                raise RuntimeError(f"(kInvalidParameter): Invalid flag: {word}")
            else:
                self._rest.append(word)
        args_wanted = len(syntax._args)
        if len(self._rest) < args_wanted:
            raise RuntimeError("(kFailure): too few arguments")

    def _typed(self, kind: int, value: Any) -> Any:
        wanted: dict[int, tuple[type, ...]] = {
            MSyntax.kBoolean: (bool, int),
            MSyntax.kLong: (int,),
            MSyntax.kUnsigned: (int,),
            MSyntax.kDouble: (int, float),
            MSyntax.kString: (str,),
            MSyntax.kDistance: (int, float),
            MSyntax.kAngle: (int, float),
            MSyntax.kTime: (int, float, str),
        }
        return need(value, *wanted.get(kind, (object,)), what="flag argument")

    def isFlagSet(self, flag: str) -> bool:
        return self._short(flag) in self._flags

    def _short(self, flag: str) -> str:
        name = flag.lstrip("-")
        if not self._syntax._knows(name):
            raise RuntimeError(f"(kInvalidParameter): Invalid flag: {flag}")
        return self._syntax._flags[name][0]

    def numberOfFlagUses(self, flag: str) -> int:
        return len(self._flags.get(self._short(flag), []))

    def _of_flag(self, flag: str, index: int) -> Any:
        uses = self._flags.get(self._short(flag))
        if not uses:
            raise RuntimeError(f"(kFailure): flag {flag} is not set")
        return uses[0][index]

    def flagArgumentString(self, flag: str, index: int) -> str:
        return str(self._of_flag(flag, index))

    def flagArgumentInt(self, flag: str, index: int) -> int:
        return int(self._of_flag(flag, index))

    def flagArgumentDouble(self, flag: str, index: int) -> float:
        return float(self._of_flag(flag, index))

    flagArgumentFloat = flagArgumentDouble

    def flagArgumentBool(self, flag: str, index: int) -> bool:
        return bool(self._of_flag(flag, index))

    def flagArgumentMTime(self, flag: str, index: int) -> MTime:
        return MTime(float(self._of_flag(flag, index)), MTime.uiUnit())

    def getFlagArgumentList(self, flag: str, occurrence: int) -> MArgList:
        return MArgList(self._flags[self._short(flag)][occurrence])

    def commandArgumentString(self, index: int) -> str:
        return str(self._rest[index])

    def commandArgumentInt(self, index: int) -> int:
        return int(self._rest[index])

    def commandArgumentDouble(self, index: int) -> float:
        return float(self._rest[index])

    def commandArgumentBool(self, index: int) -> bool:
        return bool(self._rest[index])

    def getObjectStrings(self) -> tuple[str, ...]:
        return tuple(str(word) for word in self._rest[len(self._syntax._args) :])

    @property
    def isQuery(self) -> bool:
        return False

    @property
    def isEdit(self) -> bool:
        return False


class MArgDatabase(MArgParser):
    """With selections."""

    def getObjectList(self) -> MSelectionList:
        found = MSelectionList()
        for name in self.getObjectStrings():
            found.add(name)
        return found


class MPxCommand:
    """A command of a plug-in. Not undoable unless isUndoable says so."""

    kLong, kDouble, kString, kNoArg = range(4)
    _syntax: MSyntax | None = None
    _result: Any = None

    def doIt(self, args: MArgList) -> None:
        raise NotImplementedError("doIt")

    def undoIt(self) -> None:
        raise NotImplementedError("undoIt of an undoable command")

    def redoIt(self) -> None:
        raise NotImplementedError("redoIt of an undoable command")

    def isUndoable(self) -> bool:
        return False

    def hasSyntax(self) -> bool:
        return self._syntax is not None

    def syntax(self) -> MSyntax:
        if self._syntax is None:
            raise RuntimeError("(kFailure): the command was registered without a syntax")
        return self._syntax

    def setResult(self, value: Any) -> None:
        if not isinstance(value, (bool, int, float, str)) and not all(
            isinstance(v, (int, float, str)) for v in value
        ):
            raise TypeError("a result is a number, a string or a list of them")
        self._result = value

    def clearResult(self) -> None:
        self._result = None

    def displayInfo(self, text: str) -> None:
        present.maya()

    def displayWarning(self, text: str) -> None:
        present.maya().warnings.append(need(text, str))

    def displayError(self, text: str) -> None:
        present.maya().warnings.append(need(text, str))


class MFnPlugin:
    """What initializePlugin registers with."""

    def __init__(
        self, plugin: MObject, vendor: str = "Unknown", version: str = "Unknown", apiVersion: str = "Any"
    ) -> None:
        from ..plugins import Plugin

        held = need(plugin, MObject)._held
        if not isinstance(held, Plugin):
            raise TypeError("object is no plug-in")
        self._plugin = held
        if vendor != "Unknown":
            held.vendor, held.version = need(vendor, str), need(version, str)

    def registerCommand(self, name: str, creator: Any, syntaxCreator: Any = None) -> MFnPlugin:
        from ..plugins import add_command

        if not callable(creator) or not (syntaxCreator is None or callable(syntaxCreator)):
            raise TypeError("creators must be callable")
        add_command(present.maya(), self._plugin, need(name, str), creator, syntaxCreator)
        return self

    def deregisterCommand(self, name: str) -> MFnPlugin:
        from ..plugins import remove_command

        remove_command(present.maya(), self._plugin, need(name, str))
        return self

    def name(self) -> str:
        return self._plugin.name

    def vendor(self) -> str:
        return self._plugin.vendor

    @property
    def version(self) -> str:
        return self._plugin.version

    def loadPath(self) -> str:
        from pathlib import Path

        return str(Path(self._plugin.path).parent)
