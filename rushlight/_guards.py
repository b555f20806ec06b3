"""The compiler's state, of which packages ask whether it is at work: it never is."""

__all__ = ["TracingContext", "active_fake_mode", "detect_fake_mode"]


class TracingContext:
    """What a compiler knows while it reads a program: there is none."""

    @staticmethod
    def try_get():
        """None."""

    @staticmethod
    def get():
        """Raises: nothing is being read."""
        raise RuntimeError("TracingContext.get() must be called within an ongoing trace.")


def active_fake_mode():
    """None: the mode of tensors without values."""


def detect_fake_mode(inputs=None):
    """None: the mode to which tensors without values belong."""
