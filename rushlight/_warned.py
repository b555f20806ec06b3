"""Warnings that speak of the user's line, or come only once; errors that name their section of docs/errors.md. Plain Python that the core imports."""

import os
import sys

FOLDER = os.path.dirname(str(sys.modules["rushlight"].__file__)) + os.sep
"""Files below are the package's own."""

ERRORS_PAGE = "docs/errors.md"  # what an error means and what helps, in a section of its own

_warned: set = set()
_always = False


def set_warns_always(always):
    """Whether warnings that come only once come every time."""
    global _always
    _always = always


def warn_user(text, kind=UserWarning):
    """Warns at the line of the program that called into this package."""
    import warnings

    from rushlight import core

    core.note_warning()
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith((FOLDER, "<frozen ")):
        frame = frame.f_back
    names = frame.f_globals
    registry = names.setdefault("__warningregistry__", {})
    warnings.warn_explicit(text, kind, frame.f_code.co_filename, frame.f_lineno, names.get("__name__", "<string>"), registry)


def warn_once(text, key=None):
    """Warns the first time that it is given this text (or this key)."""
    key = text if key is None else key
    if _always or key not in _warned:
        _warned.add(key)
        warn_user(text)


def warn_of_number():
    """Once, where a number is made of a tensor that is tracked."""
    warn_once(
        "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\nConsider using tensor.detach() first."
    )


def warn_of_layout(gradient, variable):
    """Once for sums in place, and once for recorded ones."""
    from rushlight import core

    text = "grad and param do not obey the gradient layout contract. This is not an error, but may impair performance.\n"
    for name, t in (("grad", gradient), ("param", variable)):
        text += f"{name}.sizes() = {list(t.shape)}, strides() = {list(t.stride())}\n"
    warn_once(text, ("layout", core.is_grad_enabled()))


def documented(error, section):
    """An error that names its section of that page."""
    error.add_note(f"  {ERRORS_PAGE}#{section}")
    return error
