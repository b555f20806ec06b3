"""The half-Cauchy distribution."""

import rushlight as torch
from rushlight import inf
from rushlight.distributions._folded import Folded
from rushlight.distributions.cauchy import Cauchy

__all__ = ["HalfCauchy"]


class HalfCauchy(Folded):
    """Absolute values of Cauchy numbers around 0 with `scale`.

    >>> import rushlight as torch
    >>> half = torch.distributions.HalfCauchy(torch.tensor(1.0))
    >>> half.cdf(torch.tensor(1.0)), half.log_prob(torch.tensor(0.0)).exp()
    (tensor(0.5000), tensor(0.6366))
    """

    around = Cauchy
    base_dist: Cauchy

    @property
    def mean(self):
        return torch.full(self._extended_shape(), inf, dtype=self.scale.dtype, device=self.scale.device)

    @property
    def variance(self):
        return self.base_dist.variance
