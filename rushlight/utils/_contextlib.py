"""Context managers that decorate, by the names under which packages derive their own."""

from rushlight.autograd.grad_mode import ModeDecorator as _DecoratorContextManager
from rushlight.autograd.grad_mode import OptionalCall as _NoParamDecoratorContextManager

__all__ = ["_DecoratorContextManager", "_NoParamDecoratorContextManager", "context_decorator"]


class _Made(_DecoratorContextManager):
    """What decorates with the contexts that a function makes."""

    def __init__(self, make):
        self.clone = make


def context_decorator(ctx, func):
    """`func`, each call of it within `ctx`: a context manager, or a function that makes one."""
    if callable(ctx) and hasattr(ctx, "__enter__"):
        raise AssertionError(
            f"Passed in {ctx} is both callable and also a valid context manager (has __enter__), making it ambiguous which interface to use. "
            "If you intended to pass a context manager factory, rewrite your call as context_decorator(lambda: ctx()); if you intended to "
            "pass a context manager directly, rewrite your call as context_decorator(lambda: ctx)"
        )
    return _Made(ctx if callable(ctx) else lambda: ctx)(func)
