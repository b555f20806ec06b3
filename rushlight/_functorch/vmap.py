"""vmap taken apart. Packages whose containers vmap should batch put functions of their own in the place of `_process_batched_inputs`,
`_create_batched_inputs` and `_unwrap_batched` here; then `rushlight.func.vmap` calls those."""

import contextlib
import importlib

from rushlight import core
from rushlight.core import Tensor
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


# ---------------------------------------------------------------------------------------------------------- parts to be replaced
_levels: list[VmapLevel] = []  # those of the running calls that go by these parts


def _parts():
    return importlib.import_module("rushlight.func.vmap")


def _level_at(depth):
    return next(level for level in reversed(_levels) if level.depth == depth)


@contextlib.contextmanager
def _going_by_number(level):
    """Within, the functions here find `level` by its depth."""
    _levels.append(level)
    try:
        yield
    finally:
        _levels.remove(level)


def _get_name(func):
    """What errors call a function."""
    return _parts().name_of(func)


def _process_batched_inputs(in_dims, args, func):
    """The size of the batch, the arguments' batch dimensions, the arguments as a list, and their structure."""
    size, flat, dims, spec = _parts().read_inputs(func, in_dims, args)
    return size, dims, flat, spec


def _add_batch_dim(tensor, in_dim, vmap_level):
    """A tensor as the function of the vmap at that depth sees it: without its dimension `in_dim`."""
    return _parts().as_batched(_level_at(vmap_level), tensor, in_dim % tensor.ndim)


def _create_batched_inputs(flat_in_dims, flat_args, vmap_level, args_spec):
    """The arguments as the function sees them."""
    seen = [x if dim is None else _add_batch_dim(x, dim, vmap_level) for x, dim in zip(flat_args, flat_in_dims, strict=True)]
    return tree_unflatten(seen, args_spec)


def _remove_batch_dim(tensor, vmap_level, batch_size, out_dim):
    """A result of the vmap at that depth with its batch at `out_dim`."""
    return _parts().with_batch(_remove_batch_dim, _level_at(vmap_level), tensor, out_dim)


def _maybe_remove_batch_dim(name, batched_output, vmap_level, batch_size, out_dim):
    """`_remove_batch_dim`; what has no batch stays where `out_dim` is None."""
    if out_dim is not None and not isinstance(batched_output, Tensor):
        raise ValueError(
            f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(batched_output)}. Did you mean to set out_dims= to None "
            "for output?"
        )
    if out_dim is None and not isinstance(batched_output, Tensor):
        return batched_output
    return _remove_batch_dim(batched_output, vmap_level, batch_size, out_dim)


def _unwrap_batched(batched_outputs, out_dims, vmap_level, batch_size, func):
    """The results with the batch where it is wanted."""
    return _parts().read_outputs(func, _level_at(vmap_level), batched_outputs, out_dims)


_OWN = (_process_batched_inputs, _create_batched_inputs, _unwrap_batched)


def _are_replaced():
    """Whether a package has put functions of its own in the place of the parts."""
    return (_process_batched_inputs, _create_batched_inputs, _unwrap_batched) != _OWN


def _by_parts(func, in_dims, out_dims, randomness, args, kwargs):
    """A call of vmap, part after part."""
    size, dims, flat, spec = _process_batched_inputs(in_dims, args, func)
    level = VmapLevel(size, randomness)
    with level, _going_by_number(level):
        depth = level.depth
        outputs = func(*_create_batched_inputs(dims, flat, depth, spec), **kwargs)
    with _going_by_number(level):
        return _unwrap_batched(outputs, out_dims, depth, size, func)
