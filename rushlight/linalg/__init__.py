"""Linear algebra under the names of `torch.linalg`."""

from rushlight.linalg._norms import diagonal, matrix_norm, norm, vander
from rushlight.ops._declare import namespaces as _namespaces
from rushlight.ops._matrices import LinAlgError

globals().update(_namespaces["linalg"])
