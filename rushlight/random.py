"""Random numbers: the names of `torch.random`."""

from threading import local

from rushlight.core import Generator, default_generator  # noqa: F401 (PyTorch's module has them too)
from rushlight.ops.random import fork_rng, get_rng_state, initial_seed, manual_seed, seed, set_rng_state

__all__ = ["fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state", "thread_safe_generator"]

_of_thread = local()


def thread_safe_generator():
    """The generator that belongs to this thread, in a thread that loads data; None elsewhere, where it is the default one.

    >>> import rushlight as torch
    >>> torch.random.thread_safe_generator() is None
    True
    """
    return getattr(_of_thread, "generator", None)
