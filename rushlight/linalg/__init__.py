"""Linear algebra under the names of `torch.linalg`."""

from rushlight.linalg._norms import diagonal, matrix_norm, norm, vander
from rushlight.ops.decomposition import LinAlgError
from rushlight.ops._declare import namespaces as _namespaces

globals().update(_namespaces["linalg"])
