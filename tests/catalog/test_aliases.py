import pytest

from groundswell.catalog import Catalog
from groundswell.errors import InvalidNameError, NotFoundError


@pytest.fixture
def model(catalog: Catalog) -> Catalog:
    for _ in range(3):
        catalog.add("model", "late", {})
    return catalog


def test_an_alias_moves(model: Catalog) -> None:
    model.set_alias("model", "late", "champion", 1)
    model.set_alias("model", "late", "challenger", 2)
    model.set_alias("model", "late", "champion", 3)
    assert model.aliases("model", "late") == {"challenger": 2, "champion": 3}


def test_an_alias_belongs_to_its_kind_and_name(model: Catalog) -> None:
    model.add("model", "early", {})
    model.add("run", "late", {})
    model.set_alias("model", "late", "champion", 2)
    model.set_alias("model", "early", "champion", 1)
    assert model.aliases("model", "early") == {"champion": 1}
    assert model.aliases("run", "late") == {}


def test_an_alias_needs_a_version_that_is_there(model: Catalog) -> None:
    model.set_alias("model", "late", "champion", 2)
    message = "The model 'late' has no version 9. The versions are 1 to 3. 'champion' is version 2."
    with pytest.raises(NotFoundError) as caught:
        model.set_alias("model", "late", "champion", 9)
    assert str(caught.value) == message
    assert model.aliases("model", "late") == {"champion": 2}


def test_a_removed_alias_is_gone_and_an_unknown_one_is_named(model: Catalog) -> None:
    model.set_alias("model", "late", "champion", 2)
    with pytest.raises(NotFoundError, match=r"has no alias 'chmpion'. Did you mean 'champion'\?"):
        model.remove_alias("model", "late", "chmpion")
    model.remove_alias("model", "late", "champion")
    assert model.aliases("model", "late") == {}
    with pytest.raises(NotFoundError, match="There are no aliases yet"):
        model.remove_alias("model", "late", "champion")


def test_removing_a_version_removes_its_aliases_only(model: Catalog) -> None:
    model.set_alias("model", "late", "champion", 2)
    model.set_alias("model", "late", "challenger", 3)
    model.remove(model.get("model", "late", 2))
    assert model.aliases("model", "late") == {"challenger": 3}


def test_an_alias_is_text(model: Catalog) -> None:
    with pytest.raises(InvalidNameError, match=r"3 \(int\) cannot be an alias"):
        model.set_alias("model", "late", 3, 1)  # type: ignore[arg-type]
