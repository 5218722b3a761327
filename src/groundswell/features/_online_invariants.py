"""What must be true of a group in the online store: it has followed every commit, and holds what a new one would."""

import tempfile
from collections.abc import Iterator

from groundswell.catalog import Entry
from groundswell.diagnosis import Finding
from groundswell.features._feature_groups import FeatureGroups
from groundswell.features._group import FeatureGroup
from groundswell.online import Lmdb, count_differences
from groundswell.tables import streams

__all__ = ["check_online"]


def check_online(entry: Entry, groups: FeatureGroups, *, thorough: bool) -> Iterator[Finding]:
    """What is wrong in the online store with a group that is online.

    Args:
        entry: the group's.
        groups: opens it, and knows the store.
        thorough: whether to build the group in a store of its own and compare.
    """
    if entry.state != "ready":
        return
    group, copies = groups.open(entry), groups.online
    table = group.committed_table
    position, version = copies.follower(table).position(), table.version()
    if position < version:

        def follow() -> str:
            return f"It is at version {copies.follow(table)} now."

        done = f"is at version {position}" if position >= 0 else "was not built"
        yield Finding(
            severity="warning",
            what=f"The {entry} has version {version}, and what the online store holds of it {done}.",
            where=repr(copies.store),
            fix=f"The next commit makes up for it, or now: groundswell online {entry.name}.",
            repair=follow,
        )
    elif thorough and not streams(table.folder):  # which the store shows before they are committed
        yield from _compare(entry, group, groups)


def _compare(entry: Entry, group: FeatureGroup, groups: FeatureGroups) -> Iterator[Finding]:
    copies, table = groups.online, group.committed_table
    before = table.version()
    with tempfile.TemporaryDirectory(prefix="groundswell-") as folder, Lmdb(folder) as anew:
        copies.follower(table, anew).rebuild()
        different = count_differences(table, (copies.store, anew), copies.clock)
    if (
        different == 0 or streams(table.folder) or table.version() != before
    ):  # somebody is writing: the two may be of different versions
        return

    def rebuild() -> str:
        return f"It was built from version {copies.rebuild(table)}."

    yield Finding(
        severity="error",
        what=f"For {different:,} keys of the {entry} the online store does not say what the table says.",
        where=repr(copies.store),
        fix=f"Build it again: groundswell online {entry.name} --rebuild.",
        repair=rebuild,
    )
