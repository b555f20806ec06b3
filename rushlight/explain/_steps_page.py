"""Backward as a page: the graph, and a step forward or back through it. One file, without a server."""

import html
import json
import os
import uuid

from rushlight.core import Tensor
from rushlight.explain import _source
from rushlight.explain._boxes import Drawing
from rushlight.explain._graph import is_leaf_node, op_name
from rushlight.explain._steps import Stopped, leaf_name, values_text
from rushlight.explain._svg import shortened, svg_of

MOST = 200
"""A page shows backwards of no more nodes than this."""

SLOT = 31
"""So many characters of a gradient are shown in a node's box."""

STYLE = """
.rl-steps { font: 14px/1.5 system-ui, sans-serif; display: flex; gap: 16px; align-items: flex-start; }
.rl-steps .rl-drawn { flex: 1 1 auto; overflow: auto; max-height: 92vh; }
.rl-steps .rl-panel { flex: 0 0 400px; position: sticky; top: 8px; }
.rl-steps button { font: inherit; padding: 4px 12px; margin-right: 6px; border-radius: 6px; border: 1px solid #8a94a3; background: none; color: inherit; }
.rl-steps button:disabled { opacity: .4; }
.rl-steps input[type=range] { width: 100%; margin: 10px 0; accent-color: #e8890c; }
.rl-steps h2 { font-size: 16px; margin: 8px 0 2px; }
.rl-steps code, .rl-steps td { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: 12px; }
.rl-steps td { vertical-align: top; padding: 3px 8px 3px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.rl-steps td:first-child { opacity: .65; white-space: nowrap; }
.rl-steps .rl-gradient { font-size: 10.5px; fill: #b35c00; }
.rl-steps .rl-coming .rl-gradient { opacity: .6; }
.rl-steps .rl-picture .rl-done rect { stroke: #e8a33d; }
.rl-steps .rl-picture .rl-now rect { stroke: #e8890c; stroke-width: 3; }
.rl-steps .rl-picture .rl-passed .rl-edge { stroke: #e8a33d; }
.rl-steps .rl-picture .rl-sends .rl-edge { stroke: #e8890c; stroke-width: 3; }
.rl-steps [data-box] { cursor: pointer; }
@media (prefers-color-scheme: dark) { .rl-steps .rl-gradient { fill: #ffb75e; } }
@media (max-width: 900px) { .rl-steps { flex-direction: column-reverse; } .rl-steps .rl-panel { position: static; flex: none; width: 100%; } }
"""


def html_of(walk):
    """The steps of a backward as a part of a page; None where it has too many."""
    if len(walk) > MOST:
        return None
    outputs = [(walk.name, walk.loss)] if isinstance(walk.loss, Tensor) else []
    drawing = Drawing.of_nodes(walk.nodes, walk.names, outputs, joined=len(walk.nodes))
    place = {id(node): i for i, node in enumerate(walk.nodes)}
    told, stopped = [], ""
    try:
        for step in walk.until_stopped():
            told.append(told_of(step, place))
    except Stopped as reason:
        stopped = f"Backward stops at {op_name(reason.node)}: {reason}"
    name = f"steps-{uuid.uuid4().hex[:12]}"
    data = json.dumps({"steps": told, "stopped": stopped}, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    with open(os.path.join(os.path.dirname(__file__), "steps.js"), encoding="utf-8") as file:
        script = file.read()
    return (
        f'<div id="{name}" class="rl-steps"><style>{STYLE}</style><div class="rl-drawn">{svg_of(drawing, slots=True)}</div>'
        '<div class="rl-panel"><div><button data-go="first">|◀</button><button data-go="back">◀ back</button>'
        '<button data-go="next">step ▶</button><button data-go="last">▶|</button></div>'
        f'<input type="range" min="0" max="{len(told)}" value="0" aria-label="step"><div class="rl-told"></div></div></div>\n'
        f'<script>(() => {{\n{script}\nwalk(document.getElementById("{name}"), {data});\n}})();</script>'
    )


def told_of(step, place):
    """One step: the number of its box, what came to it, and what the page says of it."""
    rows = []
    if step.is_leaf:
        title, line = f"{step.name}: the end of a path", ""
        rows.append(["would add to .grad", values_text(step.gradient)])
    else:
        title, line = step.op, _source.shown(step.line) if step.line else ""
        rows += [["gradient in", values_text(g) if g is not None else "nothing"] for g in step.gradients]
        rows += [[f"saved {name}", values_text(value)] for name, value in step.saved.items()]
    sent = []
    for (target, _), result in zip(step.node.next_functions, step.results):
        if target is not None and result is not None:
            to = leaf_name(target, step.names) if is_leaf_node(target) else op_name(target)
            rows.append(["gradient out", f"{values_text(result)}  → {to}"])
            sent.append([place[id(target)], shortened(values_text(result), SLOT)])
    rows += [[f"rule for {name}", source] for name, source in step.rules]
    gradient = "nothing" if step.gradient is None else shortened(values_text(step.gradient), SLOT)
    title, line = html.escape(title), html.escape(line)
    rows = [[html.escape(what), html.escape(value)] for what, value in rows]
    return {"box": place[id(step.node)], "gradient": gradient, "title": title, "line": line, "rows": rows, "sent": sent}
