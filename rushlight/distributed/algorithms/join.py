"""Processes with different amounts of data."""

__all__ = ["Join", "JoinHook", "Joinable"]


class JoinHook:
    """What a process that has no more data does while others have.

    >>> import rushlight as torch
    >>> torch.distributed.algorithms.JoinHook().main_hook()
    """

    def main_hook(self):
        """Called once for each step of the others."""

    def post_hook(self, is_last_joiner):
        """Called when no process has data."""


class Joinable:
    """What can take part in `Join`.

    >>> import rushlight as torch
    >>> issubclass(torch.nn.parallel.DistributedDataParallel, torch.distributed.algorithms.Joinable)
    True
    """

    def join_hook(self, **kwargs):
        """Its JoinHook."""
        raise NotImplementedError


class Join:
    """A context in which processes may have different amounts of data: with one process there is nothing to wait for.

    Args:
        joinables: What takes part, a list of `Joinable`.
        enable: Whether anything is done.
        throw_on_early_termination: Whether the end of one process's data is an error for all.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 1))
    >>> with torch.distributed.algorithms.join.Join([model]): model(torch.ones(3, 2)).shape
    torch.Size([3, 1])
    >>> torch.distributed.destroy_process_group()
    """

    def __init__(self, joinables, enable=True, throw_on_early_termination=False, **kwargs):
        if len(joinables) == 0:
            raise ValueError("The join context manager requires at least one joinable")

    def __enter__(self):
        return None

    def __exit__(self, type, value, traceback):
        return None

    @staticmethod
    def notify_join_context(joinable):
        """None: nobody waits."""
        return None
