"""References to models: a name, a name with a version, or a name with an alias."""

import re
from dataclasses import dataclass
from typing import Self

from groundswell.errors import NotFoundError
from groundswell.types import check_name

__all__ = ["Reference", "check_alias"]

_FORM = re.compile(r"([^:@]*)(?::([0-9]{1,9})|@([^:@]*))?")


@dataclass(frozen=True)
class Reference:
    """A model by name, and by version or alias if given.

    >>> Reference.parse("late_arrival@champion")
    Reference(name='late_arrival', version=None, alias='champion')
    """

    name: str
    version: int | None = None
    alias: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "name", "name:3" or "name@alias".

        Raises:
            NotFoundError: the text has none of these forms.
        """
        found = _FORM.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise NotFoundError(
                f"{text!r} refers to no model.",
                fix="Write 'name' for the latest version, 'name:3' for version 3 or 'name@champion' for an alias.",
                reference=text,
            )
        name, version, alias = found.groups()
        return cls(name, None if version is None else int(version), alias)

    def __str__(self) -> str:
        return self.name + (f":{self.version}" if self.version is not None else f"@{self.alias}" if self.alias else "")


def check_alias(alias: object) -> str:
    """Return `alias` if it can be one, by the rules of names; "champion", which nothing may be called, is welcome.

    Raises:
        InvalidNameError: it cannot.
    """
    return alias if alias == "champion" and isinstance(alias, str) else check_name(alias, "alias")
