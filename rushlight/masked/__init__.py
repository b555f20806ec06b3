"""Reductions and normalizations that leave out what a mask does not have: masked elements count as the identity of the reduction.

All take `mask`, a tensor of booleans that broadcasts to the input, True where an element counts (default: everywhere), `dtype`, that of the
result, and reductions `dim`, one dimension or several (default: all), and `keepdim`.
"""

import rushlight as torch
from rushlight._late import late as _late

__all__ = [
    "MaskedTensor",
    "amax",
    "amin",
    "argmax",
    "argmin",
    "as_masked_tensor",
    "cumprod",
    "cumsum",
    "is_masked_tensor",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "masked_tensor",
    "mean",
    "median",
    "norm",
    "normalize",
    "prod",
    "softmax",
    "softmin",
    "std",
    "sum",
    "var",
]


def _least(dtype):
    """What is smaller than every number of a dtype, or is its smallest; booleans have none."""
    return -torch.inf if dtype.is_floating_point else None if dtype is torch.bool else torch.iinfo(dtype).min


def _greatest(dtype):
    return torch.inf if dtype.is_floating_point else None if dtype is torch.bool else torch.iinfo(dtype).max


# What masked elements count as, of a dtype: the number that changes no result.
_IDENTITIES: dict = {
    **dict.fromkeys(("sum", "cumsum"), lambda dtype: 0),
    **dict.fromkeys(("prod", "cumprod"), lambda dtype: 1),
    **dict.fromkeys(("amax", "argmax", "logaddexp"), _least),
    **dict.fromkeys(("amin", "argmin"), _greatest),
    "logsumexp": lambda dtype: -torch.inf if dtype.is_complex else _least(dtype),
    "norm": lambda dtype, ord=2.0: torch.inf if ord == -torch.inf else 0,
}


def _reduction_identity(op_name, input, *args):
    """What masked elements of a tensor count as in a reduction, or None where no number will do."""
    name = op_name.rsplit(".", 1)[-1]
    if name in ("mean", "var", "std"):
        return None
    if name == "median":
        return torch.tensor(torch.nan, dtype=input.dtype if input.dtype.is_floating_point else torch.float32)
    value = None
    if name in _IDENTITIES:
        value = _IDENTITIES[name](input.dtype, *args[:1] if name == "norm" else ())
    if value is None:
        raise NotImplementedError(f"identity of {name} on {input.dtype} input")
    return torch.tensor(value, dtype=input.dtype)


def _filled(input, mask, name, *args):
    """The input, and what changes no result of a reduction where the mask has nothing."""
    if mask is None:
        return input
    return torch.where(mask.to(torch.bool).expand(input.shape), input, _reduction_identity(name, input, *args))


def _dims(dim, ndim):
    """The dimensions to reduce, all for None and (), none for []."""
    if dim is None or dim == ():
        return tuple(range(ndim))
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    found = []
    for each in dims:
        low = max(ndim, 1)
        if not -low <= each < low:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-low}, {low - 1}], but got {each})")
        if each % low in found:
            raise RuntimeError(f"dim={each % low} appears multiple times in the list of dims")
        found.append(each % low)
    return tuple(found)


def _along(dim, ndim):
    """The one dimension that something runs along: the first, where there are several."""
    return dim if isinstance(dim, int) else _dims(dim, ndim)[0]


def _wide(input, dtype):
    """The dtype of sums and products: int64 of integers."""
    if dtype is not None:
        return dtype
    return input.dtype if input.dtype.is_floating_point or input.dtype.is_complex else torch.int64


def sum(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The sum of the elements that count; 0 where none does.

    Args:
        input: The numbers.
        dim: The dimension or dimensions; all of them by default.
        keepdim: Whether they stay, with size 1.
        dtype: That of the result.
        mask: Booleans that broadcast to the input, True where an element counts; all do by default.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.sum(x, mask=mask)
    tensor(5.)
    """
    return torch.sum(_filled(input, mask, "sum"), _dims(dim, input.ndim), keepdim=keepdim, dtype=_wide(input, dtype))


def prod(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The product of the elements that count; 1 where none does. Arguments are those of `sum`.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.prod(x, 0, mask=mask)
    tensor(4.)
    """
    made = _filled(input, mask, "prod").to(_wide(input, dtype))
    for each in sorted(_dims(dim, input.ndim), reverse=True):
        made = torch.prod(made, each, keepdim=bool(keepdim))
    return made


def amax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The largest of the elements that count; the smallest number of the dtype where none does. Arguments are those of `sum`.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.amax(x, 0, mask=mask)
    tensor(4.)
    """
    made = torch.amax(_filled(input, mask, "amax"), _dims(dim, input.ndim), bool(keepdim))
    return made.to(input.dtype if dtype is None else dtype)


def amin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The smallest of the elements that count; the largest number of the dtype where none does. Arguments are those of `sum`.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.amin(x, 0, mask=mask)
    tensor(1.)
    """
    made = torch.amin(_filled(input, mask, "amin"), _dims(dim, input.ndim), bool(keepdim))
    return made.to(input.dtype if dtype is None else dtype)


def argmax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """Where the largest of the elements is that count. Arguments are those of `sum`.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.argmax(x, 0, mask=mask)
    tensor(2.)
    """
    return torch.argmax(_filled(input, mask, "argmax"), dim, bool(keepdim)).to(input.dtype if dtype is None else dtype)


def argmin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """Where the smallest of the elements is that count. Arguments are those of `sum`.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.argmin(x, 0, mask=mask)
    tensor(0.)
    """
    return torch.argmin(_filled(input, mask, "argmin"), dim, bool(keepdim)).to(input.dtype if dtype is None else dtype)


def _count(input, dims, keepdim, mask, dtype):
    """How many elements count in each line that is reduced."""
    ones = torch.ones(input.shape, dtype=torch.int64) if mask is None else mask.to(torch.bool).expand(input.shape).to(torch.int64)
    return torch.sum(ones, dims, keepdim=keepdim).to(dtype)


def _floating(name, input, dtype):
    kind = "Input" if dtype is None else "Optional"
    dtype = input.dtype if dtype is None else dtype
    if not (dtype.is_floating_point or dtype.is_complex):
        raise ValueError(
            f"{name}(): Could not infer output dtype. {kind} dtype must be either a floating point or complex dtype. Got: {dtype}"
        )
    return dtype


def mean(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The mean of the elements that count; NaN where none does. Arguments are those of `sum`.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.mean(x, mask=mask)
    tensor(2.5000)
    """
    dtype = _floating("mean", input, dtype)
    dims = _dims(dim, input.ndim)
    return sum(input, dims, keepdim=keepdim, dtype=dtype, mask=mask) / _count(input, dims, keepdim, mask, dtype)


def median(input, dim=-1, *, keepdim=False, dtype=None, mask=None):
    """The lower median of the elements that count along a dimension; NaN where none does. Arguments are those of `sum`.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.median(x, 0, mask=mask)
    tensor(1.)
    """
    wide = input if input.dtype.is_floating_point else input.to(torch.float32)
    made = torch.nanmedian(_filled(wide, mask, "median"), _along(dim, input.ndim), keepdim).values
    if wide is input:
        return made
    if torch.isnan(made).any():
        raise ValueError("masked median expects no fully masked out rows if dtype is not floating point")
    return made.to(input.dtype if dtype is None else dtype)


def var(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The variance of the elements that count, by their number less `correction` (1 by default, 0 if not `unbiased`). The other
    arguments are those of `sum`.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.var(x, mask=mask)
    tensor(4.5000)
    """
    return _variance(input, dim, unbiased, correction, keepdim, dtype, mask, root=False)


def std(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The square root of `var`, with the same arguments.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.std(x, mask=mask)
    tensor(2.1213)
    """
    return _variance(input, dim, unbiased, correction, keepdim, dtype, mask, root=True)


def _variance(input, dim, unbiased, correction, keepdim, dtype, mask, root):
    if unbiased is not None and correction is not None:
        raise RuntimeError("Only one of unbiased and correction may be given")
    correction = 1 if correction is None and unbiased is None else int(unbiased) if correction is None else correction
    if dtype is None:
        dtype = input.dtype if input.dtype.is_floating_point or input.dtype.is_complex else torch.float32
    computed = dtype if dtype.is_floating_point or dtype.is_complex else torch.float32
    dims = _dims(dim, input.ndim)
    count = _count(input, dims, True, mask, torch.int64)
    apart = input - sum(input, dims, keepdim=True, dtype=dtype, mask=mask) / count
    made = sum(apart * apart.conj(), dims, keepdim=keepdim, dtype=computed, mask=mask)
    if not keepdim:
        count = count.reshape(made.shape)
    if correction:
        count = torch.maximum(count - correction, torch.zeros_like(count))
    made = (made / count).to(dtype)
    return made.sqrt() if root else made


def norm(input, ord=2.0, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The norm of degree `ord` of the elements that count, taken as a vector. The other arguments are those of `sum`.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.norm(x, 2.0, mask=mask)
    tensor(4.1231)
    """
    if ord is None:
        ord = 2.0
    return torch.linalg.vector_norm(_filled(input, mask, "norm", ord), ord, _dims(dim, input.ndim), bool(keepdim), dtype=dtype)


def logsumexp(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The logarithm of the sum of exponentials of the elements that count; minus infinity where none does. Arguments are those of
    `sum`.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.logsumexp(x, 0, mask=mask)
    tensor(4.0486)
    """
    made = torch.logsumexp(_filled(input, mask, "logsumexp"), _dims(dim, input.ndim), keepdim=keepdim)
    return made.to(input.dtype if dtype is None else dtype)


def logaddexp(input, other, *, dtype=None, input_mask=None, other_mask=None):
    """log(exp(input) + exp(other)) of those that count in each of both: where `input_mask` and `other_mask` are True.

    `dtype` is what both are converted to first.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.logaddexp(x, x, input_mask=mask, other_mask=mask)
    tensor([1.6931,   -inf, 4.6931])
    """
    input, other = (x if dtype is None else x.to(dtype) for x in (input, other))
    return torch.logaddexp(_filled(input, input_mask, "logaddexp"), _filled(other, other_mask, "logaddexp"))


def cumsum(input, dim, *, dtype=None, mask=None):
    """Sums of the elements that count up to each place along a dimension. Arguments are those of `sum`.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.cumsum(x, 0, mask=mask)
    tensor([1., 1., 5.])
    """
    return torch.cumsum(_filled(input, mask, "cumsum"), _along(dim, input.ndim), dtype=dtype or input.dtype)


def cumprod(input, dim, *, dtype=None, mask=None):
    """Products of the elements that count up to each place along a dimension. Arguments are those of `sum`.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.cumprod(x, 0, mask=mask)
    tensor([1., 1., 4.])
    """
    return torch.cumprod(_filled(input, mask, "cumprod"), _along(dim, input.ndim), dtype=dtype or input.dtype)


def softmax(input, dim, *, dtype=None, mask=None):
    """softmax of the elements that count along a dimension, 0 for the others; NaN in lines where none counts. Arguments are those
    of `sum`.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.softmax(x, 0, mask=mask)
    tensor([0.0474, 0.0000, 0.9526])
    """
    return torch.softmax(_filled(input, mask, "amax"), _along(dim, input.ndim), dtype=dtype or input.dtype)


def log_softmax(input, dim, *, dtype=None, mask=None):
    """The logarithm of `softmax`, minus infinity for the others. Arguments are those of `sum`.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.log_softmax(x, 0, mask=mask)
    tensor([-3.0486,    -inf, -0.0486])
    """
    return torch.log_softmax(_filled(input, mask, "amax"), _along(dim, input.ndim), dtype=dtype or input.dtype)


def softmin(input, dim, *, dtype=None, mask=None):
    """softmax of the negatives of the elements that count along a dimension, 0 for the others. Arguments are those of `sum`.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.softmin(x, 0, mask=mask)
    tensor([0.9526, 0.0000, 0.0474])
    """
    return torch.nn.functional.softmin(_filled(input, mask, "amin"), _along(dim, input.ndim), dtype=dtype or input.dtype)


def normalize(input, ord, dim, *, eps=1e-12, dtype=None, mask=None):
    """The elements that count by their norm of degree `ord` along a dimension, taken for `eps` at least; 0 for the others. The
    other arguments are those of `sum`.

    >>> import rushlight as torch
    >>> x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    >>> torch.masked.normalize(x, 1.0, 0, mask=mask)
    tensor([0.2000, 0.0000, 0.8000])
    """
    size = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    return _filled(input, mask, "sum") / torch.maximum(size, torch.tensor(eps, dtype=size.dtype))


__getattr__ = _late(
    __name__,
    {
        "maskedtensor": f"{__name__}.maskedtensor",
        **{
            name: f"{__name__}.maskedtensor:{name}"
            for name in ("MaskedTensor", "as_masked_tensor", "is_masked_tensor", "masked_tensor")
        },
    },
)
