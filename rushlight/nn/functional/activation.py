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
    """max(x, 0) of each element; with `inplace` the result replaces the input.

    >>> import rushlight as torch
    >>> torch.nn.functional.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return layers.relu_(input) if inplace else layers.relu(input)


def threshold(input, threshold, value, inplace=False):
    """x where x > `threshold`, and `value` elsewhere; with `inplace` the result replaces the input.

    >>> import rushlight as torch
    >>> torch.nn.functional.threshold(torch.tensor([0.5, 1.0, 1.5]), 1.0, -9.0)
    tensor([-9.0000, -9.0000,  1.5000])
    """
    return layers.threshold_(input, threshold, value) if inplace else layers.threshold(input, threshold, value)


threshold.__qualname__ = "_threshold"  # (as Python's errors of its arguments have it)


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """min(max(x, min_val), max_val) of each element; with `inplace` the result replaces the input.

    Raises:
        ValueError: `min_val` is greater than `max_val`.

    >>> import rushlight as torch
    >>> torch.nn.functional.hardtanh(torch.tensor([-3.0, 0.5, 3.0]), -2, 2)
    tensor([-2.0000,  0.5000,  2.0000])
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if getattr(input, "dtype", None) is torch.uint8 and math.isfinite(min_val) and math.isfinite(max_val):
        min_val, max_val = int(min_val), int(max_val)
        if min_val < 0 or max_val < 0:
            raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    return layers.hardtanh_(input, min_val, max_val) if inplace else layers.hardtanh(input, min_val, max_val)


def relu6(input, inplace=False):
    """min(max(x, 0), 6) of each element; with `inplace` the result replaces the input.

    >>> import rushlight as torch
    >>> torch.nn.functional.relu6(torch.tensor([-1.0, 3.0, 8.0]))
    tensor([0., 3., 6.])
    """
    return layers.hardtanh_(input, 0.0, 6.0) if inplace else layers.hardtanh(input, 0.0, 6.0)


def elu(input, alpha=1.0, inplace=False):
    """x where x > 0, and `alpha` * (exp(x) - 1) elsewhere (Clevert et al., 2015); with `inplace` the result replaces the input.

    >>> import rushlight as torch
    >>> torch.nn.functional.elu(torch.tensor([-10.0, -1.0, 2.0]), alpha=2.0)
    tensor([-1.9999, -1.2642,  2.0000])
    """
    return layers.elu_(input, alpha) if inplace else layers.elu(input, alpha)


def selu(input, inplace=False):
    """1.0507… * (max(x, 0) + min(0, 1.6733… * (exp(x) - 1))), the ELU that keeps mean 0 and variance 1 (Klambauer et al., 2017).

    With `inplace` the result replaces the input.

    >>> import rushlight as torch
    >>> torch.nn.functional.selu(torch.tensor([-10.0, 0.0, 1.0]))
    tensor([-1.7580,  0.0000,  1.0507])
    """
    return layers.selu_(input) if inplace else layers.selu(input)


def celu(input, alpha=1.0, inplace=False):
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1)) (Barron, 2017); with `inplace` the result replaces the input.

    >>> import rushlight as torch
    >>> torch.nn.functional.celu(torch.tensor([-10.0, -1.0, 2.0]), alpha=2.0)
    tensor([-1.9865, -0.7869,  2.0000])
    """
    return layers.celu_(input, alpha) if inplace else layers.celu(input, alpha)


def leaky_relu(input, negative_slope=0.01, inplace=False):
    """x where x > 0, and `negative_slope` * x elsewhere; with `inplace` the result replaces the input.

    >>> import rushlight as torch
    >>> torch.nn.functional.leaky_relu(torch.tensor([-2.0, 3.0]), 0.1)
    tensor([-0.2000,  3.0000])
    """
    return layers.leaky_relu_(input, negative_slope) if inplace else layers.leaky_relu(input, negative_slope)


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    """Leaky ReLU whose slope is drawn from U(lower, upper) for each element where `training`, and is the mean of both otherwise.

    With `inplace` the result replaces the input (Xu et al., 2015).

    >>> import rushlight as torch
    >>> torch.nn.functional.rrelu(torch.tensor([-1.0, 1.0]), 0.1, 0.3)
    tensor([-0.2000,  1.0000])
    """
    if inplace:
        return layers.rrelu_(input, lower, upper, training)
    return layers.rrelu(input, lower, upper, training)


def silu(input, inplace=False):
    """x * sigmoid(x) of each element, also known as swish; with `inplace` the result replaces the input.

    >>> import rushlight as torch
    >>> torch.nn.functional.silu(torch.tensor([-5.0, 0.0, 5.0]))
    tensor([-0.0335,  0.0000,  4.9665])
    """
    return layers.silu_(input) if inplace else layers.silu(input)


def mish(input, inplace=False):
    """x * tanh(log(1 + exp(x))) of each element (Misra, 2019); with `inplace` the result replaces the input.

    >>> import rushlight as torch
    >>> torch.nn.functional.mish(torch.tensor([-5.0, 0.0, 5.0]))
    tensor([-0.0336,  0.0000,  4.9996])
    """
    return layers.mish_(input) if inplace else layers.mish(input)


def hardsigmoid(input, inplace=False):
    """min(max(x + 3, 0), 6) / 6 of each element; with `inplace` the result replaces the input.

    >>> import rushlight as torch
    >>> torch.nn.functional.hardsigmoid(torch.tensor([-4.0, 0.0, 1.5, 4.0]))
    tensor([0.0000, 0.5000, 0.7500, 1.0000])
    """
    return layers.hardsigmoid_(input) if inplace else layers.hardsigmoid(input)


def hardswish(input, inplace=False):
    """x * min(max(x + 3, 0), 6) / 6 of each element (Howard et al., 2019); with `inplace` the result replaces the input.

    >>> import rushlight as torch
    >>> torch.nn.functional.hardswish(torch.tensor([-4.0, -1.0, 1.0, 4.0]))
    tensor([-0.0000, -0.3333,  0.6667,  4.0000])
    """
    return layers.hardswish_(input) if inplace else layers.hardswish(input)


def sigmoid(input):
    """1 / (1 + exp(-x)) of each element of the input; the same as `torch.sigmoid`.

    >>> import rushlight as torch
    >>> torch.nn.functional.sigmoid(torch.tensor([-2.0, 0.0, 2.0]))
    tensor([0.1192, 0.5000, 0.8808])
    """
    return input.sigmoid()


def tanh(input):
    """The hyperbolic tangent of each element of the input; the same as `torch.tanh`.

    >>> import rushlight as torch
    >>> torch.nn.functional.tanh(torch.tensor([-2.0, 0.0, 2.0]))
    tensor([-0.9640,  0.0000,  0.9640])
    """
    return input.tanh()


def tanhshrink(input):
    """x - tanh(x) of each element of the input.

    >>> import rushlight as torch
    >>> torch.nn.functional.tanhshrink(torch.tensor([-2.0, 0.0, 2.0]))
    tensor([-1.0360,  0.0000,  1.0360])
    """
    return input - input.tanh()


def softsign(input):
    """x / (1 + |x|) of each element of the input.

    >>> import rushlight as torch
    >>> torch.nn.functional.softsign(torch.tensor([-3.0, 0.0, 1.0]))
    tensor([-0.7500,  0.0000,  0.5000])
    """
    return input / (input.abs() + 1)


def glu(input, dim=-1):
    """a * sigmoid(b), where a and b are the halves of the input along `dim` (Dauphin et al., 2016).

    Raises:
        RuntimeError: The size of that dimension is odd.

    >>> import rushlight as torch
    >>> torch.nn.functional.glu(torch.tensor([1.0, 2.0, 0.0, 100.0]))
    tensor([0.5000, 2.0000])
    """
    if input.dim() == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    return layers.glu(input, dim)


def _implicit_dim(name, ndim):
    warn_user(f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.")
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input, dim=None, _stacklevel=3, dtype=None):
    """exp(x) / sum(exp(x)) along `dim`: numbers between 0 and 1 whose sum is 1.

    Args:
        input: x.
        dim: The dimension. Left out, it is guessed, with a warning: 0 for inputs of zero, one or three dimensions, else 1.
        dtype: What the input is converted to first.

    >>> import rushlight as torch
    >>> torch.nn.functional.softmax(torch.tensor([[0.0, 0.0], [0.0, 1.0]]), dim=1)
    tensor([[0.5000, 0.5000],
            [0.2689, 0.7311]])
    """
    if dim is None:
        dim = _implicit_dim("softmax", input.dim())
    return input.softmax(dim) if dtype is None else input.softmax(dim, dtype=dtype)


def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """exp(-x) / sum(exp(-x)) along `dim`: `softmax` of the input times -1.

    >>> import rushlight as torch
    >>> torch.nn.functional.softmin(torch.tensor([0.0, 1.0]), dim=0)
    tensor([0.7311, 0.2689])
    """
    if dim is None:
        dim = _implicit_dim("softmin", input.dim())
    return (-input).softmax(dim) if dtype is None else (-input).softmax(dim, dtype=dtype)


def log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """x - log(sum(exp(x))) along `dim`: the logarithm of `softmax` of the input, exact where that is 0.

    >>> import rushlight as torch
    >>> torch.nn.functional.log_softmax(torch.tensor([0.0, 200.0]), dim=0)
    tensor([-200.,    0.])
    """
    if dim is None:
        dim = _implicit_dim("log_softmax", input.dim())
    return input.log_softmax(dim) if dtype is None else input.log_softmax(dim, dtype=dtype)


def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """softmax((logits + g) / tau) with g from the Gumbel distribution:
    a sample of a class that has a gradient (Jang et al., 2016).

    Args:
        logits: Logarithms of probabilities, also of such that do not sum to 1 (*).
        tau: The temperature: the smaller, the nearer to one-hot.
        hard: Whether the result is one-hot, with the gradient of the soft sample.
        dim: The dimension of the classes.
        eps: Deprecated, without effect.

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.functional.gumbel_softmax(torch.zeros(2, 3), tau=0.5)
    tensor([[0.0240, 0.1951, 0.7809],
            [0.1040, 0.6233, 0.2726]])
    >>> torch.nn.functional.gumbel_softmax(torch.zeros(2, 3), hard=True)
    tensor([[1., 0., 0.],
            [0., 0., 1.]])
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
