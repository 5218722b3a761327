"""Commands about rows that come one by one: streamed into a feature group, and those that were set aside."""

import json
import select
import signal
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell.cli._options import HERE, AsJson, GroupName, InProject, open_project
from groundswell.cli._text import print_json, visible
from groundswell.errors import DataError, GroundswellError, SchemaError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from groundswell.features import FeatureGroup
    from groundswell.features.streaming import QuarantinedRows, RowStream

__all__ = ["quarantine", "stream"]

_CHUNK = 1 << 16
_SHOWN_ROWS = 20


def stream(
    group: GroupName,
    time_zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="The zone of times without one, such as Europe/Stockholm.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="How many rows may be on their way to the disk at once.")] = 1_000,
    strict: Annotated[
        bool, typer.Option("--strict", help="End when a line is refused; some after it may be written.")
    ] = False,
    project: InProject = HERE,
    as_json: AsJson = False,
) -> None:
    """Write rows from standard input to a feature group as they come, one JSON object a line.

    A row is on the disk soon after its line was read, and readers see it then. Lines that are refused are told on
    stderr, and the exit code is 1 at the end. Ctrl-C ends it as the end of the input does: what was read is written.

    \b
    Example: groundswell stream weather < readings.jsonl
             tail -f readings.jsonl | groundswell stream weather --time-zone America/New_York

    \b
    Keys of --json: group, lines, written, refused
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's way to say Ctrl-C
    with open_project(project) as opened, opened.get_feature_group(group).stream(time_zone=time_zone) as rows:
        reading = _Reading(rows, batch, strict)
        try:
            reading.run()
        except KeyboardInterrupt:
            reading.settle(0)
    if as_json:
        print_json({"group": group, "lines": reading.lines, "written": reading.written, "refused": reading.refused})
    else:
        refused = f", {reading.refused:,} lines refused" if reading.refused else ""
        typer.echo(f"Group {group!r}: {reading.written:,} rows written{refused}.")
    if reading.refused:
        raise typer.Exit(1)


class _Reading:
    """What became of the lines of standard input so far."""

    def __init__(self, stream: "RowStream", ahead: int, strict: bool) -> None:
        self._stream, self._ahead, self._strict = stream, ahead, strict
        self._pending: deque[tuple[int, Future[None]]] = deque()
        self.lines = self.written = self.refused = 0

    def run(self) -> None:
        """Write every line, or those before the first that is refused."""
        for line in _lines():
            if line:
                self._write(line)
            self.settle(self._ahead if line else 0)  # while nothing comes, see what became of what came
            if self.refused and self._strict:
                break
        self.settle(0)

    def _write(self, line: bytes) -> None:
        self.lines += 1
        if not line.strip():
            return
        try:
            self._pending.append((self.lines, self._stream.submit(_row(line))))
        except DataError as error:
            self._refuse(self.lines, error)

    def settle(self, at_most: int) -> None:
        """Wait until no more rows than this are on their way; count those that arrived."""
        while self._pending and (len(self._pending) > at_most or self._pending[0][1].done()):
            number, done = self._pending[0]
            error = done.exception()
            self._pending.popleft()
            if error is None:
                self.written += 1
            elif isinstance(error, DataError | SchemaError):
                self._refuse(number, error)
            else:
                raise error

    def _refuse(self, number: int, error: GroundswellError) -> None:
        self.refused += 1
        typer.echo(f"line {number}: {visible(str(error))}", err=True)


def _lines() -> Iterator[bytes]:
    """The lines of standard input as soon as they are there, and an empty one whenever there is none for now."""
    source: Any = sys.stdin.buffer  # Any: its declared type lacks read1
    rest = b""
    while True:
        if _would_wait(source):
            yield b""
        part = source.read1(_CHUNK)
        if not part:
            break
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        yield rest


def _would_wait(source: Any) -> bool:  # Any: Python's own type of standard input, or what stands for it
    try:
        return not select.select([source], [], [], 0)[0]
    except (OSError, ValueError):  # a file without a descriptor never waits
        return False


def _row(line: bytes) -> Mapping[str, Any]:  # Any: JSON
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"It is no JSON: {error}.", fix="Give one JSON object a line.") from None
    if not isinstance(row, dict):
        raise DataError(f"It is a {type(row).__name__}, no JSON object.", fix="Give the columns and their values.")
    return row


def quarantine(
    group: GroupName,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show the rows of this part.")] = None,
    insert: Annotated[
        str | None, typer.Option(metavar="NAME", help="Insert the rows of a part, and take it out of quarantine.")
    ] = None,
    discard: Annotated[str | None, typer.Option(metavar="NAME", help="Drop the rows of a part, for good.")] = None,
    project: InProject = HERE,
    as_json: AsJson = False,
) -> None:
    """Show rows of streams that broke an expectation about batches after they were acknowledged, and decide on them.

    Inserting checks them against the expectations that are in force now.

    \b
    Example: groundswell quarantine weather

    \b
    Keys of --json: group, parts: [name, rows, set_aside_at]; with NAME: name, rows: the columns;
                    with --insert or --discard: name, inserted, discarded: rows
    """
    if sum(given is not None for given in (name, insert, discard)) > 1:
        raise typer.BadParameter("Show, --insert or --discard one part at a time.")
    with open_project(project) as opened:
        found = opened.get_feature_group(group)
        if name is not None:
            _show(group, found.quarantine[name], as_json)
        elif insert is not None or discard is not None:
            _decide(found, found.quarantine[insert or discard or ""], inserting=insert is not None, as_json=as_json)
        else:
            _list(found, as_json)


def _list(group: "FeatureGroup", as_json: bool) -> None:
    from groundswell.cli._tables import print_table

    parts = [(part.name, part.read().num_rows, part.set_aside_at) for part in group.quarantine]
    if as_json:
        keys = ("name", "rows", "set_aside_at")
        print_json({"group": group.name, "parts": [dict(zip(keys, part, strict=True)) for part in parts]})
    else:
        print_table(("name", "rows", "set aside"), parts, empty="Nothing is in quarantine.")


def _show(group: str, part: "QuarantinedRows", as_json: bool) -> None:
    from groundswell.cli._tables import print_table

    rows = part.read()
    if as_json:
        print_json({"group": group, "name": part.name, "rows": rows.to_pylist()})
        return
    print_table(rows.column_names, [list(row.values()) for row in rows.slice(0, _SHOWN_ROWS).to_pylist()])
    if rows.num_rows > _SHOWN_ROWS:
        typer.echo(f"{_SHOWN_ROWS} of {rows.num_rows:,} rows; --json shows all.")


def _decide(group: "FeatureGroup", part: "QuarantinedRows", *, inserting: bool, as_json: bool) -> None:
    n_rows = part.read().num_rows
    if inserting:
        group.insert(part.read())
        part.release()
    else:
        part.discard()
    if as_json:
        counts = {"inserted": n_rows if inserting else 0, "discarded": 0 if inserting else n_rows}
        print_json({"group": group.name, "name": part.name, **counts})
    else:
        typer.echo(f"{n_rows:,} rows {'inserted' if inserting else 'discarded'}.")
