"""Consumers that the catalog keeps, by kind: any process may make them again."""

from collections.abc import Callable, Mapping

from groundswell.catalog import Catalog, ConsumerRecord
from groundswell.changes._consumer import Consumer, Stored
from groundswell.changes._filter import Filter
from groundswell.changes._json_lines import JsonLines
from groundswell.changes._webhook import Webhook
from groundswell.errors import CorruptionError, DataError

__all__ = ["make", "register"]

_KINDS: Mapping[str, Callable[..., Consumer]] = {JsonLines.kind: JsonLines, Webhook.kind: Webhook}


def register(catalog: Catalog, consumer: Consumer, after: int = 0) -> ConsumerRecord:
    """Register a consumer, unless it is already.

    Args:
        after: the number of the last event that it shall not get.

    Raises:
        AlreadyExistsError: there is another one of that name.
        DataError: it has no name.
    """
    if not consumer.name:
        raise DataError("A consumer needs a name.", fix="Give one, such as name='audit'.")
    kind, settings = (consumer.kind, consumer.settings()) if isinstance(consumer, Stored) else ("", {})
    condition = consumer.filter.to_dict()
    return catalog.consumers.add(consumer.name, kind=kind, settings=settings, condition=condition, position=after)


def make(record: ConsumerRecord) -> Consumer | None:
    """The consumer that is registered so; None if only the program that registered it can make it.

    Raises:
        CorruptionError: the catalog does not say how.
    """
    if not record.kind:
        return None
    try:
        return _KINDS[record.kind](**record.settings, name=record.name, filter=Filter.from_dict(record.condition))
    except (KeyError, TypeError, DataError) as error:
        raise CorruptionError(
            f"The consumer {record.name!r} of kind {record.kind!r} cannot be made ({type(error).__name__}: {error}).",
            why="The catalog is damaged, or a newer Groundswell registered it.",
            fix=f"Remove it with project.remove_consumer({record.name!r}) and add it again.",
            name=record.name,
        ) from None
