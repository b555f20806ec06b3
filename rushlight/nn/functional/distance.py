"""Similarity and distance of vectors."""

import rushlight as torch
from rushlight.core import unwrapped
from rushlight.ops._parsers import signed
from rushlight.ops.broadcasting import broadcast_two
from rushlight.ops.norms import older_norm, pdist

__all__ = ["cosine_similarity", "pairwise_distance", "pdist"]


@signed("Tensor x1, Tensor x2, int dim=1, float eps=1e-08")
def cosine_similarity(x1, x2, dim=1, eps=1e-08):
    """x1 · x2 / (max(|x1|, eps) * max(|x2|, eps)) along `dim`, broadcast.

    >>> import rushlight as torch
    >>> torch.nn.functional.cosine_similarity(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]]))
    tensor([0.])
    """
    dtype = torch.result_type(x1, x2)
    if not dtype.is_floating_point:
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {dtype.legacy_name}")
    # (Only integers are converted: the norm of a half tensor is a half.)
    x1, x2 = (x if x.dtype.is_floating_point else x.to(dtype) for x in (x1, x2))
    shape = broadcast_two(tuple(x1.shape), tuple(x2.shape))
    x1, x2 = (x.expand(shape) if x.shape != shape else x for x in (x1, x2))
    norms = [torch.linalg.vector_norm(x, 2, dim, keepdim=True).clone() for x in (x1, x2)]
    # The limit is no part of the graph: a zero vector has the gradient of a division by eps.
    with torch.no_grad():
        for norm in norms:
            norm.clamp_min_(eps)
    return ((x1 / norms[0]) * (x2 / norms[1])).sum(dim)


@signed("Tensor x1, Tensor x2, float p=2, float eps=1e-06, bool keepdim=False")
def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """The p-norm of x1 - x2 + eps over the last dimension."""
    with unwrapped:
        return older_norm(x1 - x2 + eps, float(p), -1, keepdim)
