"""The page at the root of a service: what is served, what it takes, and a line that asks it.

One self-contained document without scripts. Everything that is not fixed here is escaped, names of columns included.
"""

import json
import shlex
from html import escape
from typing import Any

import pyarrow as pa

from groundswell.serving._deployment import Deployment, Deployments
from groundswell.serving._tensors import metadata_of
from groundswell.types import TIMESTAMP, Field, type_name

__all__ = ["page"]

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse;margin-bottom:1.5rem}
th,td{text-align:left;padding:.2rem 1.2rem .2rem 0;border-bottom:1px solid #d0d7de}
pre{background:#f2f4f6;padding:.8rem;overflow-x:auto}code{font:14px ui-monospace,monospace}
@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}pre{background:#1b2129}th,td{border-color:#3d444d}a{color:#79b8ff}}
"""


def page(deployments: Deployments, base_url: str, *, guarded: bool) -> str:
    """The document, as HTML.

    Args:
        deployments: what is served.
        base_url: where the reader reached the service, with a slash at its end.
        guarded: whether requests need a token.
    """
    state = "ready" if deployments.is_open else "closed"
    sections = "".join(_section(deployment, base_url, guarded=guarded) for deployment in deployments)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Groundswell prediction service</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>Prediction service</h1>"
        f'<p>This service is <strong>{state}</strong> (<a href="v2/health/ready">health</a>) and speaks the '
        '<a href="v2">Open Inference Protocol v2</a>.</p>'
        f"{sections}</body></html>"
    )


def _section(deployment: Deployment, base_url: str, *, guarded: bool) -> str:
    predictor = deployment.predictor
    address = f"v2/models/{predictor.name}/versions/{predictor.version}"
    return (
        f'<h2>{escape(predictor.name)}, version {predictor.version}</h2><p><a href="{escape(address)}">Metadata</a></p>'
        f"{_table('input', predictor.request.inputs)}{_table('output', predictor.output_schema)}"
        f"<p>Ask it:</p><pre><code>{escape(_curl(deployment, base_url + address, guarded=guarded))}</code></pre>"
    )


def _table(noun: str, fields: Any) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(field.name)}</code></td><td>{escape(type_name(field.type))}</td>"
        f"<td>{metadata_of(field)['datatype']}</td><td>{'may be null' if field.nullable else ''}</td></tr>"
        for field in fields
    )
    return f"<table><tr><th>{noun}</th><th>type</th><th>datatype</th><th></th></tr>{rows}</table>"


def _curl(deployment: Deployment, address: str, *, guarded: bool) -> str:
    inputs = [_example(field) for field in deployment.predictor.request.inputs]
    parts = ["curl", f"{address}/infer", "-H", "Content-Type: application/json"]
    line = " ".join(shlex.quote(part) for part in parts)
    if guarded:
        line += ' -H "Authorization: Bearer $TOKEN"'
    return f"{line} -d {shlex.quote(json.dumps({'inputs': inputs}))}"


def _example(field: Field) -> dict[str, Any]:
    tensor = metadata_of(field)
    values: dict[str, Any] = {"BOOL": False, "BYTES": "a"}
    value = values.get(tensor["datatype"], 0)
    if field.type == TIMESTAMP:
        value = "2013-12-20T15:00:00Z"
    elif pa.types.is_date(field.type):
        value = "2013-12-20"
    elif pa.types.is_decimal(field.type):
        value = "0"
    elif pa.types.is_binary(field.type):
        value = ""
    return {**tensor, "shape": [1] * len(tensor["shape"]), "data": [value]}
