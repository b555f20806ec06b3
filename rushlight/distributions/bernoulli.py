"""The Bernoulli distribution."""

import rushlight as torch
from rushlight import nan
from rushlight.distributions import constraints
from rushlight.distributions.exp_family import ExponentialFamily
from rushlight.distributions.utils import (
    _ByProbsOrLogits,
    _enumerated,
    _given,
    broadcast_all,
)
from rushlight.nn.functional import binary_cross_entropy_with_logits

__all__ = ["Bernoulli"]


class Bernoulli(_ByProbsOrLogits, ExponentialFamily):
    """1 with probability `probs`, the logistic function of `logits` (one of the two is given), else 0.

    Args:
        probs: Probabilities, from 0 to 1.
        logits: log(p / (1 - p)).

    >>> import rushlight as torch
    >>> coin = torch.distributions.Bernoulli(torch.tensor(0.25))
    >>> coin.log_prob(torch.tensor(1.0)).exp(), coin.entropy()
    (tensor(0.2500), tensor(0.5623))
    >>> _ = torch.manual_seed(0)
    >>> coin.sample((8,))
    tensor([0., 0., 1., 1., 0., 0., 0., 0.])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(self, probs=None, logits=None, validate_args=None):
        name, value = _given(probs, logits)
        (self._param,) = broadcast_all(value)
        setattr(self, name, self._param)
        super().__init__(self._param.size(), validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return self._expanded(Bernoulli, batch_shape, _instance, "_param", "probs", "logits")

    @property
    def mean(self):
        return self.probs

    @property
    def mode(self):
        return torch.where(self.probs == 0.5, nan, (self.probs >= 0.5).to(self.probs))

    @property
    def variance(self):
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape=torch.Size()):
        with torch.no_grad():
            return torch.bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self):
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand=True):
        return _enumerated(2, self, expand, self._param)

    @property
    def _natural_params(self):
        return (torch.logit(self.probs),)

    def _log_normalizer(self, x):
        return torch.log1p(torch.exp(x))
