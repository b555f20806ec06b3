"""The multivariate normal distribution."""

import math

import rushlight as torch
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.utils import _standard_normal, lazy_property

__all__ = ["MultivariateNormal"]


def _batch_mv(bmat, bvec):
    """Matrices times vectors, both in batches that broadcast."""
    return torch.matmul(bmat, bvec.unsqueeze(-1)).squeeze(-1)


def _batch_mahalanobis(bL, bx):
    """x·(L Lᵀ)⁻¹·x for Cholesky factors `bL` and vectors `bx`, whose batches broadcast."""
    return torch.linalg.solve_triangular(bL, bx.unsqueeze(-1), upper=False).squeeze(-1).pow(2).sum(-1)


def _precision_to_scale_tril(P):
    """The Cholesky factor L of P⁻¹."""
    # Turned by half, the factor of P is the upper one U with P = U Uᵀ; then P⁻¹ = (U⁻¹)ᵀ U⁻¹, and (U⁻¹)ᵀ is lower.
    upper = torch.linalg.cholesky(P.flip(-2, -1)).flip(-2, -1)
    return torch.linalg.solve_triangular(upper, torch.eye(P.shape[-1], dtype=P.dtype, device=P.device), upper=True).mT


def _log_diagonal(matrix):
    """The sum of the logarithms of the diagonal: for a Cholesky factor half the logarithm of the determinant."""
    return matrix.diagonal(dim1=-2, dim2=-1).log().sum(-1)


class MultivariateNormal(Distribution):
    """Normal vectors with mean `loc` and a covariance Σ: the density is exp(-(x - loc)ᵀ Σ⁻¹ (x - loc) / 2) / sqrt(det(2 π Σ)).

    Args:
        loc: The means (*, n).
        covariance_matrix, precision_matrix, scale_tril: Σ (*, n, n), its inverse, or its lower Cholesky factor; exactly one is
            given.

    >>> import rushlight as torch
    >>> normal = torch.distributions.MultivariateNormal(torch.zeros(2), torch.tensor([[2.0, 1.0], [1.0, 2.0]]))
    >>> normal.log_prob(torch.zeros(2)), normal.scale_tril
    (tensor(-2.3872), tensor([[1.4142, 0.0000],
            [0.7071, 1.2247]]))
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc, covariance_matrix=None, precision_matrix=None, scale_tril=None, validate_args=None):
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        name, matrix = _given_matrix(covariance_matrix, precision_matrix, scale_tril)
        if matrix.dim() < 2:
            label = "scale_tril matrix" if name == "scale_tril" else name
            raise ValueError(f"{label} must be at least two-dimensional, with optional leading batch dimensions")
        batch_shape = torch.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand(batch_shape + (-1, -1)))
        self.loc = loc.expand(batch_shape + (-1,))
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = _factor_of(name, matrix)

    def expand(self, batch_shape, _instance=None):
        matrices = ("covariance_matrix", "precision_matrix", "scale_tril")
        new = self._expanded(MultivariateNormal, batch_shape, _instance, "loc", *matrices)
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        return new

    def _in_batch(self, matrix):
        return matrix.expand(self._batch_shape + self._event_shape + self._event_shape)

    @lazy_property
    def scale_tril(self):
        return self._in_batch(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self):
        return self._in_batch(torch.matmul(self._unbroadcasted_scale_tril, self._unbroadcasted_scale_tril.mT))

    @lazy_property
    def precision_matrix(self):
        return self._in_batch(torch.cholesky_inverse(self._unbroadcasted_scale_tril))

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        return self._unbroadcasted_scale_tril.pow(2).sum(-1).expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape=torch.Size()):
        eps = _standard_normal(self._extended_shape(sample_shape), dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + _batch_mv(self._unbroadcasted_scale_tril, eps)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        distance = _batch_mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - _log_diagonal(self._unbroadcasted_scale_tril)

    def entropy(self):
        half = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + _log_diagonal(self._unbroadcasted_scale_tril)
        return half if len(self._batch_shape) == 0 else half.expand(self._batch_shape)


def _given_matrix(covariance_matrix, precision_matrix, scale_tril):
    """The name and the value of the one of three matrices that is given."""
    matrices = {"scale_tril": scale_tril, "covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix}
    given = [(name, matrix) for name, matrix in matrices.items() if matrix is not None]
    if len(given) != 1:
        raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
    return given[0]


def _factor_of(name, matrix):
    """The Cholesky factor of the covariance that is given by the matrix called `name`."""
    if name == "scale_tril":
        return matrix
    return torch.linalg.cholesky(matrix) if name == "covariance_matrix" else _precision_to_scale_tril(matrix)
