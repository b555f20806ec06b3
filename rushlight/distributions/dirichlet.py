"""The Dirichlet distribution."""

import rushlight as torch
from rushlight.autograd import Function
from rushlight.autograd.function import once_differentiable
from rushlight.distributions import constraints
from rushlight.distributions.exp_family import ExponentialFamily

__all__ = ["Dirichlet"]


def _Dirichlet_backward(x, concentration, grad_output):
    """How samples `x` move with the concentrations: each as a beta number does, the others by what is left to them."""
    total = concentration.sum(-1, True).expand_as(concentration)
    return torch._dirichlet_grad(x, concentration, total) * (grad_output - (x * grad_output).sum(-1, True))


class _Dirichlet(Function):
    """Samples, and their derivative by the concentrations."""

    @staticmethod
    def forward(ctx, concentration):
        x = torch._sample_dirichlet(concentration)
        ctx.save_for_backward(x, concentration)
        return x

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_output):
        x, concentration = ctx.saved_tensors
        return _Dirichlet_backward(x, concentration, grad_output)


class Dirichlet(ExponentialFamily):
    """Vectors of positive numbers that add up to 1, with the parameters along the last dimension of `concentration`.

    The density is proportional to the product of x_i^(α_i - 1). `concentration` has at least one dimension.

    >>> import rushlight as torch
    >>> dirichlet = torch.distributions.Dirichlet(torch.tensor([1.0, 2.0, 1.0]))
    >>> dirichlet.mean, dirichlet.log_prob(torch.tensor([0.25, 0.5, 0.25]))
    (tensor([0.2500, 0.5000, 0.2500]), tensor(1.0986))
    >>> torch.allclose(dirichlet.sample((5,)).sum(-1), torch.ones(5))
    True
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration, validate_args=None):
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return self._expanded(Dirichlet, batch_shape, _instance, "concentration")

    def rsample(self, sample_shape=()):
        return _Dirichlet.apply(self.concentration.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        alpha = self.concentration
        return torch.xlogy(alpha - 1.0, value).sum(-1) + torch.lgamma(alpha.sum(-1)) - torch.lgamma(alpha).sum(-1)

    @property
    def mean(self):
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self):
        above = (self.concentration - 1).clamp(min=0.0)
        mode = above / above.sum(-1, True)
        # All below 1: the density grows towards the corners, and most towards that of the largest.
        corner = (self.concentration < 1).all(dim=-1)
        mode[corner] = torch.nn.functional.one_hot(mode[corner].argmax(dim=-1), above.shape[-1]).to(mode)
        return mode

    @property
    def variance(self):
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def entropy(self):
        alpha, count = self.concentration, self.concentration.size(-1)
        total = alpha.sum(-1)
        return (
            torch.lgamma(alpha).sum(-1)
            - torch.lgamma(total)
            - (count - total) * torch.digamma(total)
            - ((alpha - 1.0) * torch.digamma(alpha)).sum(-1)
        )

    @property
    def _natural_params(self):
        return (self.concentration,)

    def _log_normalizer(self, x):
        return x.lgamma().sum(-1) - torch.lgamma(x.sum(-1))
