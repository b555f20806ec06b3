"""Names of what prints tensors."""

import contextlib

from rushlight._printing import _options as PRINT_OPTS
from rushlight._printing import get_printoptions, set_printoptions

__all__ = ["PRINT_OPTS", "get_printoptions", "printoptions", "set_printoptions"]


@contextlib.contextmanager
def printoptions(**kwargs):
    """Options of `set_printoptions` that hold inside.

    >>> import rushlight as torch
    >>> with torch._tensor_str.printoptions(precision=2):
    ...     print(torch.tensor(1.2345))
    tensor(1.23)
    """
    before = get_printoptions()
    set_printoptions(**kwargs)
    try:
        yield
    finally:
        vars(PRINT_OPTS).update(before)


def _tensor_str(self, indent):
    """The elements, as they are printed."""
    from rushlight._printing import _contents

    return _contents(self, indent)
