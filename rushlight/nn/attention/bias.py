"""Causal masks that attention can do without making: aligned with the first query and key, or with the last."""

from enum import IntEnum

import rushlight as torch
from rushlight.core import warn_user

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(IntEnum):
    """Which corner of the scores the diagonal of a causal mask begins in.

    >>> import rushlight as torch
    >>> from rushlight.nn.attention.bias import CausalVariant
    >>> CausalVariant.UPPER_LEFT.name
    'UPPER_LEFT'
    """

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


class CausalBias(torch.Tensor):
    """A causal mask (queries, keys) that `scaled_dot_product_attention` takes as `attn_mask`.
    Made by `causal_upper_left` and `causal_lower_right`.

    Args:
        variant: A `CausalVariant`.
        seq_len_q, seq_len_kv: How many queries and keys there are.

    >>> import rushlight as torch
    >>> from rushlight.nn.attention.bias import causal_lower_right
    >>> x = torch.eye(2).view(1, 1, 2, 2)
    >>> torch.nn.functional.scaled_dot_product_attention(x, x, x, attn_mask=causal_lower_right(2, 2))[0, 0, 0]
    tensor([1., 0.])
    """

    def __new__(cls, variant, seq_len_q, seq_len_kv):
        return torch.Tensor._make_subclass(cls, _mask(variant, seq_len_q, seq_len_kv))

    def __init__(self, variant, seq_len_q, seq_len_kv):
        if not isinstance(variant, CausalVariant):
            raise AssertionError(f"variant must be a CausalVariant, got {type(variant).__name__}")
        self.variant = variant
        self.seq_len_q = seq_len_q
        self.seq_len_kv = seq_len_kv
        if seq_len_q > seq_len_kv and variant == CausalVariant.LOWER_RIGHT:
            warn_user("Lower right causal bias will produce NaNs in the output when seq_len_q > seq_len_kv!")

    def _materialize(self, device=None):
        """The mask as a tensor of bools."""
        return _mask(self.variant, self.seq_len_q, self.seq_len_kv)

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")
        if getattr(func, "__name__", "") != "scaled_dot_product_attention":
            return super().__torch_function__(func, types, args, kwargs)
        given = dict(zip(names, args)) | kwargs
        mask = given.pop("attn_mask")
        if given.get("is_causal"):
            raise ValueError("CausalBias should not be used with causal=True")
        if mask.seq_len_q == mask.seq_len_kv or mask.variant == CausalVariant.UPPER_LEFT:
            return torch.nn.functional.scaled_dot_product_attention(**given | {"is_causal": True})
        return torch.nn.functional.scaled_dot_product_attention(**given, attn_mask=mask._materialize())

    def __repr__(self):
        return repr(self._materialize())


def _mask(variant, queries, keys):
    seen = torch.ones(queries, keys, dtype=torch.bool)
    return seen.tril(keys - queries if variant == CausalVariant.LOWER_RIGHT else 0)


def _of_sizes(variant, size):
    if len(size) != 2:
        raise AssertionError(f"{variant.name.lower()} only supports 2D tensors")
    return CausalBias(variant, *size)


def causal_upper_left(*size):
    """A causal mask by which query i sees the keys up to i.

    >>> from rushlight.nn.attention.bias import causal_upper_left
    >>> causal_upper_left(2, 3)
    tensor([[ True, False, False],
            [ True,  True, False]])
    """
    return _of_sizes(CausalVariant.UPPER_LEFT, size)


def causal_lower_right(*size):
    """A causal mask by which the last query sees all keys.

    >>> from rushlight.nn.attention.bias import causal_lower_right
    >>> causal_lower_right(2, 3)
    tensor([[ True,  True, False],
            [ True,  True,  True]])
    """
    return _of_sizes(CausalVariant.LOWER_RIGHT, size)
