"""A catalog in which things happen, and an endpoint that takes what is posted to it."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pytest

from groundswell.catalog import Catalog, Event
from groundswell.changes import verify_webhook
from groundswell.engines import DuckDB
from groundswell.tables import Definition, Table
from groundswell.types import TIMESTAMP, Schema

SECRET = "a secret of this test, long enough"


class Endpoint:
    """Takes webhooks on this machine; answers with `status`, or with the next of `answers` if there are any."""

    def __init__(self) -> None:
        self.posts: list[list[dict]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[int] = []
        self.asked = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/events?of=test"

    @property
    def events(self) -> list[dict]:
        """The events that were taken, each where it came first."""
        return list({event["sequence"]: event for post in self.posts for event in post}.values())

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.asked += 1
                status = endpoint.answers.pop(0) if endpoint.answers else 204
                if status < 300:
                    verify_webhook(SECRET, dict(self.headers), body)
                    endpoint.posts.append(json.loads(body)["events"])
                    endpoint.headers.append(dict(self.headers) | {"path": self.path})
                self.send_response(status)
                self.send_header("Location", endpoint.url)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Nothing is printed."""

        return Handler


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.create(f"sqlite:///{tmp_path / 'catalog.db'}") as catalog:
        yield catalog


@pytest.fixture
def happen(catalog: Catalog) -> Callable[..., list[Event]]:
    """Lets so many things happen to one model, and gives all events."""

    def happen(count: int = 1, verb: str = "described") -> list[Event]:
        found = catalog.find("model", name="late")
        model = found[0] if found else catalog.add("model", "late", {})
        for _ in range(count):
            catalog.log(verb, model)
        return catalog.events.after(0)

    return happen


@pytest.fixture
def engine() -> Iterator[DuckDB]:
    engine = DuckDB(threads=1)
    yield engine
    engine.close()


@pytest.fixture
def table(catalog: Catalog, engine: DuckDB, tmp_path: Path) -> Table:
    """The table of a feature group, without a project around it."""
    schema = Schema.of({"k": pa.string(), "t": TIMESTAMP, "v": pa.int64()})
    table = Table(
        table_id=catalog.add("feature_group", "events", {}).id,
        folder=tmp_path / "events",
        definition=Definition.of("events", ["k"], "t", None, schema),
        catalog=catalog,
        engine=engine,
        author="me@here",
    )
    table.folder.mkdir()
    table.create()
    return table
