"""Expressions over columns: `gs.col("temp") > 3`.

An expression is a small tree of values. It knows its type under a schema, compiles to SQL as a sqlglot tree (so names
and values are data, never pasted text) and to an Arrow compute expression, and can be stored as JSON. Queries filter
with it; the engines run it.
"""

from groundswell.expressions._expression import Expression, col, lit

__all__ = ["Expression", "col", "lit"]
