"""The frame of every plot as SVG: an image with a title and a description."""

from html import escape

COLOR = "#2b6cb0"


def svg(width: int, height: int, *, title: str, description: str, content: str) -> str:
    """An SVG element around its content; it takes the width that it finds, up to its own."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="12" style="max-width:100%">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>{content}</svg>"
    )
