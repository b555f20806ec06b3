"""Public names get their parsers: what is called by them is checked first. See core/calls/arguments.pxi."""

from rushlight import core
from rushlight.ops import _arguments  # noqa: F401  (the slow way)
from rushlight.ops._signatures import FUNCTIONS, NEVER_ASKED, TAKES_DATA, has_method


def document(called):
    from rushlight.ops._manual import document  # (read when somebody asks)

    return document(called)


def signature_of(called):
    from rushlight.ops._manual import signature_of

    return signature_of(called)


core.asked.document, core.asked.signature_of = document, signature_of


def add_parsers(names, prefix="", only=None, titles=None):
    """Puts parsers before the functions of a namespace (a dict, changed in place). Errors speak of them with `prefix` before the name, or
    as `titles` has it. With `only`, these alone, and also those that are not public by that name."""
    for name in only or list(names):
        made, title = names[name], (titles or {}).get(name, prefix + name)
        if titles and name in titles:
            FUNCTIONS.setdefault(title, FUNCTIONS.get(name))
        if title not in FUNCTIONS or isinstance(made, type) or not callable(made):
            continue
        if isinstance(made, core.Function):
            if made.parser.name == title:
                continue
            made = made.target
        if isinstance(made, core.Op) and made.parser is None and (made.name == title or only is not None):
            made.parser = core.Parser(title)
        elif not (isinstance(made, core.Op) and made.parser is not None and made.parser.name == title):
            names[name] = core.Function(name, made, core.Parser(title, takes_data=title in TAKES_DATA))


def signed(text, prefix=""):
    """A decorator for functions outside the table: `add_parsers` lets their arguments be checked by the signatures of `text`."""

    def declare(function):
        FUNCTIONS[prefix + function.__name__] = text
        return function

    return declare


def method_with_parser(name, made):
    """A method of tensors as programs find it."""
    if isinstance(made, property | staticmethod | classmethod | core.Function) or not callable(made):
        return made
    return (
        core.Method(name, made, core.Parser(name, is_method=True, never_asked=name in NEVER_ASKED)) if has_method(name) else made
    )
