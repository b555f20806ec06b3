"""The parts of `DataLoader`: collating, fetching, and what runs in workers."""

MP_STATUS_CHECK_INTERVAL = 5.0
"""Seconds after which a worker that waits looks whether its parent is alive, and that a parent waits for a worker to end."""

from rushlight.utils.data._utils import collate, fetch, pin_memory, worker
