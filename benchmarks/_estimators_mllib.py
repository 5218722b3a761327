"""Spark MLlib's estimator of a task on two local cores, reading included: `python _estimators_mllib.py TASK PATH`.

The Java machine has started and has run a first job before the clock does. What makes several passes learns from
cached vectors, as MLlib's guide has it.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from _estimators_world import NAMES
from _measure import report
from pyspark.ml.classification import DecisionTreeClassifier, LogisticRegression, NaiveBayes, RandomForestClassifier
from pyspark.ml.clustering import GaussianMixture, KMeans
from pyspark.ml.feature import PCA, StandardScaler, VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.metrics import log_loss

ONE_PASS = ("scaler", "linear", "pca", "naive bayes")


def models(rows: int) -> Mapping[str, Any]:
    """The estimators, with the settings under which they answer the same question."""
    return {
        "scaler": StandardScaler(inputCol="features", withMean=True),
        "linear": LinearRegression(solver="normal"),
        "pca": PCA(k=10, inputCol="features"),
        "naive bayes": NaiveBayes(modelType="gaussian"),
        "logistic": LogisticRegression(regParam=1 / rows, standardization=False),
        "k-means": KMeans(k=10, maxIter=20, tol=0.0, seed=0),
        "tree": DecisionTreeClassifier(maxDepth=8, maxBins=255),
        "forest": RandomForestClassifier(numTrees=20, maxDepth=8, maxBins=255, seed=0),
        "mixture": GaussianMixture(k=5, maxIter=10, tol=0.0, seed=0),
    }


def answer(task: str, model: Any, path: str, spark: SparkSession, rows: int) -> list[float]:
    """What the contestants are compared by, as ours gives it; deviations are made those of maximum likelihood."""
    if task == "scaler":
        return [*model.mean, *(model.std.toArray() * np.sqrt((rows - 1) / rows))]
    if task in ("linear", "logistic"):
        return [float(number) for number in model.coefficients]
    if task == "naive bayes":
        return [float(number) for number in model.theta.toArray().ravel()]
    if task == "pca":  # it tells shares alone: what they are shares of is found here
        whole = pq.read_table(path, columns=NAMES).to_pandas().to_numpy().var(axis=0, ddof=1, dtype=np.float64).sum()
        return [float(number) for number in model.explainedVariance * whole]
    first = pq.ParquetFile(path).read_row_group(0).to_pandas()
    X = first[NAMES].to_numpy().astype(np.float64)
    if task == "k-means":
        centers = np.array(model.clusterCenters())
        return [float(np.mean(np.min([np.square(X - center).sum(axis=1) for center in centers], axis=0)))]
    if task == "mixture":
        parts = zip(model.weights, model.gaussiansDF.collect(), strict=True)
        logs = [np.log(w) + multivariate_normal.logpdf(X, g.mean.toArray(), g.cov.toArray()) for w, g in parts]
        return [float(logsumexp(logs, axis=0).mean())]
    found = model.transform(assembled(spark.createDataFrame(first))).select("probability").toPandas()
    return [float(log_loss(first["label"], np.array([row.toArray() for row in found["probability"]])))]


def assembled(frame: Any) -> Any:
    """The features as one column of vectors."""
    return VectorAssembler(inputCols=NAMES, outputCol="features").transform(frame).select("features", "label")


def peak_of_java(spark: SparkSession) -> float:
    """The largest resident memory of the Java machine, in MB."""
    number = spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid()
    lines = Path(f"/proc/{number}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    """Fit once."""
    task, path = sys.argv[1:]
    rows = pq.read_metadata(path).num_rows
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "spark.driver.memory": "6g",
            "spark.ui.enabled": "false",
            "spark.local.dir": folder,
            "spark.sql.execution.arrow.pyspark.enabled": "true",
        }
        builder = SparkSession.builder.master("local[2]")
        for name, value in settings.items():
            builder = builder.config(name, value)
        spark = builder.getOrCreate()
        spark.range(1000).count()

        def work() -> Mapping[str, Any]:
            frame = assembled(spark.read.parquet(path))
            model = models(rows)[task].fit(frame if task in ONE_PASS else frame.cache())
            return {
                "java_peak_mb": lambda: peak_of_java(spark),
                "answer": lambda: answer(task, model, path, spark, rows),
                "steps": lambda: model.summary.numIter if task in ("k-means", "mixture") else None,
            }

        report(work)
        spark.stop()


if __name__ == "__main__":
    main()
