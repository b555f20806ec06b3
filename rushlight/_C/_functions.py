"""Functions for tests of the engine: gradients that are undefined, and derivatives that are errors."""

from rushlight.autograd.function import Function
from rushlight.core import AccumulateGrad

__all__ = ["AccumulateGrad", "DelayedError", "UndefinedGrad"]


class _Undefined(Function):
    """The identity of several tensors; what it gives back is undefined."""

    @staticmethod
    def forward(ctx, *tensors):
        return tuple(x.clone() for x in tensors)

    @staticmethod
    def backward(ctx, *gradients):
        return (None,) * len(gradients)


def _named(function, name):
    """Names the nodes of a Function as PyTorch's in C++ are named."""
    function._backward_cls.__name__ = name
    function._backward_cls.name = lambda self: f"torch::autograd::{name}"
    return function


_named(_Undefined, "UndefinedGradBackward")


class UndefinedGrad:
    """UndefinedGrad()(x, …) gives the same values, behind which gradients are undefined."""

    def __call__(self, *tensors):
        made = _Undefined.apply(*tensors)
        return made if len(made) > 1 else made[0]


class DelayedError:
    """DelayedError(message, count)(x, …) gives the same values; backward through them raises `message`."""

    def __init__(self, message, num_inputs):
        self.message, self.num_inputs = message, num_inputs

    def __call__(self, *tensors):
        message = self.message

        class Failing(Function):
            @staticmethod
            def forward(ctx, *tensors):
                return tuple(x.clone() for x in tensors)

            @staticmethod
            def backward(ctx, *gradients):
                raise RuntimeError(message)

        made = _named(Failing, "Error").apply(*tensors)
        return made if len(made) > 1 else made[0]
