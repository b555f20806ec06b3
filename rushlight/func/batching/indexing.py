"""x[i, j] with tensors, gather, scatter and their kin: an index of each example, or one index for all of them."""

import math
import types

from rushlight import core
from rushlight.core import lined_up
from rushlight.func.batching._table import NoRule, examples, refusal, repeated, torch
from rushlight.func.batching.elementwise import places_of_tensors
from rushlight.func.batching.reduction import shifted
from rushlight.ops._rules import dynamic_shape
from rushlight.ops.indexing import MASKS, _index, _index_put, expand_masks

run = torch.core.run


def numbers_along(size, ndim):
    """The number of each example, shaped to broadcast against indices whose examples have `ndim` dimensions."""
    return torch.arange(size).view(size, *(1,) * ndim)


# ---- x[i, j] --------------------------------------------------------------------------------------------------------------
class Indices:
    """The indices of an example, masks replaced by places: `tensors` and where they stand."""

    def __init__(self, shape, indices, batched):
        for index, is_batched in zip(indices, batched, strict=True):
            if is_batched and index.dtype in MASKS:
                raise refusal(
                    "vmap: We do not support batching operators that can support dynamic shape. Attempting to batch over indexing "
                    "with a boolean mask."
                )
        if any(isinstance(index, torch.Tensor) and index.dtype in MASKS for index in indices):
            # Masks stand before their continuations: what is batched keeps its place in the row.
            marks = [is_batched for index, is_batched in zip(indices, batched, strict=True) if index is not core.MASK_CONTINUES]
            spread = []
            for index, mark in zip([i for i in indices if i is not core.MASK_CONTINUES], marks, strict=True):
                spread += [mark] * (index.ndim if isinstance(index, torch.Tensor) and index.dtype in MASKS else 1)
            # Expansion looks at shapes of examples alone; batched indices pass through it.
            indices = expand_masks(types.SimpleNamespace(shape=shape, ndim=len(shape)), indices)
            batched = spread
        self.row, self.batched = list(indices), list(batched)
        self.dims = [d for d, index in enumerate(self.row) if index is not None]
        self.ndim = max(self.row[d].ndim - self.batched[d] for d in self.dims)
        first, count = self.dims[0], len(self.dims)
        self.lead = first if self.dims[-1] - first == count - 1 else 0
        self.any_batched = any(self.batched)

    def lined_up(self):
        """The row with every batched index ready to broadcast."""
        return [
            None if index is None else lined_up(index, is_batched, self.ndim)
            for index, is_batched in zip(self.row, self.batched, strict=True)
        ]


def index(op, arguments, batched, size):
    x, indices = arguments
    if batched[1] is False:
        given = [i for i in indices if i is not None]
        if len(given) == 1 and isinstance(given[0], torch.Tensor) and given[0].dtype not in MASKS:
            return run(op, (x, [None, *indices]))
    found = Indices(examples(x, batched[0]), indices, batched[1] or [False] * len(indices))
    if not found.any_batched:
        made = run(op, (x, [None, *found.row]))
        # Indices that stand apart put their result first, even before the batch.
        apart = found.dims[-1] - found.dims[0] != len(found.dims) - 1
        return made.movedim(found.ndim, 0) if apart else made
    if not batched[0]:
        made = run(op, (x, found.lined_up()))
        return made.movedim(found.lead, 0) if found.lead else made
    made = run(op, (x, [numbers_along(size, found.ndim), *found.lined_up()]))
    if found.lead:
        here = range(1, 1 + found.ndim)
        made = made.movedim(tuple(here), tuple(d + found.lead for d in here))
    return made


def index_put(op, arguments, batched, size):
    x, indices, values, accumulate = arguments
    found = Indices(examples(x, batched[0]), indices, batched[1] or [False] * len(indices))
    x = repeated(x, batched[0], size)
    rest = x.ndim - 1 - len(found.dims)
    ndim = found.ndim + rest
    if values.ndim - batched[2] > ndim:
        raise RuntimeError("the values have too many dimensions")
    values = lined_up(values, batched[2], ndim)
    if not batched[2]:
        values = values.view((1,) * (ndim + 1 - values.ndim) + tuple(values.shape))
    if found.lead and found.ndim:
        here = range(1 + found.lead, 1 + found.lead + found.ndim)
        values = values.movedim(tuple(here), tuple(d - found.lead for d in here))
    row = [numbers_along(size, found.ndim), *found.lined_up()]
    return run(op, (x, row, values, accumulate))


# ---- one index for each element -------------------------------------------------------------------------------------------
def at_least_rows(x, is_batched, size):
    """A batched tensor whose examples have a dimension."""
    x = repeated(x, is_batched, size)
    return x if x.ndim > 1 else x.unsqueeze(1)


def element_by_element(result):
    """The rule of gather and scatter, whose result has the shape of their argument in the place `result`; an example without dimensions is a
    row of one element."""

    def rule(op, arguments, batched, size):
        given, is_flat = list(arguments), arguments[result].ndim == batched[result]
        given[1] = shifted(arguments[1], arguments[0].ndim - batched[0])
        for i in places_of_tensors(arguments):
            if op.parameters[i] != "value":
                given[i] = at_least_rows(given[i], batched[i], size)
        made = run(op, tuple(given))
        return made.squeeze(1) if is_flat else made

    return rule


gather, scatter = element_by_element(2), element_by_element(0)


# ---- one index for each slice ---------------------------------------------------------------------------------------------
def index_select(op, arguments, batched, size):
    x, dim, index = arguments
    is_flat = x.ndim == batched[0]
    dim = shifted(dim, x.ndim - batched[0]) - 1
    if is_flat:
        x = x.unsqueeze(-1)
    if index.ndim == batched[2]:
        index = index.unsqueeze(-1)
    if not batched[2]:
        made = run(op, (x, dim + 1, index))
    elif not batched[0]:
        made = run(op, (x, dim, index.reshape(-1))).unflatten(dim, (size, -1)).movedim(dim, 0)
    else:
        slices = x.movedim(dim + 1, 1)
        made = _index(slices, [numbers_along(size, 1), index]).movedim(1, dim + 1)
    return made.squeeze(1) if is_flat else made


def all_slices(x, dim):
    """The slices along `dim` of every example, one behind the other, with the shape to go back to."""
    moved = x.movedim(dim, 1)
    return moved.flatten(0, 1), moved.shape


def index_write(op, arguments, batched, size):
    x, dim, index, source, *rest = arguments
    is_flat = x.ndim == batched[0]
    dim = shifted(dim, x.ndim - batched[0])
    x = at_least_rows(x, batched[0], size)
    if index.ndim == batched[2]:
        index = index.unsqueeze(-1)
    fills = op.parameters[3] == "value"
    if fills and batched[3]:
        # A value for each example is a source of that value everywhere.
        shape = list(x.shape)
        shape[dim] = index.shape[-1]
        source = source.to(x.dtype).view(size, *(1,) * (x.ndim - 1)).expand(shape)
        made = index_write(torch.index_copy, (x, dim - 1, index, source), [True, False, batched[2], True], size)
        return made.squeeze(1) if is_flat else made
    if not fills:
        source = at_least_rows(source, batched[3], size)
    if not batched[2]:
        made = run(op, (x, dim, index, source, *rest))
    else:
        length = x.shape[dim]
        index = torch.where(index < 0, index + length, index) if fills else index
        if index.numel() and not bool(((index >= 0) & (index < length)).all()):
            raise IndexError("index out of range in self")
        slices, shape = all_slices(x, dim)
        places = (index + numbers_along(size, 1).to(index.dtype) * length).reshape(-1)
        given = source if fills else all_slices(source, dim)[0]
        made = run(op, (slices, 0, places, given, *rest)).view(shape).movedim(1, dim)
    return made.squeeze(1) if is_flat else made


def take(op, arguments, batched, size):
    x, index = arguments
    if not batched[0]:
        return run(op, arguments)
    rows, index = x.reshape(size, -1), repeated(index, batched[1], size)
    return _index(rows, [numbers_along(size, index.ndim - 1), index])


def put(op, arguments, batched, size):
    x, index, source, accumulate = arguments
    x = repeated(x, batched[0], size)
    if math.prod(examples(index, batched[1])) != math.prod(examples(source, batched[2])):
        raise RuntimeError("as many elements as indices are wanted")
    index = index.reshape(size, -1) if batched[1] else index.reshape(1, -1)
    source = source.reshape(size, -1) if batched[2] else source.reshape(1, -1)
    made = _index_put(x.reshape(size, -1), [numbers_along(size, 1), index], source, accumulate)
    return made.reshape(x.shape)


# ---- tables of rows -------------------------------------------------------------------------------------------------------
def embedding(op, arguments, batched, size):
    weight, indices, padding_idx, by_frequency, _ = arguments
    if not batched[0]:
        return run(op, arguments)
    if weight.ndim != 3:
        raise RuntimeError("'weight' must be 2-D")
    rows = weight.shape[1]
    places = repeated(indices, batched[1], size)
    if places.numel() and not bool(((places >= 0) & (places < rows)).all()):
        raise IndexError("index out of range in self")
    offset = places + numbers_along(size, places.ndim - 1).to(places.dtype) * rows
    made = run(op, (weight.reshape(-1, weight.shape[2]), offset, -1, by_frequency, False))
    if padding_idx >= 0:
        made = torch.where(places.eq(padding_idx).unsqueeze(-1), made.detach(), made)
    return made


def embedding_gradient(op, arguments, batched, size):
    g, indices, rows, padding_idx, by_frequency = arguments
    g, indices = repeated(g, batched[0], size), repeated(indices, batched[1], size)
    if padding_idx >= 0:
        g = g.masked_fill(indices.eq(padding_idx).unsqueeze(-1), 0)
    offset = indices + numbers_along(size, indices.ndim - 1).to(indices.dtype) * rows
    return run(op, (g, offset, rows * size, -1, by_frequency)).view(size, rows, g.shape[-1])


def is_among(op, arguments, batched, size):
    if batched[1]:
        raise NoRule
    return run(op, arguments)


# ---- intervals, and what has no shape beforehand --------------------------------------------------------------------------
def searchsorted(op, arguments, batched, size):
    sequence, values, out_int32, right, side, sorter = arguments
    if not batched[0] and not batched[5] and sequence.ndim == 1:
        return run(op, arguments)
    if not isinstance(values, torch.Tensor):
        values = torch.tensor(values, dtype=sequence.dtype)
    sequence, values = repeated(sequence, batched[0], size), repeated(values, batched[1], size)
    sorter = None if sorter is None else repeated(sorter, batched[5], size)
    shape = values.shape
    if sequence.ndim == 2:
        values = values.reshape(size, -1)
    return run(op, (sequence, values, out_int32, right, side, sorter)).view(shape)


def refuse(op, arguments, batched, size):
    """The result's shape depends on values."""
    raise refusal(dynamic_shape(op.no_derivative or op.title))


def masked_select(op, arguments, batched, size):
    x, mask = arguments
    if batched[1]:
        raise refusal(
            "vmap: Attempted to vmap over `mask` in torch.masked_select(self, mask) We cannot support this because for each batch this "
            "would return a differently shaped Tensor. Please file an issue at https://github.com/pytorch/pytorch/issues if you need "
            "this feature."
        )
    x = lined_up(x, True, mask.ndim)
    shape = torch.broadcast_shapes(x.shape[1:], mask.shape)
    places = mask.expand(shape).reshape(-1).nonzero().squeeze(1)
    return x.expand(size, *shape).reshape(size, -1).index_select(1, places)
