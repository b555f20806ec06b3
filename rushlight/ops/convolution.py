"""Convolutions of one to three dimensions, and the transposed ones.

A convolution, what it sends back to its input, and the gradient of its weight are the three parts of one form that is linear in each of
input, weight and cotangent, so the derivatives of each are made of the other two.
"""

import rushlight as torch
from rushlight.core import Preparation, empty_tensor, unwrapped
from rushlight.ops._convolving import (
    by_sizes,
    check_kernel,
    check_shapes,
    check_types,
    for_dims,
    for_each_dim,
    is_empty,
    laid_out,
    numbers_of,
    result_sizes,
)
from rushlight.ops._declare import composite, kernel, op, prepared
from rushlight.ops._rules import c_name, conjugate, total, type_text

convolution_kernel, weight_kernel = kernel("convolution"), kernel("convolution_weight")

NUMBERED = "Tensor input, Tensor weight, Tensor? bias, ints stride, ints padding, ints dilation, bool transposed, ints output_padding, int groups"
ELSEWHERE = "bool benchmark, bool deterministic, bool cudnn_enabled"


# ---------------------------------------------------------------------------------------------------------------- rules
def input_gradient(g, weight, sizes, stride, padding, dilation, transposed, output_padding, groups):
    """The cotangent of an input of shape `sizes`."""
    nothing = (0,) * len(stride)
    kernel = weight.shape[2:]
    if transposed:
        made = torch.convolution(g, weight, None, stride, padding, dilation, False, nothing, groups)
        for d, size in enumerate(sizes[2:], 2):
            made = made if made.shape[d] == size else made.narrow(d, 0, size)
        return made
    least = result_sizes(g.shape[2:], kernel, stride, padding, dilation, True, nothing)
    missing = tuple(map(int.__sub__, sizes[2:], least))
    return torch.convolution(g, weight, None, stride, padding, dilation, True, missing, groups)


def weight_gradient(g, x, shape, *numbers):
    """The cotangent of a weight of that shape."""
    return torch._convolution_weight(g, x, tuple(shape[2:]), *numbers)


def convolution_vjp(g, x, weight, stride, padding, dilation, transposed, output_padding, groups, wanted):
    if is_empty(x):
        bias = g.new_zeros((weight.shape[1] * groups if transposed else weight.shape[0],))
        return tuple(given if is_wanted else None for given, is_wanted in zip((x * 0, weight * 0, bias), wanted))
    stride, padding, dilation, output_padding = for_dims(x.dim() - 2, stride, padding, dilation, output_padding)
    numbers = stride, padding, dilation, transposed, output_padding, groups
    return (
        input_gradient(g, weight, x.shape, *numbers) if wanted[0] else None,
        weight_gradient(g, x, weight.shape, *numbers) if wanted[1] else None,
        g.sum((0, *range(2, g.dim()))) if wanted[2] else None,
    )


def bias_shaped(bias, dims):
    return bias.reshape(-1, *(1,) * (dims - 2))


def gradients_prepared(g, x, weight, numbers, transposed, of_input, of_weight):
    made, kernels = {}, []
    if of_input:
        made["dx"] = laid_out(x.shape, x.dtype, x, weight)
        kernels.append((convolution_kernel, ("dx", "g", "weight", None), numbers))
    if of_weight:
        made["dweight"] = laid_out(weight.shape, weight.dtype, x, weight)
        kernels.append((weight_kernel, ("dweight", "g", "x") if transposed else ("dweight", "x", "g"), numbers))
    return Preparation(made, ("dx" if of_input else None, "dweight" if of_weight else None), *kernels)


@prepared(gradients_prepared)
def two_gradients(g, x, weight, numbers, transposed, of_input, of_weight):
    """The gradients of input and weight, as far as they are wanted."""
    dx = dweight = None
    if of_input:
        dx = empty_tensor(*laid_out(x.shape, x.dtype, x, weight))
        convolution_kernel(dx, g, weight, None, *numbers)
    if of_weight:
        dweight = empty_tensor(*laid_out(weight.shape, weight.dtype, x, weight))
        weight_kernel(dweight, *((g, x) if transposed else (x, g)), *numbers)
    return dx, dweight


@op(
    derives=convolution_vjp,
    inputs=("g", "x", "weight"),
    outputs=("dx", "dweight", "dbias"),
    differentiable=(0, 1, 2),
    name="ConvolutionBackwardBackward0",
)
def convolution_backward(g, x, weight, stride, padding, dilation, transposed, output_padding, groups, wanted):
    """What the cotangent of a convolution becomes for input, weight and bias, each where it is wanted."""
    if is_empty(x):
        shapes = x.shape, weight.shape, (weight.shape[1] * groups if transposed else weight.shape[0],)
        return tuple(torch.zeros(shape, dtype=x.dtype) if is_wanted else None for shape, is_wanted in zip(shapes, wanted))
    stride, padding, dilation, _ = for_dims(x.dim() - 2, stride, padding, dilation, output_padding)
    numbers = numbers_of(stride, padding, dilation, groups, not transposed)
    dx, dweight = two_gradients(g, x, weight, numbers, transposed, wanted[0], wanted[1])
    return dx, dweight, g.sum((0, *range(2, g.dim()))) if wanted[2] else None


def convolution_jvp(x_t, weight_t, bias_t, x, weight, stride, padding, dilation, transposed, output_padding, groups):
    stride, padding, dilation, output_padding = for_dims(x.dim() - 2, stride, padding, dilation, output_padding)
    numbers = stride, padding, dilation, transposed, output_padding, groups
    moved = None if x_t is None else torch.convolution(x_t, weight, None, *numbers)
    turned = None if weight_t is None else torch.convolution(x, weight_t, None, *numbers)
    if bias_t is None:
        return total(moved, turned)
    sizes = result_sizes(x.shape[2:], weight.shape[2:], stride, padding, dilation, transposed, output_padding)
    return total(moved, turned, bias_shaped(bias_t, x.dim()).expand(x.shape[0], bias_t.shape[0], *sizes))


def checked(x, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    """The sizes of a convolution's result, and the numbers for its kernel (None: it is empty), after what there is to check."""
    dims = weight.dim() - 2
    if dims <= 0:
        raise RuntimeError("weight should have at least three dimensions")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    stride, padding, dilation, output_padding = for_dims(dims, stride, padding, dilation, output_padding)
    check_shapes(x, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
    channels = weight.shape[1] * groups if transposed else weight.shape[0]
    sizes = result_sizes(x.shape[2:], weight.shape[2:], stride, padding, dilation, transposed, output_padding)
    if is_empty(x):
        return (x.shape[0], channels if x.shape[1] else 0, *sizes), None
    check_types(x, weight, bias)
    check_kernel(x, weight, stride, padding, dilation, transposed, output_padding)
    if min(sizes) < 1:
        given = (1,) * (2 - dims) + tuple(x.shape[2:])
        raise RuntimeError(
            f"Given input size per channel: {by_sizes(given)}. Calculated output size per channel: {by_sizes((1,) * (2 - dims) + sizes)}. "
            "Output size is too small"
        )
    return (x.shape[0], channels, *sizes), numbers_of(stride, padding, dilation, groups, transposed)


def convolution_prepared(x, weight, bias, *numbers):
    sizes, numbers = checked(x, weight, bias, *numbers)
    if numbers is None:
        return None
    return Preparation(
        {"made": laid_out(sizes, x.dtype, x, weight, numbers[-2])},
        "made",
        (convolution_kernel, ("made", "x", "weight", "bias"), numbers),
    )


@op(
    joint=convolution_vjp,
    fused=convolution_backward,
    inputs=("x", "weight", "bias"),
    jvp=convolution_jvp,
    method=False,
    out=False,
    batch="convolution.convolution",
    prepare=convolution_prepared,
    signature=NUMBERED,
)
def convolution(x, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    """Sums over windows of `x` [N, C, …] weighted by `weight`: what conv1d to conv3d compute, and (`transposed`) conv_transpose1d to 3d."""
    sizes, numbers = checked(x, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
    if numbers is None:
        return torch.zeros(sizes, dtype=x.dtype)
    made = empty_tensor(*laid_out(sizes, x.dtype, x, weight, groups))
    convolution_kernel(made, x, weight, bias, *numbers)
    return made


@composite(
    name="convolution_backward",
    namespace="aten",
    method=False,
    signature="Tensor grad_output, Tensor input, Tensor weight, ints? bias_sizes, ints stride, ints padding, ints dilation, bool transposed, "
    "ints output_padding, int groups, object output_mask",
)
def cotangents_of_convolution(
    grad_output, input, weight, bias_sizes, stride, padding, dilation, transposed, output_padding, groups, output_mask
) -> "tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]":
    """What the cotangent of a convolution becomes for input, weight and bias, each where `output_mask` wants it."""
    numbers = tuple(stride), tuple(padding), tuple(dilation), transposed, tuple(output_padding), groups
    return convolution_backward(grad_output, input, weight, *numbers, tuple(output_mask))


@composite(
    namespace="aten",
    method=False,
    signature="Tensor? ggI, Tensor? ggW, Tensor? ggb, Tensor gO, Tensor weight, Tensor self, ints stride, ints padding, ints dilation, "
    "bool transposed, ints output_padding, int groups, object output_mask",
)
def _convolution_double_backward(
    ggI, ggW, ggb, gO, weight, self, stride, padding, dilation, transposed, output_padding, groups, output_mask
) -> "tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]":
    """What the cotangents `ggI`, `ggW` and `ggb` of a convolution's gradients become for its own cotangent `gO`, its input and its weight."""
    numbers = tuple(stride), tuple(padding), tuple(dilation), transposed, tuple(output_padding), groups
    of_cotangent, of_input, of_weight = output_mask
    return (
        convolution_jvp(ggI, ggW, ggb, self, weight, *numbers) if of_cotangent else None,
        convolution_backward(gO, self, ggW, *numbers, (True, False, False))[0] if of_input and ggW is not None else None,
        convolution_backward(gO, ggI, weight, *numbers, (False, True, False))[1] if of_weight and ggI is not None else None,
    )


@composite(method=False, signature="Tensor input, Tensor weight, Tensor? bias, ints[2] padding, ints[2] stride=1")
def _nnpack_spatial_convolution(input, weight, bias, padding, stride=1):
    """conv2d, by the name of what PyTorch once computed it with."""
    return torch.conv2d(input, weight, bias, stride, padding)


LONGEST = (1 << 63) - 1


@composite(
    namespace="aten",
    method=False,
    signature="Tensor self, Tensor weight, ints[3] kernel_size, Tensor? bias=None, ints[3] stride=1, ints[3] padding=0",
)
def slow_conv3d(self, weight, kernel_size, bias=None, stride=1, padding=0):
    """conv3d, of a weight that may be a matrix with the windows of `kernel_size` in its rows."""
    (_, height, width), stride, padding = (
        for_each_dim(name, given, 3) for name, given in (("kernel_size", kernel_size), ("stride", stride), ("padding", padding))
    )
    for axis, place in (("height", 1), ("width", 2), ("depth", 0)):
        if 2 * padding[place] + self.shape[place - 3] > LONGEST:
            raise ValueError(f"Padding {axis} too large: pad_{axis}={padding[place]}")
    if height * width > LONGEST:
        raise RuntimeError(f"Kernel height x width product is too large: kernel_height={height}, kernel_width={width}")
    for title, given in (("kernel size", kernel_size), ("stride", stride)):
        if min(given) < 1:
            raise RuntimeError(f"{title} should be greater than zero, but got: {by_sizes(given)} (TxHxW)")
    windows = weight.reshape(weight.shape[0], -1, *kernel_size) if weight.dim() == 2 else weight
    return torch.conv3d(self, windows, bias, stride, padding)


def weight_gradient_jvp(
    cotangent_t, x_t, cotangent, x, kernel_size, stride, padding, dilation, transposed, output_padding, groups
):
    numbers = kernel_size, stride, padding, dilation, transposed, output_padding, groups
    return total(
        None if cotangent_t is None else torch._convolution_weight(cotangent_t, x, *numbers),
        None if x_t is None else torch._convolution_weight(cotangent, x_t, *numbers),
    )


@op(
    vjp={
        "cotangent": lambda g, x, stride, padding, dilation, transposed, output_padding, groups: torch.convolution(
            x, g, None, stride, padding, dilation, transposed, output_padding, groups
        ),
        "x": lambda g, cotangent, x_shape, stride, padding, dilation, transposed, output_padding, groups: input_gradient(
            cotangent, g, x_shape, stride, padding, dilation, transposed, output_padding, groups
        ),
    },
    jvp=weight_gradient_jvp,
    method=False,
    out=False,
    name="ConvolutionBackward0",
    batch="convolution.weight_gradient",
)
def _convolution_weight(cotangent, x, kernel_size, stride, padding, dilation, transposed, output_padding, groups):
    """The cotangent of a convolution's weight."""
    if not len(kernel_size) == x.dim() - 2 == cotangent.dim() - 2 == len(stride) == len(padding) == len(dilation) > 0:
        raise RuntimeError("a convolution's weight has as many dimensions as input and cotangent")
    channels, results = x.shape[1], cotangent.shape[1]
    sizes = result_sizes(x.shape[2:], kernel_size, stride, padding, dilation, transposed, output_padding)
    fits = x.shape[0] == cotangent.shape[0] and groups > 0 and not channels % groups and not results % groups
    if not fits or sizes != tuple(cotangent.shape[2:]) or cotangent.dtype is not x.dtype:
        raise RuntimeError(f"a cotangent of shape {list(cotangent.shape)} is none of a convolution of {list(x.shape)}")
    lead = (channels, results // groups) if transposed else (results, channels // groups)
    made = empty_tensor((*lead, *kernel_size), x.dtype)
    if not x.numel() or not cotangent.numel():
        return made.zero_()
    pair = (cotangent, x) if transposed else (x, cotangent)
    weight_kernel(made, *pair, *numbers_of(stride, padding, dilation, groups, transposed))
    return made


# ---------------------------------------------------------------------------------------------------------------- public functions
def batched(name, input, dims):
    """The input with a dimension of samples, and whether it had one."""
    if input.dim() == dims + 2:
        return input, True
    if input.dim() == dims + 1:
        return input.unsqueeze(0), False
    raise RuntimeError(
        f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {name}, but got input of size: {list(input.shape)}"
    )


def of_parts(convolve, input, weight, bias):
    """A convolution of complex numbers, as three of real ones."""
    if not weight.is_complex():
        raise RuntimeError(f"Input type ({type_text(input)}) and weight type ({type_text(weight)}) should be the same")
    x, w = torch.view_as_real(input.resolve_conj()), torch.view_as_real(weight.resolve_conj())
    x_real, x_imag, w_real, w_imag = x.select(-1, 0), x.select(-1, 1), w.select(-1, 0), w.select(-1, 1)
    b_real = b_sum = None
    if bias is not None:
        b = torch.view_as_real(bias.resolve_conj())
        b_real, b_imag = b.select(-1, 0), b.select(-1, 1)
        b_sum = b_real + b_imag
    real, imag = convolve(x_real, w_real, b_real), convolve(x_imag, w_imag, None)
    both = convolve(x_real + x_imag, w_real + w_imag, b_sum)
    with unwrapped:
        return real - imag + 1j * (both - real - imag)


def convolved(name, dims, input, weight, bias, stride, padding, dilation, groups):
    """What conv1d, conv2d and conv3d compute."""
    plain = input.ndim == dims + 2 and type(padding) is not str and (bias is None or bias.dtype is input.dtype)
    if plain and input.dtype.is_floating_point:
        stride, padding, dilation = as_tuple(stride), as_tuple(padding), as_tuple(dilation)
        return convolution(input, weight, bias, stride, padding, dilation, False, (0,), groups)
    if isinstance(padding, str):
        x, has_samples = batched(name, input, dims)
        if padding == "same":
            convolve = functions_of_same(stride, dilation, groups)
        elif padding == "valid":
            convolve = function_of(stride, (0,), dilation, False, (0,), groups)
        else:
            raise RuntimeError(f"Invalid padding string: '{padding}'")
    else:
        if bias is not None and bias.dtype is not input.dtype:
            raise RuntimeError(f"Input type ({c_name(input.dtype)}) and bias type ({c_name(bias.dtype)}) should be the same")
        x, has_samples = batched(name, input, dims)
        convolve = function_of(stride, padding, dilation, False, (0,), groups)
    made = of_parts(convolve, x, weight, bias) if input.is_complex() else convolve(x, weight, bias)
    return made if has_samples else made.squeeze(0)


def as_tuple(given):
    return (given,) if isinstance(given, int) else given


def function_of(stride, padding, dilation, transposed, output_padding, groups):
    """A convolution as a function of input, weight and bias."""
    stride, padding, dilation, output_padding = map(as_tuple, (stride, padding, dilation, output_padding))
    return lambda x, weight, bias: convolution(x, weight, bias, stride, padding, dilation, transposed, output_padding, groups)


def functions_of_same(stride, dilation, groups):
    """A convolution whose result has the sizes of its input; where the padding is uneven, the end has more of it."""
    stride, dilation = ((given,) if isinstance(given, int) else tuple(given) for given in (stride, dilation))

    def convolve(x, weight, bias):
        dims = weight.dim() - 2
        if dims <= 0:
            raise RuntimeError("weight should have at least three dimensions")
        if groups <= 0:
            raise RuntimeError("non-positive groups is not supported")
        if weight.dim() != x.dim():
            raise RuntimeError(
                f"Expected {weight.dim()}-dimensional input for {weight.dim()}-dimensional weight{list(weight.shape)}, but got "
                f"{x.dim()}-dimensional input of size {list(x.shape)} instead"
            )
        for name, given in (("stride", stride), ("dilation", dilation)):
            if len(given) not in (1, dims):
                raise RuntimeError(f"{name} cannot broadcast to {dims} dimensions")
        if any(step != 1 for step in stride):
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        spread = dilation * dims if len(dilation) == 1 else dilation
        missing = [d * (k - 1) for d, k in zip(spread, weight.shape[2:])]
        if any(n % 2 for n in missing):
            x = torch.constant_pad_nd(x, [side for n in reversed(missing) for side in (0, n % 2)], 0)
        return convolution(x, weight, bias, stride, tuple(n // 2 for n in missing), dilation, False, (0,), groups)

    return convolve


def transposed_of(name, dims, input, weight, bias, stride, padding, output_padding, groups, dilation):
    """What conv_transpose1d to conv_transpose3d compute."""
    x, has_samples = batched(name, input, dims)
    convolve = function_of(stride, padding, dilation, True, output_padding, groups)
    made = of_parts(convolve, x, weight, bias) if input.is_complex() else convolve(x, weight, bias)
    return made if has_samples else made.squeeze(0)


FORWARD = "Tensor input, Tensor weight, Tensor? bias=None, ints[1] stride=1, ints[1] padding=0, ints[1] dilation=1, int groups=1"
BY_NAME = FORWARD.replace("ints[1] padding=0", 'str padding="valid"')
TRANSPOSED = (
    "Tensor input, Tensor weight, Tensor? bias=None, ints[1] stride=1, ints[1] padding=0, ints[1] output_padding=0, int groups=1, "
    "ints[1] dilation=1"
)


@composite(method=False, signature=f"{FORWARD} | {BY_NAME}")
def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Weighted sums over windows of a sequence.

    Shapes: input (N, C, L) or (C, L), weight (out, C / groups, kernel), bias (out), result (N, out, L') or (out, L'). `padding` counts zeros
    at both ends, or is "valid" (none) or "same" (the result is as long as the input); the kernel's elements are `dilation` apart; each of
    the `groups` of channels has weights of its own.

    >>> import rushlight as torch
    >>> torch.conv1d(torch.tensor([[1., 2., 3., 4.]]), torch.tensor([[[1., -1.]]]))
    tensor([[-1., -1., -1.]])
    """
    return convolved("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@composite(method=False, signature=f"{FORWARD} | {BY_NAME}")
def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Weighted sums over windows of images: as `conv1d`, for inputs (N, C, H, W) or (C, H, W) and weights (out, C / groups, kH, kW).

    >>> import rushlight as torch
    >>> torch.conv2d(torch.ones(1, 3, 3), torch.ones(1, 1, 3, 3), padding=1)
    tensor([[[4., 6., 4.],
             [6., 9., 6.],
             [4., 6., 4.]]])
    """
    return convolved("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


@composite(method=False, signature=f"{FORWARD} | {BY_NAME}")
def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Weighted sums over windows of volumes: as `conv1d`, for inputs (N, C, D, H, W) or (C, D, H, W)."""
    return convolved("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


@composite(method=False, signature=TRANSPOSED)
def conv_transpose1d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The transposed map of `conv1d`: every element of the input adds the kernel, times itself, to a window of the result.

    Shapes: input (N, C, L) or (C, L), weight (C, out / groups, kernel), bias (out). Each end of the result is cut by `padding`; then the
    last one gets `output_padding` more, which tells apart the sizes that a strided `conv1d` makes the same of.

    >>> import rushlight as torch
    >>> torch.conv_transpose1d(torch.tensor([[1., 2.]]), torch.tensor([[[1., 10.]]]), stride=2)
    tensor([[ 1., 10.,  2., 20.]])
    """
    return transposed_of("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite(method=False, signature=TRANSPOSED)
def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The transposed map of `conv2d`: as `conv_transpose1d`, for inputs (N, C, H, W) or (C, H, W)."""
    return transposed_of("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite(method=False, signature=TRANSPOSED)
def conv_transpose3d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The transposed map of `conv3d`: as `conv_transpose1d`, for inputs (N, C, D, H, W) or (C, D, H, W)."""
    return transposed_of("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation)


# ---------------------------------------------------------------------------------------------------------------- time, batch, channels
def meetings(steps, kernel, pad):
    """For each of the kernel's elements: where it starts in the input and in the result, and how many steps they meet in."""
    results = steps - kernel + 1 + 2 * pad
    before = (results - steps + kernel - 1) // 2
    for k in range(kernel):
        start, to = max(0, k - before), max(0, before - k)
        count = min(steps + before - k, results) - to
        if count > 0:
            yield k, start, to, count


def tbc_gradient(g, input, weight, pad, wanted):
    dx = dweight = None
    if wanted[0]:
        dx = input.new_zeros(input.shape)
        for k, start, to, count in meetings(len(input), len(weight), pad):
            part = torch.matmul(g.narrow(0, to, count), conjugate(weight[k]).t())
            dx = dx + torch.constant_pad_nd(part, (0, 0, 0, 0, start, len(input) - start - count), 0)
    if wanted[1]:
        parts = [weight.new_zeros(weight.shape[1:])] * len(weight)
        for k, start, to, count in meetings(len(input), len(weight), pad):
            parts[k] = torch.tensordot(conjugate(input.narrow(0, start, count)), g.narrow(0, to, count), ([0, 1], [0, 1]))
        dweight = torch.stack(parts)
    return dx, dweight, g.sum((0, 1)) if wanted[2] else None


def tbc_jvp(input_t, weight_t, bias_t, input, weight, bias, pad):
    nothing = torch.zeros_like(bias)
    return total(
        None if input_t is None else torch.conv_tbc(input_t, weight, nothing, pad),
        None if weight_t is None else torch.conv_tbc(input, weight_t, nothing, pad),
        None if bias_t is None else bias_t.expand(*torch.conv_tbc(input, weight, bias, pad).shape),
    )


@op(
    joint=tbc_gradient,
    inputs=("input", "weight", "bias"),
    jvp=tbc_jvp,
    method=False,
    out=False,
    batch="convolution.of_steps",
    signature="Tensor input, Tensor weight, Tensor bias, int pad=0",
)
def conv_tbc(input, weight, bias, pad=0):
    """`conv1d` of sequences [steps, samples, channels], with weights [kernel, channels, out] and a bias [out].

    >>> import rushlight as torch
    >>> torch.conv_tbc(torch.ones(3, 1, 1), torch.ones(2, 1, 1), torch.zeros(1)).flatten()
    tensor([2., 2.])
    """
    if input.dim() != 3:
        raise RuntimeError("Input must have 3 dims: time, batch, in_channel")
    if weight.dim() != 3:
        raise RuntimeError("Weight tensor must have 3 dims: kernel_width, in_channels, out_channels.")
    if bias.dim() != 1:
        raise RuntimeError("Bias must be 1-D")
    (steps, samples, channels), (kernel, wanted, results) = input.shape, weight.shape
    if channels != wanted:
        raise RuntimeError("Input dim 2 (input channels) is not == dim 1 in the weight tensor")
    if len(bias) != results:
        raise RuntimeError("Bias size must equal dim 2 in the weight tensor (output channels).")
    length = steps - kernel + 1 + 2 * pad
    if length < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {length}: [{length}, {samples}, {results}]")
    made = bias.to(input.dtype).expand(length, samples, results).clone(memory_format=torch.contiguous_format)
    for k, start, to, count in meetings(steps, kernel, pad):
        rows = made.narrow(0, to, count).view(-1, results)
        rows.addmm_(input.narrow(0, start, count).view(-1, channels), weight[k])  # (as PyTorch: of an input that can be seen so)
    return made


@composite(method=False, signature=f"{NUMBERED}, {ELSEWHERE}, bool allow_tf32 | {NUMBERED}, {ELSEWHERE}")
def _convolution(
    input,
    weight,
    bias,
    stride,
    padding,
    dilation,
    transposed,
    output_padding,
    groups,
    benchmark,
    deterministic,
    cudnn_enabled,
    allow_tf32=True,
):
    """`convolution`; what the last four say is for other devices."""
    return convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
