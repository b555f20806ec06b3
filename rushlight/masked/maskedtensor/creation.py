"""Making tensors with a mask."""

from rushlight.core import Tensor

from .core import MaskedTensor

__all__ = ["as_masked_tensor", "masked_tensor"]


def masked_tensor(data, mask, requires_grad=False):
    """A new tensor with a copy of `data`, of which those elements count where `mask`, booleans of its shape, is True.

    `requires_grad` says whether gradients are recorded.

    >>> import rushlight as torch
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     x = torch.masked.masked_tensor(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([True, False, True]))
    >>> x.sum()
    MaskedTensor(  4.0000, True)
    """
    return MaskedTensor(data.detach().clone() if isinstance(data, Tensor) else data, mask, requires_grad)


def as_masked_tensor(data, mask):
    """As `masked_tensor`, over the memory, and with the history, of `data`; `mask` says which of its elements count.

    >>> import rushlight as torch
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     x = torch.masked.as_masked_tensor(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([True, False, True]))
    >>> x.mean()
    MaskedTensor(  2.0000, True)
    """
    return MaskedTensor(data, mask)
