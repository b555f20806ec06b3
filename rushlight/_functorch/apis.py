"""grad and vmap; vmap by a number of chunks."""

import functools
import importlib

from rushlight.func import grad, grad_and_value, vmap

__all__ = ["chunk_vmap", "grad", "grad_and_value", "vmap"]


def chunk_vmap(func, in_dims=0, out_dims=0, randomness="error", chunks=2):
    """`vmap` in so many `chunks` one after the other, which takes less memory.

    >>> import rushlight as torch
    >>> from rushlight._functorch.apis import chunk_vmap
    >>> chunk_vmap(torch.sum, chunks=2)(torch.ones(3, 4))
    tensor([4., 4., 4.])
    """
    # By name: the package's attribute `vmap` is the function.
    read_inputs = importlib.import_module("rushlight.func.vmap").read_inputs

    @functools.wraps(func)
    def of_batch(*args, **kwargs):
        size = read_inputs(func, in_dims, args)[0]
        if chunks <= 0:
            raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
        return vmap(func, in_dims, out_dims, randomness, chunk_size=max(1, -(-size // chunks)))(*args, **kwargs)

    return vmap(func, in_dims, out_dims, randomness) if chunks == 1 else of_batch
