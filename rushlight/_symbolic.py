"""Numbers that a compiler would not know: there is no compiler, and no such number."""

from rushlight import core
from rushlight._overridable import overridable


class _Symbolic:
    def __init__(self, node):
        raise RuntimeError(f"torch.{type(self).__name__}: Rushlight compiles nothing and has no symbolic numbers")


class SymInt(_Symbolic):
    """An integer that a compiler would not know.

    Args:
        node: What knows it.

    >>> import rushlight as torch
    >>> isinstance(3, torch.SymInt)
    False
    """

    __module__ = "torch"


class SymFloat(_Symbolic):
    """A float that a compiler would not know.

    Args:
        node: What knows it.

    >>> import rushlight as torch
    >>> isinstance(3.0, torch.SymFloat)
    False
    """

    __module__ = "torch"


class SymBool(_Symbolic):
    """A bool that a compiler would not know.

    Args:
        node: What knows it.

    >>> import rushlight as torch
    >>> isinstance(True, torch.SymBool)
    False
    """

    __module__ = "torch"


def sym_int(a):
    """The number `a` as an int, rounded towards zero.

    >>> import rushlight as torch
    >>> torch.sym_int(2.5)
    2
    """
    return int(a)


def sym_float(a):
    """The number `a` as a float.

    >>> import rushlight as torch
    >>> torch.sym_float(2)
    2.0
    """
    return float(a)


def sym_not(a):
    """not a.

    >>> import rushlight as torch
    >>> torch.sym_not(True)
    False
    """
    return not a


def _require_numbers(*given):
    for each in given:
        if not isinstance(each, int | float):
            import numpy

            kinds = numpy.integer, numpy.floating, int, float
            if not isinstance(each, kinds):
                raise AssertionError(f"expected {kinds}, got {type(each)}")


def sym_max(a, b):
    """max(a, b); a float where one of them is.

    >>> import rushlight as torch
    >>> torch.sym_max(3, 2.0)
    3.0
    """
    _require_numbers(a, b)
    return float(max(a, b)) if isinstance(a, float) or isinstance(b, float) else max(a, b)


def sym_min(a, b):
    """min(a, b); a float where one of them is.

    >>> import rushlight as torch
    >>> torch.sym_min(3, 2.0)
    2.0
    """
    _require_numbers(a, b)
    return float(min(a, b)) if isinstance(a, float) or isinstance(b, float) else min(a, b)


def sym_sum(args):
    """sum(args); a number is its own sum.

    >>> import rushlight as torch
    >>> torch.sym_sum([1, 2, 3])
    6
    """
    return sum(args) if hasattr(type(args), "__iter__") else 0 + args


def sym_ite(b, t, f):
    """t if b else f; both are of one type.

    >>> import rushlight as torch
    >>> torch.sym_ite(True, 1, 2)
    1
    """
    if not isinstance(b, bool):
        raise AssertionError(f"expected SymBool or bool, got {type(b)}")
    if type(t) is not type(f):
        raise AssertionError(f"type mismatch: {type(t)} vs {type(f)}")
    return t if b else f


overridable([sym_int, sym_float, sym_not, sym_max, sym_min, sym_sum, sym_ite])


def sym_fresh_size(expr):
    """The number that `expr`, a Python number or a tensor of one element, stands for: it is none that is looked for later.

    >>> import rushlight as torch
    >>> torch.sym_fresh_size(3)
    3
    """
    return core.tensor(expr).item()


def _assert(condition, message):
    """assert, as a function."""
    if type(condition) is not bool:
        handled = core.dispatch_torch_function(_assert, (condition,), (condition, message), {}, True)
        if handled is not NotImplemented:
            return
    if not condition:
        raise AssertionError(message)


def _check_with(error_type, cond, message):
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if cond:
        return
    if message is None:
        raise error_type(
            "Expected cond to be True, but got False. (Could this error message be improved? If so, please report an enhancement request to PyTorch.)"
        )
    if not callable(message):
        raise TypeError("message must be a callable")
    raise error_type(str(message()))


def _check_tensor_all_with(error_type, cond, message=None):
    """error_type(message()) unless all elements are true."""
    if not isinstance(cond, core.Tensor):
        raise TypeError(f"cond must be a tensor, but got {type(cond)}")
    if str(cond.dtype) != "torch.bool":
        raise TypeError(f"cond tensor must have dtype torch.bool, but got {cond.dtype}")
    _check_with(error_type, bool(cond.all()), message)


def _check_tensor_all(cond, message=None):
    """RuntimeError(message()) unless all elements are true."""
    _check_tensor_all_with(RuntimeError, cond, message)


def _check(cond, message=None):
    """RuntimeError(message()) unless `cond`."""
    _check_with(RuntimeError, cond, message)


def _check_index(cond, message=None):
    """IndexError(message()) unless `cond`."""
    _check_with(IndexError, cond, message)


def _check_value(cond, message=None):
    """ValueError(message()) unless `cond`."""
    _check_with(ValueError, cond, message)


def _check_type(cond, message=None):
    """TypeError(message()) unless `cond`."""
    _check_with(TypeError, cond, message)


def _check_not_implemented(cond, message=None):
    """NotImplementedError(message()) unless `cond`."""
    _check_with(NotImplementedError, cond, message)


def _check_is_size(i, message=None, *, max=None):
    """RuntimeError unless `i` may be a size."""
    _check(i >= 0, message)
