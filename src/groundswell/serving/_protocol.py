"""The bodies of the Open Inference Protocol v2, REST: JSON requests to Arrow tables, Arrow tables to JSON replies.

Nothing here knows HTTP or models: a request is decoded against a schema, and whatever does not fit raises
`SignatureError` with a message that names the input and the way out. Called by the HTTP application for every request.

References:
    Open Inference Protocol v2, "Inference Request JSON Object" and "Inference Response JSON Object".
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

import pyarrow as pa

from groundswell.errors import DataError, SignatureError, choices
from groundswell.serving._tensors import array_of, metadata_of, show, tensor_of
from groundswell.types import Field, Schema, parse_instant

__all__ = ["InferRequest", "decode_request", "encode_reply", "tensor_metadata"]

AT = "at"
"""The request parameter, or optional BYTES input, that says for which moment predictions are asked."""

_FOREIGN_PARAMETERS = frozenset(
    {
        "binary_data", "binary_data_output", "content_type", "headers", "priority", "sequence_end", "sequence_id",
        "sequence_start", "timeout",
    }
)  # fmt: skip
"""What clients written for Triton and MLServer send along unasked; none of it changes what is asked of us."""


@dataclass(frozen=True, kw_only=True)
class InferRequest:
    """A decoded request.

    Args:
        inputs: one row per prediction, columns as in the schema it was decoded against.
        at: the moments that predictions are for: one for all rows, one per row, or None for now.
        id: what the client called the request.
        outputs: names of the outputs that were asked for; empty for all.
    """

    inputs: pa.Table
    at: datetime | tuple[datetime, ...] | None
    id: str | None
    outputs: tuple[str, ...]


def decode_request(body: bytes, schema: Schema, outputs: Sequence[str], *, max_rows: int) -> InferRequest:
    """The request in an `infer` body.

    Args:
        body: UTF-8 JSON.
        schema: what the inputs must be.
        outputs: the names that the request's `outputs` may choose from.
        max_rows: the most rows one request may have.

    Raises:
        SignatureError: the body is no JSON, no such request, or its inputs do not fit the schema.
    """
    request = _parse(body)
    tensors = _inputs_by_name(request, schema)
    arrays = {field.name: array_of(tensors[field.name], field) for field in schema}
    moments = array_of(tensors[AT], _AT_FIELD) if AT in tensors and AT not in schema else None
    _check_rows(arrays if moments is None else {**arrays, AT: moments}, max_rows)
    at = _moment_parameter(request)
    if at is not None and moments is not None:
        raise SignatureError(
            "The request has 'at' both as a parameter and as an input.",
            why="Only one of them can say for which moment predictions are asked.",
            fix="Keep the parameter for one moment, or the input for one per row.",
        )
    return InferRequest(
        inputs=pa.Table.from_arrays(list(arrays.values()), schema=schema.to_arrow()),
        at=at if moments is None else tuple(_moment(text) for text in moments.to_pylist()),
        id=_text(request, "id"),
        outputs=_chosen(request, outputs),
    )


_AT_FIELD = Field(AT, pa.string(), nullable=False)


def _no_constant(literal: str) -> NoReturn:
    raise SignatureError(
        f"The body holds {literal}.", why="JSON has no such number.", fix="Send null where no value is known."
    )


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        request = _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _no_json(f"byte {error.start} is no UTF-8") from None
    except json.JSONDecodeError as error:
        raise _no_json(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except SignatureError:  # a ValueError too: NaN, which Python's decoder would take
        raise
    except RecursionError:
        raise _no_json("it is nested too deeply") from None
    except ValueError:  # Python refuses to read integers of more than 4,300 digits
        raise _no_json("a number in it has thousands of digits") from None
    if not isinstance(request, dict):
        raise SignatureError(
            f"The body is {show(request)}.", why="A request is a JSON object.", fix='Send {"inputs": [...]}.'
        )
    return request


def _no_json(reason: str) -> SignatureError:
    return SignatureError(f"The body is no JSON: {reason}.", fix='Send a JSON object such as {"inputs": [...]}.')


def _objects(request: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects in `inputs` or `outputs`, each with a name of its own."""
    found = request.get(key)
    if found is None:  # clients made from a schema write null for what is not there
        return []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise SignatureError(f"'{key}' is no array of objects.", fix=f'Send "{key}": [{{"name": …}}, …].', key=key)
    names = [item.get("name") for item in found]
    for position, name in enumerate(names):
        if not isinstance(name, str):
            raise SignatureError(
                f"'{key}' number {position} has the name {show(name)}.", fix='Give it a text as its "name".', key=key
            )
    if len(set(names)) < len(names):
        twice = next(name for position, name in enumerate(names) if name in names[:position])
        raise SignatureError(f"'{key}' has {show(twice)} twice.", fix="Send each name once.", key=key)
    return found


def _inputs_by_name(request: Mapping[str, Any], schema: Schema) -> dict[str, dict[str, Any]]:
    tensors = {item["name"]: item for item in _objects(request, "inputs")}
    unknown = [name for name in tensors if name not in schema and name != AT]
    if unknown:
        raise SignatureError(
            f"The model has no input {show(unknown[0])}.",
            fix=choices(unknown[0][:128], [*schema.names, AT], "inputs"),
            input=unknown[0],
        )
    missing = [field for field in schema if field.name not in tensors]
    if missing:
        raise SignatureError(
            f"The request lacks the input{'s' * (len(missing) > 1)} {_listed(field.name for field in missing)}.",
            why="Every input of the model must be there.",
            fix="Add it; send null where no value is known." if any(field.nullable for field in missing) else "Add it.",
            missing=[field.name for field in missing],
        )
    return tensors


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(map(repr, names[:10])) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _check_rows(arrays: Mapping[str, pa.Array], max_rows: int) -> None:
    lengths = {name: len(array) for name, array in arrays.items()}
    first, *others = lengths
    for name in others:
        if lengths[name] != lengths[first]:
            raise SignatureError(
                f"Input {first!r} has {lengths[first]} rows and input {name!r} has {lengths[name]}.",
                why="All inputs of a request describe the same rows.",
                fix="Send the same number of rows in each.",
                input=name,
            )
    if lengths[first] > max_rows:
        raise SignatureError(
            f"The request has {lengths[first]} rows.",
            why=f"This service takes {max_rows} rows per request at most.",
            fix="Send them in several requests.",
            rows=lengths[first],
        )


def _moment_parameter(request: Mapping[str, Any]) -> datetime | None:
    parameters = request.get("parameters")
    if parameters is None:
        return None
    if not isinstance(parameters, dict):
        raise SignatureError(
            f"'parameters' is {show(parameters)}.", fix='Send an object, such as {"at": "2013-12-20T15:00Z"}.'
        )
    unknown = [name for name in parameters if name != AT and name not in _FOREIGN_PARAMETERS]
    if unknown:
        raise SignatureError(
            f"The parameter {show(unknown[0])} is unknown.",
            why="A request has the one parameter 'at': the moment that its predictions are for.",
            fix="Leave it out, or call it 'at'.",
            parameter=unknown[0],
        )
    return _moment(parameters[AT]) if AT in parameters else None


def _moment(value: object) -> datetime:
    if isinstance(value, str):
        try:
            return parse_instant(value)
        except (DataError, OverflowError):  # overflow: the first or last day of the calendar in another zone
            pass
    raise SignatureError(
        f"{show(value)} cannot be read as the moment 'at'.",
        why="It is ISO 8601 text, in UTC if it names no zone.",
        fix="Write it as '2013-12-20T15:00Z'.",
    )


def _text(request: Mapping[str, Any], key: str) -> str | None:
    value = request.get(key)
    if value is not None and not isinstance(value, str):
        raise SignatureError(f"'{key}' is {show(value)}.", why="It is text that the reply repeats.", fix="Send text.")
    return value


def _chosen(request: Mapping[str, Any], outputs: Sequence[str]) -> tuple[str, ...]:
    names = tuple(item["name"] for item in _objects(request, "outputs"))
    for name in names:
        if name not in outputs:
            raise SignatureError(
                f"The model has no output {show(name)}.", fix=choices(name[:128], outputs, "outputs"), output=name
            )
    return names


def encode_reply(model: str, version: int, outputs: pa.Table, request: InferRequest) -> bytes:
    """The reply's body: the outputs that the request asked for, and its id.

    Args:
        model: the name of the model.
        version: the version that predicted.
        outputs: one row per row of the request.
        request: what is answered.
    """
    names = request.outputs or outputs.column_names
    reply: dict[str, Any] = {"model_name": model, "model_version": str(version)}
    if request.id is not None:
        reply["id"] = request.id
    reply["outputs"] = [tensor_of(name, outputs[name].combine_chunks()) for name in names]
    # ASCII: an id may hold half a surrogate pair, which JSON can escape and UTF-8 cannot write.
    return json.dumps(reply, separators=(",", ":"), allow_nan=False).encode("ascii")


def tensor_metadata(schema: Schema) -> list[dict[str, Any]]:
    """The columns as the protocol's model metadata lists them."""
    return [metadata_of(field) for field in schema]
