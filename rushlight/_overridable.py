"""Functions of Python that subclasses of Tensor, and modes, may take over as wholes: their `__torch_function__` gets the function itself, and
not what it is made of.

Nothing stands before such a function until a program makes its first subclass or enters its first mode. Then the code of each is exchanged
for one that asks first: the function stays the object that programs have imported, and calls of programs without subclasses cost nothing.
"""

import types
from collections.abc import Sequence

from rushlight import core


def _asking(*args, **kwargs):
    first = "first"  # (a constant that is another for each function)
    return first(args, kwargs)


def _as_asked(signature, args, kwargs, by_name):
    """The arguments of a call as a `__torch_function__` gets them: those that have a default by name, whether the caller gave them or not."""
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    positional, keywords = [], {}
    for name, value in bound.arguments.items():
        parameter = signature.parameters[name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += value
        elif parameter.kind is parameter.VAR_KEYWORD:
            keywords.update(value)
        elif parameter.default is parameter.empty and not by_name:
            positional.append(value)
        else:
            keywords[name] = value
    return positional, keywords


def _ask_before(function, public=None):
    """Has subclasses asked before `function`; they get `public`, if it is called by way of something else."""
    code = function.__code__
    if code.co_name == _asking.__name__:
        return  # (it has two names)
    plain = types.FunctionType(code, function.__globals__, function.__name__, function.__defaults__)
    plain.__kwdefaults__ = function.__kwdefaults__
    import inspect  # (slow to import, and programs without subclasses do not come here)

    signature = inspect.signature(plain)
    by_name = function.__module__ == "rushlight.nn.init"
    as_handed = getattr(function, "as_handed", tuple)  # (of a function that brings several forms of a call to one before it asks)

    def first(args, kwargs):
        given = (*args, *kwargs.values())
        if not core.has_torch_function(given):
            return plain(*args, **kwargs)
        from rushlight.overrides import handle_torch_function

        try:
            args = as_handed(args)
            positional, keywords = _as_asked(signature, args, kwargs, by_name)
        except TypeError:
            return plain(*args, **kwargs)  # (which says what is wrong with the arguments)
        if function in _told_in_tuples:
            positional = [each if isinstance(each, Sequence) else (each,) for each in positional]
        return handle_torch_function(public or function, given, *positional, **keywords)

    constants = tuple(first if constant == "first" else constant for constant in _asking.__code__.co_consts)
    function.__wrapped__ = plain  # (what inspect.signature asks)
    function.__defaults__ = function.__kwdefaults__ = None
    function.__code__ = _asking.__code__.replace(co_filename=code.co_filename, co_consts=constants)


def _ask_before_property(attribute):
    """The attribute stays the object that it is, and so do the functions that subclasses are told: its `__get__` and `__set__`."""

    def first(plain, public):
        def asking(*arguments):
            answered = core.dispatch_torch_function(public, arguments, arguments, {})
            return plain(*arguments) if answered is NotImplemented else answered

        return plain and asking

    attribute.__init__(
        first(attribute.fget, attribute.__get__), first(attribute.fset, attribute.__set__), attribute.fdel, attribute.__doc__
    )


_waiting: list[types.FunctionType] = []
_told_in_tuples: set[types.FunctionType] = set()
_asking_properties: set[str] = set()


def _ask_before_all():
    from rushlight.overrides import NEVER_ASKED

    while _waiting:
        function = _waiting.pop()
        if function.__name__ not in NEVER_ASKED:
            _ask_before(function)
    for name, attribute in vars(core.Tensor).items():
        if isinstance(attribute, property) and name not in _asking_properties:
            _asking_properties.add(name)
            _ask_before_property(attribute)
        elif _is_plain(attribute) and (name[0] != "_" or name.endswith("__")) and not _asks_itself(attribute):
            _ask_before(attribute)


def _is_plain(function):
    return type(function) is types.FunctionType and function.__closure__ is None


def _asks_itself(method):
    return "dispatch_torch_function" in method.__code__.co_names


def overridable(functions, in_tuples=False):
    """Has subclasses and modes asked before those of `functions` that are plain functions of Python; what is compiled asks itself. With
    `in_tuples` they are told tuples, even where the caller gave one tensor."""
    if in_tuples:
        _told_in_tuples.update(functions)
    _waiting.extend(filter(_is_plain, functions))
    core.before_first_subclass(_ask_before_all)


def _name_of(function):
    from rushlight.overrides import name_where_compiled

    return name_where_compiled(function)


core.asked.name_of = _name_of


def about_device(device, args, named):
    """What the innermost mode makes of a device."""
    from rushlight.overrides import _pop_mode_temporarily

    with _pop_mode_temporarily() as mode:
        return mode.__torch_function__(device, (), args, named)
