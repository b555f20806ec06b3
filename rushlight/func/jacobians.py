"""Jacobians and Hessians: a derivative along every unit vector, all at once by vmap."""

import rushlight as torch
from rushlight import core
from rushlight.func._vmap_level import VmapLevel, without_batch
from rushlight.func._wraps import wraps
from rushlight.func.derivatives import check_differentiable, chosen, places_of, pullback, push, replaced, result_and_aux
from rushlight.utils._pytree import tree_flatten, tree_unflatten

TYPE_CHECKING = False  # (checkers take it for true; `typing` is slow to import)
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["hessian", "jacfwd", "jacrev"]


def require_real(tensors, what, name):
    """Refuses complex tensors."""
    for place, tensor in enumerate(tensors):
        if tensor.is_complex():
            raise RuntimeError(
                f"{name}: Expected all {what}s to be real but received complex tensor at flattened input idx: {place}"
            )


def unit_vectors(tensors, start, count):
    """For each tensor the part that it has in `count` unit vectors, from number `start` on, of the space of all of them."""
    found = []
    for tensor in tensors:
        size = tensor.numel()
        whole = start == 0 and count >= size
        part = torch.eye(count, size, dtype=tensor.dtype) if whole else shifted(count, size, start, tensor.dtype)
        found.append(part.view((count, *tensor.shape)))
        start -= size
    return found


def shifted(count, size, start, dtype):
    """Rows `start`, `start` + 1, … of the identity, where rows before the first and behind the last are zero."""
    part = torch.zeros(count, size, dtype=dtype)
    first, last = max(start, 0), min(start + count, size)
    if last > first:
        part[first - start : last - start, first:last].diagonal().fill_(1)
    return part


def in_parts(total, chunk_size):
    """(start, count) of the unit vectors that are computed together."""
    step = total if chunk_size is None else chunk_size
    return [(start, min(step, total - start)) for start in range(0, total, max(step, 1))] or [(0, 0)]


def joined(parts):
    """Tensors of the parts, along the first dimension."""
    return parts[0] if len(parts) == 1 else [torch.cat(pieces) for pieces in zip(*parts, strict=True)]


def blocks_of(whole, dim, tensors):
    """The parts of `whole` along `dim` that belong to each of `tensors`: as long as they have numbers."""
    sizes = [tensor.numel() for tensor in tensors]
    return whole.split(sizes, dim) if len(sizes) > 1 else (whole,)


def as_jacobians(y, parts, inputs, spec):
    """A tree of Jacobians of `y`, of which each part has the numbers for one of `inputs`."""
    return tree_unflatten([part.reshape((*y.shape, *x.shape)) for part, x in zip(parts, inputs, strict=True)], spec)


# ---- reverse mode --------------------------------------------------------------------------------------------------------
def jacrev(
    func, argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False, chunk_size: int | None = None, _preallocate_and_copy=False
) -> "Callable[..., Any]":
    """A function that gives the Jacobian of `func` by reverse mode: good where there are fewer results than arguments.

    The Jacobian has the dimensions of the result and then those of the argument. `argnums` and `has_aux` as in `grad`; `chunk_size` rows
    are computed at once (default: all).

    >>> import rushlight as torch
    >>> torch.func.jacrev(torch.cumsum)(torch.tensor([1., 2.]), 0)
    tensor([[1., 0.],
            [1., 1.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @wraps(func)
    def jacobian(*args):
        places = places_of(argnums, len(args))
        value, pull, aux = pullback(func, args, places, has_aux)
        flat_in, spec_in = tree_flatten(chosen(args, places))
        flat_out, spec_out = tree_flatten(value)
        require_real(flat_in, "input", "jacrev")
        require_real(flat_out, "output", "jacrev")
        parts = in_parts(sum(y.numel() for y in flat_out), chunk_size)
        rows = joined([pulled(pull, flat_out, spec_out, start, count, chunk_size == 1) for start, count in parts])
        # From one row for each number of all results to one tree of Jacobians for each result.
        pieces = zip(*[blocks_of(row, 0, flat_out) for row in rows], strict=True)
        result = tree_unflatten(
            [as_jacobians(y, cut, flat_in, spec_in) for y, cut in zip(flat_out, pieces, strict=True)], spec_out
        )
        return (result, aux) if has_aux else result

    return jacobian


def pulled(pull, flat_out, spec_out, start, count, alone):
    """The cotangents of the inputs (a flat list, vectors first) for some unit vectors of the results; without vmap for one vector `alone`."""
    vectors = unit_vectors(flat_out, start, count)
    if count == 1 and (alone or sum(y.numel() for y in flat_out) == 1):
        vector = tree_unflatten([part.squeeze(0) for part in vectors], spec_out)
        return [g.unsqueeze(0) for g in tree_flatten(pull(vector))[0]]
    if count == 0:
        nothing = tree_unflatten([torch.zeros_like(y) for y in flat_out], spec_out)
        return [g.new_zeros((0, *g.shape)) for g in tree_flatten(pull(nothing))[0]]
    level = VmapLevel(count, "error")
    with level:
        found = pull(tree_unflatten([core.wrap(level, vector, 0) for vector in vectors], spec_out))
    return [without_batch(g, level) for g in tree_flatten(found)[0]]


# ---- forward mode --------------------------------------------------------------------------------------------------------
def jacfwd(func, argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *, randomness="error") -> "Callable[..., Any]":
    """A function that gives the Jacobian of `func` by forward mode: good where there are more results than arguments.

    `argnums` and `has_aux` as in `grad`, `randomness` as in `vmap`.

    >>> import rushlight as torch
    >>> torch.func.jacfwd(torch.sin)(torch.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    @wraps(func)
    def jacobian(*args):
        places = places_of(argnums, len(args))
        flat_in, spec_in = tree_flatten(chosen(args, places))
        if randomness not in ("error", "different", "same"):
            raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
        require_real(flat_in, "input", "jacfwd")
        for x in flat_in:
            check_differentiable(x, "primal")
        total = sum(x.numel() for x in flat_in)
        vectors = unit_vectors(flat_in, 0, total)
        level = VmapLevel(total, randomness)
        structure = []

        def of_chosen(*tensors):
            output = func(*replaced(args, places, tree_unflatten(tensors, spec_in)))
            output, aux = result_and_aux(output, "jvp(f, primals, tangents)") if has_aux else (output, None)
            flat, spec = tree_flatten(output)
            structure.append(spec)
            return (flat, aux) if has_aux else flat

        with level:
            made = push(of_chosen, flat_in, tuple, [core.wrap(level, vector, 0) for vector in vectors], has_aux=has_aux)
        values, slopes = made[0], made[1]
        require_real(values, "output", "jacfwd")
        blocks = []
        for y, slope in zip(values, slopes, strict=True):
            columns = blocks_of(without_batch(slope, level).movedim(0, -1), -1, flat_in)
            blocks.append(as_jacobians(y, columns, flat_in, spec_in))
        result = tree_unflatten(blocks, structure[0])
        return (result, made[2]) if has_aux else result

    return jacobian


def hessian(func, argnums: int | tuple[int, ...] = 0) -> "Callable[..., Any]":
    """A function that gives the Hessian of `func`: the forward-mode Jacobian of its reverse-mode Jacobian.

    Args:
        func: A function of tensors with one result.
        argnums: By which arguments: a number, or a tuple of them.

    >>> import rushlight as torch
    >>> torch.func.hessian(lambda x: (x**3).sum())(torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
