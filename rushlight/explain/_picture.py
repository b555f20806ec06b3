"""`picture`: the graph behind a tensor, as SVG and as text."""

import html
import os
from collections import Counter

from rushlight.core import Tensor
from rushlight.explain import _source
from rushlight.explain._boxes import Drawing, line_keys, module_keys
from rushlight.explain._graph import (
    inputs_of,
    is_leaf_node,
    names_from,
    nodes_of,
    op_name,
    output_shape,
    root_of,
    roots_of,
)
from rushlight.explain._report import Report, count_text, shape_text
from rushlight.explain._steps import number_text
from rushlight.explain._svg import svg_of

LARGEST = 200
"""More nodes than this are shown in groups."""

PLACE_SHOWN = 60

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ margin: 2em; font: 14px/1.5 system-ui, sans-serif; color-scheme: light dark }}</style></head>
<body>
{body}
</body></html>
"""


class Picture(Report):
    """A graph, drawn: `print` shows it as text, a notebook as SVG; `save` and `show` keep and open it.

    In the drawing the program runs downwards, from leaves (green) through operations to the result (amber); gradients flow upwards.
    """

    def __init__(self, loss, module=None, expand=None, name=None):
        self.roots = roots_of(loss)
        self.nodes = nodes_of(self.roots)
        self.names = names_from(module)
        several = [loss] if not isinstance(loss, (list, tuple)) else loss
        tensors = [one for one in several if isinstance(one, Tensor)]
        self.outputs = [(name if len(tensors) == 1 and name else "result", tensor) for tensor in tensors]
        self.whole = Drawing.of_nodes(self.nodes, self.names, self.outputs)
        self.drawing = self.whole
        self.is_grouped = expand is not True and (len(self.nodes) > LARGEST or expand is not None)
        if self.is_grouped:
            opened = {expand} if isinstance(expand, str) else set(expand or ())
            key = module_keys(self.nodes, self.names)
            if key is None:
                key = line_keys(self.nodes, self.names)
                self.whole = Drawing.of_nodes(self.nodes, self.names, self.outputs, joined=len(self.nodes))
            kinds = (
                {name: type(part).__name__ for name, part in module.named_modules()} if hasattr(module, "named_modules") else {}
            )
            self.drawing = self.whole.grouped(lambda box: None if title_matches(key(box), opened) else key(box), kinds)
            self.drawing = self.drawing if opened else self.drawing.folded()

    @property
    def groups(self):
        """The titles of the groups that are drawn as one box: what `expand` takes."""
        return [box.title for box in self.drawing.boxes if box.kind == "group"]

    # ------------------------------------------------------------------------------------------------------ SVG and HTML
    def _repr_svg_(self):
        return None if self.is_grouped else self.svg()

    def svg(self):
        """The drawing as the text of an SVG file."""
        return svg_of(self.drawing)

    def _repr_html_(self):
        return self.html()

    def html(self):
        """The drawing as HTML; groups can be opened."""
        parts = [f'<div style="overflow:auto">{self.svg()}</div>']
        for box in self.drawing.boxes:
            if box.kind == "group":
                inner = svg_of(Drawing.of_nodes(box.opened, self.names)) if len(box.opened) <= 2 * LARGEST else ""
                note = f"<p>{count_text(len(box.nodes), 'node')}: too many to draw</p>" if not inner else ""
                note = "<p>The first of them; the others are alike.</p>" if inner and len(box.opened) < len(box.nodes) else note
                heading = f"<b>{html.escape(box.title)}</b> · {box.detail} · {html.escape(box.place)}"
                parts.append(f'<details><summary>{heading}</summary><div style="overflow:auto">{inner}{note}</div></details>')
        return "\n".join(parts)

    def save(self, path):
        """Writes the drawing to a file: .svg, .html (groups can be opened there) or .txt."""
        path = os.fspath(path)
        kind = os.path.splitext(path)[1].lower()
        if kind not in (".svg", ".html", ".htm", ".txt"):
            raise ValueError(f"a picture is saved as .svg, .html or .txt, not {kind or 'without an extension'}")
        content = (
            self.svg() if kind == ".svg" else f"{self}\n" if kind == ".txt" else PAGE.format(title="Graph", body=self.html())
        )
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)

    def show(self):
        """Opens the drawing in the browser; returns the path of the page."""
        import tempfile
        import webbrowser

        handle, path = tempfile.mkstemp(suffix=".html", prefix="graph-")
        os.close(handle)
        self.save(path)
        webbrowser.open("file://" + path)
        return path

    # ------------------------------------------------------------------------------------------------------ text
    def __str__(self):
        """The graph from its result backwards: an operation, then what it was computed from."""
        rows = []
        depth = depths_of(self.nodes)
        uses = Counter(id(target) for node in self.nodes for target in inputs_of(node))
        numbers, seen = {}, set()

        def named(node):
            return is_leaf_node(node) and id(node.variable) in self.names

        def title(node):
            if is_leaf_node(node):
                return self.names.get(id(node.variable), "leaf")
            return op_name(node)

        def row(node, prefix):
            repeated = id(node) in seen
            mark = ""
            if uses[id(node)] > 1 and not named(node):
                mark = f" [{numbers.setdefault(id(node), len(numbers) + 1)}]"
            seen.add(id(node))
            if repeated:
                rows.append(
                    (
                        f"{prefix}{title(node)}{mark}",
                        shape_text(output_shape(node)),
                        "see above" if not is_leaf_node(node) else "",
                    )
                )
                return False
            line = node.source_line
            rows.append(
                (
                    f"{prefix}{title(node)}{mark}",
                    shape_text(output_shape(node)),
                    _source.shown(line) if line else "leaf" if named(node) else "",
                )
            )
            return True

        def walk(node, first, rest):
            # The deepest input goes on in the same column, so that a long chain is a straight line; the others branch off.
            prefix = first
            while row(node, prefix):
                inputs = sorted(inputs_of(node), key=lambda n: depth[id(n)])
                if not inputs:
                    return
                for branch in inputs[:-1]:
                    walk(branch, rest + "├─ ", rest + "│  ")
                node, prefix = inputs[-1], rest

        for name, tensor in self.outputs:
            value = f" = {number_text(tensor.detach().item())}" if tensor.numel() == 1 else ""
            rows.append((f"{name}{value}", shape_text(tensor.shape), ""))
            walk(root_of(tensor), "", "")
        for root in self.roots:
            if id(root) not in seen:
                walk(root, "", "")
        first = max((len(r[0]) for r in rows), default=0)
        second = max((len(r[1]) for r in rows), default=0)
        lines = []
        for title_text, shape, place in rows:
            place = place if len(place) <= PLACE_SHOWN else place[: PLACE_SHOWN - 1] + "…"
            lines.append(f"{title_text.ljust(first)}  {shape.ljust(second)}  {place}".rstrip())
        return "\n".join(lines)


def depths_of(nodes):
    """The longest way from each node to a leaf, by id."""
    depth = {}
    for node in nodes:
        depth[id(node)] = 1 + max((depth[id(target)] for target in inputs_of(node)), default=-1)
    return depth


def title_matches(key, opened):
    """Whether a group was asked to be opened: by its name or that of a module around it, or by its line as file:number."""
    if not isinstance(key, str):
        return key is not None and _source.short(key) in opened
    return any(key == name or key.startswith(name + ".") for name in opened)


def picture(loss, module=None, expand=None):
    """The graph behind `loss`: printed as text, in a notebook as SVG; `save(path)` keeps it, `show()` opens it in a browser.

    Args:
        loss: A tensor that has a graph, or a list of them.
        module: A Module, or a dict from names to tensors, for the names of leaves.
        expand: Graphs of more than 200 nodes are drawn in groups, by module if `module` has several, else by source line; a body of groups
            that repeats is one box with its count. True draws every node all the same; a group's name, or several, opens just these (and
            folds nothing); [] groups a smaller graph, too.

    >>> import rushlight as torch
    >>> from rushlight import explain
    >>> w = torch.tensor([1., 2.], requires_grad=True)
    >>> loss = (w * 3).sum()
    >>> print(explain.picture(loss, {"w": w}))  # doctest: +ELLIPSIS
    loss = 9  scalar
    sum       scalar  ...
    mul       2       ...
    w         2       leaf
    """
    if not roots_of(loss):
        raise RuntimeError("this tensor has no graph to draw: explain.why(tensor) says why")
    return Picture(loss, module, expand, _source.argument_name("picture"))
