"""How a tensor lies on a grid of processes."""

from dataclasses import dataclass

__all__ = ["Partial", "Placement", "Replicate", "Shard"]


class Placement:
    """How a tensor lies along one dimension of a grid.

    >>> import rushlight as torch
    >>> torch.distributed.tensor.Replicate().is_replicate(), torch.distributed.tensor.Shard(0).is_replicate()
    (True, False)
    """

    def is_shard(self, dim=None):
        """Whether each process has a part, along a dimension."""
        return isinstance(self, Shard) and (dim is None or self.dim == dim)

    def is_replicate(self):
        """Whether each process has all of it."""
        return isinstance(self, Replicate)

    def is_partial(self, reduce_op=None):
        """Whether the tensor is the sum of what processes have."""
        return isinstance(self, Partial) and (reduce_op is None or self.reduce_op == reduce_op)


@dataclass(frozen=True)
class Shard(Placement):
    """Each process has a part, along a dimension.

    Args:
        dim: The dimension.

    >>> import rushlight as torch
    >>> torch.distributed.tensor.Shard(0).is_shard(0), torch.distributed.tensor.Shard(0).is_shard(1)
    (True, False)
    """

    dim: int


@dataclass(frozen=True)
class _StridedShard(Placement):
    dim: int
    split_factor: int = 1


@dataclass(frozen=True)
class Replicate(Placement):
    """Each process has all of it.

    >>> import rushlight as torch
    >>> torch.distributed.tensor.Replicate()
    Replicate()
    """


@dataclass(frozen=True)
class Partial(Placement):
    """The tensor is the sum of what processes have, or another reduction of it.

    Args:
        reduce_op: How they become one: "sum", "avg", "min", "max", …

    >>> import rushlight as torch
    >>> torch.distributed.tensor.Partial("sum").is_partial()
    True
    """

    reduce_op: str = "sum"
