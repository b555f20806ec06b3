"""Where a gradient becomes zero: the node, and what in its values made it so."""

import weakref

from rushlight import core
from rushlight.explain import _finite, _source
from rushlight.explain._graph import computed_from, inputs_of, is_leaf_node, nodes_of, op_name, roots_of, saved_tensors

REASONS = {
    "rectified": ("dead_relu", "relu is flat wherever a gradient arrived: its input is negative there"),
    "leaky": ("dead_relu", "relu is flat wherever a gradient arrived: its input is negative there"),
    "factor": ("multiplied_by_zero", "the other factor is zero wherever a gradient arrived"),
    "product": ("multiplied_by_zero", "the products with the other matrix are all zero"),
    "clamped": ("saturated", "every value lies outside the limits, where clamping is flat"),
    "step": ("flat", "{op} is a step function: its derivative is zero everywhere"),
    "saturated": ("saturated", "{op} is saturated: its values are so far out that the slope is zero in this dtype"),
    "masked": ("masked", "the mask takes another value wherever a gradient arrived"),
    "selecting": ("not_selected", "it takes elements other than these"),
    "power": ("flat", "the derivative of this power is zero here: the exponent is 0, or the base is"),
    "kink": ("flat", "the value is 0, where this derivative is defined as 0"),
    None: ("zero_slope", "the derivative of this operation is zero at these values"),
}
"""By what an op's declaration says of where it is flat: (cause, what makes a gradient zero)."""

SUSPECTS = {"rectified", "clamped", "step", "saturated", "masked", "selecting"}
"""What gives zeros without a zero in sight."""


def flatness(node):
    """What the declaration of a node's op says of where it is flat."""
    op = core.node_op(node)
    return None if op is None else op.declaration.flat


class Cut:
    """A node to which a gradient came, and from which zeros went on to one input."""

    def __init__(self, node, edge):
        self.reference, self.edge = weakref.ref(node), edge
        self.op, self.line = op_name(node), node.source_line
        self.cause, self.reason = reason_of(node, edge)

    @property
    def node(self):
        """The node, or None once its graph is gone."""
        return self.reference()

    def __repr__(self):
        return f"{self.op} at {_source.shown(self.line)}: {self.reason}"


def is_zero(tensor):
    """Whether a gradient is there and all zeros."""
    return tensor is not None and tensor.numel() > 0 and not bool((tensor != 0).any())


def reason_of(node, edge):
    """(cause, what in a node's values makes the gradient of one input zero)."""
    flat = flatness(node)
    kept = {name: tensor for name, tensor, _ in saved_tensors(node) or () if tensor is not None}
    cause, reason = REASONS[flat]
    if flat in ("rectified", "leaky") and kept:
        value = next(iter(kept.values()))
        if not bool((value > 0).any()):
            reason = f"its input is nowhere positive (all {value.numel()} elements), and there relu is flat"
    elif flat == "factor":
        other = kept.get("b" if edge == 0 else "a")
        if other is None or is_zero(other):
            reason = "the other factor is zero everywhere"
    elif flat == "product" and any(is_zero(value) for value in kept.values()):
        reason = "the matrix that it is multiplied with is zero everywhere"
    return cause, reason.format(op=op_name(node))


class Spoiled(Cut):
    """A node to which a finite gradient came, and from which NaN or infinity went on to one input."""

    def __init__(self, node, edge, gradient, result):
        super().__init__(node, edge)
        self.cause = "nonfinite"
        self.reason, self.fix = _finite.backward_reason(node, gradient, result)


def spoiled_of_step(node, results, gradients):
    """Where one node that ran made a gradient that is not finite from one that was."""
    if not all(g is None or _finite.is_finite(g) for g in gradients):
        return []
    bad = [(edge, result) for edge, result in enumerate(results) if result is not None and not _finite.is_finite(result)]
    return [Spoiled(node, edge, gradients[0], result) for edge, result in bad]


def cuts_of_step(node, results, gradients):
    """The cuts of one node that ran: gradients that came in, results that went out."""
    if all(g is None or is_zero(g) for g in gradients):
        return []
    return [Cut(node, edge) for edge, result in enumerate(results) if is_zero(result)]


def cuts_of(loss):
    """Every cut of a graph that is still whole, by walking it without touching any `.grad`."""
    from rushlight.explain._steps import steps

    found = []
    for step in steps(loss).until_stopped():
        if not step.is_leaf:
            found += cuts_of_step(step.node, step.results, step.gradients)
    return found


def cuts_towards(end, cuts):
    """Those cuts behind which the node `end` lies."""
    above = computed_from([end]) if cuts else ()
    targets = [(cut, cut.node.next_functions[cut.edge][0]) for cut in cuts if cut.node is not None]
    return [cut for cut, target in targets if target is not None and id(target) in above]


_noted: dict = {}
"""Cuts that a watched backward saw, by the id of their node: (weak reference to the node, cuts)."""


def noted_cuts(nodes, spoiled=False):
    """The cuts that `watch` noted on these nodes, or where gradients were spoiled."""
    noted = [cut for node in nodes for cut in _noted.get(id(node), (None, ()))[1] if cut.node is node]
    return [cut for cut in noted if isinstance(cut, Spoiled) == spoiled]


def noted_of(node):
    """The list of cuts noted on a node; gone when the node is."""
    key = id(node)
    if key not in _noted:
        _noted[key] = weakref.ref(node, lambda _: _noted.pop(key, None)), []
    return _noted[key][1]


class noting:
    """Hooks on nodes for one backward, that note where gradients become zero while the values are still there."""

    def __init__(self, nodes):
        self.nodes = [node for node in nodes if not is_leaf_node(node) and inputs_of(node)]

    def __enter__(self):
        self.handles = [node.register_hook(self.hook_of(weakref.ref(node))) for node in self.nodes]

    def hook_of(self, reference):
        """The hook of one node."""

        def note(results, gradients):
            node = reference()
            for cut in cuts_of_step(node, results, gradients) + spoiled_of_step(node, results, gradients):
                noted_of(node).append(cut)

        return note

    def __exit__(self, *exception):
        for handle in self.handles:
            handle.remove()
        self.nodes = []


def cancellation_at(loss, end):
    """(operation, line) of the nodes whose gradients for one node, on the way to `end`, are not zero but add up to zero; [] if none do."""
    from rushlight.explain._steps import steps

    leading = {id(node) for node in nodes_of([end])} | computed_from([end], nodes_of(roots_of(loss)))
    arrived = {}
    for step in steps(loss).until_stopped():
        if is_zero(step.gradients[0]):
            several = arrived.get(id(step.node), ())
            if len(several) > 1 and id(step.node) in leading and any(not is_zero(result) for _, result in several):
                return [(op_name(node), node.source_line) for node, result in several if not is_zero(result)]
        for (target, _), result in zip(step.node.next_functions, step.results):
            if target is not None and result is not None:
                arrived.setdefault(id(target), []).append((step.node, result))
    return []
