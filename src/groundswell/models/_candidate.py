"""What is put into the registry: a stored model, and everything that is known of how it came to be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from groundswell.models._formats import ModelFile
from groundswell.models._signature import Signature

__all__ = ["Candidate", "TrainedOn"]


@dataclass(frozen=True, kw_only=True)
class TrainedOn:
    """The training data of a model, by name.

    Args:
        id: the entry of the training data in the catalog, or None for data that is in no catalog.
        name, version: the name and version of the training data.
        split: "train", or another part of a split; None without a split.
        view: the feature view it came from, if any.
        n_rows: how many rows.
        pins: the version of every feature group it read.
    """

    id: str | None
    name: str
    version: int | None = None
    split: str | None = None
    view: str | None = None
    n_rows: int | None = None
    pins: Mapping[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**vars(self), "pins": dict(self.pins)}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> "TrainedOn":
        """Read back what `to_dict` gave."""
        return cls(**body)

    def __str__(self) -> str:
        version = "" if self.version is None else f" version {self.version}"
        return f"{self.name}{version}" + ("" if self.split is None else f", {self.split}")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A stored model that can be registered.

    Args:
        file: the stored model.
        signature: what it takes and gives.
        run_id: the run that made it.
        data: what it was trained on.
        metrics: names to values.
        evaluated_on: names of the data sets that the metrics were computed on.
        curves: for each of them what its curves say, by name, in words.
        parameters: of the function that fitted it; JSON.
        code: where the function is: function, module, file, line, commit, digest; JSON.
        versions: of Python and of the packages.
    """

    file: ModelFile
    signature: Signature
    run_id: str
    data: TrainedOn
    metrics: Mapping[str, float]
    evaluated_on: tuple[str, ...] = ()
    curves: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    code: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any], path: Path) -> "Candidate":
        """Read back what `to_dict` gave; the path of the file follows from the entry."""
        return cls(
            file=ModelFile.from_dict(path, body["file"]),
            signature=Signature.from_dict(body["signature"]),
            run_id=body["run_id"],
            data=TrainedOn.from_dict(body["data"]),
            metrics=body["metrics"],
            evaluated_on=tuple(body["evaluated_on"]),
            curves=body.get("curves", {}),
            parameters=body["parameters"],
            code=body["code"],
            versions=body["versions"],
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "file": self.file.to_dict(),
            "signature": self.signature.to_dict(),
            "run_id": self.run_id,
            "data": self.data.to_dict(),
            "metrics": dict(self.metrics),
            "evaluated_on": list(self.evaluated_on),
            "curves": {name: dict(said) for name, said in self.curves.items()},
            "parameters": dict(self.parameters),
            "code": dict(self.code),
            "versions": dict(self.versions),
        }
