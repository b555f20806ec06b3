"""Marks that functions carry for TorchScript, which Rushlight does not have: they are set and read, and change nothing."""

import collections.abc
import functools
import types
import typing
import weakref
from typing import Any, Final, Union

from rushlight.core import warn_user

__all__ = ["BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "FunctionModifiers", "boolean_dispatch", "export", "ignore",
           "is_scripting", "unused"]  # fmt: skip


class FunctionModifiers:
    """What a mark says that a compiler should do with a function."""

    UNUSED = "unused (ignored and replaced with raising of an exception)"
    IGNORE = "ignore (leave as a call to Python, cannot be torch.jit.save'd)"
    EXPORT = "export (compile this function even if nothing calls it)"
    DEFAULT = "default (compile if called from a exported function / forward)"
    COPY_TO_SCRIPT_WRAPPER = "if this method is not scripted, copy the python method onto the scripted model"
    _DROP = "_drop (function is fully ignored, declaration can be unscriptable)"


class ScriptModule:
    """A compiled module as PyTorch's C++ has it: there is none.

    >>> import rushlight as torch
    >>> torch.ScriptModule()
    Traceback (most recent call last):
        ...
    TypeError: torch._C.ScriptModule: No constructor defined!
    """

    __module__ = "torch._C"

    def __init__(self):
        raise TypeError("torch._C.ScriptModule: No constructor defined!")


def _marked(fn, mark):
    fn._torchscript_modifier = mark
    return fn


def is_scripting() -> bool:
    """False: no code is compiled."""
    return False


def export(fn):
    """Marks a method that is compiled even if nothing calls it.

    Args:
        fn: The method.

    >>> import rushlight as torch
    >>> class Net(torch.nn.Module):
    ...     @torch.jit.export
    ...     def twice(self, x): return x * 2
    >>> Net().twice(3)
    6
    """
    return _marked(fn, FunctionModifiers.EXPORT)


def unused(fn):
    """Marks a function that is not compiled; a property's functions, too.

    Args:
        fn: The function.

    >>> import rushlight as torch
    >>> class Net(torch.nn.Module):
    ...     @torch.jit.unused
    ...     def twice(self, x): return x * 2
    >>> Net().twice(3)
    6
    """
    if isinstance(fn, property):
        for function in (fn.fget, fn.fset):
            if function is not None:
                _marked(function, FunctionModifiers.UNUSED)
        return fn
    return _marked(fn, FunctionModifiers.UNUSED)


def ignore(drop=False, **kwargs):
    """Marks a function that stays Python's; as a decorator with or without arguments.

    Args:
        drop: Whether a compiled call of it would be an error.

    >>> import rushlight as torch
    >>> @torch.jit.ignore
    ... def twice(x): return x * 2
    >>> twice(3)
    6
    """
    if callable(drop):
        return _marked(drop, FunctionModifiers.IGNORE)
    if not isinstance(drop, bool):
        raise RuntimeError(f"Argument to @torch.jit.ignore must be a bool or a function but got {drop}")
    if kwargs.pop("drop_on_export", None):
        warn_user(
            "ignore(drop_on_export=True) has been deprecated. TorchScript will now drop the function call on compilation. Use "
            "torch.jit.unused now. {}",
            FutureWarning,
        )
        drop = True
    elif drop:
        warn_user(
            "ignore(True) has been deprecated. TorchScript will now drop the function call on compilation. Use torch.jit.unused now. {}",
            FutureWarning,
        )
    return lambda fn: _marked(fn, FunctionModifiers.UNUSED if drop else FunctionModifiers.IGNORE)


def _drop(fn):
    return _marked(fn, FunctionModifiers._DROP)


def _copy_to_script_wrapper(fn):
    return _marked(fn, FunctionModifiers.COPY_TO_SCRIPT_WRAPPER)


def get_torchscript_modifier(fn):
    """The mark of a function, or of that behind a method; None where there is nothing to carry one."""
    fn = getattr(fn, "__func__", fn)
    return getattr(fn, "_torchscript_modifier", FunctionModifiers.DEFAULT) if callable(fn) else None


def should_drop(fn) -> bool:
    """Whether a compiler would leave the function out."""
    return get_torchscript_modifier(fn) in (FunctionModifiers.UNUSED, FunctionModifiers._DROP)


def is_ignored_fn(fn) -> bool:
    """Whether a compiler would not read the function."""
    return should_drop(fn) or get_torchscript_modifier(fn) is FunctionModifiers.IGNORE


def module_has_exports(mod) -> bool:
    """Whether a module has a method marked by `export`."""
    return any(get_torchscript_modifier(getattr(mod, name, None)) is FunctionModifiers.EXPORT for name in dir(type(mod)))


_overloaded_fns: dict = {}
_overloaded_methods: dict = {}


def _qualified_name(obj, mangle_name=True) -> str:
    if hasattr(obj, "_jit_override_qualname"):
        return obj._jit_override_qualname
    module = "__torch__" if obj.__module__ == "__main__" else f"__torch__.{obj.__module__}"
    return f"{module}.{'_lambda' if obj.__name__ == '<lambda>' else obj.__name__}"


def _overload(func):
    """Marks a signature of a function that is defined later under the same name."""
    _overloaded_fns.setdefault(_qualified_name(func), []).append(func)
    return func


def _overload_method(func):
    """Marks a signature of a method that is defined later under the same name."""
    _overloaded_methods.setdefault(_qualified_name(func), {}).setdefault(func.__qualname__.rpartition(".")[0], []).append(func)
    return func


boolean_dispatched: Any = weakref.WeakKeyDictionary()


def boolean_dispatch(arg_name, arg_index, default, if_true, if_false, module_name, func_name):
    """A function that calls `if_true` or `if_false`, by an argument that is a bool."""

    @functools.wraps(if_false if if_true.__doc__ is None else if_true)
    def fn(*args, **kwargs):
        given = args[arg_index] if arg_index < len(args) else kwargs.get(arg_name, default)
        return if_true(*args, **kwargs) if given else if_false(*args, **kwargs)

    if module_name is not None:
        fn.__module__ = module_name
    if func_name is not None:
        fn.__name__ = func_name
    boolean_dispatched[fn] = dict(if_true=if_true, if_false=if_false, index=arg_index, default=default, arg_name=arg_name)
    return fn


class BroadcastingListCls:
    """An annotation: a list of so many numbers, or one number for all of them."""

    def __getitem__(self, types):
        return None


BroadcastingList1 = BroadcastingListCls()
BroadcastingList2 = BroadcastingListCls()
BroadcastingList3 = BroadcastingListCls()
BroadcastingList4 = BroadcastingListCls()
BroadcastingList5 = BroadcastingListCls()
BroadcastingList6 = BroadcastingListCls()


def is_final(ann) -> bool:
    """Whether an annotation is Final, or Final of a type."""
    return ann is Final or typing.get_origin(ann) is Final


def is_list(ann) -> bool:
    """Whether an annotation is that of a list.

    Args:
        ann: The annotation.

    >>> import rushlight as torch
    >>> import typing
    >>> torch.jit.annotations.is_list(typing.List[int])
    True
    """
    return typing.get_origin(ann) is list


def is_tuple(ann) -> bool:
    """Whether an annotation is that of a tuple.

    Args:
        ann: The annotation.

    >>> import rushlight as torch
    >>> import typing
    >>> torch.jit.annotations.is_tuple(typing.Tuple[int, int])
    True
    """
    return typing.get_origin(ann) is tuple


def is_dict(ann) -> bool:
    """Whether an annotation is that of a dict.

    Args:
        ann: The annotation.

    >>> import rushlight as torch
    >>> import typing
    >>> torch.jit.annotations.is_dict(typing.Dict[str, int])
    True
    """
    return typing.get_origin(ann) is dict


def is_union(ann) -> bool:
    """Whether an annotation is that of one of several types.

    Args:
        ann: The annotation.

    >>> import rushlight as torch
    >>> import typing
    >>> torch.jit.annotations.is_union(typing.Union[int, str])
    True
    """
    return typing.get_origin(ann) in (Union, types.UnionType)


def is_optional(ann) -> bool:
    """Whether an annotation is that of a type or None.

    Args:
        ann: The annotation.

    >>> import rushlight as torch
    >>> import typing
    >>> torch.jit.annotations.is_optional(typing.Optional[int])
    True
    """
    return is_union(ann) and type(None) in typing.get_args(ann)


def _isinstance(obj, target_type) -> bool:
    """isinstance, for annotations of lists, tuples, dicts and unions too: their elements are looked at."""
    if isinstance(target_type, tuple):
        return any(_isinstance(obj, kind) for kind in target_type)
    origin, args = typing.get_origin(target_type), typing.get_args(target_type)
    if target_type is Any:
        return True
    if is_union(target_type):
        return any(obj is None if kind is type(None) else _isinstance(obj, kind) for kind in args)
    if origin is None:
        return isinstance(obj, target_type)
    if not isinstance(obj, origin):
        return False
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return all(_isinstance(item, args[0]) for item in obj)
        return len(obj) == len(args) and all(map(_isinstance, obj, args))
    if issubclass(origin, collections.abc.Mapping):
        return all(_isinstance(key, args[0]) and _isinstance(value, args[1]) for key, value in obj.items())
    return all(_isinstance(item, args[0]) for item in obj)


def get_callable_argument_names(fn) -> list[str]:
    """The names of a function's positional parameters; none where it has others."""
    import inspect

    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return []
    if any(parameter.kind != parameter.POSITIONAL_OR_KEYWORD for parameter in parameters):
        return []
    return [parameter.name for parameter in parameters]


def createResolutionCallbackFromFrame(frames_up=0):
    """A function that finds what a name means where the caller stands."""
    import sys

    frame = sys._getframe(frames_up + 1)
    names = {**frame.f_globals, **frame.f_locals}
    return names.get
