"""The negative binomial distribution."""

import rushlight as torch
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.gamma import Gamma
from rushlight.distributions.utils import _ByProbsOrLogits, _given, broadcast_all, lazy_property
from rushlight.nn.functional import logsigmoid

__all__ = ["NegativeBinomial"]


class NegativeBinomial(_ByProbsOrLogits, Distribution):
    """How many trials succeed before `total_count` of them have failed.

    Each succeeds with probability `probs`, the logistic function of `logits` (one of the two is given).
    `total_count` need not be whole.

    >>> import rushlight as torch
    >>> counts = torch.distributions.NegativeBinomial(torch.tensor(3.0), torch.tensor(0.5))
    >>> counts.mean, counts.log_prob(torch.tensor(0.0)).exp()
    (tensor(3.), tensor(0.1250))
    """

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer

    def __init__(self, total_count, probs=None, logits=None, validate_args=None):
        name, value = _given(probs, logits)
        total_count, self._param = broadcast_all(total_count, value)
        self.total_count = total_count.type_as(self._param)
        setattr(self, name, self._param)
        super().__init__(self._param.size(), validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return self._expanded(NegativeBinomial, batch_shape, _instance, "total_count", "_param", "probs", "logits")

    @property
    def mean(self):
        return self.total_count * torch.exp(self.logits)

    @property
    def mode(self):
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self):
        return self.mean / torch.sigmoid(-self.logits)

    @lazy_property
    def _gamma(self):
        # The rates of which samples are Poisson numbers.
        return Gamma(concentration=self.total_count, rate=torch.exp(-self.logits), validate_args=False)

    def sample(self, sample_shape=torch.Size()):
        with torch.no_grad():
            return torch.poisson(self._gamma.sample(sample_shape=sample_shape))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        total = self.total_count
        successes = total * logsigmoid(-self.logits) + value * logsigmoid(self.logits)
        ways = -torch.lgamma(total + value) + torch.lgamma(1.0 + value) + torch.lgamma(total)
        # Without failures to wait for there are none, with certainty.
        return successes - ways.masked_fill(total + value == 0.0, 0.0)
