"""Every error that Groundswell raises on purpose.

Each message has three parts: what happened, with the values; why; what to do next. The facts stay on the exception as
attributes, so a program can act on them without parsing text. Every class also derives from the built-in error that a
caller would expect.

    GroundswellError
    ├── NotFoundError (LookupError)            an unknown group, view, model, version, run, prediction
    ├── ErasedError (LookupError)              rows that were erased from what is read
    ├── AlreadyExistsError (ValueError)        a name that is taken
    ├── InvalidNameError (ValueError)          a name that cannot be used
    ├── InUseError (RuntimeError)              deleting something that others depend on
    ├── SchemaError (ValueError)               columns that do not fit
    │   ├── ColumnNotFoundError (LookupError)  a column that is not there
    │   └── TypeMismatchError (TypeError)      a column or value of another type
    ├── DataError (ValueError)                 values that break a rule: null keys, naive timestamps
    ├── JoinError (ValueError)                 a join that cannot be meant
    ├── SplitError (ValueError)                a split that cannot be made
    ├── FitError (ValueError)                  data that an estimator cannot learn from
    ├── SignatureError (ValueError)            a request that does not fit a model's signature
    ├── UntrustedTypeError (TypeError)         a model made of types that are not on our trusted list
    ├── CorruptionError (OSError)              a file that is damaged, missing, not ours, or cannot be written
    ├── VersionError (RuntimeError)            a project made by a newer Groundswell
    ├── ConflictError (RuntimeError)           lost a race with another writer; safe to retry
    ├── DeliveryError (ConnectionError)        a receiver that did not take what it was sent; safe to retry
    └── MissingDependencyError (ImportError)   an optional package that is not installed
"""

import difflib
import os
from collections.abc import Iterable
from typing import Any, Self

__all__ = [
    "AlreadyExistsError",
    "ColumnNotFoundError",
    "ConflictError",
    "CorruptionError",
    "DataError",
    "DeliveryError",
    "ErasedError",
    "FitError",
    "GroundswellError",
    "InUseError",
    "InvalidNameError",
    "JoinError",
    "MissingDependencyError",
    "NotFoundError",
    "SchemaError",
    "SignatureError",
    "SplitError",
    "TypeMismatchError",
    "UntrustedTypeError",
    "VersionError",
    "choices",
    "nearest",
]


class GroundswellError(Exception):
    """Base of all errors raised on purpose.

    Args:
        what: what happened, with the offending values.
        why: the rule or the cause behind it.
        fix: what to do next: the valid choices or the exact command.
        facts: the values of the message, kept in `facts` and readable as attributes.

    >>> error = GroundswellError("Group 'wether' is unknown.", fix="Use 'weather'.", name="wether")
    >>> error.name
    'wether'
    >>> print(error)
    Group 'wether' is unknown. Use 'weather'.
    """

    retryable = False

    def __init__(self, what: str, *, why: str = "", fix: str = "", **facts: object) -> None:
        super().__init__(what)
        self.what, self.why, self.fix, self.facts = what, why, fix, facts
        for fact, value in facts.items():
            setattr(self, fact, value)  # some, such as ImportError's `name`, would hide what __getattr__ gives

    def __getattr__(self, name: str) -> Any:  # Any: a fact has the type that its raiser gave it
        facts = self.__dict__.get("facts", {})
        raise AttributeError(f"{type(self).__name__} has no fact {name!r}; it has {sorted(facts)}")

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.fix) if part)

    def __reduce__(self) -> tuple[Any, ...]:  # Any: the pickle protocol's own type
        return _rebuild, (type(self), self.what, self.why, self.fix, self.facts)


def _rebuild(kind: type[GroundswellError], what: str, why: str, fix: str, facts: dict[str, object]) -> GroundswellError:
    return kind(what, why=why, fix=fix, **facts)


class NotFoundError(GroundswellError, LookupError):
    """Something named is not there."""


class ErasedError(GroundswellError, LookupError):
    """Rows of what is read were erased; the remainder must be asked for."""


class AlreadyExistsError(GroundswellError, ValueError):
    """The name is taken."""


class InvalidNameError(GroundswellError, ValueError):
    """The name cannot be used."""


class InUseError(GroundswellError, RuntimeError):
    """Others depend on it; the message names them."""


class SchemaError(GroundswellError, ValueError):
    """The columns do not fit."""


class ColumnNotFoundError(SchemaError, LookupError):
    """A column is not there."""


class TypeMismatchError(SchemaError, TypeError):
    """A column or value has another type than it must have."""


class DataError(GroundswellError, ValueError):
    """Values break a rule."""


class JoinError(GroundswellError, ValueError):
    """A join cannot be meant as it is written."""


class SplitError(GroundswellError, ValueError):
    """A split cannot be made as asked."""


class FitError(GroundswellError, ValueError):
    """An estimator cannot learn from this data."""


class SignatureError(GroundswellError, ValueError):
    """A request does not fit the signature of the model."""


class UntrustedTypeError(GroundswellError, TypeError):
    """A model is made of types that are not on our trusted list."""


class CorruptionError(GroundswellError, OSError):
    """A file is damaged, missing, not ours, or cannot be written."""

    @classmethod
    def unwritable(cls, path: "os.PathLike[str] | str", error: OSError) -> Self:
        """That a file cannot be written, of which nothing is left.

        >>> print(CorruptionError.unwritable("model.skops", OSError("No space left on device")))
        model.skops cannot be written: No space left on device. The disk is full or not writable; nothing of it was \
kept. Make room or set the permissions, then run the same call again.
        """
        return cls(
            f"{os.fspath(path)} cannot be written: {error}.",
            why="The disk is full or not writable; nothing of it was kept.",
            fix="Make room or set the permissions, then run the same call again.",
            path=os.fspath(path),
        )


class VersionError(GroundswellError, RuntimeError):
    """The project was made by a newer Groundswell."""


class ConflictError(GroundswellError, RuntimeError):
    """Another writer was first; the same call may be made again."""

    retryable = True


class DeliveryError(GroundswellError, ConnectionError):
    """A receiver did not take what it was sent; it is kept and sent again."""

    retryable = True


class MissingDependencyError(GroundswellError, ImportError):
    """An optional package is not installed."""


def nearest(name: str, known: Iterable[str], n: int = 3) -> list[str]:
    """The known names most like `name`, best first, ignoring case.

    >>> nearest("Wether", ["weather", "planes"])
    ['weather']
    """
    originals = {k.casefold(): k for k in known}
    return [originals[m] for m in difflib.get_close_matches(name.casefold(), originals, n=n, cutoff=0.6)]


def choices(name: str, known: Iterable[str], noun: str = "names") -> str:
    """The sentence that ends an unknown-name message: the nearest names, else all of them (at most ten).

    >>> choices("wether", ["weather", "planes"])
    "Did you mean 'weather'?"
    >>> choices("x", ["weather", "planes"], "groups")
    "The groups are 'planes', 'weather'."
    """
    known = sorted(set(known))
    close = nearest(name, known)
    if close:
        return "Did you mean " + " or ".join(repr(c) for c in close) + "?"
    if not known:
        return f"There are no {noun} yet."
    more = f" and {len(known) - 10} more" if len(known) > 10 else ""
    return f"The {noun} are " + ", ".join(repr(k) for k in known[:10]) + more + "."
