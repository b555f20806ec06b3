"""Making tensors with a mask."""

from .core import MaskedTensor

__all__ = ["as_masked_tensor", "masked_tensor"]


def masked_tensor(data, mask, requires_grad=False):
    """A new tensor with a copy of `data`, of which those elements count where `mask`, booleans of its shape, is True.

    >>> import warnings, rushlight as torch
    >>> with warnings.catch_warnings(action="ignore"):
    ...     x = torch.masked.masked_tensor(torch.tensor([1., 2., 3.]), torch.tensor([True, False, True]))
    >>> x.sum()
    MaskedTensor(  4.0000, True)
    """
    return MaskedTensor(data.detach().clone(), mask, requires_grad)


def as_masked_tensor(data, mask):
    """The same over the memory, and with the history, of `data`."""
    return MaskedTensor(data, mask)
