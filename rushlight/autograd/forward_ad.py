"""Forward-mode differentiation: dual tensors, which carry a tangent along.

Inside a `dual_level`, `make_dual` joins a tensor with a tangent; every operation then computes the tangent of its result beside the result
itself; `unpack_dual` takes the two apart. One forward pass gives one directional derivative, whatever the number of outputs.
"""

from typing import NamedTuple

import rushlight as torch
from rushlight import core
from rushlight.autograd.grad_mode import ModeDecorator

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]

_current_level = -1
_levels = []


class UnpackedDualTensor(NamedTuple):
    """The two halves of a dual tensor, `primal` and `tangent`, which is None where there is none.

    >>> import rushlight as torch
    >>> from rushlight.autograd import forward_ad
    >>> forward_ad.UnpackedDualTensor(torch.tensor(1.0), None).primal
    tensor(1.)
    """

    primal: torch.Tensor
    tangent: torch.Tensor | None


def enter_dual_level():
    """Opens a level of forward-mode differentiation and returns its number; there can be one at a time.

    >>> from rushlight.autograd import forward_ad
    >>> forward_ad.enter_dual_level()
    0
    >>> forward_ad.exit_dual_level()
    """
    global _current_level
    if _levels or any(isinstance(level, core.DualLevel) for level in core.interpreters()):
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    level = core.DualLevel()
    level.tracks_all = True
    level.__enter__()
    _levels.append(level)
    _current_level += 1
    return _current_level


def exit_dual_level(*, level=None):
    """Closes the level: tensors made in it keep their values and lose their tangents.
    `level` is its number, by default that of the last.

    >>> import rushlight as torch
    >>> from rushlight.autograd import forward_ad
    >>> level = forward_ad.enter_dual_level()
    >>> x = forward_ad.make_dual(torch.tensor(1.0), torch.tensor(2.0))
    >>> forward_ad.exit_dual_level(level=level)
    >>> x
    tensor(1.)
    """
    global _current_level
    if level is None:
        level = _current_level
    if level != _current_level:
        raise RuntimeError("Trying to exit a forward AD level that was not the last one that was created. This is not supported.")
    if not _levels:
        raise RuntimeError("Dual level must be a positive number.")
    _levels.pop().__exit__(None, None, None)
    _current_level -= 1


def make_dual(tensor, tangent, *, level=None):
    """A dual tensor over the memory of `tensor`, with the given `tangent` (of the same shape), at a `level`,
    by default the open one.

    >>> import rushlight as torch
    >>> from rushlight.autograd import forward_ad
    >>> with forward_ad.dual_level():
    ...     x = forward_ad.make_dual(torch.tensor(3.0), torch.tensor(1.0))
    ...     print(forward_ad.unpack_dual(x**2).tangent)
    tensor(6.)
    """
    if level is None:
        level = _current_level
    if level < 0:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
        )
    for name, given in (("primal", tensor), ("tangent", tangent)):
        if not (given.is_floating_point() or given.is_complex()):
            raise ValueError(f"Expected {name} to be floating point or complex, but got: {given.dtype}")
    if level > 0:
        raise RuntimeError("Invalid level given to _make_dual")
    inside = _levels[0]
    batch = batch_around(inside, "_make_dual", tensor, tangent)
    if batch is not None:
        return core.wrap(batch, core.outside_of(batch, make_dual, *example_values(batch, tensor, tangent)), 0)
    if inside.parts(tensor)[1] is not None:
        raise RuntimeError(
            f"Making a dual Tensor based on a Tensor that already has a forward gradient at the same level {level} is not supported."
        )
    if inside.parts(tangent)[1] is not None:
        raise RuntimeError(
            f"Setting a forward grad that itself has a forward gradient at the same level{level} is not supported."
        )
    return dual_at(inside, tensor, tangent)


def batch_around(inside, name, *tensors):
    """The batch that some of the tensors belong to, where it was entered within the dual level `inside`: then duals are made of whole batches.

    func.vmap refuses the op `name` on batches wherever it was entered; the older vmap does not.
    """
    for level in reversed(core.interpreters()):
        if isinstance(level, core.BatchLevel) and any(core.wrapped_at(level, x) and x.aspect is not None for x in tensors):
            if not level.tracks_all:
                raise RuntimeError(
                    f"Batching rule not implemented for aten::{name}; the fallback path doesn't work on out= or view ops."
                )
            if level is core.current_interpreter() and within(level, inside):
                return level
    return None


def example_values(level, *tensors):
    """What is within tensors of a batch, each with the batch in front."""
    within = [x.value if core.wrapped_at(level, x) else x for x in tensors]
    batched = [core.wrapped_at(level, x) and x.aspect is not None for x in tensors]
    return [x if flag else x.expand(level.size, *x.shape) for x, flag in zip(within, batched, strict=True)]


def within(level, outer):
    """Whether `level` was entered inside of `outer`."""
    entered = core.interpreters()
    return level in entered and outer in entered and entered.index(level) > entered.index(outer)


def dual_at(level, tensor, tangent):
    """A dual tensor of one level of the core."""
    if not core.is_forward_ad_enabled():
        return tensor.view_as(tensor)
    check_tangent(tensor, tangent)
    return core.make_dual(level, tensor, tangent)


def check_tangent(tensor, tangent):
    """Refuses a tangent of another shape."""
    if tangent.shape != tensor.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not supported. "
            f"Tensor is of size {list(tensor.shape)} while the given forward gradient is of size {list(tangent.shape)}."
        )


def unpack_dual(tensor, *, level=None):
    """The value and the tangent of a dual `tensor` at a `level`; of any other tensor the tangent is None.

    >>> import rushlight as torch
    >>> from rushlight.autograd import forward_ad
    >>> with forward_ad.dual_level():
    ...     x = forward_ad.make_dual(torch.tensor(0.0), torch.tensor(2.0))
    ...     print(forward_ad.unpack_dual(x.sin()))
    UnpackedDualTensor(primal=tensor(0.), tangent=tensor(2.))
    """
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"_unpack_dual(): argument 'dual' (position 1) must be Tensor, not {type(tensor).__name__}")
    if level is None:
        level = _current_level
    if level < 0 or not _levels or not core.is_forward_ad_enabled():
        return UnpackedDualTensor(tensor, None)
    if level > 0 and core.wrapped_at(_levels[0], tensor):
        raise RuntimeError("Invalid level given to _fw_primal")
    batch = batch_around(_levels[0], "_unpack_dual", tensor)
    if batch is not None:
        parts = core.outside_of(batch, unpack_dual, tensor.value)
        return UnpackedDualTensor(*[None if part is None else core.wrap(batch, part, 0) for part in parts])
    return UnpackedDualTensor(*core.unpack_dual(_levels[0], tensor))


class dual_level(ModeDecorator):
    """A context in which `make_dual` works. Tangents do not outlive it.

    >>> import rushlight as torch
    >>> from rushlight.autograd import forward_ad
    >>> with forward_ad.dual_level():
    ...     y = forward_ad.make_dual(torch.ones(2), torch.tensor([1., 2.])).exp()
    ...     print(forward_ad.unpack_dual(y).tangent)
    tensor([2.7183, 5.4366])
    """

    def __enter__(self):
        return enter_dual_level()

    def __exit__(self, exc_type, exc_value, traceback):
        exit_dual_level()


class _set_fwd_grad_enabled(ModeDecorator):
    """Switches forward-mode differentiation on or off, at once and as a context."""

    def __init__(self, mode):
        self.prev = core.set_forward_ad_enabled(mode)
        self.mode = mode

    def clone(self):
        return self.__class__(self.mode)

    def __enter__(self):
        core.set_forward_ad_enabled(self.mode)

    def __exit__(self, exc_type, exc_value, traceback):
        core.set_forward_ad_enabled(self.prev)


def _is_fwd_grad_enabled():
    """Whether forward-mode differentiation is on."""
    return core.is_forward_ad_enabled()
