"""Every distribution, constraint, transform and pair of the KL registry beside PyTorch: samples bit for bit, all else to rounding."""

import math
import warnings

import pytest

import rushlight
import rushlight.distributions

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

LIBRARIES = (rushlight, torch)
MATRIX = [[2.0, 0.3], [0.3, 1.0]]
FACTOR = [[1.0, 0.0], [0.5, 2.0]]
ROWS = [[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]]

CASES = {
    "Bernoulli": [
        lambda d, t: d.Bernoulli(0.3),
        lambda d, t: d.Bernoulli(t([0.0, 0.3, 0.5, 1.0])),
        lambda d, t: d.Bernoulli(logits=t([[-1.0, 0.2, 3.0]])),
    ],
    "Beta": [lambda d, t: d.Beta(1.5, 0.5), lambda d, t: d.Beta(t([0.4, 3.0]), t([[2.0], [0.5], [30.0]]))],
    "Binomial": [
        lambda d, t: d.Binomial(5, t([0.1, 0.5, 0.9])),
        lambda d, t: d.Binomial(100, logits=t([0.3])),
        lambda d, t: d.Binomial(t([3.0, 40.0]).detach(), t([0.2, 0.7])),
    ],
    "Categorical": [
        lambda d, t: d.Categorical(t(ROWS)),
        lambda d, t: d.Categorical(t([2.0, 0.0, 6.0])),
        lambda d, t: d.Categorical(logits=t([[0.1, 1.0], [-2.0, 3.0]])),
    ],
    "Cauchy": [lambda d, t: d.Cauchy(0.0, 1.0), lambda d, t: d.Cauchy(t([0.0, 1.0]), t([[1.0], [0.3]]))],
    "Chi2": [lambda d, t: d.Chi2(3.0), lambda d, t: d.Chi2(t([0.5, 2.0, 9.0]))],
    "ContinuousBernoulli": [
        lambda d, t: d.ContinuousBernoulli(t([0.1, 0.4995, 0.5, 0.9])),
        lambda d, t: d.ContinuousBernoulli(logits=t([-0.3, 0.0, 2.0])),
        lambda d, t: d.ContinuousBernoulli(0.3, lims=(0.2, 0.8)),
    ],
    "Dirichlet": [
        lambda d, t: d.Dirichlet(t([0.5, 1.0, 3.0])),
        lambda d, t: d.Dirichlet(t([[0.5, 0.8], [5.0, 1.5], [9.0, 9.0]])),
    ],
    "Exponential": [lambda d, t: d.Exponential(2.0), lambda d, t: d.Exponential(t([[0.5], [3.0]]))],
    "FisherSnedecor": [
        lambda d, t: d.FisherSnedecor(3.0, 6.0),
        lambda d, t: d.FisherSnedecor(t([1.0, 3.0, 5.0]), t([1.0, 6.0, 9.0])),
    ],
    "Gamma": [lambda d, t: d.Gamma(1.5, 0.5), lambda d, t: d.Gamma(t([0.3, 1.0, 20.0]), t([[2.0], [0.5]]))],
    "GeneralizedPareto": [
        lambda d, t: d.GeneralizedPareto(0.0, 1.0, 0.2),
        lambda d, t: d.GeneralizedPareto(t([0.5]), t([2.0]), t([0.6, -0.3, 1.5])),
    ],
    "Geometric": [
        lambda d, t: d.Geometric(0.3),
        lambda d, t: d.Geometric(t([0.1, 1.0])),
        lambda d, t: d.Geometric(logits=t([-1.0, 2.0])),
    ],
    "Gumbel": [lambda d, t: d.Gumbel(0.0, 1.0), lambda d, t: d.Gumbel(t([0.0, 1.0]), t([[1.0], [0.3]]))],
    "HalfCauchy": [lambda d, t: d.HalfCauchy(1.0), lambda d, t: d.HalfCauchy(t([1.0, 0.3]))],
    "HalfNormal": [lambda d, t: d.HalfNormal(1.0), lambda d, t: d.HalfNormal(t([1.0, 0.3]))],
    "Independent": [
        lambda d, t: d.Independent(d.Normal(t([[0.0, 1.0]]), 1.0), 1),
        lambda d, t: d.Independent(d.Bernoulli(t([0.3, 0.4])), 1),
        lambda d, t: d.Independent(d.Bernoulli(t([0.3, 0.4])), 0),
    ],
    "InverseGamma": [lambda d, t: d.InverseGamma(1.5, 0.5), lambda d, t: d.InverseGamma(t([0.9, 1.5, 20.0]), t([[2.0], [0.5]]))],
    "Kumaraswamy": [lambda d, t: d.Kumaraswamy(1.5, 2.0), lambda d, t: d.Kumaraswamy(t([0.5, 2.0]), t([3.0, 1.5]))],
    "LKJCholesky": [lambda d, t: d.LKJCholesky(3, 0.5), lambda d, t: d.LKJCholesky(4, t([1.0, 3.0]))],
    "Laplace": [lambda d, t: d.Laplace(0.0, 1.0), lambda d, t: d.Laplace(t([0.0, 1.0]), t([[1.0], [0.3]]))],
    "LogNormal": [lambda d, t: d.LogNormal(0.0, 1.0), lambda d, t: d.LogNormal(t([0.0, 1.0]), t([[1.0], [0.3]]))],
    "LogisticNormal": [lambda d, t: d.LogisticNormal(t([0.0, 0.4]), t([1.0, 2.0])), lambda d, t: d.LogisticNormal(0.0, 1.0)],
    "LowRankMultivariateNormal": [
        lambda d, t: d.LowRankMultivariateNormal(t([1.0, 0.0]), t([[0.5], [1.0]]), t([1.0, 0.2])),
        lambda d, t: d.LowRankMultivariateNormal(t([[1.0, 0.0], [0.0, 3.0]]), t([[0.5, 2.0], [1.0, 0.1]]), t([1.0, 0.2])),
    ],
    "MixtureSameFamily": [
        lambda d, t: d.MixtureSameFamily(d.Categorical(t([0.2, 0.8])), d.Normal(t([0.0, 3.0]), t([1.0, 0.5]))),
        lambda d, t: d.MixtureSameFamily(d.Categorical(t(ROWS)), d.Gamma(t([[1.0, 2.0, 3.0]] * 2), 2.0)),
        lambda d, t: d.MixtureSameFamily(
            d.Categorical(logits=t([0.2, 0.8])), d.MultivariateNormal(t([[0.0, 1.0], [3.0, 0.0]]), t(MATRIX))
        ),
    ],
    "Multinomial": [
        lambda d, t: d.Multinomial(7, t([0.2, 0.3, 0.5])),
        lambda d, t: d.Multinomial(3, logits=t([[0.2, 0.3], [1.0, -1.0]])),
        lambda d, t: d.Multinomial(5, t([0.0, 1.0])),
    ],
    "MultivariateNormal": [
        lambda d, t: d.MultivariateNormal(t([1.0, 0.0]), t(MATRIX)),
        lambda d, t: d.MultivariateNormal(t([[1.0, 0.0]] * 3), precision_matrix=t(MATRIX)),
        lambda d, t: d.MultivariateNormal(t([1.0, 0.0]), scale_tril=t([FACTOR, [[2.0, 0.0], [0.0, 1.0]]])),
    ],
    "NegativeBinomial": [
        lambda d, t: d.NegativeBinomial(5, t([0.1, 0.5])),
        lambda d, t: d.NegativeBinomial(t([2.5, 0.3]), logits=t([0.4])),
    ],
    "Normal": [lambda d, t: d.Normal(0.0, 2.0), lambda d, t: d.Normal(t([0.0, 1.0]), t([[1.0], [0.3]]))],
    "OneHotCategorical": [lambda d, t: d.OneHotCategorical(t(ROWS)), lambda d, t: d.OneHotCategorical(logits=t([0.1, 1.0]))],
    "OneHotCategoricalStraightThrough": [lambda d, t: d.OneHotCategoricalStraightThrough(t(ROWS))],
    "Pareto": [lambda d, t: d.Pareto(1.0, 3.0), lambda d, t: d.Pareto(t([0.5, 2.0]), t([0.9, 1.5]))],
    "Poisson": [lambda d, t: d.Poisson(3.5), lambda d, t: d.Poisson(t([0.2, 15.0, 200.0]))],
    "RelaxedBernoulli": [
        lambda d, t: d.RelaxedBernoulli(t(0.5), t([0.3, 0.9])),
        lambda d, t: d.RelaxedBernoulli(t(0.5), logits=t([0.3, 0.9])),
    ],
    "RelaxedOneHotCategorical": [
        lambda d, t: d.RelaxedOneHotCategorical(t(0.5), t(ROWS)),
        lambda d, t: d.RelaxedOneHotCategorical(t(2.0), logits=t([0.3, 0.9])),
    ],
    "StudentT": [lambda d, t: d.StudentT(3.0), lambda d, t: d.StudentT(t([0.8, 1.5, 9.0]), t([1.0]), t([2.0]))],
    "TransformedDistribution": [
        lambda d, t: d.TransformedDistribution(d.Normal(t([0.0, 1.0]), 1.0), d.ExpTransform()),
        lambda d, t: d.TransformedDistribution(
            d.Normal(t([0.0, 1.0]), t([0.5])), [d.SigmoidTransform(), d.AffineTransform(1.0, t([-2.0]))]
        ),
        lambda d, t: d.TransformedDistribution(d.Normal(t([[0.0, 1.0]]), 1.0), [d.StickBreakingTransform()]),
        lambda d, t: d.TransformedDistribution(d.Normal(0.0, 1.0), []),
    ],
    "Uniform": [lambda d, t: d.Uniform(0.0, 2.0), lambda d, t: d.Uniform(t([0.0, 1.0]), t([[3.0], [4.0]]))],
    "VonMises": [lambda d, t: d.VonMises(0.3, 1.0), lambda d, t: d.VonMises(t([0.0, 1.0, 2.0]), t([0.01, 2.0, 50.0]))],
    "Weibull": [lambda d, t: d.Weibull(1.0, 2.0), lambda d, t: d.Weibull(t([0.5, 2.0]), t([3.0, 0.7]))],
    "Wishart": [
        lambda d, t: d.Wishart(3.5, t(MATRIX)),
        lambda d, t: d.Wishart(t([3.0, 4.0]), precision_matrix=t(MATRIX)),
        lambda d, t: d.Wishart(t(4.0), scale_tril=t(FACTOR)),
    ],
}
MOMENTS = ("mean", "mode", "variance", "stddev")
APPROXIMATE = {"Gamma", "Chi2", "Beta", "Dirichlet", "InverseGamma", "FisherSnedecor", "StudentT", "Wishart"}
"""Their samples' derivatives are rational approximations in PyTorch, good to three digits, and here those of the quantile."""


DIRECT = {
    *("Bernoulli", "Beta", "Binomial", "Categorical", "Cauchy", "Chi2", "Dirichlet", "Exponential", "FisherSnedecor", "Gamma"),
    *("Geometric", "HalfCauchy", "HalfNormal", "Independent", "Multinomial", "NegativeBinomial", "Normal", "OneHotCategorical"),
    *("Poisson", "StudentT", "Uniform"),
}
"""What is drawn without exponentials, logarithms and sums of float32, whose last bits differ: the same numbers, bit for bit."""


@pytest.fixture(autouse=True)
def arguments_are_validated():
    """PyTorch's compiler, once something has imported it, has turned that off."""
    torch.distributions.Distribution.set_default_validate_args(True)


def attempt(action):
    """What an action gives, or the kind and the text of its error."""
    try:
        return action()
    except Exception as error:
        return f"{type(error).__name__}: {error}".replace("rushlight.", "torch.")


def plain(value):
    """A value without its library."""
    if isinstance(value, (rushlight.Tensor, torch.Tensor)):
        return {
            "dtype": str(value.dtype).removeprefix("rushlight.").removeprefix("torch."),
            "values": value.tolist(),
            "shape": tuple(value.shape),
        }
    if isinstance(value, (tuple, list)):
        return [plain(each) for each in value]
    if isinstance(value, (bool, int, float)) or value is None:
        return value
    return str(value).replace("rushlight.", "torch.")


def agree(mine, wanted, rtol):
    """Whether two plain values are the same to `rtol`."""
    if isinstance(mine, dict) and isinstance(wanted, dict):
        rtol = max(rtol, 2e-5) if wanted["dtype"] == "float32" and rtol else rtol
        return all(agree(mine[key], wanted[key], rtol) for key in mine)
    if isinstance(mine, (list, tuple)) and isinstance(wanted, (list, tuple)):
        return len(mine) == len(wanted) and all(agree(a, b, rtol) for a, b in zip(mine, wanted, strict=True))
    if isinstance(mine, float) and isinstance(wanted, float):
        return mine == wanted or (math.isnan(mine) and math.isnan(wanted)) or abs(mine - wanted) <= rtol * (0.1 + abs(wanted))
    return mine == wanted


def leaves(library, dtype):
    """A function that makes tensors which require grad, and the list of those that it made."""
    made = []

    def leaf(data):
        made.append(library.tensor(data, dtype=getattr(library, dtype), requires_grad=True))
        return made[-1]

    return leaf, made


def gradients(library, value, made):
    """The derivatives of the sum of a value's finite elements."""
    if not value.requires_grad:
        return None
    total = library.where(value.isfinite(), value, 0).sum()
    return list(library.autograd.grad(total, made, allow_unused=True))


def observe(library, make, dtype):
    """Everything that a distribution shows."""
    leaf, made = leaves(library, dtype)
    dist = make(library.distributions, leaf)
    seen = {
        "repr": repr(dist),
        "batch_shape": str(dist.batch_shape),
        "event_shape": str(dist.event_shape),
        "support": attempt(lambda: repr(dist.support)),
        "event_dim": attempt(lambda: dist.support.event_dim),
        "is_discrete": attempt(lambda: dist.support.is_discrete),
        "has": (dist.has_rsample, dist.has_enumerate_support),
        "constraints": attempt(lambda: str(dist.arg_constraints)),
        **{name: attempt(lambda name=name: getattr(dist, name)) for name in MOMENTS},
        "entropy": attempt(dist.entropy),
        "perplexity": attempt(dist.perplexity),
        "enumerate": attempt(dist.enumerate_support),
        "enumerate, unexpanded": attempt(lambda: dist.enumerate_support(expand=False)),
        "expanded": attempt(lambda: repr(dist.expand(library.Size((2, *dist.batch_shape))))),
        "natural": attempt(lambda: dist._natural_params),
        "normalizer": attempt(lambda: dist._log_normalizer(*dist._natural_params)),
    }
    if isinstance(seen["entropy"], library.Tensor):
        seen["entropy, gradients"] = attempt(lambda: gradients(library, seen["entropy"], made))
    for name in ("mean", "variance"):
        if isinstance(seen[name], library.Tensor):
            seen[f"{name}, gradients"] = attempt(lambda name=name: gradients(library, seen[name], made))
    return seen, dist, made


def drawn(library, dist, made):
    """Samples, and derivatives of those that have any."""
    library.manual_seed(7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seen = {
            "sample": attempt(dist.sample),
            "samples": attempt(lambda: dist.sample((3, 2))),
            "rsample": attempt(lambda: dist.rsample((4,))),
            "of expanded": attempt(lambda: dist.expand(library.Size((2, *dist.batch_shape))).sample((2,))),
        }
    if isinstance(seen["rsample"], library.Tensor) and seen["rsample"].requires_grad:
        seen["gradients"] = attempt(lambda: gradients(library, seen["rsample"], made))
    return seen


def densities(library, dist, made, values):
    """What a distribution says of given values."""
    value = library.tensor(values["values"], dtype=getattr(library, values["dtype"]))
    seen = {name: attempt(lambda name=name: getattr(dist, name)(value)) for name in ("log_prob", "cdf")}
    probability = library.tensor([0.1, 0.5, 0.77], dtype=getattr(library, values["dtype"])) if value.is_floating_point() else None
    if probability is not None and tuple(dist.batch_shape) in {(), (1,), (3,)}:
        seen["icdf"] = attempt(lambda: dist.icdf(probability))
    for name in list(seen):
        if isinstance(seen[name], library.Tensor):
            seen[f"{name}, gradients"] = attempt(lambda name=name: gradients(library, seen[name], made))
    seen["integer"] = attempt(lambda: dist.log_prob(3))
    seen["of expanded"] = attempt(lambda: dist.expand(library.Size((2, *dist.batch_shape))).log_prob(value[0]))
    return seen


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, index", [(name, index) for name, cases in CASES.items() for index in range(len(cases))])
def test_distribution(name, index, dtype):
    rtol = 1e-7 if dtype == "float64" and name != "VonMises" else 5e-5  # there PyTorch's Bessel functions are single ones
    if name == "Binomial" and dtype == "float32":
        rtol = 1e-3  # (its entropy's gradient is a small difference of large terms)
    mine, wanted = (observe(library, CASES[name][index], dtype) for library in LIBRARIES)
    differences = compare(mine[0], wanted[0], rtol)
    samples = [drawn(library, *found[1:]) for library, found in zip(LIBRARIES, (mine, wanted), strict=True)]
    exact = [{key: value for key, value in seen.items() if key != "gradients"} for seen in samples]
    differences |= compare(*exact, 0 if name in DIRECT else rtol)
    if "gradients" in samples[1] and name != "Wishart":  # there PyTorch's cannot be had
        approximate = name in APPROXIMATE or "TransformedDistribution" in name
        differences |= compare(*({"gradients": seen["gradients"]} for seen in samples), 4e-3 if approximate else rtol)
    values = plain(samples[1]["samples"])
    seen = [densities(library, *found[1:], values) for library, found in zip(LIBRARIES, (mine, wanted), strict=True)]
    differences |= compare(*seen, rtol * 10)
    assert differences == {}


def compare(mine, wanted, rtol):
    """The observations that differ. (PyTorch cannot compute densities of a GeneralizedPareto in float64.)"""
    refused = {key for key in wanted if wanted[key] == "RuntimeError: Double did not match Float"}
    mine = {key: mine[key] for key in mine if key.partition(",")[0] not in refused}
    wanted = {key: wanted[key] for key in wanted if key not in refused}
    assert mine.keys() == wanted.keys()
    pairs = {key: (plain(mine[key]), plain(wanted[key])) for key in mine}
    return {key: pair for key, pair in pairs.items() if not agree(*pair, rtol)}


PAIRS = {
    "Bernoulli": lambda d, t: d.Bernoulli(t([0.0, 0.3, 1.0])),
    "Beta": lambda d, t: d.Beta(t([1.5, 0.5, 3.0]), 2.0),
    "Binomial": lambda d, t: d.Binomial(5, t([0.1, 0.5, 0.9])),
    "Categorical": lambda d, t: d.Categorical(t(ROWS)),
    "Cauchy": lambda d, t: d.Cauchy(t([0.0, 1.0, 2.0]), t([1.0])),
    "ContinuousBernoulli": lambda d, t: d.ContinuousBernoulli(t([0.2, 0.5, 0.9])),
    "Dirichlet": lambda d, t: d.Dirichlet(t([0.5, 1.0, 3.0])),
    "Exponential": lambda d, t: d.Exponential(t([0.5, 1.0, 3.0])),
    "Gamma": lambda d, t: d.Gamma(t([0.5, 1.0, 3.0]), t([2.0])),
    "Geometric": lambda d, t: d.Geometric(t([0.5, 0.2, 0.9])),
    "Gumbel": lambda d, t: d.Gumbel(t([0.5, 1.0, 3.0]), t([2.0])),
    "HalfNormal": lambda d, t: d.HalfNormal(t([0.5, 1.0, 3.0])),
    "Independent": lambda d, t: d.Independent(d.Normal(t([0.5, 1.0, 3.0]), 1.0), 1),
    "Laplace": lambda d, t: d.Laplace(t([0.5, 1.0, 3.0]), t([2.0])),
    "LogNormal": lambda d, t: d.LogNormal(t([0.5, 1.0, 3.0]), t([2.0])),
    "LowRankMultivariateNormal": lambda d, t: d.LowRankMultivariateNormal(t([1.0, 0.0]), t([[0.5], [1.0]]), t([1.0, 0.2])),
    "MultivariateNormal": lambda d, t: d.MultivariateNormal(t([0.5, 1.0]), t(MATRIX)),
    "Normal": lambda d, t: d.Normal(t([0.5, 1.0, 3.0]), t([2.0])),
    "OneHotCategorical": lambda d, t: d.OneHotCategorical(t(ROWS)),
    "Pareto": lambda d, t: d.Pareto(t([0.5]), t([1.0, 1.5, 3.0])),
    "Poisson": lambda d, t: d.Poisson(t([0.5, 1.0, 3.0])),
    "Uniform": lambda d, t: d.Uniform(t([0.1, 0.3, 0.6]), t([0.9])),
    "Wide": lambda d, t: d.Uniform(t([-1.0, 0.0, 0.6]), t([2.0])),
    "Wishart": lambda d, t: d.Wishart(4.0, t(MATRIX)),
}


def divergence(library, names, dtype):
    leaf, made = leaves(library, dtype)
    p, q = (PAIRS[name](library.distributions, leaf) for name in names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kl = attempt(lambda: library.distributions.kl_divergence(p, q))
    grads = attempt(lambda: gradients(library, kl, made)) if isinstance(kl, library.Tensor) else None
    return {"kl": kl, "gradients": grads}


@pytest.mark.parametrize("first", PAIRS)
def test_divergences(first):
    differences = {}
    for second in PAIRS:
        mine, wanted = (divergence(library, (first, second), "float64") for library in LIBRARIES)
        for key, pair in compare(mine, wanted, 1e-8).items():
            differences[second, key] = pair
    assert differences == {}
