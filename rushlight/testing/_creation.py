"""Tensors of random numbers for tests."""

import math
from collections.abc import Sequence
from typing import Any

import rushlight as torch
from rushlight.core import warn_user

# What is drawn when the caller names no limits; unsigned and boolean dtypes get the part of it that they can hold.
LIMITS_OF_INTEGERS = (-9, 10)
LIMITS_OF_BOOLEANS = (0, 2)
LIMITS_OF_REALS = (-9, 9)


def make_tensor(
    *shape: int | torch.Size | list[int] | tuple[int, ...],
    dtype: torch.dtype,
    device: str | torch.device,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: torch.memory_format | None = None,
) -> torch.Tensor:
    """A tensor of this shape with numbers drawn evenly from `low` up to, but without, `high`.

    Args:
        shape: Sizes, or one sequence of them.
        dtype, device: What the tensor is like.
        low, high: Limits; those that the dtype cannot hold are moved to the nearest that it can.
        requires_grad: Whether gradients are recorded.
        noncontiguous: Whether there is a gap beside every element.
        exclude_zero: Whether the smallest positive number of the dtype takes the place of each zero.
        memory_format: The order of dimensions in memory.

    >>> import rushlight as torch
    >>> torch.testing.make_tensor((2, 3), dtype=torch.int64, device="cpu", low=1, high=2)
    tensor([[1, 1, 1],
            [1, 1, 1]])
    >>> torch.testing.make_tensor(4, dtype=torch.float32, device="cpu", noncontiguous=True).stride()
    (2,)
    """
    sizes: Any = shape[0] if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, "
            f"but got noncontiguous={noncontiguous} and memory_format={memory_format}"
        )
    if not isinstance(dtype, torch.dtype):
        raise TypeError(
            f"The requested dtype '{dtype}' is not supported by torch.testing.make_tensor(). "
            "To request support, file an issue at: https://github.com/pytorch/pytorch/issues"
        )
    real = dtype.is_floating_point or dtype.is_complex
    if requires_grad and not real:
        raise ValueError(f"`requires_grad=True` is not supported for boolean and integral dtypes, but got dtype={dtype}")
    gaps = noncontiguous and math.prod(sizes) > 1
    drawn = (*sizes[:-1], 2 * sizes[-1]) if gaps else tuple(sizes)
    result = draw_reals(drawn, dtype, device, low, high) if real else draw_integers(drawn, dtype, device, low, high)
    if gaps:
        result = result[..., 1::2]
    elif memory_format is not None:
        result = result.clone(memory_format=memory_format)
    if exclude_zero:
        result[result == 0] = torch.finfo(dtype).tiny if real else 1
    return result.requires_grad_(requires_grad)


def draw_reals(sizes, dtype, device, low, high):
    """Floating-point numbers; of complex ones both parts are drawn, one after the other."""
    largest = torch.finfo(dtype).max
    low, high = limits(dtype, low, high, LIMITS_OF_REALS, (-largest, largest))
    if dtype.itemsize == 1:  # (float8, of which nothing is drawn)
        return torch.empty(sizes, device=device).uniform_(low, high).to(dtype)
    result = torch.empty(sizes, dtype=dtype, device=device)
    parts = torch.view_as_real(result) if dtype.is_complex else result
    # A generator refuses an interval whose length the dtype cannot hold: that one is drawn at half its size.
    scale = 2 if high - low > largest else 1
    parts.uniform_(low / scale, high / scale)
    if scale != 1:
        parts.mul_(scale)
    return result


def draw_integers(sizes, dtype, device, low, high):
    """Whole numbers, and booleans as zeros and ones."""
    if dtype == torch.bool:
        held, usual = (0, 2), LIMITS_OF_BOOLEANS
    else:
        info = torch.iinfo(dtype)
        # The end of an interval is an int64 itself, so the largest int64 is never drawn.
        held, usual = (info.min, info.max + (dtype != torch.int64)), LIMITS_OF_INTEGERS
    low, high = limits(dtype, low, high, usual, held)
    return torch.randint(math.ceil(low), math.ceil(high), sizes, dtype=dtype, device=device)


def limits(dtype, low, high, usual, held):
    """`low` and `high` or the `usual` ones, checked and moved into what the dtype holds."""
    low = usual[0] if low is None else low
    high = usual[1] if high is None else high
    if low != low or high != high:
        raise ValueError(f"`low` and `high` cannot be NaN, but got low={low!r} and high={high!r}")
    if low == high and (dtype.is_floating_point or dtype.is_complex):
        warn_user(
            "Passing `low==high` to `torch.testing.make_tensor` for floating or complex types is deprecated since 2.1 "
            "and will be removed in 2.3. Use `torch.full(...)` instead.",
            FutureWarning,
        )
    elif low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    elif high < held[0] or low >= held[1]:
        raise ValueError(
            f"The value interval specified by `low` and `high` is [{low}, {high}), "
            f"but {dtype} only supports [{held[0]}, {held[1]})"
        )
    return min(max(low, held[0]), held[1]), min(max(high, held[0]), held[1])
