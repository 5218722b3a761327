"""The HTTP application: the Open Inference Protocol v2 over the deployments of a service, and a page for people.

Routes are thin: they read a body within its limits, hand it to the codec and the deployment, and wait until the log has
the rows. Every error is `{"error": …}`.

References:
    Open Inference Protocol v2, "HTTP/REST".
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from groundswell._version import __version__
from groundswell.errors import ConflictError, GroundswellError, MissingDependencyError, NotFoundError, SignatureError
from groundswell.serving._deployment import Deployment, Deployments, Limits
from groundswell.serving._guard import Guard
from groundswell.serving._page import page
from groundswell.serving._protocol import decode_request, encode_reply, tensor_metadata

try:
    from fastapi import FastAPI, HTTPException, Request, Response
    from fastapi.concurrency import run_in_threadpool
    from starlette.exceptions import HTTPException as StarletteHTTPException
except ImportError as error:
    _missing: ImportError | None = error
else:
    _missing = None

__all__ = ["application", "require"]


def require(missing: ImportError | None) -> None:
    """Raise if an import of the HTTP server's packages failed.

    Raises:
        MissingDependencyError: FastAPI or uvicorn is not installed.
    """
    if missing is not None:
        raise MissingDependencyError(
            f"The package {missing.name!r} is not installed.",
            why="Answering over HTTP needs FastAPI and uvicorn; predicting from Python does not.",
            fix="Run: python -m pip install 'groundswell[server]'",
            package=missing.name,
        ) from missing


def application(deployments: Deployments, limits: Limits, token: str | None) -> FastAPI:
    """The ASGI application that serves the deployments.

    Args:
        deployments: what is served.
        limits: sizes of what is taken.
        token: what requests must bring, or None for this machine alone.

    Raises:
        MissingDependencyError: FastAPI is not installed.
    """
    require(_missing)
    app = FastAPI(
        title="Groundswell",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    routes = _Routes(deployments, limits, guarded=token is not None)
    app.add_route("/", routes.root)
    app.add_route("/v2", routes.server)
    app.add_route("/v2/health/live", routes.live)
    app.add_route("/v2/health/ready", routes.ready)
    for model in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}"):
        app.add_route(model, routes.model)
        app.add_route(f"{model}/ready", routes.model_ready)
        app.add_route(f"{model}/infer", routes.infer, methods=["POST"])
    app.add_exception_handler(StarletteHTTPException, _http_error)
    app.add_middleware(Guard, token=token)
    return app


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    reasons = {
        404: "There is nothing at this address. GET / lists what there is.",
        405: f"{request.method} is not possible here.",
    }
    text = reasons.get(error.status_code, "") if error.detail in ("Not Found", "Method Not Allowed") else error.detail
    return _json({"error": text}, error.status_code, dict(error.headers or {}))


def _json(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers, media_type="application/json")


class _Routes:
    def __init__(self, deployments: Deployments, limits: Limits, *, guarded: bool) -> None:
        self._deployments, self._limits, self._guarded = deployments, limits, guarded

    async def root(self, request: Request) -> Response:
        html = page(self._deployments, str(request.base_url), guarded=self._guarded)
        return Response(html, media_type="text/html")

    async def server(self, request: Request) -> Response:
        return _json({"name": "groundswell", "version": __version__, "extensions": []})

    async def live(self, request: Request) -> Response:
        return _json({"live": True})

    async def ready(self, request: Request) -> Response:
        is_open = self._deployments.is_open
        return _json({"ready": is_open}, 200 if is_open else 503)

    async def model(self, request: Request) -> Response:
        deployment = self._find(request)
        predictor = deployment.predictor
        outputs = tensor_metadata(predictor.output_schema)
        for output in outputs:
            if predictor.classes and output["name"].startswith("probabilit"):
                output["parameters"] = {"classes": list(predictor.classes)}
        return _json(
            {
                "name": predictor.name,
                "versions": self._deployments.versions(predictor.name),
                "platform": "groundswell",
                "inputs": tensor_metadata(predictor.request.inputs),
                "outputs": outputs,
            }
        )

    async def model_ready(self, request: Request) -> Response:
        deployment = self._find(request)
        is_open = deployment.log.is_open
        return _json({"name": deployment.predictor.name, "ready": is_open}, 200 if is_open else 503)

    async def infer(self, request: Request) -> Response:
        deployment = self._find(request)
        _check_content_type(request)
        body = await self._body(request)
        try:
            reply, recorded = await run_in_threadpool(self._answer, deployment, body)
        except SignatureError as error:
            raise HTTPException(400, str(error)) from None
        except ConflictError as error:
            raise _busy(error) from None
        try:
            await asyncio.wrap_future(recorded)
        except ConflictError as error:
            raise _busy(error) from None
        return Response(reply, media_type="application/json")

    def _answer(self, deployment: Deployment, body: bytes) -> tuple[bytes, Any]:
        predictor = deployment.predictor
        asked = decode_request(
            body, predictor.request.inputs, predictor.output_schema.names, max_rows=self._limits.rows
        )
        predictions, recorded = deployment.predict(asked.inputs, asked.at)
        return encode_reply(predictor.name, predictor.version, predictions.outputs, asked), recorded

    def _find(self, request: Request) -> Deployment:
        try:
            return self._deployments.get(request.path_params["model"], request.path_params.get("version"))
        except NotFoundError as error:
            raise HTTPException(404, str(error)) from None

    async def _body(self, request: Request) -> bytes:
        limit = self._limits.body_bytes
        too_large = HTTPException(
            413, f"The body has more than {limit} bytes, the most that this service takes. Send fewer rows at once."
        )
        announced = request.headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > limit:
            raise too_large
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_s):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > limit:
                        raise too_large
        except TimeoutError:
            raise HTTPException(408, f"The body did not arrive within {self._limits.body_s:g} s.") from None
        return bytes(body)


def _busy(error: GroundswellError) -> HTTPException:
    return HTTPException(503, str(error), headers={"Retry-After": "1"})


def _check_content_type(request: Request) -> None:
    """Only JSON, and said to be: a page of another site can post a form unasked, but nothing of this type."""
    kind, _, rest = request.headers.get("content-type", "").partition(";")
    kind = kind.strip().lower()
    is_json = kind in ("application/json", "text/json") or (kind.startswith("application/") and kind.endswith("+json"))
    charset = rest.lower().replace(" ", "").replace('"', "")
    if not is_json or ("charset=" in charset and "charset=utf-8" not in charset):
        raise HTTPException(
            415,
            f"The content type is {request.headers.get('content-type', 'missing')[:100]!r}. "
            "Send JSON in UTF-8, with the header 'Content-Type: application/json'.",
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "The body is compressed. Send it as it is.", headers={"Accept-Encoding": "identity"})
