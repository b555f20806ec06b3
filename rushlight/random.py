"""Random numbers: the names of `torch.random`."""

from threading import local

from rushlight import core
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


# ---------------------------------------------------------------------------------------------------------- seldom asked of generators
def refusing(error):
    def method(self, *given):
        raise error

    return method


def reduced(self):
    """What pickle stores."""
    return Generator, (core.device("cpu"),), (self.initial_seed(), None, self.get_state())


def take_up(self, state):
    """Goes on as a pickled one."""
    first, _, source = state  # (the second is an offset, which generators of other devices have)
    self.manual_seed(first).set_state(source)


_no_graph = "{} is not supported in this Generator"
for _name, _method in {
    "graphsafe_get_state": refusing(NotImplementedError(_no_graph.format("graphsafe_get_state"))),
    "graphsafe_set_state": refusing(NotImplementedError(_no_graph.format("graphsafe_set_state"))),
    "get_offset": refusing(RuntimeError("CPU Generator does not use offset")),
    "set_offset": refusing(RuntimeError("CPU Generator does not use offset")),
    "__reduce__": reduced,
    "__setstate__": take_up,
}.items():
    core.install_method(_name, _method, Generator)
