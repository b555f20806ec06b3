"""vmap as backward uses it: several cotangents (or tangents) at once, for programs that know nothing of transforms.

Unlike torch.func.vmap it leaves autograd as it is within: tensors may be made to require grad, and a Function runs as it stands.
"""

import importlib

from rushlight import core

__all__ = ["vmap"]


def vmap(func):
    """`func` over the first dimension of its arguments; its results, a tuple, may be None."""
    # By name, and late: the package's attribute `vmap` is the function, and torch.func is built on torch.autograd.
    batching = importlib.import_module("rushlight.func.vmap")

    def of_batch(*args):
        level = batching.VmapLevel(-1, "error")
        level.tracks_all = True
        inputs = core.wrap_examples(level, args, 0)
        if inputs is None:
            batching.read_inputs(func, 0, args)  # it knows the error
        with level:
            outputs = func(*inputs)
        return tuple(None if x is None else batching.with_batch(func, level, x, 0) for x in outputs)

    return of_batch
