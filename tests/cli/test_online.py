"""The command about the online store."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import Result

import groundswell as gs


def test_online_lists_what_is_online_and_brings_it_up_to_date(
    run: Callable[..., Result], run_json: Callable[..., Any], project_folder: Path
) -> None:
    assert run("online").stdout == "No group is online.\n"
    with gs.open(project_folder, threads=1) as project:
        group = project.get_feature_group("weather")
        group.enable_online()
        group.insert({"origin": ["EWR"], "observed_at": ["2013-02-01T00:00Z"], "temp": [1.0]}, wait=False)
    assert run_json("online") == {"groups": [{"group": "weather", "before": 3, "version": 4}]}
    assert run_json("online", "weather", "--rebuild") == {"groups": [{"group": "weather", "before": 4, "version": 4}]}
    assert run("online").stdout.split() == ["group", "version", "before", "weather", "4", "4"]


def test_a_group_that_is_not_online_is_refused(run: Callable[..., Result]) -> None:
    assert "is not online" in run("online", "weather", code=1).stderr
