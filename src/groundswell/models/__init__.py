"""Models: safe files, signatures, versions with aliases, evaluation and model cards."""

from groundswell.models._candidate import Candidate, TrainedOn
from groundswell.models._evaluation import Evaluation, evaluate
from groundswell.models._formats import ModelFile, load_model, save_model
from groundswell.models._invariants import check_aliases, check_model, check_model_file, check_model_folders
from groundswell.models._model_version import ModelVersion
from groundswell.models._registry import Registry
from groundswell.models._signature import Signature, Task, columns_of
from groundswell.models._writer import Writer

__all__ = [
    "Candidate",
    "Evaluation",
    "ModelFile",
    "ModelVersion",
    "Registry",
    "Signature",
    "Task",
    "TrainedOn",
    "Writer",
    "check_aliases",
    "check_model",
    "check_model_file",
    "check_model_folders",
    "columns_of",
    "evaluate",
    "load_model",
    "save_model",
]
