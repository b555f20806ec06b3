"""Which part of a tensor a process has."""

from rushlight.distributed._one_process import functions

__all__ = ["compute_global_tensor_info", "compute_local_shape_and_global_offset"]

globals().update(functions(__name__, "compute_global_tensor_info", "compute_local_shape_and_global_offset"))
