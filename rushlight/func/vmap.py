"""vmap: a function of one example as a function of a batch of them.

The function runs once. Its inputs seem to have no batch dimension; each op on them is carried out on the whole batch by a batching rule
(`rushlight.func.batching`). What ops there are, and which derivatives they have, is the same as ever.
"""

import functools
import sys

import rushlight as torch
from rushlight import core
from rushlight.func._vmap_level import VmapLevel
from rushlight.func._wraps import wraps
from rushlight.utils._pytree import _broadcast_to_and_flatten, tree_flatten, tree_leaves, tree_unflatten

TYPE_CHECKING = False  # (checkers take it for true; `typing` is slow to import)
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["vmap"]


def vmap(
    func, in_dims: "Any" = 0, out_dims: "Any" = 0, randomness: str = "error", *, chunk_size: int | None = None
) -> "Callable[..., Any]":
    """`func` over a dimension of its arguments, all examples at once.

    `in_dims` says which dimension of each argument is that of the examples (None: the argument is the same for all), `out_dims` where it
    shall stand in the results: an int, or a structure of them like that of the arguments or results. `randomness` is "error",
    "different" (for each example) or "same". With `chunk_size` only so many examples are computed at once.

    >>> import rushlight as torch
    >>> torch.func.vmap(torch.dot)(torch.ones(2, 3), torch.ones(2, 3))
    tensor([3., 3.])
    >>> torch.func.vmap(torch.dot, in_dims=(0, None))(torch.ones(2, 3), torch.ones(3))
    tensor([3., 3.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and not chunk_size > 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @wraps(func)
    def of_batch(*args, **kwargs):
        parts = sys.modules.get("rushlight._functorch.vmap")
        if parts is not None and chunk_size is None and parts._are_replaced():
            return parts._by_parts(func, in_dims, out_dims, randomness, args, kwargs)
        if chunk_size is None and type(out_dims) is int:
            # The way of most calls: arguments that are tensors, and a result that is one or a tuple of them.
            level = VmapLevel(-1, randomness)
            inputs = core.wrap_examples(level, args, in_dims)
            if inputs is not None:
                with level:
                    result = func(*inputs, **kwargs)
                plain = core.unwrap_examples(level, result) if out_dims == 0 else None
                return plain if plain is not None else read_outputs(func, level, result, out_dims)
        check_out_dims(func, out_dims)
        size, flat, dims, spec = read_inputs(func, in_dims, args)
        if chunk_size is not None:
            return in_chunks(func, size, flat, dims, spec, out_dims, randomness, chunk_size, kwargs)
        return call_batched(func, size, flat, dims, spec, out_dims, randomness, kwargs)

    return of_batch


def name_of(func):
    """What errors call a function."""
    if isinstance(func, functools.partial):
        return f"functools.partial({name_of(func.func)}, ...)"
    return func.__name__ if hasattr(func, "__name__") else repr(func)


# ---- inputs ---------------------------------------------------------------------------------------------------------------
def read_inputs(func, in_dims, args):
    """The size of the batch, the arguments and their batch dimensions (from the start) as lists, and the arguments' structure."""
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"vmap({name_of(func)}, in_dims={in_dims}, ...)(<inputs>): expected `in_dims` to be int or a (potentially nested) tuple matching "
            f"the structure of inputs, got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({name_of(func)})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a function with "
            "no inputs. The latter is unsupported."
        )
    flat, spec = tree_flatten(args)
    dims = [in_dims] * len(flat) if isinstance(in_dims, int) else _broadcast_to_and_flatten(in_dims, spec)
    if dims is None:
        raise ValueError(
            f"vmap({name_of(func)}, in_dims={in_dims}, ...)(<inputs>): in_dims is not compatible with the structure of `inputs`. in_dims has "
            f"structure {tree_flatten(in_dims)[1]} but inputs has structure {spec}."
        )
    size = None
    for place, (value, dim) in enumerate(zip(flat, dims, strict=True)):
        if dim is None:
            continue
        dims[place] = dim = checked_dim(func, in_dims, value, dim)
        size = same_size(flat, dims, size, value.shape[dim])
    if size is None:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    return size, flat, dims, spec


def checked_dim(func, in_dims, value, dim):
    """A batch dimension, counted from the start."""
    where = f"vmap({name_of(func)}, in_dims={in_dims}, ...)(<inputs>)"
    if not isinstance(dim, int):
        raise ValueError(f"{where}: Got in_dim={dim} for an input but in_dim must be either an integer dimension or None.")
    if not isinstance(value, torch.Tensor):
        raise ValueError(
            f"{where}: Got in_dim={dim} for an input but the input is of type {type(value)}. We cannot vmap over non-Tensor arguments, "
            "please use None as the respective in_dim"
        )
    if not -value.ndim <= dim < value.ndim:
        raise ValueError(
            f"{where}: Got in_dim={dim} for some input, but that input is a Tensor of dimensionality {value.ndim} so expected in_dim to "
            f"satisfy -{value.ndim} <= in_dim < {value.ndim}."
        )
    return dim % value.ndim


def same_size(flat, dims, size, found):
    """The size of the batch, which all arguments must agree on."""
    if size is None or size == found:
        return found
    sizes = [x.shape[d] for x, d in zip(flat, dims, strict=True) if d is not None]
    raise ValueError(
        f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the mapped dimension"
    )


def as_batched(level, value, dim):
    """An argument as the function sees it."""
    if dim is None:
        return value
    made = core.wrap(level, value.movedim(dim, 0) if dim else value, 0)
    made.given_dim = dim
    return made


# ---- the call -------------------------------------------------------------------------------------------------------------
def call_batched(func, size, flat, dims, spec, out_dims, randomness, kwargs):
    """The function on a batch."""
    level = VmapLevel(size, randomness)
    with level:
        seen = [as_batched(level, value, dim) for value, dim in zip(flat, dims, strict=True)]
        outputs = func(*tree_unflatten(seen, spec), **kwargs)
    return read_outputs(func, level, outputs, out_dims)


def in_chunks(func, size, flat, dims, spec, out_dims, randomness, chunk_size, kwargs):
    """The function on one part of the batch after the other, the results joined."""
    starts = range(0, size, chunk_size)
    if len(starts) <= 1:
        return call_batched(func, size, flat, dims, spec, out_dims, randomness, kwargs)
    if randomness == "same":
        state = torch.get_rng_state()
    parts = []
    for start in starts:
        count = min(chunk_size, size - start)
        if randomness == "same":
            torch.set_rng_state(state)
        piece = [x if d is None else x.narrow(d, start, count) for x, d in zip(flat, dims, strict=True)]
        parts.append(tree_flatten(call_batched(func, count, piece, dims, spec, out_dims, randomness, kwargs)))
    result_spec = parts[0][1]
    where = [out_dims] * len(parts[0][0]) if isinstance(out_dims, int) else _broadcast_to_and_flatten(out_dims, result_spec)
    joined = [
        torch.cat(pieces, dim) if dim is not None else pieces[0]
        for pieces, dim in zip(zip(*[part[0] for part in parts], strict=True), where, strict=True)
    ]
    return tree_unflatten(joined, result_spec)


# ---- outputs --------------------------------------------------------------------------------------------------------------
def read_outputs(func, level, outputs, out_dims):
    """The results with the batch where it is wanted."""
    if isinstance(outputs, torch.Tensor) and type(out_dims) is int:
        return with_batch(func, level, outputs, out_dims)
    flat, spec = tree_flatten(outputs)
    dims = flat_out_dims(func, outputs, spec, out_dims)
    return tree_unflatten([with_batch(func, level, output, dim) for output, dim in zip(flat, dims, strict=True)], spec)


def check_out_dims(func, out_dims):
    """Refuses what is no dimension, however deep it stands."""
    if not all(dim is None or isinstance(dim, int) for dim in tree_leaves(out_dims)):
        raise ValueError(
            f"vmap({name_of(func)}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python collection of ints representing "
            "where in the outputs the vmapped dimension should appear."
        )


def flat_out_dims(func, outputs, spec, out_dims):
    """One dimension for each result."""
    if isinstance(outputs, torch.Tensor):
        # Of one result, a tuple of one dimension is as good as the dimension.
        if out_dims is None or isinstance(out_dims, int):
            return [out_dims]
        if isinstance(out_dims, tuple) and len(out_dims) == 1:
            return [out_dims[0]]
        dims = None
    else:
        dims = _broadcast_to_and_flatten(out_dims, spec)
    if dims is None:
        raise ValueError(
            f"vmap({name_of(func)}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the structure of `outputs`. out_dims "
            f"has structure {tree_flatten(out_dims)[1]} but outputs has structure {spec}."
        )
    return dims


def with_batch(func, level, output, dim):
    """A result with its batch at `dim`."""
    ours = core.is_at(output, level)
    if dim is None:
        if ours and output.aspect is not None:
            raise ValueError(f"vmap({name_of(func)}, ...): `{name_of(func)}` can not return a BatchedTensor when out_dim is None")
        return core.left(output.value) if ours else core.left(output)
    if not isinstance(output, torch.Tensor):
        raise ValueError(
            f"vmap({name_of(func)}, ...): `{name_of(func)}` must only return Tensors, got type {type(output)}. Did you mean to set out_dims= "
            "to None for output?"
        )
    value = core.left(output.value if ours else output)
    if not ours or output.aspect is None:
        sizes = list(value.shape)
        sizes.insert(dim, level.size)
        return value.expand(sizes)
    return value if dim == 0 else value.movedim(0, dim)
