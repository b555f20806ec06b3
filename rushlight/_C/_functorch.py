"""What is known of tensors inside transforms, and dimensions of batches."""

import enum

from rushlight import core
from rushlight.func.functions import single_level

__all__ = []


class TransformType(enum.Enum):
    """The kinds of transforms."""

    Torch = 0
    Vmap = 1
    Grad = 2
    Jvp = 3
    Functionalize = 4


class RandomnessType(enum.Enum):
    """What vmap does about random numbers."""

    Error = 0
    Same = 1
    Different = 2


def is_batchedtensor(tensor):
    """Whether vmap has made the tensor: one example of a batch."""
    depths, _ = core.derivatives_around(tensor)
    return not depths and type(tensor) is core.Wrapped and isinstance(tensor.level, core.BatchLevel) and tensor.aspect is not None


def is_gradtrackingtensor(tensor):
    """Whether a derivative has made the tensor."""
    depths, _ = core.derivatives_around(tensor)
    return bool(depths) or core.wrapper_kind(tensor) == "TensorWrapper"


def is_functionaltensor(tensor):
    """Whether functionalize has made the tensor: it makes none here."""
    return False


def is_functorch_wrapped_tensor(tensor):
    """Whether a transform has made the tensor."""
    return is_batchedtensor(tensor) or is_gradtrackingtensor(tensor)


def maybe_get_level(tensor):
    """How deep the transform stands that has made the tensor: from 1 on; -2 where it is a derivative that is over, -1 for other tensors."""
    depths, lowest = core.derivatives_around(tensor)
    if depths:
        return depths[0]
    return lowest if is_functorch_wrapped_tensor(tensor) else -1


def maybe_get_bdim(tensor):
    """Where the batch stands in what vmap was given, or -1."""
    return tensor.given_dim if is_batchedtensor(tensor) else -1


def dlevel(tensor):
    """How deep the derivative stands that has made the tensor: -1 where it is over, 0 for other tensors."""
    level = maybe_get_level(tensor) if is_gradtrackingtensor(tensor) else 0
    return -1 if level == -2 else level


def is_dead_tensor_wrapper(tensor):
    """Whether the derivative that has made the tensor is over."""
    return dlevel(tensor) == -1


def unwrap_if_dead(tensor):
    """What is within a tensor whose derivative is over; another as it is."""
    return get_unwrapped(tensor) if is_dead_tensor_wrapper(tensor) else tensor


def is_legacy_batchedtensor(tensor):
    """Whether an older vmap has made the tensor: there is none."""
    return False


def get_unwrapped(tensor):
    """The tensor that the innermost transform works with."""
    from rushlight.func import debug_unwrap

    if not is_functorch_wrapped_tensor(tensor):
        raise RuntimeError("No wrappers present!")
    return debug_unwrap(tensor, recurse=False)


def _unwrap_for_grad(tensor, level):
    """The tensor within one of the derivative at `level`; another as it is."""
    return get_unwrapped(tensor) if is_gradtrackingtensor(tensor) and maybe_get_level(tensor) in (level, -2) else tensor


def _add_batch_dim(tensor, in_dim, level):
    """A tensor as the function of the vmap at that depth sees it."""
    from rushlight._functorch.vmap import _add_batch_dim

    return _add_batch_dim(tensor, in_dim, level)


def _remove_batch_dim(tensor, level, batch_size, out_dim):
    """A result of the vmap at that depth with its batch at `out_dim`."""
    from rushlight._functorch.vmap import _remove_batch_dim

    return _remove_batch_dim(tensor, level, batch_size, out_dim)


def maybe_current_level():
    """How many transforms the program stands in, or None."""
    return core.transform_depth() or None


def current_level():
    """How many transforms the program stands in."""
    return core.transform_depth()


def get_single_level_autograd_function_allowed():
    """Whether a Function without setup_context may run inside of a transform."""
    return single_level.allowed


def set_single_level_autograd_function_allowed(allowed):
    """Sets what `get_single_level_autograd_function_allowed` tells."""
    single_level.allowed = allowed


def reshape_dim_into(src, dst, tensor):
    """The dimension `src` joined with `dst`, counted without it: the outer part of the result's dimension `dst`."""
    moved = tensor.movedim(src, dst % (tensor.ndim - 1))
    return moved.flatten(dst % (tensor.ndim - 1), dst % (tensor.ndim - 1) + 1)


def reshape_dim_outof(src, size1, tensor):
    """The dimension `src` taken apart into `size1` and the rest."""
    src %= tensor.ndim
    if tensor.shape[src] % size1:
        raise RuntimeError(f"{tensor.shape[src]} is no multiple of {size1}")
    return tensor.unflatten(src, (size1, tensor.shape[src] // size1))
