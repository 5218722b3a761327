"""Summaries as bytes: what is counted as JSON, the statistics as `groundswell.statistics.to_bytes` writes them."""

import json
import secrets
import zlib
from collections.abc import Mapping
from typing import Any, cast

from groundswell.errors import CorruptionError, VersionError
from groundswell.features.statistics._summary import ColumnSummary, Summary
from groundswell.statistics import PairwiseGram, Statistic, Together, from_bytes, to_bytes

__all__ = ["summary_from_bytes", "summary_to_bytes"]

_FORMAT = 1
_COUNTS = ("type", "kind", "rows", "nulls", "nan", "infinite")


def summary_to_bytes(summary: Summary) -> bytes:
    """The whole summary. Some random bytes in it keep its digest from telling what a small summary says."""
    parts: dict[str, Statistic[Any]] = {json.dumps([name, kind]): part for name, kind, part in summary.statistics()}
    header = {
        "groundswell.summary": _FORMAT,
        "salt": secrets.token_hex(16),
        "rows": summary.rows,
        "columns": {
            name: {count: getattr(column, count) for count in _COUNTS} for name, column in summary.columns.items()
        },
        "correlated": summary.correlated,
    }
    body = to_bytes(Together({**parts, "gram": summary.gram}))
    return zlib.compress(json.dumps(header).encode() + b"\n" + body, 1)


def summary_from_bytes(data: bytes) -> Summary:
    """The summary that `summary_to_bytes` wrote.

    Raises:
        CorruptionError: the bytes are damaged.
        VersionError: a newer version wrote them.
    """
    try:
        line, _, body = zlib.decompress(data).partition(b"\n")
        header = json.loads(line)
        version = int(header["groundswell.summary"])
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise _damaged(error) from None
    if version > _FORMAT:
        raise VersionError(
            f"The summary has the format {version}.",
            why=f"This version of Groundswell reads formats up to {_FORMAT}.",
            fix="Update Groundswell.",
            format=version,
        )
    try:
        return _restored(header, cast("Together", from_bytes(body)).parts)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(error) from None


def _restored(header: Mapping[str, Any], parts: Mapping[str, Statistic[Any]]) -> Summary:  # Any: JSON
    columns = {name: ColumnSummary(parts={}, **counts) for name, counts in header["columns"].items()}
    for key, part in parts.items():
        if key != "gram":
            name, kind = json.loads(key)
            columns[name].parts[kind] = part
    gram = parts["gram"]
    if not isinstance(gram, PairwiseGram):
        raise TypeError(f"the correlations are a {type(gram).__name__}")
    return Summary(rows=header["rows"], columns=columns, correlated=tuple(header["correlated"]), gram=gram)


def _damaged(error: Exception) -> CorruptionError:
    return CorruptionError(
        f"These bytes are no summary: {type(error).__name__}: {error}.",
        why="The file is damaged, or was written by something else.",
        fix="Compute the statistics again: group.compute_statistics().",
    )
