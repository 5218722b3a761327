from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.catalog import Catalog
from groundswell.catalog._entries import ranges
from groundswell.errors import InvalidNameError, NotFoundError

HOSTILE = [
    "",
    " ",
    "'; DROP TABLE entries; --",
    '"',
    "a\0b",
    "a\0c",
    "🌊",
    "zoë",
    "zoe\u0308",
    "%",
    "_",
    "1",
    "\n",
    "../x",
]


def test_names_are_data(catalog: Catalog) -> None:
    added = [catalog.add("feature_group", name, {name: name}, description=name) for name in HOSTILE]
    assert [entry.version for entry in added] == [1] * len(HOSTILE)
    assert [catalog.get("feature_group", name) for name in HOSTILE] == added
    assert [catalog.find("feature_group", name=name) for name in HOSTILE] == [[entry] for entry in added]
    for name in HOSTILE:
        catalog.set_alias("feature_group", name, name, 1)
        assert catalog.aliases("feature_group", name) == {name: 1}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True, max_size=10))
def test_any_text_is_a_name_of_its_own(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    folder: Path = tmp_path_factory.getbasetemp()
    with Catalog.create(f"sqlite:///{folder / 'names.db'}") as catalog:
        for entry in catalog.find("run"):
            catalog.remove(entry)
        added = [catalog.add("run", name, {}) for name in names]
        assert [catalog.get("run", name) for name in names] == added


@pytest.mark.parametrize(
    ("name", "why"), [(3, r"3 \(int\)"), (None, "NoneType"), (b"x", "bytes"), ("a\ud800", "surrogate")]
)
def test_what_is_no_text_is_no_name(catalog: Catalog, name: object, why: str) -> None:
    calls = [
        lambda: catalog.add("run", name, {}),  # type: ignore[arg-type]
        lambda: catalog.get("run", name),  # type: ignore[arg-type]
        lambda: catalog.aliases("run", name),  # type: ignore[arg-type]
        lambda: catalog.set_alias("run", "r", name, 1),  # type: ignore[arg-type]
        lambda: catalog.remove_alias("run", "r", name),  # type: ignore[arg-type]
    ]
    for call in calls:
        with pytest.raises(InvalidNameError, match=why):
            call()


def test_an_unknown_kind_names_the_kinds(catalog: Catalog) -> None:
    with pytest.raises(InvalidNameError, match=r"'feature_grp' is no kind of entry. Did you mean 'feature_group' or"):
        catalog.add("feature_grp", "x", {})
    for call in (catalog.get, catalog.aliases):
        with pytest.raises(InvalidNameError, match="is no kind"):
            call("group", "x")
    with pytest.raises(InvalidNameError, match="is no kind"):
        catalog.find("group")


@pytest.mark.parametrize(
    ("kind", "asked", "message"),
    [
        ("feature_group", "wether", "There is no feature group 'wether'. Did you mean 'weather'?"),
        ("feature_view", "x", "There is no feature view 'x'. There are no feature views yet."),
        ("training_data", "x", "There is no training data 'x'. The training data are 'late'."),
        ("run", "x", "There is no run 'x'. The runs are 'first', 'second'."),
        ("model", "x", "There is no model 'x'. There are no models yet."),
    ],
)
def test_an_unknown_name_names_those_there_are(catalog: Catalog, kind: str, asked: str, message: str) -> None:
    for known in (("feature_group", "weather"), ("training_data", "late"), ("run", "first"), ("run", "second")):
        catalog.add(*known, {})
    with pytest.raises(NotFoundError) as caught:
        catalog.get(kind, asked)
    assert str(caught.value) == message
    assert isinstance(caught.value, LookupError)


def test_an_unknown_version_names_those_there_are(catalog: Catalog) -> None:
    for version in (1, 2, 3, 7):
        catalog.add("model", "late", {}, version=version)
    catalog.set_alias("model", "late", "champion", 3)
    with pytest.raises(NotFoundError) as caught:
        catalog.get("model", "late", 5)
    assert str(caught.value) == (
        "The model 'late' has no version 5. The versions are 1 to 3 and 7. 'champion' is version 3."
    )
    assert caught.value.known == [1, 2, 3, 7]


@given(st.sets(st.integers(0, 40), min_size=1))
def test_ranges_say_all_the_numbers_and_no_other(numbers: set[int]) -> None:
    said: set[int] = set()
    for part in ranges(numbers).replace(" and ", ", ").split(", "):
        first, _, last = part.partition(" to ")
        said |= set(range(int(first), int(last or first) + 1))
    assert said == numbers
