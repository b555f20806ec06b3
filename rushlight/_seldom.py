"""Methods of tensors that programs seldom ask for: `_tensor` has their names, and this is imported when one is used."""

from itertools import pairwise

import rushlight as torch
from rushlight import core
from rushlight.core import Tensor, warn_user

__all__ = [
    "dim_order", "eig", "is_distributed", "is_set_to", "lstsq", "module_load", "record_stream", "reinforce", "resize", "resize_as", "solve",
    "symeig",
]  # fmt: skip


def solve(self, other: Tensor) -> tuple[Tensor, Tensor]:
    """Raises: `torch.linalg.solve` stands in its place.

    >>> import rushlight as torch
    >>> try: torch.eye(2).solve(torch.eye(2))
    ... except RuntimeError: print("use torch.linalg.solve")
    use torch.linalg.solve
    """
    return torch.solve(self, other)


def lstsq(self, other: Tensor) -> tuple[Tensor, Tensor]:
    """Raises: `torch.linalg.lstsq` stands in its place.

    >>> import rushlight as torch
    >>> try: torch.eye(2).lstsq(torch.eye(2))
    ... except RuntimeError: print("use torch.linalg.lstsq")
    use torch.linalg.lstsq
    """
    return torch.lstsq(self, other)


def eig(self, eigenvectors: bool = False) -> tuple[Tensor, Tensor]:
    """Raises: `torch.linalg.eig` stands in its place.

    >>> import rushlight as torch
    >>> try: torch.eye(2).eig()
    ... except RuntimeError: print("use torch.linalg.eig")
    use torch.linalg.eig
    """
    return torch.eig(self, eigenvectors)


def symeig(self, eigenvectors: bool = False) -> tuple[Tensor, Tensor]:
    """Raises: `torch.linalg.eigh` stands in its place.

    >>> import rushlight as torch
    >>> try: torch.eye(2).symeig()
    ... except RuntimeError: print("use torch.linalg.eigh")
    use torch.linalg.eigh
    """
    return torch.symeig(self, eigenvectors)


def ordered(sizes, strides):
    """The dimensions from the outermost in memory to the innermost, and whether that is their only order. A dimension that is expanded,
    or of the stride and size of another, stays where it is."""
    order, is_only = list(range(len(sizes))), True
    for place in range(1, len(order)):
        for before in range(place - 1, -1, -1):
            a, b = order[before], order[place]
            left, right = (strides[a], sizes[a]), (strides[b], sizes[b])
            if 0 in (strides[a], strides[b]) or left == right:
                is_only = False
            elif left < right:
                order[before], order[place], place = b, a, before
            else:
                break
    return tuple(order), is_only


def dim_order(self, *, ambiguity_check: "bool | list[torch.memory_format]" = False) -> "tuple[int, ...]":
    """The dimensions from the outermost in memory to the innermost.

    With `ambiguity_check` an order that is not the only one is refused;
    with a list of memory formats, one that does not follow from just one of them.

    >>> import rushlight as torch
    >>> torch.empty(2, 3, 4, 5).to(memory_format=torch.channels_last).dim_order()
    (0, 2, 3, 1)
    """
    if type(self) is not Tensor:
        handled = core.dispatch_torch_function(Tensor.dim_order, (self,), (self,), {"ambiguity_check": ambiguity_check})
        if handled is not NotImplemented:
            return handled
    formats = ambiguity_check if isinstance(ambiguity_check, list) else None
    if not (
        isinstance(ambiguity_check, bool) if formats is None else all(isinstance(each, torch.memory_format) for each in formats)
    ):
        raise TypeError("The ambiguity_check argument must be a bool or a list of memory formats.")
    sizes, strides = tuple(self.shape), self.stride()
    checks = ambiguity_check or formats is not None
    is_seldom_one = checks and (1 in sizes or any(a == b for a, b in pairwise(strides)))
    if is_seldom_one and sum(self.is_contiguous(memory_format=each) for each in formats or ()) != 1:
        raise RuntimeError("The tensor does not have unique dim order, or cannot map to exact one of the given memory formats.")
    is_plain = self.is_contiguous()
    is_last = self.is_contiguous(memory_format=torch.channels_last)
    if is_plain != is_last:
        order = tuple(range(len(sizes)))
        return order if is_plain else (0, *order[2:], 1)
    order, is_only = ordered(sizes, strides)
    if ambiguity_check and not is_only:
        raise RuntimeError("The tensor does not have unique dim order.")
    return order


def is_distributed(self) -> bool:
    """False: no tensor is spread over processes.

    >>> import rushlight as torch
    >>> torch.ones(2).is_distributed()
    False
    """
    return False


def is_set_to(self, tensor: Tensor) -> bool:
    """Whether both are the same window over the same memory.

    Args:
        tensor: the other tensor.

    >>> import rushlight as torch
    >>> x = torch.arange(4)
    >>> x.is_set_to(x.view(4)), x.is_set_to(x[1:])
    (True, False)
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"is_set_to(): argument 'tensor' (position 1) must be Tensor, not {type(tensor).__name__}")
    same = self.untyped_storage().data_ptr() == tensor.untyped_storage().data_ptr()
    return same and (self.storage_offset(), self.shape, self.stride()) == (tensor.storage_offset(), tensor.shape, tensor.stride())


def record_stream(self, stream) -> None:
    """An error: memory that the CPU computes with waits for no stream.

    >>> import rushlight as torch
    >>> try: torch.ones(1).record_stream(None)
    ... except RuntimeError: print("no stream")
    no stream
    """
    if not isinstance(stream, torch.Stream):
        raise RuntimeError("unknown parameter type")
    raise NotImplementedError("Could not run 'aten::record_stream' with arguments from the 'CPU' backend.")


def module_load(self, other: Tensor, assign: bool = False) -> Tensor:
    """What a parameter becomes when `other` is loaded into it: a copy in its own memory, or `other` itself where `assign`.

    Args:
        other: what is loaded.
        assign: whether `other` itself is taken.

    >>> import rushlight as torch
    >>> torch.zeros(2).module_load(torch.tensor([1., 2.]))
    tensor([1., 2.])
    """
    if type(self) is not Tensor or type(other) is not Tensor:
        handled = core.dispatch_torch_function(Tensor.module_load, (self, other), (self, other), {"assign": assign})
        if handled is not NotImplemented:
            return handled
    return other.detach() if assign else self.copy_(other).detach()


def reinforce(self, reward) -> None:
    """Raises: torch.distributions stand in its place.

    >>> import rushlight as torch
    >>> try: torch.ones(1).reinforce(1)
    ... except RuntimeError: print("use torch.distributions")
    use torch.distributions
    """
    raise RuntimeError(
        "reinforce() was removed.\nUse torch.distributions instead.\nSee https://pytorch.org/docs/main/distributions.html\n\nInstead of:\n\n"
        "probs = policy_network(state)\naction = probs.multinomial()\nnext_state, reward = env.step(action)\naction.reinforce(reward)\n"
        "action.backward()\n\nUse:\n\nprobs = policy_network(state)\n"
        "# NOTE: categorical is equivalent to what used to be called multinomial\nm = torch.distributions.Categorical(probs)\n"
        "action = m.sample()\nnext_state, reward = env.step(action)\nloss = -m.log_prob(action) * reward\nloss.backward()\n"
    )


def resized(tensor, sizes):
    """Other sizes for as many elements."""
    count = 1
    for size in sizes:
        count *= size
    if count != tensor.numel():
        wanted, given = ("x".join(map(str, each)) for each in (sizes, tensor.shape))
        raise RuntimeError(
            f"requested resize to {wanted} ({count} elements in total), but the given tensor has a size of {given} ({tensor.numel()} "
            "elements). autograd's resize can only change the shape of a given tensor, while preserving the number of elements. "
        )
    return tensor.contiguous().view(*sizes)


def resize(self, *sizes: int) -> Tensor:
    """Deprecated: `reshape` is what to use.

    Args:
        sizes: the new sizes, for as many elements.

    >>> import rushlight as torch
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.arange(4).resize(2, 2)
    tensor([[0, 1],
            [2, 3]])
    """
    warn_user("non-inplace resize is deprecated")
    return resized(self, sizes)


def resize_as(self, tensor: Tensor) -> Tensor:
    """Deprecated: `reshape` to the sizes of another tensor.

    Args:
        tensor: the tensor whose sizes are taken, of as many elements.

    >>> import rushlight as torch
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.arange(4).resize_as(torch.ones(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    warn_user("non-inplace resize_as is deprecated")
    return resized(self, tuple(tensor.shape))
