"""How groups, queries, views and training data show themselves in a notebook: as small tables."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from groundswell.features._selection import Shape
from groundswell.types import type_name

__all__ = ["html_table", "origins", "show_query"]


def html_table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with a caption; all of it is text, none of it HTML."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<p>{escape(caption)}</p><table><tr>{head}</tr>{body}</table>"


def show_query(query: Shape) -> str:
    """The columns of a query, and which group each comes from, by which key."""
    origin = origins(query)
    rows = [(field.name, type_name(field.type), origin[field.name]) for field in query.schema]
    return html_table(f"Query of {query.base.group.name}", ("column", "type", "from"), rows)


def origins(query: Shape) -> Mapping[str, str]:
    """For each column that comes out, the group that it comes from."""
    base = query.base.group
    origin = dict.fromkeys(query.base.columns, base.name)
    for join in query.joins:
        keys = ", ".join(left if left == right else f"{left} = {right}" for left, right in join.on)
        origin |= dict.fromkeys(join.outputs, f"{join.name} by {keys}")
    return origin
