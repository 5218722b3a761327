"""On-demand features: plain typed functions that compute a feature from the values of one row.

A function is called row by row wherever it runs, for a million rows of training data and for one request, so both get
the same bits. A stored view names its functions and the digest of their code, and never holds the code: what is stored
cannot run anything. Whoever opens the view has imported the function, or hands it in.
"""

import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from groundswell.errors import DataError, NotFoundError
from groundswell.features.transformations._function import (
    check_plain,
    code_of,
    inputs_of,
    output_of,
    read_result,
    read_value,
)
from groundswell.types import Field, Schema, check_name, type_name

__all__ = ["OnDemand", "on_demand"]


@dataclass(frozen=True, kw_only=True, repr=False)
class OnDemand:
    """A feature that a function computes. Made by `gs.on_demand`; calling it calls the function.

    Args:
        name: of the feature: that of the function.
        inputs: its parameters; nullable are those that take None.
        output: what it gives; nullable if it may give None.
        module, qualname: where the function was defined.
        digest: sha256 of its code, in hexadecimal.
        function: what is called; None where only the record of it is there.
    """

    name: str
    inputs: Schema
    output: Field
    module: str
    qualname: str
    digest: str
    function: Callable[..., Any] | None = field(default=None, compare=False)

    def __call__(self, *values: Any, **named: Any) -> Any:  # Any: what the function takes and gives
        """Call the function.

        Raises:
            NotFoundError: only the record of it is there.
        """
        return self.found().function_here(*values, **named)

    @property
    def function_here(self) -> Callable[..., Any]:
        """The function, which must be there."""
        assert self.function is not None
        return self.function

    def found(self) -> "OnDemand":
        """The same with its function, which is looked for among the modules that are imported already.

        Raises:
            NotFoundError: its module is not imported, or does not have it.
            DataError: what is there has other code than the view was made with.
        """
        if self.function is not None:
            return self
        place: Any = sys.modules.get(self.module)
        for part in self.qualname.split("."):
            place = getattr(place, part, None)
        if not isinstance(place, OnDemand):
            main = self.module == "__main__"
            raise NotFoundError(
                f"The on-demand feature {self.name!r} is computed by {self.module}.{self.qualname}, which is not "
                "loaded.",
                why="A project keeps the digest of its code and never the code, so that opening one runs nothing.",
                fix=("Hand" if main else f"Import {self.module} (--import {self.module} on the command line), or hand")
                + f" the function in: project.get_feature_view(…, on_demand=[{self.name}]).",
                name=self.name,
                module=self.module,
            )
        return self.given(place)

    def given(self, other: "OnDemand") -> "OnDemand":
        """The other, which has the function of this.

        Raises:
            DataError: its code is another.
        """
        if other.digest == self.digest:
            return other
        raise DataError(
            f"The code of the on-demand feature {self.name!r} is not the one that the view was made with.",
            why=f"Its digest is {other.digest[:12]}…, and {self.digest[:12]}… was recorded. Models were trained on "
            "what the recorded one gave.",
            fix="Restore the function as it was, or make a view of another name with the new one.",
            name=self.name,
            expected=self.digest,
            found=other.digest,
        )

    def compute(self, columns: Sequence[pa.ChunkedArray | pa.Array]) -> pa.Array:
        """The feature for each row of the columns of its inputs. A row that lacks a value gets null.

        Raises:
            NotFoundError, DataError: its function is not loaded, or is another.
            DataError: the function raised, or gave what it does not say that it gives.
        """
        here = self.found()
        rows = zip(*(column.to_pylist() for column in columns), strict=True) if columns else ()
        return pa.array([here.value(row) for row in rows], self.output.type)

    def value(self, row: Sequence[Any]) -> Any:  # Any: values of the types of its inputs and output
        """The feature for the values of one row, in the order of the inputs; the function must be there.

        Raises:
            DataError: the function raised, or gave what it does not say that it gives.
        """
        values = []
        for given, expected in zip(row, self.inputs, strict=True):
            if given is None and not expected.nullable:
                return None
            values.append(read_value(given, expected))
        return self._call(values)

    def _call(self, row: Sequence[Any]) -> Any:  # Any: as in value
        try:
            given = self.function_here(*row)
        except Exception as error:  # a user's function may raise anything; it is told apart from our own errors
            raise DataError(
                f"{self.name}({self._shown(row)}) raised {type(error).__name__}: {error}",
                fix="Let the function give a value for every row that it may meet, or take and give None.",
                name=self.name,
            ) from error
        checked = read_result(given, self.output)
        if checked is not None or (given is None and self.output.nullable):
            return checked
        raise DataError(
            f"{self.name}({self._shown(row)}) gave {given!r} ({type(given).__name__}).",
            why=f"It says that it gives {type_name(self.output.type)}" + (" or None." if self.output.nullable else "."),
            fix="Correct the function, or what it says of itself behind '->'.",
            name=self.name,
            value=given,
        )

    def _shown(self, row: Sequence[Any]) -> str:
        return ", ".join(f"{f.name}={value!r}" for f, value in zip(self.inputs, row, strict=True))

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """What is recorded of it, as plain values: never its code."""
        return {
            "name": self.name,
            "inputs": self.inputs.to_dict(),
            "output": Schema((self.output,)).to_dict()[0],
            "module": self.module,
            "qualname": self.qualname,
            "digest": self.digest,
        }

    @staticmethod
    def from_dict(stored: Mapping[str, Any]) -> "OnDemand":
        """Read back what `to_dict` gave; the function is looked for when it is needed."""
        (output,) = Schema.from_dict([stored["output"]])
        plain = {name: stored[name] for name in ("name", "module", "qualname", "digest")}
        return OnDemand(inputs=Schema.from_dict(stored["inputs"]), output=output, **plain)

    def __repr__(self) -> str:
        inputs = ", ".join(map(str, self.inputs))
        return f"OnDemand({self.name}({inputs}) -> {type_name(self.output.type)})"


def on_demand(function: Callable[..., Any]) -> OnDemand:
    """An on-demand feature: a function with a type for each parameter and for what it gives.

    Parameters are named after columns of the view, columns of its first group, other on-demand features, or values
    that a request brings. A row that lacks a value gets null without a call, unless the parameter takes None.

    Raises:
        TypeMismatchError: a parameter or the result has no type, or one that no column has.
        SchemaError: it is no plain function: a lambda, a method, one that captured variables, or with `*args`.

    >>> @on_demand
    ... def speed(distance: float, hours: float | None) -> float | None:
    ...     return distance / hours if hours else None
    >>> speed(100.0, 2.0)
    50.0
    >>> speed
    OnDemand(speed(distance: float64 not null, hours: float64) -> float64)
    """
    check_plain(function)
    name = check_name(function.__name__, "on-demand feature")
    return OnDemand(
        name=name,
        inputs=inputs_of(function),
        output=output_of(function, name),
        module=function.__module__,
        qualname=function.__qualname__,
        digest=hashlib.sha256(code_of(function).encode()).hexdigest(),
        function=function,
    )
