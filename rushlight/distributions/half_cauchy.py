"""The half-Cauchy distribution."""

import rushlight as torch
from rushlight import inf
from rushlight.distributions._folded import Folded
from rushlight.distributions.cauchy import Cauchy

__all__ = ["HalfCauchy"]


class HalfCauchy(Folded):
    """Absolute values of Cauchy numbers around 0 with `scale`."""

    around = Cauchy
    base_dist: Cauchy

    @property
    def mean(self):
        return torch.full(self._extended_shape(), inf, dtype=self.scale.dtype, device=self.scale.device)

    @property
    def variance(self):
        return self.base_dist.variance
