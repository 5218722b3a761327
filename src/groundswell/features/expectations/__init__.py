"""Expectations: what rows of a group must be, checked for each batch before it is written.

`_expectation` says what a rule is; the rules stand by family in `_values`, `_order`, `_summaries`, `_references`,
`_batches` and `_conditions`. To add one, write it there, name it in `_suite` and give it a word in `_vocabulary`.
"""

from groundswell.features.expectations._expectation import Expectation, Level, Setting
from groundswell.features.expectations._profile import profile
from groundswell.features.expectations._report import RuleResult, ValidationReport
from groundswell.features.expectations._suite import Policy, Suite, check_policy, expectation_from_dict
from groundswell.features.expectations._validation import Validation, refusal
from groundswell.features.expectations._validations import OWN_KINDS, Admission, Validations
from groundswell.features.expectations._vocabulary import (
    ColumnExpectations,
    TableExpectations,
    expect,
    expect_table,
)

__all__ = [
    "OWN_KINDS",
    "Admission",
    "ColumnExpectations",
    "Expectation",
    "Level",
    "Policy",
    "RuleResult",
    "Setting",
    "Suite",
    "TableExpectations",
    "Validation",
    "ValidationReport",
    "Validations",
    "check_policy",
    "expect",
    "expect_table",
    "expectation_from_dict",
    "profile",
    "refusal",
]
