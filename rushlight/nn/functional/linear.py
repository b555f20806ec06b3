"""Affine and bilinear maps."""

import enum
import math

import rushlight as torch
from rushlight import core
from rushlight.ops import layers
from rushlight.ops._parsers import signed

__all__ = ["ScalingType", "SwizzleType", "bilinear", "grouped_mm", "linear", "scaled_mm"]

bilinear = layers.bilinear


def general_linear(input, weight, bias=None, *, out=None):
    """x @ weight.T + bias; `out` is written where it is given.

    Shapes: input (*, in), weight (out, in) or (in), bias (out) or (), result (*, out).

    >>> import rushlight as torch
    >>> torch.nn.functional.linear(torch.ones(1, 2), torch.ones(3, 2), torch.ones(3))
    tensor([[3., 3., 3.]])
    """
    if out is not None:
        return core.written_out("linear", out, linear(input, weight, bias))
    dim = input.dim()
    if dim == 0 or weight.dim() == 0:
        raise RuntimeError(f"both arguments to linear need to be at least 1D, but they are {dim}D and {weight.dim()}D")
    if dim == 1 and core.is_wrapped(input) and weight.dim() == 2:
        # One vector of each example: the rows of a matrix, if this is vmap.
        return torch.mv(weight, input) if bias is None else torch.addmv(bias, weight, input)
    transposed = weight.t()
    if bias is None:
        return torch.matmul(input, transposed)
    if dim == 2:
        return torch.addmm(bias, input, transposed)
    if dim and weight.dim() == 2 and input.is_contiguous():
        # One product with the bias in it beats a batched product and an addition.
        sizes = input.shape
        rows = torch.addmm(bias, input.view(math.prod(sizes[:-1]), sizes[-1]), transposed)
        return rows.view(*sizes[:-1], rows.shape[1])
    return torch.matmul(input, transposed).add_(bias)


def declare_linear():
    """The op of a layer, which sees to the usual case, a batch of rows, without a look at Python."""
    general_linear.__name__ = "linear"
    parameters = ("input", "weight", "bias")
    keywords = {name: index for index, name in enumerate(parameters)}
    return core.LinearOp("linear", general_linear, parameters, (core.MISSING, core.MISSING, None), keywords, 3, -1, (None,), [])


linear = signed("Tensor input, Tensor weight, Tensor? bias=None, *, out")(declare_linear())


def grouped_mm(mat_a, mat_b, *, offs=None, bias=None, out_dtype=None):
    """A product for each pair of matrices, of which some stand in one: `offs` (int32) says where each ends.

    Shapes of mat_a and mat_b: (G, M, K) and (G, K, N) without offsets; (M, K) and (G, K, N), groups of rows; (G, M, K) and (K,
    N), groups of columns; (M, K) and (K, N), groups of what they share, with a result (G, M, N). `bias` is not supported, nor
    `out_dtype` other than the input's.

    >>> import rushlight as torch
    >>> torch.nn.functional.grouped_mm(torch.ones(2, 3, 4), torch.ones(2, 4, 4)).shape
    torch.Size([2, 3, 4])
    """
    return layers._grouped_mm(mat_a, mat_b, offs, bias, out_dtype)


class ScalingType(enum.Enum):
    """What a scale of `scaled_mm` stands for: all elements, a row or column, or a block.

    >>> import rushlight as torch
    >>> torch.nn.functional.ScalingType.RowWise.value
    1
    """

    TensorWise = 0
    RowWise = 1
    BlockWise1x16 = 2
    BlockWise1x32 = 3
    BlockWise1x128 = 4
    BlockWise128x128 = 5


class SwizzleType(enum.Enum):
    """How the scales of blocks lie in memory.

    >>> import rushlight as torch
    >>> torch.nn.functional.SwizzleType.NO_SWIZZLE.value
    0
    """

    NO_SWIZZLE = 0
    SWIZZLE_32_4_4 = 1


def scaled_mm(
    mat_a,
    mat_b,
    scale_a,
    scale_recipe_a,
    scale_b,
    scale_recipe_b,
    swizzle_a=None,
    swizzle_b=None,
    bias=None,
    output_dtype=torch.bfloat16,
    contraction_dim=(),
    use_fast_accum=False,
):
    """The product of two matrices of float8, each times its scales, in `output_dtype`.

    Args:
        mat_a, mat_b: Matrices (M, K) and (K, N), the second in columns.
        scale_a, scale_b: A scale, or a list of them.
        scale_recipe_a, scale_recipe_b: A `ScalingType` of each. The CPU knows one scale for all elements, or one for each row of
            the first and each column of the second.
        swizzle_a, swizzle_b: A `SwizzleType` of each, for scales of blocks.
        bias: What is added (N).
        contraction_dim: The dimensions that are summed over; by default (1, 0).
        use_fast_accum: Taken for other devices' sake.

    >>> import rushlight as torch
    >>> a, b = torch.full((2, 16), 2.0).to(torch.float8_e4m3fn), torch.ones(16, 16).to(torch.float8_e4m3fn).t()
    >>> one, whole = torch.tensor(0.5), torch.nn.functional.ScalingType.TensorWise
    >>> torch.nn.functional.scaled_mm(a, b, one, whole, one, whole)[:, :2]
    tensor([[8., 8.],
            [8., 8.]], dtype=torch.bfloat16)
    """

    def listed(given):
        return list(given) if isinstance(given, list | tuple) else [] if given is None else [given]

    def numbers(given):
        return [item.value for item in listed(given)]

    return torch._scaled_mm_v2(
        mat_a,
        mat_b,
        listed(scale_a),
        numbers(scale_recipe_a),
        numbers(swizzle_a),
        listed(scale_b),
        numbers(scale_recipe_b),
        numbers(swizzle_b),
        bias,
        output_dtype,
        contraction_dim,
        use_fast_accum,
    )
