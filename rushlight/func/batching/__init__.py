"""Batching rules: how each op computes a whole batch at once. A rule follows from the op's kind, or its declaration names one."""

import functools
import importlib

from rushlight import core
from rushlight.func.batching import elementwise, random, reduction, views
from rushlight.func.batching._table import NoRule, examples, examples_fit
from rushlight.func.batching.elementwise import aligned
from rushlight.ops._views import DIMENSIONS

__all__ = ["NoRule", "aligned", "connect", "examples", "examples_fit", "no_rule", "rule_of"]


def no_rule(op, arguments, batched, size):
    """What stands for the rule of an op that has none."""
    raise NoRule(op.name)


@functools.cache
def rule_of(op):
    """The batching rule of an op: that of its declaration, or that of its kind."""
    batch = op.declaration.batch
    if isinstance(batch, str):
        family, _, name = batch.partition(".")
        try:
            return getattr(importlib.import_module(f"rushlight.func.batching.{family}"), name)
        except (ModuleNotFoundError, AttributeError) as error:
            raise ImportError(f"the declaration of {op.name} names the batching rule '{batch}': {error}") from error
    if batch is not None:
        return batch
    if op.declaration.draws or type(op) is core.WritingOp:
        return random.drawn
    if type(op) is core.PointwiseOp:
        return elementwise.pointwise
    if isinstance(op, core.ViewOp | core.MultiViewOp):
        return views.rule(op)
    return reduction.reduction if type(op) is core.ReductionOp else no_rule


def connect(op):
    """Tells the core how an op computes a batch."""
    rule = rule_of(op)
    dims = [place for place, parameter in enumerate(op.parameters) if parameter in DIMENSIONS]
    everything = type(op) is core.ReductionOp and "dim" in op.parameters and not reduction.flattens(op)
    core.set_batching(op, getattr(rule, "short_way", "rule"), rule, dims, everything, has_lists(op))


def has_lists(op):
    """Whether a parameter may be a list of tensors."""
    return any(rule.is_list for rule in op.rules) or op.parameters[0] == "tensors" or "indices" in op.parameters
