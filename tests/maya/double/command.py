"""Commands of maya.cmds: how each is told apart from any other call, checked, and run.

A command here names the flags that the double models. A flag that the stubs do not have is an error of the
caller's and raises TypeError, as in Maya; one that is documented but not modelled raises
NotImplementedError, so that nobody takes silence for success.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import signatures

if TYPE_CHECKING:
    from .maya import Maya
    from .scene import Scene


@dataclass
class Call:
    """One call of a command, checked: flags by their long names."""

    maya: Maya
    name: str
    args: list[Any]
    flags: dict[str, Any]
    query: bool = False
    edit: bool = False

    @property
    def scene(self) -> Scene:
        return self.maya.scene

    def __contains__(self, flag: str) -> bool:
        return flag in self.flags

    def get(self, flag: str, default: Any = None) -> Any:
        return self.flags.get(flag, default)

    def on(self, flag: str) -> bool:
        """Whether a flag was given and is true."""
        return bool(self.flags.get(flag))

    def objects(self) -> list[str]:
        """The names that were given."""
        for arg in self.args:
            if not isinstance(arg, str):
                raise TypeError(f"{self.name}: Invalid arguments: {arg!r} is not the name of an object")
        return self.args

    def fail(self, text: str) -> RuntimeError:
        return RuntimeError(f"{self.name}: {text}")


@dataclass
class Command:
    """A command that the double has."""

    name: str
    run: Callable[[Call], Any]
    flags: frozenset[str]
    arity: tuple[int, int | None] = (0, None)
    undoable: bool = True
    interface: bool = False
    #: Flags that query mode takes with a value beside the one asked for ("In query mode, this flag needs a
    #: value").
    query_values: dict[str, str] = field(default_factory=dict)
    #: Given for commands of plug-ins and MEL, which no stub has: flags with their types.
    own_flags: dict[str, str] | None = None
    #: Whether it is queried without any flag.
    plain_query: bool = False


REGISTRY: dict[str, Command] = {}


def command(
    name: str,
    flags: str = "",
    arity: tuple[int, int | None] = (0, None),
    undoable: bool = True,
    interface: bool = False,
    query_values: str = "",
    own_flags: dict[str, str] | None = None,
    plain_query: bool = False,
) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Register a command; query_values is ``flag=type`` per word."""

    def registered(run: Callable[[Call], Any]) -> Callable[[Call], Any]:
        values = dict(word.split("=", 1) for word in query_values.split())
        values = {flag: kind.replace("~", " ") for flag, kind in values.items()}
        REGISTRY[name] = Command(
            name, run, frozenset(flags.split()), arity, undoable, interface, values, own_flags, plain_query
        )
        return run

    return registered


def flat(args: tuple[Any, ...]) -> list[Any]:
    """Lists among the objects are spread, as maya.cmds does."""
    out: list[Any] = []
    for arg in args:
        if isinstance(arg, (list, tuple)):
            out += flat(tuple(arg))
        else:
            out.append(arg)
    return out


def execute(maya: Maya, entry: Command, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Check a call and run it as one command of the undo queue."""
    maya.check_thread(entry.name)
    if entry.interface and maya.batch:
        raise RuntimeError(f"{entry.name}: Maya command error: no interface in batch mode")
    call = checked(maya, entry, args, kwargs)
    maya.calls.append((entry.name, tuple(args), dict(kwargs)))
    if not entry.undoable or call.query:
        with maya.queue.suspended():
            return entry.run(call)
    maya.check_may_edit(entry.name)
    with maya.queue.command(entry.name):
        return entry.run(call)


def checked(maya: Maya, entry: Command, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """A call whose mode, flags, types and number of objects are documented; raises for any other."""
    if any(arg is None for arg in args):
        raise TypeError(f"{entry.name}: Invalid arguments: None is not an object")
    objects = flat(args)
    kwargs = dict(kwargs)
    signature = _signature(entry)
    modes = {}
    for mode, names in (("query", ("query", "q")), ("edit", ("edit", "e"))):
        for given in names:
            if given in kwargs and not (given in signature.create and given == "e"):
                value = kwargs.pop(given)
                modes[mode] = bool(value)
                if entry.name == "optionVar" and isinstance(value, str):
                    objects.append(value)
    query, edit = modes.get("query", False), modes.get("edit", False)
    if query and edit:
        raise TypeError(f"{entry.name}: The query and edit flags cannot be used together")
    # The stubs have no query mode for commands that are queried without a flag.
    if query and not (signature.queryable or entry.plain_query):
        raise TypeError(f"{entry.name}: Invalid flag 'query'")
    if edit and not signature.editable:
        raise TypeError(f"{entry.name}: Invalid flag 'edit'")
    flags: dict[str, Any] = {}
    for given, value in kwargs.items():
        name = signature.long_of.get(given, given)
        if name in flags:
            raise TypeError(f"{entry.name}: Flag '{name}' is given twice")
        _check_flag(entry, signature, given, name, value, query, edit)
        flags[name] = value
    least, most = entry.arity
    if len(objects) < least or (most is not None and len(objects) > most):
        raise TypeError(f"{entry.name}: Invalid number of arguments: {len(objects)}")
    return Call(maya, entry.name, objects, flags, query, edit)


def _signature(entry: Command) -> signatures.Signature:
    if entry.own_flags is not None:
        names = set(entry.own_flags)
        return signatures.Signature(dict(entry.own_flags), {}, names, {}, bool(names), False)
    return signatures.signature(entry.name)


def _check_flag(
    entry: Command,
    signature: signatures.Signature,
    given: str,
    name: str,
    value: Any,
    query: bool,
    edit: bool,
) -> None:
    documented = signature.query if query else signature.edit if edit else signature.create
    if given not in documented and not (query and name in entry.query_values):
        everywhere = signature.query | signature.edit.keys() | signature.create.keys()
        if given in everywhere:
            mode = "query" if query else "edit" if edit else "create"
            raise TypeError(f"{entry.name}: Invalid flag '{given}' in {mode} mode")
        raise TypeError(f"{entry.name}: Invalid flag '{given}'")
    if name not in entry.flags:
        if given not in entry.flags and len(given) <= 4:
            raise NotImplementedError(
                f"{entry.name}: the double does not know the short flag '{given}': write the long name"
            )
        raise NotImplementedError(f"{entry.name}: the double does not model the flag '{name}'")
    if query:
        kind = entry.query_values.get(name, "bool")
    else:
        kind = signature.edit.get(given) if edit else None
        kind = kind or signature.create.get(given) or signature.create[name]
    if (entry.name, name) in signatures.UNIT_FLAGS and not query:
        kind = kind.replace("str", "str | float")
    if not signatures.fits(kind, value):
        raise TypeError(f"{entry.name}: Invalid arguments for flag '{given}'. Expected {kind}, got {value!r}")


def main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
