"""What a tensor is, what a graph is, and how backward walks it."""

import os

from rushlight.core._installed import continue_as_installed

continue_as_installed()

# OpenBLAS starts a thread for each core when it is loaded, unless told otherwise. The work is split over this package's own threads, so
# it is told; whatever the user set for other libraries is put back.
_given = os.environ.get("OPENBLAS_NUM_THREADS")
os.environ["OPENBLAS_NUM_THREADS"] = "1"
try:
    from rushlight.core._core import *
finally:
    if _given is None:
        del os.environ["OPENBLAS_NUM_THREADS"]
    else:
        os.environ["OPENBLAS_NUM_THREADS"] = _given
