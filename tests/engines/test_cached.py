"""A cache of decoded parts: the rows of the source, read once as far as there is room, and files that go away."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from groundswell.engines import Cached, Roles, TableBatches, fold
from groundswell.engines._scannable import Part
from groundswell.errors import ColumnNotFoundError
from groundswell.statistics import Gram

_NAMES = ["a", "b"]
_PART_BYTES = 2 * 8 * 100


class _Counted:
    """Ten parts of 100 rows; it counts how often one is read."""

    schema, rows = pa.schema([(name, pa.float64()) for name in ("a", "b", "c")]), 1000

    def __init__(self) -> None:
        self.reads = 0

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        for number in range(10):
            yield lambda number=number: self._read(number, columns)

    def _read(self, number: int, columns: Sequence[str]) -> pa.Table:
        self.reads += 1
        values = np.random.default_rng(number).standard_normal((3, 100))
        return pa.table(list(values), schema=self.schema).select(list(columns))


def _rows(source: _Counted | Cached, columns: list[str]) -> pa.Table:
    parts = [part() for part in source.parts(columns)]
    return pa.concat_tables(
        [part if isinstance(part, pa.Table) else pa.Table.from_batches([part]) for part in parts]
    ).combine_chunks()


@pytest.mark.parametrize(
    ("in_memory", "on_disk", "read_again"), [(10, 0, 0), (0, 10, 0), (3, 4, 3), (4, 0, 6), (0, 0, 10)]
)
def test_later_passes_read_only_what_found_no_room(
    tmp_path: Path, in_memory: int, on_disk: int, read_again: int
) -> None:
    source, expected = _Counted(), _rows(_Counted(), _NAMES)
    sizes = {"memory_bytes": in_memory * _PART_BYTES, "disk_bytes": on_disk * _PART_BYTES}
    with Cached(source, _NAMES, folder=tmp_path, **sizes) as cache:
        assert _rows(cache, _NAMES).equals(expected)
        for number in range(1, 3):
            assert _rows(cache, _NAMES).equals(expected)
            assert source.reads == 10 + number * read_again
        assert _rows(cache, ["b"]).equals(expected.select(["b"]))
        assert len(list(tmp_path.rglob("*.arrow"))) == on_disk
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("error", [OSError("gone"), KeyboardInterrupt()])
def test_files_go_away_when_a_pass_fails(tmp_path: Path, error: BaseException) -> None:
    with (  # noqa: PT012  # the cache must be closed by the error
        pytest.raises(type(error)),
        Cached(_Counted(), _NAMES, memory_bytes=0, disk_bytes=1 << 20, folder=tmp_path) as cache,
    ):
        _rows(cache, _NAMES)
        assert list(tmp_path.rglob("*.arrow"))
        raise error
    assert not list(tmp_path.iterdir())


def test_columns_that_are_not_kept_come_from_the_source() -> None:
    source = _Counted()
    with Cached(source, _NAMES) as cache:
        assert _rows(cache, ["c"]).equals(_rows(_Counted(), ["c"]))
        assert source.reads == 10
        with pytest.raises(ColumnNotFoundError):
            _rows(cache, ["d"])
    with pytest.raises(ColumnNotFoundError):
        Cached(source, ["d"])


@pytest.mark.parametrize("threads", [1, 4])
def test_a_fold_over_the_cache_has_the_bits_of_one_over_the_source(tmp_path: Path, threads: int) -> None:
    roles = Roles(X=("a", "b"))
    expected = fold(TableBatches(_Counted(), roles), Gram(), threads=1).result().scatter
    with Cached(_Counted(), _NAMES, memory_bytes=4 * _PART_BYTES, disk_bytes=3 * _PART_BYTES, folder=tmp_path) as cache:
        for _ in range(3):
            result = fold(TableBatches(cache, roles), Gram(), threads=threads).result()
            np.testing.assert_array_equal(result.scatter, expected)
