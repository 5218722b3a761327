"""One contestant on a Parquet path, in a process of its own: `python _estimators_child.py WHO TASK PATH`.

WHO is ours, or sklearn, which reads the file into memory first, or small: both on a thousand rows in memory, in turns.
Ours takes a number of rows and of megabytes to keep in place of a path, for a table that is nowhere.
"""

import sys
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _estimators_tasks import TASKS, Sklearn, Task
from _estimators_world import GROUP_ROWS, MadeRows, row_group
from _measure import in_turns, peak_memory_mb, report

from groundswell import estimators as own
from groundswell.engines import Roles, fold
from groundswell.estimators import _descent_settings, _input, _tree_model, _whereabouts


def sum_of(made: Any) -> float:
    """Of a sparse matrix the sum of all values, of a dense one that of the last column without signs."""
    if not isinstance(made, np.ndarray):
        return float(made.sum(dtype=np.float64))
    return float(np.abs(made[:, -1]).sum(dtype=np.float64))


class Total:
    """The sum of a transformed table: what it is read for."""

    def __init__(self) -> None:
        self.sum = 0.0

    def zero(self) -> "Total":
        """Nothing."""
        return Total()

    def update(self, batch: Any) -> None:
        """Add the rows."""
        self.sum += sum_of(batch.X)

    def merge(self, other: "Total") -> None:
        """Add the other's."""
        self.sum += other.sum

    def result(self) -> float:
        """The sum."""
        return self.sum


def ours(task: Task, table: Any) -> tuple[Any, float]:
    """Fit on the table; transform all rows of it, if asked for, and sum them as they come."""
    label = None if task.table in ("categories", "texts") else "label"
    model = task.ours(own).fit(table, label)
    if task.answer is not None:
        return model, 0.0
    made = model.transform(table)
    names = tuple(made.schema.names)[: None if label is None else -1]  # the label comes last
    return model, fold(made.batches(Roles(X=names)), Total()).result()


def in_memory(task: Task, table: pa.Table) -> tuple[Any, Any]:
    """X and y as scikit-learn takes them."""
    if task.table == "texts":
        return table["text"].to_pandas(), None
    if task.table == "categories":
        return table.to_pandas(), None
    return table.drop_columns("label").to_pandas().to_numpy(), table["label"].to_numpy()


def sklearns(task: Task, table: pa.Table) -> tuple[Any, float]:
    """Fit in memory, and transform if asked for."""
    X, y = in_memory(task, table)
    del table
    model = (task.peer or task.ours)(Sklearn()).fit(X, y)
    if task.answer is not None:
        return model, 0.0
    return model, sum_of(model.transform(X))


def small(task: Task, rows: int) -> Mapping[str, Any]:
    """The seconds that each takes to fit a few rows of ten columns in memory, and those to transform them."""
    X, y = in_memory(task, row_group(0, rows, task.table))
    X = np.ascontiguousarray(X[:, :10]) if isinstance(X, np.ndarray) else X
    one, other = task.ours(own), (task.peer or task.ours)(Sklearn())
    names = ("fit", "transform") if task.answer is None else ("fit",)
    found: dict[str, Any] = {}
    for name in names:
        given = (X, y) if name == "fit" else (X,)
        works = [partial(getattr(model, name), *given) for model in (one, other)]
        slow = max(in_turns(works, 1))
        found[name] = in_turns(works, int(min(max(0.5 / slow, 1), 50)))
    return found


def main() -> None:
    """Fit on a path; or, where a number of rows is given in its place, on a table of so many that is nowhere."""
    who, name, where = sys.argv[1:4]
    task = TASKS[name]
    if who == "small":
        report(lambda: small(task, int(where)))
        return
    if where.isdigit():
        keep_bytes = int(sys.argv[4]) << 20
        _input.CACHE_BYTES = _tree_model.CACHE_BYTES = _descent_settings.CACHE_BYTES = keep_bytes
        _whereabouts.MEMORY_BYTES = keep_bytes
        ours(task, MadeRows(4 * GROUP_ROWS, task.table))
        before = peak_memory_mb()  # of libraries, and of the parts under way
        made = MadeRows(int(where), task.table)
        report(lambda: {"before_mb": before, "passes": getattr(ours(task, made)[0], "n_passes_", None)})
        return
    few = row_group(0, 16_384, task.table)  # what is imported or compiled once takes no part in the time
    ours(task, few) if who == "ours" else sklearns(task, few)

    def work() -> Mapping[str, Any]:
        before, file = time.process_time(), pq.ParquetFile(where)
        rows = file.metadata.num_rows
        if who == "ours":
            model, total = ours(task, where)
        else:
            groups = range(max(int(file.num_row_groups * task.share), 1))
            rows = sum(file.metadata.row_group(group).num_rows for group in groups)
            model, total = sklearns(task, file.read_row_groups(groups))
        cpu_seconds = time.process_time() - before

        def answer() -> list[float]:
            if task.answer is None:
                return [total]
            first = pq.ParquetFile(where).read_row_group(0).to_pandas()
            X, y = first.drop(columns="label"), first["label"]
            return task.answer(model, X if who == "ours" else X.to_numpy(), y)

        taken = getattr(model, "n_iter_", None)
        steps = None if taken is None else int(np.max(taken))
        return {"rows": rows, "cpu_seconds": cpu_seconds, "answer": answer, "steps": steps}

    report(work)


if __name__ == "__main__":
    main()
