"""maya.mel: the few sentences of MEL that a host says, not the language.

Known: calls of procedures and commands in either form (``f("a", 1);`` and ``f "a" 1``), source, exists, and
reading a global variable (``$tmp = $gShelfTopLevel``). Anything else is a syntax error here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import hik, plugins
from .command import execute

if TYPE_CHECKING:
    from .maya import Maya

_WORD = re.compile(r'\s*("(?:[^"\\]|\\.)*"|-?\d+\.\d+|-?\d+|\$\w+|[-\w.|:/]+|[(),])')
_CALL = re.compile(r"^(\w+)\s*\((.*)\)$", re.DOTALL)
_GLOBAL = re.compile(r"^(?:global\s+)?(?:string\s+)?\$\w+\s*=\s*\$(\w+)$")
_DECLARE = re.compile(r"^global\s+\w+\s+\$(\w+)$")
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


def evaluate(maya: Maya, text: str) -> Any:
    """Run sentences; the value of the last comes back."""
    maya.check_thread("mel.eval")
    if not isinstance(text, str):
        raise TypeError("mel.eval: a string is to be given")
    result: Any = None
    for sentence in _sentences(text):
        result = _sentence(maya, sentence)
    return result


def _sentences(text: str) -> list[str]:
    found, start, quoted, i = [], 0, False, 0
    while i < len(text):
        if quoted and text[i] == "\\":
            i += 1
        elif text[i] == '"':
            quoted = not quoted
        elif text[i] == ";" and not quoted:
            found.append(text[start:i])
            start = i + 1
        i += 1
    found.append(text[start:])
    if quoted:
        raise RuntimeError("Error occurred during execution of MEL script\nSyntax error: unfinished string")
    return [s.strip() for s in found if s.strip()]


def _sentence(maya: Maya, text: str) -> Any:
    if (found := _GLOBAL.match(text)) is not None:
        if found[1] not in maya.mel_globals:
            raise _error(f'"${found[1]}" is an undeclared variable.')
        return maya.mel_globals[found[1]]
    if _DECLARE.match(text):
        return None
    called = _CALL.match(text)
    if called is not None:
        name, words = called[1], _words(maya, called[2], commas=True)
    else:
        name, _, rest = text.partition(" ")
        words = _words(maya, rest, commas=False)
    return _run(maya, name, words)


def _words(maya: Maya, text: str, commas: bool) -> list[Any]:
    words: list[Any] = []
    at, wanted = 0, True
    while text[at:].strip():
        found = _WORD.match(text, at)
        if found is None:
            raise _error(f"Syntax error: {text}")
        word, at = found[1], found.end()
        if word == ",":
            if not commas or wanted:
                raise _error(f"Syntax error: {text}")
            wanted = True
            continue
        if commas and not wanted:
            raise _error(f"Syntax error: {text}")
        words.append(_value(maya, word))
        wanted = False
    return words


def _value(maya: Maya, word: str) -> Any:
    if word.startswith('"'):
        return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), word[1:-1])
    if word.startswith("$"):
        if word[1:] not in maya.mel_globals:
            raise _error(f'"{word}" is an undeclared variable.')
        return maya.mel_globals[word[1:]]
    if re.fullmatch(r"-?\d+", word):
        return int(word)
    if re.fullmatch(r"-?\d+\.\d+", word):
        return float(word)
    return word


def _error(text: str) -> RuntimeError:
    return RuntimeError(f"Error occurred during execution of MEL script\n{text}")


def _run(maya: Maya, name: str, words: list[Any]) -> Any:
    if name == "source":
        return _source(maya, words)
    if name == "exists":
        return int(_exists(maya, words[0]))
    if name == "addNewShelfTab":
        if maya.batch:
            raise _error('Cannot find procedure "addNewShelfTab".')
        top = maya.mel_globals["gShelfTopLevel"]
        maya.interface[f"{top}|{words[0]}"] = {"kind": "shelfLayout", "parent": top}
        return str(words[0])
    if name == "saveAllShelves":
        if maya.batch:
            raise _error('Cannot find procedure "saveAllShelves".')
        maya.saved_shelves += 1
        return None
    if hik.known(maya, name):
        maya.calls.append((f"mel:{name}", tuple(words), {}))
        with maya.queue.command(name):
            return hik.PROCEDURES[name](maya, *hik.typed(name, words))
    if name in maya.plugin_commands:
        return plugins.run(maya, name, tuple(w for w in words if not _is_flag(w)), _flags(words))
    entry = maya.find_command(name)
    if entry is None:
        raise _error(f'Cannot find procedure "{name}".')
    if any(_is_flag(word) for word in words):
        raise NotImplementedError(f"mel: the double reads no flags: call cmds.{name}")
    return execute(maya, entry, tuple(words), {})


def _is_flag(word: Any) -> bool:
    return isinstance(word, str) and bool(re.fullmatch(r"-[A-Za-z]\w*", word))


def _flags(words: list[Any]) -> dict[str, Any]:
    if any(_is_flag(word) for word in words):
        raise NotImplementedError("mel: the double reads no flags of plug-in commands: call them by cmds")
    return {}


def _source(maya: Maya, words: list[Any]) -> None:
    name = words[0] if str(words[0]).endswith(".mel") else f"{words[0]}.mel"
    if name not in hik.SCRIPTS and name not in ("shelf.mel",):
        raise _error(f'Cannot find file "{name}" for source statement.')
    maya.mel_sourced.add(name)


def _exists(maya: Maya, name: str) -> bool:
    return (
        hik.known(maya, name)
        or maya.find_command(name) is not None
        or (name in ("saveAllShelves", "addNewShelfTab") and not maya.batch)
    )
