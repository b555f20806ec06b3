"""The older path of `torch.ao.nn.quantized`."""

from rushlight.ao._functional_modules import FloatFunctional

__all__ = ["FloatFunctional"]
