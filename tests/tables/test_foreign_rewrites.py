"""Rows that another tool moves to new files stay as old as they were."""

import deltalake
import pytest

import groundswell as gs

T = "2020-01-01T00:00Z"


@pytest.fixture
def group(tmp_path):
    with gs.open(tmp_path / "project") as project:
        group = project.create_feature_group("g", primary_key=["k"], event_time="t")
        group.insert([{"k": "a", "t": T, "v": 1}, {"k": "b", "t": T, "v": 2}])
        group.insert([{"k": "a", "t": T, "v": 100}])
        yield group


@pytest.fixture
def findings(tmp_path):
    def ask():
        with gs.open(tmp_path / "project") as project:
            return [finding.what for finding in project.doctor().findings if finding.severity == "error"]

    return ask


def values(group):
    return {row["k"]: row["v"] for row in group.read().to_arrow().to_pylist()}


def test_a_delete_that_rewrites_a_file_does_not_bring_a_replaced_row_back(group):
    deltalake.DeltaTable(group.table.folder).delete("k = 'b'")
    assert values(group) == {"a": 100}
    commit = group.history()[0]
    assert (commit.kind, commit.author, commit.deleted) == ("foreign delete", "", 1)


def test_rows_that_come_after_a_foreign_rewrite_replace_what_it_moved(group):
    deltalake.DeltaTable(group.table.folder).delete("k = 'b'")
    group.insert([{"k": "a", "t": T, "v": 1000}])
    assert values(group) == {"a": 1000}


def test_rows_that_another_tool_appends_count_as_the_newest(group):
    schema = group.read().to_arrow().schema
    later = group.read().to_arrow().take([0]).set_column(2, schema.field("v"), [[7]])
    deltalake.write_deltalake(group.table.folder, later, mode="append", schema_mode="merge")
    assert values(group) == {"a": 100, "b": 7}


def test_files_that_another_tool_restores_take_their_places_again(group):
    before = group.table.version()
    group.compact()
    deltalake.DeltaTable(group.table.folder).restore(before)
    assert values(group) == {"a": 100, "b": 2}
    group.restore(0)
    deltalake.DeltaTable(group.table.folder).restore(before)
    assert values(group) == {"a": 100, "b": 2}


def test_an_index_made_again_knows_of_files_that_went_and_came_back(group):
    versions = {}
    for wanted in (1, 2, 1, 0, 2):
        version = group.restore(wanted).version
        versions[version] = values(group)
    group._catalog.commits.forget(group.id)
    assert {v: {r["k"]: r["v"] for r in group.read(as_of=v).to_arrow().to_pylist()} for v in versions} == versions


@pytest.mark.parametrize("rewrite", [lambda t: t.optimize.compact(), lambda t: t.delete("k = 'c'")])
def test_a_rewrite_that_mixes_corrections_is_named_until_it_is_undone(group, findings, rewrite):
    group.insert([{"k": "c", "t": T, "v": 3}])
    group.insert([{"k": "c", "t": T, "v": 4}, {"k": "d", "t": T, "v": 5}])
    before = group.table.version()
    rewrite(deltalake.DeltaTable(group.table.folder))
    group.insert([{"k": "e", "t": T, "v": 6}])
    (found,) = findings()
    assert f"version {before + 1}" in found
    group.restore(before)
    assert values(group) == {"a": 100, "b": 2, "c": 4, "d": 5}
    assert findings() == []


def test_a_rewrite_of_rows_that_nothing_corrects_is_fine(group, findings):
    group.compact()
    group.insert([{"k": "x", "t": T, "v": 1}])
    group.insert([{"k": "y", "t": T, "v": 1}])
    deltalake.DeltaTable(group.table.folder).optimize.compact()
    assert findings() == []
    assert values(group) == {"a": 100, "b": 2, "x": 1, "y": 1}


def test_a_file_that_came_back_and_was_given_up_is_not_missed(group, findings):
    version = group.table.version()
    group.delete_rows({"k": "a"})
    group.restore(version)
    group.compact()
    group.vacuum(keep_versions=1)
    assert findings() == []
