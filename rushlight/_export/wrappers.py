"""Decorators for what an exporter would see; without one they change nothing."""

import functools

__all__ = ["mark_subclass_constructor_exportable_experimental"]


def mark_subclass_constructor_exportable_experimental(constructor_subclass):
    """A constructor of a class of tensors that an exporter would record: nothing is exported, so it is called.

    Raises:
        RuntimeError: It is no `__init__`.
    """
    if getattr(constructor_subclass, "__name__", None) != "__init__":
        raise RuntimeError(
            "torch._export.wrappers.mark_constructor_exportable_experimental can only be applied on subclass tensor.__init__"
            f"But, you are adding it on {constructor_subclass.__name__} which is not supported. "
            "If __init__ doesn't exist on your subclass, please add it. Look at DTensor.__init__ implementation for example"
        )

    @functools.wraps(constructor_subclass)
    def wrapper(*args, **kwargs):
        constructor_subclass(*args, **kwargs)

    return wrapper
