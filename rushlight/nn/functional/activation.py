"""Activation functions. With `inplace=True`, where a function has it, the result replaces the input."""

import math

import rushlight as torch
from rushlight.core import warn_user
from rushlight.ops import layers

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_",
    "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid", "mish", "prelu", "relu", "relu6", "relu_", "rrelu", "rrelu_", "selu",
    "selu_", "sigmoid", "silu", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink", "threshold",
    "threshold_",
]  # fmt: skip

celu_ = layers.celu_
elu_ = layers.elu_
gelu = layers.gelu
hardshrink = layers.hardshrink
hardtanh_ = layers.hardtanh_
leaky_relu_ = layers.leaky_relu_
logsigmoid = layers.log_sigmoid
prelu = layers.prelu
relu_ = layers.relu_
rrelu_ = layers.rrelu_
selu_ = layers.selu_
softplus = layers.softplus
softshrink = layers.softshrink
threshold_ = layers.threshold_


def relu(input, inplace=False):
    """max(x, 0).

    >>> import rushlight as torch
    >>> torch.nn.functional.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return layers.relu_(input) if inplace else layers.relu(input)


def threshold(input, threshold, value, inplace=False):
    """x where x > `threshold`, and `value` elsewhere."""
    return layers.threshold_(input, threshold, value) if inplace else layers.threshold(input, threshold, value)


threshold.__qualname__ = "_threshold"  # (as Python's errors of its arguments have it)


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """x limited to the range from `min_val` to `max_val`."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if getattr(input, "dtype", None) is torch.uint8 and math.isfinite(min_val) and math.isfinite(max_val):
        min_val, max_val = int(min_val), int(max_val)
        if min_val < 0 or max_val < 0:
            raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    return layers.hardtanh_(input, min_val, max_val) if inplace else layers.hardtanh(input, min_val, max_val)


def relu6(input, inplace=False):
    """min(max(x, 0), 6)."""
    return layers.hardtanh_(input, 0.0, 6.0) if inplace else layers.hardtanh(input, 0.0, 6.0)


def elu(input, alpha=1.0, inplace=False):
    """x where x > 0, and alpha * (exp(x) - 1) elsewhere (Clevert et al., 2015)."""
    return layers.elu_(input, alpha) if inplace else layers.elu(input, alpha)


def selu(input, inplace=False):
    """ELU with the scale and alpha that keep mean 0 and variance 1 (Klambauer et al., 2017)."""
    return layers.selu_(input) if inplace else layers.selu(input)


def celu(input, alpha=1.0, inplace=False):
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1)) (Barron, 2017)."""
    return layers.celu_(input, alpha) if inplace else layers.celu(input, alpha)


def leaky_relu(input, negative_slope=0.01, inplace=False):
    """x where x > 0, and `negative_slope` * x elsewhere."""
    return layers.leaky_relu_(input, negative_slope) if inplace else layers.leaky_relu(input, negative_slope)


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    """Leaky ReLU whose slope is drawn from [lower, upper] for each element in training, and is the mean of both otherwise."""
    if inplace:
        return layers.rrelu_(input, lower, upper, training)
    return layers.rrelu(input, lower, upper, training)


def silu(input, inplace=False):
    """x * sigmoid(x), also known as swish."""
    return layers.silu_(input) if inplace else layers.silu(input)


def mish(input, inplace=False):
    """x * tanh(softplus(x)) (Misra, 2019)."""
    return layers.mish_(input) if inplace else layers.mish(input)


def hardsigmoid(input, inplace=False):
    """relu6(x + 3) / 6."""
    return layers.hardsigmoid_(input) if inplace else layers.hardsigmoid(input)


def hardswish(input, inplace=False):
    """x * relu6(x + 3) / 6 (Howard et al., 2019)."""
    return layers.hardswish_(input) if inplace else layers.hardswish(input)


def sigmoid(input):
    """1 / (1 + exp(-x))."""
    return input.sigmoid()


def tanh(input):
    """Hyperbolic tangent."""
    return input.tanh()


def tanhshrink(input):
    """x - tanh(x)."""
    return input - input.tanh()


def softsign(input):
    """x / (1 + |x|)."""
    return input / (input.abs() + 1)


def glu(input, dim=-1):
    """a * sigmoid(b), where a and b are the halves of the input along `dim` (Dauphin et al., 2016)."""
    if input.dim() == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    return layers.glu(input, dim)


def _implicit_dim(name, ndim):
    warn_user(f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.")
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input, dim=None, _stacklevel=3, dtype=None):
    """exp(x) / sum(exp(x)) along `dim`; with `dtype`, the input is converted first.

    >>> import rushlight as torch
    >>> torch.nn.functional.softmax(torch.zeros(2), dim=0)
    tensor([0.5000, 0.5000])
    """
    if dim is None:
        dim = _implicit_dim("softmax", input.dim())
    return input.softmax(dim) if dtype is None else input.softmax(dim, dtype=dtype)


def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """softmax(-x) along `dim`."""
    if dim is None:
        dim = _implicit_dim("softmin", input.dim())
    return (-input).softmax(dim) if dtype is None else (-input).softmax(dim, dtype=dtype)


def log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """log(softmax(x)) along `dim`, computed without the overflow that log of softmax would have."""
    if dim is None:
        dim = _implicit_dim("log_softmax", input.dim())
    return input.log_softmax(dim) if dtype is None else input.log_softmax(dim, dtype=dtype)


def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """A sample from the Gumbel-softmax distribution (Jang et al., 2016).

    With `hard` it is one-hot, and its gradient is that of the soft sample.
    """
    if eps != 1e-10:
        warn_user("`eps` parameter is deprecated and has no effect.")
    # Drawn in the order of the elements, however they lie in memory.
    gumbels = -torch.empty_like(logits, memory_format=torch.contiguous_format).exponential_().log()
    soft = ((logits + gumbels) / tau).softmax(dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    return torch.zeros_like(logits, memory_format=torch.contiguous_format).scatter_(dim, index, 1.0) - soft.detach() + soft
