"""What differs between runs."""

from collections.abc import Iterator, Sequence

import pandas as pd

from groundswell.experiments._run import Run

__all__ = ["differences"]


def differences(runs: Sequence[Run]) -> pd.DataFrame:
    """A table with a row for each parameter, metric or fact that is not the same in all runs, and a column per run.

    The index has two levels: what kind of fact it is, and its name. A fact that a run lacks is None.
    """
    columns = [dict(_facts(run)) for run in runs]
    names = list(dict.fromkeys(name for column in columns for name in column))
    differing = [name for name in names if len({repr(column.get(name)) for column in columns}) > 1]
    table = [[column.get(name) for column in columns] for name in differing]
    index = (
        pd.MultiIndex.from_tuples(differing, names=["", "name"]) if differing else pd.MultiIndex.from_arrays([[], []])
    )
    return pd.DataFrame(table, index=index, columns=[run.short_id for run in runs], dtype=object)


def _facts(run: Run) -> Iterator[tuple[tuple[str, str], object]]:
    yield ("run", "name"), run.name
    yield ("run", "state"), run.state
    for name, value in run.params.items():
        yield ("parameter", name), value
    for name, metric in run.metrics.items():
        yield ("metric", name), metric
    yield ("data", "training data"), str(run.data)
    for group, version in run.data.pins.items():
        yield ("data", group), version
    yield ("code", "function"), f"{run.code['module']}.{run.code['qualname']}"
    yield ("code", "source"), run.code["source"]
    for name, value in {**run.code["captured"], **run.code["arguments"]}.items():
        yield ("code", name), value
    git = run.code["git"] or {}
    yield ("code", "commit"), git.get("commit")
    yield ("code", "diff"), git.get("diff_digest")
    yield ("environment", "python"), run.environment["python"]
    yield ("environment", "platform"), run.environment["platform"]
    for name, version in run.environment["packages"].items():
        yield ("environment", name), version
