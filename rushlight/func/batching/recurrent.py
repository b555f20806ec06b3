"""Recurrent nets and attention: where the weights are the same for all examples, one larger batch."""

from rushlight.func.batching._table import NoRule, repeated, samples, torch

run = torch.core.run


def layer(op, arguments, batched, size):
    x, h, c, *weights, batch_sizes, cell, reverse = arguments
    if any(batched[3:7]) or batch_sizes is not None:
        return one_by_one(op, arguments, batched, size)
    x, h = repeated(x, batched[0], size), repeated(h, batched[1], size)
    c = None if c is None else repeated(c, batched[2], size)
    batch = h.shape[1]
    states = [None if each is None else each.reshape(size * batch, each.shape[2]) for each in (h, c)]
    rows = x.movedim(0, 1).reshape(x.shape[1], size * batch, x.shape[3])
    out, h_n, c_n, kept, cells = run(op, (rows, *states, *weights, None, cell, reverse))

    def apart(value, lead=()):
        return value.view(*lead, size, batch, value.shape[-1])

    steps = (x.shape[1],)
    kept, cells = (apart(each, steps).movedim(1, 0).flatten(1, 2) for each in (kept, cells))
    return apart(out, steps).movedim(1, 0), apart(h_n), apart(c_n), kept, cells


def one_by_one(op, arguments, batched, size):
    """With weights of each example, or packed sequences: a layer for each."""
    if size == 0:
        raise NoRule
    made = [run(op, tuple(x[i] if is_batched else x for x, is_batched in zip(arguments, batched))) for i in range(size)]
    return tuple(map(torch.stack, zip(*made)))


def packed(op, arguments, batched, size):
    """What an element of a sequence is gets one more dimension."""
    input, lengths, batch_first = arguments
    if batched[1]:
        raise NoRule
    data, batch_sizes = run(op, (input.movedim(0, -1), lengths, batch_first))
    return data.movedim(-1, 0), repeated(batch_sizes, False, size)


def attention(op, arguments, batched, size):
    """The batches of all examples as one."""
    query, key, value, dropout_p, is_causal, attn_mask, scale = arguments
    if attn_mask is not None and (batched[5] or attn_mask.ndim == 4):
        mask = repeated(attn_mask, batched[5], size)
        batch = query.shape[1 if batched[0] else 0]
        mask = mask.unsqueeze(1) if mask.ndim == 4 else mask.unsqueeze(1).unsqueeze(1) if mask.ndim == 3 else mask
        attn_mask = mask.expand(size, batch, *mask.shape[2:]).flatten(0, 1)
    return samples(op, (query, key, value, dropout_p, is_causal, attn_mask, scale), batched, size, (0, 1, 2))
