"""Batching rules: how each op computes a whole batch at once. A rule follows from the op's kind, or its declaration names one."""

from itertools import islice

from rushlight import core
from rushlight.func.batching import (
    convolution,
    decompositions,
    elementwise,
    fourier,
    indexing,
    layers,
    pooling,
    products,
    random,
    rearranging,
    recurrent,
    reduction,
    views,
)
from rushlight.func.batching._table import NoRule, examples, examples_fit, lined_up
from rushlight.func.batching.elementwise import aligned
from rushlight.ops import table
from rushlight.ops._views import DIMENSIONS

FAMILIES = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        convolution,
        decompositions,
        elementwise,
        fourier,
        indexing,
        layers,
        pooling,
        products,
        rearranging,
        recurrent,
        reduction,
        views,
    )
}
"""The modules of rules, by the name that declarations call them."""

__all__ = ["FAMILIES", "NoRule", "aligned", "examples", "examples_fit", "lined_up", "no_rule", "rule_of"]


connected = []
"""The ops that the core knows the rules of."""


def no_rule(op, arguments, batched, size):
    """What stands for the rule of an op that has none."""
    raise NoRule(op.name)


def rule_of(op):
    """The batching rule of an op: that of its declaration, or that of its kind."""
    batch = op.declaration.batch
    if callable(batch):
        return batch
    if batch is not None:
        family, _, name = batch.partition(".")
        return getattr(FAMILIES[family], name)
    if op.declaration.draws or type(op) is core.WritingOp:
        return random.drawn
    if type(op) is core.PointwiseOp:
        return elementwise.pointwise
    if isinstance(op, core.ViewOp | core.MultiViewOp):
        return views.rule(op)
    return reduction.reduction if type(op) is core.ReductionOp else no_rule


def connect():
    """Tells the core how every op of the table computes a batch, for those that came since it was told."""
    new = islice(table.values(), len(connected), None)
    for op in new:
        connected.append(op)
        rule = rule_of(op)
        dims = [place for place, parameter in enumerate(op.parameters) if parameter in DIMENSIONS]
        everything = type(op) is core.ReductionOp and "dim" in op.parameters and not reduction.flattens(op)
        core.set_batching(op, getattr(rule, "short_way", "rule"), rule, dims, everything, has_lists(op))


def has_lists(op):
    """Whether a parameter may be a list of tensors."""
    return any(rule.is_list for rule in op.rules) or op.parameters[0] == "tensors" or "indices" in op.parameters


connect()
