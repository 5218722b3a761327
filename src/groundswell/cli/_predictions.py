"""Commands that predict, serve and trace."""

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell.cli._options import HERE, AsJson, At, InProject, Modules, import_modules, open_project
from groundswell.cli._text import print_json
from groundswell.errors import CorruptionError, DataError

if TYPE_CHECKING:
    from groundswell.serving import Prediction

__all__ = ["predict", "serve", "trace"]

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="name, name:3 or name@alias.")]


def serve(
    references: Annotated[list[str], typer.Argument(metavar="MODEL…", help="Each as name, name:3 or name@alias.")],
    project: InProject = HERE,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port; 0 takes a free one.")] = 8080,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="GROUNDSWELL_TOKEN",
            help="What requests must bring; needed to listen on other addresses. Better in the variable: all users of "
            "a machine see each other's arguments.",
            show_default=False,
        ),
    ] = None,
    modules: Modules = None,
) -> None:
    """Serve models over HTTP, in the Open Inference Protocol v2, until Ctrl-C.

    Features are looked up by key as of each request's moment, and every prediction is recorded before it is given.

    \b
    Example: groundswell serve late_arrival@champion
             curl http://127.0.0.1:8080/v2/models/late_arrival
    """
    import_modules(modules)
    with open_project(project) as opened:
        service = opened.deploy(*references, token=token)
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's way to say Ctrl-C
        service.run(host, port)


def predict(
    reference: ModelName,
    records: Annotated[
        str,
        typer.Argument(
            metavar="[RECORDS]", help="JSON, a file that holds it, or - for standard input.", show_default="-"
        ),
    ] = "-",
    project: InProject = HERE,
    at: At = None,
    as_json: AsJson = False,
    modules: Modules = None,
) -> None:
    """Predict for records, and record the predictions.

    Records are one JSON object, a list of them, or one object a line. A record may bring its own moment as "at".

    \b
    Example: groundswell predict late_arrival '{"origin": "EWR", "distance": 1400}' --at 2013-12-20T15:00Z
             groundswell predict late_arrival@champion requests.json --json

    \b
    Keys of --json: model, version, predictions: [id, prediction, probability, probabilities, at]
    """
    from groundswell.cli._tables import print_table

    rows = _records(records)
    import_modules(modules)
    with open_project(project) as opened:
        model = opened.get_model(reference)
        with opened.deploy(model.reference) as service:
            found = [_prediction(prediction) for prediction in service.predict(rows, at)]
    if as_json:
        print_json({"model": model.name, "version": model.version, "predictions": found})
        return
    columns = [
        name for name in ("prediction", "probability", "probabilities") if any(p[name] is not None for p in found)
    ]
    print_table([*columns, "at", "id"], [[p[name] for name in (*columns, "at", "id")] for p in found])


def _records(argument: str) -> list[dict[str, Any]]:  # Any: JSON
    """The records that an argument gives: JSON, a file, or standard input.

    Raises:
        CorruptionError: the file cannot be read.
        DataError: it holds no records.
    """
    text = argument
    if argument == "-":
        text = sys.stdin.read()
    elif not argument.lstrip().startswith(("{", "[")):
        try:
            text = Path(argument).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise CorruptionError(
                f"The records cannot be read from {argument!r}: {error}.",
                fix='Give JSON, such as \'{"origin": "EWR"}\', a file that holds it, or - for standard input.',
                path=argument,
            ) from error
    rows = _parsed(text)
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise _no_records(text, "It is JSON, and no object." if rows else "It is empty.")
    return rows


def _parsed(text: str) -> list[Any]:  # Any: JSON
    if not text.strip():
        return []
    try:
        document = json.loads(text)
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise _no_records(text, f"{error}.") from None
        try:
            return [json.loads(line) for line in lines]
        except ValueError:
            raise _no_records(text, f"{error}.") from None
    return document if isinstance(document, list) else [document]


def _no_records(text: str, why: str) -> DataError:
    return DataError(
        f"{text.strip()[:60]!r} is no record, and no list of records.",
        why=why,
        fix='Write one JSON object, such as {"origin": "EWR"}, a list of them, or one a line.',
    )


def _prediction(prediction: "Prediction") -> dict[str, Any]:  # Any: JSON
    shares = prediction.probabilities
    return {
        "id": prediction.id,
        "prediction": prediction.prediction,
        "probability": prediction.probability,
        "probabilities": None if shares is None else {str(label): share for label, share in shares.items()},
        "at": prediction.at,
    }


def trace(
    prediction_id: Annotated[str, typer.Argument(metavar="ID", help="A prediction's id.")],
    project: InProject = HERE,
    as_json: AsJson = False,
) -> None:
    """Trace a prediction: model version, run, code, training data, commits, and the rows that it saw.

    \b
    Example: groundswell trace late_arrival-1-019bd4c0a5e07d3f8a1b2c3d4e5f6071

    \b
    Keys of --json: prediction_id, model, version, at, predicted_at, inputs, keys, outputs,
                    model_facts, run, training_data, commits: [group, group_version, version,
                    committed_at, author, kind, rows], rows: [join, key, commit, event_time,
                    available_at, values]
    """
    from groundswell.cli._tables import print_renderable

    with open_project(project) as opened:
        found = opened.trace(prediction_id)
    if as_json:
        print_json(found.to_dict())
    else:
        print_renderable(found)
