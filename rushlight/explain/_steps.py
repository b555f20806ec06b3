"""`steps`: backward, one node at a time, with everything that a node knows."""

import heapq
import itertools
import sys

import rushlight as torch
from rushlight import core
from rushlight.core import Tensor
from rushlight.explain import _source
from rushlight.explain._graph import is_leaf_node, names_from, nodes_of, op_name, order_of, roots_of, saved_tensors
from rushlight.explain._report import Report, shape_text

ELEMENTS_SHOWN = 6
STEPS_SHOWN = 100


def values_text(value):
    """A value in one line: small tensors whole, large ones by shape and range."""
    if not isinstance(value, Tensor):
        return repr(value)
    if value.numel() <= ELEMENTS_SHOWN:
        return tensor_line(value)
    kind = f"{shape_text(value.shape)} {value.dtype.name}"
    if not value.dtype.is_floating_point:
        return kind
    value = value.detach()
    finite = value[value.isfinite()]
    if finite.numel() == 0:
        return f"{kind}, no finite value"
    bad = value.numel() - finite.numel()
    span = f"{kind}, {finite.min().item():.4g} … {finite.max().item():.4g}"
    return span + (f", {bad} not finite" if bad else "")


def tensor_line(value):
    """All elements of a small tensor in one line, with its shape where brackets do not show it."""
    if value.dim() == 0:
        return number_text(value.item())
    return "[" + ", ".join(tensor_line(row) for row in value.detach().unbind(0)) + "]"


def number_text(number):
    """A number with four digits."""
    return f"{number:.4g}" if isinstance(number, (float, complex)) else str(number)


class Stopped(Exception):
    """Backward cannot go on at a node: the error that says why, and the node."""

    def __init__(self, error, node):
        super().__init__(str(error))
        self.error, self.node = error, node


class Step(Report):
    """One node of a backward: what came in, which rule ran on which values, what went out.

    Attributes: `node`, `op` (the operation's name), `line` (file and line number in the program), `gradients` (of the node's outputs),
    `saved` (name to value), `rules` (pairs of the input's name and the rule's source), `results` (gradients of the inputs; None where none
    is needed), `is_leaf` and, for a leaf, `leaf` and its `name`.
    """

    def __init__(self, number, node, gradients, results, names):
        self.number, self.node, self.gradients, self.results, self.names = number, node, gradients, results, names
        self.op, self.line, self.is_leaf = op_name(node), node.source_line, is_leaf_node(node)
        self.leaf = node.variable if self.is_leaf else None
        self.name = leaf_name(node, names) if self.is_leaf else None
        self.rules = [] if self.is_leaf else rules_of(node)
        self.saved = {} if self.is_leaf else saved_values(node)

    @property
    def gradient(self):
        """The gradient that came in, of the first output."""
        return self.gradients[0]

    def __str__(self):
        incoming = ", ".join(values_text(g) if g is not None else "nothing" for g in self.gradients)
        if self.is_leaf:
            return f"step {self.number}: {self.name}, the end of a path\n  would add to .grad:  {incoming}"
        lines = [f"step {self.number}: {self.op}" + (f"   {_source.shown(self.line)}" if self.line else "")]
        lines.append(f"  gradient in:   {incoming}")
        for name, value in self.saved.items():
            lines.append(f"  saved {name}:".ljust(17) + values_text(value))
        for name, source in self.rules:
            lines += rule_lines(name, source)
        sent = [(place, result) for place, result in enumerate(self.results) if result is not None]
        for place, result in sent:
            target = self.node.next_functions[place][0]
            to = leaf_name(target, self.names) if is_leaf_node(target) else op_name(target)
            lines.append(f"  gradient out:  {values_text(result)}  → {to}")
        return "\n".join(lines)


def leaf_name(node, names):
    """The name of the leaf at the end of a path, or its shape."""
    return names.get(id(node.variable)) or f"a leaf ({shape_text(node.variable.shape)})"


def rule_lines(name, source):
    """A rule's source, one line where it is short."""
    if "\n" not in source:
        return [f"  rule for {name}:".ljust(17) + source]
    return [f"  rule for {name}:"] + [f"      {line}" for line in source.splitlines()]


def rules_of(node):
    """The derivative rules that a node calls: (name of the input, source)."""
    op = core.node_op(node)
    if op is None:
        cls = getattr(node, "_forward_cls", None)
        source = None if cls is None else _source.source_of(cls.backward)
        return [] if source is None else [("the inputs", source)]
    found = []
    for rule, _ in core.node_rules(node):
        name = "all inputs" if rule.parameter < 0 else op.parameters[rule.parameter]
        source = _source.source_of(rule.function) if callable(rule.function) else repr(rule.function)
        source = source or getattr(rule.function, "__name__", "?")
        found.append((name, f"gradient · slope,  slope = {source}" if rule.is_slope else source))
    return found


def saved_values(node):
    """What a node kept, by name."""
    if getattr(node, "_forward_cls", None) is not None:
        return {f"[{i}]": value for i, value in enumerate(node.saved_tensors)}
    kept = core.node_saved(node)
    if not kept:
        return {}
    tensors = {
        name: tensor if tensor is not None else "(packed by saved_tensors_hooks)" for name, tensor, _ in saved_tensors(node)
    }
    values = {}
    for name, value in kept:
        if isinstance(value, core.SavedTensor):
            values[name] = tensors[name]
        elif isinstance(value, list):
            values |= {key: tensor for key, tensor in tensors.items() if key.startswith(f"{name}[")}
        else:
            values[name] = tuple(value) if isinstance(value, core.Size) else value
    return values


class steps(Report):
    """Backward from `loss` as an iterator of `Step`s, newest node first, in the order that the engine takes. No `.grad` is touched.

    Args:
        loss: A tensor with a graph that no backward has freed.
        gradient: Its cotangent; ones by default.
        module: A Module, or a dict of tensors, for the names of leaves.

    The graph stays whole, so `loss.backward()` still works afterwards. Hooks are not called.

    >>> import rushlight as torch
    >>> from rushlight import explain
    >>> x = torch.tensor([1., 2.], requires_grad=True)
    >>> for step in explain.steps((x * x).sum()):
    ...     print(step.op, step.gradient)
    sum tensor(1.)
    mul tensor([1., 1.])
    leaf tensor([2., 4.])
    """

    def __init__(self, loss, gradient=None, module=None):
        roots = roots_of(loss)
        if not roots:
            raise RuntimeError("this tensor has no graph to walk: explain.why(tensor) says why")
        self.loss, self.names, self.name = loss, names_from(module), _source.argument_name("steps") or "result"
        self.roots = roots
        self.nodes = nodes_of(roots)
        if gradient is None:
            shape, dtype = loss.shape, loss.dtype
            gradient = torch.ones(shape, dtype=dtype)
        self.seed = gradient

    def __len__(self):
        return len(self.nodes)

    def __iter__(self):
        stopped = None
        try:
            yield from self.until_stopped()
        except Stopped as reason:
            stopped = reason.error
        if stopped is not None:
            # Raised here, the error shows the program's line and this one, and none of the walk.
            raise stopped

    def until_stopped(self):
        """The steps; `Stopped` where a node cannot run."""
        waits = {id(node): 0 for node in self.nodes}
        for node in self.nodes:
            for target, _ in node.next_functions:
                if target is not None:
                    waits[id(target)] += 1
        arrived = {}
        root, output = core.edge_pair(self.loss) if isinstance(self.loss, Tensor) else (self.roots[0], 0)
        arrived[id(root)] = {output: self.seed}
        ready = [(key_of(root), 0, root)]
        number = 0
        while ready:
            _, _, node = heapq.heappop(ready)
            number += 1
            received = arrived.pop(id(node), {})
            gradients = tuple(received.get(i) for i in range(1 if is_leaf_node(node) else len(node._input_metadata)))
            grad = core.set_grad_mode(False)
            try:
                results = () if is_leaf_node(node) else core.node_step(node, gradients)
            except RuntimeError as error:
                own = core.node_op(node) is None
                raise Stopped(error if own else error.with_traceback(None), node) from None
            finally:
                core.set_grad_mode(grad)
            yield Step(number, node, gradients, results, self.names)
            for (target, output), result in zip(node.next_functions, results):
                if target is None:
                    continue
                if result is not None:
                    at = arrived.setdefault(id(target), {})
                    with torch.no_grad():
                        at[output] = at[output] + result if output in at else result
                waits[id(target)] -= 1
                if waits[id(target)] == 0:
                    heapq.heappush(ready, (key_of(target), id(target), target))

    def _repr_html_(self):
        return self.html() or super()._repr_html_()

    def html(self):
        """The backward as a part of a page, in which one goes forward and back: gradients appear in the drawing of the graph. None for more
        than 200 nodes."""
        from rushlight.explain._steps_page import html_of

        return html_of(self)

    def save(self, path):
        """Writes such a page to a file, which needs nothing else."""
        from rushlight.explain._report import page_of

        body = self.html()
        if body is None:
            raise ValueError(f"a page shows a backward of 200 nodes at most, and this one has {len(self)}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(page_of("Backward, one step at a time", body))

    def walk(self, ask=None):
        """Shows one step after another in the terminal: Enter for the next, q to stop. Without a keyboard it shows all of them.

        `ask` stands for `input`, for other ways of asking.
        """
        interactive = ask is not None or (sys.stdin is not None and sys.stdin.isatty())
        ask = ask or input
        for step in self:
            print(step)
            if interactive and step.number < len(self):
                try:
                    answer = ask(f"[{step.number} of {len(self)}] Enter: next, q: stop > ")
                except EOFError:
                    interactive = False
                    continue
                if answer.strip().lower().startswith("q"):
                    break

    def __str__(self):
        shown = []
        try:
            for step in itertools.islice(self.until_stopped(), STEPS_SHOWN):
                shown.append(str(step))
        except Stopped as stopped:
            line = stopped.node.source_line
            place = f"   {_source.shown(line)}" if line else ""
            texts = [str(stopped), *(note.strip() for note in getattr(stopped.error, "__notes__", ()))]
            return "\n".join([*shown, f"backward stops at {op_name(stopped.node)}{place}", *(f"  {text}" for text in texts)])
        left = len(self) - len(shown)
        return "\n".join(shown + [f"… and {left} more: iterate, or walk() through them"] * (left > 0))


def key_of(node):
    """The engine's order: leaves first, then the newest."""
    return -(1 << 62) if is_leaf_node(node) else -order_of(node)
