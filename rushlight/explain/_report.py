"""What the functions of this package return: plain objects that print as text and show as HTML in a notebook."""

STYLE = (
    "font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre-wrap;border-left:4px solid #e8a33d;"
    "padding:.6em 1em;background:rgba(232,163,61,.10);border-radius:4px"
)


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>:root {{ color-scheme: light dark }} body {{ margin: 16px; font: 14px/1.5 system-ui, sans-serif }} h1 {{ font-size: 18px; margin: 0 0 8px }}</style></head>
<body><h1>{title}</h1>
{body}
</body></html>
"""


def page_of(title, body):
    """A page that needs no other file."""
    return PAGE.format(title=title, body=body)


class Report:
    """Something that explains itself: `str()` is the explanation, and so is what a terminal and a notebook show."""

    def __str__(self):
        raise NotImplementedError

    def __repr__(self):
        return str(self)

    def _repr_html_(self):
        import html

        return f'<div style="{STYLE}">{html.escape(str(self))}</div>'


def bytes_text(count):
    """A number of bytes for people: 1.5 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")


def count_text(count, noun):
    """1 node, 2 nodes."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def shape_text(shape):
    """The sizes of a tensor: 3×4, or `scalar`."""
    return "×".join(map(str, shape)) if len(shape) else "scalar"


def table(rows, gap="  "):
    """Rows of texts in columns; those that look like numbers to the right."""
    if not rows:
        return ""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [c.rjust(w) if c[:1].isdigit() and i + 1 < len(row) else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths))]
        lines.append(gap.join(cells).rstrip())
    return "\n".join(lines)
