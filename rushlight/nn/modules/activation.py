"""Activation functions as modules. Shapes stay as they are, except in GLU."""

import rushlight as torch

from .. import functional as F
from .. import init
from ..parameter import Parameter
from .module import Module
from .multihead_attention import MultiheadAttention

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "MultiheadAttention",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]  # fmt: skip


class _Overwriting(Module):
    """An activation function of each element, which keeps shape and dtype.

    Args:
        inplace: Whether the result replaces the input, which is then changed.
    """

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace


class _InPlace(_Overwriting):
    """One that prints it."""

    def extra_repr(self):
        return "inplace=True" if self.inplace else ""


class ReLU(_InPlace):
    """max(x, 0) of each element: negative numbers become zero. The gradient at 0 is 0.

    Args:
        inplace: Whether the result replaces the input.

    >>> import rushlight as torch
    >>> x = torch.tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> torch.nn.ReLU()(x)
    tensor([0., 0., 2.], grad_fn=<ReluBackward0>)
    >>> torch.nn.ReLU()(x).sum().backward()
    >>> x.grad
    tensor([0., 0., 1.])
    """

    def forward(self, input):
        return F.relu(input, self.inplace)


class SELU(_InPlace):
    """scale * (max(x, 0) + min(0, alpha * (exp(x) - 1))), the ELU that keeps mean 0 and variance 1 (Klambauer et al., 2017).

    scale is 1.0507… and alpha 1.6733…; `init.calculate_gain("selu")` is for its weights, `AlphaDropout` its dropout.

    >>> import rushlight as torch
    >>> torch.nn.SELU()(torch.tensor([-10.0, 0.0, 1.0]))
    tensor([-1.7580,  0.0000,  1.0507])
    """

    def forward(self, input):
        return F.selu(input, self.inplace)


class SiLU(_InPlace):
    """x * sigmoid(x) of each element, also known as swish (Elfwing et al., 2017): a smooth ReLU with a small dip below zero.

    >>> import rushlight as torch
    >>> torch.nn.SiLU()(torch.tensor([-5.0, -1.0, 0.0, 5.0]))
    tensor([-0.0335, -0.2689,  0.0000,  4.9665])
    """

    def forward(self, input):
        return F.silu(input, self.inplace)


class Mish(_InPlace):
    """x * tanh(softplus(x)) of each element, where softplus(x) = log(1 + exp(x)) (Misra, 2019).

    >>> import rushlight as torch
    >>> torch.nn.Mish()(torch.tensor([-5.0, -1.0, 0.0, 5.0]))
    tensor([-0.0336, -0.3034,  0.0000,  4.9996])
    """

    def forward(self, input):
        return F.mish(input, self.inplace)


class Hardsigmoid(_Overwriting):
    """min(max(x + 3, 0), 6) / 6 of each element: a sigmoid of straight lines, 0 up to -3 and 1 from 3 on.

    >>> import rushlight as torch
    >>> torch.nn.Hardsigmoid()(torch.tensor([-4.0, 0.0, 1.5, 4.0]))
    tensor([0.0000, 0.5000, 0.7500, 1.0000])
    """

    def forward(self, input):
        return F.hardsigmoid(input, self.inplace)


class Hardswish(_Overwriting):
    """x * min(max(x + 3, 0), 6) / 6 of each element (Howard et al., 2019): `SiLU` with the hard sigmoid.

    >>> import rushlight as torch
    >>> torch.nn.Hardswish()(torch.tensor([-4.0, -1.0, 1.0, 4.0]))
    tensor([-0.0000, -0.3333,  0.6667,  4.0000])
    """

    def forward(self, input):
        return F.hardswish(input, self.inplace)


class Hardtanh(Module):
    """min(max(x, min_val), max_val) of each element; the gradient is zero outside.

    Args:
        min_val, max_val: The ends of the range.
        inplace: Whether the result replaces the input.

    Raises:
        AssertionError: `max_val` is not greater than `min_val`.

    >>> import rushlight as torch
    >>> torch.nn.Hardtanh(-2, 2)(torch.tensor([-3.0, 0.5, 3.0]))
    tensor([-2.0000,  0.5000,  2.0000])
    """

    def __init__(self, min_val=-1.0, max_val=1.0, inplace=False):
        super().__init__()
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace
        if max_val <= min_val:
            raise AssertionError(f"max_val ({max_val}) must be greater than min_val ({min_val})")

    def forward(self, input):
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self):
        return f"min_val={self.min_val}, max_val={self.max_val}" + (", inplace=True" if self.inplace else "")


class ReLU6(Hardtanh):
    """min(max(x, 0), 6) of each element: a `ReLU` that saturates, as in nets for small numbers of bits.

    Args:
        inplace: Whether the result replaces the input.

    >>> import rushlight as torch
    >>> torch.nn.ReLU6()(torch.tensor([-1.0, 3.0, 8.0]))
    tensor([0., 3., 6.])
    """

    def __init__(self, inplace=False):
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self):
        return "inplace=True" if self.inplace else ""


class Threshold(Module):
    """x where x > `threshold`, and `value` elsewhere.

    Args:
        threshold: What x must exceed.
        value: What replaces the others.
        inplace: Whether the result replaces the input.

    >>> import rushlight as torch
    >>> torch.nn.Threshold(1.0, -9.0)(torch.tensor([0.5, 1.0, 1.5]))
    tensor([-9.0000, -9.0000,  1.5000])
    """

    def __init__(self, threshold, value, inplace=False):
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input):
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self):
        return f"threshold={self.threshold}, value={self.value}" + (", inplace=True" if self.inplace else "")


class LeakyReLU(Module):
    """x where x > 0, and `negative_slope` * x elsewhere (Maas et al., 2013).

    Args:
        negative_slope: The slope to the left of zero.
        inplace: Whether the result replaces the input; backward of that needs a slope that is not negative.

    >>> import rushlight as torch
    >>> torch.nn.LeakyReLU(0.1)(torch.tensor([-2.0, 3.0]))
    tensor([-0.2000,  3.0000])
    """

    def __init__(self, negative_slope=0.01, inplace=False):
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input):
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self):
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class RReLU(Module):
    """Leaky ReLU whose slopes are drawn from U(lower, upper) in training, and are the mean of both otherwise (Xu et al., 2015).

    Args:
        lower, upper: The ends of the range of slopes.
        inplace: Whether the result replaces the input.

    >>> import rushlight as torch
    >>> layer = torch.nn.RReLU(0.1, 0.3)
    >>> bool((layer(torch.full((100,), -1.0)) >= -0.3).all())
    True
    >>> layer.eval()(torch.tensor([-1.0, 1.0]))
    tensor([-0.2000,  1.0000])
    """

    def __init__(self, lower=1.0 / 8, upper=1.0 / 3, inplace=False):
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input):
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self):
        return f"lower={self.lower}, upper={self.upper}" + (", inplace=True" if self.inplace else "")


class PReLU(Module):
    """max(x, 0) + weight * min(0, x): leaky ReLU whose slopes are learned (He et al., 2015). No weight decay should act on them.

    Args:
        num_parameters: How many slopes there are: 1, or one for each channel (dimension 1 of the input).
        init: What they are at first.

    >>> import rushlight as torch
    >>> layer = torch.nn.PReLU(2)
    >>> layer(torch.tensor([[-4.0, -8.0]]))
    tensor([[-1., -2.]], grad_fn=<PreluKernelBackward0>)
    >>> layer.weight
    Parameter containing:
    tensor([0.2500, 0.2500], requires_grad=True)
    """

    def __init__(self, num_parameters=1, init=0.25, device=None, dtype=None):
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(torch.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self):
        """Sets all slopes to `init`."""
        init.constant_(self.weight, self.init)

    def forward(self, input):
        return F.prelu(input, self.weight)

    def extra_repr(self):
        return f"num_parameters={self.num_parameters}"


class _Exponential(Module):
    """An activation function that nears -alpha on the left.

    Args:
        alpha: The value that it nears, but for its sign.
        inplace: Whether the result replaces the input.
    """

    def __init__(self, alpha=1.0, inplace=False):
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def extra_repr(self):
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class ELU(_Exponential):
    """x where x > 0, and `alpha` * (exp(x) - 1) elsewhere (Clevert et al., 2015).

    Args:
        alpha: The limit on the left, but for its sign.
        inplace: Whether the result replaces the input.

    >>> import rushlight as torch
    >>> torch.nn.ELU()(torch.tensor([-10.0, -1.0, 0.0, 2.0]))
    tensor([-1.0000, -0.6321,  0.0000,  2.0000])
    """

    def forward(self, input):
        return F.elu(input, self.alpha, self.inplace)


class CELU(_Exponential):
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1)), an `ELU` whose slope at zero is 1 for any `alpha` (Barron, 2017).

    Args:
        alpha: The limit on the left, but for its sign; not 0.
        inplace: Whether the result replaces the input.

    >>> import rushlight as torch
    >>> torch.nn.CELU(2.0)(torch.tensor([-10.0, -1.0, 0.0, 2.0]))
    tensor([-1.9865, -0.7869,  0.0000,  2.0000])
    """

    def forward(self, input):
        return F.celu(input, self.alpha, self.inplace)


class GELU(Module):
    """x * Φ(x), where Φ is the distribution function of the normal distribution (Hendrycks and Gimpel, 2016).

    Args:
        approximate: "none", or "tanh" for x * (1 + tanh(sqrt(2 / π) * (x + 0.044715 x³))) / 2.

    >>> import rushlight as torch
    >>> torch.nn.GELU()(torch.tensor([-2.0, 0.0, 2.0]))
    tensor([-0.0455,  0.0000,  1.9545])
    >>> torch.nn.GELU("tanh")(torch.tensor([-2.0, 0.0, 2.0]))
    tensor([-0.0454,  0.0000,  1.9546])
    """

    def __init__(self, approximate="none"):
        super().__init__()
        self.approximate = approximate

    def forward(self, input):
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self):
        return f"approximate={self.approximate!r}"


class GLU(Module):
    """a * sigmoid(b), where a and b are the halves of the input along `dim` (Dauphin et al., 2016): a gated linear unit.

    Shapes: input (*, 2 n, *), output (*, n, *).

    Args:
        dim: The dimension that is halved.

    Raises:
        RuntimeError: The size of that dimension is odd.

    >>> import rushlight as torch
    >>> torch.nn.GLU()(torch.tensor([[1.0, 2.0, 0.0, 100.0]]))
    tensor([[0.5000, 2.0000]])
    """

    def __init__(self, dim=-1):
        super().__init__()
        self.dim = dim

    def forward(self, input):
        return F.glu(input, self.dim)

    def extra_repr(self):
        return f"dim={self.dim}"


class Sigmoid(Module):
    """1 / (1 + exp(-x)) of each element, between 0 and 1. For a loss of it, `BCEWithLogitsLoss` takes x itself.

    >>> import rushlight as torch
    >>> torch.nn.Sigmoid()(torch.tensor([-2.0, 0.0, 2.0]))
    tensor([0.1192, 0.5000, 0.8808])
    """

    def forward(self, input):
        return input.sigmoid()


class Tanh(Module):
    """tanh(x) = (exp(x) - exp(-x)) / (exp(x) + exp(-x)) of each element, between -1 and 1.

    >>> import rushlight as torch
    >>> torch.nn.Tanh()(torch.tensor([-2.0, 0.0, 2.0]))
    tensor([-0.9640,  0.0000,  0.9640])
    """

    def forward(self, input):
        return input.tanh()


class LogSigmoid(Module):
    """log(1 / (1 + exp(-x))) of each element, exact where the sigmoid itself is 0 or 1.

    >>> import rushlight as torch
    >>> torch.nn.LogSigmoid()(torch.tensor([-200.0, 0.0, 2.0]))
    tensor([-2.0000e+02, -6.9315e-01, -1.2693e-01])
    """

    def forward(self, input):
        return F.logsigmoid(input)


class Softsign(Module):
    """x / (1 + |x|) of each element: between -1 and 1 as `Tanh`, but nearing them slowly.

    >>> import rushlight as torch
    >>> torch.nn.Softsign()(torch.tensor([-3.0, 0.0, 1.0]))
    tensor([-0.7500,  0.0000,  0.5000])
    """

    def forward(self, input):
        return F.softsign(input)


class Tanhshrink(Module):
    """x - tanh(x) of each element.

    >>> import rushlight as torch
    >>> torch.nn.Tanhshrink()(torch.tensor([-2.0, 0.0, 2.0]))
    tensor([-1.0360,  0.0000,  1.0360])
    """

    def forward(self, input):
        return F.tanhshrink(input)


class Softplus(Module):
    """log(1 + exp(beta * x)) / beta: a smooth ReLU, always positive.

    Args:
        beta: How sharp the bend at zero is.
        threshold: Where beta * x is larger, the result is x itself, which it is to the last digit.

    >>> import rushlight as torch
    >>> torch.nn.Softplus()(torch.tensor([-2.0, 0.0, 30.0]))
    tensor([ 0.1269,  0.6931, 30.0000])
    """

    def __init__(self, beta=1.0, threshold=20.0):
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input):
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self):
        return f"beta={self.beta}, threshold={self.threshold}"


class _Shrinking(Module):
    """A function that makes numbers near zero zero.

    Args:
        lambd: How far from zero that is.
    """

    def __init__(self, lambd=0.5):
        super().__init__()
        self.lambd = lambd

    def extra_repr(self):
        return f"{self.lambd}"


class Softshrink(_Shrinking):
    """x moved towards zero by `lambd`: x - lambd where x > lambd, x + lambd where x < -lambd, and zero between.

    Args:
        lambd: By how much; not negative.

    >>> import rushlight as torch
    >>> torch.nn.Softshrink(0.5)(torch.tensor([-2.0, 0.25, 2.0]))
    tensor([-1.5000,  0.0000,  1.5000])
    """

    def forward(self, input):
        return F.softshrink(input, self.lambd)


class Hardshrink(_Shrinking):
    """x where |x| > `lambd`, and zero elsewhere.

    Args:
        lambd: How far from zero numbers must be in order to stay.

    >>> import rushlight as torch
    >>> torch.nn.Hardshrink(0.5)(torch.tensor([-2.0, 0.25, 2.0]))
    tensor([-2.,  0.,  2.])
    """

    def forward(self, input):
        return F.hardshrink(input, self.lambd)


class _AlongDim(Module):
    """A function along one dimension; shapes stay as they are.

    Args:
        dim: That dimension. Left out, it is guessed, with a warning: 0 for inputs of zero, one or three dimensions, else 1.
    """

    def __init__(self, dim=None):
        super().__init__()
        self.dim = dim

    def __setstate__(self, state):
        super().__setstate__(state)
        self.__dict__.setdefault("dim", None)

    def extra_repr(self):
        return f"dim={self.dim}"


class Softmax(_AlongDim):
    """exp(x) / sum(exp(x)) along `dim`: numbers between 0 and 1 whose sum is 1.

    For the logarithm `LogSoftmax` is exact; `CrossEntropyLoss` takes x itself, without a softmax before it.

    Args:
        dim: The dimension along which the sum is 1. Left out, it is guessed, with a warning.

    >>> import rushlight as torch
    >>> torch.nn.Softmax(dim=1)(torch.tensor([[0.0, 0.0], [0.0, 1.0]]))
    tensor([[0.5000, 0.5000],
            [0.2689, 0.7311]])
    """

    def forward(self, input):
        return F.softmax(input, self.dim)


class Softmin(_AlongDim):
    """exp(-x) / sum(exp(-x)) along `dim`: `Softmax` of -x, so the smallest number gets most.

    Args:
        dim: The dimension along which the sum is 1.

    >>> import rushlight as torch
    >>> torch.nn.Softmin(dim=0)(torch.tensor([0.0, 1.0]))
    tensor([0.7311, 0.2689])
    """

    def forward(self, input):
        return F.softmin(input, self.dim)


class LogSoftmax(_AlongDim):
    """x - log(sum(exp(x))) along `dim`: the logarithm of `Softmax`, exact where that is 0. What `NLLLoss` takes.

    Args:
        dim: The dimension along which the sum of the exponentials is 1.

    >>> import rushlight as torch
    >>> torch.nn.LogSoftmax(dim=0)(torch.tensor([0.0, 200.0]))
    tensor([-200.,    0.])
    """

    def forward(self, input):
        return F.log_softmax(input, self.dim)


class Softmax2d(Module):
    """`Softmax` over the channels at each place of an image.

    Shapes: input and output (N, C, H, W) or (C, H, W).

    Raises:
        ValueError: The input has neither three nor four dimensions.

    >>> import rushlight as torch
    >>> x = torch.zeros(1, 4, 2, 3)
    >>> torch.nn.Softmax2d()(x)[0, :, 0, 0]
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    def forward(self, input):
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead")
        return F.softmax(input, -3)
