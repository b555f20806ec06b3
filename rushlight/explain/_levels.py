"""A drawing whose groups open where they stand, in a browser: what picture.js needs to place and draw it."""

import json
import os
import uuid

from rushlight.explain._layout import Layout
from rushlight.explain._svg import MARGIN, RISE, WIDEST, box_svg, size_of, svg_of

MOST = 4000
"""More boxes than this are not put into one page: the groups after them stay closed."""


def levels_of(drawing):
    """All levels of a drawing, as lists that JSON can hold: the drawing itself, then what is in its groups, and in theirs."""
    levels, waiting, count, values = [], [drawing], 0, {}
    while waiting:
        drawn = waiting.pop(0)
        count += len(drawn.boxes)
        level = level_of(drawn, values)
        levels.append(level)
        ways = {"in": "last", "out": "first"}
        home = {
            way: {one: i for i, box in enumerate(drawn.boxes) if box.kind != other for one in box.single}
            for way, other in ways.items()
        }
        for i, box in enumerate(drawn.boxes):
            if box.inside is not None and count < MOST:
                waiting.append(box.inside.drawn(home, i))
                level["boxes"][i]["inside"] = len(levels) + len(waiting) - 1
                count += len(waiting[-1].boxes)
    return levels


def level_of(drawing, values):
    """One drawing: its boxes around (0, 0), where they lie, and the edges as chains of places. `values` numbers what ports hand over."""
    layout = placed(drawing)
    boxes = []
    for box, (width, height) in zip(drawing.boxes, layout.sizes):
        kept = {"kind": box.kind, "w": round(width, 1), "h": round(height, 1)}
        if box.kind in ("in", "out"):
            kept["outside"], kept["value"] = box.outside, values.setdefault(box.value, len(values))
        else:
            kept["svg"] = box_svg(box, 0, 0, width, height)
            kept["title"], kept["nodes"] = f"{box.title}  {box.detail}", len(box.nodes)
        boxes.append(kept)
    edges = [
        {
            "chain": chain,
            "leave": round(layout.leave[chain[0], chain[-1]], 1),
            "enter": round(layout.enter[chain[0], chain[-1]], 1),
        }
        for chain in layout.chains
    ]
    return {"boxes": boxes, "x": [round(x, 1) for x in layout.x], "layer": layout.layer, "edges": edges}


def placed(drawing):
    """The Layout of a drawing: ports and what stands for other bodies above and below everything else."""
    sizes = [(12, 0) if box.kind in ("in", "out") else size_of(box) for box in drawing.boxes]
    first = [i for i, box in enumerate(drawing.boxes) if box.kind in ("in", "first")]
    last = [i for i, box in enumerate(drawing.boxes) if box.kind in ("out", "last")]
    return Layout(sizes, drawing.edges, rise=RISE, first=first, last=last)


def script():
    """The text of picture.js."""
    with open(os.path.join(os.path.dirname(__file__), "picture.js"), encoding="utf-8") as file:
        return file.read()


def html_of(drawing):
    """The drawing as a part of a page: SVG, and a script with which groups open and close."""
    drawn = svg_of(drawing)
    if not any(box.inside is not None for box in drawing.boxes):
        return f'<div style="overflow:auto">{drawn}</div>'
    name = f"picture-{uuid.uuid4().hex[:12]}"
    levels = json.dumps(levels_of(drawing), ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return (
        f'<div id="{name}" style="overflow:auto">{drawn}</div>\n'
        f'<script>(() => {{\n{script()}\nshow(document.getElementById("{name}"), {levels}, {RISE}, {MARGIN}, {WIDEST});\n}})();</script>'
    )
