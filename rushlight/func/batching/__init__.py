"""Batching rules: how each op computes a whole batch at once. A rule follows from the op's kind, or stands in a table."""

from rushlight import core
from rushlight.func.batching import elementwise, indexing, layers, products, rearranging, reduction, views
from rushlight.func.batching._table import examples, rules
from rushlight.func.batching.elementwise import aligned

FAMILIES = (elementwise, indexing, layers, products, rearranging, reduction, views)
"""The modules whose rules fill the table."""

__all__ = ["FAMILIES", "aligned", "examples", "no_rule", "rule_of", "rules"]


def no_rule(op, arguments, batched, size):
    """What stands for the rule of an op that has none."""
    raise NotImplementedError(op.name)


def rule_of(op):
    """The batching rule of an op: the table's, that of its declaration, or that of its kind."""
    rule = rules.get(op)
    if rule is None:
        if op.batch is not None:
            rule = op.batch
        elif type(op) is core.PointwiseOp:
            rule = elementwise.pointwise
        elif type(op) is core.ReductionOp:
            rule = reduction.reduction
        else:
            rule = no_rule
        rules[op] = rule
    return rule
