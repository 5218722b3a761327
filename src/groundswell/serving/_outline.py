"""An outline: titles with facts under them, as a tree for the terminal and as HTML for a notebook.

Names and values come from users' data, so neither form takes them for markup: control characters are shown as escapes,
and in HTML everything is escaped.
"""

import io
from dataclasses import dataclass
from html import escape

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

__all__ = ["Outline"]

_WIDTH = 120


@dataclass(frozen=True)
class Outline:
    """A title, facts about it, and outlines below it. A fact without a value is left out.

    >>> print(Outline("model late", (("type", "LogisticRegression"), ("metrics", "")), (Outline("run 7f"),)).to_text())
    model late
    ├── type: LogisticRegression
    └── run 7f
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    below: tuple["Outline", ...] = ()

    def to_rich(self) -> Tree:
        """The outline as a tree that Rich prints."""
        tree = Tree(Text(_visible(self.title), "bold"), guide_style="dim")
        for label, value in self.facts:
            if value:
                tree.add(Text.assemble((f"{label}: ", "dim"), _visible(value)))
        for outline in self.below:
            tree.children.append(outline.to_rich())
        return tree

    def to_text(self) -> str:
        """The outline as plain text."""
        console = Console(file=io.StringIO(), width=_WIDTH, color_system=None, force_jupyter=False)
        with console.capture() as captured:
            console.print(self.to_rich())
        return "\n".join(line.rstrip() for line in captured.get().rstrip().split("\n"))

    def to_html(self) -> str:
        """The outline as nested lists."""
        facts = "".join(f"<li>{escape(label)}: {escape(_visible(value))}</li>" for label, value in self.facts if value)
        below = "".join(f"<li>{outline.to_html()}</li>" for outline in self.below)
        return f"<b>{escape(_visible(self.title))}</b>" + (f"<ul>{facts}{below}</ul>" if facts or below else "")


def _visible(text: str) -> str:
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
