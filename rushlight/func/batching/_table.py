"""What batching rules share.

A rule computes an op on a batch: `rule(op, arguments, batched, size)` gets every parameter of the op, says of which `batched` is True, and
`size` of the batch. The batch is dimension 0 of batched tensors and of everything that a rule returns. For a parameter that is a list
of tensors, `batched` holds a list. A rule calls public ops, so derivatives of what it does come by themselves.
"""

import rushlight as torch


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


def samples(op, arguments, batched, size, places=(0,)):
    """The op on samples: those of all examples are the samples of one larger batch. `places` are those of the tensors with samples."""
    given, shape = list(arguments), None
    for i in places:
        if given[i] is not None:
            given[i] = repeated(given[i], batched[i], size)
            shape = shape or given[i].shape[:2]
            given[i] = given[i].flatten(0, 1)
    return each(torch.core.run(op, tuple(given)), lambda result: result.unflatten(0, shape))


def each(results, change):
    """What `change` makes of a result, or of each of several."""
    return change(results) if isinstance(results, torch.Tensor) else tuple(change(result) for result in results)


def side_by_side(x):
    """[B, N, C, …] as [N, B C, …]."""
    return x.movedim(0, 1).flatten(1, 2)


def refusal(text):
    """The error of an op that examples can be put through, but not a batch."""
    error = RuntimeError(text)
    error.of_batch = True
    return error


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
