"""Lookup of rows by index, and one-hot vectors."""

import rushlight as torch
from rushlight import core
from rushlight.ops import layers
from rushlight.ops._parsers import signed

__all__ = ["embedding", "one_hot"]


def embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    """The rows of `weight` (V, D) that the integers `input` (*) name: (*, D).

    The row `padding_idx` gets no gradient. With `max_norm`, rows that are looked up are first scaled down, in place, to at most that norm.

    >>> import rushlight as torch
    >>> torch.nn.functional.embedding(torch.tensor([1, 0]), torch.tensor([[0.0], [10.0]]))
    tensor([[10.],
            [ 0.]])
    """
    if padding_idx is None:
        padding_idx = -1
    elif padding_idx > 0:
        if padding_idx >= weight.size(0):
            raise AssertionError("Padding_idx must be within num_embeddings")
    elif padding_idx < 0:
        if padding_idx < -weight.size(0):
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx += weight.size(0)
    if max_norm is not None:
        input = input.contiguous()
        with torch.no_grad():
            layers.embedding_renorm_(weight, input, max_norm, norm_type)
    return layers.embedding(weight, input, padding_idx, scale_grad_by_freq, sparse)


@signed("Tensor input, int num_classes=-1")
def one_hot(tensor, num_classes=-1):
    """Integers (*) as vectors (*, num_classes) of zeros with a one at the index. By default there are max + 1 classes.

    >>> import rushlight as torch
    >>> torch.nn.functional.one_hot(torch.tensor([1, 0]))
    tensor([[0, 1],
            [1, 0]])
    """
    if tensor.dtype is not torch.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if num_classes <= 0 and tensor.numel() and core.has_batch(tensor):
        raise RuntimeError("When vmap-ing torch.nn.functional.one_hot, please provide an explicit positive num_classes argument.")
    if tensor.numel() == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return torch.empty(*tensor.shape, num_classes, dtype=torch.int64)
    if core.is_wrapped(tensor) and num_classes > 0:
        # Inside a transform nobody can look at the elements.
        return (tensor.unsqueeze(-1) == torch.arange(num_classes)).to(torch.int64)
    if tensor.min().item() < 0:
        raise RuntimeError("Class values must be non-negative.")
    largest = tensor.max().item()
    if num_classes == -1:
        num_classes = largest + 1
        if num_classes >= 1 << 63:
            raise RuntimeError("zeros: Dimension size must be non-negative.")
    elif num_classes <= largest:
        raise RuntimeError("Class values must be smaller than num_classes.")
    return torch.zeros(*tensor.shape, num_classes, dtype=torch.int64).scatter_(-1, tensor.unsqueeze(-1), 1)
