"""Calls in other processes, of which there are none."""

from rushlight.distributed._one_process import classes, functions

__all__ = [
    "RRef",
    "RpcBackendOptions",
    "TensorPipeRpcBackendOptions",
    "WorkerInfo",
    "get_worker_info",
    "init_rpc",
    "is_available",
    "remote",
    "rpc_async",
    "rpc_sync",
    "shutdown",
]

globals().update(classes(__name__, "RRef", "RpcBackendOptions", "TensorPipeRpcBackendOptions", "WorkerInfo"))
globals().update(functions(__name__, "get_worker_info", "init_rpc", "remote", "rpc_async", "rpc_sync", "shutdown"))


def is_available() -> bool:
    """False.

    >>> import rushlight as torch
    >>> torch.distributed.rpc.is_available()
    False
    """
    return False
