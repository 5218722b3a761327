"""What a feature group offers of its expectations: which are in force, and what became of the batches held to them."""

from abc import ABC
from collections.abc import Sequence

from groundswell.catalog import Catalog
from groundswell.features._group_table import GroupTable
from groundswell.features.expectations import Expectation, Policy, Suite, ValidationReport, Validations

__all__ = ["HasExpectations"]


class HasExpectations(ABC):
    """A noun whose rows are held against expectations."""

    _place: GroupTable
    _catalog: Catalog
    _validations: Validations

    @property
    def expectations(self) -> Suite:
        """The expectations in force; prints as the code that makes them."""
        return self._validations.current()[0]

    @property
    def validation(self) -> Policy:
        """The policy in force: "strict", "warning", "all" or "none"."""
        return self._validations.current()[1]

    def set_expectations(self, expectations: Sequence[Expectation], validation: Policy | None = None) -> None:
        """Put other expectations in force for what is inserted from now on; rows that are there are not looked at.

        Args:
            expectations: all of them, such as `[gs.expect("temp").between(-40, 130)]`; an empty list is none.
            validation: "strict" writes only if all hold; "warning" only if all of level error hold; "all" validates and
                writes in any case; "none" does not validate. None leaves the policy as it is, at first "strict".

        Raises:
            DataError: something is no expectation, or the policy is none.
            ColumnNotFoundError, TypeMismatchError, SchemaError, NotFoundError: an expectation does not fit the group.
        """
        self._validations.set(expectations, validation, None if self._place.now is None else self._place.definition)

    def validations(self) -> "list[ValidationReport]":
        """The reports of all batches that were validated, newest first, those that were refused among them."""
        return self._validations.reports(lambda: [] if self._place.now is None else self._place.now.history())

    def forget_validated_values(self) -> int:
        """Take out of all reports what rows were: examples and observed values. Counts stay, as in the commits.

        Part of erasing rows. Returns how many reports had some.
        """
        with self._catalog.transaction():
            changed = self._validations.forget_values()
            if changed:
                self._catalog.log("values forgotten", self._place.entry, {"reports": changed})
        return changed
