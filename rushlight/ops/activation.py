"""Activations of neural networks: relu and its relatives. nn.functional re-exports them."""

import math

import rushlight as torch
from rushlight import core
from rushlight.ops._declare import composite, op, pointwise, underived
from rushlight.ops._normalizing import widened
from rushlight.ops._rules import FLOATING, WHOLE, both_names, in_place, not_implemented, rounded_once, single, total
from rushlight.ops.steps import depending_on


def refuse_bool(text):
    def check(dtype, *inputs):
        if dtype.name == "bool":
            raise RuntimeError(text)
        if dtype.is_complex:
            raise NotImplementedError("clamp is not supported for complex types")

    return check


@pointwise(
    vjp=(lambda g, b: _gate(g, b), lambda g: torch.zeros_like(g)),
    jvp=lambda a_t, a, b: torch.zeros_like(a) if a_t is None else _gate(a_t, b),
    kernel="relu_gradient",
    name="ThresholdBackwardBackward0",
    function=False,
    method=False,
    inplace=False,
    out=False,
)
def _gate(a, b):
    """`a` where `b` is above 0, 0 elsewhere."""


@pointwise(
    vjp=lambda g, out: _gate(g, out),
    jvp=lambda x_t, out: _gate(x_t, out),
    check=refuse_bool("Boolean inputs not supported for relu"),
    flat="rectified",
    domain=(-1.0, 2.0),
    out=False,
)
def relu(x):
    """max(x, 0)."""


@composite(
    method=False, signature="Tensor input, Tensor other, *, Number alpha=1, out | Tensor input, Number other, Number alpha=1"
)
def _add_relu(input, other, alpha=1, *, out=None):
    """relu of input + alpha · other."""
    made = torch.add(input, other, alpha=alpha).relu()
    return made if out is None else core.written_out("_add_relu", out, made)


def above(g, x, threshold):
    return depending_on(torch.where(x <= threshold, 0, g), x)


@pointwise(
    gradient=True,
    vjp=above,
    fused=rounded_once(above),
    jvp=lambda x_t, x, threshold: torch.where(x <= threshold, 0, x_t),
    inputs=1,
    fits="wide",
    numbers=lambda threshold, value: (float(threshold), float(value)),
    name=both_names("Threshold"),
    method=False,
    inplace="function",
)
def threshold(x, threshold, value):
    """`x` where it is above `threshold`, `value` elsewhere."""


def strictly_between(g, x, low, high):
    """`g` where x lies between the bounds, 0 elsewhere, and where x is NaN."""
    return torch.where(torch.logical_and(x > low, x < high), g, 0)


@pointwise(
    gradient=True,
    vjp=lambda g, x, min_val, max_val: depending_on(strictly_between(g, x, min_val, max_val), x),
    fused=rounded_once(strictly_between),
    jvp=lambda x_t, x, min_val, max_val: strictly_between(x_t, x, min_val, max_val),
    inputs=1,
    fits="dtype",
    numbers=lambda low, high: (float(low), float(high)),
    namespace="nn",
    method=False,
    inplace="function",
    check=refuse_bool("Bool inputs not supported for hardtanh"),
    flat="clamped",
    signature="Tensor input, Number min_val=-1, Number max_val=1, *, out",
    keeps_strides=WHOLE | FLOATING,
)
def hardtanh(x, min_val=-1.0, max_val=1.0):
    """`x` clamped to [min_val, max_val]; its gradient is 0 at the bounds."""


@pointwise(
    gradient=True,
    vjp=lambda g, x, negative_slope: depending_on(torch.where(x > 0, g, g * negative_slope), x),
    jvp=lambda x_t, x, negative_slope: torch.where(x > 0, x_t, x_t * negative_slope),
    fits="wide",
    name=both_names("LeakyRelu"),
    namespace="nn",
    method=False,
    inplace="function",
    flat="leaky",
)
def leaky_relu(x, negative_slope=0.01):
    """`x`, times `negative_slope` where it is negative."""


def elu_product(g, x, alpha, scale, input_scale):
    # What does not count is 0 before exp sees it: an overflow there would make NaN of the second derivative.
    below = torch.where(x < 0, x, 0)
    return torch.where(x <= 0, g * ((below * input_scale).exp() * (alpha * scale * input_scale)), g * scale)


@pointwise(
    gradient=True,
    vjp=elu_product,
    fused=rounded_once(elu_product),
    jvp=lambda x_t, x, alpha, scale, input_scale: elu_product(x_t, x, alpha, scale, input_scale),
    fits="wide",
    name=both_names("Elu"),
    namespace="nn",
    method=False,
    inplace="function",
    flat="saturated",
    signature="Tensor input, Number alpha=1, Number scale=1, Number input_scale=1, *, out",
)
def elu(x, alpha=1.0, scale=1.0, input_scale=1.0):
    """scale · x above 0, scale · alpha · (exp(input_scale · x) - 1) below."""


SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


@pointwise(
    gradient=True,
    vjp=lambda g, x: elu_product(g, x, SELU_ALPHA, SELU_SCALE, 1),
    fused=rounded_once(lambda g, x: elu_product(g, x, SELU_ALPHA, SELU_SCALE, 1)),
    jvp=lambda x_t, x: elu_product(x_t, x, SELU_ALPHA, SELU_SCALE, 1),
    name=both_names("Elu"),
    method=False,
    flat="saturated",
    label="elu_cpu",
    domain=(-1.0, 2.0),
    out=False,
)
def selu(x):
    """The self-normalising elu."""


def celu_product(g, x, alpha):
    # PyTorch's derivative rounds alpha to float32.
    return elu_product(g, x, alpha, 1, 1 / single(alpha))


def celu_numbers(alpha):
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return (float(alpha) if isinstance(alpha, int) else alpha,)


@pointwise(
    gradient="EluBackwardBackward0",
    numbers=celu_numbers,
    vjp=celu_product,
    fused=rounded_once(celu_product),
    jvp=lambda x_t, x, alpha: celu_product(x_t, x, alpha),
    fits="wide",
    name=both_names("Celu"),
    method=False,
    inplace="function",
    label="elu_cpu",
    out=False,
)
def celu(x, alpha=1.0):
    """x above 0, alpha · (exp(x / alpha) - 1) below."""


def gelu_slope(x, approximate):
    if approximate == "tanh":
        scale = math.sqrt(2 / math.pi)
        bent = torch.tanh((x + x * x * x * 0.044715) * scale)
        return (bent + 1) * 0.5 + x * (1 - bent * bent) * (x * x * (3 * 0.044715) + 1) * (scale / 2)
    return (torch.erf(x * math.sqrt(0.5)) + 1) * 0.5 + x * torch.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))


def approximation(approximate):
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return (int(approximate == "tanh"),)


def gelu_curvature(x, approximate):
    """The second derivative of gelu."""
    if approximate == "tanh":
        scale = math.sqrt(8 / math.pi)
        gate = torch.sigmoid((x + x * x * x * 0.044715) * scale)
        slope, bend = (x * x * (3 * 0.044715) + 1) * scale, x * (6 * 0.044715 * scale)
        return gate * (1 - gate) * (2 * slope + x * ((1 - 2 * gate) * slope * slope + bend))
    return torch.exp(x * x * -0.5) * (2 - x * x) * (1 / math.sqrt(2 * math.pi))


@pointwise(
    gradient=True,
    slope=gelu_slope,
    fused="gelu_gradient",
    curvature=lambda g, x, approximate: g * gelu_curvature(x, approximate),
    numbers=approximation,
    inputs=1,
    namespace="nn",
    method=False,
    inplace=False,
    flat="saturated",
    label="GeluKernelImpl",
    domain=(-1.0, 2.0),
    like=lambda x, approximate: x * (1 + torch.erf(x / math.sqrt(2))) / 2,
)
def gelu(x, *, approximate="none"):
    """x Φ(x), with Φ the normal distribution function ("none") or close to it ("tanh")."""


def silu_slope(x):
    gate = torch.sigmoid(x)
    return gate * (x * (1 - gate) + 1)


@pointwise(
    real=True,
    slope=silu_slope,
    fused="silu_gradient",
    namespace="nn",
    method=False,
    flat="saturated",
    domain=(-1.0, 2.0),
    like=lambda x: x * torch.sigmoid(x),
)
def silu(x):
    """x · sigmoid(x)."""


def mish_slope(x):
    bent = torch.tanh(softplus(x))
    return bent + x * torch.sigmoid(x) * (1 - bent * bent)


@pointwise(
    slope=mish_slope,
    fused=rounded_once(lambda g, x: g * mish_slope(x)),
    namespace="nn",
    method=False,
    domain=(-1.0, 2.0),
    like=lambda x: x * (1 + x.exp()).log().tanh(),
)
def mish(x):
    """x · tanh(log(1 + exp(x)))."""


def softplus_product(g, x, beta, threshold):
    scaled = x * beta
    return torch.where(scaled > threshold, g, g * torch.sigmoid(torch.where(scaled >= threshold, threshold, scaled)))


@pointwise(
    gradient=True,
    vjp=softplus_product,
    fused=rounded_once(softplus_product),
    jvp=lambda x_t, x, beta, threshold: softplus_product(x_t, x, beta, threshold),
    numbers=lambda beta, threshold: (float(beta), float(threshold)),
    fits="wide",
    inputs=1,
    namespace="nn",
    method=False,
    inplace=False,
    flat="saturated",
)
def softplus(x, beta=1, threshold=20):
    """log(1 + exp(beta · x)) / beta, and x where beta · x is above `threshold`."""


def shrunk(g, x, lambd):
    return depending_on(torch.where(torch.logical_or(x < -lambd, x > lambd), g, 0), x)


def shrinking(lambd):
    return (float(lambd),)


def check_shrinking(x, lambd):
    if not x.is_floating_point():
        raise not_implemented("softshrink_check", x.dtype)
    most = torch.finfo(x.dtype).max
    if not 0 <= lambd <= most:
        raise RuntimeError(f"lambda must be in range [0, {most:g}] for input dtype {x.dtype.legacy_name}, but found {lambd:g}")


@pointwise(
    vjp=shrunk,
    jvp=lambda x_t, x, lambd: shrunk(x_t, x, lambd),
    numbers=shrinking,
    kernel="softshrink",
    name="SoftshrinkBackward0",
    gradient=True,
    function=False,
    method=False,
    inplace=False,
)
def _softshrink(x, lambd=0.5):
    """x moved by `lambd` towards 0, and 0 where it is nearer than that."""


@composite(namespace="nn", method=False)
def softshrink(input, lambd=0.5, *, out=None):
    """`input` moved by `lambd` towards 0, and 0 where it is nearer than that."""
    check_shrinking(input, lambd)
    return _softshrink(input, lambd) if out is None else _softshrink(input, lambd, out=out)


@pointwise(
    gradient=True, vjp=shrunk, jvp=lambda x_t, x, lambd: shrunk(x_t, x, lambd), numbers=shrinking, fits="dtype", inplace=False
)
def hardshrink(x, lambd=0.5):
    """x, and 0 where |x| is at most `lambd`."""


# In float32 for every dtype, as in PyTorch.
ONE_SIXTH = 0.1666666716337204


no_second_derivative = underived("derivative for aten::hardsigmoid_backward is not implemented", RuntimeError)


@op(
    vjp={"cotangent": no_second_derivative, "x": no_second_derivative},
    name="NotImplemented",
    function=False,
    method=False,
    out=False,
    batch="elementwise.several",
)
def _hardsigmoid_gradient(cotangent, x):
    """The vjp of hardsigmoid, which PyTorch does not differentiate again."""
    return strictly_between(cotangent * ONE_SIXTH, x, -3, 3)


@pointwise(
    vjp=lambda g, x: _hardsigmoid_gradient(g, x),
    jvp=lambda x_t, x: strictly_between(x_t * ONE_SIXTH, x, -3, 3),
    namespace="nn",
    method=False,
    flat="clamped",
    domain=(-2.0, 2.0),
    like=lambda x: (x + 3).clamp(0, 6) / 6,
)
def hardsigmoid(x):
    """clamp(x + 3, 0, 6) / 6."""


def hardswish_product(g, x):
    inside = torch.logical_and(x > -3, x < 3)
    return torch.where(x <= -3, 0, torch.where(inside, g * (torch.where(inside, x, 0) / 3 + 0.5), g))


@pointwise(
    gradient=True,
    vjp=hardswish_product,
    fused=rounded_once(hardswish_product),
    jvp=lambda x_t, x: hardswish_product(x_t, x),
    namespace="nn",
    method=False,
    domain=(-2.0, 2.0),
    like=lambda x: x * (x + 3).clamp(0, 6) / 6,
)
def hardswish(x):
    """x · clamp(x + 3, 0, 6) / 6."""


@pointwise(
    gradient=True,
    slope=lambda x: torch.sigmoid(-x),
    kernel="logsigmoid",
    name="LogSigmoidBackward0",
    namespace="nn",
    method=False,
    inplace=False,
    flat="saturated",
    label="log_sigmoid_cpu",
    out_text="expected scalar type {result} but found {out}",
    domain=(-2.0, 2.0),
    row_major_kinds=FLOATING,
)
def log_sigmoid(x):
    """log(sigmoid(x))."""


# ---------------------------------------------------------------------------------------------------------- with a weight
@pointwise(
    gradient=True,
    vjp=(
        lambda g, x, weight: depending_on(torch.where(x > 0, g, g * weight), x),
        lambda g, x, weight: depending_on(torch.where(x > 0, 0, g * x), weight),
    ),
    jvp=lambda x_t, weight_t, x, weight: total(
        None if x_t is None else torch.where(x > 0, x_t, x_t * weight),
        None if weight_t is None else torch.where(x > 0, 0, weight_t * x),
    ),
    kernel="prelu",
    name="PreluKernelBackward0",
    function=False,
    method=False,
    inplace=False,
    out=False,
)
def _prelu_kernel(x, weight):
    """`x`, times `weight` where it is negative."""


@composite
def prelu(input, weight):
    """`input`, times `weight` (one number, or one for each channel) where it is negative."""
    channels = input.shape[1] if input.ndim > 1 else 1
    if input.dtype != weight.dtype:
        raise RuntimeError(f"prelu: Type promoting not supported. Got {input.dtype.legacy_name} and {weight.dtype.legacy_name}")
    if weight.numel() != 1:
        if input.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        if weight.numel() != channels:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {weight.numel()} and channel "
                f"size = {channels}."
            )
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    if input.ndim > 1:
        weight = weight.view([1, weight.numel()] + [1] * (input.ndim - 2))
    elif input.ndim == 0 and weight.ndim == 1:
        weight = weight.view([])
    return _prelu_kernel(input, weight)


@op(
    gradient=True,
    vjp={"x": lambda g, x, slope: depending_on(g * slope, x)},
    jvp=lambda x_t, slope: x_t * slope,
    name=both_names("RreluWithNoise"),
    function=False,
    method=False,
    inplace=True,
    batch="elementwise.several",
)
def _rrelu(x, slope):
    """`x` times a slope for each element, contiguous."""
    return x.contiguous() * slope


def refuse_in_vmap(name):
    if core.in_vmap():
        raise RuntimeError(f"vmap: we do not yet support aten::{name}. Please file an issue")


RRELU = "Tensor input, Number lower=0.125, Number upper=0.3333333333333333, bool training=False, generator? generator=None"


def rrelu_slope(x, lower, upper, training, generator):
    """The slope of each element: 1 above 0, below it random in training and the mean otherwise."""
    for name, bound in (("lower", lower), ("upper", upper)):
        if not math.isfinite(bound):
            raise RuntimeError(f"rrelu: {name} bound must be finite, got {bound}")
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if not x.is_floating_point() or (training and x.dtype is torch.float16):
        raise not_implemented("rrelu_with_noise_out_cpu" if training else "leaky_relu_cpu", x.dtype)
    if not training:
        return torch.where(x.detach() > 0, 1, torch.tensor((lower + upper) / 2, dtype=x.dtype)).contiguous()
    slope = torch.ones(x.shape, dtype=x.dtype, device=x.device)
    if x.is_meta:
        return slope
    below = (x.detach() <= 0).reshape(-1)
    drawn = torch.empty(int(below.sum()), dtype=torch.float64).uniform_(lower, upper, generator=generator)
    slope.view(-1)[below] = drawn.to(x.dtype)
    return slope


@composite(
    method=False,
    signature=RRELU,
)
def rrelu(input, lower=1 / 8, upper=1 / 3, training=False, generator=None):
    """`input`, times a slope where it is negative: random from [lower, upper] in training, their mean otherwise."""
    refuse_in_vmap("rrelu")
    return _rrelu(input, rrelu_slope(input, lower, upper, training, generator))


@composite(method=False, signature=RRELU)
def rrelu_(input, lower=1 / 8, upper=1 / 3, training=False, generator=None):
    """In-place version of `rrelu`."""
    refuse_in_vmap("rrelu_")
    return in_place(_rrelu)(input, rrelu_slope(input, lower, upper, training, generator))


def halves(x, dim):
    return x.chunk(2, dim)


def glu_vjp(g, x, dim):
    first, second = halves(x, dim)
    gate = torch.sigmoid(second)
    return torch.cat((g * gate, g * first * gate * (1 - gate)), dim)


def glu_jvp(x_t, x, dim):
    (first_t, second_t), (first, second) = halves(x_t, dim), halves(x, dim)
    gate = torch.sigmoid(second)
    return (first_t + first * second_t * (1 - gate)) * gate


@op(gradient=True, vjp=glu_vjp, jvp=glu_jvp, namespace="nn", method=False, batch="reduction.gated")
def glu(x, dim=-1):
    """The first half of `x` along `dim` times the sigmoid of the second."""
    if x.ndim == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    if x.size(dim) % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim % x.ndim} is size {x.size(dim)}")
    if not x.is_floating_point():
        raise NotImplementedError(f"\"glu_cpu\" not implemented for '{x.dtype.legacy_name}'")
    first, second = halves(widened(x), dim)
    return (first * torch.sigmoid(second)).to(x.dtype)
