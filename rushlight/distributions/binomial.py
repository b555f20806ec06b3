"""The binomial distribution."""

import rushlight as torch
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.utils import (
    _ByProbsOrLogits,
    _enumerated,
    _given,
    broadcast_all,
)

__all__ = ["Binomial"]


class Binomial(_ByProbsOrLogits, Distribution):
    """How many of `total_count` trials succeed, each with probability `probs`,
    the logistic function of `logits` (one of the two is given).

    The probability of k is n! / (k! (n - k)!) p^k (1 - p)^(n - k).

    >>> import rushlight as torch
    >>> binomial = torch.distributions.Binomial(4, torch.tensor(0.5))
    >>> binomial.log_prob(torch.arange(5.0)).exp()
    tensor([0.0625, 0.2500, 0.3750, 0.2500, 0.0625])
    """

    arg_constraints = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        name, value = _given(probs, logits)
        total_count, self._param = broadcast_all(total_count, value)
        self.total_count = total_count.type_as(self._param)
        setattr(self, name, self._param)
        super().__init__(self._param.size(), validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return self._expanded(Binomial, batch_shape, _instance, "total_count", "_param", "probs", "logits")

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self):
        return self.total_count * self.probs

    @property
    def mode(self):
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self):
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape=torch.Size()):
        shape = self._extended_shape(sample_shape)
        with torch.no_grad():
            return torch.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        # n log(1 - p) = -n log(1 + e^logit)
        softplus = torch.logaddexp(self.logits, torch.zeros_like(self.logits))
        ways = torch.lgamma(self.total_count + 1) - torch.lgamma(value + 1) - torch.lgamma(self.total_count - value + 1)
        return value * self.logits - self.total_count * softplus + ways

    def entropy(self):
        if not self.total_count.min() == self.total_count.max():
            raise NotImplementedError("Inhomogeneous total count not supported by `entropy`.")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(torch.exp(log_prob) * log_prob).sum(0)

    def enumerate_support(self, expand=True):
        if not self.total_count.min() == self.total_count.max():
            raise NotImplementedError("Inhomogeneous total count not supported by `enumerate_support`.")
        return _enumerated(1 + int(self.total_count.max()), self, expand, self._param)
