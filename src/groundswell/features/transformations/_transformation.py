"""What a transformation is: a declaration about columns of a view, which becomes a transformer once there are rows.

Declarations are frozen values that are stored with the view as JSON. The families stand in files of their own. Which
transformer each becomes is said in `features/fitting`, so that declaring one loads no learning library.
"""

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, Self

import pyarrow as pa

from groundswell.errors import SchemaError
from groundswell.types import is_numeric

__all__ = ["Role", "Transformation", "takes_categories"]

Role = Literal["impute", "log", "scale", "bin", "encode"]
"""What a transformation does to a column. A column may have one of each."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Transformation(ABC):
    """A declared transformation of one or more columns; it holds no data.

    Args:
        columns: the names of the columns, each once.

    Raises:
        SchemaError: no column is named, or one twice, or a name is no text.
    """

    columns: tuple[str, ...]
    kind: ClassVar[str]
    role: ClassVar[Role]
    expands: ClassVar[bool] = False
    """Whether other columns stand in the place of the column afterwards."""
    needs: ClassVar[str] = "numbers"
    """What it applies to, in words."""

    def __post_init__(self) -> None:
        wrong = [name for name in self.columns if not isinstance(name, str) or not name]
        if wrong or not self.columns:
            raise SchemaError(
                f"gs.{self.kind} names {wrong[0]!r} as a column." if wrong else f"gs.{self.kind} names no column.",
                fix=f"Name columns of the view, each as a text: gs.{self.kind}('distance', …).",
            )
        if len(set(self.columns)) < len(self.columns):
            raise SchemaError(f"gs.{self.kind} names a column twice: {list(self.columns)}.", fix="Name it once.")

    def takes(self, kind: pa.DataType) -> bool:
        """Whether it can transform values of this type: numbers, unless it says otherwise."""
        return is_numeric(kind)

    def gives(self, kind: pa.DataType) -> pa.DataType:
        """The type that values of this type become: numbers, unless it says otherwise."""
        del kind
        return pa.float64()

    def names(self, made: Sequence[str]) -> list[str]:
        """The names of the columns that it makes; `made` are those that its transformer gives them."""
        return [str(name) for name in made]

    def parameters(self) -> dict[str, Any]:  # Any: JSON
        """What distinguishes it from others of its kind, as plain values."""
        settings = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "columns"}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """The transformation as plain values, for JSON."""
        return {"kind": self.kind, "columns": list(self.columns), **self.parameters()}

    @classmethod
    def of(cls, columns: tuple[str, ...], parameters: dict[str, Any]) -> Self:  # Any: JSON
        """Read back what `parameters` gave."""
        settings = {name: tuple(value) if isinstance(value, list) else value for name, value in parameters.items()}
        return cls(columns=columns, **settings)

    def code(self) -> str:
        """The Python expression that makes it again, without what is as it would be anyway."""
        changed = [
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if f.name != "columns" and getattr(self, f.name) != f.default
        ]
        return f"gs.{self.kind}({', '.join([*map(repr, self.columns), *changed])})"

    __repr__ = code


def takes_categories(kind: pa.DataType) -> bool:
    """Whether values of the type are categories: text, whole numbers, true or false."""
    of = pa.types
    return any(fits(kind) for fits in (of.is_string, of.is_integer, of.is_boolean))
