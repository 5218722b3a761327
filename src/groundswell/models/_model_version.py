"""One version of a registered model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any, Protocol

from groundswell.catalog import Catalog, HasMetadata
from groundswell.errors import CorruptionError
from groundswell.models._candidate import TrainedOn
from groundswell.models._formats import ModelFile, load_model
from groundswell.models._signature import Signature

__all__ = ["ModelVersion"]

_SHOWN_FIRST = ("roc_auc", "average_precision", "accuracy", "f1_macro", "rmse", "mae", "r2", "log_loss", "brier")


class Owner(Protocol):
    """What a version asks of the registry that it is in."""

    @property
    def catalog(self) -> Catalog:
        """Where its models are recorded."""

    def aliases_of(self, name: str, version: int) -> list[str]:
        """The aliases that point to one version."""

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Let an alias point to a version."""

    def remove_alias(self, name: str, alias: str) -> None:
        """Remove an alias."""

    def delete(self, reference: str) -> None:
        """Delete the version that a reference stands for."""


@dataclass(frozen=True, kw_only=True)
class ModelVersion(HasMetadata):
    """A version of a model in a registry; get one with `Registry.get`.

    Args:
        id: of its entry in the catalog.
        name, version: what it is called.
        description: free text, as it was when the version was looked up.
        signature: what it takes and gives.
        metrics: of its run.
        run_id: the run that made it.
        data: what it was trained on.
        file: the stored model.
        created_at, created_by: when and by whom it was registered, in UTC, as "user@host".
        body: everything that was recorded; JSON.
        registry: the registry that it is in.
    """

    id: str
    name: str
    version: int
    description: str
    signature: Signature
    metrics: Mapping[str, float]
    run_id: str
    data: TrainedOn
    file: ModelFile
    created_at: datetime
    created_by: str
    body: Mapping[str, Any]
    registry: "Owner" = field(repr=False, compare=False)

    @property
    def _described(self) -> tuple[Catalog, str]:
        return self.registry.catalog, self.id

    @property
    def reference(self) -> str:
        """The text that `Registry.get` finds it by."""
        return f"{self.name}:{self.version}"

    @property
    def training_data_id(self) -> str | None:
        """The entry of its training data, if that is in a catalog."""
        return self.data.id

    @property
    def view(self) -> str | None:
        """The feature view that its training data came from."""
        return self.data.view

    @property
    def folder(self) -> Path:
        """Where model.skops, signature.json and README.md lie."""
        return self.file.path.parent

    @property
    def aliases(self) -> list[str]:
        """The aliases that point to this version now."""
        return self.registry.aliases_of(self.name, self.version)

    @property
    def card(self) -> str:
        """The model card, in Markdown.

        Raises:
            CorruptionError: its file cannot be read.
        """
        path = self.folder / "README.md"
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise CorruptionError(
                f"The model card {path} cannot be read: {error}",
                fix="Restore it from a backup, or register the model of the run again.",
                path=str(path),
            ) from error

    def load(self) -> Any:  # Any: whatever was trained
        """Build the model.

        Raises:
            CorruptionError: the file is missing or its bytes are others than were registered.
            UntrustedTypeError: it holds types that are not on our list.
        """
        return load_model(self.file)

    def set_alias(self, alias: str) -> None:
        """Let an alias such as "champion" point to this version, wherever it pointed before."""
        self.registry.set_alias(self.name, alias, self.version)

    def remove_alias(self, alias: str) -> None:
        """Remove an alias of this version."""
        self.registry.remove_alias(self.name, alias)

    def delete(self) -> None:
        """Delete this version; refused while an alias points to it."""
        self.registry.delete(self.reference)

    def describe(self) -> str:
        """Everything worth knowing, in a few lines."""
        return "\n".join(f"{title:<10} {value}" for title, value in self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        rows = [
            ("model", self.reference + (f"  ({', '.join('@' + a for a in self.aliases)})" if self.aliases else "")),
            ("type", self.file.model_type),
            ("task", self.signature.task),
            ("inputs", ", ".join(map(str, self.signature.inputs))),
            ("outputs", ", ".join(map(str, self.signature.outputs))),
            ("metrics", ", ".join(f"{k} {v:.4g}" for k, v in sorted(self.metrics.items())) or "none"),
            ("trained on", str(self.data)),
            ("run", self.run_id),
            ("made", f"{self.created_at:%Y-%m-%d %H:%M} UTC by {self.created_by}"),
            ("file", f"{self.file.path} ({self.file.size_bytes:,} bytes, sha256 {self.file.digest[:12]}…)"),
        ]
        return [("", self.description), *rows] if self.description else rows

    def __repr__(self) -> str:
        shown = next((f", {k} {self.metrics[k]:.4g}" for k in _SHOWN_FIRST if k in self.metrics), "")
        aliases = "".join(f" @{alias}" for alias in self.aliases)
        return f"<ModelVersion {self.reference}{aliases}: {self.file.model_type.rpartition('.')[2]}{shown}>"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(title)}</th><td>{escape(value)}</td></tr>" for title, value in self._rows())
        return f"<table>{rows}</table>"
