"""Lookup of rows by index, and one-hot vectors."""

import rushlight as torch
from rushlight import core
from rushlight.core import warn_user
from rushlight.ops import layers
from rushlight.ops._parsers import signed

__all__ = ["embedding", "embedding_bag", "one_hot"]


def embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    """The rows of `weight` (V, D) that the integers `input` (*) name: (*, D).

    Args:
        padding_idx: A row that gets no gradient.
        max_norm: Rows that are looked up are first scaled down, in place, to at most this norm.
        norm_type: The p of that norm.
        scale_grad_by_freq: Divide the gradient of a row by how often it occurs in the input.
        sparse: Make the gradient of the table a sparse tensor.

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


MODES = {"sum": 0, "mean": 1, "max": 2}


def embedding_bag(
    input,
    weight,
    offsets=None,
    max_norm=None,
    norm_type=2,
    scale_grad_by_freq=False,
    mode="mean",
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
):
    """Sums, means or maxima of the rows of `weight` (V, D) that bags of integers name: (B, D).

    Args:
        input: a matrix (B, N), whose rows are the bags, or a vector (N), of which `offsets` says where bags begin.
        weight: the table.
        offsets: a vector (B), from 0 on; with `include_last_offset` (B + 1), the last of which is where the last bag ends.
        max_norm: scale rows that are looked up down to this norm first, in place.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide the gradient of a row by how often it occurs in the input.
        mode: "sum", "mean" or "max".
        sparse: Make the gradient of the table a sparse tensor.
        per_sample_weights: factors of the rows, of the shape of the input, for sums.
        padding_idx: a row that is passed over.

    >>> import rushlight as torch
    >>> table = torch.tensor([[1.0], [10.0], [100.0]])
    >>> torch.nn.functional.embedding_bag(torch.tensor([0, 1, 2]), table, torch.tensor([0, 2]), mode="sum")
    tensor([[ 11.],
            [100.]])
    """
    if weight.dtype == torch.long and input.is_floating_point():
        warn_user(
            "Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` is deprecated, and "
            "should now be `embedding_bag(input, weight, ...)`."
        )
        weight, input = input, weight
    if per_sample_weights is not None and input.size() != per_sample_weights.size():
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the same shape as the "
            f"input ({input.shape})"
        )
    if weight.dim() != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}")
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length sequences. However, "
                f"found offsets of type {type(offsets)}"
            )
        offsets = torch.arange(0, input.numel(), input.size(1), dtype=input.dtype, device=input.device)
        input = input.reshape(-1)
        per_sample_weights = None if per_sample_weights is None else per_sample_weights.reshape(-1)
    elif input.dim() == 1:
        if offsets is None:
            raise ValueError("offsets has to be a 1D Tensor but got None")
        if offsets.dim() != 1:
            raise ValueError("offsets has to be a 1D Tensor")
    else:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
    if mode not in tuple(MODES):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if max_norm is not None:
        with torch.no_grad():
            layers.embedding_renorm_(weight, input, max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}'). Please open a feature request on GitHub."
        )
    return torch.embedding_bag(
        weight, input, offsets, scale_grad_by_freq, MODES[mode], sparse, per_sample_weights, include_last_offset, padding_idx
    )[0]


@signed("Tensor input, int num_classes=-1")
def one_hot(tensor, num_classes=-1):
    """Integers (*) as vectors (*, num_classes) of zeros with a one at the index.

    Args:
        tensor: The integers, of int64, from 0 to num_classes - 1; others are a RuntimeError.
        num_classes: The size of the vectors; by default there are max + 1 classes.

    >>> import rushlight as torch
    >>> torch.nn.functional.one_hot(torch.tensor([1, 0]))
    tensor([[0, 1],
            [1, 0]])
    >>> torch.nn.functional.one_hot(torch.tensor(1), num_classes=3)
    tensor([0, 1, 0])
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
