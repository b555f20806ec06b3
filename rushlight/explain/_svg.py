"""A drawing as SVG: cards for operations, pills for leaves and results, smooth edges; readable on light and on dark."""

import html

from rushlight.explain._layout import Layout

TITLE_WIDTH, SMALL_WIDTH = 7.7, 6.3
"""Width of a character: of titles (13 px) and of small print (10.5 px), in a monospaced font."""

LONGEST_PLACE = 34
MARGIN, RISE = 16, 34
"""Around a drawing, and between its layers."""

SLOT_WIDTH, SLOT_HEIGHT = 236, 18
"""Of a box with a line for a gradient: how wide it is at least, and how much higher."""

WIDEST = 1400
"""A drawing no wider than this can still be read when it is scaled to a page on a screen of 1280."""

STYLE = """
.rl-picture { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace; }
.rl-picture .rl-box rect { fill: #ffffff; stroke: #c3cad4; stroke-width: 1; }
.rl-picture .rl-title { font-size: 13px; font-weight: 600; fill: #1c2430; }
.rl-picture .rl-small { font-size: 10.5px; fill: #68727f; }
.rl-picture .rl-leaf rect { fill: #e3f4e8; stroke: #7fc293; }
.rl-picture .rl-leaf .rl-title { fill: #17552b; }
.rl-picture .rl-leaf .rl-small { fill: #3c7a50; }
.rl-picture .rl-result rect { fill: #fdeecf; stroke: #e0ad4c; }
.rl-picture .rl-result .rl-title { fill: #6b4500; }
.rl-picture .rl-function rect { fill: #f1e9fb; stroke: #b798dd; }
.rl-picture .rl-group rect { fill: #e8f0fc; stroke: #8fb2e6; }
.rl-picture .rl-group .rl-title { fill: #163f7a; }
.rl-picture .rl-first rect, .rl-picture .rl-last rect { fill: none; stroke: #c3cad4; stroke-dasharray: 4 3; }
.rl-picture .rl-first .rl-title, .rl-picture .rl-last .rl-title { font-weight: 400; fill: #68727f; }
.rl-picture .rl-frame rect { fill: #f5f8fe; stroke: #8fb2e6; }
.rl-picture .rl-name { font-size: 12px; fill: #163f7a; cursor: pointer; paint-order: stroke; stroke: #f5f8fe; stroke-width: 5px; }
.rl-picture .rl-opens, .rl-picture .rl-frame { cursor: pointer; outline: none; }
.rl-picture .rl-opens:focus-visible rect, .rl-picture .rl-frame:focus-visible rect { stroke: #e8890c; stroke-width: 2; }
.rl-picture .rl-edge { fill: none; stroke: #98a3b1; stroke-width: 1.4; }
.rl-picture .rl-tip { fill: #98a3b1; }
.rl-picture .rl-box:hover rect { stroke: #e8890c; stroke-width: 2; }
"""

DARK = """
.rl-picture .rl-box rect { fill: #262c36; stroke: #4a5462; }
.rl-picture .rl-title { fill: #e8edf3; }
.rl-picture .rl-small { fill: #a3aebb; }
.rl-picture .rl-leaf rect { fill: #1b3526; stroke: #3d7a53; }
.rl-picture .rl-leaf .rl-title { fill: #a8e0bb; }
.rl-picture .rl-leaf .rl-small { fill: #84bd97; }
.rl-picture .rl-result rect { fill: #3f3012; stroke: #a67c2a; }
.rl-picture .rl-result .rl-title { fill: #f6d48f; }
.rl-picture .rl-function rect { fill: #33284a; stroke: #7c5fae; }
.rl-picture .rl-group rect { fill: #1d2d47; stroke: #47699c; }
.rl-picture .rl-group .rl-title { fill: #a9c8f5; }
.rl-picture .rl-first rect, .rl-picture .rl-last rect { fill: none; stroke: #4a5462; }
.rl-picture .rl-first .rl-title, .rl-picture .rl-last .rl-title { fill: #a3aebb; }
.rl-picture .rl-frame rect { fill: #171f2c; stroke: #47699c; }
.rl-picture .rl-name { fill: #a9c8f5; stroke: #171f2c; }
.rl-picture .rl-edge { stroke: #6b7684; }
.rl-picture .rl-tip { fill: #6b7684; }
"""


def style_sheet():
    """The rules, with those for dark surroundings."""
    return STYLE + "@media (prefers-color-scheme: dark) {" + DARK + "}\n"


def shortened(text, length):
    """A text cut to a length."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def size_of(box, slot=False):
    """Width and height of a box; with a `slot` it has a line for a gradient."""
    if slot:
        width, height = size_of(box)
        return max(width, SLOT_WIDTH), height + SLOT_HEIGHT
    top = len(box.title) * TITLE_WIDTH + (len(box.detail) * SMALL_WIDTH + 14 if box.detail else 0)
    place = len(shortened(box.place, LONGEST_PLACE)) * SMALL_WIDTH
    return max(top, place, 40) + 24, 44 if box.place else 28


def number(value):
    """A coordinate, short."""
    return f"{value:.1f}".removesuffix(".0")


def box_svg(box, x, y, width, height, slot=False):
    """One box around (x, y)."""
    left, top = x - width / 2, y - height / 2
    y = top + (height - SLOT_HEIGHT * slot) / 2
    round_by = 14 if box.kind in ("leaf", "result", "first", "last") else 7
    parts = [f'<g class="rl-box rl-{box.kind}"><title>{html.escape(box.hint)}</title>']
    if box.kind == "group":
        parts.append(rectangle(left + 4, top + 4, width, height, round_by))
    parts.append(rectangle(left, top, width, height, round_by))
    baseline = top + 18.5 if box.place else y + 4.5
    if box.detail:
        parts.append(text("rl-title", left + 12, baseline, box.title))
        parts.append(text("rl-small", left + width - 12, baseline, box.detail, "end"))
    else:
        parts.append(text("rl-title", x, baseline, box.title, "middle"))
    if box.place:
        parts.append(text("rl-small", left + 12, top + 34.5, shortened(box.place, LONGEST_PLACE)))
    if slot:
        parts.append(text("rl-gradient", left + 12, top + height - 8, ""))
    return "".join(parts) + "</g>"


def rectangle(x, y, width, height, round_by):
    """A rounded rectangle."""
    return f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" rx="{round_by}"/>'


def text(kind, x, y, content, anchor="start"):
    """A line of text."""
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{number(x)}" y="{number(y)}"{where} xml:space="preserve">{html.escape(content)}</text>'


def edge_svg(points, dx, dy):
    """An edge as a smooth curve, with a tip at its end."""
    points = [(x + dx, y + dy) for x, y in points]
    (x, y), (end_x, end_y) = points[0], points[-1]
    points[-1] = end_x, end_y - 5
    path = [f"M{number(x)} {number(y)}"]
    for next_x, next_y in points[1:]:
        if abs(next_x - x) < 0.5:
            path.append(f"L{number(next_x)} {number(next_y)}")
        else:
            middle = (y + next_y) / 2
            path.append(f"C{number(x)} {number(middle)} {number(next_x)} {number(middle)} {number(next_x)} {number(next_y)}")
        x, y = next_x, next_y
    tip = f"M{number(end_x)} {number(end_y)}l-3.5 -7h7z"
    return f'<path class="rl-edge" d="{"".join(path)}"/><path class="rl-tip" d="{tip}"/>'


def svg_of(drawing, slots=False):
    """The SVG of a drawing. With `slots`, boxes and edges have numbers, and boxes a line for a gradient."""
    sizes = [size_of(box, slots) for box in drawing.boxes]
    layout = Layout(sizes, drawing.edges, rise=RISE)
    width, height = layout.width + 2 * MARGIN + 4, layout.height + 2 * MARGIN + 4
    fit = "max-width:100%;height:auto" if width <= WIDEST else ""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="rl-picture" width="{number(width)}" height="{number(height)}" '
        f'viewBox="0 0 {number(width)} {number(height)}" role="img" style="{fit}"><style>{style_sheet()}</style>'
    ]
    for (start, end), route in zip(layout.edges, layout.routes):
        edge = edge_svg(route, MARGIN, MARGIN)
        parts.append(f'<g data-edge="{start}-{end}">{edge}</g>' if slots else edge)
    for i, (box, (box_width, box_height), x, y) in enumerate(zip(drawing.boxes, sizes, layout.x, layout.y)):
        drawn = box_svg(box, x + MARGIN, y + MARGIN, box_width, box_height, slots)
        parts.append(f'<g data-box="{i}">{drawn}</g>' if slots else drawn)
    return "\n".join(parts) + "\n</svg>\n"
