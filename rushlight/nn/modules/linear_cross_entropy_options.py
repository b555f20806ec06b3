"""How `linear_cross_entropy` may compute in pieces."""

import rushlight as torch

__all__ = ["LinearCrossEntropyOptions"]

_DTYPES = (None, torch.float16, torch.bfloat16, torch.float32, torch.float64)


class LinearCrossEntropyOptions:
    """How `linear_cross_entropy` may compute in pieces of a batch, to use less memory; here it computes the whole, with the same result.

    Args:
        allow_retain_graph: whether backward may run twice.
        batch_chunk_size: how many samples a piece has.
        chunking_method: "auto", "batch" or None.
        acc_policy: "accurate", "balanced", "compact" or "auto": what sums are kept in.
        acc_dtype: the dtype of sums, where not the policy decides.
    """

    def __init__(
        self, allow_retain_graph=False, batch_chunk_size=None, chunking_method="auto", acc_policy="auto", acc_dtype=None
    ):
        if batch_chunk_size is not None and not (isinstance(batch_chunk_size, int) and batch_chunk_size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {batch_chunk_size!r}")
        if chunking_method not in ("auto", "batch", None):
            raise ValueError(f"invalid chunking_method: {chunking_method!r}")
        if acc_policy not in ("accurate", "balanced", "compact", "auto"):
            raise ValueError(f"invalid acc_policy: {acc_policy!r}")
        if acc_dtype not in _DTYPES:
            names = ", ".join(map(str, _DTYPES))
            raise ValueError(
                f"acc_dtype must be one of {{{names}}}, got {acc_dtype}. Pass acc_dtype=None to let the op pick automatically."
            )
        self.allow_retain_graph, self.batch_chunk_size = allow_retain_graph, batch_chunk_size
        self.chunking_method, self.acc_policy, self.acc_dtype = chunking_method, acc_policy, acc_dtype

    def __repr__(self):
        return f"LinearCrossEntropyOptions({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def __eq__(self, other):
        return type(other) is type(self) and vars(self) == vars(other)

    __hash__ = None
