"""functionalize, and what is within a tensor of a transform."""

import functools

from rushlight import core

__all__ = ["debug_unwrap", "functionalize"]


def functionalize(func, *, remove="mutations"):
    """`func` as a function without in-place operations, which programs that trace functions ask for.

    Here a function is run, not traced, so nothing that a caller can see depends on whether an operation inside wrote in place:
    the result is `func` itself behind the same checks. Writes into its arguments are still seen by the caller.

    Args:
        func: The function.
        remove: "mutations", or "mutations_and_views".

    >>> import rushlight as torch
    >>> torch.func.functionalize(lambda x: x.clone().add_(1))(torch.zeros(2))
    tensor([1., 1.])
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(
            f"functionalize(f, remove='mutations'): received invalid argument for remove={remove}. Valid options are:\n"
            "     remove='mutations': all inplace and out= operators will be removed from the program, and replaced with their out-of-place "
            "equivalents.\n"
            "     remove='mutations_and_views': In addition to the above, all aliasing operators {view} will be replaced with their "
            "non-aliasing counterparts, {view}_copy.\n"
        )

    @functools.wraps(func)
    def functional(*args, **kwargs):
        return func(*args, **kwargs)

    return functional


def debug_unwrap(tensor, *, recurse=True):
    """The tensor within a tensor of a transform (the innermost one, or with `recurse=False` the next one), to be looked at.

    >>> import rushlight as torch
    >>> def f(x):
    ...     print(torch.func.debug_unwrap(x).shape)
    ...     return x.sum()
    >>> torch.func.vmap(f)(torch.ones(3, 2))
    torch.Size([3, 2])
    tensor([2., 2., 2.])
    """
    while core.wrapper_kind(tensor) is not None:
        depths, lowest = core.derivatives_around(tensor)
        if depths:
            # The derivative's own part is a history and nothing else.
            tensor = core.left(tensor.detach(), depths[0] - 1 - core.transform_depth())
        else:
            tensor = tensor.value
            core.left(tensor, lowest - 1 - core.transform_depth())
        if not recurse:
            break
    return tensor
