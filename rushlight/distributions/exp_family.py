"""Exponential families: densities exp(θ·t(x) - F(θ) + k(x)), known by the log normalizer F."""

import rushlight as torch
from rushlight.distributions.distribution import Distribution

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """A distribution with density exp(θ · t(x) - F(θ) + k(x)):
    natural parameters θ (`_natural_params`) and log normalizer F (`_log_normalizer`).

    F's gradient is the mean of the sufficient statistics t, from which the entropy and divergences within a family follow.

    >>> import rushlight as torch
    >>> isinstance(torch.distributions.Gamma(1.0, 1.0), torch.distributions.ExponentialFamily)
    True
    """

    @property
    def _natural_params(self):
        raise NotImplementedError

    def _log_normalizer(self, *natural_params):
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self):
        """The expectation of k(x)."""
        raise NotImplementedError

    def _normalizer_and_means(self):
        """The natural parameters, F there, and its gradient by each, which can be differentiated on."""
        params = [param.detach().requires_grad_() for param in self._natural_params]
        normalizer = self._log_normalizer(*params)
        return params, normalizer, torch.autograd.grad(normalizer.sum(), params, create_graph=True)

    def entropy(self):
        """The mean of -log_prob, in nats: F(θ) - θ·∇F(θ) - E[k(x)].

        >>> import rushlight as torch
        >>> torch.distributions.Normal(0.0, 1.0).entropy()
        tensor(1.4189)
        """
        params, normalizer, means = self._normalizer_and_means()
        result = normalizer - self._mean_carrier_measure
        for param, mean in zip(params, means, strict=True):
            result = result - (param * mean).reshape(self._batch_shape + (-1,)).sum(-1)
        return result
