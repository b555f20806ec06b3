"""What programs ask of PyTorch's decompositions: whether a layout is contiguous, and whether an op may be."""

import rushlight as torch

__all__ = ["alert_not_deterministic", "is_contiguous_or_false"]


def alert_not_deterministic(caller):
    """Warns, or raises, where only deterministic algorithms are allowed: `caller` has none.

    >>> from rushlight._prims_common import alert_not_deterministic
    >>> alert_not_deterministic("scatter")
    """
    if not torch.are_deterministic_algorithms_enabled():
        return
    text = f"{caller} does not have a deterministic implementation"
    if torch.is_deterministic_algorithms_warn_only_enabled():
        import warnings

        warnings.warn(
            f"{text}, but you set 'torch.use_deterministic_algorithms(True, warn_only=True)'. You can file an issue at "
            "https://github.com/pytorch/pytorch/issues to help us prioritize adding deterministic support for this operation.",
            stacklevel=2,
        )
    else:
        raise RuntimeError(
            f"{text}, but you set 'torch.use_deterministic_algorithms(True)'. You can turn off determinism just for this operation, or "
            "you can use the 'warn_only=True' option, if that's acceptable for your application. You can also file an issue at "
            "https://github.com/pytorch/pytorch/issues to help us prioritize adding deterministic support for this operation."
        )


def is_contiguous_or_false(a) -> bool:
    """Whether the elements of a tensor lie in row-major order.

    >>> import rushlight as torch
    >>> torch._prims_common.is_contiguous_or_false(torch.ones(2, 3).t())
    False
    """
    return a.is_contiguous()
