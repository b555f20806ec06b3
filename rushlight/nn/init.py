"""Filling parameters before training: constants, distributions, and distributions scaled to keep variances.

All functions change their argument `tensor` in place, without recording, and return it. They draw the numbers of PyTorch for the
same seed, or from `generator` where one is given.
"""

import math

import rushlight as torch
from rushlight._overridable import overridable
from rushlight.core import warn_user

__all__ = [
    "calculate_gain", "constant", "constant_", "dirac", "dirac_", "eye", "eye_", "kaiming_normal", "kaiming_normal_", "kaiming_uniform",
    "kaiming_uniform_", "normal", "normal_", "ones_", "orthogonal", "orthogonal_", "sparse", "sparse_", "trunc_normal_", "uniform",
    "uniform_", "xavier_normal", "xavier_normal_", "xavier_uniform", "xavier_uniform_", "zeros_",
]  # fmt: skip

_LINEAR = (
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
)  # fmt: skip


def calculate_gain(nonlinearity, param=None):
    """By how much a layer before a nonlinearity should be larger, so that variances stay: sqrt(2) for "relu", 5 / 3 for "tanh".

    Args:
        nonlinearity: "linear", "conv2d" (and its like) or "sigmoid": 1; "tanh": 5 / 3; "relu": sqrt(2); "leaky_relu": sqrt(2 / (1
            + slope²)); "selu": 3 / 4.
        param: The slope of the leaky ReLU, by default 0.01.

    Raises:
        ValueError: Another nonlinearity, or a slope that is no number.

    >>> import rushlight as torch
    >>> torch.nn.init.calculate_gain("leaky_relu", 0.2)
    1.3867504905630728
    """
    if nonlinearity in _LINEAR or nonlinearity == "sigmoid":
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        if param is None:
            slope = 0.01
        elif isinstance(param, (int, float)) and not isinstance(param, bool):
            slope = param
        else:
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def uniform_(tensor, a=0.0, b=1.0, generator=None):
    """Fills `tensor` with numbers from the uniform distribution over [a, b), by `generator` if it is given; returns it.

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.init.uniform_(torch.empty(3), -1.0, 1.0)
    tensor([-0.0075,  0.5364, -0.8230])
    """
    with torch.no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor, mean=0.0, std=1.0, generator=None):
    """Fills `tensor` with numbers from the normal distribution N(mean, std²), by `generator` if it is given; returns it.

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.init.normal_(torch.empty(3), mean=10.0, std=2.0)
    tensor([13.0820,  9.4131,  5.6424])
    """
    with torch.no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None):
    """Fills `tensor` with numbers from N(mean, std²), limited to [a, b]: those outside are drawn again (Robert, 1995);
    returns it.

    `a` and `b` are numbers, not multiples of `std`; limits far from the mean get a warning. `generator` draws if it is given.

    >>> import rushlight as torch
    >>> x = torch.nn.init.trunc_normal_(torch.empty(1000), std=1.0, a=-0.5, b=2.0)
    >>> bool(x.min() >= -0.5), bool(x.max() <= 2.0)
    (True, True)
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warn_user("mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect.")

    def below(x):
        return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0

    low, high = (a - mean) / std, (b - mean) / std
    nearest = min(max(0.0, low), high)

    def propose(out):
        """Fills `out`, and says which of its elements are rejected."""
        out.uniform_(a, b, generator=generator)
        chance = torch.empty_like(out).uniform_(0, 1, generator=generator)
        return chance > ((nearest**2 - ((out - mean) / std) ** 2) / 2).exp()

    def propose_normal(out):
        out.normal_(mean, std, generator=generator)
        return (out < a) | (out > b)

    # Most normal numbers must fall within the limits, or uniform ones are the better proposal.
    if below(high) - below(low) > 0.3:
        propose = propose_normal
    with torch.no_grad():
        rejected = propose(tensor)
        while rejected.any():
            again = torch.empty_like(tensor)
            rejected_again = propose(again)
            tensor.copy_(torch.where(rejected, again, tensor))
            rejected = rejected & rejected_again
        return tensor


def constant_(tensor, val):
    """Fills `tensor` with the number `val`; returns it.

    >>> import rushlight as torch
    >>> torch.nn.init.constant_(torch.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    with torch.no_grad():
        return tensor.fill_(val)


def ones_(tensor):
    """Fills `tensor` with ones; returns it.

    >>> import rushlight as torch
    >>> torch.nn.init.ones_(torch.empty(2))
    tensor([1., 1.])
    """
    with torch.no_grad():
        return tensor.fill_(1.0)


def zeros_(tensor):
    """Fills `tensor` with zeros; returns it. What is filled takes no part in gradients, though it is a parameter.

    >>> import rushlight as torch
    >>> layer = torch.nn.Linear(3, 2)
    >>> torch.nn.init.zeros_(layer.bias)
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """
    with torch.no_grad():
        return tensor.zero_()


def eye_(tensor):
    """Makes a matrix `tensor` the identity, as far as its shape allows; returns it. Anything but two dimensions is a ValueError.

    >>> import rushlight as torch
    >>> torch.nn.init.eye_(torch.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    if tensor.ndimension() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    with torch.no_grad():
        torch.eye(*tensor.shape, out=tensor, requires_grad=tensor.requires_grad)
    return tensor


def dirac_(tensor, groups=1):
    """Makes the weights `tensor` of a convolution (3, 4 or 5 dimensions) pass on as many channels as there are; returns it.

    With `groups`, within each of the groups.

    Raises:
        ValueError: Another number of dimensions, or outputs that `groups` does not divide.

    >>> import rushlight as torch
    >>> layer = torch.nn.Conv1d(2, 2, 3, padding=1, bias=False)
    >>> _ = torch.nn.init.dirac_(layer.weight)
    >>> layer(torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])).detach()
    tensor([[1., 2., 3.],
            [4., 5., 6.]])
    """
    dimensions = tensor.ndimension()
    if dimensions not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    sizes = tensor.size()
    if sizes[0] % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    outputs = sizes[0] // groups
    centre = tuple(size // 2 for size in sizes[2:])
    with torch.no_grad():
        tensor.zero_()
        for group in range(groups):
            for d in range(min(outputs, sizes[1])):
                tensor[(group * outputs + d, d, *centre)] = 1
    return tensor


def _calculate_fan_in_and_fan_out(tensor):
    if tensor.dim() < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    receptive_field = math.prod(tensor.shape[2:])
    return tensor.size(1) * receptive_field, tensor.size(0) * receptive_field


def _calculate_correct_fan(tensor, mode):
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    return _calculate_fan_in_and_fan_out(tensor)[mode == "fan_out"]


def xavier_uniform_(tensor, gain=1.0, generator=None):
    """Fills with U(-b, b), b = gain * sqrt(6 / (fan_in + fan_out)),
    so that variances stay in both directions (Glorot and Bengio, 2010).

    Args:
        tensor: The weights (out, in, *), of two dimensions or more; fan_in is in times the number of positions, fan_out out times
            that.
        gain: A factor: `calculate_gain` of what follows.
        generator: Draws the numbers if it is given.

    Raises:
        ValueError: The tensor has less than two dimensions.

    >>> import rushlight as torch
    >>> weight = torch.nn.init.xavier_uniform_(torch.empty(20, 40))
    >>> bool(weight.abs().max() <= (6 / 60) ** 0.5)
    True
    """
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / float(sum(_calculate_fan_in_and_fan_out(tensor))))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor, gain=1.0, generator=None):
    """Fills with N(0, gain² * 2 / (fan_in + fan_out)), so that variances stay in both directions (Glorot and Bengio, 2010).

    `tensor`, `gain` and `generator` are as in `xavier_uniform_`.

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(0)
    >>> weight = torch.nn.init.xavier_normal_(torch.empty(300, 500))
    >>> weight.std(), (2 / 800) ** 0.5
    (tensor(0.0500), 0.05)
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(sum(_calculate_fan_in_and_fan_out(tensor)))), generator)


def kaiming_uniform_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """Fills with U(-b, b), b = gain * sqrt(3 / fan), so that variances stay before a ReLU (He et al., 2015).

    Args:
        tensor: The weights (out, in, *), of two dimensions or more.
        a: The slope of the leaky ReLU that follows, 0 for a ReLU; layers use sqrt(5), which makes b = 1 / sqrt(fan).
        mode: "fan_in" (in times the number of positions), by which the variances of activations stay, or "fan_out", of gradients.
        nonlinearity: What follows, by which `calculate_gain` gives the gain.
        generator: Draws the numbers if it is given.

    Raises:
        ValueError: Another mode or nonlinearity, or less than two dimensions.

    >>> import rushlight as torch
    >>> weight = torch.nn.init.kaiming_uniform_(torch.empty(3, 6), nonlinearity="relu")
    >>> bool(weight.abs().max() <= 1.0)
    True
    """
    if 0 in tensor.shape:
        warn_user("Initializing zero-element tensors is a no-op")
        return tensor
    fan = _calculate_correct_fan(tensor, mode)
    bound = math.sqrt(3.0) * (calculate_gain(nonlinearity, a) / math.sqrt(fan))
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """Fills with N(0, gain² / fan), so that variances stay before a ReLU (He et al., 2015).

    `tensor`, `a`, `mode`, `nonlinearity` and `generator` are as in `kaiming_uniform_`.

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(0)
    >>> weight = torch.nn.init.kaiming_normal_(torch.empty(300, 200), mode="fan_out", nonlinearity="relu")
    >>> weight.std(), (2 / 300) ** 0.5
    (tensor(0.0815), 0.08164965809277261)
    """
    if 0 in tensor.shape:
        warn_user("Initializing zero-element tensors is a no-op")
        return tensor
    fan = _calculate_correct_fan(tensor, mode)
    return normal_(tensor, 0.0, calculate_gain(nonlinearity, a) / math.sqrt(fan), generator)


def orthogonal_(tensor, gain=1, generator=None):
    """Fills `tensor` with a matrix times `gain`, whose rows or (where it is high) columns are orthonormal (Saxe et al., 2013).

    Further dimensions count as columns. `generator` draws if it is given.

    Raises:
        ValueError: The tensor has less than two dimensions.

    >>> import rushlight as torch
    >>> weight = torch.nn.init.orthogonal_(torch.empty(2, 5))
    >>> torch.allclose(weight @ weight.T, torch.eye(2), atol=1e-6)
    True
    """
    if tensor.ndimension() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.size(0)
    columns = tensor.numel() // rows
    with torch.no_grad():
        gaussian = torch.empty((rows, columns), dtype=tensor.dtype, device=tensor.device).normal_(0, 1, generator=generator)
        if rows < columns:
            gaussian.t_()
        q, r = torch.linalg.qr(gaussian)
        # The signs that make the distribution uniform (Mezzadri, 2006).
        q *= torch.diag(r, 0).sign()
        if rows < columns:
            q.t_()
        tensor.view_as(q).copy_(q)
        tensor.mul_(gain)
    return tensor


def sparse_(tensor, sparsity, std=0.01, generator=None):
    """Fills a matrix `tensor` with normal numbers times `std`, but for a part `sparsity` of each column,
    which is zero (Martens, 2010).

    `generator` draws the numbers if it is given; which are zero is always drawn by the default one.

    >>> import rushlight as torch
    >>> weight = torch.nn.init.sparse_(torch.empty(10, 3), sparsity=0.4)
    >>> (weight == 0).sum(0)
    tensor([4, 4, 4])
    """
    if tensor.ndimension() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with torch.no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[torch.randperm(rows)[:zeros], column] = 0
    return tensor


def _deprecated(function, sizes="2, 2", more=""):
    name = function.__name__.removesuffix("_")

    def alias(*args, **kwargs):
        warn_user(f"`nn.init.{name}` is now deprecated in favor of `nn.init.{function.__name__}`.", FutureWarning)
        return function(*args, **kwargs)

    alias.__name__ = name
    alias.__doc__ = f"""The older name of `{function.__name__}`, which warns.

>>> import warnings; warnings.simplefilter("ignore")
>>> torch.nn.init.{name}(torch.empty({sizes}){more}).shape
torch.Size([{sizes}])
"""
    return alias


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_, more=", 1.0")
eye = _deprecated(eye_)
dirac = _deprecated(dirac_, "2, 2, 3")
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_, more=", 0.5")

overridable([uniform_, normal_, constant_, kaiming_uniform_])
