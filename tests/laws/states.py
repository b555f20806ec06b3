"""The ways in which an input can come to an op, as far as the graph and memory are concerned, none of which changes what an op gives.

The law: an op on a tensor in such a state is the op on its clone: the same values, the same gradients, or the same error.
"""

import contextlib

import rushlight as torch


class Subclass(torch.Tensor):
    """A subclass that changes nothing."""


def result(t, w):
    """What an op gave."""
    return t + w


def stale_view(t, w):
    """A view that was made before its base was tracked."""
    base = torch.stack((t, t))
    view = base[0]
    base.add_(w)
    return view


def stale_view_of_view(t, w):
    base = torch.stack((t, t)).unsqueeze(0)
    view = base[0].transpose(0, -1).transpose(0, -1)[1]
    base[:, 1].add_(w)
    return view


def view_written_by_sibling(t, w):
    """A view whose memory was written through another view of its base."""
    base = torch.stack((t, t)) + w
    view = base[1]
    base[1].mul_(1)
    return view


def view_of_result(t, w):
    return torch.stack((t, t + w))[1]


def view_of_leaf(t, w):
    return (w.unsqueeze(0) * 1 + t)[0] if w.dtype is not t.dtype else w.view(w.shape)


def written(t, w):
    """What was written in place."""
    return (t + 0 * w).add_(w)


def expanded(t, w):
    """All elements along the first dimension are one in memory."""
    return (t + w)[:1].expand(t.shape) if t.ndim and t.shape[0] else t + w


def empty(t, w):
    return (t + w)[..., :0] if t.ndim else (t + w).expand(0)


def without_dimensions(t, w):
    return (t + w).reshape(-1)[0] if t.numel() else t + w


def channels_last(t, w):
    return (t + w).contiguous(memory_format=torch.channels_last) if t.ndim == 4 else t + w


def gapped(t, w):
    """The elements lie apart in memory."""
    return torch.stack((t + w, t), -1)[..., 0]


def conjugated(t, w):
    return (t + w).conj()


def negated(t, w):
    """The negatives of what lies in memory."""
    return torch._neg_view(t + w)


def part_of_conjugate(t, w):
    """A view of a view: conjugates and negatives at once, where the numbers are complex."""
    return torch._neg_view(torch.stack((t, t + w)).conj())[1]


def imaginary_part(t, w):
    """The imaginary part of a lazy conjugate, which is lazily negative."""
    return torch.complex(w, t + w).conj().imag if t.dtype is torch.float64 else t + w


def untracked_view(t, w):
    """A view made while nothing was recorded."""
    with torch.no_grad():
        return (t + w)[...]


def of_subclass(t, w):
    return (t + w).as_subclass(Subclass)


def leaf(t, w):
    return w if w.dtype is t.dtype else t + w


STATES = (
    leaf,
    result,
    stale_view,
    stale_view_of_view,
    view_written_by_sibling,
    view_of_result,
    view_of_leaf,
    written,
    expanded,
    empty,
    without_dimensions,
    channels_last,
    gapped,
    conjugated,
    negated,
    part_of_conjugate,
    imaginary_part,
    untracked_view,
    of_subclass,
)


OF_OTHER_SIZES = (empty, without_dimensions)
"""States that change sizes: not for ops that rules alone call, whose arguments fit each other."""


class counted_hooks(torch.autograd.graph.saved_tensors_hooks):
    """Hooks on what is saved, which remember how often each value was unpacked."""

    def __init__(self):
        self.unpacked = []

        def pack(tensor):
            self.unpacked.append(0)
            return len(self.unpacked) - 1, tensor

        def unpack(packed):
            number, tensor = packed
            self.unpacked[number] += 1
            return tensor

        super().__init__(pack, unpack)


WATCHED = {"alone": contextlib.nullcontext, "with saved-tensor hooks": counted_hooks}
