"""nn.utils beside PyTorch: parametrizations, norms of weights, pruning, fusion; what each answers, as texts and numbers."""

import copy
import pickle
import re
from importlib import import_module

import pytest

import rushlight

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity
OLDER = "ignore:`torch.nn.utils.weight_norm` is deprecated"


def plain(x):
    """Numbers and texts of an answer."""
    if hasattr(x, "tolist"):
        node = x.grad_fn.name() if x.grad_fn is not None else None
        return [type(x).__name__, str(x.dtype), node, x.detach().tolist()]
    if isinstance(x, dict):
        return {str(key): plain(value) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return [plain(value) for value in x]
    if isinstance(x, type):
        return x.__name__
    return x if x is None or isinstance(x, bool | int | float | str) else re.sub("0x[0-9a-f]+", "", repr(x))


def answer(call):
    """What a call gives, or its error."""
    try:
        return plain(call())
    except Exception as error:
        return f"{type(error).__name__}: {re.sub('0x[0-9a-f]+', '', str(error))}"


def assert_close(ours, theirs, where=""):
    assert type(ours) is type(theirs), (where, ours, theirs)
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs), where
        ours, theirs = list(ours.values()), list(theirs.values())
    if isinstance(theirs, list):
        assert len(ours) == len(theirs), (where, ours, theirs)
        for number, pair in enumerate(zip(ours, theirs, strict=True)):
            assert_close(*pair, f"{where}[{number}]")
    elif isinstance(theirs, float):
        assert ours == theirs or abs(ours - theirs) <= 2e-6 * max(1.0, abs(theirs)), (where, ours, theirs)
    else:
        assert shown(ours) == shown(theirs), where


def shown(x):
    return x.replace("rushlight.", "torch.") if isinstance(x, str) else x


def compare(tour, *arguments):
    """`tour(library, say, …)` says what it finds."""
    found = []
    for library in (rushlight, torch):
        said: list = []
        library.manual_seed(0)
        tour(library, said.append, *arguments)
        found.append(said)
    assert_close(*found)
    assert found[0]


def parts_of(library):
    """Parametrizations of the user."""
    nn = library.nn

    class Symmetric(nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).mT

    class Exponential(nn.Module):
        def forward(self, x):
            return x.exp()

        def right_inverse(self, x):
            return x.log()

    class Halves(nn.Module):
        def forward(self, a, b):
            return a + b

        def right_inverse(self, x):
            return x / 2, x / 2

    class Any(nn.Module):
        def __init__(self, function, inverse=None):
            super().__init__()
            self.function = function
            if inverse is not None:
                self.right_inverse = inverse

        def forward(self, *values):
            return self.function(*values)

    return Symmetric, Exponential, Halves, Any


def positive(library, *sizes):
    layer = library.nn.Linear(*sizes)
    for parameter in layer.parameters():
        parameter.data.abs_().add_(0.1)
    return layer


def parametrized(library, say):
    P, nn = library.nn.utils.parametrize, library.nn
    Symmetric, Exponential, Halves, _ = parts_of(library)
    layer = positive(library, 3, 3)
    original = layer.bias
    P.register_parametrization(layer, "weight", Symmetric())
    say(answer(lambda: [layer, type(layer), layer.weight, layer.state_dict(), [name for name, _ in layer.named_parameters()]]))
    say(answer(lambda: [P.is_parametrized(layer, name) for name in (None, "weight", "bias")]))
    say(answer(lambda: P.type_before_parametrizations(layer)))
    say(answer(lambda: setattr(layer, "weight", library.ones(3, 3))))
    P.register_parametrization(layer, "bias", Exponential())
    layer.bias = library.ones(3) * 2
    say(answer(lambda: [layer.parametrizations.bias.original, layer.parametrizations.bias.original is original, layer.bias]))
    for value in (library.ones(3, dtype=library.float64), 3, nn.Parameter(library.ones(3))):
        say(answer(lambda value=value: setattr(layer, "bias", value)))
    with P.cached():
        say(layer.weight is layer.weight)
    say(layer.weight is layer.weight)
    layer(library.ones(2, 3)).sum().backward()
    say(answer(lambda: [parameter.grad for parameter in layer.parameters()]))
    other = copy.deepcopy(layer)
    say(answer(lambda: [type(other) is type(layer), list(other.state_dict()), layer.load_state_dict(other.state_dict())]))
    say(answer(lambda: pickle.dumps(layer)))
    P.register_parametrization(layer, "weight", Exponential())
    say(answer(lambda: [layer, layer.weight, "weight" in dir(layer)]))
    say(answer(lambda: delattr(layer, "weight")))
    say(answer(lambda: P.remove_parametrizations(layer, "foo")))
    say(answer(lambda: P.remove_parametrizations(layer, "weight", leave_parametrized=False)))
    say(answer(lambda: P.remove_parametrizations(layer, "bias")))
    say(answer(lambda: [type(layer), layer.state_dict(), layer.bias is original]))

    two = nn.Linear(2, 2).requires_grad_(False)
    P.register_parametrization(two, "weight", Halves())
    say(answer(lambda: [two, two.state_dict(), two.weight, [parameter.requires_grad for parameter in two.parameters()]]))
    say(answer(lambda: P.remove_parametrizations(two, "weight", False)))
    two.weight = library.ones(2, 2)
    P.register_parametrization(two, "weight", Exponential())
    say(answer(lambda: [P.remove_parametrizations(two, "weight"), two.weight, list(two._parameters)]))

    norm = nn.BatchNorm1d(3)
    norm.running_mean.add_(1)
    P.register_parametrization(norm, "running_mean", Exponential())
    say(answer(lambda: [norm, norm.state_dict(), norm.running_mean, norm.double().running_mean]))
    P.remove_parametrizations(norm, "running_mean")
    say(list(norm._buffers))

    source, target = positive(library, 3, 3), nn.Linear(3, 3)
    P.register_parametrization(source, "weight", Exponential())
    P.transfer_parametrizations_and_params(source, target)
    say(answer(lambda: [target, target.weight]))
    say(answer(lambda: P.transfer_parametrizations_and_params(nn.Linear(1, 1), nn.Linear(1, 1))))
    say(answer(lambda: P.transfer_parametrizations_and_params(source, nn.Linear(3, 3), "bias")))


def wrong_parametrizations(library, say):
    P, nn = library.nn.utils.parametrize, library.nn
    Symmetric, Exponential, Halves, Any = parts_of(library)
    for name in ("foo", "in_features"):
        say(answer(lambda name=name: P.register_parametrization(nn.Linear(2, 2), name, Symmetric())))
    say(answer(lambda: P.ParametrizationList([], nn.Parameter(library.ones(1)))))

    def refuses(x):
        raise NotImplementedError("no")

    for function, inverse in [
        (lambda x: 3, None),
        (lambda x: x.double(), None),
        (lambda x: x[0], None),
        (lambda x: x, lambda x: 3),
        (lambda x: x, lambda x: x.double()),
        (lambda *x: x[0], lambda x: (x, 3)),
        (lambda x: x, lambda x: x[0]),
        (lambda x: x, refuses),
        (refuses, None),
    ]:
        for unsafe in (False, True):
            part = Any(function, inverse)
            say(answer(lambda: P.register_parametrization(nn.Linear(2, 2), "weight", part, unsafe=unsafe)))  # noqa: B023
        layer = P.register_parametrization(positive(library, 2, 2), "weight", Exponential())
        say(answer(lambda: P.register_parametrization(layer, "weight", part)))  # noqa: B023
    for part, inverses in (
        (Halves, [lambda x: 3, lambda x: (x,), lambda x: (x, 3), lambda x: (x, x.double()), lambda x: (x, x[0])]),
        (Symmetric, [lambda x: 3, lambda x: x.double(), lambda x: x[0]]),
    ):
        for inverse in inverses:
            layer = P.register_parametrization(nn.Linear(2, 2), "weight", part())
            layer.parametrizations.weight[0].right_inverse = inverse
            say(answer(lambda: setattr(layer, "weight", library.ones(2, 2))))  # noqa: B023


def norms_of_weights(library, say):
    nn, U, Z = library.nn, library.nn.utils, library.nn.utils.parametrizations
    for dim in (0, 1, -1, None):
        layer = U.weight_norm(nn.Linear(3, 2), dim=dim)
        say(answer(lambda: [layer, layer.state_dict(), layer(library.ones(1, 3)), layer.weight]))  # noqa: B023
        layer.weight_g.data.mul_(2)
        layer(library.ones(1, 3)).square().sum().backward()
        say(answer(lambda: [layer.weight_g.grad, layer.weight_v.grad]))  # noqa: B023
        say(answer(lambda: U.weight_norm(layer, dim=dim)))  # noqa: B023
        say(answer(lambda: [U.remove_weight_norm(layer), layer.state_dict(), type(layer.weight)]))  # noqa: B023
        layer = Z.weight_norm(nn.Linear(3, 2), dim=dim)
        say(answer(lambda: [layer, layer.state_dict(), layer.weight]))  # noqa: B023
        layer.weight = library.ones(2, 3)
        say(answer(lambda: [layer.state_dict(), layer.weight]))  # noqa: B023
    say(answer(lambda: U.remove_weight_norm(nn.Linear(2, 2))))
    say(answer(lambda: U.weight_norm(nn.LazyLinear(3))))
    layer = Z.weight_norm(nn.Linear(3, 2))
    say(answer(lambda: [layer.load_state_dict(U.weight_norm(nn.Linear(3, 2)).state_dict()), layer.weight]))

    layer = U.spectral_norm(nn.Linear(3, 2), n_power_iterations=2)
    say(answer(lambda: [layer, layer.state_dict(), layer.state_dict()._metadata, layer.weight]))
    say(answer(lambda: [layer(library.ones(1, 3)), layer.weight, layer.state_dict(), layer.eval()(library.ones(1, 3))]))
    layer(library.ones(1, 3)).square().sum().backward()
    say(answer(lambda: layer.weight_orig.grad))
    say(answer(lambda: U.spectral_norm(layer)))
    say(answer(lambda: [U.remove_spectral_norm(layer), layer.state_dict(), type(layer.weight)]))
    for call in (
        lambda: U.spectral_norm(nn.Linear(2, 2), n_power_iterations=0),
        lambda: U.spectral_norm(nn.LazyLinear(2)),
        lambda: U.spectral_norm(nn.Linear(2, 2), name="foo"),
        lambda: U.spectral_norm(nn.Linear(2, 2, bias=False), name="bias"),
        lambda: U.remove_spectral_norm(nn.Linear(2, 2)),
        lambda: Z.spectral_norm(nn.Linear(2, 2), "foo"),
        lambda: Z.spectral_norm(nn.Linear(2, 2), dim=3),
        lambda: Z.spectral_norm(nn.Linear(2, 2), n_power_iterations=0),
        lambda: Z.spectral_norm(nn.Linear(2, 2), "bias").bias,
        lambda: Z.spectral_norm(nn.Linear(3, 2), dim=1).weight,
    ):
        say(answer(call))
    layer = Z.spectral_norm(nn.Linear(3, 2))
    say(answer(lambda: [layer, layer.state_dict(), layer.weight, layer.state_dict(), layer.eval().weight]))
    layer.weight = library.ones(2, 3)
    say(answer(lambda: layer.weight))


def orthogonal_matrices(library, say, kind, trivial):
    nn, Z = library.nn, library.nn.utils.parametrizations
    for sizes in ((3, 3), (2, 3), (3, 2)):
        layer = nn.Linear(*sizes)
        library.manual_seed(3)
        nn.init.normal_(layer.weight)

        def made_of(layer):
            Z.orthogonal(layer, orthogonal_map=kind, use_trivialization=trivial)
            return [layer, layer.weight, list(layer.state_dict())]

        made = answer(lambda: made_of(layer))  # noqa: B023
        say(made)
        if isinstance(made, list):
            say(answer(lambda: setattr(layer, "weight", library.eye(*layer.weight.shape))))  # noqa: B023
            layer.weight.square().sum().backward()
            say(answer(lambda: layer.parametrizations.weight.original.grad.abs() < 1e-5))  # noqa: B023


def wrong_orthogonal_matrices(library, say):
    nn, Z = library.nn, library.nn.utils.parametrizations
    layer = Z.orthogonal(nn.Linear(3, 3, dtype=library.complex64))
    say(answer(lambda: [layer, setattr(layer, "weight", library.ones(2, 2))]))
    for name, kind, dtype in (
        ("weight", "householder", library.complex64),
        ("bias", None, None),
        ("foo", None, None),
        ("weight", "x", None),
    ):
        say(answer(lambda: Z.orthogonal(nn.Linear(2, 2, dtype=dtype), name, kind)))  # noqa: B023
    batch = nn.Module()
    batch.weight = nn.Parameter(library.randn(2, 3, 4))
    say(answer(lambda: Z.orthogonal(batch).weight))


def pruned(library, say):
    nn, P = library.nn, import_module(f"{library.__name__}.nn.utils.prune")
    weight = library.randn(4, 5)

    def layer():
        made = nn.Linear(5, 4)
        made.weight.data.copy_(weight)
        return made

    for prune in (
        lambda m: P.identity(m, "weight"),
        lambda m: P.random_unstructured(m, "weight", 3),
        lambda m: P.random_unstructured(m, "weight", 0.5),
        lambda m: P.l1_unstructured(m, "weight", 0.3),
        lambda m: P.l1_unstructured(m, "weight", 4, importance_scores=library.arange(20.0).reshape(4, 5)),
        lambda m: P.random_structured(m, "weight", 2, 1),
        lambda m: P.random_structured(m, "weight", 0.5, 0),
        lambda m: P.ln_structured(m, "weight", 2, 2, 1),
        lambda m: P.ln_structured(m, "weight", 0.5, float("inf"), -1),
        lambda m: P.ln_structured(m, "weight", 0, 1, 0),
        lambda m: P.custom_from_mask(m, "weight", library.eye(4, 5)),
        lambda m: P.l1_unstructured(P.l1_unstructured(m, "weight", 5), "weight", 5),
        lambda m: P.ln_structured(P.ln_structured(m, "weight", 1, 2, 0), "weight", 1, 2, 0),
        lambda m: P.ln_structured(P.ln_structured(m, "weight", 1, 2, -1), "weight", 1, 2, -1),
        lambda m: P.random_structured(P.l1_unstructured(m, "weight", 7), "weight", 1, 1),
        lambda m: P.random_unstructured(P.ln_structured(P.l1_unstructured(m, "weight", 2), "weight", 1, 2, 0), "weight", 3),
        lambda m: P.custom_from_mask(P.l1_unstructured(m, "weight", 0.5), "weight", library.eye(4, 5)),
    ):
        made = layer()
        parameter = made.weight
        prune(made)
        say(answer(lambda: [made.state_dict(), made.weight, [type(hook) for hook in made._forward_pre_hooks.values()]]))  # noqa: B023
        made(library.ones(1, 5)).sum().backward()
        say(answer(lambda: [made.weight_orig.grad, P.is_pruned(made)]))  # noqa: B023
        P.remove(made, "weight")
        say(answer(lambda: [made.state_dict(), made.weight is parameter, P.is_pruned(made), list(made._parameters)]))  # noqa: B023
    for amount in ("x", -1, 1.5, 21, 2.0, True):
        say(answer(lambda: P.l1_unstructured(layer(), "weight", amount)))  # noqa: B023
        say(answer(lambda: P.random_structured(layer(), "weight", amount, 1)))  # noqa: B023
    first, second = layer(), layer()
    for call in (
        lambda: P.ln_structured(layer(), "bias", 1, 2, 0),
        lambda: P.ln_structured(layer(), "weight", 1, 2, 3),
        lambda: P.random_structured(layer(), "weight", 0, 1),
        lambda: P.remove(layer(), "weight"),
        lambda: P.l1_unstructured(layer(), "foo", 1),
        lambda: P.custom_from_mask(layer(), "weight", library.ones(2)),
        lambda: P.l1_unstructured(layer(), "weight", 1, importance_scores=library.ones(3)),
        lambda: P.global_unstructured([(first, "weight"), (second, "weight"), (second, "bias")], P.L1Unstructured, amount=0.4),
        lambda: [first.weight_mask, second.weight_mask, second.bias_mask],
        lambda: P.global_unstructured(
            [(first, "weight"), (second, "weight")],
            P.L1Unstructured,
            importance_scores={(first, "weight"): library.arange(20.0).reshape(4, 5)},
            amount=9,
        ),
        lambda: [first.weight_mask, second.weight_mask],
        lambda: P.global_unstructured(3, P.L1Unstructured, amount=1),
        lambda: P.global_unstructured([(first, "weight")], P.LnStructured, amount=1, n=2),
        lambda: P.global_unstructured([(first, "weight")], P.L1Unstructured, importance_scores=3, amount=1),
        lambda: P.PruningContainer().add_pruning_method(3),
        lambda: P.L1Unstructured(2).prune(weight),
        lambda: P.L1Unstructured(2).prune(weight, default_mask=library.eye(4, 5)),
        lambda: P.L1Unstructured(2).prune(weight, importance_scores=library.ones(2)),
        lambda: P.is_pruned(nn.Sequential(P.identity(layer(), "weight"))),
    ):
        say(answer(call))


def fused(library, say):
    nn, U = library.nn, library.nn.utils
    norm, layer = nn.BatchNorm1d(2), nn.Linear(3, 2)
    norm.running_mean.fill_(0.5)
    norm.running_var.fill_(2.0)
    norm.eval()
    say(answer(lambda: U.fuse_linear_bn_eval(layer, norm)))
    layer.eval()
    made = U.fuse_linear_bn_eval(layer, norm)
    say(answer(lambda: [made, made.weight, made.bias, made.training, (made.weight.requires_grad, made.bias.requires_grad)]))
    say(answer(lambda: U.fuse_linear_bn_eval(layer, nn.BatchNorm1d(3).eval())))
    say(answer(lambda: U.fuse_linear_bn_eval(nn.Linear(3, 2, bias=False).eval(), norm).bias))
    say(answer(lambda: U.fuse_linear_bn_eval(layer, nn.BatchNorm1d(1).eval()).weight))
    statistics = (norm.running_mean, norm.running_var, 1e-5)
    say(answer(lambda: U.fuse_linear_bn_weights(layer.weight, layer.bias, *statistics, norm.weight, norm.bias)))
    say(answer(lambda: U.fuse_conv_bn_weights(library.ones(2, 3, 1), None, *statistics, None, None)))
    say(
        answer(
            lambda: U.fuse_conv_bn_weights(
                library.ones(3, 2, 1), library.ones(2), *statistics, norm.weight, norm.bias, transpose=True
            )
        )
    )


def unset(library, say):
    nn, U = library.nn, library.nn.utils
    layer = U.skip_init(nn.Linear, 3, 2, bias=False, dtype=library.float64)
    say(answer(lambda: [layer, str(layer.weight.dtype), library.randn(1)]))
    for kind in (nn.ReLU, 3, library.ones):
        say(answer(lambda: U.skip_init(kind)))  # noqa: B023


TOURS = (parametrized, wrong_parametrizations, norms_of_weights, wrong_orthogonal_matrices, pruned, fused, unset)


@pytest.mark.filterwarnings(OLDER)
@pytest.mark.parametrize("tour", TOURS, ids=lambda tour: tour.__name__)
def test_tour(tour):
    compare(tour)


@pytest.mark.parametrize("kind", [None, "matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("trivial", [True, False])
def test_orthogonal_matrices(kind, trivial):
    compare(orthogonal_matrices, kind, trivial)


def test_weight_norm_warns():
    for library in (rushlight, torch):
        with pytest.warns(
            FutureWarning, match=r"`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations"
        ):
            library.nn.utils.weight_norm(library.nn.Linear(1, 1))


@pytest.mark.parametrize("shape, dim", [((3, 4), 0), ((3, 4), 1), ((2, 3, 4), 1), ((2, 3, 4), 2), ((3, 4), -1)])
def test_weight_norm_and_its_derivatives(shape, dim):
    # (Second derivatives follow the laws: PyTorch's gradgradcheck finds its own wrong.)
    def derivatives(library):
        library.manual_seed(0)
        v = library.randn(shape, dtype=library.float64, requires_grad=True)
        g = library.norm_except_dim(v.detach(), 2, dim).mul(0.5).requires_grad_()
        w = library._weight_norm(v, g, dim)
        return [plain(x) for x in (w.detach(), *library.autograd.grad((w**3).sum(), (v, g)))]

    assert_close(derivatives(rushlight), derivatives(torch))


def test_conv_weights_take_a_memory_format():
    if not hasattr(rushlight.nn, "Conv2d"):
        pytest.skip("there are no convolutions")
    for library in (rushlight, torch):
        net = library.nn.Sequential(library.nn.Conv2d(3, 4, 3), library.nn.Linear(2, 2))
        library.nn.utils.convert_conv2d_weight_memory_format(net, library.channels_last)
        assert net[0].weight.is_contiguous(memory_format=library.channels_last)
