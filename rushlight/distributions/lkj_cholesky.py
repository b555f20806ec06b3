"""Cholesky factors of random correlation matrices."""

import math

import rushlight as torch
from rushlight.distributions import constraints
from rushlight.distributions.beta import Beta
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.utils import broadcast_all

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """Cholesky factors of `dim` × `dim` correlation matrices with a density proportional to det^(concentration - 1).

    `concentration` 1 is the uniform distribution, more draws towards the identity (Lewandowski, Kurowicka & Joe, 2009).

    Raises:
        ValueError: `dim` is less than 2.

    >>> import rushlight as torch
    >>> factor = torch.distributions.LKJCholesky(3, 0.5).sample()
    >>> torch.allclose((factor @ factor.T).diagonal(), torch.ones(3))
    True
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim, concentration=1.0, validate_args=None):
        if dim < 2:
            raise ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        batch_shape = self.concentration.size()
        # The squared length of what row i has left of the diagonal is beta distributed (the onion method of the article).
        marginal = self.concentration + 0.5 * (self.dim - 2)
        offset = torch.arange(self.dim - 1, dtype=self.concentration.dtype, device=self.concentration.device)
        offset = torch.cat([offset.new_zeros((1,)), offset])
        self._beta = Beta(offset + 0.5, marginal.unsqueeze(-1) - 0.5 * offset)
        super().__init__(batch_shape, torch.Size((dim, dim)), validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._get_checked_instance(LKJCholesky, _instance)
        batch_shape = torch.Size(batch_shape)
        new.dim, new.concentration = self.dim, self.concentration.expand(batch_shape)
        new._beta = self._beta.expand(batch_shape + (self.dim,))
        self._take_shape(new, batch_shape)
        return new

    def sample(self, sample_shape=torch.Size()):
        squared = self._beta.sample(sample_shape).unsqueeze(-1)
        directions = torch.randn(
            self._extended_shape(sample_shape), dtype=self._beta.concentration1.dtype, device=self._beta.concentration1.device
        ).tril(-1)
        directions = directions / directions.norm(dim=-1, keepdim=True)
        directions[..., 0, :].fill_(0.0)  # The first row has nothing left of its diagonal.
        rows = torch.sqrt(squared) * directions
        rest = torch.clamp(1 - torch.sum(rows**2, dim=-1), min=torch.finfo(rows.dtype).tiny)
        return rows + torch.diag_embed(rest.sqrt())

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        # The determinant and the change from matrices to factors: a power of each element of the diagonal but the first.
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        below = self.dim - torch.arange(2, self.dim + 1, device=self.concentration.device)
        power = 2 * (self.concentration - 1).unsqueeze(-1) + below
        unnormalized = torch.sum(power * diagonal.log(), dim=-1)
        # The article's constant, page 1999: a quotient of multivariate gamma functions.
        count = self.dim - 1
        alpha = self.concentration + 0.5 * count
        normalizer = torch.mvlgamma(alpha - 0.5, count) - torch.lgamma(alpha) * count + 0.5 * count * math.log(math.pi)
        return unnormalized - normalizer
