"""Python's pool, whose queues share tensors as they are."""

from multiprocessing.pool import Pool

__all__ = ["Pool"]
