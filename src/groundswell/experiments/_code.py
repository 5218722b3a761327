"""The code that a run ran: the function's source as far as it can be got, what it captured, the git state around it."""

import builtins
import functools
import hashlib
import inspect
import json
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from groundswell.catalog import WorkingTree
from groundswell.experiments._plain import HIDDEN, is_secret, plain, short

__all__ = ["Code"]

_MOST_SOURCE = 100_000
_MOST_CAPTURED = 50


@dataclass(frozen=True, kw_only=True)
class Code:
    """What was run.

    Args:
        qualname, module: the function's name, as "Model.fit" or "<lambda>".
        file: where it is defined: a path, or a name such as "<stdin>" where there is no file.
        line: the first line of the definition, from 1.
        source: its text, or None where Python kept none.
        captured: names that the function uses from around it, and what they stood for when the run began: plain values
            as they are, functions as their source, other objects by type.
        arguments: what functools.partial had bound.
        git: the working tree that the file, or else the current folder, is in.
        digest: sha256 of source, captured values, arguments, commit and diff, in hexadecimal.
    """

    qualname: str
    module: str
    file: str | None
    line: int | None
    source: str | None
    captured: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    git: WorkingTree | None = None
    digest: str = ""

    @classmethod
    def of(cls, function: Callable[..., Any]) -> "Code":
        """What can be known of any callable."""
        arguments = _bound(function)
        inner = _innermost(function)
        lines, line = _source(inner)
        code = getattr(inner, "__code__", None)
        file = code.co_filename if code is not None else _file_of(inner)
        git = WorkingTree.around(_folder(file))
        found: dict[str, Any] = {
            "qualname": str(getattr(inner, "__qualname__", type(inner).__qualname__)),
            "module": str(getattr(inner, "__module__", None) or type(inner).__module__),
            "source": lines,
            "captured": dict(_captured(function, inner)),
            "arguments": arguments,
        }
        state = None if git is None else (git.commit, git.diff_digest)
        text = json.dumps([found, state], sort_keys=True, ensure_ascii=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return cls(**found, file=file, line=line, git=git, digest=digest)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**vars(self), "git": None if self.git is None else self.git.to_dict()}

    def summary(self) -> dict[str, Any]:
        """What a model card shows of it."""
        where = {"function": f"{self.module}.{self.qualname}", "digest": self.digest}
        if self.git is not None and self.git.commit is not None:
            where["commit"] = self.git.commit + (" with changes" if self.git.dirty else "")
        return where


def _innermost(function: Any) -> Any:  # Any: any callable
    """The function, method or class whose code runs, under partials, decorators that say so, and callable objects."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif inspect.ismethod(function):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif inspect.isroutine(function) or inspect.isclass(function):
            return function
        else:  # an object that can be called
            function = type(function).__call__


def _bound(function: Any) -> dict[str, Any]:  # Any: any callable
    """What partials bound, the outer ones last."""
    if not isinstance(function, functools.partial):
        return {}
    inner = _bound(function.func)
    positional = {f"argument {n}": value for n, value in enumerate(function.args, len(inner))}
    return {**inner, **_described({**positional, **function.keywords})}


def _source(function: Any) -> tuple[str | None, int | None]:  # Any: any callable
    try:
        lines, line = inspect.getsourcelines(function)
    except (OSError, TypeError, SyntaxError, IndexError):  # typed at a prompt, made by exec, written in C, edited since
        code = getattr(function, "__code__", None)
        return None, getattr(code, "co_firstlineno", None)
    return "".join(lines)[:_MOST_SOURCE], max(line, 1)


def _file_of(function: Any) -> str | None:  # Any: any callable
    try:
        return inspect.getsourcefile(function)
    except TypeError:
        return None


def _folder(file: str | None) -> Path:
    path = Path(file) if file is not None else Path()
    return path.parent if file is not None and path.is_file() else Path.cwd()


def _captured(function: Any, inner: Any) -> Iterator[tuple[str, Any]]:  # Any: any callable, JSON
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.ismethod(function):
        yield "self", _object(function.__self__)
    elif not (inspect.isroutine(function) or inspect.isclass(function)):
        yield "self", _object(function)
    code = getattr(inner, "__code__", None)
    if code is None:
        return
    cells = dict(zip(code.co_freevars, inner.__closure__ or (), strict=False))
    around = {name: cell.cell_contents for name, cell in cells.items() if _is_filled(cell)}
    globals_ = inner.__globals__
    used = {name: globals_[name] for name in _names(code) if name in globals_ and not hasattr(builtins, name)}
    yield from list(_described({**used, **around}).items())[:_MOST_CAPTURED]


def _is_filled(cell: Any) -> bool:  # Any: types.CellType, whose contents mypy does not know
    try:
        cell.cell_contents  # noqa: B018 - reading an empty cell is the only way to tell
    except ValueError:
        return False
    return True


def _names(code: types.CodeType) -> list[str]:
    """The global names that the code and the functions inside it may use, in order."""
    inner = (constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    return list(dict.fromkeys([*code.co_names, *(name for part in inner for name in _names(part))]))


def _described(values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values as they are, functions by source, other objects by type; modules and classes are left out."""
    found = {}
    for name, value in values.items():
        if isinstance(value, types.ModuleType) or inspect.isclass(value) or inspect.isbuiltin(value):
            continue
        if is_secret(name):
            found[name] = HIDDEN
        elif inspect.isfunction(value):
            found[name] = _source(value)[0] or f"<function {value.__module__}.{value.__qualname__}>"
        else:
            found[name] = plain(value)
    return found


def _object(owner: object) -> Any:  # Any: JSON
    state = getattr(owner, "__dict__", None)
    described = _described(state) if isinstance(state, dict) else {}
    return {"type": f"{type(owner).__module__}.{type(owner).__qualname__}", **described} if described else short(owner)
