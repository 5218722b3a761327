"""The README, the start page and the guide for contributors run."""

from collections.abc import Callable

import pytest


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "CONTRIBUTING.md"])
def test_page_runs_and_prints_what_it_says(page: str, run_page: Callable[[str], None]) -> None:
    run_page(page)
