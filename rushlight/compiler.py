"""What programs ask about compilation, of which there is none: every function runs as it is written."""

__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "list_backends",
    "reset",
]


def is_compiling() -> bool:
    """False: nothing is being compiled."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def disable(fn=None, recursive=True, *, reason=None):
    """The function itself, or a decorator that returns it: it is not compiled anyway.

    >>> from rushlight import compiler
    >>> compiler.disable(len)([1, 2])
    2
    """
    return (lambda function: function) if fn is None else fn


def allow_in_graph(fn):
    """The function itself."""
    return fn


assume_constant_result = allow_in_graph


def list_backends(exclude_tags=("debug", "experimental")) -> list[str]:
    """No compilers."""
    return []


def reset() -> None:
    """Does nothing: nothing is kept."""
