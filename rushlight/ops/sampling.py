"""Random numbers with a parameter for each element: Bernoulli, normal, Poisson, binomial, multinomial, gamma."""

import math

import rushlight as torch
from rushlight import core
from rushlight.core import Tensor, draw, drawn, kernel
from rushlight.ops._declare import composite, op, pointwise, underived
from rushlight.ops._outputs import check_out
from rushlight.ops._rules import no_tangent, not_implemented
from rushlight.ops.broadcasting import broadcast_two
from rushlight.ops.creation import LONG, check_layout, into
from rushlight.ops.random import NORMAL, check_drawn_out, check_std, draw_bernoulli, generator_of, no_gradient, write


@op(
    vjp=no_gradient,
    jvp=lambda x_t, **_: torch.zeros_like(x_t),
    name="BernoulliBackward0",
    real=True,
    out=False,
    function=False,
    method=False,
    draws=True,
    out_text=None,
    overload="bernoulli.default",
)
def bernoulli_of(x, generator=None):
    """0 and 1 with probabilities `x`."""
    return draw_bernoulli(core.empty_tensor(x.shape, x.dtype), x, generator)


@op(
    no_derivative="bernoulli",
    name="NotImplemented",
    out=False,
    function=False,
    method=False,
    draws=True,
    out_text=None,
    overload="bernoulli.p",
)
def bernoulli_like(x, p, generator=None):
    """0 and 1 in the shape of `x`, 1 with probability `p`."""
    return draw_bernoulli(core.empty_tensor(x.shape, x.dtype), p, generator)


@composite(signature="Tensor input, *, generator? generator=None, out | Tensor input, float p, *, generator? generator=None")
def bernoulli(input, p=None, *, generator=None, out=None):
    """0 and 1 with the probabilities in `input` (or, in its shape, with probability `p`).

    >>> import rushlight
    >>> rushlight.bernoulli(rushlight.ones(2, 2))
    tensor([[1., 1.],
            [1., 1.]])
    """
    check_drawn_out("bernoulli", out)
    made = bernoulli_of(input, generator) if p is None else bernoulli_like(input, p, generator)
    return made if out is None else into("bernoulli", out, made)


def check_std_tensor(std):
    """All standard deviations are not negative."""
    if std.is_complex():
        raise RuntimeError("normal expects standard deviation to be non-complex")
    if std.numel() and not bool(std.min() >= 0):
        raise RuntimeError("normal expects all elements of std >= 0.0")


@op(
    real=True,
    vjp=no_gradient,
    jvp=lambda x_t, **_: torch.zeros_like(x_t),
    name="NormalBackward1",
    out=False,
    function=False,
    method=False,
    draws=True,
    out_text=None,
)
def normal_around(x, std, generator):
    """Normal numbers with means `x`."""
    check_std(std)
    return draw(core.empty_tensor(x.shape, x.dtype), NORMAL, generator, 0.0, float(std)).add_(x)


@op(
    real=True,
    vjp=no_gradient,
    jvp=lambda x_t, **_: torch.zeros_like(x_t),
    name="NormalBackward2",
    out=False,
    function=False,
    method=False,
    draws=True,
    out_text=None,
)
def normal_spread(x, mean, generator):
    """Normal numbers with standard deviations `x`."""
    check_std_tensor(x)
    return draw(core.empty_tensor(x.shape, x.dtype), NORMAL, generator, 0.0, 1.0).mul_(x).add_(mean)


@op(
    real=True,
    vjp={"mean": no_gradient, "std": no_gradient},
    jvp=lambda mean_t, std_t, mean, std, **_: torch.zeros_like(mean + std),
    name="NormalBackward3",
    out=False,
    function=False,
    method=False,
    draws=True,
    out_text=None,
)
def normal_of(mean, std, generator):
    """Normal numbers with means and standard deviations that broadcast."""
    check_std_tensor(std)
    out = core.empty_tensor(broadcast_two(mean.shape, std.shape), mean.dtype)
    return draw(out, NORMAL, generator, 0.0, 1.0).mul_(std).add_(mean)


@composite(
    method=False,
    name="normal",
    signature=(
        "Tensor mean, Tensor std, *, generator? generator=None, out | "
        "Tensor mean, float std=1, *, generator? generator=None, out | "
        "float mean, Tensor std, *, generator? generator=None, out | "
        "float mean, float std, sizes size, *, generator? generator=None, out, factory"
    ),
)
def normal_function(
    mean=0.0,
    std=1.0,
    size=None,
    *,
    generator=None,
    out=None,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
):
    """Normal numbers: mean and std are tensors (element by element) or numbers (then with a `size`).

    >>> import rushlight
    >>> rushlight.normal(rushlight.ones(2), 1e-9).round()
    tensor([1., 1.])
    """
    check_drawn_out("normal" if isinstance(mean, Tensor) or isinstance(std, Tensor) else "aten::normal", out)
    if isinstance(mean, Tensor) and isinstance(std, Tensor):
        made = normal_of(mean, std, generator)
    elif isinstance(mean, Tensor):
        made = normal_around(mean, std, generator)
    elif isinstance(std, Tensor):
        made = normal_spread(std, mean, generator)
    else:
        if size is None:
            kinds = ", ".join(type(value).__name__ for value in (mean, std))
            raise TypeError(f"normal() received an invalid combination of arguments - got ({kinds}); numbers need a size")
        check_std(std)
        if out is not None:
            return write(torch.empty(size, out=out), NORMAL, generator, float(mean), float(std))
        check_layout(layout)
        return drawn("normal", (size,), NORMAL, dtype, device, requires_grad, generator, float(mean), float(std))
    return made if out is None else core.written_out("normal", out, made)


@op(vjp=no_gradient, jvp=lambda x_t, **_: torch.zeros_like(x_t), method=False, out=False, draws=True)
def poisson(x, generator=None):
    """Numbers from Poisson distributions with the rates `x`."""
    out = core.empty_tensor(x.shape, x.dtype)
    kernel("poisson")(out, x, generator_of(generator).address)
    return out


@op(
    inputs=("count", "prob"),
    no_derivative="binomial",
    jvp=no_tangent("binomial"),
    name="NotImplemented",
    method=False,
    out=False,
    draws=True,
)
def binomial(count, prob, generator=None):
    """How many of `count` trials succeed, each with probability `prob`; the two broadcast."""
    for name, x in (("count", count), ("prob", prob)):
        if not x.is_floating_point():
            raise ValueError(f"binomial only supports floating-point dtypes for {name}, got: {x.dtype.legacy_name}")
    shape = broadcast_two(count.shape, prob.shape)
    if prob.dtype is not count.dtype:
        raise RuntimeError(f"Found dtype {prob.dtype.legacy_name} but expected {count.dtype.legacy_name}")
    out = core.empty_tensor(shape, count.dtype)
    kernel("binomial")(out, count.expand(shape), prob.expand(shape), generator_of(generator).address)
    return out


@composite
def multinomial(input, num_samples, replacement=False, *, generator=None, out=None):
    """Indices drawn with the weights in `input`, a vector or rows of a matrix.

    >>> import rushlight
    >>> rushlight.multinomial(rushlight.tensor([0., 1., 0.]), 2, replacement=True)
    tensor([1, 1])
    """
    check_drawn_out("aten::multinomial", out)
    weights = input.detach()
    if weights.dim() not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if not weights.is_floating_point():
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {weights.dtype.legacy_name}")
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > weights.size(-1):
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    if weights.size(-1) > 1 << 24:
        raise RuntimeError("number of categories cannot exceed 2^24")
    check_out("multinomial", out, LONG)
    made = multinomial_indices(weights, num_samples, replacement, generator)
    return made if out is None else into("aten::multinomial", out, made)


def check_weights(x):
    if not bool((x.max() < math.inf) & (x.min() >= 0)):
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if bool((x.sum(-1) == 0).any()):
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")


@op(name="NotImplemented", function=False, method=False, out=False, draws="rows", public="multinomial")
def multinomial_indices(x, count, replacement, generator):
    """The kinds of draws of multinomial: a race of exponential clocks, or bisection of running sums."""
    if x.numel() == 0 and x.dim() == 2:
        return core.empty_tensor((x.size(0), count), LONG)
    if replacement and count > 1:
        rows = x if x.dim() == 2 else x.unsqueeze(0)
        found = core.empty_tensor((rows.size(0), count), LONG)
        kernel("multinomial")(found, rows, generator_of(generator).address)
        return found if x.dim() == 2 else found.squeeze(0)
    if not x.is_meta:
        check_weights(x)
    times = draw(core.empty_like_layout(x), kernel("exponential"), generator, 1.0)
    times = x / times
    return times.argmax(-1, keepdim=True) if count == 1 else times.topk(count, -1).indices


@op(
    vjp=lambda g, x, out: g * torch._standard_gamma_grad(x, out),
    jvp=no_tangent("_standard_gamma"),
    name="StandardGammaBackward0",
    out=False,
    method=False,
    draws=True,
)
def _standard_gamma(x, generator=None):
    """Numbers from gamma distributions with the shapes `x` and scale 1."""
    out = core.empty_tensor(x.shape, x.dtype)
    kernel("standard_gamma")(out, x, generator_of(generator).address)
    return out


@pointwise(
    kernel="standard_gamma_gradient", label="_standard_gamma_grad_cpu", tensors_only=True, inplace=False, method=False, out=False
)
def _standard_gamma_grad(x, output):
    """How `output`, drawn by _standard_gamma, moves with the shapes `x`."""


@op(no_derivative="_sample_dirichlet", name="NotImplemented", out=False, method=False, draws=True)
def _sample_dirichlet(x, generator=None):
    """Vectors from Dirichlet distributions with the parameters along the last dimension of `x`: gamma numbers over their sum."""
    if x.dtype not in (torch.float32, torch.float64):
        raise not_implemented("dirichlet", x.dtype)
    gamma = _standard_gamma(x.contiguous().double(), generator)
    info = torch.finfo(x.dtype)
    return (gamma / gamma.sum(-1, keepdim=True)).to(x.dtype).clamp_(info.tiny, 1 - info.eps / 2)


@pointwise(
    vjp=(underived("derivative for aten::_dirichlet_grad is not implemented", RuntimeError),) * 3,
    kernel="dirichlet_gradient",
    label="_dirichlet_grad_cpu",
    no_derivative="_dirichlet_grad",
    name="NotImplemented",
    tensors_only=True,
    inplace=False,
    method=False,
    out=False,
)
def _dirichlet_grad(x, alpha, total):
    """How numbers `x` of Dirichlet vectors move with their own parameters `alpha`, over 1 - x; `total` are the sums of the vectors' parameters."""
