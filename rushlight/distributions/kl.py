"""The Kullback-Leibler divergence of pairs of distributions: KL(p ‖ q) = E_p[log p - log q] = -H(p) - E_p[log q]."""

import math

import rushlight as torch
from rushlight import inf
from rushlight.core import warn_user
from rushlight.distributions.bernoulli import Bernoulli
from rushlight.distributions.beta import Beta
from rushlight.distributions.binomial import Binomial
from rushlight.distributions.categorical import Categorical
from rushlight.distributions.cauchy import Cauchy
from rushlight.distributions.continuous_bernoulli import ContinuousBernoulli
from rushlight.distributions.dirichlet import Dirichlet
from rushlight.distributions.exp_family import ExponentialFamily
from rushlight.distributions.exponential import Exponential
from rushlight.distributions.gamma import Gamma
from rushlight.distributions.geometric import Geometric
from rushlight.distributions.gumbel import Gumbel
from rushlight.distributions.half_normal import HalfNormal
from rushlight.distributions.independent import Independent
from rushlight.distributions.laplace import Laplace
from rushlight.distributions.lowrank_multivariate_normal import (
    LowRankMultivariateNormal,
    _batch_lowrank_logdet,
    _batch_lowrank_mahalanobis,
)
from rushlight.distributions.multivariate_normal import MultivariateNormal, _batch_mahalanobis, _log_diagonal
from rushlight.distributions.normal import Normal
from rushlight.distributions.one_hot_categorical import OneHotCategorical
from rushlight.distributions.pareto import Pareto
from rushlight.distributions.poisson import Poisson
from rushlight.distributions.transformed_distribution import TransformedDistribution
from rushlight.distributions.uniform import Uniform
from rushlight.distributions.utils import _sum_rightmost
from rushlight.distributions.utils import euler_constant as _euler_gamma
from rushlight.nn.functional import softplus

__all__ = ["kl_divergence", "register_kl"]

_KL_REGISTRY = {}
"""The function of each registered pair of classes."""
_KL_MEMOIZE = {}
"""The function of each pair of classes that has been asked for."""


def register_kl(type_p, type_q):
    """A decorator: the function computes KL(p ‖ q) for p of the class `type_p` and q of `type_q` and their subclasses.

    Unless a nearer pair is registered. `kl_divergence` finds it.

    >>> import rushlight as torch
    >>> from rushlight.distributions import Normal, kl_divergence, register_kl
    >>> class Unit(Normal): pass
    >>> @register_kl(Unit, Unit)
    ... def zero(p, q):
    ...     return 0
    >>> kl_divergence(Unit(0.0, 1.0), Unit(0.0, 1.0))
    0
    """

    def decorator(fun):
        _KL_REGISTRY[type_p, type_q] = fun
        _KL_MEMOIZE.clear()
        return fun

    return decorator


def _dispatch_kl(type_p, type_q):
    """The function of the nearest registered pair: nearest in p, and among those in q. Where nearest in q comes first, that may be another
    one; then the first is taken, with a warning."""
    matches = [
        (super_p, super_q) for super_p, super_q in _KL_REGISTRY if issubclass(type_p, super_p) and issubclass(type_q, super_q)
    ]
    if not matches:
        return NotImplemented

    def distances(pair):
        return type_p.__mro__.index(pair[0]), type_q.__mro__.index(pair[1])

    by_p = min(matches, key=distances)
    by_q = min(matches, key=lambda pair: distances(pair)[::-1])
    if _KL_REGISTRY[by_p] is not _KL_REGISTRY[by_q]:
        warn_user(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). "
            f"Please register_kl({by_p[0].__name__}, {by_q[1].__name__})",
            RuntimeWarning,
        )
    return _KL_REGISTRY[by_p]


def kl_divergence(p, q):
    """KL(p ‖ q) = E_p[log p - log q], in nats, where there is a formula for the pair of families.

    Args:
        p, q: Distributions, whose batch shapes broadcast.

    Raises:
        NotImplementedError: The pair has not been registered (`register_kl`).

    >>> import rushlight as torch
    >>> from rushlight.distributions import Normal, kl_divergence
    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    tensor(0.5000)
    """
    pair = type(p), type(q)
    fun = _KL_MEMOIZE.get(pair)
    if fun is None:
        fun = _KL_MEMOIZE[pair] = _dispatch_kl(*pair)
    if fun is NotImplemented:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {p.__class__.__name__} and q type {q.__class__.__name__}"
        )
    return fun(p, q)


def _pairs(types_p, *types_q):
    """A decorator: the function serves every pair of a type of p and a type of q."""

    def decorate(fun):
        for type_p in types_p if isinstance(types_p, tuple) else (types_p,):
            for type_q in types_q:
                register_kl(type_p, type_q)(fun)
        return fun

    return decorate


def _infinite_like(tensor):
    return torch.full_like(tensor, inf)


def _x_log_x(tensor):
    """x log x, 0 at 0."""
    return torch.special.xlogy(tensor, tensor)


# ------------------------------------------------------------------------------------------------------------- within a family
@_pairs(Bernoulli, Bernoulli)
def _kl_bernoulli_bernoulli(p, q):
    one = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    one[q.probs == 0] = inf
    one[p.probs == 0] = 0
    zero = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    zero[q.probs == 1] = inf
    zero[p.probs == 1] = 0
    return one + zero


@_pairs(Beta, Beta)
def _kl_beta_beta(p, q):
    total_p, total_q = p.concentration1 + p.concentration0, q.concentration1 + q.concentration0
    return (
        q.concentration1.lgamma()
        + q.concentration0.lgamma()
        + total_p.lgamma()
        - (p.concentration1.lgamma() + p.concentration0.lgamma() + total_q.lgamma())
        + (p.concentration1 - q.concentration1) * torch.digamma(p.concentration1)
        + (p.concentration0 - q.concentration0) * torch.digamma(p.concentration0)
        + (total_q - total_p) * torch.digamma(total_p)
    )


@_pairs(Binomial, Binomial)
def _kl_binomial_binomial(p, q):
    if (p.total_count < q.total_count).any():
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    kl = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    outside = p.total_count > q.total_count
    kl[outside] = _infinite_like(kl[outside])
    return kl


@_pairs(Categorical, Categorical)
def _kl_categorical_categorical(p, q):
    terms = p.probs * (p.logits - q.logits)
    terms[(q.probs == 0).expand_as(terms)] = inf
    terms[(p.probs == 0).expand_as(terms)] = 0
    return terms.sum(-1)


@_pairs(ContinuousBernoulli, ContinuousBernoulli)
def _kl_continuous_bernoulli_continuous_bernoulli(p, q):
    normalizer_p = p._cont_bern_log_norm() + torch.log1p(-p.probs)
    normalizer_q = q._cont_bern_log_norm() + torch.log1p(-q.probs)
    return p.mean * (p.logits - q.logits) + normalizer_p - normalizer_q


@_pairs(Dirichlet, Dirichlet)
def _kl_dirichlet_dirichlet(p, q):
    total_p, total_q = p.concentration.sum(-1), q.concentration.sum(-1)
    normalizers = total_p.lgamma() - total_q.lgamma() - (p.concentration.lgamma() - q.concentration.lgamma()).sum(-1)
    log_means = p.concentration.digamma() - total_p.digamma().unsqueeze(-1)
    return normalizers + ((p.concentration - q.concentration) * log_means).sum(-1)


@_pairs(Exponential, Exponential)
def _kl_exponential_exponential(p, q):
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@_pairs(ExponentialFamily, ExponentialFamily)
def _kl_expfamily_expfamily(p, q):
    if type(p) is not type(q):
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot                             be computed "
            "using Bregman divergences"
        )
    params_p, normalizer, means = p._normalizer_and_means()
    result = q._log_normalizer(*q._natural_params) - normalizer
    for param_p, param_q, mean in zip(params_p, q._natural_params, means, strict=True):
        result = result - _sum_rightmost((param_q - param_p) * mean, len(q.event_shape))
    return result


@_pairs(Gamma, Gamma)
def _kl_gamma_gamma(p, q):
    return (
        q.concentration * (p.rate / q.rate).log()
        + torch.lgamma(q.concentration)
        - torch.lgamma(p.concentration)
        + (p.concentration - q.concentration) * torch.digamma(p.concentration)
        + (q.rate - p.rate) * (p.concentration / p.rate)
    )


@_pairs(Gumbel, Gumbel)
def _kl_gumbel_gumbel(p, q):
    ratio = p.scale / q.scale
    distance = (q.loc - p.loc) / q.scale
    return -ratio.log() - distance + ratio * _euler_gamma + torch.exp(distance + (1 + ratio).lgamma()) - (1 + _euler_gamma)


@_pairs(Geometric, Geometric)
def _kl_geometric_geometric(p, q):
    return -p.entropy() - torch.log1p(-q.probs) / p.probs - q.logits


@_pairs(HalfNormal, HalfNormal)
def _kl_halfnormal_halfnormal(p, q):
    return _kl_normal_normal(p.base_dist, q.base_dist)


@_pairs(Laplace, Laplace)
def _kl_laplace_laplace(p, q):
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * torch.exp(-distance / p.scale) - 1


@_pairs(Normal, Normal)
def _kl_normal_normal(p, q):
    ratio, distance = (p.scale / q.scale).pow(2), ((p.loc - q.loc) / q.scale).pow(2)
    return 0.5 * (ratio + distance - 1 - ratio.log())


@_pairs(OneHotCategorical, OneHotCategorical)
def _kl_onehotcategorical_onehotcategorical(p, q):
    return _kl_categorical_categorical(p._categorical, q._categorical)


@_pairs(Pareto, Pareto)
def _kl_pareto_pareto(p, q):
    ratio = q.alpha / p.alpha
    result = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    result[p.support.lower_bound < q.support.lower_bound] = inf
    return result


@_pairs(Poisson, Poisson)
def _kl_poisson_poisson(p, q):
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@_pairs(Uniform, Uniform)
def _kl_uniform_uniform(p, q):
    result = ((q.high - q.low) / (p.high - p.low)).log()
    result[(q.low > p.low) | (q.high < p.high)] = inf
    return result


@_pairs(Cauchy, Cauchy)
def _kl_cauchy_cauchy(p, q):
    # Chyzak & Nielsen, 2019.
    return ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log() - (4 * p.scale * q.scale).log()


@_pairs(TransformedDistribution, TransformedDistribution)
def _kl_transformed_transformed(p, q):
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), len(p.event_shape) - len(p.base_dist.event_shape))


@_pairs(Independent, Independent)
def _kl_independent_independent(p, q):
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


# --------------------------------------------------------------------------------------------------------- multivariate normal
def _batch_trace_XXT(bmat):
    """The trace of X Xᵀ, for matrices in a batch."""
    return bmat.flatten(-2).pow(2).sum(-1)


def _check_events(p, q, kind):
    if p.event_shape != q.event_shape:
        raise ValueError(
            f"KL-divergence between two {kind} Normals with                          different event shapes cannot be computed"
        )


def _whitened(factor, matrix):
    """factor⁻¹ matrix, where batches broadcast."""
    return torch.linalg.solve_triangular(factor, matrix, upper=False)


@_pairs(MultivariateNormal, MultivariateNormal)
def _kl_multivariatenormal_multivariatenormal(p, q):
    _check_events(p, q, "Multivariate")
    factor_p, factor_q = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    trace = _batch_trace_XXT(_whitened(factor_q, factor_p))
    distance = _batch_mahalanobis(factor_q, q.loc - p.loc)
    return _log_diagonal(factor_q) - _log_diagonal(factor_p) + 0.5 * (trace + distance - p.event_shape[0])


def _low_rank_terms(p, q):
    """log |Σ_q| and the distance of the means, by q's capacitance; and what Σ_q⁻¹ takes away from D_q⁻¹, as a matrix A: AᵀA."""
    factor, diagonal = q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag
    log_det = _batch_lowrank_logdet(factor, diagonal, q._capacitance_tril)
    distance = _batch_lowrank_mahalanobis(factor, diagonal, q.loc - p.loc, q._capacitance_tril)
    return log_det, distance, _whitened(q._capacitance_tril, factor.mT / diagonal.unsqueeze(-2))


@_pairs(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _kl_lowrankmultivariatenormal_lowrankmultivariatenormal(p, q):
    _check_events(p, q, "Low Rank Multivariate")
    log_det_q, distance, taken = _low_rank_terms(p, q)
    log_det_p = _batch_lowrank_logdet(p._unbroadcasted_cov_factor, p._unbroadcasted_cov_diag, p._capacitance_tril)
    # The trace of (D_q⁻¹ - AᵀA) (W_p W_pᵀ + D_p).
    scaled = p._unbroadcasted_cov_factor * q._unbroadcasted_cov_diag.rsqrt().unsqueeze(-1)
    trace = (
        (p._unbroadcasted_cov_diag / q._unbroadcasted_cov_diag).sum(-1)
        + _batch_trace_XXT(scaled)
        - _batch_trace_XXT(taken * p._unbroadcasted_cov_diag.sqrt().unsqueeze(-2))
        - _batch_trace_XXT(taken.matmul(p._unbroadcasted_cov_factor))
    )
    return 0.5 * (log_det_q - log_det_p + trace + distance - p.event_shape[0])


@_pairs(MultivariateNormal, LowRankMultivariateNormal)
def _kl_multivariatenormal_lowrankmultivariatenormal(p, q):
    _check_events(p, q, "(Low Rank) Multivariate")
    log_det_q, distance, taken = _low_rank_terms(p, q)
    factor = p._unbroadcasted_scale_tril
    scaled = factor * q._unbroadcasted_cov_diag.rsqrt().unsqueeze(-1)
    trace = _batch_trace_XXT(scaled) - _batch_trace_XXT(taken.matmul(factor))
    return 0.5 * (log_det_q - 2 * _log_diagonal(factor) + trace + distance - p.event_shape[0])


@_pairs(LowRankMultivariateNormal, MultivariateNormal)
def _kl_lowrankmultivariatenormal_multivariatenormal(p, q):
    _check_events(p, q, "(Low Rank) Multivariate")
    factor_q = q._unbroadcasted_scale_tril
    log_det_p = _batch_lowrank_logdet(p._unbroadcasted_cov_factor, p._unbroadcasted_cov_diag, p._capacitance_tril)
    diagonal = torch.diag_embed(p._unbroadcasted_cov_diag.sqrt())
    trace = _batch_trace_XXT(_whitened(factor_q, p._unbroadcasted_cov_factor)) + _batch_trace_XXT(_whitened(factor_q, diagonal))
    distance = _batch_mahalanobis(factor_q, q.loc - p.loc)
    return 0.5 * (2 * _log_diagonal(factor_q) - log_det_p + trace + distance - p.event_shape[0])


# ------------------------------------------------------------------------------------- between families: -H(p) - E_p[log q]
def _mean_log(p):
    """E[log x]."""
    if isinstance(p, Beta):
        return torch.digamma(p.concentration1) - torch.digamma(p.concentration1 + p.concentration0)
    if isinstance(p, Exponential):
        return -p.rate.log() - _euler_gamma
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    return (_x_log_x(p.high) - _x_log_x(p.low)) / (p.high - p.low) - 1  # uniform


def _log_mean_exp(p, scale):
    """log E[exp(-x / scale)]."""
    if isinstance(p, Exponential):
        return -torch.log1p((p.rate * scale).reciprocal())
    if isinstance(p, Gamma):
        return -p.concentration * torch.log1p((p.rate * scale).reciprocal())
    if isinstance(p, Normal):
        return -p.loc / scale + 0.5 * (p.scale / scale).pow(2)
    width = (p.high - p.low) / scale  # uniform
    return -p.low / scale + (-torch.expm1(-width)).log() - width.log()


def _infinite_where(result, outside):
    """The divergence where p has values that q has not."""
    return torch.where(outside, inf, result)


@_pairs((Beta, ContinuousBernoulli, Gamma, Pareto), Exponential)
def _kl_to_exponential(p, q):
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@_pairs(Uniform, Exponential)
def _kl_uniform_exponential(p, q):
    return _infinite_where(_kl_to_exponential(p, q), p.low < 0)


@_pairs((Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Pareto, Uniform), Normal)
def _kl_to_normal(p, q):
    square = (p.variance + (p.mean - q.loc).pow(2)) / q.scale.pow(2)
    return -p.entropy() + q.scale.log() + 0.5 * (math.log(2 * math.pi) + square)


@_pairs((Beta, Exponential, Pareto), Gamma)
def _kl_to_gamma(p, q):
    normalizer = q.concentration.lgamma() - q.concentration * q.rate.log()
    return -p.entropy() + normalizer - (q.concentration - 1) * _mean_log(p) + q.rate * p.mean


@_pairs(Uniform, Gamma)
def _kl_uniform_gamma(p, q):
    return _infinite_where(_kl_to_gamma(p, q), p.low < 0)


@_pairs((Exponential, Gamma, Normal, Uniform), Gumbel)
def _kl_to_gumbel(p, q):
    exponential = torch.exp(q.loc / q.scale + _log_mean_exp(p, q.scale))
    return -p.entropy() + q.scale.log() + (p.mean - q.loc) / q.scale + exponential


@_pairs(Beta, ContinuousBernoulli)
def _kl_to_continuous_bernoulli(p, q):
    return -p.entropy() - p.mean * q.logits - torch.log1p(-q.probs) - q._cont_bern_log_norm()


@_pairs(Uniform, ContinuousBernoulli)
def _kl_uniform_continuous_bernoulli(p, q):
    outside = (p.high >= q.support.upper_bound) | (p.low <= q.support.lower_bound)
    return _infinite_where(_kl_to_continuous_bernoulli(p, q), outside)


@_pairs(Beta, Uniform)
def _kl_beta_uniform(p, q):
    outside = (q.low > p.support.lower_bound) | (q.high < p.support.upper_bound)
    return _infinite_where(-p.entropy() + (q.high - q.low).log(), outside)


@_pairs(ContinuousBernoulli, Uniform)
def _kl_continuous_bernoulli_uniform(p, q):
    outside = (q.low >= p.support.lower_bound) | (q.high <= p.support.upper_bound)
    return _infinite_where(-p.entropy() + (q.high - q.low).log(), outside)


@_pairs(Uniform, Beta)
def _kl_uniform_beta(p, q):
    width = p.high - p.low
    log_rest = (_x_log_x(1 - p.low) - _x_log_x(1 - p.high)) / width - 1  # E[log(1 - x)]
    normalizer = q.concentration1.lgamma() + q.concentration0.lgamma() - (q.concentration1 + q.concentration0).lgamma()
    result = -width.log() + normalizer - (q.concentration1 - 1) * _mean_log(p) - (q.concentration0 - 1) * log_rest
    return _infinite_where(result, (p.high > q.support.upper_bound) | (p.low < q.support.lower_bound))


@_pairs(Uniform, Pareto)
def _kl_uniform_pareto(p, q):
    result = -p.entropy() - q.alpha.log() - q.alpha * q.scale.log() + (q.alpha + 1) * _mean_log(p)
    return _infinite_where(result, p.low < q.support.lower_bound)


@_pairs(Normal, Laplace)
def _kl_normal_laplace(p, q):
    distance = p.loc - q.loc
    ratio = distance / p.scale
    # E|x - loc|: the mean of a folded normal distribution.
    mean = math.sqrt(2 / math.pi) * p.scale * torch.exp(-0.5 * ratio.pow(2)) + distance * torch.erf(math.sqrt(0.5) * ratio)
    return -p.entropy() + (2 * q.scale).log() + mean / q.scale


@_pairs(Bernoulli, Poisson)
def _kl_bernoulli_poisson(p, q):
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@_pairs((Beta, ContinuousBernoulli), Pareto)
@_pairs(Exponential, Beta, ContinuousBernoulli, Pareto, Uniform)
@_pairs(Gamma, Beta, ContinuousBernoulli, Pareto, Uniform)
@_pairs((Gumbel, Laplace, Normal), Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)
@_pairs(Pareto, Beta, ContinuousBernoulli, Uniform)
@_pairs(Poisson, Bernoulli, Binomial)
def _kl_infinity(p, q):
    """p has values that q has not, whatever their parameters."""
    return _infinite_like(p.mean)
