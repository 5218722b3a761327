"""Tables of the lectures."""

import pyarrow as pa
import pytest

_ROWS = """
youth high no fair no
youth high no excellent no
middle_aged high no fair yes
senior medium no fair yes
senior low yes fair yes
senior low yes excellent no
middle_aged low yes excellent yes
youth medium no fair no
youth low yes fair yes
senior medium yes fair yes
youth medium yes excellent yes
middle_aged medium no excellent yes
middle_aged high yes fair yes
senior medium no excellent no
"""


@pytest.fixture
def buys() -> pa.Table:
    """The table buys_computer (Han, Kamber, Pei: Data mining, 3rd edition, table 8.1)."""
    rows = [line.split() for line in _ROWS.split("\n") if line]
    columns = zip(("age", "income", "student", "credit", "buys"), zip(*rows, strict=True), strict=True)
    return pa.table({name: list(values) for name, values in columns})
