"""scikit-learn's estimator of a task, reading included: `python _estimators_sklearn.py TASK PATH`."""

import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from _estimators_world import NAMES, QUARTERED
from _measure import report
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

MODELS: Mapping[str, Any] = {
    "scaler": StandardScaler(),
    "linear": LinearRegression(),
    "pca": PCA(10),
    "naive bayes": GaussianNB(),
    "logistic": LogisticRegression(),
    "k-means": KMeans(10, max_iter=20, tol=0.0, n_init=1, random_state=0),
    "tree": DecisionTreeClassifier(max_depth=8, random_state=0),
    "forest": RandomForestClassifier(20, max_depth=8, n_jobs=2, random_state=0),
    "mixture": GaussianMixture(5, max_iter=10, tol=0.0, random_state=0),
}


def answer(task: str, model: Any, path: str) -> list[float]:
    """What the contestants are compared by, as ours gives it."""
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
        return [-float(model.score(first[NAMES].to_numpy())) / len(first)]
    if task == "mixture":
        return [float(model.score(first[NAMES].to_numpy()))]
    return [float(log_loss(first["label"], model.predict_proba(first[NAMES].to_numpy())))]


def main() -> None:
    """Read into float32 memory, and fit."""
    task, path = sys.argv[1:]

    def work() -> Mapping[str, Any]:
        before, file = time.process_time(), pq.ParquetFile(path)
        groups = max(file.num_row_groups // 4, 1) if task in QUARTERED else file.num_row_groups
        table = file.read_row_groups(range(groups))
        X, y = table.select(NAMES).to_pandas().to_numpy(), table["label"].to_numpy()
        rows = table.num_rows
        del table
        model = MODELS[task].fit(X, y)
        cpu_seconds = time.process_time() - before
        return {"rows": rows, "cpu_seconds": cpu_seconds, "answer": lambda: answer(task, model, path)}

    report(work)


if __name__ == "__main__":
    main()
