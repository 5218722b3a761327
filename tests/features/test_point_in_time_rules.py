"""The front door obeys every rule of the point-in-time join, in every way to bring labels."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pytest

import groundswell as gs
from groundswell.errors import DataError
from groundswell.testing import GroupData, PointInTimeConformance, join_groups, write_groups


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gs.Project]:
    with gs.open(tmp_path_factory.mktemp("rules") / "project") as project:
        yield project


class TestProject(PointInTimeConformance):
    refusals = (DataError,)

    @pytest.fixture(autouse=True)
    def enter(self, project: gs.Project) -> None:
        self.project = project

    def join(self, groups: Sequence[GroupData], labels: pa.Table, event_time: str) -> pa.Table:
        return join_groups(self.project, write_groups(self.project, groups), groups, labels, event_time)
