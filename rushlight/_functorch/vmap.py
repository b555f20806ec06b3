"""vmap taken apart."""

import importlib

from rushlight import core
from rushlight.func import vmap
from rushlight.func._vmap_level import VmapLevel
from rushlight.utils._pytree import _broadcast_to_and_flatten, tree_flatten, tree_unflatten

__all__ = ["get_chunk_sizes", "restore_vmap", "vmap"]


def get_chunk_sizes(total_elems, chunk_size):
    """The sizes of the chunks of a batch.

    >>> get_chunk_sizes(5, 2)
    [2, 2, 1]
    """
    sizes = [chunk_size] * (total_elems // chunk_size)
    return sizes if total_elems % chunk_size == 0 else [*sizes, total_elems % chunk_size]


def restore_vmap(func, in_dims, batch_size, randomness):
    """`func` on a batch, giving (results, their batch dimensions: None where a result has no batch).

    >>> import rushlight as torch
    >>> restore_vmap(lambda x: (x.sum(), torch.ones(2)), (0,), 3, "error")(torch.ones(3, 2))
    ((tensor([2., 2., 2.]), tensor([1., 1.])), (0, None))
    """
    as_batched = importlib.import_module("rushlight.func.vmap").as_batched

    def inner(*args, **kwargs):
        level = VmapLevel(batch_size, randomness)
        flat, spec = tree_flatten(args)
        dims = _broadcast_to_and_flatten(in_dims, spec)
        if dims is None:
            raise ValueError(f"in_dims {in_dims} are not compatible with the structure {spec} of the arguments")
        dims = [dim if dim is None else dim % x.ndim for x, dim in zip(flat, dims, strict=True)]
        with level:
            outputs = func(
                *tree_unflatten([as_batched(level, x, dim) for x, dim in zip(flat, dims, strict=True)], spec), **kwargs
            )
        flat, spec = tree_flatten(outputs)
        values = [core.left(y.value) if core.wrapped_at(level, y) else y for y in flat]
        found = [0 if core.wrapped_at(level, y) and y.aspect is not None else None for y in flat]
        return tree_unflatten(values, spec), tree_unflatten(found, spec)

    return inner
