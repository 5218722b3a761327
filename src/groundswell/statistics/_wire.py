"""The state of a statistic as bytes, without pickle: for the metadata of a commit, a cache, another process.

A message is one line of JSON and the arrays that it refers to, one after the other. It names the kind of statistic from
a fixed list and never a class to import, so reading foreign bytes runs no foreign code. Statistics written by users
travel by pickle instead, within one trusted system.
"""

import json
from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from groundswell.errors import CorruptionError, TypeMismatchError, VersionError, choices
from groundswell.statistics._calibration_bins import CalibrationBins
from groundswell.statistics._category_counts import CategoryCounts
from groundswell.statistics._class_moments import ClassMoments
from groundswell.statistics._cluster_sums import ClusterSums
from groundswell.statistics._combine import ByClass, Over, Together
from groundswell.statistics._contingency_table import ContingencyTable
from groundswell.statistics._count import Count
from groundswell.statistics._cross_product import CrossProduct
from groundswell.statistics._distinct_sketch import DistinctSketch
from groundswell.statistics._frequent_items import FrequentItems
from groundswell.statistics._gradient_sums import GradientSums
from groundswell.statistics._gram import Gram
from groundswell.statistics._histogram import Histogram
from groundswell.statistics._level_counts import LevelCounts
from groundswell.statistics._min_max import MinMax
from groundswell.statistics._mixture import MixtureResponsibilities
from groundswell.statistics._moments import Moments
from groundswell.statistics._pairwise_gram import PairwiseGram
from groundswell.statistics._predictor import LinearPredictor
from groundswell.statistics._probability_losses import ProbabilityLosses
from groundswell.statistics._quantile_sketch import QuantileSketch
from groundswell.statistics._regression_errors import RegressionErrors
from groundswell.statistics._scatter import Scatter
from groundswell.statistics._score_counts import ScoreCounts
from groundswell.statistics._split_histograms import SplitHistograms
from groundswell.statistics._statistic import Statistic
from groundswell.statistics._sum import Sum
from groundswell.statistics._tsqr import TSQR
from groundswell.statistics._value_range import ValueRange

__all__ = ["from_bytes", "to_bytes"]

_FORMAT = 1
_KINDS: Mapping[str, type] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            ByClass, CalibrationBins, CategoryCounts, ClassMoments, ClusterSums, ContingencyTable, Count, CrossProduct,
            DistinctSketch, FrequentItems, GradientSums, Gram, Histogram, LevelCounts, LinearPredictor, MinMax,
            MixtureResponsibilities, Moments, Over, PairwiseGram, ProbabilityLosses, QuantileSketch, RegressionErrors,
            Scatter, ScoreCounts, SplitHistograms, Sum, Together, TSQR, ValueRange,
        )
    }
)  # fmt: skip


def to_bytes(statistic: Statistic[Any]) -> bytes:  # Any: whatever its result is
    """The whole state of a statistic of this package.

    Raises:
        TypeMismatchError: it is, or is made of, something else: a statistic written by a user, a function.

    >>> from groundswell.statistics import Batch, Moments, from_bytes
    >>> moments = Moments()
    >>> moments.update(Batch(X=np.array([[1.0], [3.0]])))
    >>> from_bytes(to_bytes(moments)).result().mean
    array([2.])
    """
    buffers: list[bytes] = []
    tree = _encode(statistic, buffers)
    header = {"groundswell.statistic": _FORMAT, "state": tree, "sizes": [len(b) for b in buffers]}
    return b"".join([json.dumps(header, separators=(",", ":")).encode(), b"\n", *buffers])


def from_bytes(data: bytes) -> Statistic[Any]:  # Any: whatever its result is
    """The statistic that `to_bytes` wrote.

    Raises:
        CorruptionError: the bytes are damaged, or of something else.
        VersionError: they were written by a newer version.
    """
    line, _, body = bytes(data).partition(b"\n")
    try:
        header = json.loads(line)
        version, sizes = int(header["groundswell.statistic"]), [int(size) for size in header["sizes"]]
    except (ValueError, KeyError, TypeError):
        raise _damaged("they do not begin with the header of one") from None
    if version > _FORMAT:
        raise VersionError(
            f"The statistic has the format {version}.",
            why=f"This version of Groundswell reads formats up to {_FORMAT}.",
            fix="Update Groundswell.",
            format=version,
        )
    if sum(sizes) != len(body):
        raise _damaged(f"the arrays have {len(body)} bytes in place of {sum(sizes)}")
    ends = np.cumsum([0, *sizes]).tolist()
    buffers = [body[start:stop] for start, stop in pairwise(ends)]
    try:
        statistic = _decode(header["state"], buffers)
    except (ValueError, LookupError, TypeError, RuntimeError, pa.ArrowException) as error:  # RuntimeError: of a sketch
        raise _damaged(str(error)) from error
    if not isinstance(statistic, Statistic):
        raise _damaged(f"they hold a {type(statistic).__name__}")
    return statistic


def _encode(value: Any, buffers: list[bytes]) -> Any:  # Any: parts of a state, JSON
    """JSON for a value. What JSON lacks is an object with one key, which names its kind."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else {"float": repr(value)}
    if isinstance(value, list):
        return [_encode(item, buffers) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_encode(item, buffers) for item in value]}
    if isinstance(value, bytes):
        return {"bytes": _append(value, buffers)}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return {"array": [_append(value.tobytes(), buffers), value.dtype.str, list(value.shape)]}
    if isinstance(value, dict):
        return {"dict": [[_encode(key, buffers), _encode(item, buffers)] for key, item in value.items()]}
    if type(value).__name__ in _KINDS and type(value) is _KINDS[type(value).__name__]:
        return {type(value).__name__: _encode(value.__getstate__(), buffers)}
    return {"arrow": _append(_to_ipc(value), buffers)}


def _append(data: bytes, buffers: list[bytes]) -> int:
    buffers.append(data)
    return len(buffers) - 1


def _to_ipc(value: Any) -> bytes:  # Any: a value of a column, such as a date or a decimal
    try:
        batch = pa.record_batch({"value": pa.array([value])})
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        raise TypeMismatchError(
            f"A {type(value).__name__} cannot be written as bytes.",
            why="Only states of plain values and arrays can be read back without running foreign code.",
            fix="Send a statistic of your own, or with a function of yours, by pickle.",
            type=type(value).__name__,
        ) from None
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]  # bytes


def _decode(tree: Any, buffers: list[bytes]) -> Any:  # Any: JSON, parts of a state
    if isinstance(tree, list):
        return [_decode(item, buffers) for item in tree]
    if not isinstance(tree, dict):
        return tree
    ((kind, content),) = tree.items()
    if kind == "float":
        return float(content)
    if kind == "tuple":
        return tuple(_decode(content, buffers))
    if kind == "bytes":
        return buffers[content]
    if kind == "array":
        position, dtype, shape = content
        return np.frombuffer(buffers[position], np.dtype(dtype)).reshape(shape).copy()
    if kind == "dict":
        return {_decode(key, buffers): _decode(item, buffers) for key, item in content}
    if kind == "arrow":
        return pa.ipc.open_stream(buffers[content]).read_all()["value"][0].as_py()
    if kind not in _KINDS:
        raise KeyError(f"a statistic of the unknown kind {kind!r}. {choices(kind, _KINDS, 'kinds')}")
    return _restored(_KINDS[kind], _decode(content, buffers))


def _restored(kind: type, state: dict[str, Any]) -> Any:  # Any: a part of a state
    value: Any = object.__new__(kind)
    if hasattr(kind, "__setstate__"):
        value.__setstate__(state)
    else:
        value.__dict__.update(state)
    return value


def _damaged(reason: str) -> CorruptionError:
    return CorruptionError(
        f"These bytes are no statistic: {reason}.",
        why="They are damaged, or were written by something else than to_bytes.",
        fix="Compute the statistic again.",
    )
