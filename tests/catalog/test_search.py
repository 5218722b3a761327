"""The search: ranking, what matches, and an index that never differs from one made anew."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.catalog import Catalog, Entry
from groundswell.catalog._fulltext import rows
from groundswell.errors import DataError, InvalidNameError, NotFoundError


def group(catalog: Catalog, name: str, *features: str, description: str = "", **tags: Any) -> Entry:
    body = {"schema": [{"name": feature, "type": "int64", "nullable": True} for feature in features]}
    return catalog.add("feature_group", name, body, description=description, tags=tags)


def names(catalog: Catalog, text: str, **options: Any) -> list[str]:
    return [hit.name for hit in catalog.search.find(text, **options)]


def indexed(catalog: Catalog) -> list[tuple[int, tuple[str, ...]]]:
    with catalog._database.read() as connection:
        return sorted(rows(connection))


def test_a_word_in_the_name_counts_more_than_one_in_a_feature_and_that_more_than_one_in_the_description(
    catalog: Catalog,
) -> None:
    group(catalog, "planes", "seats", description="Which planes came late how often.")
    group(catalog, "carriers", "late_share", description="How carriers fare.")
    group(catalog, "late_arrival", "minutes", description="Minutes at the gate.")
    for i in range(5):
        group(catalog, f"other_{i}", "x")
    assert names(catalog, "late") == ["late_arrival", "carriers", "planes"]
    assert [hit.field for hit in catalog.search.find("late")] == ["name", "features", "description"]
    assert [hit.snippet for hit in catalog.search.find("late")] == [
        "«late»_arrival",
        "«late»_share",
        "Which planes came «late» how often.",
    ]


@pytest.mark.parametrize(
    "text", ["late", "LATE", "arr", "late_arr", "late arrival", "late_arrival", "24", "24h", "ärriv"]
)
def test_names_are_found_by_their_words_and_by_how_they_begin(catalog: Catalog, text: str) -> None:
    group(catalog, "late_arrival", "share_24h")
    group(catalog, "weather", "temp")
    assert names(catalog, text) == ["late_arrival"]


def test_all_words_are_wanted_and_some_only_if_nothing_has_all(catalog: Catalog) -> None:
    group(catalog, "flights", "late")
    group(catalog, "planes", "seats")
    assert names(catalog, "late flights") == ["flights"]
    assert set(names(catalog, "flights planes")) == {"flights", "planes"}


def test_tags_and_descriptions_of_features_are_found_and_say_so(catalog: Catalog) -> None:
    weather = group(catalog, "weather", "temp", ownership={"team": "climate"})
    catalog.descriptions.set(weather, "Air temperature in °F.", feature="temp")
    catalog.tags.set(weather, "unit", "fahrenheit", feature="temp")
    assert str(catalog.search.find("temperature")[0]) == (
        "feature group 'weather' version 1  features: temp: Air «temperature» in °F."
    )
    assert catalog.search.find("climate")[0].snippet == "ownership = team: «climate»; temp.unit = fahrenheit"
    assert names(catalog, "fahrenheit") == ["weather"]


def test_kind_and_tag_narrow_the_search_and_empty_text_finds_all(catalog: Catalog) -> None:
    group(catalog, "flights", "late", pii=False)
    catalog.add("run", "late", {})
    assert {hit.kind for hit in catalog.search.find("late")} == {"feature_group", "run"}
    assert names(catalog, "late", kind="run") == ["late"]
    assert names(catalog, "", tag="pii") == ["flights"]
    assert names(catalog, "") == ["late", "flights"]
    assert names(catalog, "", limit=1) == ["late"]


def test_of_several_versions_the_newest_that_fits_is_found(catalog: Catalog) -> None:
    catalog.add("model", "late", {}, description="trees")
    catalog.add("model", "late", {}, description="trees again")
    catalog.add("model", "late", {}, description="a line")
    assert [(hit.name, hit.version) for hit in catalog.search.find("trees")] == [("late", 2)]


def test_what_is_being_made_or_deleted_is_not_found(catalog: Catalog) -> None:
    entry = catalog.add("model", "late", {}, state="pending")
    assert names(catalog, "late") == []
    catalog.update(entry, state="ready")
    assert names(catalog, "late") == ["late"]
    catalog.update(entry, state="deleted")
    assert names(catalog, "late") == []


def test_a_typo_is_answered_with_a_word_that_is_there(catalog: Catalog) -> None:
    group(catalog, "weather", "temp")
    hits = catalog.search.find("wether")
    assert repr(hits) == "Nothing was found for 'wether'. Did you mean 'weather'?"
    assert hits.did_you_mean == "weather"
    assert "Did you mean" in hits._repr_html_()


def test_hits_show_as_a_table_and_escape_what_others_wrote(catalog: Catalog) -> None:
    group(catalog, "weather", description="<b>rain</b> & wind")
    shown = catalog.search.find("rain")._repr_html_()
    assert "&lt;b&gt;<mark>rain</mark>&lt;/b&gt; &amp; wind" in shown


def test_a_long_text_is_cut_around_the_match(catalog: Catalog) -> None:
    group(catalog, "g", description=" ".join(f"w{'x' * i}" for i in range(40)) + " needle in the hay " + "straw " * 40)
    snippet = catalog.search.find("needle")[0].snippet
    assert "«needle»" in snippet
    assert snippet.startswith("… ")
    assert snippet.endswith(" …")
    assert len(snippet.split()) < 20


@settings(max_examples=60, deadline=None)
@given(text=st.text() | st.text(alphabet="\"*()^:-+ANDORTEla'\\{}%_;", max_size=12))
def test_no_text_is_a_command(shared: Catalog, text: str) -> None:
    for hit in shared.search.find(text):
        assert hit.kind == "feature_group"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Catalog.create(f"sqlite:///{tmp_path_factory.mktemp('search') / 'catalog.db'}") as catalog:
        group(catalog, "late_arrival", "temp", description='AND NEAR(late, 3) OR "x"*')
        yield catalog


@pytest.mark.parametrize(
    "text", ["*", '"', "AND", "NEAR(", "late AND", 'x" OR "late', "name:late", "-late", "late*", "🐟"]
)
def test_what_would_be_syntax_is_text(shared: Catalog, text: str) -> None:
    found = {hit.name for hit in shared.search.find(text)}
    assert found == (set() if text in {"*", '"', "🐟"} else {"late_arrival"})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"kind": "feature_grup"}, InvalidNameError, "Did you mean 'feature_group'"),
        ({"kind": "validation"}, InvalidNameError, "cannot be found"),
        ({"tag": "owner"}, NotFoundError, "Nothing has a tag 'owner'"),
        ({"limit": 0}, DataError, "cannot be a limit"),
        ({"limit": True}, DataError, "cannot be a limit"),
        ({"text": 3}, InvalidNameError, "must be text"),
        ({"text": "\ud800"}, InvalidNameError, "surrogate"),
    ],
)
def test_bad_questions_are_refused(catalog: Catalog, options: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        catalog.search.find(**{"text": "late", **options})


edits = st.lists(
    st.tuples(
        st.sampled_from(["add", "body", "describe", "feature", "tag", "untag", "remove", "undone"]),
        st.integers(0, 5),
        st.sampled_from(["late", "late_arrival", "temp", "24h", "é", ""]),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(edits=edits)
def test_after_any_edits_the_index_is_the_one_made_anew(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[str, int, str]]
) -> None:
    with Catalog.create(f"sqlite:///{tmp_path_factory.mktemp('edits') / 'catalog.db'}") as catalog:
        entries: list[Entry] = []
        for verb, i, word in edits:
            edit(catalog, entries, verb, i, word)
        kept = indexed(catalog)
        assert list(catalog.search.check()) == []
        assert catalog.search.rebuild() == len(kept)
        assert indexed(catalog) == kept


def edit(catalog: Catalog, entries: list[Entry], verb: str, i: int, word: str) -> None:
    if verb == "add" or not entries:
        entries.append(group(catalog, word or "g", "temp", description=word))
        return
    entry = entries[i % len(entries)]
    steps: dict[str, Callable[[], object]] = {
        "body": lambda: catalog.update(entry, body={"schema": [{"name": "temp"}, {"name": word or "x"}]}),
        "describe": lambda: catalog.descriptions.set(entry, word),
        "feature": lambda: catalog.descriptions.set(entry, word, feature="temp"),
        "tag": lambda: catalog.tags.set(entry, "tag", {"words": [word, 1, None]}, feature="temp" if i % 2 else None),
    }
    if verb in steps:
        steps[verb]()
    elif verb == "untag":
        for name in catalog.tags.of(entry):
            catalog.tags.remove(entry, name)
    elif verb == "remove":
        catalog.remove(entry)
        entries.remove(entry)
    else:
        with suppress(ZeroDivisionError), catalog.transaction():
            catalog.descriptions.set(entry, "never to be seen")
            raise ZeroDivisionError


def test_an_index_that_is_wrong_is_found_and_made_anew(catalog: Catalog) -> None:
    group(catalog, "weather")
    group(catalog, "planes")
    with catalog._database.write() as connection:
        connection.exec_driver_sql("DELETE FROM search WHERE name = 'weather'")
        connection.exec_driver_sql("INSERT INTO search (rowid, name) VALUES (99, 'nobody')")
    (finding,) = catalog.search.check()
    assert "wrong about 2 entries: feature group 'weather' version 1" in finding.what
    assert finding.repair is not None
    assert finding.repair() == "Made it anew, of 2 entries."
    assert list(catalog.search.check()) == []


def test_a_catalog_without_an_index_gets_one_when_it_is_opened(catalog: Catalog, url: str) -> None:
    group(catalog, "weather")
    with catalog._database.write() as connection:
        connection.exec_driver_sql("DROP TABLE search_words")
        connection.exec_driver_sql("DROP TABLE search")
    catalog.close()
    with Catalog.open(url) as again:
        assert names(again, "weather") == ["weather"]


def test_views_and_models_are_found_by_their_columns(catalog: Catalog) -> None:
    query = {"base": {"columns": ["distance"]}, "joins": [{"prefix": "wx_", "columns": ["temp"]}]}
    catalog.add("feature_view", "arrival", {"query": query, "labels": []})
    catalog.add("model", "trees", {"signature": {"inputs": [{"name": "wx_temp"}]}})
    assert set(names(catalog, "wx_temp")) == {"arrival", "trees"}
