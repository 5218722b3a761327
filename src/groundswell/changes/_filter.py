"""Which events a consumer wants."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any, Self

from groundswell.catalog import KINDS, VERBS, Event
from groundswell.errors import CorruptionError, DataError, InvalidNameError, choices

__all__ = ["Filter"]


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Events by what they happened to and what happened. All that is given must hold; what is left out lets all pass.

    Args:
        paths: patterns of which one must match the path `kind/name/version`, with `*` for anything and `?` for one
            character.
        kinds: kinds of which the entry must have one.
        verbs: verbs of which the event must have one.
        tags: names of tags of which the entry, or one of its features, must have had one.

    Raises:
        DataError: one of them is no sequence of texts.
        InvalidNameError: there is no such kind or verb.

    >>> Filter(paths=["feature_group/weather/*"], verbs=["inserted"])
    Filter(paths=('feature_group/weather/*',), verbs=('inserted',))
    """

    paths: Sequence[str] = ()
    kinds: Sequence[str] = ()
    verbs: Sequence[str] = ()
    tags: Sequence[str] = ()

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, _texts(field.name, getattr(self, field.name)))
        _check(self.kinds, KINDS, "kinds")
        _check(self.verbs, VERBS, "verbs")

    def passes(self, event: Event) -> bool:
        """Whether the event is wanted."""
        return (
            (not self.kinds or event.kind in self.kinds)
            and (not self.verbs or event.verb in self.verbs)
            and (not self.tags or not set(self.tags).isdisjoint(event.tags))
            and (not self.paths or any(fnmatchcase(event.path, pattern) for pattern in self.paths))
        )

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """What is given, as plain values."""
        return {field.name: list(given) for field in fields(self) if (given := getattr(self, field.name))}

    @classmethod
    def from_dict(cls, condition: Mapping[str, Any]) -> Self:  # Any: JSON
        """The inverse of `to_dict`.

        Raises:
            CorruptionError: it is something else.
        """
        try:
            return cls(**condition)
        except (TypeError, DataError, InvalidNameError) as error:
            raise CorruptionError(
                f"{dict(condition)!r} is no filter of events ({error}).",
                why="The catalog is damaged, or a newer Groundswell wrote it.",
                fix="Remove the consumer and add it again.",
            ) from None

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={tuple(values)!r}" for name, values in self.to_dict().items())
        return f"Filter({given})"


def _texts(name: str, given: object) -> tuple[str, ...]:
    if not isinstance(given, Sequence) or isinstance(given, str) or not all(isinstance(text, str) for text in given):
        raise DataError(
            f"{name}={given!r} is no list of texts.",
            fix=f"Give a list, such as {name}=[{given!r}]." if isinstance(given, str) else "Give a list of texts.",
            value=given,
        )
    return tuple(given)


def _check(given: Sequence[str], known: Collection[str], noun: str) -> None:
    for name in given:
        if name not in known:
            raise InvalidNameError(
                f"{name!r} is none of the {noun} of events.", fix=choices(name, known, noun), name=name
            )
