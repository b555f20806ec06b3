"""Contexts inside of which nobody is asked about calls: no subclasses of tensors, no modes. Plain Python that the core imports."""

from threading import local

of_thread = local()
"""How many contexts the thread is in: `depth` of those without subclasses, `whole` of those without modes too, `undispatched` without classes
that compute ops."""


class DisableTorchFunction:
    """Inside, subclasses are not asked."""

    def __enter__(self):
        of_thread.depth = getattr(of_thread, "depth", 0) + 1

    def __exit__(self, *exc):
        of_thread.depth -= 1


class DisableAllTorchFunction(DisableTorchFunction):
    """Inside, neither subclasses nor modes are asked."""

    def __enter__(self):
        from rushlight import core

        super().__enter__()
        of_thread.whole = getattr(of_thread, "whole", 0) + 1
        self.before = core.use_function_modes([])

    def __exit__(self, *exc):
        from rushlight import core

        core.use_function_modes(self.before)
        of_thread.whole -= 1
        super().__exit__(*exc)


class DisableTorchDispatch:
    """Inside, no class computes ops itself."""

    def __enter__(self):
        of_thread.undispatched = getattr(of_thread, "undispatched", 0) + 1

    def __exit__(self, *exc):
        of_thread.undispatched -= 1


def torch_function_state():
    """Who is not asked in this thread: 0 all are, 1 subclasses are not, 2 nor are modes."""
    return 2 if getattr(of_thread, "whole", 0) else int(getattr(of_thread, "depth", 0) > 0)


def set_torch_function_state(state):
    """Has subclasses (1) or modes too (2) not asked in this thread, or all (0), whatever contexts it is in."""
    of_thread.depth, of_thread.whole = int(state > 0), int(state == 2)
