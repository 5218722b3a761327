"""Models: safe files, signatures, versions with aliases, evaluation and model cards."""

from groundswell.models._bias_variance import BiasVariance, bias_variance
from groundswell.models._candidate import Candidate, TrainedOn
from groundswell.models._confusion import ConfusionMatrix
from groundswell.models._evaluate import evaluate
from groundswell.models._evaluation import Evaluation
from groundswell.models._formats import ModelFile, load_model, save_model
from groundswell.models._invariants import check_aliases, check_model, check_model_file, check_model_folders
from groundswell.models._learning_curve import LearningCurve, learning_curve
from groundswell.models._model_version import ModelVersion
from groundswell.models._permutation_importance import PermutationImportance, permutation_importance
from groundswell.models._ranking import GainCurve, PrecisionRecallCurve, Ranking, RocCurve, Threshold
from groundswell.models._registry import Registry
from groundswell.models._signature import Signature, Task, columns_of
from groundswell.models._writer import Writer

__all__ = [
    "BiasVariance",
    "Candidate",
    "ConfusionMatrix",
    "Evaluation",
    "GainCurve",
    "LearningCurve",
    "ModelFile",
    "ModelVersion",
    "PermutationImportance",
    "PrecisionRecallCurve",
    "Ranking",
    "Registry",
    "RocCurve",
    "Signature",
    "Task",
    "Threshold",
    "TrainedOn",
    "Writer",
    "bias_variance",
    "check_aliases",
    "check_model",
    "check_model_file",
    "check_model_folders",
    "columns_of",
    "evaluate",
    "learning_curve",
    "load_model",
    "permutation_importance",
    "save_model",
]
