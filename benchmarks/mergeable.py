"""Nanoseconds a row of every statistic, beside the bare numpy or BLAS calls that it cannot do without.

    python benchmarks/mergeable.py [--rows 2000000] [--repetitions 5] [--only NAME ...]

2,000,000 rows of 50 float32 columns in memory, column-major; BLAS on one thread, as in a fold, which runs one task per
row group. The floor of each statistic is the least work in numpy that gives its sums from the same float32 matrix:
conversion to float64 block by block, and the products. It shifts nothing, checks nothing and merges nothing, so with
mean/std of 10⁴ the answers of most floors are wrong. Statistics that take long run on a tenth of the rows.

Prints one JSON line per statistic: `ratio` to the floor, `statistic`, `ns_per_row`, `floor_ns_per_row`, `floor`, and
`limit` where one is set.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from _measure import in_turns, print_line
from datasketches import kll_doubles_sketch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from groundswell.statistics import (
    TSQR,
    Batch,
    CategoryCounts,
    ClassMoments,
    ClusterSums,
    CrossProduct,
    GradientSums,
    Gram,
    Histogram,
    MinMax,
    MixtureResponsibilities,
    Moments,
    QuantileSketch,
    SplitHistograms,
    Statistic,
    Sum,
    Together,
    aggregate,
)

FEATURES, CLASSES, CLUSTERS, COMPONENTS, BLOCK = 50, 10, 10, 5, 8192
Matrix = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class Contest:
    """A statistic over rows, and its floor over the same rows."""

    statistic: Statistic[object]
    batch: Batch
    floor: Callable[[], None]
    what: str
    limit: float | None = None


def main() -> None:
    """Measure what was asked for, one statistic after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--only", action="append", help="only this statistic; may be given again")
    arguments = parser.parse_args()
    with threadpool_limits(1):
        for name, contest in contests(arguments.rows).items():
            if not arguments.only or name in arguments.only:
                measure(name, contest, arguments.repetitions)


def measure(name: str, contest: Contest, repetitions: int) -> None:
    """Let a statistic and its floor take turns, and print their line."""
    ours, floor = in_turns([lambda: aggregate([contest.batch], contest.statistic), contest.floor], repetitions)
    n_rows = len(contest.batch)
    print_line(
        ratio=ours / floor,
        statistic=name,
        ns_per_row=1e9 * ours / n_rows,
        floor_ns_per_row=1e9 * floor / n_rows,
        floor=contest.what,
        **({"limit": contest.limit} if contest.limit else {}),
    )


def contests(n_rows: int) -> dict[str, Contest]:
    """Every statistic with its floor."""
    rng = np.random.default_rng(0)
    X = np.asfortranarray(np.empty((n_rows, FEATURES), np.float32, order="F"))
    for j in range(FEATURES):
        X[:, j] = rng.standard_normal(n_rows, dtype=np.float32) * (j + 1) + 3 * j
    y, few = (X[:, 0] > 0).astype(np.float64), max(n_rows // 10, 1)
    labels = rng.integers(0, CLASSES, n_rows)
    whole, part = Batch(X=X, y=y), Batch(X=X[:few], y=y[:few])
    return {
        **of_columns(whole, part),
        **of_products(whole, labels),
        **of_models(whole, part),
        **of_categories(part, labels[:few], rng),
    }


def of_columns(whole: Batch, part: Batch) -> dict[str, Contest]:
    """Statistics of single columns."""
    X, few = whole.matrix, part.matrix
    ones, edges = np.ones(BLOCK), np.linspace(-100.0, 200.0, 33)

    def moments() -> None:
        for block in converted(X):
            _ = block.T @ ones[: len(block)], np.vecdot(block.T, block.T)

    def sums() -> None:
        for block in converted(X):
            block.sum(axis=0)

    def span() -> None:
        _ = X.min(axis=0), X.max(axis=0)

    def histogram() -> None:
        for column in few.T:
            np.bincount(np.searchsorted(edges, column, side="right"))

    def quantiles() -> None:
        for column in few.T:
            kll_doubles_sketch(200).update(column.astype(np.float64))

    return {
        "moments": Contest(statistic=Moments(), batch=whole, floor=moments, what="convert, sum, dot"),
        "moments to order 4": Contest(statistic=Moments(4), batch=whole, floor=moments, what="convert, sum, dot"),
        "sum, compensated": Contest(statistic=Sum(), batch=whole, floor=sums, what="convert, sum"),
        "min and max": Contest(statistic=MinMax(), batch=whole, floor=span, what="min, max"),
        "histogram of 32 bins": Contest(
            statistic=Histogram(edges), batch=part, floor=histogram, what="searchsorted, bincount"
        ),
        "quantile sketch": Contest(statistic=QuantileSketch(), batch=part, floor=quantiles, what="update alone"),
    }


def of_products(whole: Batch, labels: NDArray[np.int64]) -> dict[str, Contest]:
    """Statistics of products of columns."""
    X, y = whole.matrix, whole.target[:, 0]

    def gram() -> None:
        for block in converted(X):
            _ = block.T @ block

    def syrk() -> None:
        block = next(converted(X))
        for _ in range(-(-len(X) // BLOCK)):
            _ = block.T @ block

    def cross() -> None:
        for start, block in enumerate(converted(X)):
            _ = block.T @ block, block.T @ y[start * BLOCK : start * BLOCK + len(block)]

    def qr() -> None:
        for block in converted(X):
            np.linalg.qr(block, mode="r")

    both = Together({"gram": Gram(), "moments": Moments(), "range": MinMax()})
    classes = Batch(X=X, y=labels)
    return {
        "gram": Contest(statistic=Gram(), batch=whole, floor=gram, what="convert, syrk", limit=1.2),
        "gram over syrk alone": Contest(statistic=Gram(), batch=whole, floor=syrk, what="syrk of one float64 block"),
        "cross product": Contest(statistic=CrossProduct(), batch=whole, floor=cross, what="convert, syrk, gemv"),
        "gram, moments, range together": Contest(statistic=both, batch=whole, floor=gram, what="convert, syrk"),
        "class moments, 10 classes": Contest(statistic=ClassMoments(), batch=classes, floor=gram, what="convert, syrk"),
        "class covariances, 10 classes": Contest(
            statistic=ClassMoments("full"), batch=classes, floor=gram, what="convert, syrk"
        ),
        "tsqr": Contest(statistic=TSQR(), batch=whole, floor=qr, what="convert, qr"),
    }


def of_models(whole: Batch, part: Batch) -> dict[str, Contest]:
    """Statistics that steps of iterative models sum."""
    X, few, y = whole.matrix, part.matrix, whole.target[:, 0]
    theta = np.random.default_rng(1).standard_normal(FEATURES + 1) / 100
    narrow = theta[1:].astype(np.float32)
    centers = np.random.default_rng(2).standard_normal((CLUSTERS, FEATURES)) * 20 + 50
    covariances = np.stack([np.eye(FEATURES) * 400.0] * COMPONENTS)
    mixture = MixtureResponsibilities(np.full(COMPONENTS, 1 / COMPONENTS), centers[:COMPONENTS], covariances)

    def gradient32() -> None:
        for start in range(0, len(X), BLOCK):
            block, target = X[start : start + BLOCK], y[start : start + BLOCK]
            _ = block.T @ logistic(block @ narrow, target).astype(np.float32)

    def gradient() -> None:
        for start, block in enumerate(converted(X)):
            _ = block.T @ logistic(block @ theta[1:], y[start * BLOCK : start * BLOCK + len(block)])

    def hessian() -> None:
        for start, block in enumerate(converted(X)):
            _ = block.T @ logistic(block @ theta[1:], y[start * BLOCK : start * BLOCK + len(block)])
            scaled = (block.T * y[start * BLOCK : start * BLOCK + len(block)]).T
            _ = scaled.T @ scaled

    def clusters() -> None:
        for block in converted(few):
            (block @ centers.T).argmin(axis=1)

    def components() -> None:
        for block in converted(few):
            for covariance in covariances:
                _ = block @ covariance, block.T @ block

    return {
        "logistic gradient": Contest(
            statistic=GradientSums("logistic", theta), batch=whole, floor=gradient, what="convert, 2 gemv, log1p, exp"
        ),
        "logistic gradient over float32": Contest(
            statistic=GradientSums("logistic", theta), batch=whole, floor=gradient32, what="2 float32 gemv, log1p, exp"
        ),
        "logistic Hessian": Contest(
            statistic=GradientSums("logistic", theta, hessian=True),
            batch=whole,
            floor=hessian,
            what="convert, 2 gemv, log1p, exp, scale, syrk",
        ),
        "10 clusters": Contest(
            statistic=ClusterSums(centers), batch=part, floor=clusters, what="convert, gemm, argmin"
        ),
        "mixture of 5, full": Contest(statistic=mixture, batch=part, floor=components, what="convert, 5 gemm, 5 syrk"),
    }


def of_categories(part: Batch, labels: NDArray[np.int64], rng: np.random.Generator) -> dict[str, Contest]:
    """Statistics that count."""
    n_rows, y = len(part), part.target[:, 0]
    bins = np.asfortranarray(rng.integers(0, 255, (n_rows, FEATURES), np.uint8))
    text = pa.array(np.array([f"category {i}" for i in range(CLASSES)])[labels])

    def count_text() -> None:
        np.bincount(text.dictionary_encode().indices.to_numpy())

    def count_bins() -> None:
        for column in bins.T:
            np.bincount(column, minlength=256)

    binned = Batch(X=bins, y=y)
    return {
        "category counts": Contest(
            statistic=CategoryCounts("c"),
            batch=Batch(columns={"c": text}),
            floor=count_text,
            what="dictionary_encode, bincount",
        ),
        "split histograms, classes": Contest(
            statistic=SplitHistograms(1, 256, "class", n_classes=2), batch=binned, floor=count_bins, what="bincount"
        ),
        "split histograms, numbers": Contest(
            statistic=SplitHistograms(1, 256), batch=binned, floor=count_bins, what="bincount"
        ),
    }


def converted(X: Matrix) -> Iterator[NDArray[np.float64]]:
    """The rows in blocks of float64, each in the memory of the one before."""
    memory = np.empty((BLOCK, X.shape[1]), order="F")
    for start in range(0, len(X), BLOCK):
        block = memory[: min(BLOCK, len(X) - start)]
        np.copyto(block, X[start : start + BLOCK])
        yield block


def logistic(eta: Matrix, y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The loss, computed and thrown away, and the slope."""
    e = np.exp(-np.abs(eta))
    (np.log1p(e) + np.maximum(eta, 0.0) - y * eta).sum()
    return np.where(eta >= 0, 1.0, e) / (1 + e) - y


if __name__ == "__main__":
    main()
