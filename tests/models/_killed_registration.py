"""Registers a model again and again, each time in a forked process that kills itself one step later.

A step is a flush of a file or folder, the last thing before and the first after which a power cut could come. Run with
the folder to work in; prints how many steps a whole registration has.
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa
from sklearn.linear_model import LogisticRegression

from groundswell.catalog import Catalog
from groundswell.models import Candidate, Registry, Signature, TrainedOn, save_model

INPUTS = pa.table({"a": np.arange(4.0)})
LABELS = pa.table({"late": [False, False, True, True]})


def register(folder: Path, fatal_step: int) -> int:
    """Register one model under an alias-free name; die before or after a flush. Returns how many steps there were."""
    folder.mkdir(parents=True)
    catalog = Catalog.create(f"sqlite:///{folder / 'catalog.db'}")
    run = catalog.add("run", "fit", {})
    model = LogisticRegression().fit(INPUTS.to_pandas(), LABELS["late"].to_pandas())
    candidate = Candidate(
        file=save_model(model, folder / "runs" / "model.skops"),
        signature=Signature.infer(INPUTS, LABELS, model),
        run_id=run.id,
        data=TrainedOn(id=None, name="late"),
        metrics={},
    )
    registry = Registry(catalog, folder / "models")
    steps, flush = count(1), os.fsync

    def step() -> None:
        if next(steps) == fatal_step:
            os.kill(os.getpid(), signal.SIGKILL)

    def fsync(descriptor: int) -> None:
        step()
        flush(descriptor)
        step()

    os.fsync = fsync
    registry.register("late", candidate)
    return next(steps) - 1


def main(folder: Path) -> None:
    """Kill at every step until a registration survives."""
    for fatal_step in count(1):
        child = os.fork()
        if child == 0:
            register(folder / str(fatal_step), fatal_step)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            sys.stdout.write(f"{fatal_step - 1}\n")
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
