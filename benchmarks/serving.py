"""What recorded and traceable predictions cost: our service beside a bare FastAPI + scikit-learn server.

    python benchmarks/serving.py [--seconds 5] [--connections 1 16] [--rows 1 100]

Both serve one model, a scaler and a logistic regression over 30 features, in a process of their own. The bare server
parses JSON, predicts and answers. Ours looks features up, checks the request against the signature, and answers only
when the prediction is durable in its log; requests that wait at the same time share a commit.

Prints one JSON line each: `ratio` of our requests per second to the bare server's, `connections`, `rows` per request,
and for both `…_per_s`, `…_p50_ms` and `…_p99_ms`.
"""

import argparse
import http.client
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import uvicorn
from _measure import print_line
from fastapi import FastAPI
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import groundswell as gs

N_FEATURES = 30
NAMES = [f"f{i}" for i in range(N_FEATURES)]
N_TRAINING_ROWS = 2_000


@dataclass(frozen=True)
class Load:
    """What clients saw: requests per second, and the times of single requests."""

    per_s: float
    p50_ms: float
    p99_ms: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 100])
    parser.add_argument("--serve", choices=["bare", "ours"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        {"bare": serve_bare, "ours": serve_ours}[arguments.serve]()
        return
    with server("bare") as bare, server("ours") as ours:
        for n_rows in arguments.rows:
            for n_connections in arguments.connections:
                unit = load(bare, "/predict", bare_body(n_rows), n_connections, arguments.seconds)
                found = load(ours, "/v2/models/late/infer", our_body(n_rows), n_connections, arguments.seconds)
                fields = {f"bare_{name}": value for name, value in vars(unit).items()}
                fields |= {f"ours_{name}": value for name, value in vars(found).items()}
                print_line(ratio=found.per_s / unit.per_s, connections=n_connections, rows=n_rows, **fields)


def training_rows() -> pd.DataFrame:
    """Random features and a label that depends on the first."""
    values = np.random.default_rng(0).normal(size=(N_TRAINING_ROWS, N_FEATURES))
    return pd.DataFrame(values, columns=NAMES).assign(late=values[:, 0] > 0)


def fitted(x: pd.DataFrame, y: pd.Series) -> Pipeline:
    """The model that both serve."""
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)


def serve_bare() -> None:
    """FastAPI and scikit-learn, and nothing else."""
    rows = training_rows()
    model = fitted(rows[NAMES], rows["late"])
    app = FastAPI()

    @app.post("/predict")
    def predict(request: dict[str, list[list[float]]]) -> dict[str, list[float]]:
        frame = pd.DataFrame(request["rows"], columns=NAMES)
        return {"prediction": model.predict(frame).tolist(), "probability": model.predict_proba(frame)[:, 1].tolist()}

    config = uvicorn.Config(app, log_level="warning", access_log=False)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # or Nagle's algorithm stays on
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[listener])


def serve_ours() -> None:
    """The same model, trained on a view of a project and deployed from it."""
    with tempfile.TemporaryDirectory(prefix="groundswell-benchmark-") as folder, gs.open(Path(folder)) as project:
        group = project.create_feature_group("flights", primary_key=["flight"], event_time="at")
        group.insert(training_rows().assign(flight=range(N_TRAINING_ROWS), at=datetime(2024, 1, 1, tzinfo=UTC)))
        view = project.create_feature_view("late", group.select(*NAMES, "late"), labels=["late"])
        project.register("late", project.run(lambda data: fitted(data.X, data.y), view.training_data()))
        with project.deploy("late") as service:
            print(service.start().rpartition(":")[2], flush=True)
            sys.stdin.read()


@contextmanager
def server(name: str) -> Iterator[int]:
    """The port of a server in a process of its own, which ends with the block."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        if name == "bare":
            process.terminate()
        process.wait(30)
        process.stdout.close()


def load(port: int, path: str, body: bytes, n_connections: int, seconds: float) -> Load:
    """Ask as fast as the answers come, on several connections at once, after one request that is not counted."""
    times: list[float] = []

    def client(until: float, found: list[float]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.perf_counter() < until:
            started = time.perf_counter()
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            content = reply.read()
            assert reply.status == 200, content
            found.append(time.perf_counter() - started)
        connection.close()

    client(time.perf_counter() + 0.001, [])
    started = time.perf_counter()
    threads = [threading.Thread(target=client, args=(started + seconds, times)) for _ in range(n_connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - started
    p99 = statistics.quantiles(times, n=100)[-1] if len(times) > 1 else times[0]
    return Load(len(times) / elapsed, statistics.median(times) * 1000, p99 * 1000)


def values(n_rows: int) -> np.ndarray:
    """The features of a request, [rows, features]."""
    return np.random.default_rng(1).normal(size=(n_rows, N_FEATURES))


def bare_body(n_rows: int) -> bytes:
    """A request to the bare server."""
    return json.dumps({"rows": values(n_rows).tolist()}).encode()


def our_body(n_rows: int) -> bytes:
    """The same request in the Open Inference Protocol."""
    inputs = [
        {"name": name, "shape": [n_rows], "datatype": "FP64", "data": column.tolist()}
        for name, column in zip(NAMES, values(n_rows).T, strict=True)
    ]
    return json.dumps({"inputs": inputs}).encode()


if __name__ == "__main__":
    main()
