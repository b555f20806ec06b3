"""What batching rules share.

A rule computes an op on a batch: `rule(op, arguments, batched, size)` gets every parameter of the op, says of which `batched` is True, and
`size` of the batch. The batch is dimension 0 of batched tensors and of everything that a rule returns. For a parameter that is a list
of tensors, `batched` holds a list. A rule calls public ops, so derivatives of what it does come by themselves.
"""

import rushlight as torch
from rushlight.core import wrap_dim

__all__ = ["NoRule", "examples", "last_dims", "lined_up", "refusal", "repeated", "short_way", "torch", "unchanged", "wrap_dim"]


def short_way(kind):
    """Marks a rule whose plain calls the core computes by itself, in a way that core/transforms/batch.pxi calls `kind`."""

    def mark(rule):
        rule.short_way = kind
        return rule

    return mark


class NoRule(NotImplementedError):
    """What stands for the rule of an op that has none: it is run on one example after the other."""


def last_dims(least):
    """The rule of ops that see the last dimensions of their first argument alone, of which an example has at least so many: they have a
    batch of examples as it is. (Errors are raised in any words: the op says its own on an example.)"""

    def rule(op, arguments, batched, size):
        if arguments[0].ndim <= least:
            raise RuntimeError("too few dimensions")
        return torch.core.run(op, arguments)

    return rule


def unchanged(op, arguments, batched, size):
    """The rule of ops that have a batch of examples as it is."""
    return torch.core.run(op, arguments)


def refusal(text):
    """The error of an op that examples can be put through, but not a batch."""
    error = RuntimeError(text)
    error.of_batch = True
    return error


def lined_up(x, is_batched, ndim):
    """A batched tensor whose examples get leading dimensions of size 1 up to `ndim`; others broadcast as they are."""
    missing = ndim + 1 - x.ndim
    if not is_batched or missing <= 0:
        return x
    shape = x.shape
    return x.view((shape[0],) + (1,) * missing + tuple(shape[1:]))


def examples_fit(values, batched):
    """Whether an example of the second value can be broadcast to an example of the first, which has a batch."""
    x, src = values[:2]
    sizes, given = x.shape[1:], src.shape[1:] if batched[1] else src.shape
    lead = len(sizes) - len(given)
    return lead >= 0 and all(n in (1, m) for n, m in zip(given, sizes[lead:], strict=True))


def repeated(x, is_batched, size):
    """`x` as a batched tensor, without a copy."""
    return x if is_batched else x.expand((size, *x.shape))


def examples(x, is_batched):
    """The shape of one example."""
    return tuple(x.shape[1:]) if is_batched else tuple(x.shape)
