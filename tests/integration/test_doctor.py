"""A doctor beside and after writers: it finds nothing that is only on its way, and repairs what killed ones leave."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

import groundswell as gs
from groundswell._faults import POINTS


def test_a_doctor_beside_a_writer_finds_nothing(tmp_path: Path, fork_server: Any) -> None:
    folder = str(tmp_path / "project")
    assert fork_server.run("create_group", folder=folder, with_schema=True) == 0
    writer = fork_server.start(
        "write_group",
        folder=folder,
        writer="w",
        first=0,
        last=59,
        acknowledged=str(tmp_path / "acknowledged"),
        compact_every=10,
    )
    for deep in (False, True) * 3:
        with gs.open(folder, threads=1) as project:
            assert project.doctor(deep=deep, repair=True).findings == ()
    assert fork_server.wait(writer) == 0
    with gs.open(folder, threads=1) as project:
        assert project.doctor(deep=True).findings == ()
        assert len(project.get_feature_group("events").read()) == 60 * 20 + 1


@pytest.mark.parametrize("point", POINTS)
def test_what_a_killed_writer_leaves_is_well_after_a_repair(tmp_path: Path, fork_server: Any, point: str) -> None:
    folder, fault = str(tmp_path / "project"), {"GROUNDSWELL_FAULT": point}
    made = fork_server.run("create_group", folder=folder, with_schema=True, environment=fault)
    assert made == (-signal.SIGKILL if point.startswith("create:") else 0)
    if made == 0:
        batches = {"writer": "w", "first": 0, "last": 3, "acknowledged": str(tmp_path / "acknowledged")}
        killed = fork_server.run("write_group", folder=folder, compact_every=2, environment=fault, **batches)
        assert killed == -signal.SIGKILL
    for path in Path(folder).glob("tables/*/*.parquet"):
        os.utime(path, (time.time() - 7200,) * 2)
    with gs.open(folder, threads=1) as project:
        found = project.doctor(deep=True).findings
        assert {finding.severity for finding in found} <= {"warning", "notice"}
        assert all(finding.repair is not None for finding in found)
        assert all(finding.repaired for finding in project.doctor(repair=True).findings)
        assert project.doctor(deep=True).findings == ()
