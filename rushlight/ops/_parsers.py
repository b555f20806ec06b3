"""Public names get their parsers: what is called by them is checked first. See core/arguments.pxi."""

from rushlight import core
from rushlight.ops import _arguments  # noqa: F401  (the slow way through)
from rushlight.ops._signatures import FUNCTIONS, method_signatures


def add_parsers(names, prefix="", only=None):
    """Puts parsers before the functions of a namespace (a dict, changed in place); errors speak of them with `prefix` before the name."""
    for name in only or list(names):
        made, title = names[name], prefix + name
        if title not in FUNCTIONS or isinstance(made, type | core.Function) or not callable(made):
            continue
        if isinstance(made, core.Op) and made.parser is None and made.name == title:
            made.parser = core.Parser(title, False)
        elif not (isinstance(made, core.Op) and made.parser is not None and made.parser.name == title):
            names[name] = core.Function(name, made, core.Parser(title, False))


def method_with_parser(name, made):
    """A method of tensors as programs find it."""
    if isinstance(made, property | staticmethod | classmethod | core.Function) or not callable(made):
        return made
    return made if method_signatures(name) is None else core.Method(name, made, core.Parser(name, True))
