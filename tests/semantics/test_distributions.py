"""Distributions: numbers that PyTorch prints, what is refused, and how classes of the user's own take part."""

import math

import pytest


def near(torch, found, expected, rtol=1e-5):
    torch.testing.assert_close(found, torch.tensor(expected), rtol=rtol, atol=1e-6)


def test_samples_of_a_seed(torch):
    d = torch.distributions
    torch.manual_seed(0)
    near(torch, d.Normal(torch.tensor([0.0, 10.0]), 1.0).sample(), [1.5409961, 9.7065716])
    assert d.Categorical(torch.tensor([0.2, 0.3, 0.5])).sample((5,)).tolist() == SEEDED["categorical"]
    near(torch, d.Gamma(torch.tensor([0.3, 2.0]), 2.0).sample(), SEEDED["gamma"])
    near(torch, d.Dirichlet(torch.tensor([0.5, 1.0, 2.0])).sample(), SEEDED["dirichlet"])
    near(torch, d.VonMises(0.0, 4.0).sample((2,)), SEEDED["von mises"])


SEEDED = {
    "categorical": [1, 2, 2, 2, 0],
    "gamma": [0.049428507685661316, 0.5991492867469788],
    "dirichlet": [0.0754297748208046, 0.07730099558830261, 0.8472692370414734],
    "von mises": [-0.17076103389263153, 0.8430619835853577],
}
"""What PyTorch draws."""


def test_samples_move_with_their_parameters(torch):
    """The derivative of a quantile: that of an exponential number by its rate, that of a uniform one by an exponent."""
    one = torch.ones(4, dtype=torch.float64, requires_grad=True)
    x = torch.distributions.Beta(one, 1.0).rsample()
    (slope,) = torch.autograd.grad(x.sum(), one)
    torch.testing.assert_close(slope, -(x * x.log()).detach(), rtol=2e-3, atol=1e-6)
    x = torch.distributions.Gamma(2.0, one).rsample()
    (slope,) = torch.autograd.grad(x.sum(), one)
    torch.testing.assert_close(slope, -x.detach())


def test_what_is_refused(torch):
    d = torch.distributions
    with pytest.raises(ValueError, match=r"Expected parameter scale .* to satisfy the constraint GreaterThan"):
        d.Normal(0.0, -1.0)
    with pytest.raises(ValueError, match="Either `probs` or `logits` must be specified, but not both"):
        d.Bernoulli()
    with pytest.raises(ValueError, match=r"Expected value argument .* to be within the support \(Boolean\(\)\)"):
        d.Bernoulli(0.5).log_prob(torch.tensor(0.5))
    with pytest.raises(ValueError, match="The value argument to log_prob must be a Tensor"):
        d.Normal(0.0, 1.0).log_prob(1.0)
    with pytest.raises(ValueError, match="Value is not broadcastable with batch_shape"):
        d.Normal(torch.zeros(2), 1.0).log_prob(torch.zeros(3))
    with pytest.raises(ValueError, match="The right-most size of value must match event_shape"):
        d.Dirichlet(torch.ones(2)).log_prob(torch.ones(3) / 3)
    with pytest.raises(NotImplementedError, match=r"No KL\(p \|\| q\) is implemented for p type Normal and q type Cauchy"):
        d.kl_divergence(d.Normal(0.0, 1.0), d.Cauchy(0.0, 1.0))
    assert d.Normal(0.0, -1.0, validate_args=False).scale.item() == -1


def test_classes_of_the_users_own(torch):
    d = torch.distributions

    class Unit(d.Normal):
        def __init__(self):
            super().__init__(0.0, 1.0)

    with pytest.raises(NotImplementedError, match=r"Subclass Unit of Normal that defines a custom __init__ method must also"):
        Unit().expand((2,))

    class Left(d.Normal):
        pass

    class Right(d.Normal):
        pass

    d.register_kl(Left, d.Normal)(lambda p, q: "left")
    d.register_kl(d.Normal, Right)(lambda p, q: "right")
    assert d.kl_divergence(Left(0.0, 1.0), Left(0.0, 1.0)) == "left"
    assert d.kl_divergence(d.Normal(0.0, 1.0), Right(0.0, 1.0)) == "right"
    with pytest.warns(RuntimeWarning, match=r"Ambiguous kl_divergence\(Left, Right\). Please register_kl\(Left, Right\)"):
        assert d.kl_divergence(Left(0.0, 1.0), Right(0.0, 1.0)) == "left"


def test_lazy_properties(torch):
    mixed = torch.distributions.Categorical(logits=torch.zeros(2, requires_grad=True))
    assert "probs" not in vars(mixed)
    with torch.no_grad():
        assert mixed.probs.requires_grad
    assert "probs" in vars(mixed) and isinstance(torch.distributions.Categorical.probs, property)
    near(torch, mixed.expand((3,)).probs.detach(), [[0.5, 0.5]] * 3)


TRANSFORMS = {
    "AbsTransform": lambda d: (d.AbsTransform(), [0.5, 2.0]),
    "AffineTransform": lambda d: (d.AffineTransform(1.0, -2.0), [0.5, -2.0]),
    "CorrCholeskyTransform": lambda d: (d.CorrCholeskyTransform(), [0.5, -0.2, 1.0]),
    "CumulativeDistributionTransform": lambda d: (d.CumulativeDistributionTransform(d.Normal(0.0, 1.0)), [0.5, -1.0]),
    "ExpTransform": lambda d: (d.ExpTransform(), [0.5, -1.0]),
    "PowerTransform": lambda d: (d.PowerTransform(2.0), [0.5, 1.0]),
    "SigmoidTransform": lambda d: (d.SigmoidTransform(), [0.5, -1.0]),
    "SoftplusTransform": lambda d: (d.SoftplusTransform(), [0.5, -1.0]),
    "StickBreakingTransform": lambda d: (d.StickBreakingTransform(), [0.5, -1.0]),
    "TanhTransform": lambda d: (d.TanhTransform(), [0.5, -1.0]),
    "composed": lambda d: (d.ComposeTransform([d.ExpTransform(), d.AffineTransform(0.0, 3.0), d.TanhTransform()]), [0.1, -1.0]),
    "independent": lambda d: (d.IndependentTransform(d.ExpTransform(), 1), [0.5, -1.0]),
    "cat": lambda d: (d.CatTransform([d.ExpTransform(), d.TanhTransform()], 0, [1, 2]), [0.5, -1.0, 0.3]),
    "stack": lambda d: (d.StackTransform([d.ExpTransform(), d.TanhTransform()], 0), [0.5, -1.0]),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_inverses_and_jacobians(torch, name):
    transform, values = TRANSFORMS[name](torch.distributions)
    x = torch.tensor(values, dtype=torch.float64)
    y = transform(x)
    torch.testing.assert_close(transform.inv(y), x)
    assert (
        transform.inv.inv == transform
        and transform.forward_shape(x.shape) == y.shape
        and transform.inverse_shape(y.shape) == x.shape
    )
    if transform.bijective:
        matrix = torch.autograd.functional.jacobian(transform, x)
        if name == "CorrCholeskyTransform":  # what is below the diagonal
            matrix = matrix[[1, 2, 2], [0, 0, 1]]
        elif name == "StickBreakingTransform":
            matrix = matrix[:-1]
        volume = transform.log_abs_det_jacobian(x, y)
        torch.testing.assert_close(volume.sum(), torch.linalg.slogdet(matrix).logabsdet)


def test_a_cache_knows_the_last_pair(torch):
    transform = torch.distributions.TanhTransform(cache_size=1)
    x = torch.tensor([50.0])
    y = transform(x)
    assert transform.inv(y) is x and transform(x) is y
    assert math.isinf(transform.inv(y.clone()).item())


def test_transforms_to_constraints(torch):
    d = torch.distributions
    c = d.constraints
    x = torch.linspace(-1, 1, 6).view(2, 3)
    for constraint in (
        c.positive,
        c.interval(-1.0, 3.0),
        c.less_than(2.0),
        c.simplex,
        c.real,
        c.greater_than_eq(1.0),
        c.unit_interval,
    ):
        for registry in (d.transform_to, d.biject_to):
            assert constraint.check(registry(constraint)(x)).all()
    square = torch.linspace(-1, 1, 4).view(2, 2)
    assert c.positive_definite.check(d.transform_to(c.positive_definite)(square))
    assert c.corr_cholesky.check(d.biject_to(c.corr_cholesky)(x)).all()
    with pytest.raises(NotImplementedError, match="Cannot transform _PositiveDefinite constraints"):
        d.biject_to(c.positive_definite)


def test_densities_of_batches_are_checked_too(torch):
    d, vmap = torch.distributions, torch.func.vmap
    x = torch.tensor([0.2, 0.5, 0.3])
    for made in (d.Normal(0.0, 1.0), d.Beta(1.0, 2.0), d.Exponential(1.0)):
        assert torch.equal(vmap(made.log_prob)(x), made.log_prob(x))
    near(torch, vmap(lambda loc: d.Normal(loc, 1.0).cdf(loc))(x), [0.5, 0.5, 0.5])
    near(torch, vmap(torch.func.grad(lambda loc: d.Normal(loc, 1.0).log_prob(torch.tensor(1.0))))(x), [0.8, 0.5, 0.7])
    near(torch, vmap(lambda c: d.Dirichlet(c).log_prob(x))(torch.ones(2, 3)), [math.log(2), math.log(2)])
    with pytest.raises(RuntimeError, match=r"vmap: It looks like you're calling .item\(\) on a Tensor"):
        vmap(d.Exponential(1.0).log_prob)(-x)
    assert torch._is_all_true(x > 0).item() and (x > 0.4)._is_any_true().item()
    assert vmap(lambda row: torch._is_all_true(row > 0.1))(torch.stack([x, x * 0])).tolist() == [False, False]


def test_parts_of_triangles_that_are_empty(torch):
    utils = torch.distributions.utils
    for diag in range(-3, 3):
        lower = torch.arange(1.0, 10.0).view(3, 3).tril(diag)
        assert torch.equal(utils.vec_to_tril_matrix(utils.tril_matrix_to_vec(lower, diag), diag), lower)


@pytest.mark.filterwarnings("ignore:Singular sample:UserWarning")
def test_whole_degrees_of_freedom(torch):
    for df in (torch.tensor(3), 3):
        wishart = torch.distributions.Wishart(df, torch.eye(3))
        assert wishart.sample((2,)).shape == (2, 3, 3) and wishart._dist_chi2.df.tolist() == [3, 2, 1]


@pytest.mark.filterwarnings("ignore:Low df values:UserWarning")
def test_singular_samples_of_a_batch_are_drawn_again(torch):
    torch.manual_seed(0)
    df = torch.tensor([2.1, 2.5, 2.9], dtype=torch.float64)
    wishart = torch.distributions.Wishart(df, torch.eye(3, dtype=torch.float64).expand(3, 3, 3))
    with pytest.warns(UserWarning, match="Singular sample detected"):
        sample = wishart.sample((1000,))
    assert bool(wishart.support.check(sample).all())
