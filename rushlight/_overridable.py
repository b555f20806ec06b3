"""Functions of Python that subclasses of Tensor, and modes, may take over as wholes: their `__torch_function__` gets the function itself, and
not what it is made of.

Nothing stands before such a function until a program makes its first subclass or enters its first mode. Then the code of each is exchanged
for one that asks first: the function stays the object that programs have imported, and calls of programs without subclasses cost nothing.
"""

import types

from rushlight import core


def _asking(*args, **kwargs):
    first = "first"  # (a constant that is another for each function)
    return first(args, kwargs)


def _ask_before(function):
    code = function.__code__
    if code.co_name == _asking.__name__:
        return  # (it has two names)
    plain = types.FunctionType(code, function.__globals__, function.__name__, function.__defaults__)
    plain.__kwdefaults__ = function.__kwdefaults__

    def first(args, kwargs):
        from rushlight.overrides import handle_torch_function

        given = (*args, *kwargs.values())
        return (
            handle_torch_function(function, given, *args, **kwargs) if core.has_torch_function(given) else plain(*args, **kwargs)
        )

    constants = tuple(first if constant == "first" else constant for constant in _asking.__code__.co_consts)
    function.__wrapped__ = plain  # (what inspect.signature asks)
    function.__defaults__ = function.__kwdefaults__ = None
    function.__code__ = _asking.__code__.replace(co_filename=code.co_filename, co_consts=constants)


_waiting: list[types.FunctionType] = []


def _ask_before_all():
    from rushlight.overrides import NEVER_ASKED

    while _waiting:
        function = _waiting.pop()
        if function.__name__ not in NEVER_ASKED:
            _ask_before(function)


def overridable(functions):
    """Has subclasses and modes asked before those of `functions` that are plain functions of Python and do not ask themselves; what is
    compiled does."""
    for function in functions:
        plain = type(function) is types.FunctionType and function.__closure__ is None
        if plain and "dispatch_torch_function" not in function.__code__.co_names:
            _waiting.append(function)
    core.before_first_subclass(_ask_before_all)
