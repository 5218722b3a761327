"""One of our estimators on a Parquet path, in a process of its own: `python _estimators_ours.py TASK PATH`."""

import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from _estimators_world import GROUP_ROWS, NAMES, MadeRows, label_of
from _measure import peak_memory_mb, report
from sklearn.metrics import log_loss

from groundswell import estimators as own
from groundswell.estimators import _input, _tree_model, _whereabouts


def fit(task: str, table: Any) -> Any:
    """The fitted estimator."""
    models = {
        "scaler": own.StandardScaler(),
        "linear": own.LinearRegression(),
        "pca": own.PCA(10),
        "naive bayes": own.GaussianNB(),
        "logistic": own.LogisticRegression(),
        "k-means": own.KMeans(10, max_iter=20, tol=0.0, random_state=0),
        "tree": own.DecisionTreeClassifier(max_depth=8),
        "forest": own.RandomForestClassifier(20, max_depth=8, random_state=0),
    }
    if task == "mixture":
        return own.GaussianMixture(5, max_iter=10, tol=0.0, random_state=0).fit(table, "label")
    return models[task].fit(table, "label")


def answer(task: str, model: Any, path: str) -> list[float]:
    """What the contestants are compared by."""
    if task == "scaler":
        return [*model.mean_, *model.scale_]
    if task in ("linear", "logistic"):
        return [float(number) for number in np.ravel(model.coef_)]
    if task == "pca":
        return [float(number) for number in model.explained_variance_]
    if task == "naive bayes":
        return [float(number) for number in model.theta_.ravel()]
    first = pq.ParquetFile(path).read_row_group(0).to_pandas()
    if task == "k-means":
        return [-float(model.score(first[NAMES])) / len(first)]
    if task == "mixture":
        return [float(model.score(first[NAMES]))]
    return [float(log_loss(first["label"], model.predict_proba(first[NAMES])))]


def main() -> None:
    """Fit on a path; or, where a number of rows is given in its place, on a table of so many that is nowhere."""
    task, where = sys.argv[1:3]
    if where.isdigit():
        keep_bytes = int(sys.argv[3]) << 20
        _input.CACHE_BYTES = _tree_model.CACHE_BYTES = _whereabouts.MEMORY_BYTES = keep_bytes
        fit(task, MadeRows(4 * GROUP_ROWS, label_of(task)))
        before = peak_memory_mb()  # of libraries, and of the parts under way
        made = MadeRows(int(where), label_of(task))
        report(lambda: {"before_mb": before, "passes": getattr(fit(task, made), "n_passes_", None)})
        return
    model: list[Any] = []

    def work() -> Mapping[str, Any]:
        before = time.process_time()
        model.append(fit(task, where))
        return {"cpu_seconds": time.process_time() - before, "answer": lambda: answer(task, model[0], where)}

    report(work)


if __name__ == "__main__":
    main()
