"""Experiments: runs of oblivious functions, with everything that went into them and came out."""

from groundswell.experiments._invariants import check_run, check_run_folders
from groundswell.experiments._run import Run
from groundswell.experiments._runs import Runs
from groundswell.experiments._training_set import TrainingSet

__all__ = ["Run", "Runs", "TrainingSet", "check_run", "check_run_folders"]
