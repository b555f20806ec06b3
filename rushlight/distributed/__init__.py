"""Programs of several processes, run by one: a group of one process communicates with itself; more are an error."""

from rushlight._late import late as _late
from rushlight.distributed.distributed_c10d import *
from rushlight.distributed.distributed_c10d import (
    DebugLevel,
    DistBackendError,
    DistError,
    DistNetworkError,
    DistStoreError,
    FileStore,
    QueueEmptyError,
    RedOpType,
    TCPStore,
    _all_gather_base,
    _get_default_group,
    _rank_not_in_group,
    _reduce_scatter_base,
    default_pg_timeout,
)


def is_available() -> bool:
    """True: there is a group, of one process.

    >>> import rushlight as torch
    >>> torch.distributed.is_available() and not torch.distributed.is_initialized()
    True
    """
    return True


def get_debug_level():
    """How much is told: a `DebugLevel`.

    >>> import rushlight as torch
    >>> torch.distributed.get_debug_level()
    <DebugLevel.OFF: 0>
    """
    return DebugLevel.OFF


_PARTS = (
    "_composable", "_functional_collectives", "_tensor", "algorithms", "checkpoint", "constants", "device_mesh", "fsdp", "nn", "optim", "rpc",
    "tensor",
)  # fmt: skip
__getattr__ = _late(
    __name__,
    {
        **{name: f"{__name__}.{name}" for name in _PARTS},
        "DeviceMesh": f"{__name__}.device_mesh:DeviceMesh",
        "init_device_mesh": f"{__name__}.device_mesh:init_device_mesh",
    },
)
