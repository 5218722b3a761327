"""The statistics of one feature group: computed by the writer once for each commit, kept, merged, and made again.

The summary of a commit is kept before the commit, which names it by its digest and says no value. Merged summaries
describe rows written; those of current rows cannot be merged, as a row that is replaced cannot be taken out of a
sketch, and are computed from the rows at compaction or when they are asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from groundswell.catalog import Catalog, Entry
from groundswell.engines import DuckDB, Scan
from groundswell.errors import NotFoundError
from groundswell.features.statistics._collector import Collector
from groundswell.features.statistics._config import StatisticsConfig, as_config
from groundswell.features.statistics._files import SummaryFiles
from groundswell.features.statistics._report import Scope, StatisticsReport
from groundswell.features.statistics._summary import Summary
from groundswell.tables import Commit, Definition, Snapshot, Table

__all__ = ["CONFIG", "StatisticsRecords", "Written"]

CONFIG = "statistics"
"""The kind of catalog entry that says which statistics a group keeps."""

_CHECKPOINT = 32
"""After so many summaries merged one by one the result is kept, so that a long history is not merged anew."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """The merged summary of rows written.

    Args:
        summary: of all commits up to the version but those that are lost.
        commits: how many commits wrote them.
        lost: the versions of commits whose summary is not kept and whose files are gone.
    """

    summary: Summary
    commits: int
    lost: tuple[int, ...] = ()


class StatisticsRecords:
    """The statistics of a group.

    Args:
        group: the group's entry.
        catalog: where the choice of statistics is kept.
        folder: the table's.
        engine: reads rows.
    """

    def __init__(self, *, group: Entry, catalog: Catalog, folder: Path, engine: DuckDB) -> None:
        self._group, self._catalog, self._engine = group, catalog, engine
        self._name = f"{group.name}_v{group.version}"
        self.files = SummaryFiles(folder)

    def config(self) -> StatisticsConfig | None:
        """What is computed for every commit; None is nothing."""
        found = self._catalog.find(CONFIG, name=self._name, limit=1)
        if not found:
            return StatisticsConfig()
        return None if found[0].body["config"] is None else StatisticsConfig.from_dict(found[0].body["config"])

    def set(self, statistics: object, definition: Definition | None) -> None:
        """Choose what is computed from now on.

        Args:
            statistics: as `as_config` takes it.
            definition: the group's, against which columns are checked; None if it has none yet.

        Raises:
            DataError: it is no choice.
            ColumnNotFoundError: a column is not there.
        """
        config = as_config(statistics)
        if config is not None and definition is not None:
            config.columns_of(definition.schema, definition.primary_key)
        body = {"group": self._group.id, "config": None if config is None else config.to_dict()}
        with self._catalog.transaction():
            self._catalog.add(CONFIG, self._name, body)
            self._catalog.log("configured", self._group, {"statistics": body["config"]})

    def follow(self, other: "StatisticsRecords", definition: Definition) -> None:
        """Keep what another group keeps, of those of its columns that are there.

        Args:
            other: the other group's.
            definition: this group's.
        """
        config = other.config()
        chosen = None if config is None else config.within(definition.schema)
        if chosen != self.config():
            self.set(chosen if chosen is not None else False, definition)

    def collector(self, definition: Definition) -> Collector | None:
        """What summarizes an insert; None if no statistics are kept.

        Raises:
            ColumnNotFoundError: a column that statistics are asked of is not there.
        """
        config = self.config()
        if config is None:
            return None
        names = config.columns_of(definition.schema, definition.primary_key)
        return Collector(lambda: Summary.of(definition.schema, names, config))

    def note(self, collector: Collector | None) -> Mapping[str, Any]:  # Any: JSON
        """Keep the summary of an insert that is about to be committed, and give what the commit shall say of it.

        Raises:
            CorruptionError: the disk is full or not writable.
        """
        return {} if collector is None else {"statistics": {"digest": self.files.keep(collector.summary)}}

    def report(self, table: Table, version: int, scope: Scope) -> StatisticsReport:
        """The statistics of one commit, of the rows written up to a version, or of those current at it.

        Raises:
            NotFoundError: the version wrote no rows, or they are gone.
        """
        written = None
        if scope == "commit":
            summary = self.of_commit(table, version)
        elif scope == "current rows":
            summary = self.current(table, version)
        else:
            written = self.written(table, version)
            summary = written.summary
        return StatisticsReport.from_summary(
            summary,
            of=self._group.name,
            scope=scope,
            version=version,
            commits=None if written is None else written.commits,
            lost=() if written is None else written.lost,
        )

    def compacted(self, table: Table, version: int) -> None:
        """Compute the figures of current rows after a compaction, if any are kept."""
        if self.config() is not None:
            self.current(table, version)

    def of_commit(self, table: Table, version: int) -> Summary:
        """The summary of the rows that one commit wrote.

        Raises:
            NotFoundError: there is no such commit, it wrote no rows, or they are gone and so is their summary.
        """
        commits = {commit.version: commit for commit in _writing(table, version)}
        if version not in commits:
            raise NotFoundError(
                f"Version {version} of group {self._group.name!r} wrote no rows, so it has no statistics.",
                fix="group.history() shows the commits; those of the kind 'insert' wrote rows.",
                version=version,
            )
        found = self._of_commit(table, commits[version])
        if found is None:
            raise NotFoundError(
                f"The statistics of version {version} of group {self._group.name!r} are gone.",
                why="They are not kept any more, and the files that the commit wrote were removed.",
                fix="Ask for those of the current rows: group.statistics(rows='current').",
                version=version,
            )
        return found

    def written(self, table: Table, version: int) -> Written:
        """The merged summary of all rows written up to a version."""
        commits = _writing(table, version)
        kept = [int(name.partition("-")[2]) for name in self.files.names() if name.startswith("written-")]
        base = max((at for at in kept if at <= version), default=-1)
        total = self.files.get(f"written-{base}") if base >= 0 else None
        if total is None:
            total, base = Summary(), -1
        rest = [commit for commit in commits if commit.version > base]
        lost = []
        for commit in rest:
            found = self._of_commit(table, commit)
            if found is None:
                lost.append(commit.version)
            else:
                total.merge(found)
        if len(rest) >= _CHECKPOINT and not lost:
            self.files.put(f"written-{version}", total)
        return Written(summary=total, commits=len(commits) - len(lost), lost=tuple(lost))

    def current(self, table: Table, version: int) -> Summary:
        """The summary of the rows that are current at a version; computed the first time."""
        name = f"current-{version}"
        summary = self.files.get(name)
        if summary is None:
            summary = self._compute(table.snapshot(version, remainder=True))
            self._put(name, summary, {"of": "current rows", "version": version})
        return summary

    def recompute(self, table: Table, version: int) -> None:
        """Compute the summaries of all commits up to a version again, as far as their files are there."""
        self.files.remove([name for name in self.files.names() if not name.startswith("commit-")])
        for commit in _writing(table, version):
            self._recompute(table, commit)

    def forget_values(self, table: Table | None) -> int:
        """Remove every summary and compute that of the current rows anew; returns how many were removed."""
        names = self.files.names()
        self.files.remove(names)
        if table is not None and names:
            self.current(table, table.version())
        return len(names)

    def remove(self) -> None:
        """Remove what the catalog holds of the group's statistics; the files go with the table."""
        for entry in self._catalog.find(CONFIG, name=self._name):
            self._catalog.remove(entry)

    def _of_commit(self, table: Table, commit: Commit) -> Summary | None:
        found = self.files.get(f"commit-{commit.version}")
        noted = commit.detail.get("statistics")
        if found is None and noted is not None:
            found = self.files.get(noted["digest"])
        return self._recompute(table, commit) if found is None else found

    def _recompute(self, table: Table, commit: Commit) -> Summary | None:
        try:
            snapshot = table.snapshot(commit.version, remainder=True)  # erased rows are out of the figures as well
        except NotFoundError:  # a vacuum removed files of it
            return None
        own = tuple(replace(f, distinct=True) for f in snapshot.files if f.version == commit.version and not f.moved)
        if not all(Path(file.path).exists() for file in own):
            return None
        summary = self._compute(replace(snapshot, files=own))
        self._put(f"commit-{commit.version}", summary, {"of": "commit", "version": commit.version})
        return summary

    def _put(self, name: str, summary: Summary, detail: Mapping[str, Any]) -> None:  # Any: JSON
        self.files.put(name, summary)
        self._catalog.log("statistics computed", self._group, detail)

    def _compute(self, snapshot: Snapshot) -> Summary:
        definition = snapshot.definition
        config = (self.config() or StatisticsConfig()).within(definition.schema)
        names = config.columns_of(definition.schema, definition.primary_key)
        summary = Summary.of(definition.schema, names, config)
        read = tuple(names) or definition.primary_key[:1]  # rows are counted in any case
        for batch in self._engine.scan(Scan(snapshot=snapshot, columns=read)):
            summary.update(batch)
        return summary


def _writing(table: Table, version: int) -> list[Commit]:
    """The commits up to a version that wrote rows, oldest first; other tools' commits that added some among them."""
    kinds = ("insert", "foreign")
    return [c for c in reversed(table.history()) if c.version <= version and c.rows and c.kind.startswith(kinds)]
