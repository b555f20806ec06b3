"""Names of what is behind calls."""

import functools


def _require_initialized(func):
    """A function that needs other processes: it raises."""

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        raise RuntimeError("RPC has not been initialized. Call torch.distributed.rpc.init_rpc first.")

    return wrapper
