"""Processes with different amounts of data."""

__all__ = ["Join", "JoinHook", "Joinable"]


class JoinHook:
    """What a process that has no more data does while others have."""

    def main_hook(self):
        """Called once for each step of the others."""

    def post_hook(self, is_last_joiner):
        """Called when no process has data."""


class Joinable:
    """What can take part in `Join`."""

    def join_hook(self, **kwargs):
        """Its JoinHook."""
        raise NotImplementedError


class Join:
    """A context in which processes may have different amounts of data: with one process there is nothing to wait for."""

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
