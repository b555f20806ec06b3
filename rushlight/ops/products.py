"""Products of many pairs of matrices of several sizes, and of matrices of float8 with scales."""

from itertools import pairwise

import rushlight as torch
from rushlight.core import written_out
from rushlight.ops._declare import composite, op
from rushlight.ops._rules import c_name

# ---- groups ---------------------------------------------------------------------------------------------------------------


@op(
    vjp={
        "a": lambda g, b, ends: grouped(g, b.mT, ends),
        "b": lambda g, a, ends: grouped(a.mT, g, ends),
    },
    jvp=lambda a, a_t, b, b_t, ends: sum(
        grouped(*pair, ends) for pair in ((a_t, b), (a, b_t)) if pair[0] is not None and pair[1] is not None
    ),
    name="GroupedMmBackward0",
    function=False,
    method=False,
    out=False,
    batch="elementwise.composed",
)
def grouped(a, b, ends):
    """A product for each pair of matrices. A stack has one for each group; a matrix has those of all groups beside each other (below each
    other, where it is the first and the second is a stack), and `ends` says where each ends. What is behind the last is zero, or left out."""
    if ends is None:
        return torch.bmm(a, b)
    bounds = [0, *ends.tolist()]
    groups = list(pairwise(bounds))
    if a.ndim == 2 and b.ndim == 2:
        return torch.stack([a[:, start:end] @ b[start:end] for start, end in groups])
    if a.ndim == 2:
        made = a.new_zeros((a.shape[0], b.shape[2]))
        for (start, end), matrix in zip(groups, b):
            made[start:end] = a[start:end] @ matrix
    else:
        made = a.new_zeros((a.shape[1], b.shape[1]))
        for (start, end), matrix in zip(groups, a):
            made[:, start:end] = matrix @ b[:, start:end]
    return made


HALVES = "Float32, BFloat16 or Float16"


def check_strides(x):
    """The last two dimensions lie densely, rows or columns of whole 16 bytes."""
    (rows, columns), (down, across) = x.shape[-2:], x.stride()[-2:]
    lead = down if across == 1 and down >= max(1, columns) else across if down == 1 and across >= max(1, rows) else None
    if lead is None:
        raise RuntimeError(f"Invalid strides/sizes, got {list(x.stride())} for strides and {list(x.shape)} for sizes")
    if lead * x.dtype.itemsize % 16:
        raise RuntimeError("strides should be multiple of 16 bytes")


def check_groups(a, b, offs, bias, out_dtype):
    for name, given in (("mat_a", a), ("mat_b", b)):
        if given.dtype not in (torch.float32, torch.bfloat16, torch.float16):
            raise RuntimeError(f"Expected {name} to be {HALVES} matrix, got {given.dtype.legacy_name}")
    for name, given in (("mat_a", a), ("mat_b", b)):
        if given.ndim not in (2, 3):
            raise RuntimeError(f"{name} has to be 2 or 3d")
    both = a.ndim == 3 and b.ndim == 3
    if 3 in (a.ndim, b.ndim) and a.shape[-1] != b.shape[-2]:
        raise RuntimeError("contraction dimension of mat_a and mat_b must match")
    check_strides(a)
    check_strides(b)
    if (offs is None) != both:
        raise RuntimeError("Have to provide offsets if there is a 2d matrix, or no offset if both matrices are 3d")
    if offs is not None:
        if offs.ndim != 1:
            raise RuntimeError("offs has to be 1D")
        if offs.dtype is not torch.int32:
            raise RuntimeError("Offsets have to be int32")
    if bias is not None:
        raise RuntimeError("Bias not supported yet")
    if out_dtype is not None and out_dtype is not a.dtype:
        raise RuntimeError("Grouped gemm output dtype must match `mat_a` dtype")
    if both and a.shape[0] != b.shape[0]:
        raise RuntimeError("batched dimension has to match")
    if offs is not None and a.ndim + b.ndim == 5 and (a if a.ndim == 3 else b).shape[0] != offs.shape[0]:
        raise RuntimeError("matrix batch sizes have to match")
    if a.dtype is not b.dtype:
        if both:
            raise RuntimeError(f"Expected out tensor to have dtype {c_name(b.dtype)}, but got {c_name(a.dtype)} instead")
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {c_name(a.dtype)} != {c_name(b.dtype)}")


@composite(
    method=False,
    signature="Tensor input, Tensor mat2, Tensor? offs=None, Tensor? bias=None, dtype? out_dtype=None",
)
def _grouped_mm(input, mat2, offs=None, bias=None, out_dtype=None):
    """A product for each pair of matrices, of which some stand in one: `offs` (int32) says where each ends.

    Stacks are products of all their matrices; a matrix and a stack, of its rows up to each offset with the matrix of that group; a stack and a
    matrix, of its columns; two matrices, a stack of products over parts of the dimension that they share.

    >>> import rushlight as torch
    >>> rows, weights = torch.ones(4, 4), torch.stack([torch.eye(4), 2 * torch.eye(4)])
    >>> torch._grouped_mm(rows, weights, torch.tensor([1, 4], dtype=torch.int32))[:, 0]
    tensor([1., 2., 2., 2.])
    """
    check_groups(input, mat2, offs, bias, out_dtype)
    return grouped(input, mat2, offs)


# ---- float8 ---------------------------------------------------------------------------------------------------------------


def check_scales(a, b, scale_a, scale_b):
    """Two numbers, or one for each row of `a` and each column of `b`."""
    narrow = all(each.is_floating_point() and each.dtype.itemsize == 1 for each in (a, b))
    if narrow and scale_a.dtype is torch.float32 and scale_b.dtype is torch.float32:
        rows, columns = (a.shape[0], 1), (1, b.shape[1])
        if scale_a.numel() == 1 and scale_b.numel() == 1:
            return
        if scale_a.shape == rows and scale_b.shape == columns and scale_a.is_contiguous() and scale_b.is_contiguous():
            return

    refuse_scales(a, b, scale_a, scale_b)


def refuse_scales(a, b, scale_a, scale_b):
    def described(name, matrix, scale):
        return (
            f"mat_{name}.dtype()={matrix.dtype.legacy_name}, scale_{name}.dtype()={scale.dtype.legacy_name}, "
            f"scale_{name}.size()={list(scale.shape)}"
        )

    raise ValueError(
        "Invalid scaling configuration.\n- For TensorWise scaling, a and b should be float8, scales should be float and singletons.\n"
        f"- For RowWise scaling, a and b should be float8, scales should be float, scale_a should be ({a.shape[0]}, 1) and scale_b should be "
        f"(1, {b.shape[1]}), and both should be contiguous.\nGot {described('a', a, scale_a)}, scale_a.stride()={list(scale_a.stride())}, "
        f"{described('b', b, scale_b)} and scale_b.stride()={list(scale_b.stride())}"
    )


@composite(
    method=False,
    signature=(
        "Tensor input, Tensor mat2, Tensor scale_a, Tensor scale_b, Tensor? bias=None, Tensor? scale_result=None, dtype? out_dtype=None, "
        "bool use_fast_accum=False, *, out"
    ),
)
def _scaled_mm(input, mat2, scale_a, scale_b, bias=None, scale_result=None, out_dtype=None, use_fast_accum=False, *, out=None):
    """The product of two matrices of float8, each times its scale (one number, or one for each row and column), in `out_dtype`; without
    gradients. `scale_result` has no effect on the CPU."""
    for name, given in (("mat1", input), ("mat2", mat2)):
        if given.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix")
    if input.shape[1] != mat2.shape[0]:
        raise RuntimeError(
            f"mat_a and mat_b shapes cannot be multiplied ({'x'.join(map(str, input.shape))} and {'x'.join(map(str, mat2.shape))})"
        )
    check_scales(input, mat2, scale_a, scale_b)
    if scale_result is not None and (scale_result.numel() != 1 or scale_result.dtype is not torch.float32):
        raise RuntimeError("scale_result must be a float scalar")
    if bias is not None and bias.numel() != mat2.shape[1]:
        raise RuntimeError(f"Bias must be size {mat2.shape[1]} but got {bias.numel()}")
    scale_a, scale_b = (scale.squeeze() if scale.numel() == 1 else scale for scale in (scale_a, scale_b))
    with torch.no_grad():
        made = (input.float() * scale_a) @ (mat2.float() * scale_b)
        made = (made if bias is None else made.add_(bias)).to(out_dtype or input.dtype)
    return made if out is None else written_out("_scaled_mm", out, made)


TENSOR_WISE, ROW_WISE = 0, 1


@composite(
    method=False,
    signature=(
        "Tensor input, Tensor mat2, tensors scale_a, ints recipe_a, ints swizzle_a, tensors scale_b, ints recipe_b, ints swizzle_b, "
        "Tensor? bias, dtype? out_dtype, ints contraction_dim=(), bool use_fast_accum=False"
    ),
)
def _scaled_mm_v2(
    input,
    mat2,
    scale_a,
    recipe_a,
    swizzle_a,
    scale_b,
    recipe_b,
    swizzle_b,
    bias,
    out_dtype,
    contraction_dim=(),
    use_fast_accum=False,
):
    """`_scaled_mm` by lists of scales with what each stands for: one number (0), or one for each row and column (1); the CPU knows no others."""
    inner, other = contraction_dim if contraction_dim else (1, 0)
    if input.shape[inner] != mat2.shape[other]:
        shapes = f"{'x'.join(map(str, input.shape))} and {'x'.join(map(str, mat2.shape))}"
        dims = f" with contraction dims mat_a: {inner}, mat_b: {other}" if contraction_dim else ""
        raise ValueError(f"mat_a and mat_b shapes cannot be multiplied ({shapes}){dims}")
    recipes = list(recipe_a), list(recipe_b)
    if recipes not in (([TENSOR_WISE], [TENSOR_WISE]), ([ROW_WISE], [ROW_WISE])) or not len(scale_a) == len(scale_b) == 1:
        refuse_scales(input, mat2, scale_a[0], scale_b[0])
    if recipes[0] == [TENSOR_WISE]:
        for name, (scale,) in (("scale_a", scale_a), ("scale_b", scale_b)):
            if scale.numel() != 1 or scale.dtype is not torch.float32:
                raise ValueError(f"{name} must have 1 Float element")
    return torch._scaled_mm(input, mat2, scale_a[0], scale_b[0], bias, None, out_dtype, use_fast_accum)
