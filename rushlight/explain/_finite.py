"""`first_nonfinite`: the operation that first made NaN or infinity, forward or backward."""

import rushlight as torch
from rushlight import core
from rushlight.core import Tensor
from rushlight.explain import _source
from rushlight.explain._graph import (
    inputs_of,
    is_leaf_node,
    nodes_of,
    op_name,
    output_shape,
    roots_of,
    saved_tensors,
)
from rushlight.explain._report import Report
from rushlight.explain._steps import rule_lines, rules_of, steps, values_text
from rushlight.explain._watch import tensors_in
from rushlight.ops._names import public_name

HAZARDS = {
    "root": "add a small number under the root, (x + 1e-12).sqrt(): its slope at 0 is infinite",
    "logarithm": "keep it away from 0, log(x.clamp_min(1e-12)); or take what contains it: xlogy, log1p, log_softmax, cross_entropy",
    "quotient": "keep the denominator away from 0: x / y.clamp_min(1e-12), or x / (y + 1e-12)",
    "exponential": "subtract the largest first, or take what does: softmax, logsumexp, log_softmax",
    "power": "keep the base away from 0 (a negative or broken power has no slope there)",
}
"""What helps, by the word in the declaration of the operation that made it."""

ASK_FUNCTION = "If a function is given, first_nonfinite(lambda: …), every operation of it is checked."


class Nonfinite(Report):
    """What `first_nonfinite` found; false if everything is finite.

    Attributes: `phase` ("forward", "backward", or None), `op`, `line`, `inputs` (name to value: what the operation was given, or what a
    node used backward), `output` (the first tensor that is not finite), `certain` (False where the operation itself was not seen) and `fix`
    (what helps, or None).
    """

    def __init__(self, phase=None, op=None, line=None, inputs=None, output=None, certain=True, notes=(), fix=None):
        self.phase, self.op, self.line, self.inputs, self.output = phase, op, line, inputs or {}, output
        self.certain, self.notes, self.fix = certain, tuple(notes), fix

    def __bool__(self):
        return self.phase is not None

    def __str__(self):
        if self.phase is None:
            return "\n".join(self.notes) if self.notes else "Everything is finite, forward and backward."
        verb = "made" if self.certain else "probably made"
        where = "" if self.phase == "forward" else " in backward"
        lines = [f"{self.op} {verb} the first {kind_of(self.output)}{where}:", f"    {_source.shown(self.line)}"]
        label = "input" if self.phase == "forward" else "saved"
        for name, value in self.inputs.items():
            lines.append(f"  {(name if name == 'gradient in' else f'{label} {name}') + ':':<16} {values_text(value)}")
        lines.append(f"  {'result:' if self.phase == 'forward' else 'gradient out:':<16} {values_text(self.output)}")
        lines += [f"  {note}" for note in self.notes]
        lines += [f"  what helps: {self.fix}"] if self.fix else []
        return "\n".join(lines)


def remedy(op):
    """What helps where an op (None: what is none) made NaN or infinity; None where that is not known."""
    return None if op is None else HAZARDS.get(op.declaration.hazard)


def backward_reason(node, gradient, result):
    """Why a node turned a finite gradient into one that is not, and what helps."""
    bad = ~result.isfinite()
    if gradient is not None and gradient.shape == result.shape and bool((gradient[bad] == 0).all()):
        reason = "the gradient that came in is 0 there, and 0 times an infinite slope is NaN: something chose other elements afterwards"
        return (
            reason,
            f"choose before the operation: torch.where(fine, x, 1.0).{op_name(node)}(), and then torch.where(fine, …, 0.0)",
        )
    return "its slope there is infinite, or too large for this dtype", remedy(core.node_op(node))


def is_finite(value):
    """Whether a tensor holds neither NaN nor infinity."""
    return not (value.dtype.is_floating_point or value.dtype.is_complex) or bool(value.isfinite().all())


def kind_of(value):
    """NaN, or infinity where there is no NaN."""
    return "NaN" if bool(value.isnan().any()) else "infinity"


class Search:
    """An interpreter that looks at every result, and keeps the first that is not finite though its inputs were."""

    def __init__(self):
        self.found = None

    def process(self, op, arguments, keywords):
        """One operation."""
        before = None
        if self.found is None:
            # Copies, since the operation may write into what it reads.
            before = {
                name: value.detach().clone() if isinstance(value, Tensor) and keywords else value
                for name, value in zip(op.parameters, arguments)
            }
        result = core.run(op, arguments, keywords)
        if self.found is None and not core.running_depth():
            bad = next((out for out in tensors_in((result,)) if not is_finite(out)), None)
            if bad is not None and not op.declaration.fills:
                self.note(op, before, bad)
        return result

    def note(self, op, before, output):
        """Keeps what was found. Where an input was not finite before, no operation seen here made it: it came from outside."""
        inputs = {key: value for key, value in before.items() if value is not None and not isinstance(value, bool)}
        given = [key for key, value in before.items() if any(not is_finite(t) for t in tensors_in((value,)))]
        if given and not bool(output.isnan().any()):
            return
        notes = []
        if given and any(kind_of(t) == "NaN" for key in given for t in tensors_in((before[key],)) if not is_finite(t)):
            notes.append(
                f"Its input {given[0]} was not finite already: no operation made that, it came in as data or as a parameter."
            )
        line, value = _source.user_line(), output.detach().clone()
        self.found = Nonfinite("forward", public_name(op), line, inputs, value, True, notes, remedy(op))


def first_nonfinite(loss):
    """The operation that first made NaN or infinity: forward or, if all is well there, backward.

    Args:
        loss: A function without arguments, which is called, every operation of it being checked; if it returns a tensor with a graph, its
            backward is checked too. Or a tensor with a graph: then what backward keeps of the forward values is checked, as far as that
            goes, and then backward. No `.grad` is touched.

    Infinities that are put in on purpose (masked_fill, full, where) do not count, and an operation that makes finite values or
    infinities out of infinities is passed over.

    >>> import rushlight as torch
    >>> from rushlight import explain
    >>> x = torch.tensor([1., 0.], requires_grad=True)
    >>> found = explain.first_nonfinite(lambda: (x / x).sum())
    >>> found.op, found.phase
    ('div', 'forward')
    >>> explain.first_nonfinite(x.sqrt().sum()).phase
    'backward'
    """
    if isinstance(loss, Tensor):
        return of_graph(loss)
    if not callable(loss):
        raise TypeError(f"first_nonfinite expects a tensor or a function, but got {type(loss).__name__}")
    search = Search()
    core.push_interpreter(search)
    try:
        result = loss()
    finally:
        core.pop_interpreter()
    if search.found is not None:
        return search.found
    if isinstance(result, Tensor) and result.requires_grad:
        return of_graph(result)
    return Nonfinite()


def of_graph(loss):
    """What the graph of a tensor shows."""
    nodes = nodes_of(roots_of(loss))
    if not nodes:
        known = "finite" if is_finite(loss) else f"not finite ({kind_of(loss)})"
        return Nonfinite(notes=(f"This tensor is {known}, and has no graph to look at. {ASK_FUNCTION}",))
    if any(core.node_saved(node) is None for node in nodes):
        known = "finite" if is_finite(loss) else f"not finite ({kind_of(loss)})"
        notes = [f"The result is {known}, but backward has freed the values before it. Ask before backward. {ASK_FUNCTION}"]
        bad = [list(node.variable.shape) for node in nodes if is_leaf_node(node) and not is_finite(node.variable.detach())]
        if bad:
            notes.append(f"Leaves that are not finite themselves, of shapes: {', '.join(map(str, bad))}")
        return Nonfinite(notes=notes)
    return in_forward(nodes, loss) or in_backward(loss)


def in_forward(nodes, loss):
    """The first node whose result is known to be not finite; None where all known values are finite."""
    results, inputs = known_values(nodes, loss)
    for node in nodes:
        value = results.get(id(node))
        if value is None or is_finite(value) or is_leaf_node(node) or fills(node):
            continue
        before = [results.get(id(target)) for target in inputs_of(node)]
        certain = all(one is not None for one in before) or bool(inputs.get(id(node)))
        bad = [one for one in inputs.get(id(node), {}).values() if not is_finite(one)] + [
            b for b in before if b is not None and not is_finite(b)
        ]
        if bad and not (bool(value.isnan().any()) and not any(bool(b.isnan().any()) for b in bad)):
            notes = ["Its input was not finite already, and came in from outside the graph."]
        else:
            notes = (
                []
                if certain
                else ["(Not every value before it is kept: a function, first_nonfinite(lambda: …), is checked completely.)"]
            )
        given, fix = inputs.get(id(node), {}), remedy(core.node_op(node))
        return Nonfinite("forward", op_name(node), node.source_line, given, value, certain, notes, fix)
    return None


def fills(node):
    """Whether an infinity in the result was put there on purpose."""
    op = core.node_op(node)
    return op is not None and op.declaration.fills


def known_values(nodes, loss):
    """By node: its result, as far as some node keeps it; and what it keeps of its inputs, by name."""
    results, inputs = {id(roots_of(loss)[0]): loss.detach()}, {}
    for node in nodes:
        if is_leaf_node(node):
            results[id(node)] = node.variable.detach()
            continue
        for name, tensor, saved in saved_tensors(node) or ():
            if tensor is None or not core.saved_is_intact(saved):
                continue
            if core.saved_is_output(saved):
                if tuple(tensor.shape) == output_shape(node):
                    results[id(node)] = tensor
            else:
                inputs.setdefault(id(node), {})[name] = tensor.detach()
                if tensor.requires_grad and tensor.grad_fn is not None and tensor.output_nr == 0:
                    results[id(tensor.grad_fn)] = tensor.detach()
    for node in nodes:
        if id(node) not in results:
            value = computed_again(node, results)
            if value is not None:
                results[id(node)] = value
    return results, inputs


def computed_again(node, results):
    """The result of a node, from what it keeps and what is known of its inputs; None where that is not enough."""
    op = core.node_op(node)
    if op is None or "generator" in op.parameters or len(op.outputs) > 1:
        return None
    given = {}
    for rule, (target, output) in zip(op.rules, node.next_functions):
        if target is not None and rule.parameter >= 0 and not rule.is_list and output == 0 and id(target) in results:
            given[op.parameters[rule.parameter]] = results[id(target)]
    for name, value in core.node_saved(node) or ():
        if name in op.parameters:
            if isinstance(value, core.SavedTensor):
                value = core.saved_value(value) if core.saved_is_intact(value) else None
                if value is None:
                    return None
            elif isinstance(value, list):
                return None
            given.setdefault(name, value)
    arguments = [given.get(name, default) for name, default in zip(op.parameters, op.defaults)]
    if any(value is core.MISSING for value in arguments):
        return None
    with torch.no_grad():
        try:
            value = core.run(op, tuple(arguments))
        except (RuntimeError, TypeError, ValueError, IndexError):
            # A default stood for an argument that the node did not keep: the result stays unknown.
            return None
    return value if isinstance(value, Tensor) and tuple(value.shape) == output_shape(node) else None


def in_backward(loss):
    """The first node of backward that turns finite gradients into others; a false Nonfinite where there is none."""
    for step in steps(loss):
        if any(g is not None and not is_finite(g) for g in step.gradients):
            continue
        bad = next((result for result in step.results if result is not None and not is_finite(result)), None)
        if bad is not None:
            values = {"gradient in": step.gradients[0], **{k: v for k, v in step.saved.items() if isinstance(v, Tensor)}}
            notes = [line.removeprefix("  ") for name, source in rules_of(step.node) for line in rule_lines(name, source)]
            reason, fix = backward_reason(step.node, step.gradients[0], bad)
            return Nonfinite("backward", step.op, step.line, values, bad, True, [*notes, reason], fix)
    return Nonfinite()
