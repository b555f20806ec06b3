"""The generalized Pareto distribution."""

import rushlight as torch
from rushlight import inf, nan
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.utils import broadcast_all

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """What exceeds a high threshold `loc`, in the limit:
    with `scale`, and a tail whose weight is `concentration` (ξ; 0: exponential).

    The cdf is 1 - (1 + ξ (x - loc) / scale)^(-1 / ξ).

    >>> import rushlight as torch
    >>> tail = torch.distributions.GeneralizedPareto(0.0, 1.0, 0.5)
    >>> tail.cdf(torch.tensor(2.0)), tail.mean
    (tensor(0.7500), tensor(2.))
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}
    has_rsample = True

    def __init__(self, loc, scale, concentration, validate_args=None):
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.size(), validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return self._expanded(GeneralizedPareto, batch_shape, _instance, "loc", "scale", "concentration")

    def rsample(self, sample_shape=torch.Size()):
        return self.icdf(torch.rand(self._extended_shape(sample_shape), dtype=self.loc.dtype, device=self.loc.device))

    def _z(self, x):
        return (x - self.loc) / self.scale

    def _tail(self):
        """Where the tail is exponential, and concentrations that may be divided by."""
        exponential = torch.isclose(self.concentration, torch.zeros_like(self.concentration))
        return exponential, torch.where(exponential, torch.ones_like(self.concentration), self.concentration)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        z = self._z(value)
        exponential, concentration = self._tail()
        power = -(1 + 1 / concentration) * torch.log1p(concentration * z)
        return torch.where(exponential, -z, power) - self.scale.log()

    def log_survival_function(self, value):
        """The logarithm of the probability of values above `value`."""
        if self._validate_args:
            self._validate_sample(value)
        z = self._z(value)
        exponential, concentration = self._tail()
        return torch.where(exponential, -z, -torch.log1p(concentration * z) / concentration)

    def log_cdf(self, value):
        """The logarithm of the cdf."""
        return torch.log1p(-torch.exp(self.log_survival_function(value)))

    def cdf(self, value):
        return torch.exp(self.log_cdf(value))

    def icdf(self, value):
        exponential, concentration = self._tail()
        log_left = torch.log1p(-value)
        z = torch.where(exponential, -log_left, torch.expm1(-concentration * log_left) / concentration)
        return self.loc + self.scale * z

    @property
    def mean(self):
        valid = self.concentration < 1
        concentration = torch.where(valid, self.concentration, 0.5)
        return torch.where(valid, self.loc + self.scale / (1 - concentration), nan)

    @property
    def variance(self):
        valid = self.concentration < 0.5
        concentration = torch.where(valid, self.concentration, 0.25)
        return torch.where(valid, self.scale**2 / ((1 - concentration) ** 2 * (1 - 2 * concentration)), nan)

    def entropy(self):
        return (torch.log(self.scale) + self.concentration + 1).expand(self._batch_shape)

    @property
    def mode(self):
        return self.loc

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self):
        end = torch.where(self.concentration < 0, self.loc - self.scale / self.concentration, inf)
        return constraints.interval(self.loc, end)
