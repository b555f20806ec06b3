"""Sequences of different lengths: padded to one tensor, or packed, step after step, without the padding."""

from collections import namedtuple

import rushlight as torch
from rushlight import Tensor
from rushlight.ops import layers

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]

PackedSequence_ = namedtuple("PackedSequence_", ["data", "batch_sizes", "sorted_indices", "unsorted_indices"])


class PackedSequence(PackedSequence_):
    """A batch of sequences of different lengths, without padding: what recurrent nets take and return.

    Attributes:
        data: The elements of the first step of all sequences, then those of the second, and so on, shape (total, *).
        batch_sizes: How many sequences have each step; int64 on the CPU.
        sorted_indices: The order in which the sequences are packed, longest first; None where they came so.
        unsorted_indices: The permutation back.

    `pack_padded_sequence` and `pack_sequence` make one.

    >>> import rushlight as torch
    >>> packed = torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2, 3]), torch.tensor([4])])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 4, 2, 3]), tensor([2, 1, 1]))
    """

    def __new__(cls, data, batch_sizes=None, sorted_indices=None, unsorted_indices=None):
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            if not isinstance(data, list | tuple) or len(data) != 2:
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args, **kwargs):
        """The same with `data` converted as by `Tensor.to`; itself where that changes nothing."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    def cpu(self, *args, **kwargs):
        """On the CPU: itself."""
        return self.to(*args, device="cpu", **kwargs)

    def cuda(self, *args, **kwargs):
        """On a CUDA device, of which there is none: AssertionError."""
        return type(self)(self.data.cuda(*args, **kwargs), *self[1:])

    def pin_memory(self):
        """The same in pinned memory."""
        return type(self)(self.data.pin_memory(), *self[1:])

    def double(self):
        """`data` as float64."""
        return self.to(dtype=torch.double)

    def float(self):
        """`data` as float32."""
        return self.to(dtype=torch.float)

    def half(self):
        """`data` as float16."""
        return self.to(dtype=torch.half)

    def long(self):
        """`data` as int64."""
        return self.to(dtype=torch.long)

    def int(self):
        """`data` as int32."""
        return self.to(dtype=torch.int)

    def short(self):
        """`data` as int16."""
        return self.to(dtype=torch.short)

    def char(self):
        """`data` as int8."""
        return self.to(dtype=torch.int8)

    def byte(self):
        """`data` as uint8."""
        return self.to(dtype=torch.uint8)

    @property
    def is_cuda(self):
        """Whether `data` is on a CUDA device."""
        return self.data.is_cuda

    def is_pinned(self):
        """Whether `data` is in pinned memory."""
        return self.data.is_pinned()


def invert_permutation(permutation):
    """The permutation that undoes another; None for None.

    >>> import rushlight as torch
    >>> torch.nn.utils.rnn.invert_permutation(torch.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    return torch.empty_like(permutation).scatter_(0, permutation, torch.arange(permutation.numel()))


def pack_padded_sequence(input, lengths, batch_first=False, enforce_sorted=True):
    """Packs padded sequences of the given lengths (a list or a tensor).

    Shapes: input (steps, batch, *), or (batch, steps, *) with `batch_first`. With `enforce_sorted` lengths must not rise (RuntimeError);
    without, the sequences are sorted first, and nets put their results back in order.

    >>> import rushlight as torch
    >>> padded = torch.tensor([[1, 2, 3], [4, 0, 0]])
    >>> torch.nn.utils.rnn.pack_padded_sequence(padded, [3, 1], batch_first=True).data
    tensor([1, 4, 2, 3])
    """
    lengths = torch.as_tensor(lengths, dtype=torch.int64)
    sorted_indices = None
    if not enforce_sorted:
        lengths, sorted_indices = torch.sort(lengths, descending=True)
        input = input.index_select(0 if batch_first else 1, sorted_indices)
    data, batch_sizes = layers._pack_padded_sequence(input, lengths, batch_first)
    return PackedSequence(data, batch_sizes, sorted_indices, None)


def pad_packed_sequence(sequence, batch_first=False, padding_value=0.0, total_length=None):
    """Packed sequences as one padded tensor, and their lengths: the inverse of `pack_padded_sequence`.

    Args:
        sequence: A `PackedSequence`.
        batch_first: Whether the result is (batch, steps, *) instead of (steps, batch, *).
        padding_value: What fills up.
        total_length: How many steps are returned, at least the longest sequence's (or ValueError).

    >>> import rushlight as torch
    >>> packed = torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2, 3]), torch.tensor([4])])
    >>> torch.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2, 3],
            [4, 0, 0]]), tensor([3, 1]))
    """
    steps = sequence.batch_sizes.size(0)
    if total_length is None:
        total_length = steps
    elif total_length < steps:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {steps}"
        )
    padded, lengths = layers._pad_packed_sequence(sequence.data, sequence.batch_sizes, batch_first, padding_value, total_length)
    order = sequence.unsorted_indices
    if order is None:
        return padded, lengths
    return padded.index_select(0 if batch_first else 1, order), lengths[order]


def pad_sequence(sequences, batch_first=False, padding_value=0.0, padding_side="right"):
    """Sequences of different lengths as one tensor, filled up with a number.

    Shapes: sequences a list of (length, *), the result (longest, batch, *).

    Args:
        batch_first: Whether the result is (batch, longest, *).
        padding_value: The number.
        padding_side: "right" or "left".

    >>> import rushlight as torch
    >>> torch.nn.utils.rnn.pad_sequence([torch.tensor([1, 2]), torch.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if isinstance(sequences, Tensor):
        sequences = sequences.unbind(0)
    elif not hasattr(sequences, "__iter__"):
        raise RuntimeError(f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}")
    return layers.pad_sequence(tuple(sequences), batch_first, padding_value, padding_side)


def unpad_sequence(padded_sequences, lengths, batch_first=False):
    """The sequences of a padded tensor as a list: the inverse of `pad_sequence`.

    Args:
        padded_sequences: The tensor (steps, batch, *), which is transposed in place, as in PyTorch; or with `batch_first` (batch,
            steps, *).
        lengths: How long each is.

    >>> import rushlight as torch
    >>> torch.nn.utils.rnn.unpad_sequence(torch.tensor([[1, 2], [3, 0]]), torch.tensor([2, 1]), batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    if not batch_first:
        padded_sequences.transpose_(0, 1)
    places = torch.arange(padded_sequences.shape[1])
    return [padded[places < length] for padded, length in zip(padded_sequences, lengths)]


def pack_sequence(sequences, enforce_sorted=True):
    """Packs a list of sequences of shapes (length, *); longest first, unless `enforce_sorted` is false.

    >>> import rushlight as torch
    >>> torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2, 3]), torch.tensor([4])]).batch_sizes
    tensor([2, 1, 1])
    """
    lengths = [sequence.size(0) for sequence in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences):
    """The sequences of a `PackedSequence` as a list: the inverse of `pack_sequence`.

    Args:
        packed_sequences: the packed ones, one object of them.

    >>> import rushlight as torch
    >>> packed = torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2, 3]), torch.tensor([4])])
    >>> torch.nn.utils.rnn.unpack_sequence(packed)
    [tensor([1, 2, 3]), tensor([4])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
