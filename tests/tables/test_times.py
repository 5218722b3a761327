from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import DataError, TypeMismatchError
from groundswell.tables import cast_column
from groundswell.types import TIMESTAMP, Field

FIELD = Field("t", TIMESTAMP)
NEW_YORK = "America/New_York"
zones = st.sampled_from(["UTC", NEW_YORK, "Europe/Stockholm", "Australia/Lord_Howe", "Asia/Kathmandu"])
moments = st.datetimes(datetime(1980, 1, 1), datetime(2030, 1, 1))  # noqa: DTZ001


def cast(values, kind=None, **options):
    return cast_column(pa.array(values, kind), FIELD, **options).to_pylist()


def instant(naive: datetime, zone: str) -> datetime | None:
    """By trying: the one moment in UTC that the clocks of the zone show so; None if there are two or none."""
    guesses = {naive.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)}
    shown = [g for g in guesses if g.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == naive]
    return shown[0] if len(shown) == 1 else None


@given(moments, zones)
def test_a_local_time_is_the_moment_at_which_its_clocks_show_it(naive, zone):
    expected = instant(naive, zone)
    for values, kind in (([naive], pa.timestamp("us")), ([naive.isoformat()], pa.string())):
        if expected is None:
            with pytest.raises(DataError, match="twice or not at all"):
                cast(values, kind, time_zone=zone)
        else:
            assert cast(values, kind, time_zone=zone) == [expected]


@given(moments, zones)
def test_a_time_with_a_zone_is_that_moment_whatever_zone_is_named(naive, zone):
    moment = naive.replace(tzinfo=UTC)
    texts = [moment.astimezone(ZoneInfo(zone)).isoformat()]
    assert cast(texts, time_zone="Asia/Tokyo") == cast(texts) == [moment]
    assert cast([moment], pa.timestamp("us", zone), time_zone="Asia/Tokyo") == [moment]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([None, datetime(2024, 1, 1)], pa.timestamp("ns")), ([None, date(2024, 1, 1)], pa.date32()),  # noqa: DTZ001
        ([None, "2024-01-01T00:00"], pa.string()), (["2024-01-01"], pa.large_string()),
    ],
    ids=str,
)  # fmt: skip
def test_a_time_without_a_zone_is_refused_with_its_value_unless_one_is_named(values, kind):
    with pytest.raises(DataError, match="'2024-01-01") as caught:
        cast(values, kind)
    assert "time_zone=" in caught.value.fix
    assert cast(values, kind, time_zone=NEW_YORK)[-1] == datetime(2024, 1, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2013-11-03T01:30", "2013-03-10T02:30"])
def test_hours_that_clocks_show_twice_or_never_are_refused_with_their_row(text):
    for values in ([None, text], [None, datetime.fromisoformat(text)]):
        with pytest.raises(DataError, match="row 1") as caught:
            cast(values, time_zone=NEW_YORK)
        assert text[:10] in caught.value.what
        assert NEW_YORK in caught.value.what


@pytest.mark.parametrize(
    "texts", [["2024-01-01T00:00Z", "2024-01-01T00:00"], ["2024-01-01T00:00Z", "2024-01-01T00:00+01:00"]]
)
def test_texts_of_several_zones_are_refused(texts):
    with pytest.raises(DataError, match="mixes the time zones"):
        cast(texts, time_zone="UTC")


@pytest.mark.parametrize("text", ["tomorrow", "", "1/2/2024", "2024-13-01", "2024-01-01T00:00:00.0000001Z"])
def test_text_that_is_no_time_is_refused_with_its_row(text):
    with pytest.raises(DataError, match="row 6, ") as caught:
        cast(["2024-01-01T00:00:00.000001Z", text], offset=5)
    assert caught.value.value == text


@pytest.mark.parametrize(
    ("number", "kind"),
    [(1, pa.timestamp("ns", "UTC")), (2**62, pa.timestamp("s", "UTC")), (253_402_300_800_000_000, TIMESTAMP),
     (-62_135_596_800_000_001, TIMESTAMP)],
    ids=str,
)  # fmt: skip
def test_moments_that_cannot_be_kept_are_refused_with_their_row(number, kind):
    with pytest.raises(TypeMismatchError, match="row 1"):
        cast_column(pa.array([0, number], pa.int64()).cast(kind), FIELD)
    with pytest.raises(TypeMismatchError, match="9999"):
        cast(["9999-12-31T23:59-05:00"])


def test_the_first_and_last_moments_are_kept():
    ends = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
    assert cast(ends, TIMESTAMP) == ends
    assert cast([e.isoformat() for e in ends]) == ends


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.bool_(), pa.duration("us"), pa.time64("us")], ids=str)
def test_what_is_no_time_is_refused_by_its_type(kind):
    with pytest.raises(TypeMismatchError, match="no time") as caught:
        cast([None], kind)
    assert "to_datetime" in caught.value.fix


def test_whole_microseconds_of_a_finer_unit_are_kept():
    assert cast([1_000], pa.timestamp("ns", "UTC")) == [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=1)]
