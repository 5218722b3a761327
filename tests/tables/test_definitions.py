"""What is known of a table's definitions never goes back, whichever thread looked last."""

from pathlib import Path

import pyarrow as pa

import groundswell as gs
from groundswell.tables._definitions import Definitions


def test_a_thread_that_looked_earlier_takes_nothing_back(tmp_path: Path) -> None:
    with gs.open(tmp_path / "p", threads=1) as project:
        group = project.create_feature_group("g", primary_key=["k"])
        group.insert([{"k": 1}])
        before = group.table.version()
        group.append_features({"v": pa.int64()})
        after = group.table.version()
        found = Definitions(group.table.table_id, group.table.definition, project.catalog.commits)
        found.follow(after)
        found.follow(before)  # by a thread that had read the position before the other, and was slow
        assert found.looked_at == after
        assert found.newest.schema.names == ["k", "v"]
        assert found.at(before).schema.names == ["k"]
        assert found.at(after).schema.names == ["k", "v"]
