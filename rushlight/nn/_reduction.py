"""The argument `reduction` of the losses, and the older arguments `size_average` and `reduce` that it replaced."""

from rushlight.core import warn_user

REDUCTIONS = ("none", "mean", "sum")


def get_enum(reduction):
    """The number of a reduction."""
    if reduction == "elementwise_mean":
        warn_user("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.")
        reduction = "mean"
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return REDUCTIONS.index(reduction)


def legacy_get_enum(size_average, reduce, emit_warning=True):
    """The number of the reduction that the older arguments ask for."""
    return get_enum(legacy_get_string(size_average, reduce, emit_warning))


def legacy_get_string(size_average, reduce, emit_warning=True):
    """The reduction that the older arguments ask for."""
    size_average = True if size_average is None else size_average
    reduce = True if reduce is None else reduce
    reduction = "none" if not reduce else "mean" if size_average else "sum"
    if emit_warning:
        warn_user(f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.")
    return reduction


def checked(reduction, size_average=None, reduce=None, weighted=False, older_word=True):
    """`reduction`, unless one of the older arguments overrides it. ValueError for an unknown one."""
    if size_average is not None or reduce is not None:
        return legacy_get_string(size_average, reduce)
    if weighted and reduction not in REDUCTIONS:
        raise ValueError(f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'.")
    if older_word and reduction == "elementwise_mean":
        return REDUCTIONS[get_enum(reduction)]
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def reduced(loss, reduction):
    """The loss of each element, or their mean or sum."""
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    return loss
