"""How `linear_cross_entropy` may compute in pieces."""

import dataclasses

import rushlight as torch

__all__ = ["LinearCrossEntropyOptions"]

_POLICIES = ("accurate", "balanced", "compact", "auto")
_DTYPES = (None, torch.float16, torch.bfloat16, torch.float32, torch.float64)
_HALVES = (torch.float16, torch.bfloat16)


def _divisor(method):
    """What "aspect_ratio" or "aspect_ratio:N" divides the size of a piece by; None where a method is neither."""
    name, colon, factor = method.partition(":")
    if not colon:
        factor = "1"
    return int(factor) if name == "aspect_ratio" and factor.isdigit() and int(factor) > 0 else None


@dataclasses.dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """How `linear_cross_entropy` computes in pieces of a batch, so that it never holds the scores of all samples.

    Args:
        allow_retain_graph: whether backward may run twice; otherwise it uses up the gradients that the call has made.
        batch_chunk_size: how many samples a piece has.
        chunking_method: what chooses the size of a piece: "aspect_ratio" (as many samples as take the memory of all inputs),
            "aspect_ratio:N" (an Nth of them), "auto", or None for `batch_chunk_size`.
        acc_policy: what is kept in `acc_dtype`, "accurate", "balanced", "compact" or "auto"; here all that is summed is.
        acc_dtype: the dtype of sums; by default that of the input, or float32 for halves under the policy "auto".

    >>> import rushlight as torch
    >>> options = torch.nn.LinearCrossEntropyOptions(batch_chunk_size=2, chunking_method=None)
    >>> loss = torch.nn.LinearCrossEntropyLoss(8, 100, options=options)
    >>> loss(torch.zeros(4, 8), torch.arange(4)).item()
    4.605170249938965
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: torch.dtype | None = None

    def __post_init__(self):
        if self.acc_policy not in _POLICIES:
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method not in (None, "auto") and _divisor(self.chunking_method) is None:
            raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")
        if self.acc_dtype not in _DTYPES:
            raise ValueError(
                f"acc_dtype must be one of {{{', '.join(map(str, _DTYPES))}}}, got {self.acc_dtype!r}. Pass acc_dtype=None to let the "
                "op pick automatically."
            )

    def _adjust(self, num_batches, in_features, num_classes, dtype, device=None):
        """These options with nothing left to choose, for a call of these sizes."""
        on_cpu = device is not None and device.type == "cpu" and dtype in _HALVES
        policy, method, size = self.acc_policy, self.chunking_method, self.batch_chunk_size
        if policy == "auto":
            policy = "accurate" if on_cpu else "compact"
        if method == "auto":
            method = None if size is not None else "aspect_ratio" if on_cpu else "aspect_ratio:2"
        chosen = num_batches if size is None else min(size, num_batches)
        if method is not None:
            share = -(-num_batches // -(-num_classes // in_features))
            chosen = min((1 << (share - 1).bit_length()) // _divisor(method), num_batches)
            if size is not None and size != chosen:
                raise ValueError(
                    f"batch_chunk_size (={size}) and chunking_method ('{method}') give different chunk sizes ({size} vs {chosen}); "
                    "pass only one."
                )
        wide = torch.float32 if self.acc_policy == "auto" and on_cpu else dtype
        return dataclasses.replace(
            self,
            acc_policy=policy,
            chunking_method=method,
            batch_chunk_size=max(1, chosen),
            acc_dtype=wide if self.acc_dtype is None else self.acc_dtype,
        )
