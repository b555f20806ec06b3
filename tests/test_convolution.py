"""Convolutions beside the same sums written out, layers of them, and what they refuse."""

import itertools
import math
import re

import pytest

import rushlight as torch
from rushlight import nn

F = torch.nn.functional


def numbers(*shape):
    return torch.arange(math.prod(shape), dtype=torch.float64).mul(0.7548776662466927).remainder(1).sub(0.4).reshape(shape)


def by_definition(x, weight, stride, padding, dilation, groups):
    """A convolution in one dimension or two as a sum over the kernel's elements, each times a strided part of the padded input."""
    dims = x.dim() - 2
    x = F.pad(x, [side for n in reversed(padding) for side in (n, n)])
    sizes = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], weight.shape[2:], stride, dilation)]
    channels, results = weight.shape[1], weight.shape[0] // groups
    parts = []
    for group in range(groups):
        total = 0
        for places in itertools.product(*map(range, weight.shape[2:])):
            windows = [slice(p * d, p * d + s * (n - 1) + 1, s) for p, d, s, n in zip(places, dilation, stride, sizes)]
            seen = x[(slice(None), slice(group * channels, (group + 1) * channels), *windows)]
            factor = weight[(slice(group * results, (group + 1) * results), slice(None), *places)]
            total = total + torch.tensordot(seen, factor, ([1], [1])).movedim(-1, 1)
        parts.append(total)
    assert len(sizes) == dims
    return torch.cat(parts, 1)


CASES = [
    # input, weight, stride, padding, dilation, groups
    ((2, 3, 11), (4, 3, 3), (1,), (0,), (1,), 1),
    ((3, 4, 9), (6, 2, 2), (2,), (1,), (3,), 2),
    ((2, 5, 8, 7), (9, 5, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    ((1, 4, 20, 33), (4, 1, 3, 5), (1, 2), (0, 2), (2, 1), 4),
    ((5, 6, 4, 4), (17, 6, 4, 4), (1, 1), (0, 0), (1, 1), 1),
    ((2, 2, 12, 12), (3, 2, 4, 4), (4, 4), (0, 0), (1, 1), 1),
]


@pytest.mark.parametrize(("shape", "kernel", "stride", "padding", "dilation", "groups"), CASES)
def test_sums_and_gradients_are_those_of_the_definition(shape, kernel, stride, padding, dilation, groups):
    convolve = F.conv1d if len(shape) == 3 else F.conv2d
    x, weight, bias = (
        numbers(*shape).requires_grad_(),
        (1 - numbers(*kernel)).requires_grad_(),
        numbers(kernel[0]).requires_grad_(),
    )
    made = convolve(x, weight, bias, stride, padding, dilation, groups)
    expected = by_definition(x, weight, stride, padding, dilation, groups) + bias.view(-1, *(1,) * (len(shape) - 2))
    torch.testing.assert_close(made, expected)
    g = numbers(*made.shape)
    found = torch.autograd.grad(made, (x, weight, bias), g)
    torch.testing.assert_close(found, torch.autograd.grad(expected, (x, weight, bias), g))
    dims = len(shape) - 2
    helpers = getattr(nn.grad, f"conv{dims}d_input"), getattr(nn.grad, f"conv{dims}d_weight")
    torch.testing.assert_close(helpers[0](shape, weight, g, stride, padding, dilation, groups), found[0])
    torch.testing.assert_close(helpers[1](x, kernel, g, stride, padding, dilation, groups), found[1])
    # The transposed convolution is what the input's gradient is.
    transposed = F.conv_transpose1d if dims == 1 else F.conv_transpose2d
    missing = [
        n - ((m - 1) * s - 2 * p + d * (k - 1) + 1)
        for n, m, s, p, d, k in zip(shape[2:], made.shape[2:], stride, padding, dilation, kernel[2:])
    ]
    torch.testing.assert_close(transposed(g, weight, None, stride, padding, missing, groups, dilation), found[0])


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("shape", "kernel", "groups"), [((9, 16, 30, 30), (24, 16, 3, 3), 1), ((1, 32, 64, 64), (32, 8, 3, 3), 4)]
)
def test_large_ones_are_shared_out(threads, shape, kernel, groups):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        x, weight = numbers(*shape).requires_grad_(), numbers(*kernel).requires_grad_()
        made = F.conv2d(x, weight, padding=1, groups=groups)
        expected = by_definition(x, weight, (1, 1), (1, 1), (1, 1), groups)
        torch.testing.assert_close(made, expected)
        g = numbers(*made.shape)
        torch.testing.assert_close(torch.autograd.grad(made, (x, weight), g), torch.autograd.grad(expected, (x, weight), g))
    finally:
        torch.set_num_threads(before)


def test_layouts_and_dtypes():
    x, weight = numbers(2, 3, 6, 5), numbers(4, 3, 3, 3)
    plain = F.conv2d(x, weight)
    last = F.conv2d(x.to(memory_format=torch.channels_last), weight)
    assert last.is_contiguous(memory_format=torch.channels_last) and torch.equal(plain, last)
    assert torch.equal(F.conv2d(x.mT.contiguous().mT, weight), plain)
    whole = (x * 10).to(torch.int64), (weight * 10).to(torch.int64)
    assert torch.equal(F.conv2d(*whole), F.conv2d(*(value.double() for value in whole)).to(torch.int64))
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.float16, 5e-3), (torch.bfloat16, 4e-2)):
        made = F.conv2d(x.to(dtype), weight.to(dtype))
        assert made.dtype is dtype
        torch.testing.assert_close(made.double(), plain, rtol=tolerance, atol=tolerance)
    pair = torch.complex(x, 1 - x), torch.complex(weight, -weight)
    made = F.conv2d(*pair)
    torch.testing.assert_close(made.real, F.conv2d(x, weight) + F.conv2d(1 - x, weight))
    torch.testing.assert_close(made.imag, F.conv2d(1 - x, weight) - F.conv2d(x, weight))


def test_nothing_to_sum_up():
    x, weight = torch.zeros(0, 3, 6, 5, requires_grad=True), torch.ones(4, 3, 3, 3, requires_grad=True)
    made = F.conv2d(x, weight, torch.ones(4))
    assert made.shape == (0, 4, 4, 3)
    made.sum().backward()
    assert x.grad.shape == x.shape and not weight.grad.any()
    with pytest.raises(
        RuntimeError, match=re.escape("Only zero batch or zero channel inputs are supported, but got input shape: [2, 3, 0, 5]")
    ):
        F.conv2d(torch.ones(2, 3, 0, 5), weight, padding=2)


def test_padding_by_name():
    x = numbers(1, 2, 7, 6)
    weight = numbers(3, 2, 2, 3)
    assert torch.equal(F.conv2d(x, weight, padding="same"), F.conv2d(F.pad(x, (1, 1, 0, 1)), weight))
    assert torch.equal(F.conv2d(x, weight, padding="valid"), F.conv2d(x, weight))
    with pytest.raises(RuntimeError, match="padding='same' is not supported for strided convolutions"):
        F.conv2d(x, weight, stride=2, padding="same")


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_modes_of_layers(mode):
    layer = nn.Conv2d(2, 3, 3, padding=(1, 2), padding_mode=mode)
    x = numbers(1, 2, 7, 6).float()
    assert torch.equal(layer(x), F.conv2d(F.pad(x, (2, 2, 1, 1), mode), layer.weight, layer.bias))


def test_layers_say_what_they_are():
    assert repr(nn.Conv1d(4, 6, 3)) == "Conv1d(4, 6, kernel_size=(3,), stride=(1,))"
    wide = nn.Conv2d(4, 6, (3, 5), stride=2, padding=(1, 2), dilation=2, groups=2, bias=False, padding_mode="circular")
    assert repr(wide) == (
        "Conv2d(4, 6, kernel_size=(3, 5), stride=(2, 2), padding=(1, 2), dilation=(2, 2), groups=2, bias=False, padding_mode=circular)"
    )
    assert wide.weight.shape == (6, 2, 3, 5) and list(wide.state_dict()) == ["weight"]
    up = nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1)
    assert up(torch.zeros(1, 4, 6, 6), output_size=(12, 12)).shape == (1, 6, 12, 12)
    text = "requested an output size of (20, 18), but valid sizes range from [11, 11] to [12, 12] (for an input of torch.Size([6, 6]))"
    with pytest.raises(ValueError, match=re.escape(text)):
        up(torch.zeros(1, 4, 6, 6), output_size=(20, 18))


def test_gradients_of_each_sample():
    layer, x = nn.Conv2d(4, 6, 3, groups=2).double(), numbers(5, 4, 7, 7)
    parameters = dict(layer.named_parameters())

    def loss(parameters, x):
        return torch.func.functional_call(layer, parameters, x).square().sum()

    each = torch.func.vmap(torch.func.grad(loss), (None, 0))(parameters, x)
    for sample in range(5):
        alone = torch.func.grad(loss)(parameters, x[sample])
        torch.testing.assert_close({name: value[sample] for name, value in each.items()}, alone)


def test_lazy_layers_take_the_channels_of_their_first_input():
    layer = nn.LazyConv2d(6, 3, groups=2)
    assert repr(layer) == "LazyConv2d(0, 6, kernel_size=(3, 3), stride=(1, 1), groups=2)"
    torch.manual_seed(0)
    assert layer(torch.zeros(1, 4, 5, 5)).shape == (1, 6, 3, 3) and type(layer) is nn.Conv2d
    torch.manual_seed(0)
    assert torch.equal(layer.weight, nn.Conv2d(4, 6, 3, groups=2).weight)
    up = nn.LazyConvTranspose1d(6, 3)
    assert up(torch.zeros(4, 5)).shape == (6, 7) and up.weight.shape == (4, 6, 3)
    with pytest.raises(ValueError, match="in_channels must be divisible by groups"):
        nn.LazyConv1d(6, 3, groups=2)(torch.zeros(1, 3, 5))
    with pytest.raises(RuntimeError, match=re.escape("Expected 2D (unbatched) or 3D (batched) input to LazyConv1d")):
        nn.LazyConv1d(6, 3)(torch.zeros(5))


def test_patches_are_what_convolutions_weigh():
    x, weight = numbers(2, 3, 7, 6).requires_grad_(), numbers(4, 3, 2, 3)
    sizes = {"dilation": (1, 2), "padding": (2, 1), "stride": (2, 1)}
    columns = F.unfold(x, (2, 3), **sizes)
    made = (weight.reshape(4, -1) @ columns).unflatten(2, (5, 4))
    torch.testing.assert_close(made, F.conv2d(x, weight, None, sizes["stride"], sizes["padding"], sizes["dilation"]))
    # Folding is the transposed map.
    g = numbers(*columns.shape)
    torch.testing.assert_close(torch.autograd.grad(columns, x, g)[0], F.fold(g, (7, 6), (2, 3), **sizes))
    apart = nn.Fold((4, 6), 2, stride=2)(nn.Unfold(2, stride=2)(x[:, :, :4]))
    assert torch.equal(apart, x[:, :, :4])


def test_time_first():
    x, weight, bias = (numbers(*shape).requires_grad_() for shape in ((6, 2, 4), (3, 4, 5), (5,)))
    made = torch.conv_tbc(x, weight, bias, 1)
    expected = F.conv1d(x.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=1).permute(2, 0, 1)
    torch.testing.assert_close(made, expected)
    g = numbers(*made.shape)
    torch.testing.assert_close(
        torch.autograd.grad(made, (x, weight, bias), g), torch.autograd.grad(expected, (x, weight, bias), g)
    )


def test_second_derivatives_by_their_own_name():
    x, weight, out = (numbers(*shape).requires_grad_() for shape in ((2, 3, 6), (3, 3, 3), (2, 3, 3)))
    towards_x, towards_weight = numbers(2, 3, 6) + 1, numbers(3, 3, 3) - 1
    given = (2,), (1,), (1,), False, (0,), 1
    made = torch.ops.aten._convolution_double_backward(towards_x, towards_weight, None, out, weight, x, *given, [True] * 3)
    by_x, by_weight = torch.autograd.grad(F.conv1d(x, weight, None, 2, 1), (x, weight), out, create_graph=True)
    expected = torch.autograd.grad((by_x * towards_x).sum() + (by_weight * towards_weight).sum(), (out, x, weight))
    for found, wanted in zip(made, expected, strict=True):
        torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("wanted", [(1, 2), (0, 2), (2,), (0, 1, 2)])
def test_second_derivatives_where_not_all_first_ones_were_wanted(wanted):
    given = [numbers(2, 2, 5, 5), numbers(3, 2, 3, 3), numbers(3)]
    leaves = [t.requires_grad_(i in wanted) for i, t in enumerate(given)]
    picked = [leaves[i] for i in wanted]
    first = torch.autograd.grad((F.conv2d(*leaves) ** 3).sum(), picked, create_graph=True)
    found = torch.autograd.grad(sum((g * g).sum() for g in first), picked)

    def loss(*picked):
        x, weight, bias = (dict(zip(wanted, picked)).get(i, t.detach()) for i, t in enumerate(given))
        patches = F.unfold(x, 3).transpose(1, 2) @ weight.flatten(1).t() + bias  # the same map, of other ops
        return (patches**3).sum()

    first = torch.autograd.grad(loss(*picked), picked, create_graph=True)
    for a, b in zip(found, torch.autograd.grad(sum((g * g).sum() for g in first), picked), strict=True):
        torch.testing.assert_close(a, b)


def test_gradients_stand_in_functional_too():
    assert F.grad is nn.grad


def test_other_names_of_convolutions():
    x, weight = numbers(1, 2, 4, 4, 4), numbers(3, 2, 2, 2, 2)
    expected = F.conv3d(x, weight, stride=2)
    for given in (weight, weight.reshape(3, -1)):
        torch.testing.assert_close(torch.ops.aten.slow_conv3d(x, given, [2, 2, 2], None, [2, 2, 2]), expected)
    with pytest.raises(ValueError, match=r"Padding height too large: pad_height=4611686018427387904"):
        torch.ops.aten.slow_conv3d(x, weight, [2, 2, 2], padding=[0, 1 << 62, 0])
    with pytest.raises(RuntimeError, match=r"Kernel height x width product is too large: kernel_height=4294967296"):
        torch.ops.aten.slow_conv3d(x, weight, [1 << 32] * 3)
    assert torch._nnpack_available()
    plane = weight[..., 0]
    made = torch._nnpack_spatial_convolution(x[..., 0], plane, None, padding=1, stride=2)
    torch.testing.assert_close(made, F.conv2d(x[..., 0], plane, stride=2, padding=1))
