"""`picture`: the graph behind a tensor, as SVG and as text."""

import os

from rushlight.core import Tensor
from rushlight.explain import _source
from rushlight.explain._boxes import GROUPS_WANTED, Drawing, line_keys, module_keys
from rushlight.explain._graph import names_from, nodes_of, roots_of
from rushlight.explain._levels import html_of, placed
from rushlight.explain._report import Report, page_of
from rushlight.explain._svg import WIDEST, svg_of
from rushlight.explain._text import text_of

LARGEST = 200
"""More nodes than this are shown in groups."""


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
        self.drawing = Drawing.of_nodes(self.nodes, self.names, self.outputs)
        self.is_grouped = expand is not True and (expand is not None or self.is_too_large())
        if self.is_grouped:
            self.drawing = self.grouped(module, {expand} if isinstance(expand, str) else set(expand or ()))

    def is_too_large(self):
        """Whether the drawing of every node has too many, or is wider than a page."""
        return len(self.nodes) > LARGEST or placed(self.drawing).width > WIDEST

    def grouped(self, module, opened):
        """The drawing in groups: of modules or lines, and of bodies that repeat. Those that are `opened` have none within."""
        key, whole = module_keys(self.nodes, self.names), self.drawing
        joined = Drawing.of_nodes(self.nodes, self.names, self.outputs, joined=len(self.nodes))
        if key is None:
            key, whole = line_keys(self.nodes, self.names), joined
        kinds = {name: type(part).__name__ for name, part in module.named_modules()} if hasattr(module, "named_modules") else {}
        keyed = whole.grouped(lambda box: None if title_matches(key(box), opened) else key(box), kinds)
        if opened:
            return keyed
        for drawing in (keyed.folded(), joined.folded()):
            if not drawing.is_opaque() and len(drawing.boxes) <= GROUPS_WANTED and placed(drawing).width <= WIDEST:
                return drawing
        return joined.in_parts()

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
        """The drawing as HTML; where it has groups, a click opens them in their place, and closes them again."""
        return html_of(self.drawing)

    def save(self, path):
        """Writes the drawing to a file: .svg, .html (groups can be opened there) or .txt."""
        path = os.fspath(path)
        kind = os.path.splitext(path)[1].lower()
        if kind not in (".svg", ".html", ".htm", ".txt"):
            raise ValueError(f"a picture is saved as .svg, .html or .txt, not {kind or 'without an extension'}")
        content = self.svg() if kind == ".svg" else f"{self}\n" if kind == ".txt" else page_of("The graph", self.html())
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

    def __str__(self):
        """The graph from its result backwards: an operation, then what it was computed from; in the groups of the drawing."""
        return text_of(self.drawing)


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
        expand: Graphs of more than 200 nodes, and those wider than a page, are drawn in groups, by module if `module` has several, else by
            source line; what repeats is one box with its count, and what has no such order is cut into parts. In HTML a click opens a group
            in its place. True draws every node all the same; a group's name, or several, draws these in full (and folds nothing); [] groups
            a smaller graph, too.

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
