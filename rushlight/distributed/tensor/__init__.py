"""Tensors that lie on several processes, of which there is one."""

from rushlight.distributed._one_process import classes, functions

from rushlight.distributed.device_mesh import DeviceMesh, init_device_mesh
from rushlight.distributed.tensor.placement_types import Partial, Placement, Replicate, Shard, _StridedShard

__all__ = [
    "DTensor",
    "Partial",
    "Placement",
    "Replicate",
    "Shard",
    "distribute_module",
    "distribute_tensor",
    "empty",
    "full",
    "ones",
    "rand",
    "randn",
    "zeros",
]

globals().update(classes(__name__, "DTensor"))
globals().update(functions(__name__, "distribute_module", "distribute_tensor", "empty", "full", "ones", "rand", "randn", "zeros"))
