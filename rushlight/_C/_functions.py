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

        class Error(Function):
            @staticmethod
            def forward(ctx, *tensors):
                return tuple(x.clone() for x in tensors)

            @staticmethod
            def backward(ctx, *gradients):
                raise RuntimeError(message)

        made = Error.apply(*tensors)
        return made if len(made) > 1 else made[0]
