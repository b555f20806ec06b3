"""Names for programs that index with tensors while they are read by a compiler."""

from rushlight.overrides import TorchFunctionMode

__all__ = ["TransformGetItemToIndex"]


class TransformGetItemToIndex(TorchFunctionMode):
    """A mode in which x[i] with tensors of no dimensions is indexing by tensors, which it is for every tensor here."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))
