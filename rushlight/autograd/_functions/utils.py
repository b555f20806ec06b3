"""Gradients in the shape of what they are of."""

__all__ = ["maybe_unexpand", "maybe_view"]


def maybe_view(tensor, size, check_same_size=True):
    """`tensor` in the shape `size`."""
    return tensor if check_same_size and tensor.size() == size else tensor.contiguous().view(size)


def maybe_unexpand(tensor, old_size, check_same_size=True):
    """`tensor` added up over what was expanded from `old_size`."""
    return tensor if check_same_size and tensor.size() == old_size else tensor.sum_to_size(old_size)
