"""A pipeline that is killed between any two steps of its commit, and run again."""

import signal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import groundswell as gs


@pytest.mark.parametrize(
    "fault", ["insert:files-synced", "insert:before-commit", "insert:after-commit", "insert:log-synced"]
)
def test_killed_and_run_again_it_comes_to_the_same_rows(tmp_path: Path, fork_server: Any, fault: str) -> None:
    folder = tmp_path / "p"
    hours = pd.date_range("2020-01-01", periods=6, freq="h", tz="UTC")
    with gs.open(folder) as project:
        events = project.create_feature_group("events", primary_key=["id"], event_time="at", statistics=False)
        events.insert(pd.DataFrame({"id": range(6), "k": list("ababab"), "at": hours}))
        project.create_feature_group("counts", primary_key=["k"], event_time="window_end", statistics=False)
    assert fork_server.run("run_windows", folder=str(folder)) == 0
    with gs.open(folder) as project:
        late = {"id": range(6, 9), "k": list("abc"), "at": hours[:3]}
        project.get_feature_group("events").insert(pd.DataFrame(late))
    killed = fork_server.run("run_windows", folder=str(folder), environment={"GROUNDSWELL_FAULT": fault})
    assert killed == -signal.SIGKILL
    assert fork_server.run("run_windows", folder=str(folder)) == 0
    with gs.open(folder) as project:
        events, counts = project.get_feature_group("events"), project.get_feature_group("counts")
        windows = gs.windows(events, key="k", aggregations={"n": gs.count(over="3h")}, every="1h")
        wanted, found = (data.to_pandas().sort_values(["k", "window_end"]) for data in (windows.read(), counts.read()))
        pd.testing.assert_frame_equal(found.reset_index(drop=True), wanted.reset_index(drop=True), check_like=True)
        assert [commit.kind for commit in counts.history()].count("insert") == 2
