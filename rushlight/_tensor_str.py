"""Names of what prints tensors."""

from rushlight._printing import _options as PRINT_OPTS
from rushlight._printing import set_printoptions

__all__ = ["PRINT_OPTS", "set_printoptions"]


def _tensor_str(self, indent):
    """The elements, as they are printed."""
    from rushlight._printing import _contents

    return _contents(self, indent)
