"""Linear algebra under the names of `torch.linalg`."""

from rushlight.linalg._norms import diagonal, matrix_norm, norm, vander
from rushlight import ops as _ops
from rushlight._late import late as _late
from rushlight.ops._declare import namespaces as _namespaces
from rushlight.ops._parsers import add_parsers as _add_parsers
from rushlight.ops._matrices import LinAlgError

globals().update(_namespaces["linalg"])
_add_parsers(globals(), "linalg_")
__getattr__ = _late(__name__, {}, namespace="linalg")


def __dir__():
    _ops.declare_all()
    return sorted({*globals(), *_namespaces["linalg"]})
