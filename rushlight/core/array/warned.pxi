# Warnings that speak of the user's line, and those that a program gets only once.
cdef set _warned = set()
cdef bint warns_always = False

def set_warns_always(bint always):
    """Whether warnings that come only once come every time."""
    global warns_always
    warns_always = always

def warn_user(str text, kind=UserWarning):
    """Warns at the line of the program that called into this package."""
    import sys
    import warnings
    not_again("it warns")
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith((package_folder, "<frozen ")):
        frame = frame.f_back
    names = frame.f_globals
    warnings.warn_explicit(text, kind, frame.f_code.co_filename, frame.f_lineno, names.get("__name__", "<string>"),
                           names.setdefault("__warningregistry__", {}))

def warn_once(str text, key=None):
    """Warns the first time that it is given this text (or this key)."""
    key = text if key is None else key
    if warns_always or key not in _warned:
        _warned.add(key)
        warn_user(text)

cdef warn_of_number():
    warn_once("Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\nConsider using tensor.detach() first.")

cdef warn_of_layout(Tensor gradient, Tensor variable):
    """Once for sums in place, and once for recorded ones."""
    cdef str text = "grad and param do not obey the gradient layout contract. This is not an error, but may impair performance.\n"
    for name, t in (("grad", gradient), ("param", variable)):
        text += f"{name}.sizes() = {list(t.shape)}, strides() = {list(t.stride())}\n"
    warn_once(text, ("layout", bool(modes.grad)))


cdef str package_folder = ""

def set_package_folder(str folder):
    """Files below `folder` are the package's own: provenance looks past them."""
    global package_folder
    package_folder = folder
    rl_set_package_folder(folder)

ERRORS_PAGE = "docs/errors.md"     # what an error means and what helps, in a section of its own

cpdef documented(error, str section):
    """An error that names its section of that page."""
    error.add_note(f"  {ERRORS_PAGE}#{section}")
    return error
