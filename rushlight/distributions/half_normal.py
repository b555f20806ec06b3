"""The half-normal distribution."""

import math

from rushlight.distributions._folded import Folded
from rushlight.distributions.normal import Normal

__all__ = ["HalfNormal"]


class HalfNormal(Folded):
    """Absolute values of normal numbers around 0 with standard deviation `scale`.

    >>> import rushlight as torch
    >>> half = torch.distributions.HalfNormal(torch.tensor(1.0))
    >>> half.mean, half.log_prob(torch.tensor(0.0)).exp()
    (tensor(0.7979), tensor(0.7979))
    """

    around = Normal
    base_dist: Normal

    @property
    def mean(self):
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self):
        return self.scale.pow(2) * (1 - 2 / math.pi)
