"""Operations as modules, so that what they give can be watched."""

import rushlight as torch
from rushlight.nn import Identity, Module

__all__ = ["FloatFunctional"]


def _watched(function):
    def method(self, *args, **kwargs):
        return self.activation_post_process(function(*args, **kwargs))

    return method


class FloatFunctional(Module):
    """Sums, products and the like as methods, whose results go through the submodule `activation_post_process`.

    >>> import rushlight as torch
    >>> torch.ao.nn.quantized.FloatFunctional().add(torch.ones(2), torch.ones(2))
    tensor([2., 2.])
    """

    __module__ = "torch.ao.nn.quantized.modules.functional_modules"

    def __init__(self):
        super().__init__()
        self.activation_post_process = Identity()

    def forward(self, x):
        raise RuntimeError("FloatFunctional is not intended to use the 'forward'. Please use the underlying operation")

    add = _watched(lambda x, y: torch.add(x, y))
    add_scalar = _watched(lambda x, y: torch.add(x, y))
    mul = _watched(lambda x, y: torch.mul(x, y))
    mul_scalar = _watched(lambda x, y: torch.mul(x, y))
    cat = _watched(lambda x, dim=0: torch.cat(x, dim=dim))
    add_relu = _watched(lambda x, y: torch.relu(torch.add(x, y)))
    matmul = _watched(lambda x, y: torch.matmul(x, y))
