"""The suite must pass the reference, and must catch every engine that breaks a rule."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from groundswell.testing import GroupData, PointInTimeConformance, reference_join
from groundswell.types import TIMESTAMP

Join = Callable[[Sequence[GroupData], pa.Table, str], pa.Table]
MICROSECOND = timedelta(microseconds=1)


class TestReference(PointInTimeConformance):
    def join(self, groups: Sequence[GroupData], labels: pa.Table, event_time: str) -> pa.Table:
        return reference_join(groups, labels, event_time)


class TestReferenceThatRefusesNulls(PointInTimeConformance):
    refusals = (LookupError,)

    def join(self, groups: Sequence[GroupData], labels: pa.Table, event_time: str) -> pa.Table:
        for group in groups:
            for name in (*group.primary_key, group.event_time, group.available_at):
                if name and any(commit[name].null_count for commit in group.commits):
                    raise LookupError(name)
        return reference_join(groups, labels, event_time)


MUTANTS: dict[str, tuple[str, Join]] = {}
"""Engines that are wrong in one way, by what they do wrong; each with a rule that must catch it."""


def breaks(rule: str) -> Callable[[Join], Join]:
    def register(join: Join) -> Join:
        MUTANTS[join.__name__] = rule, join
        return join

    return register


def of_each_group(change: Callable[[GroupData], GroupData]) -> Join:
    return lambda groups, labels, time: reference_join([change(group) for group in groups], labels, time)


def map_column(table: pa.Table, name: str, change: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, change(table[name]))


def map_commits(group: GroupData, change: Callable[[pa.Table], pa.Table]) -> GroupData:
    return replace(group, commits=tuple(change(commit) for commit in group.commits))


def shifted(column: pa.ChunkedArray, by: timedelta) -> pa.ChunkedArray:
    return pc.add(column.cast(TIMESTAMP), pa.scalar(by, pa.duration("us")))


def one_label_at_a_time(groups: Sequence[GroupData], labels: pa.Table, time: str, see: Callable) -> pa.Table:
    """Join each label on its own to what `see(group, label's time)` makes of each group."""
    joined = [reference_join(groups, labels.slice(0, 0), time)]
    for i in range(len(labels)):
        moment = labels[time].cast(TIMESTAMP)[i]
        joined.append(reference_join([see(group, moment) for group in groups], labels.slice(i, 1), time))
    return pa.concat_tables(joined)


def rows_until(group: GroupData, column: str | None, moment: pa.Scalar) -> GroupData:
    if column is None or not moment.is_valid:
        return group
    return map_commits(group, lambda rows: rows.filter(pc.less_equal(rows[column].cast(TIMESTAMP), moment)))


@breaks("a_row_at_exactly_the_label_time_matches")
def excludes_the_exact_time(groups, labels, time):
    shift = map_column(labels, time, lambda t: shifted(t, -MICROSECOND))
    return map_column(reference_join(groups, shift, time), time, lambda _: labels[time])


@breaks("one_microsecond_decides")
def includes_a_microsecond_too_much(groups, labels, time):
    shift = map_column(labels, time, lambda t: shifted(t, MICROSECOND))
    return map_column(reference_join(groups, shift, time), time, lambda _: labels[time])


@breaks("two_events_one_microsecond_apart_stay_apart")
def compares_milliseconds(groups, labels, time):
    floor = lambda t: pc.floor_temporal(t.cast(TIMESTAMP), unit="millisecond")  # noqa: E731
    coarse = [
        map_commits(g, lambda rows, g=g: map_column(rows, g.event_time, floor)) if g.event_time else g for g in groups
    ]
    shift = map_column(labels, time, floor)
    return map_column(reference_join(coarse, shift, time), time, lambda _: labels[time])


@breaks("the_hour_that_a_clock_shows_twice_is_two_hours")
def reads_the_clock_on_the_wall(groups, labels, time):
    def local(t):
        return pc.local_timestamp(t).cast(TIMESTAMP) if t.type.tz else t

    shift = map_column(labels, time, local)
    return map_column(reference_join(groups, shift, time), time, lambda _: labels[time])


MUTANTS["ignores_max_age"] = (
    "labels_stay_when_everything_is_older_than_max_age",
    of_each_group(lambda g: replace(g, max_age=None)),
)
MUTANTS["excludes_the_exact_max_age"] = (
    "max_age_counts_the_exact_age_and_not_a_microsecond_more",
    of_each_group(lambda g: replace(g, max_age=g.max_age and max(g.max_age - MICROSECOND, timedelta(0)))),
)
MUTANTS["allows_a_little_more_than_max_age"] = (
    "max_age_counts_the_exact_age_and_not_a_microsecond_more",
    of_each_group(lambda g: replace(g, max_age=None if g.max_age is None else g.max_age + MICROSECOND)),
)
MUTANTS["takes_a_max_age_of_zero_for_none"] = (
    "a_max_age_of_zero_leaves_the_exact_time",
    of_each_group(lambda g: replace(g, max_age=g.max_age or None)),
)


@breaks("a_label_without_a_match_gets_nulls")
def drops_labels_without_a_match(groups, labels, time):
    result = reference_join(groups, labels, time)
    for group in groups:
        for column in group.columns:
            result = result.filter(pc.is_valid(result[group.prefix + column]))
    return result


@breaks("a_null_label_time_gets_nulls_and_stays")
def drops_labels_with_a_null_time(groups, labels, time):
    return reference_join(groups, labels.filter(pc.is_valid(labels[time])), time)


@breaks("a_null_label_key_gets_nulls_and_stays")
def drops_labels_with_a_null_key(groups, labels, time):
    for name in {name for group in groups for name in group.label_keys}:
        labels = labels.filter(pc.is_valid(labels[name]))
    return reference_join(groups, labels, time)


@breaks("labels_stay_when_everything_is_older_than_max_age")
def drops_labels_that_are_too_old(groups, labels, time):
    result = reference_join(groups, labels, time)
    for group in groups:
        if group.max_age is not None:
            result = result.filter(pc.is_valid(result[group.prefix + group.columns[0]]))
    return result


def distinct(table: pa.Table) -> pa.Table:
    rows = table.to_pylist()
    return table.take(pa.array([i for i, row in enumerate(rows) if row not in rows[:i]], pa.int64()))


@breaks("duplicate_label_rows_stay")
def collapses_duplicate_labels(groups, labels, time):
    return reference_join(groups, distinct(labels), time)


@breaks("label_rows_come_back_in_their_order")
def sorts_by_time(groups, labels, time):
    result = reference_join(groups, labels, time)
    return result.take(pc.sort_indices(result[time].cast(TIMESTAMP)))


@breaks("a_null_key_in_the_group_matches_no_label")
def null_keys_equal_each_other(groups, labels, time):
    def filled(table, names):
        for name in names:
            if pa.types.is_string(table[name].type):
                table = map_column(table, name, lambda c: c.fill_null("\0"))
        return table

    names = {name for group in groups for name in group.label_keys}
    changed = [map_commits(g, lambda rows, g=g: filled(rows, g.primary_key)) for g in groups]
    result = reference_join(changed, filled(labels, names), time)
    for name in names:
        result = map_column(result, name, lambda _, name=name: labels[name])
    return result


@breaks("a_null_label_key_gets_nulls_and_stays")
def a_null_key_is_the_empty_text(groups, labels, time):
    names = [n for n in {n for g in groups for n in g.label_keys} if pa.types.is_string(labels[n].type)]
    filled = labels
    for name in names:
        filled = map_column(filled, name, lambda c: c.fill_null(""))
    result = reference_join(groups, filled, time)
    for name in names:
        result = map_column(result, name, lambda _, name=name: labels[name])
    return result


@breaks("a_null_label_time_gets_nulls_and_stays")
def a_null_label_time_means_now(groups, labels, time):
    late = pa.scalar(2**60, pa.int64()).cast(TIMESTAMP)
    filled = map_column(labels, time, lambda t: t.cast(TIMESTAMP).fill_null(late))
    return map_column(reference_join(groups, filled, time), time, lambda _: labels[time])


MUTANTS["the_first_version_counts"] = (
    "of_two_versions_the_later_commit_counts",
    of_each_group(
        lambda g: replace(g, commits=tuple(c.take(pa.array(range(len(c)))[::-1]) for c in reversed(g.commits)))
    ),
)
MUTANTS["the_first_of_a_batch_counts"] = (
    "of_two_versions_in_one_batch_the_last_counts",
    of_each_group(lambda g: map_commits(g, lambda rows: rows.take(pa.array(range(len(rows)), pa.int64())[::-1]))),
)
MUTANTS["an_old_event_written_later_counts"] = (
    "an_older_event_written_later_does_not_match",
    (
        lambda groups, labels, time: one_label_at_a_time(
            groups, labels, time, lambda g, t: replace(rows_until(g, g.event_time, t), event_time=None)
        )
    ),
)
MUTANTS["ignores_availability"] = (
    "a_late_row_is_seen_from_its_availability_on",
    of_each_group(lambda g: replace(g, available_at=None)),
)
MUTANTS["takes_the_availability_for_the_event_time"] = (
    "a_row_known_before_it_happens_waits_for_its_event_time",
    of_each_group(lambda g: replace(g, event_time=g.available_at or g.event_time, available_at=None)),
)


def corrections_replace(group: GroupData) -> GroupData:
    """Keep of each (key, event time) only the version that was written last, whenever it became known."""
    if group.available_at is None:
        return group
    rows = pa.concat_tables(group.commits)
    names = [*group.primary_key, group.event_time]
    identities = [tuple(row[n] for n in names) for row in rows.select(names).to_pylist()]
    keep = [i for i, identity in enumerate(identities) if identity not in identities[i + 1 :]]
    return replace(group, commits=(rows.take(pa.array(keep, pa.int64())),))


MUTANTS["corrections_replace_what_was_known"] = (
    "a_later_correction_never_hides_what_was_known_before",
    of_each_group(corrections_replace),
)
MUTANTS["of_corrections_the_last_written_counts"] = (
    "of_equal_event_times_the_last_available_matches_whatever_the_order_of_writing",
    (
        lambda groups, labels, time: one_label_at_a_time(
            groups, labels, time, lambda g, t: replace(rows_until(g, g.available_at, t), available_at=None)
        )
    ),
)


@breaks("a_newer_event_beats_a_later_correction_of_an_older_one")
def the_last_available_counts_whatever_its_event(groups, labels, time):
    def see(group, moment):
        if group.available_at is None:
            return group
        return replace(rows_until(group, group.event_time, moment), event_time=group.available_at, available_at=None)

    return one_label_at_a_time(groups, labels, time, see)


@breaks("max_age_counts_from_the_event_not_from_the_availability")
def max_age_counts_from_the_availability(groups, labels, time):
    def see(group, moment):
        if group.available_at is None or group.max_age is None or not moment.is_valid:
            return group
        oldest = pa.scalar(moment.as_py() - group.max_age, TIMESTAMP)
        fresh = map_commits(group, lambda rows: rows.filter(pc.greater_equal(rows[group.available_at], oldest)))
        return replace(fresh, max_age=None)

    return one_label_at_a_time(groups, labels, time, see)


def where_first(group: GroupData) -> GroupData:
    if group.where is None:
        return group
    kept = map_commits(
        group, lambda rows: rows.filter(pa.array([group.where.holds(r) for r in rows.to_pylist()], pa.bool_()))
    )
    return replace(kept, where=None)


MUTANTS["where_before_folding"] = (
    "a_version_that_fails_the_condition_does_not_bring_back_the_one_it_replaced",
    of_each_group(where_first),
)
MUTANTS["ignores_where"] = (
    "a_row_that_fails_the_condition_lets_the_one_before_match",
    of_each_group(lambda g: replace(g, where=None)),
)


@breaks("a_row_that_fails_the_condition_lets_the_one_before_match")
def where_after_matching(groups, labels, time):
    result = labels
    for group in groups:
        if group.where is None:
            result = reference_join([group], result, time)
            continue
        probe = replace(group, where=None, prefix="\1", columns=(group.where.column, *group.columns))
        matched = reference_join([probe], labels, time)
        keep = [
            group.where.holds({group.where.column: value}) for value in matched[f"\1{group.where.column}"].to_pylist()
        ]
        for column in group.columns:
            values = [v if ok else None for v, ok in zip(matched[f"\1{column}"].to_pylist(), keep, strict=True)]
            result = result.append_column(group.prefix + column, [pa.array(values, group.schema.field(column).type)])
    return result


@breaks("a_null_does_not_meet_a_condition")
def a_null_meets_every_condition(groups, labels, time):
    class Loose:
        def __init__(self, where):
            self.where = where

        def holds(self, row):
            return row[self.where.column] is None or self.where.holds(row)

    return reference_join([replace(g, where=g.where and Loose(g.where)) for g in groups], labels, time)


MUTANTS["joins_only_groups_with_event_time"] = (
    "a_group_without_event_time_is_the_same_at_all_times",
    of_each_group(lambda g: g if g.event_time else map_commits(g, lambda rows: rows.slice(0, 0))),
)
MUTANTS["a_group_without_event_time_keeps_its_first_rows"] = (
    "a_group_without_event_time_is_the_same_at_all_times",
    of_each_group(lambda g: g if g.event_time else replace(g, commits=g.commits[:1])),
)


@breaks("a_group_is_joined_twice_under_two_roles")
def every_role_is_the_first_role(groups, labels, time):
    first = {g.name: g for g in reversed(groups)}
    changed = [
        replace(g, on=first[g.name].on, where=first[g.name].where, max_age=first[g.name].max_age) for g in groups
    ]
    return reference_join(changed, labels, time)


@breaks("a_label_column_with_the_name_of_a_mapped_key_is_only_a_column")
def keys_by_name_whatever_the_map(groups, labels, time):
    return reference_join(
        [replace(g, on=None) if set(g.primary_key) <= set(labels.column_names) else g for g in groups], labels, time
    )


@breaks("composite_keys_may_be_mapped_in_any_order")
def keys_by_position_of_the_map(groups, labels, time):
    changed = [g if g.on is None else replace(g, on=dict(zip(g.on, g.primary_key, strict=True))) for g in groups]
    return reference_join(changed, labels, time)


def pasted(table: pa.Table, names: Sequence[str], to: str) -> pa.Table:
    rows = zip(*(table[name].to_pylist() for name in names), strict=True)
    keys = [None if None in row else "".join(map(str, row)) for row in rows]
    return table.append_column(to, [pa.array(keys, pa.string())])


@breaks("keys_that_look_alike_when_pasted_are_told_apart")
def pastes_keys(groups, labels, time):
    wide, changed = labels, []
    for i, group in enumerate(groups):
        key = f"\1{i}"
        wide = pasted(wide, group.label_keys, key)
        changed.append(
            replace(
                map_commits(group, lambda c, g=group, key=key: pasted(c, g.primary_key, key)),
                primary_key=(key,),
                on=None,
            )
        )
    return reference_join(changed, wide, time).drop_columns([f"\1{i}" for i in range(len(groups))])


def with_keys(change: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> Join:
    def join(groups, labels, time):
        wide, changed = labels, []
        for i, group in enumerate(groups):
            names = [f"\1{i}_{j}" for j in range(len(group.primary_key))]
            for name, label_key in zip(names, group.label_keys, strict=True):
                wide = wide.append_column(name, change(labels[label_key]))
            commits = []
            for commit in group.commits:
                for name, key in zip(names, group.primary_key, strict=True):
                    commit = commit.append_column(name, change(commit[key]))
                commits.append(commit)
            changed.append(replace(group, commits=tuple(commits), primary_key=tuple(names), on=None))
        result = reference_join(changed, wide, time)
        return result.select([name for name in result.column_names if not name.startswith("\1")])

    return join


def only(check: Callable[[pa.DataType], bool], change: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> Join:
    return with_keys(lambda column: change(column) if check(column.type) else column)


MUTANTS["integer_keys_become_floats"] = (
    "keys_that_look_alike_are_told_apart",
    only(pa.types.is_int64, lambda c: c.cast(pa.float64(), safe=False)),
)
MUTANTS["decimal_keys_become_integers"] = (
    "keys_that_look_alike_are_told_apart",
    only(pa.types.is_decimal, lambda c: c.cast(pa.float64()).cast(pa.int64(), safe=False)),
)
MUTANTS["text_keys_ignore_case"] = "keys_that_look_alike_are_told_apart", only(pa.types.is_string, pc.utf8_lower)
MUTANTS["text_keys_are_trimmed"] = (
    "keys_that_look_alike_are_told_apart",
    only(pa.types.is_string, pc.utf8_trim_whitespace),
)
MUTANTS["text_keys_are_normalized"] = (
    "keys_that_look_alike_are_told_apart",
    only(pa.types.is_string, lambda c: pc.utf8_normalize(c, form="NFC")),
)
MUTANTS["time_keys_lose_microseconds"] = (
    "keys_that_look_alike_are_told_apart",
    only(pa.types.is_timestamp, lambda c: pc.floor_temporal(c, unit="millisecond")),
)
MUTANTS["only_the_first_key_column_counts"] = (
    "a_composite_key_mixes_types",
    (
        lambda groups, labels, time: reference_join(
            [
                replace(g, primary_key=g.primary_key[:1], on=g.on and {g.label_keys[0]: g.primary_key[0]})
                for g in groups
            ],
            labels,
            time,
        )
    ),
)


def values_changed(change: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> Join:
    def join(groups, labels, time):
        result = reference_join(groups, labels, time)
        for group in groups:
            for column in group.columns:
                result = map_column(result, group.prefix + column, change)
        return result

    return join


MUTANTS["integers_become_floats"] = (
    "values_and_their_type_arrive_unchanged",
    values_changed(lambda c: c.cast(pa.float64(), safe=False) if pa.types.is_integer(c.type) else c),
)
MUTANTS["small_integers_become_large"] = (
    "values_and_their_type_arrive_unchanged",
    values_changed(lambda c: c.cast(pa.int64()) if c.type == pa.int8() else c),
)
MUTANTS["nan_becomes_null"] = (
    "values_and_their_type_arrive_unchanged",
    values_changed(lambda c: pc.if_else(pc.is_nan(c), pa.scalar(None, c.type), c) if c.type == pa.float64() else c),
)
MUTANTS["null_becomes_zero"] = (
    "a_null_in_the_matching_row_is_the_value",
    values_changed(lambda c: c.fill_null(0) if pa.types.is_integer(c.type) else c),
)
MUTANTS["empty_lists_become_null"] = (
    "values_and_their_type_arrive_unchanged",
    values_changed(
        lambda c: (
            pa.chunked_array([pa.array([v or None for v in c.to_pylist()], c.type)]) if pa.types.is_list(c.type) else c
        )
    ),
)
MUTANTS["decimals_become_floats"] = (
    "values_and_their_type_arrive_unchanged",
    values_changed(lambda c: c.cast(pa.float64()) if pa.types.is_decimal(c.type) else c),
)


@breaks("a_null_in_the_matching_row_is_the_value")
def a_null_value_lets_the_one_before_match(groups, labels, time):
    def known(group):
        return map_commits(group, lambda rows: rows.filter(pc.is_valid(rows[group.columns[0]])))

    return reference_join([known(group) for group in groups], labels, time)


@breaks("a_label_keeps_its_match_in_one_group_when_another_has_none")
def one_missing_match_hides_the_others(groups, labels, time):
    result = reference_join(groups, labels, time)
    names = [group.prefix + column for group in groups for column in group.columns]
    if not names:
        return result
    whole = [all(row[name] is not None for name in names) for row in result.to_pylist()]
    for name in names:
        values = [v if ok else None for v, ok in zip(result[name].to_pylist(), whole, strict=True)]
        result = map_column(result, name, lambda c, values=values: pa.chunked_array([pa.array(values, c.type)]))
    return result


@breaks("a_group_is_joined_twice_under_two_roles")
def forgets_the_prefix(groups, labels, time):
    result = reference_join(groups, labels, time)
    names = [column for group in groups for column in group.columns]
    return result.rename_columns([*labels.column_names, *names])


@breaks("many_columns_keep_their_places")
def sorts_the_columns(groups, labels, time):
    result = reference_join(groups, labels, time)
    return result.select(sorted(result.column_names))


@breaks("an_empty_group_gives_nulls")
def fails_on_empty_groups(groups, labels, time):
    if not all(sum(map(len, group.commits)) for group in groups):
        raise ValueError("No files found")
    return reference_join(groups, labels, time)


@breaks("empty_labels_give_an_empty_result")
def fails_on_empty_labels(groups, labels, time):
    if not len(labels):
        raise ValueError("No rows")
    return reference_join(groups, labels, time)


@breaks("features_may_have_any_name")
def treats_names_as_sql(groups, labels, time):
    names = [*labels.column_names, *(n for g in groups for n in g.schema.names)]
    if not all(name.replace("_", "a").isidentifier() for name in names):
        raise ValueError("syntax error")
    return reference_join(groups, labels, time)


@breaks("features_may_have_any_name")
def has_columns_of_its_own(groups, labels, time):
    if "rowid" in labels.column_names or any("rowid" in group.schema.names for group in groups):
        raise ValueError("ambiguous column rowid")
    return reference_join(groups, labels, time)


def rules() -> Iterator[tuple[str, Callable[[PointInTimeConformance], None]]]:
    """Each rule of the suite with each of its parameters."""
    for name, rule in inspect.getmembers(PointInTimeConformance, inspect.isfunction):
        if name.startswith("test_"):
            marks = [mark for mark in getattr(rule, "pytestmark", []) if mark.name == "parametrize"]
            for values in product(*(mark.args[1] for mark in marks)):
                arguments = {mark.args[0]: value for mark, value in zip(marks, values, strict=True)}
                yield name, lambda suite, rule=rule, arguments=arguments: rule(suite, **arguments)


def broken_rules(join: Join, only_rule: str | None = None) -> list[str]:
    class Suite(PointInTimeConformance):
        def join(self, groups: Sequence[GroupData], labels: pa.Table, event_time: str) -> pa.Table:
            return join(groups, labels, event_time)

    broken = []
    for name, rule in rules():
        if only_rule not in (None, name):
            continue
        try:
            rule(Suite())
        except Exception:  # noqa: BLE001 - a wrong engine may fail in any way
            broken.append(name)
    return broken


def test_the_reference_breaks_no_rule():
    assert broken_rules(reference_join) == []


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_engine_breaks_the_rule_that_it_ignores(name):
    rule, join = MUTANTS[name]
    assert f"test_{rule}" in broken_rules(join, f"test_{rule}")


def test_every_rule_catches_a_wrong_engine():
    caught = {rule for _, join in MUTANTS.values() for rule in broken_rules(join)}
    assert {name for name, _ in rules()} == caught


def test_the_suite_cannot_be_used_without_a_join():
    with pytest.raises(TypeError, match="join"):
        PointInTimeConformance()
