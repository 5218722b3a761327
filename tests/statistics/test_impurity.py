"""Impurities against the tables of the lectures."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import chi2_contingency

from groundswell.statistics import chi_square, entropy, gini, impurity_decrease, misclassification

AGE, INCOME = ["youth", "middle_aged", "senior"], ["low", "medium", "high"]


def counts_by(table: pa.Table, feature: str, groups: list[list[str]]) -> np.ndarray:
    """Counts of no and yes in each group of values."""
    pairs = list(zip(table[feature].to_pylist(), table["buys"].to_pylist(), strict=True))
    return np.array([[sum(v in group and b == c for v, b in pairs) for c in ("no", "yes")] for group in groups])


@pytest.mark.parametrize(
    ("feature", "gain"), [("age", 0.2467), ("income", 0.0292), ("student", 0.1518), ("credit", 0.0481)]
)
def test_the_gains_of_the_lecture(buys: pa.Table, feature: str, gain: float) -> None:
    """Worked example, printed as .246 .029 .151 .048."""
    counts = counts_by(buys, feature, [[value] for value in sorted(set(buys[feature].to_pylist()))])
    assert impurity_decrease(counts, entropy) == pytest.approx(gain, abs=5e-5)


def test_the_entropies_of_the_lecture(buys: pa.Table) -> None:
    """Worked example: entropy(D) = .940, entropy(age, D) = .694."""
    counts = counts_by(buys, "age", [[value] for value in AGE])
    assert entropy([9, 5]) == pytest.approx(0.940, abs=5e-4)
    assert entropy([9, 5]) - impurity_decrease(counts, entropy) == pytest.approx(0.694, abs=5e-4)


@pytest.mark.parametrize(
    ("feature", "groups", "within", "decrease"),
    [
        ("income", [["low", "medium"], ["high"]], 0.443, 0.016),
        ("income", [["low", "high"], ["medium"]], 0.458, 0.001),
        ("income", [["medium", "high"], ["low"]], 0.450, 0.009),
        ("age", [["youth", "senior"], ["middle_aged"]], 0.357, 0.102),
        ("student", [["no"], ["yes"]], 0.367, 0.0918),
        ("credit", [["fair"], ["excellent"]], 0.429, 0.0306),
    ],
)
def test_the_gini_table_of_the_lecture(
    buys: pa.Table, feature: str, groups: list[list[str]], within: float, decrease: float
) -> None:
    """Worked example: Gini(D) = .459, and what splits leave of it."""
    counts = counts_by(buys, feature, groups)
    assert gini([9, 5]) == pytest.approx(0.459, abs=5e-4)
    assert impurity_decrease(counts) == pytest.approx(decrease, abs=5e-4)
    assert gini([9, 5]) - impurity_decrease(counts) == pytest.approx(within, abs=5e-4)


def test_chi_square_is_that_of_scipy(buys: pa.Table) -> None:
    table = counts_by(buys, "age", [[value] for value in AGE])
    assert chi_square(table) == pytest.approx(chi2_contingency(table, correction=False).statistic, rel=1e-12)
    assert chi_square([[2, 4], [1, 2]]) == pytest.approx(0.0, abs=1e-15)


def test_many_at_once_empty_ones_too() -> None:
    counts = np.array([[[9.0, 5.0], [0.0, 0.0]], [[4.0, 0.0], [1.0, 1.0]]])
    np.testing.assert_allclose(gini(counts), [[0.459184, 0.0], [0.0, 0.5]], atol=1e-6)
    np.testing.assert_allclose(entropy(counts), [[0.940286, 0.0], [0.0, 1.0]], atol=1e-6)
    np.testing.assert_allclose(misclassification(counts), [[5 / 14, 0.0], [0.0, 0.5]], atol=1e-12)
    np.testing.assert_array_equal(chi_square(np.zeros((2, 3, 3))), [0.0, 0.0])
    assert impurity_decrease(np.zeros((2, 2))) == 0
