"""What a feature group offers of its schema: columns appended, types widened, nulls let in.

The table's commit is the truth. If the process dies before the catalog has its copy, whoever opens the group next
brings it up to date.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import pyarrow as pa

from groundswell.features._group_table import GroupTable
from groundswell.tables import Commit, Definition, append_features, make_nullable, widen

__all__ = ["HasSchema"]


class HasSchema(ABC):
    """A noun whose rows are in a table with a schema."""

    _place: GroupTable

    @abstractmethod
    def _committed(self, commit: Commit, *, wait: bool = True) -> Commit:
        """What every verb that commits to the table does last."""

    @property
    def schema_version(self) -> int:
        """How often the schema was changed, counted from 1."""
        return self._place.definition.schema_version

    def append_features(
        self, features: Mapping[str, pa.DataType | pa.Field], *, default: Mapping[str, object] | None = None
    ) -> Commit:
        """Append columns, as one commit. Earlier versions keep the schema that they had, and so does pinned data.

        Rows that were committed before have the default, or null, wherever they are read. No file is rewritten, unless
        a column must not be null: other tools that read the Delta table see null there until `compact()` has written
        the defaults.

        Args:
            features: names to types, such as `{"humid": pyarrow.float64()}`; a `pyarrow.field` also says whether nulls
                are allowed, and its own name does not matter.
            default: names to what they are in rows that were committed before.

        Raises:
            SchemaError: there is such a column, or one that must not be null has no default.
            ColumnNotFoundError, TypeMismatchError, DataError, InvalidNameError: a name, type or default cannot be used.
            NotFoundError: the group has no columns yet.
            CorruptionError: the disk is full or not writable; nothing was changed.
        """
        commit = self._change(lambda definition: append_features(definition, features, default or {}))
        assert commit is not None, "features that are there are refused"
        return commit

    def widen(self, column: str, kind: pa.DataType) -> Commit | None:
        """Give a column a type that holds all its values and more, as one commit. None if it has that type.

        An integer may become a wider one, a float a wider one, a decimal one with more digits. Rows are rewritten if
        the types lie differently in files; they stay in their order, each with the commit that it comes from.

        Args:
            column: which.
            kind: the type.

        Raises:
            SchemaError: the type does not hold all values of the one before.
            ColumnNotFoundError: there is no such column.
            TypeMismatchError: the type cannot be stored.
            CorruptionError: the disk is full or not writable; nothing was changed.
        """
        return self._change(lambda definition: widen(definition, column, kind))

    def make_nullable(self, column: str) -> Commit | None:
        """Let a column be null from now on, as one commit. None if it may be.

        Raises:
            SchemaError: rows are found by it.
            ColumnNotFoundError: there is no such column.
        """
        return self._change(lambda definition: make_nullable(definition, column))

    def _change(self, change: Callable[[Definition], Definition]) -> Commit | None:
        commit = self._place.table.change_schema(change)
        if commit is None:
            return None
        self._place.keep_definition()
        return self._committed(commit)
