"""vmap as backward uses it: several cotangents (or tangents) at once, for programs that know nothing of transforms.

Unlike torch.func.vmap it leaves autograd as it is within: tensors may be made to require grad, and a Function runs as it stands.
"""

import functools
import importlib

from rushlight import core
from rushlight.core import warn_user

__all__ = ["vmap"]


def vmap(func, in_dims=0, out_dims=0):
    """The older `vmap`: use `torch.vmap`.

    `in_dims` may be a nested tuple like the arguments; `out_dims` is an int, or a tuple with one for each result.

    >>> import warnings, rushlight as torch
    >>> with warnings.catch_warnings(action="ignore"):
    ...     vmap(torch.dot)(torch.ones(2, 3), torch.ones(2, 3))
    tensor([3., 3.])
    """
    warn_user("Please use `torch.vmap` instead of `torch._vmap_internals.vmap`.", FutureWarning)
    return _vmap(func, in_dims, out_dims)


def _vmap(func, in_dims=0, out_dims=0, allow_none_pass_through=False):
    """`func`, which returns a tensor or a tuple of them, on a batch; with `allow_none_pass_through` some may be None."""
    # By name, and late: the package's attribute `vmap` is the function, and torch.func is built on torch.autograd.
    batching = importlib.import_module("rushlight.func.vmap")

    @functools.wraps(func)
    def of_batch(*args):
        level = batching.VmapLevel(-1, "error")
        level.tracks_all = True
        inputs = core.wrap_examples(level, args, in_dims)
        if inputs is None:
            refuse_dim(batching.name_of(func), in_dims, args)
            level.size, flat, dims, spec = batching.read_inputs(func, in_dims, args)
            inputs = batching.examples(level, flat, dims, spec)
        with level:
            outputs = func(*inputs)
        if not allow_none_pass_through:
            refuse_other_outputs(batching.name_of(func), outputs)
        several = isinstance(outputs, tuple)
        dims = dims_of_outputs(batching.name_of(func), out_dims, len(outputs) if several else 1)
        made = [
            None if x is None else batching.with_batch(func, level, x, dim)
            for x, dim in zip(outputs if several else (outputs,), dims, strict=True)
        ]
        return tuple(made) if several else made[0]

    return of_batch


def refuse_dim(name, in_dims, args):
    """The error for a batch dimension that an argument lacks: here it may not be negative."""
    for x in args if isinstance(in_dims, int) else ():
        if isinstance(x, core.Tensor) and not 0 <= in_dims < x.ndim:
            raise ValueError(
                f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): Got in_dim={in_dims} for some input, but that input is a Tensor of "
                f"dimensionality {x.ndim} so expected in_dim to satisfy 0 <= in_dim < {x.ndim}."
            )


def refuse_other_outputs(name, outputs):
    """The error for results that are no tensors."""
    text = f"vmap({name}, ...): `{name}` must only return Tensors, got type"
    if not isinstance(outputs, (core.Tensor, tuple)):
        raise ValueError(f"{text} {type(outputs)} as the return.")
    if isinstance(outputs, tuple):
        for place, output in enumerate(outputs):
            if not isinstance(output, core.Tensor):
                raise ValueError(f"{text} {type(output)} for return {place}.")


def dims_of_outputs(name, out_dims, count):
    """Where the batch stands in each result."""
    if isinstance(out_dims, int):
        return (out_dims,) * count
    if not isinstance(out_dims, tuple) or not all(isinstance(dim, int) for dim in out_dims):
        raise ValueError(
            f"vmap({name}, ..., out_dims={out_dims}): `out_dims` must be an int or a tuple of int representing where in the outputs the "
            "vmapped dimension should appear."
        )
    if len(out_dims) != count:
        raise ValueError(
            f"vmap({name}, ..., out_dims={out_dims}): `out_dims` must have one dim per output (got {count} outputs) of {name}."
        )
    return out_dims
