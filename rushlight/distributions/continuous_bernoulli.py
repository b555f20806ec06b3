"""The continuous Bernoulli distribution."""

import math

import rushlight as torch
from rushlight.distributions import constraints
from rushlight.distributions.exp_family import ExponentialFamily
from rushlight.distributions.utils import (
    _ByProbsOrLogits,
    _given,
    broadcast_all,
    clamp_probs,
    lazy_property,
    logits_to_probs,
)
from rushlight.nn.functional import binary_cross_entropy_with_logits

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(_ByProbsOrLogits, ExponentialFamily):
    """Numbers in [0, 1] with a density proportional to p^x (1 - p)^(1 - x), where p is `probs`,
    the logistic function of `logits`.

    Where p lies within `lims`, around 1/2, series replace quotients that tend to 0/0 there (Loaiza-Ganem & Cunningham, 2019).

    >>> import rushlight as torch
    >>> pixel = torch.distributions.ContinuousBernoulli(torch.tensor(0.25))
    >>> pixel.mean, pixel.log_prob(torch.tensor(0.0)).exp()
    (tensor(0.4102), tensor(1.6479))
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, probs=None, logits=None, lims=(0.499, 0.501), validate_args=None):
        name, value = _given(probs, logits)
        (value,) = broadcast_all(value)
        if name == "probs":
            if validate_args is not None and not torch._is_all_true(self.arg_constraints["probs"].check(value)):
                raise ValueError("The parameter probs has invalid values")
            value = clamp_probs(value)
        self._param = value
        setattr(self, name, value)
        self._lims = lims
        super().__init__(self._param.size(), validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._expanded(ContinuousBernoulli, batch_shape, _instance, "_param", "probs", "logits")
        new._lims = self._lims
        return new

    def _outside_unstable_region(self):
        """Where the quotients can be computed."""
        return torch.max(torch.le(self.probs, self._lims[0]), torch.gt(self.probs, self._lims[1]))

    def _cut_probs(self):
        """Probabilities for the quotients, moved out of the region where they cannot."""
        return torch.where(self._outside_unstable_region(), self.probs, self._lims[0] * torch.ones_like(self.probs))

    def _cont_bern_log_norm(self):
        """log(2 atanh(1 - 2p) / (1 - 2p)): the logarithm of what the density is multiplied with."""
        cut = self._cut_probs()
        below = torch.where(torch.le(cut, 0.5), cut, torch.zeros_like(cut))
        above = torch.where(torch.ge(cut, 0.5), cut, torch.ones_like(cut))
        quotient = torch.log(torch.abs(torch.log1p(-cut) - torch.log(cut)))
        quotient = quotient - torch.where(torch.le(cut, 0.5), torch.log1p(-2.0 * below), torch.log(2.0 * above - 1.0))
        square = torch.pow(self.probs - 0.5, 2)
        series = math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * square) * square
        return torch.where(self._outside_unstable_region(), quotient, series)

    @property
    def mean(self):
        cut = self._cut_probs()
        quotient = cut / (2.0 * cut - 1.0) + 1.0 / (torch.log1p(-cut) - torch.log(cut))
        x = self.probs - 0.5
        series = 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * torch.pow(x, 2)) * x
        return torch.where(self._outside_unstable_region(), quotient, series)

    @property
    def stddev(self):
        return torch.sqrt(self.variance)

    @property
    def variance(self):
        cut = self._cut_probs()
        quotient = cut * (cut - 1.0) / torch.pow(1.0 - 2.0 * cut, 2) + 1.0 / torch.pow(torch.log1p(-cut) - torch.log(cut), 2)
        square = torch.pow(self.probs - 0.5, 2)
        series = 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * square) * square
        return torch.where(self._outside_unstable_region(), quotient, series)

    @lazy_property
    def probs(self):
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def sample(self, sample_shape=torch.Size()):
        with torch.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape=torch.Size()):
        return self.icdf(torch.rand(self._extended_shape(sample_shape), dtype=self.probs.dtype, device=self.probs.device))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none") + self._cont_bern_log_norm()

    def cdf(self, value):
        if self._validate_args:
            self._validate_sample(value)
        cut = self._cut_probs()
        inside = (torch.pow(cut, value) * torch.pow(1.0 - cut, 1.0 - value) + cut - 1.0) / (2.0 * cut - 1.0)
        inside = torch.where(self._outside_unstable_region(), inside, value)
        above = torch.where(torch.ge(value, 1.0), torch.ones_like(inside), inside)
        return torch.where(torch.le(value, 0.0), torch.zeros_like(inside), above)

    def icdf(self, value):
        cut = self._cut_probs()
        quotient = torch.log1p(-cut + value * (2.0 * cut - 1.0)) - torch.log1p(-cut)
        quotient = quotient / (torch.log(cut) - torch.log1p(-cut))
        return torch.where(self._outside_unstable_region(), quotient, value)

    def entropy(self):
        log0, log1 = torch.log1p(-self.probs), torch.log(self.probs)
        return self.mean * (log0 - log1) - self._cont_bern_log_norm() - log0

    @property
    def _natural_params(self):
        return (self.logits,)

    def _log_normalizer(self, x):
        """log((e^x - 1) / x), by its series near 0."""
        outside = torch.max(torch.le(x, self._lims[0] - 0.5), torch.gt(x, self._lims[1] - 0.5))
        cut = torch.where(outside, x, (self._lims[0] - 0.5) * torch.ones_like(x))
        quotient = torch.log(torch.abs(torch.special.expm1(cut))) - torch.log(torch.abs(cut))
        series = 0.5 * x + torch.pow(x, 2) / 24.0 - torch.pow(x, 4) / 2880.0
        return torch.where(outside, quotient, series)
