"""Similarity and distance as modules."""

from .. import functional as F
from .module import Module

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class CosineSimilarity(Module):
    """x1 · x2 / (max(|x1|, eps) * max(|x2|, eps)): the cosine of the angle between vectors along `dim`.

    Shapes: (*, D, *) twice, broadcast; output (*, *).

    Args:
        dim: The vectors' dimension.
        eps: What their lengths are at least, against division by zero.

    >>> import rushlight as torch
    >>> torch.nn.CosineSimilarity()(torch.tensor([[2.0, 0.0], [1.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, 3.0]]))
    tensor([1.0000, 0.7071])
    """

    def __init__(self, dim=1, eps=1e-8):
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1, x2):
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The p-norm of x1 - x2 + eps over the last dimension: the distance of vectors.

    Shapes: (N, D) or (D) twice, broadcast; output (N) or (), with `keepdim` (N, 1) or (1).

    Args:
        p: The norm's degree, which may be negative.
        eps: Added to each difference, against a norm of 0 without a gradient.
        keepdim: Whether the last dimension stays, with size 1.

    >>> import rushlight as torch
    >>> torch.nn.PairwiseDistance()(torch.tensor([[3.0, 0.0], [0.0, 0.0]]), torch.tensor([[0.0, 4.0], [0.0, 2.0]]))
    tensor([5.0000, 2.0000])
    """

    def __init__(self, p=2.0, eps=1e-6, keepdim=False):
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1, x2):
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
