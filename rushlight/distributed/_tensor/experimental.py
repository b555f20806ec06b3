"""Older names of tensor.experimental."""

from rushlight.distributed.tensor.experimental import context_parallel, implicit_replication, local_map

__all__ = ["context_parallel", "implicit_replication", "local_map"]
