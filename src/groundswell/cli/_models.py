"""Commands about runs and models."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell.cli._options import HERE, AsJson, InProject, Limit, open_project
from groundswell.cli._text import print_json

if TYPE_CHECKING:
    from groundswell.experiments import Run
    from groundswell.models import ModelVersion

__all__ = ["models", "runs"]

_STATES = "running, finished or failed"
_PLOTS = "roc, pr, gain, calibration or confusion"


def runs(
    run_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Describe this one; the first digits do.", show_default="all")
    ] = None,
    project: InProject = HERE,
    name: Annotated[str | None, typer.Option(help="Only those of this name.")] = None,
    state: Annotated[str | None, typer.Option(help=f"Only those that are {_STATES}.")] = None,
    limit: Limit = 50,
    plot: Annotated[
        str | None, typer.Option(metavar="KIND", help=f"With an ID: plot each evaluation: {_PLOTS}.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the runs, newest first, or describe one.

    \b
    Example: groundswell runs --state finished
             groundswell runs 3f9c2a51 --plot roc

    \b
    Keys of --json: runs: [id, name, version, state, params, metrics, training_data, pins,
                    started_at, duration_s, created_by]
                    of one: these and code, environment, seed, evaluations, reads, error
    """
    from groundswell.cli._tables import print_table

    if plot is not None and run_id is None:
        raise typer.BadParameter("Say of which run: add its ID.", param_hint="--plot")
    with open_project(project) as opened:
        if run_id is not None:
            found = opened.get_run(run_id)
            if as_json:
                print_json(_run_in_full(found))
            elif plot is not None:
                for part, evaluation in found.evaluations.items():
                    typer.echo(f"{part}\n{evaluation.plot(plot)}")
            else:
                typer.echo(found.describe())
            return
        listed = [_run(run) for run in opened.runs.find(name=name, state=state, limit=limit)]
    if as_json:
        print_json({"runs": listed})
        return
    for run in listed:
        run["started_at"] = run["started_at"].replace(microsecond=0)
        run["id"] = run["id"][:8]
    columns = ("id", "name", "state", "started_at", "duration_s", "params", "metrics")
    print_table(
        ("run", "name", "state", "started", "seconds", "parameters", "metrics"),
        [[run[column] for column in columns] for run in listed],
        empty="There are no such runs. Make one from Python: project.run(fit, train).",
    )


def _run(run: "Run") -> dict[str, Any]:  # Any: JSON
    return {
        "id": run.id,
        "name": run.name,
        "version": run.version,
        "state": run.state,
        "params": run.params,
        "metrics": run.metrics,
        "training_data": str(run.data),
        "pins": run.data.pins,
        "started_at": run.started_at,
        "duration_s": run.duration_s,
        "created_by": run.created_by,
    }


def _run_in_full(run: "Run") -> dict[str, Any]:  # Any: JSON
    names = ("code", "environment", "seed", "reads", "error")
    return _run(run) | {name: getattr(run, name) for name in names} | {"evaluations": run.body["evaluations"]}


def models(
    reference: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]", help="The versions of this one; name:3 or name@alias describes one.", show_default="all"
        ),
    ] = None,
    project: InProject = HERE,
    as_json: AsJson = False,
) -> None:
    """List the models and their versions, newest first, or describe one version.

    \b
    Example: groundswell models
             groundswell models late_arrival@champion

    \b
    Keys of --json: models: [name, version, aliases, description, type, task, metrics, run_id,
                    training_data, created_at, created_by]
                    of one version: these and inputs, outputs: [name, type, nullable], classes,
                    parameters, file, digest, size_bytes
    """
    from groundswell.cli._tables import print_table

    with open_project(project) as opened:
        if reference is not None and (":" in reference or "@" in reference):
            found = opened.get_model(reference)
            if as_json:
                print_json(_model_in_full(found))
            else:
                typer.echo(found.describe())
            return
        listed = [_model(model) for model in opened.models.versions(reference)]
    if as_json:
        print_json({"models": listed})
        return
    for model in listed:
        model["created_at"] = model["created_at"].replace(microsecond=0)
        model["aliases"] = [f"@{alias}" for alias in model["aliases"]]
        model["type"], model["run_id"] = model["type"].rpartition(".")[2], model["run_id"][:8]
    columns = ("name", "version", "aliases", "type", "run_id", "created_at", "metrics")
    print_table(
        ("model", "version", "aliases", "type", "run", "made", "metrics"),
        [[model[column] for column in columns] for model in listed],
        empty="There are no models yet. Make one from Python: project.register(name, run).",
    )


def _model(model: "ModelVersion") -> dict[str, Any]:  # Any: JSON
    return {
        "name": model.name,
        "version": model.version,
        "aliases": model.aliases,
        "description": model.description,
        "type": model.file.model_type,
        "task": model.signature.task,
        "metrics": model.metrics,
        "run_id": model.run_id,
        "training_data": str(model.data),
        "created_at": model.created_at,
        "created_by": model.created_by,
    }


def _model_in_full(model: "ModelVersion") -> dict[str, Any]:  # Any: JSON
    return _model(model) | {
        "inputs": model.signature.inputs.to_dict(),
        "outputs": model.signature.outputs.to_dict(),
        "classes": list(model.signature.classes),
        "parameters": model.body["parameters"],
        "file": model.file.path,
        "digest": model.file.digest,
        "size_bytes": model.file.size_bytes,
    }
