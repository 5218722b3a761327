"""Makes Markdown of docstrings, which are written for readers of the source.

A paragraph that begins with `>>>` is a doctest and becomes a fenced block: in Markdown
it would be three quotations in one another. `[1, z][1, z]` is mathematics and would be
a link. `name, version: what they are` says one thing of two arguments or errors, which
tables list one by one.
"""

import re

import griffe

_DOCTEST = re.compile(r"^>>> .*?(?=\n[ \t]*\n|\Z)", re.MULTILINE | re.DOTALL)
_SEVERAL = re.compile(
    r"^( +)([A-Za-z_]\w*(?:, [A-Za-z_]\w*)+): (.*(?:\n\1 +.*)*)", re.MULTILINE
)


class Docstrings(griffe.Extension):
    """A griffe extension, which mkdocstrings calls for every object that it finds."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        """Mend one docstring."""
        if obj.docstring is None:
            return
        text, done = _SEVERAL.sub(_one_by_one, obj.docstring.value), 0
        parts = []
        for found in _DOCTEST.finditer(text):
            parts += [
                text[done : found.start()].replace("][", r"]\["),
                f"```pycon\n{found[0].rstrip()}\n```",
            ]
            done = found.end()
        obj.docstring.value = "".join([*parts, text[done:].replace("][", r"]\[")])


def _one_by_one(found: re.Match[str]) -> str:
    indent, names, text = found.groups()
    return "\n".join(f"{indent}{name}: {text}" for name in names.split(", "))
