"""Batching rules: how each op computes a whole batch at once. A rule follows from the op's kind, or stands in a table."""

from rushlight import core
from rushlight.func.batching import decompositions, elementwise, indexing, layers, products, random, rearranging, reduction, views
from rushlight.func.batching._table import NoRule, examples, examples_fit, lined_up, rules
from rushlight.func.batching.elementwise import aligned
from rushlight.ops import table

FAMILIES = (decompositions, elementwise, indexing, layers, products, rearranging, reduction, views)
"""The modules whose rules fill the table."""

__all__ = ["FAMILIES", "NoRule", "aligned", "examples", "examples_fit", "lined_up", "no_rule", "rule_of", "rules"]

SHIFTED = (*reduction.SHIFTED, *views.SHIFTED)
"""Ops of one tensor for which it is enough to move up the dimensions that they are given."""

SPECIAL = {"view": "sizes", "_unsafe_view": "sizes", "expand": "sizes", "fill": "fill", "zero": "fill", "copy": "copy"} | {
    name: name for name in ("t", "unsqueeze", "mm", "addmm", "mv", "addmv", "permute")
}
"""Ops that the core has a short way for."""

DIMENSIONS = ("dim", "dim0", "dim1", "dim2", "dimension")
"""What parameters that are dimensions are called."""


def no_rule(op, arguments, batched, size):
    """What stands for the rule of an op that has none."""
    raise NoRule(op.name)


def rule_of(op):
    """The batching rule of an op: the table's, that of its declaration, or that of its kind."""
    rule = rules.get(op)
    if rule is not None:
        return rule
    if op.batch is not None:
        return op.batch
    if type(op) is core.PointwiseOp:
        return elementwise.pointwise
    return reduction.reduction if type(op) is core.ReductionOp else no_rule


def connect():
    """Tells the core how every op of the table computes a batch."""
    for name, op in table.items():
        kind, dims, everything = SPECIAL.get(name, "rule"), None, False
        if op in random.OPS:
            kind = "draws"
        elif type(op) is core.PointwiseOp:
            kind = "pointwise"
        elif name in SHIFTED or (type(op) is core.ReductionOp and "dim" in op.parameters):
            kind = "shifted"
            dims = [place for place, parameter in enumerate(op.parameters) if parameter in DIMENSIONS]
            everything = "dim" in op.parameters and op not in reduction.FLATTENING and type(op) is core.ReductionOp
        core.set_batching(op, kind, rule_of(op), dims, everything, has_lists(op))


def has_lists(op):
    """Whether a parameter may be a list of tensors."""
    return any(rule.is_list for rule in op.rules) or op.parameters[0] == "tensors" or "indices" in op.parameters


connect()
