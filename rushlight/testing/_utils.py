"""For tests of what draws random numbers."""

import rushlight as torch


def wrapper_set_seed(op, *args, **kwargs):
    """`op(*args, **kwargs)` from the seed 42; the generator is as before afterwards.

    >>> from rushlight.testing._utils import wrapper_set_seed
    >>> wrapper_set_seed(torch.rand, 2)
    tensor([0.8823, 0.9150])
    """
    with torch.random.fork_rng():
        torch.manual_seed(42)
        return op(*args, **kwargs)


def freeze_rng_state(*args, **kwargs):
    """A context behind which the generator is as before."""
    return torch.random.fork_rng(*args, **kwargs)
