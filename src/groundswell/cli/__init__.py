"""The command line: thin commands over a project.

Every command opens a project, calls one noun and prints what it gives: for people as a table, for machines as one JSON
document. Rooms are imported by the commands that need them, so that `--help` answers at once.
"""

from groundswell.cli._app import app, main

__all__ = ["app", "main"]
