from collections.abc import Iterator
from pathlib import Path

import pytest

from groundswell.catalog import Catalog


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'catalog.db'}"


@pytest.fixture
def catalog(url: str) -> Iterator[Catalog]:
    with Catalog.create(url) as catalog:
        yield catalog
