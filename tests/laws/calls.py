"""Calls that reach every op of the table, and what was passed to each op: the samples of the laws.

Each entry of CALLS is an ordinary call of the public API with small inputs. A recorder sees every op that it runs, in forward and in backward
twice over, so that ops without a public name get samples too. An op that no call reaches fails the suite: add a call here.
"""

import math
import warnings

import rushlight as torch
from rushlight import core
from rushlight.core import InPlace
from rushlight.ops import layers, table

from . import linear_algebra

F = torch.nn.functional
attend = F.scaled_dot_product_attention
MOST_SAMPLES = 5


def x(*shape, low=0.3, high=0.9, dtype=torch.float64):
    """Values in general position within [low, high]: no ties, no special points."""
    return made(shape, lambda i: low + (high - low) * ((i * 0.6180339887498949 + 0.137) % 1), dtype)


def y(*shape, low=-1.7, high=2.3, dtype=torch.float64):
    """Values of both signs, others than those of `x`."""
    return made(shape, lambda i: low + (high - low) * ((i * 0.7548776662466927 + 0.371) % 1), dtype)


def made(shape, value, dtype):
    count = math.prod(shape)
    numbers = [complex(value(i), value(i + 0.5)) if dtype.is_complex else value(i) for i in range(count)]
    return as_input(torch.tensor(numbers, dtype=dtype).reshape(shape))


def as_input(tensor):
    """With a gradient wanted, so that backward is recorded too."""
    return tensor.requires_grad_() if is_differentiable(tensor) else tensor


def n(*values):
    return torch.tensor(values)


def mask(*shape):
    return y(*shape).detach() > 0.2


SIGNED = dict(low=-1.7, high=2.3)


def recurrent(net, gates):
    """A net of three units, of an input of two features."""
    first = y(1, 2, 3)
    weights = [x(*size) for size in ((gates * 3, 2), (gates * 3, 3), (gates * 3,), (gates * 3,))]
    state = (first, y(1, 2, 3, low=-1.0)) if net is torch.lstm else first
    return net(y(3, 2, 2), state, weights, True, 1, 0.0, False, False, False)


def pointwise_calls():
    """Every element-wise op with as many inputs as it has."""
    calls = []
    for name, op in table.items():
        if type(op) is not core.PointwiseOp or name in EXPLICIT:
            continue
        count = sum(default is core.MISSING for default in op.defaults)
        low, high = op.declaration.domain or (0.3, 0.9)
        integers = name in INTEGERS
        for dtype in (torch.int64,) if integers else (torch.float64, torch.complex128):
            calls.append(
                (name, lambda op=op, count=count, low=low, high=high, dtype=dtype: call_pointwise(op, count, low, high, dtype))
            )
    return calls


def call_pointwise(op, count, low, high, dtype):
    inputs = [x(2, 3, low=low, high=high), x(3, low=low + 0.02, high=high), x(2, 1, low=low, high=high + 0.01)][:count]
    if not dtype.is_floating_point and not dtype.is_complex:
        inputs = [(value * 10).to(torch.int64) for value in inputs]
    elif dtype.is_complex:
        inputs = [x(*value.shape, low=low, high=high, dtype=dtype) for value in inputs]
    try:
        return op(*inputs)
    except (RuntimeError, NotImplementedError):
        if dtype is torch.complex128:
            return None  # real only
        raise


INTEGERS = {"gcd", "lcm", "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "bitwise_left_shift", "bitwise_right_shift"}

EXPLICIT = {
    "_where": lambda: torch.where(mask(2, 3), x(2, 3), x(3)),
    "_lerp_scalar": lambda: torch.lerp(x(2, 3), y(3), 0.3),
    "_lerp_tensor": lambda: torch.lerp(x(2, 3), y(3), x(2, 1)),
    "_polygamma": lambda: torch.polygamma(1, x(3)),
    "_round": lambda: y(2, 3).round(),
    "_round_decimals": lambda: y(2, 3).round(decimals=1),
    "_frexp_mantissa": lambda: y(4).frexp(),
    "_frexp_exponent": lambda: y(4).frexp(),
    "_clamp_below": lambda: y(2, 3).clamp(min=0.1),
    "_clamp_above": lambda: y(2, 3).clamp(max=0.4),
    "_clamp_between": lambda: y(2, 3).clamp(-0.5, 0.6),
    "clamp_min": lambda: torch.clamp_min(y(2, 3), x(3)),
    "clamp_max": lambda: torch.clamp_max(y(2, 3), x(3)),
    "_nan_to_num": lambda: torch.tensor([0.5, float("nan"), -0.25], dtype=torch.float64).nan_to_num(),
    "_gate": lambda: F.relu(y(2, 3)),
    "_prelu_kernel": lambda: F.prelu(y(2, 3), x(1)),
    "threshold": lambda: F.threshold(y(2, 3), 0.1, 0.7),
    "hardtanh": lambda: F.hardtanh(y(2, 3), -0.5, 0.8),
    "leaky_relu": lambda: F.leaky_relu(y(2, 3), 0.1),
    "elu": lambda: F.elu(y(2, 3), 1.3),
    "celu": lambda: F.celu(y(2, 3), 1.3),
    "softplus": lambda: F.softplus(y(2, 3), 1.5, 2.0),
    "softshrink": lambda: F.softshrink(y(2, 3), 0.3),
    "hardshrink": lambda: F.hardshrink(y(2, 3), 0.3),
    "_complex": lambda: torch.complex(x(2, 3), y(2, 3)),
    "_polar": lambda: torch.polar(x(2, 3), y(2, 3)),
    "_conj_physical": lambda: x(2, 3, dtype=torch.complex128).conj_physical(),
    "angle": lambda: (y(2, 3).angle(), y(2, 3, dtype=torch.complex128).angle()),
    "igamma": lambda: torch.igamma(x(3), x(3)),
    "igammac": lambda: torch.igammac(x(3), x(3)),
    "zeta": lambda: torch.special.zeta(x(3, low=1.5, high=3.0), x(3)),
    "ldexp": lambda: torch.ldexp(x(3), n(1, 2, 3)),
    "heaviside": lambda: torch.heaviside(y(3).detach(), x(3).detach()),
    "add": lambda: (x(2, 3) + y(3), torch.add(x(2), y(2), alpha=2), x(2, dtype=torch.complex128) + 1j),
    "sub": lambda: (x(2, 3) - y(3), torch.sub(x(2), y(2), alpha=3)),
    "rsub": lambda: (2 - x(3), torch.rsub(x(2), y(2), alpha=3)),
    "addcmul": lambda: torch.addcmul(x(2, 3), y(3), x(2, 1), value=0.7),
    "addcdiv": lambda: torch.addcdiv(x(2, 3), y(3), x(2, 1), value=0.7),
    "pow": lambda: (x(2, 3) ** y(3), x(3) ** 3, 2 ** x(3), x(3, dtype=torch.complex128) ** 2),
    "floor_divide": lambda: torch.floor_divide(y(2, 3).detach(), x(3).detach()),
    "hypot": lambda: torch.hypot(y(2, 3), x(3)),
}

GENERAL = [
    lambda: torch.argwhere(mask(2, 3)),
    lambda: (torch._conj_copy(y(2, 3, dtype=torch.complex128).detach()), torch._neg_view_copy(y(2, 3))),
    lambda: torch.mvlgamma(x(3, low=2.0, high=3.0), 2),
    lambda: y(4).frexp(),
    lambda: F.rrelu(y(2, 3), 0.1, 0.3, training=True),
    lambda: F.glu(y(2, 4), 1),
    lambda: y(2, 3).t().clone(),
    lambda: y(4, 3).narrow_copy(0, 1, 2) if hasattr(torch.Tensor, "narrow_copy") else None,
    lambda: (y(4, 3)[1], y(4, 3)[:, 1:], y(4, 3)[::2], y(3, 3).diagonal(), y(5).unfold(0, 2, 1), y(2, 3)[0, 1]),
    lambda: y(3, 4).as_strided((2, 2), (4, 1), 1),
    lambda: torch.diagonal_scatter(y(3, 3), x(3)),
    lambda: torch.select_scatter(y(3, 3), x(3), 0, 1),
    lambda: torch.slice_scatter(y(4, 3), x(2, 3), 0, 1, 3),
    lambda: torch.as_strided_scatter(y(3, 3), x(2, 2), (2, 2), (3, 1), 1),
    lambda: (y(2, 3).repeat(2, 1, 2), y(3).repeat(2), y(2, 3).flip(1), torch.rot90(y(2, 3)), y(2, 3).roll(1, 1), y(2, 3).roll((1, 2), (0, 1))),
    lambda: (torch.diag_embed(y(2, 3)), y(3, 3).tril(), y(3, 4).triu(1), y(3, 3).trace(), torch.block_diag(y(2, 2), y(1, 3))),
    lambda: (torch.cat([y(2, 3), x(1, 3)]), torch.stack([y(2, 3), x(2, 3)], 1)),
    lambda: (y(2, 3).to(torch.float32), y(3).to(torch.complex128)),
    lambda: (torch.addbmm(y(2, 2), x(3, 2, 4), y(3, 4, 2), beta=0.5, alpha=2), torch.addr(y(2, 3), x(2), y(3), beta=0.5, alpha=2)),
    lambda: (torch.bernoulli(x(3)), y(3).bernoulli(0.4), torch.normal(x(3), 0.5), torch.normal(0.2, x(3)), torch.normal(x(3), x(3))),
    lambda: (torch.poisson(x(3)), torch.binomial(n(3.0, 4.0), n(0.5, 0.25)), torch._standard_gamma(x(3))),
    lambda: (torch.histogram(x(4), 2), torch.histogram(x(2, 3), n(0.0, 0.5, 1.0).to(torch.float64), weight=x(2, 3))),
    lambda: (torch.fft.fft(x(3, dtype=torch.complex128)), torch.fft.rfft(x(2, 4)), torch.fft.fft(x(3, 2), dim=0)),
    lambda: (torch.fft.irfft(x(2, 3, dtype=torch.complex128)), torch.fft.irfft(x(3, dtype=torch.complex128), 5)),
    lambda: (torch._sample_dirichlet(x(3)), torch._dirichlet_grad(n(0.2, 0.7), n(1.0, 2.0), n(3.0, 2.5))),
    lambda: (y(2, 3).logsumexp(1), y(2, 3).logsumexp((0, 1), keepdim=True), torch.dist(y(3), x(3)), torch.dist(y(3), x(3), 3)),
    lambda: (torch.renorm(y(3, 2), 2, 0, 0.5), torch.cdist(y(3, 2), x(4, 2)), torch.cdist(y(3, 2), x(4, 2), 1.5)),
    lambda: (torch.var_mean(y(2, 3), 1), torch.std_mean(y(2, 3), 1, correction=0), y(2, 3).var(1), y(2, 3).std(), y(2, 3).var(correction=2)),
    lambda: (y(2, 3).cumsum(1), x(2, 3).cumprod(0), y(2, 3).cummax(1), y(2, 3).cummin(0), y(2, 3).logcumsumexp(1)),
    lambda: (y(3, 4)[n(0, 2)], y(3, 4)[n(0, 2), n(1, 1)], y(3, 4)[mask(3, 4)], y(3, 4)[:, n(0, 0)], y(3).view_as(y(3)), y(3)[...]),
    lambda: torch.index_put(y(3, 4), (n(0, 2),), x(4)),
    lambda: torch.index_put(y(3, 4), (n(0, 0),), x(2, 4), accumulate=True),
    lambda: torch.gather(y(2, 3), 1, n([0, 2], [1, 1])),
    lambda: torch.scatter(y(2, 3), 1, n([0, 2], [1, 0]), x(2, 2)),
    lambda: torch.scatter(y(2, 3), 1, n([0, 2], [1, 0]), 0.25),
    lambda: torch.scatter(y(2, 3), 1, n([0, 2], [1, 0]), x(2, 2), reduce="multiply"),
    lambda: torch.scatter_add(y(2, 3), 1, n([0, 2], [1, 1]), x(2, 2)),
    lambda: [torch.scatter_reduce(y(2, 3), 1, n([0, 2], [1, 1]), x(2, 2), r) for r in ("sum", "mean", "amax", "amin", "prod")],
    lambda: (torch.index_select(y(2, 3), 1, n(0, 2)), torch.index_add(y(3, 2), 0, n(0, 0), x(2, 2), alpha=2)),
    lambda: (torch.index_copy(y(3, 2), 0, n(0, 2), x(2, 2)), torch.index_fill(y(3, 2), 0, n(0, 2), 0.5)),
    lambda: [torch.index_reduce(y(3, 2), 0, n(0, 0), x(2, 2), r) for r in ("mean", "amax", "amin", "prod")],
    lambda: (torch.take(y(2, 3), n(0, 5)), y(2, 3).put(n(0, 5), x(2)), y(2, 3).put(n(0, 0), x(2), accumulate=True)),
    lambda: (torch.nonzero(y(2, 3)), torch.bincount(n(0, 1, 1)), torch.bincount(n(0, 1, 1), x(3)), torch.histc(y(5), 4, -1.0, 1.0)),
    lambda: (torch.isin(n(1, 2, 3), n(2, 5)), torch.repeat_interleave(n(1, 2)), torch.multinomial(x(3).detach(), 2)),
    lambda: (torch.searchsorted(n(0.1, 0.4, 0.6), x(3)), torch.bucketize(x(3), n(0.1, 0.4, 0.6))),
    lambda: (torch.unique(n(1, 2, 1), return_inverse=True), torch.unique(n([1, 2], [1, 2]), dim=0), torch.unique_consecutive(n(1, 1, 2))),
    lambda: (torch.fill(y(2), 0.5), torch.fill(y(2), x()), torch.masked_fill(y(2, 3), mask(2, 3), 0.5), torch.masked_fill(y(2, 3), mask(3), x())),
    lambda: (torch.masked_select(y(2, 3), mask(2, 3)), torch.masked_scatter(y(2, 3), mask(2, 3), x(6))),
    lambda: y(2).clone().copy_(x(2)),
    lambda: (torch.alias_copy(y(2)), torch.detach_copy(y(2).detach()), torch.expand_copy(y(2), (3, 2)), torch.view_copy(y(2, 3), (3, 2))),
    lambda: (torch.squeeze_copy(y(1, 2, 1)), torch.squeeze_copy(y(1, 2), 0), torch.squeeze_copy(y(1, 2, 1), (0, 2))),
    lambda: (torch.unsqueeze_copy(y(2), 0), torch.t_copy(y(2, 3)), torch.transpose_copy(y(2, 3), 0, 1)),
    lambda: (torch.permute_copy(y(2, 3), (1, 0)), torch.diagonal_copy(y(3, 3), 1), torch.unfold_copy(y(5), 0, 3, 2)),
    lambda: (torch.select_copy(y(2, 3), 1, 2), torch.slice_copy(y(5), 0, 1, 4, 2), torch.as_strided_copy(y(5), (2, 2), (2, 1), 1)),
    lambda: (*torch.split_copy(y(5), 2), *torch.split_with_sizes_copy(y(5), (2, 3)), *torch.unbind_copy(y(2, 3), 1)),
    lambda: (torch.view_as_real_copy(y(2, dtype=torch.complex128)), torch.view_as_complex_copy(y(3, 2).detach())),
    lambda: (F.pixel_shuffle(y(1, 4, 2, 3), 2), F.pixel_unshuffle(y(1, 2, 4, 2), 2)),
    lambda: (F.pdist(y(4, 3)), F.pdist(y(4, 3), 1.5), F.pairwise_distance(y(3, 2), x(3, 2))),
    lambda: (y(2).clone().zero_(), torch.zeros(2).fill_(x(dtype=torch.float32))),
    lambda: (y(2, 5).sort(1), y(2, 5).topk(2), y(2, 5).kthvalue(2), y(2, 5).median(), y(2, 5).median(1), y(2, 5).nanmedian(), y(2, 5).nanmedian(1), n(1.0, 2.0, 1.0).mode()),
    lambda: torch.linalg.cross(y(2, 3), x(2, 3)),
    lambda: [loss(y(2, 3), x(2, 3), reduction=r) for loss in (F.mse_loss, F.smooth_l1_loss, F.huber_loss) for r in ("mean", "none")],
    lambda: F.soft_margin_loss(y(2, 3), x(2, 3).detach().sign()),
    lambda: F.binary_cross_entropy(x(2, 3), x(2, 3), weight=x(3).detach()),
    lambda: F.binary_cross_entropy_with_logits(y(2, 3), x(2, 3), weight=x(3).detach(), pos_weight=x(3).detach()),
    lambda: (F.nll_loss(y(3, 4), n(0, 3, 1)), F.nll_loss(y(3, 4), n(0, 3, 1), x(4).detach(), reduction="sum"), F.nll_loss(y(2, 3, 2, 2), n([[0, 1], [2, 0]], [[1, 1], [0, 2]]))),
    lambda: (F.multi_margin_loss(y(3, 4), n(0, 3, 1)), F.multilabel_margin_loss(y(2, 3), n([0, 2, -1], [1, -1, 0]))),
    lambda: (F.layer_norm(y(2, 3), (3,), x(3), y(3)), F.group_norm(y(2, 4, 3), 2, x(4), y(4)), F.batch_norm(y(4, 3), x(3).detach(), x(3).detach(), x(3), y(3), training=True)),
    lambda: F.batch_norm(y(4, 3), x(3).detach(), x(3).detach(), x(3), y(3), training=False),
    lambda: torch.segment_reduce(y(5, 2), "prod", lengths=torch.tensor([2, 0, 3])),
    lambda: torch.segment_reduce(y(2, 3), "max", offsets=torch.tensor([[0, 1, 3], [1, 1, 2]]), axis=1, unsafe=True, initial=0.1),
    lambda: torch.autograd.grad(torch.segment_reduce(v := y(5, 2), "mean", lengths=torch.tensor([2, 3])).sum(), v),
    lambda: (torch.ops.aten.native_dropout_backward(y(2, 3), mask(2, 3), 2.0), torch._chunk_cat([y(3, 2).detach(), x(2, 2).detach()], 0, 2)),
    lambda: (torch._unsafe_index(y(3, 2), [n(2, 0, 2)]), torch._unsafe_index_put(y(3, 2), [n(2, 0)], x(2, 2), True), torch.ops.aten._unsafe_index_put(y(3), [n(1)], x(1))),
    lambda: (torch._unsafe_masked_index(y(3, 2), mask(4, 1), [n(2, 0, 1, 9)], 0.5), torch._unsafe_masked_index_put_accumulate(y(3), mask(4), [n(2, 0, 1, 9)], x(4))),
    lambda: torch.ops.aten.max_pool2d_with_indices_backward(y(1, 2, 2), x(1, 4, 4).detach(), 2, 2, 0, 1, False, n([[0, 3], [9, 15]])),
    lambda: (torch._grouped_mm(y(2, 2, 4, dtype=torch.float32), x(2, 4, 4, dtype=torch.float32)), y(2).dequantize()),
    lambda: (torch.norm_except_dim(y(2, 3, 2), 2, 1), torch._weight_norm(y(2, 3), x(2, 1), 0), torch._weight_norm(y(2, 3), x(1, 3), 1)),
    lambda: (F.max_pool2d(y(2, 2, 5, 4), 3, 2, 1), F.max_pool3d(y(1, 3, 3, 4), 2, 1, 0, (1, 2, 1)), F.adaptive_max_pool2d(y(2, 5, 4), (2, 3)), F.adaptive_max_pool3d(y(1, 3, 2, 2), 2)),
    lambda: (F.avg_pool2d(y(2, 2, 5, 4), 3, 2, 1, count_include_pad=False), F.avg_pool3d(y(1, 3, 3, 4), 2, divisor_override=3), F.adaptive_avg_pool2d(y(2, 5, 4), (2, 3)), F.adaptive_avg_pool3d(y(1, 3, 2, 2), 2)),
    lambda: (F.fractional_max_pool2d(y(2, 2, 5, 5), 2, 3, _random_samples=x(2, 2, 2).detach()), F.fractional_max_pool3d(y(1, 4, 4, 4), 2, 2, _random_samples=x(1, 1, 3).detach())),
    lambda: ([F.interpolate(y(1, 2, 3), scale_factor=1.5, mode=m) for m in ("nearest", "linear")], [F.interpolate(y(1, 2, 3, 2), size=(2, 3), mode=m, align_corners=True) for m in ("bilinear", "bicubic")]),
    lambda: (F.interpolate(y(1, 1, 3, 4), size=(2, 2), mode="bicubic", antialias=True), F.interpolate(y(1, 1, 2, 3, 2), size=3, mode="trilinear"), F.channel_shuffle(y(1, 4, 2), 2), torch.native_channel_shuffle(y(1, 4, 2), 2)),
    lambda: [F.grid_sample(y(1, 2, 3, 4), x(1, 2, 2, 2, low=-0.9), m, "reflection", False) for m in ("bilinear", "bicubic")],
    lambda: (F.grid_sample(y(1, 1, 2, 3, 2), x(1, 2, 1, 2, 3, low=-0.9), align_corners=True), F.affine_grid(y(2, 2, 3), (2, 1, 2, 3), False)),
    lambda: (F.max_unpool2d(y(1, 2, 2), n([[3, 6], [9, 13]]), 2), F.max_unpool3d(y(1, 1, 1, 1, 1), n([[[[3]]]]), 2)),
    lambda: (F.softmax(y(2, 3), 1), F.log_softmax(y(2, 3), 0)),
    lambda: (attend(y(1, 4, 3, 2), x(1, 2, 5, 2), y(1, 2, 5, 2), enable_gqa=True), attend(y(2, 1, 3, 2), x(2, 1, 3, 2), y(2, 1, 3, 2), is_causal=True)),
    lambda: attend(y(2, 1, 3, 2), x(2, 1, 4, 2), y(2, 1, 4, 2), y(3, 4).detach(), scale=0.3),
    lambda: layers._safe_softmax(y(2, 3), 1),
    lambda: [recurrent(net, gates) for net, gates in ((torch.lstm, 4), (torch.gru, 3), (torch.rnn_tanh, 1), (torch.rnn_relu, 1))],
    lambda: torch.gru(y(3, 2), n(2, 1), y(1, 2, 3), [x(9, 2), y(9, 3)], False, 1, 0.0, False, False),
    lambda: layers._pack_padded_sequence(y(3, 2, 2), n(3, 1), False),
    lambda: (F.embedding_bag(n(0, 2, 2, 1), y(4, 3), n(0, 2)), F.embedding_bag(n([0, 2], [1, 1]), y(4, 3), mode="sum", per_sample_weights=x(2, 2))),
    lambda: F.embedding_bag(n(0, 2, 1), y(4, 3), n(0, 1), mode="max", padding_idx=2),
    lambda: F.ctc_loss(y(4, 2, 3).log_softmax(2), n([1, 2], [2, 2]), (4, 3), (2, 1)),
    lambda: (F.embedding(n(0, 2, 2), y(4, 3)), F.embedding(n(0, 2), y(4, 3), padding_idx=0), F.bilinear(y(2, 3), x(2, 2), y(4, 3, 2), x(4))),
    lambda: (y(2, 8).view(torch.int64), y(2, 3).view(6), y(2, 3).reshape(3, 2), y(1, 3).expand(2, 3), y(2, 3).permute(1, 0), y(2, 3).transpose(0, 1), y(2, 3).t()),
    lambda: (y(2, 1).squeeze(1), y(2, 1).squeeze(), y(1, 2, 1).squeeze((0, 2)), y(2).unsqueeze(0), y(2, 3).select(1, 0), y(3, 3).diagonal(1)),
    lambda: (y(2, 3).t().reshape(6), y(2, 3, dtype=torch.complex128).real, y(2, dtype=torch.complex128).conj().imag, torch.view_as_real(y(2, dtype=torch.complex128)), torch.view_as_complex(y(3, 2))),
    lambda: (y(2, 3).unbind(1), y(5).split(2), y(5).split([1, 4]), y(6).chunk(3), y(5).unsafe_split(2), y(5).unsafe_split_with_sizes([1, 4])),
    lambda: (y(2, 3).mm(x(3, 4)), x(2, 2, 3).bmm(y(2, 3, 4)), y(2, 3).mv(x(3)), y(3).dot(x(3)), torch.vdot(y(3, dtype=torch.complex128), x(3, dtype=torch.complex128))),
    lambda: (torch.addmm(y(2, 2), x(2, 3), y(3, 2), beta=0.5, alpha=2), torch.baddbmm(y(2, 2, 2), x(2, 2, 3), y(2, 3, 2), beta=0.5), torch.addmv(y(2), x(2, 3), y(3), alpha=2)),
    lambda: (torch.matmul(y(2, 3), x(3, 2)),  y(2, 2, 3) @ x(3), y(3) @ x(3), y(2, 3, dtype=torch.complex128) @ x(3, 2, dtype=torch.complex128)),
    lambda: (y(2, 3).sum(), y(2, 3).sum(1), y(2, 3).sum((0, 1), keepdim=True), y(2, 3).nansum(1), y(2, 3).mean(0), x(2, 3).prod(), x(2, 3).prod(1)),
    lambda: (y(2, 3).max(), y(2, 3).min(), y(2, 3).max(1), y(2, 3).min(0), y(2, 3).amax(1), y(2, 3).amin((0, 1)), torch.aminmax(y(2, 3), dim=1)),
    lambda: (y(2, 3).argmax(1), y(2, 3).argmin(), mask(2, 3).all(1), mask(2, 3).any(), torch.count_nonzero(y(2, 3), 1)),
    lambda: [torch.linalg.vector_norm(y(2, 3), p, 1) for p in (2, 1, 3, float("inf"), 0.5)],
    lambda: y(3, 3)[1].sum(),
    lambda: (F.pad(y(2, 3), (1, -1, 0, 2), value=0.5), [F.pad(y(2, 3, 4), (2, -1, 1, 1), mode) for mode in ("reflect", "replicate", "circular")]),
    lambda: (F.conv1d(y(2, 2, 5), x(3, 2, 2), x(3), padding=1), F.conv2d(y(1, 2, 3, 4), x(2, 1, 2, 2), stride=(1, 2), groups=2)),
    lambda: (F.unfold(y(2, 1, 3, 4), (2, 3), padding=1, stride=2), F.fold(y(1, 4, 6), (3, 4), 2), torch.conv_tbc(y(4, 2, 2), x(2, 2, 3), x(3), 1)),
    lambda: (F.conv_transpose1d(y(2, 2, 3), x(2, 3, 2), x(3), stride=2, output_padding=1), F.conv_transpose2d(y(1, 2, 2, 2), x(2, 1, 2, 2), groups=2, dilation=2)),
    lambda: (torch.linalg.svd(y(3, 2), False), torch.linalg.svd(y(2, 2, 3), False).S, torch.linalg.svd(y(2, 2)).U, torch.linalg.svdvals(y(2, 3))),
    *linear_algebra.calls(x, y),
]  # fmt: skip


UNSEEN = {
    "matmul": lambda: [(y(2, 3), x(3, 2)), (y(2, 2, 3), x(3)), (y(3), x(3)), (y(3), x(2, 3, 2)), (y(2, 1, 2, 3), x(2, 3, 2))],
    "uniform_": lambda: [(y(4), 0.0, 1.0, None)],
    "normal_": lambda: [(y(4), 0.0, 1.0, None)],
    "random_": lambda: [(y(4), 0, 5, None)],
    "bernoulli_": lambda: [(y(4), 0.5, None)],
    "exponential_": lambda: [(y(4), 1.0, None)],
    "geometric_": lambda: [(y(4), 0.4, None)],
    "cauchy_": lambda: [(y(4), 0.0, 1.0, None)],
    "log_normal_": lambda: [(y(4), 1.0, 2.0, None)],
}
"""Samples of ops that interpreters do not see under their own name."""


NAMES = {op: name for name, op in table.items()}


class Recorder:
    """Remembers the arguments of each op that runs below it."""

    def __init__(self):
        self.samples = {}

    def process(self, op, arguments, keywords):
        if op is None:
            return arguments[0].item()  # the one thing that interpreters see and that is no op of the table
        kept = tuple(detached(value) for value in arguments)
        if keywords.get("mode") == 1:
            by_name = dict(zip(op.parameters[op.positional :], arguments[op.positional :], strict=True))
            result = InPlace(op)(*arguments[: op.positional], **by_name)
        else:
            core.push_interpreter(self)
            try:
                result = op.apply(*arguments)
            finally:
                core.pop_interpreter()
        if op in NAMES:
            self.remember(op, kept)
        return result

    def remember(self, op, kept):
        samples = self.samples.setdefault(NAMES[op], [])
        if len(samples) < MOST_SAMPLES and all(description(kept) != description(other) for other in samples):
            samples.append(kept)


def detached(value):
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, (list, tuple)):
        return [detached(item) for item in value]
    return value


def description(arguments):
    """What makes two samples alike."""
    return [
        (tuple(a.shape), a.dtype) if isinstance(a, torch.Tensor) else description(a) if isinstance(a, list) else repr(a)
        for a in arguments
    ]


def tensors_in(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in tensors_in(item)]
    return []


def is_differentiable(tensor):
    return tensor.dtype.is_floating_point or tensor.dtype.is_complex


def record():
    """Runs every call, forward and twice backward: op name -> list of argument tuples; and the calls that failed."""
    recorder, failures = Recorder(), []
    for name, samples in UNSEEN.items():
        recorder.samples[name] = [detached(list(sample)) for sample in samples()]
    calls = [*EXPLICIT.items(), *pointwise_calls()]
    calls += [(f"general call {i}", call) for i, call in enumerate(GENERAL)]
    for name, call in calls:
        try:
            run(recorder, call)
        except Exception as error:
            failures.append(f"{name}: {type(error).__name__}: {error}")
    for name, samples in list(recorder.samples.items()):
        if f"{name}_copy" in table:  # (what a view's copy is called with is what the view is)
            recorder.samples.setdefault(f"{name}_copy", samples)
    return recorder.samples, failures


def run(recorder, call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        core.push_interpreter(recorder)
        try:
            outputs = [t for t in tensors_in(call()) if t.requires_grad]
            for _ in range(2):
                outputs = derivatives(outputs)
        finally:
            core.pop_interpreter()


def derivatives(outputs):
    """The gradients of all outputs' sums with respect to the leaves they come from, recorded."""
    leaves = []
    seen = set()
    waiting = [t.grad_fn for t in outputs if t.grad_fn is not None]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            leaves.append(node.variable)
        waiting.extend(below for below, _ in node.next_functions if below is not None)
    if not leaves:
        return []
    try:
        found = torch.autograd.grad(outputs, leaves, [torch.ones_like(o) for o in outputs], create_graph=True, allow_unused=True)
    except (NotImplementedError, RuntimeError) as error:
        if "is not implemented" not in str(error):
            raise
        return []
    return [g for g in found if g is not None and g.requires_grad]
