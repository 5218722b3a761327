"""Columns as users name them, as positions: names, numbers, slices, masks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.errors import ColumnNotFoundError, SchemaError, choices


def positions_of(wanted: Any, names: Sequence[str] | None, n_columns: int) -> int | NDArray[np.intp]:
    """The positions of columns; one number if one column is named that is not in a list.

    Args:
        wanted: a name or a position, several of them, a slice (names include its end), or a mask.
        names: of all columns, if they have names.
        n_columns: how many there are.

    Raises:
        ColumnNotFoundError: a column is not there.
        SchemaError: columns are named where there are no names.

    >>> positions_of(slice("b", "c"), ["a", "b", "c"], 3).tolist()
    [1, 2]
    """
    if isinstance(wanted, str | int | np.integer):
        return _position(wanted, names, n_columns)
    if isinstance(wanted, slice):
        if isinstance(wanted.start, str) or isinstance(wanted.stop, str):
            start = None if wanted.start is None else _position(wanted.start, names, n_columns)
            stop = None if wanted.stop is None else _position(wanted.stop, names, n_columns) + 1
            wanted = slice(start, stop, wanted.step)
        return np.asarray(np.arange(n_columns)[wanted])
    several = list(wanted)
    if several and all(isinstance(one, bool | np.bool_) for one in several):
        return np.flatnonzero(several)
    return np.array([_position(one, names, n_columns) for one in several], np.intp)


def _position(wanted: Any, names: Sequence[str] | None, n_columns: int) -> int:  # Any: a name or a number
    if isinstance(wanted, str):
        if names is None:
            raise SchemaError(
                f"Column {wanted!r} is asked for by name, and the columns have no names.",
                fix="Give a data frame or a table, or ask for columns by position.",
            )
        known = [str(name) for name in names]
        if wanted not in known:
            raise ColumnNotFoundError(
                f"There is no column {wanted!r}.", fix=choices(wanted, known, "columns"), column=wanted, known=known
            )
        return known.index(wanted)
    position = int(wanted)
    if not -n_columns <= position < n_columns:
        raise ColumnNotFoundError(
            f"There is no column {position}: n_features={n_columns}.", fix=f"Positions are 0 to {n_columns - 1}.",
            column=position,
        )  # fmt: skip
    return position % n_columns
