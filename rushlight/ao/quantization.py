"""Marks in models where numbers would be quantized. Rushlight has no such numbers: modules with these marks compute with floats."""

from rushlight._absent import answering as _answering
from rushlight.nn import Module

__all__ = [
    "DeQuantStub",
    "FakeQuantizeBase",
    "ObserverBase",
    "QuantStub",
    "QuantWrapper",
]

_REFUSED = RuntimeError("Rushlight has no quantized numbers; quantize with PyTorch, from the same state_dict")
globals().update(
    _answering(
        __name__,
        {
            "convert(module, mapping=None, inplace=False, *args, **kwargs)": _REFUSED,
            "prepare(model, inplace=False, *args, **kwargs)": _REFUSED,
            "prepare_qat(model, mapping=None, inplace=False)": _REFUSED,
            "quantize_dynamic(model, qconfig_spec=None, dtype=None, mapping=None, inplace=False)": _REFUSED,
        },
    )
)


class ObserverBase(Module):
    """What would look at the numbers of a model to find how to quantize them.

    Args:
        dtype: That of the quantized numbers.
        is_dynamic: Whether it looks at each batch anew.

    >>> import rushlight as torch
    >>> torch.ao.quantization.ObserverBase(torch.uint8).dtype
    torch.uint8
    """

    def __init__(self, dtype, is_dynamic=False):
        super().__init__()
        self.dtype, self.is_dynamic = dtype, is_dynamic


class FakeQuantizeBase(Module):
    """What would round as quantized numbers are.

    >>> import rushlight as torch
    >>> torch.ao.quantization.FakeQuantizeBase()
    Traceback (most recent call last):
        ...
    RuntimeError: Rushlight has no quantized numbers; quantize with PyTorch, from the same state_dict
    """

    def __init__(self):
        raise RuntimeError(*_REFUSED.args)


class QuantStub(Module):
    """Stands where numbers would be quantized; gives its input back.

    Args:
        qconfig: How to quantize, which is kept as an attribute.

    >>> import rushlight as torch
    >>> torch.ao.quantization.QuantStub()(torch.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, qconfig=None):
        super().__init__()
        if qconfig:
            self.qconfig = qconfig

    def forward(self, x):
        return x


class DeQuantStub(QuantStub):
    """Stands where quantized numbers would become floats; gives its input back.

    >>> import rushlight as torch
    >>> torch.ao.quantization.DeQuantStub()(torch.ones(2))
    tensor([1., 1.])
    """


class QuantWrapper(Module):
    """A module between the two marks.

    Args:
        module: The module.

    >>> import rushlight as torch
    >>> torch.ao.quantization.QuantWrapper(torch.nn.ReLU())(torch.tensor([-1.0, 1.0]))
    tensor([0., 1.])
    """

    def __init__(self, module):
        super().__init__()
        qconfig = getattr(module, "qconfig", None)
        self.add_module("quant", QuantStub(qconfig))
        self.add_module("dequant", DeQuantStub(qconfig))
        self.add_module("module", module)
        self.train(module.training)

    def forward(self, X):
        return self.dequant(self.module(self.quant(X)))
