"""Registers a model again and again, each time in a forked process that kills itself one step later.

A step is a flush of a file or folder, the last thing before and the first after which a power cut could come. Run with
the folder to work in; prints how many steps a whole registration has.
"""

import os
import shutil
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


def prepare(folder: Path) -> Candidate:
    """A catalog with a run, and the run's model."""
    folder.mkdir(parents=True)
    model = LogisticRegression().fit(INPUTS.to_pandas(), LABELS["late"].to_pandas())
    with Catalog.create(f"sqlite:///{folder / 'catalog.db'}") as catalog:
        run = catalog.add("run", "fit", {})
    return Candidate(
        file=save_model(model, folder / "runs" / "model.skops"),
        signature=Signature.infer(INPUTS, LABELS, model),
        run_id=run.id,
        data=TrainedOn(id=None, name="late"),
        metrics={},
    )


def register(folder: Path, candidate: Candidate, fatal_step: int) -> None:
    """Register the model; die before or after a flush."""
    registry = Registry(Catalog.open(f"sqlite:///{folder / 'catalog.db'}"), folder / "models")
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


def main(folder: Path) -> None:
    """Kill at every step until a registration survives."""
    candidate = prepare(folder / "prepared")
    for fatal_step in count(1):
        shutil.copytree(folder / "prepared", folder / str(fatal_step))
        child = os.fork()
        if child == 0:
            register(folder / str(fatal_step), candidate, fatal_step)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            sys.stdout.write(f"{fatal_step - 1}\n")
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
