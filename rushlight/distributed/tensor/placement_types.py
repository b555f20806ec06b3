"""How a tensor lies on a grid of processes."""

from dataclasses import dataclass

__all__ = ["Partial", "Placement", "Replicate", "Shard"]


class Placement:
    """How a tensor lies along one dimension of a grid."""

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
    """Each process has a part, along a dimension."""

    dim: int


@dataclass(frozen=True)
class _StridedShard(Placement):
    dim: int
    split_factor: int = 1


@dataclass(frozen=True)
class Replicate(Placement):
    """Each process has all of it."""


@dataclass(frozen=True)
class Partial(Placement):
    """The tensor is the sum of what processes have, or another reduction of it."""

    reduce_op: str = "sum"
