"""Sequences of different lengths: padded, and packed step after step without the padding."""

from itertools import pairwise

import rushlight as torch
from rushlight.ops._declare import composite, op


def rows_of(inside):
    """The places of what is inside, in a tensor [steps * batch, …]."""
    return inside.reshape(-1).nonzero().squeeze(1)


def check_lengths(input, lengths, batch):
    if input.numel() == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    if lengths.ndim != 1 or lengths.dtype is not torch.int64:
        raise RuntimeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {lengths.ndim}D {lengths.device} "
            f"{lengths.dtype.legacy_name} tensor"
        )
    if lengths.size(0) != batch:
        raise RuntimeError(f"Expected `len(lengths)` to be equal to batch_size, but got {lengths.size(0)} (batch_size={batch})")
    values = lengths.tolist()
    if any(value <= 0 for value in values):
        raise RuntimeError("Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0")
    if any(a < b for a, b in pairwise(values)):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not "
            "need ONNX exportability."
        )


def unpacked(g, input_shape, lengths, batch_first):
    """The cotangent of padded sequences: that of their elements, and zeros where they are padded."""
    sizes = list(input_shape)
    if batch_first:
        sizes[:2] = sizes[1::-1]
    rows = rows_of(torch.arange(sizes[0]).unsqueeze(1) < lengths)
    made = g.new_zeros((sizes[0] * sizes[1], *sizes[2:])).index_copy(0, rows, g).view(sizes)
    return made.transpose(0, 1) if batch_first else made


@op(
    vjp=lambda g, input_shape, lengths, batch_first: unpacked(g, input_shape, lengths, batch_first),
    jvp=lambda input_t, lengths, batch_first: (_pack_padded_sequence(input_t, lengths, batch_first)[0], None),
    outputs=("data", "batch_sizes"),
    differentiable=("data",),
    method=False,
    out=False,
    batch="recurrent.packed",
    signature="Tensor input, Tensor lengths, bool batch_first",
)
def _pack_padded_sequence(input, lengths, batch_first):
    """The elements of padded sequences, step after step, and how many sequences have each step."""
    if batch_first:
        input = input.transpose(0, 1)
    input.size(1)
    check_lengths(input, lengths, input.size(1))
    inside = torch.arange(int(lengths[0])).unsqueeze(1) < lengths
    data = input.reshape(-1, *input.shape[2:]).index_select(0, rows_of(inside[: input.size(0)]))
    return data, inside.sum(1)


@composite(
    method=False,
    signature="Tensor data, Tensor batch_sizes, bool batch_first, Number padding_value, int total_length",
)
def _pad_packed_sequence(data, batch_sizes, batch_first, padding_value, total_length) -> "tuple[torch.Tensor, torch.Tensor]":
    """Packed sequences as one padded tensor, and their lengths."""
    steps = batch_sizes.size(0)
    if total_length > 0:
        if total_length < steps:
            raise RuntimeError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {steps}"
            )
    else:
        total_length = steps
    batch = int(batch_sizes[0])
    inside = torch.arange(batch) < batch_sizes.unsqueeze(1)
    out = data.new_full((total_length, batch, *data.shape[1:]), padding_value)
    out.view(-1, *data.shape[1:]).index_copy_(0, rows_of(inside), data)
    return (out.transpose(0, 1) if batch_first else out), inside.sum(0)


@composite(
    method=False,
    namespace="nn",
    signature='tensors sequences, bool batch_first=False, float padding_value=0.0, str padding_side="right"',
)
def pad_sequence(sequences, batch_first=False, padding_value=0.0, padding_side="right"):
    """Sequences of different lengths as one tensor."""
    if len(sequences) == 0:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    first = sequences[0]
    if first.ndim == 0:
        raise RuntimeError("ArrayRef: invalid slice, N = 1; size = 0")
    longest, rest = max(each.size(0) for each in sequences), first.shape[1:]
    lead = (len(sequences), longest) if batch_first else (longest, len(sequences))
    out = torch.full((*lead, *rest), padding_value, dtype=first.dtype)
    for place, each in enumerate(sequences):
        length = each.size(0)
        row = out.select(0 if batch_first else 1, place)
        row.narrow(0, longest - length if padding_side == "left" else 0, length).copy_(each)
    return out
