"""The engine obeys every rule of the point-in-time join."""

from collections.abc import Iterator, Sequence
from itertools import count
from operator import eq, ge, gt, le, lt, ne
from pathlib import Path

import pyarrow as pa
import pytest

from groundswell.catalog import Catalog
from groundswell.engines import AsOfJoin, DuckDB, PointInTimeJoin, Rows, Scan
from groundswell.errors import DataError
from groundswell.expressions import col
from groundswell.tables import Definition, Table
from groundswell.testing import GroupData, PointInTimeConformance
from groundswell.types import TIMESTAMP, Schema

COMPARISONS = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


class Room:
    """Tables and an engine, without the rooms above them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.numbers = folder, count(1)
        self.catalog = Catalog.create(f"sqlite:///{folder / 'catalog.db'}")
        self.engine = DuckDB()

    def join(self, groups: Sequence[GroupData], labels: pa.Table, event_time: str) -> pa.Table:
        tables = {group.name: self.table_of(group) for group in {group.name: group for group in groups}.values()}
        joins = tuple(self.join_of(number, group, tables[group.name]) for number, group in enumerate(groups))
        place = labels.schema.get_field_index(event_time)
        left = labels.set_column(place, event_time, labels[event_time].cast(TIMESTAMP))
        plan = PointInTimeJoin(left=Rows(table=left), time=event_time, outputs=tuple(labels.column_names), joins=joins)
        return self.engine.join(plan)[0].read_all()

    def table_of(self, group: GroupData) -> Table:
        name = f"{group.name}_{next(self.numbers)}"
        definition = Definition.of(
            name, group.primary_key, group.event_time, group.available_at, Schema.from_arrow(group.schema)
        )
        table = Table(
            table_id=self.catalog.add("feature_group", name, {}).id,
            folder=self.folder / name,
            definition=definition,
            catalog=self.catalog,
            engine=self.engine,
            author="me@here",
        )
        table.folder.mkdir()
        table.create()
        for commit in group.commits:
            table.commit(table.stage(commit))
        return table

    def join_of(self, number: int, group: GroupData, table: Table) -> AsOfJoin:
        where = group.where and COMPARISONS[group.where.operator](col(group.where.column), group.where.value)
        return AsOfJoin(
            name=str(number),
            scan=Scan(snapshot=table.snapshot(), columns=group.columns, where=where),
            on=tuple(zip(group.label_keys, group.primary_key, strict=True)),
            outputs=tuple(group.prefix + column for column in group.columns),
            max_age=group.max_age,
        )

    def close(self) -> None:
        self.engine.close()
        self.catalog.close()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    room = Room(tmp_path_factory.mktemp("rules"))
    yield room
    room.close()


class TestDuckDB(PointInTimeConformance):
    refusals = (DataError,)

    @pytest.fixture(autouse=True)
    def enter(self, room: Room) -> None:
        self.room = room

    def join(self, groups: Sequence[GroupData], labels: pa.Table, event_time: str) -> pa.Table:
        return self.room.join(groups, labels, event_time)
