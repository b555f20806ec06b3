"""A drawing as SVG: cards for operations, pills for leaves and results, smooth edges; readable on light and on dark."""

import html

from rushlight.explain._layout import Layout

TITLE_WIDTH, SMALL_WIDTH = 7.7, 6.3
"""Width of a character: of titles (13 px) and of small print (10.5 px), in a monospaced font."""

LONGEST_PLACE = 34
MARGIN = 16

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
.rl-picture .rl-edge { stroke: #6b7684; }
.rl-picture .rl-tip { fill: #6b7684; }
"""


def style_sheet():
    """The rules, with those for dark surroundings."""
    return STYLE + "@media (prefers-color-scheme: dark) {" + DARK + "}\n"


def shortened(text, length):
    """A text cut to a length."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def size_of(box):
    """Width and height of a box."""
    top = len(box.title) * TITLE_WIDTH + (len(box.detail) * SMALL_WIDTH + 14 if box.detail else 0)
    place = len(shortened(box.place, LONGEST_PLACE)) * SMALL_WIDTH
    return max(top, place, 40) + 24, 44 if box.place else 28


def number(value):
    """A coordinate, short."""
    return f"{value:.1f}".removesuffix(".0")


def box_svg(box, x, y, width, height):
    """One box around (x, y)."""
    left, top = x - width / 2, y - height / 2
    round_by = 14 if box.kind in ("leaf", "result") else 7
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


def svg_of(drawing):
    """The SVG of a drawing."""
    sizes = [size_of(box) for box in drawing.boxes]
    layout = Layout(sizes, drawing.edges)
    width, height = layout.width + 2 * MARGIN + 4, layout.height + 2 * MARGIN + 4
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="rl-picture" width="{number(width)}" height="{number(height)}" '
        f'viewBox="0 0 {number(width)} {number(height)}" role="img"><style>{style_sheet()}</style>'
    ]
    parts += [edge_svg(route, MARGIN, MARGIN) for route in layout.routes]
    for box, (box_width, box_height), x, y in zip(drawing.boxes, sizes, layout.x, layout.y):
        parts.append(box_svg(box, x + MARGIN, y + MARGIN, box_width, box_height))
    return "\n".join(parts) + "\n</svg>\n"
