"""The paths under which older programs import the transforms: `functorch`, `torch._functorch`."""

import pytest

import rushlight as torch
from rushlight._functorch import apis, eager_transforms, functional_call
from rushlight._functorch import make_functional as modules


@pytest.fixture
def functorch():
    with torch.as_torch():
        import functorch
        import functorch.experimental

        yield functorch


def test_one_thing_under_all_its_names(functorch):
    func = torch.func
    assert apis.vmap is func.vmap is torch.vmap and apis.grad is func.grad and eager_transforms.jacrev is func.jacrev
    assert functional_call.functional_call is func.functional_call
    assert functorch.__name__ == "rushlight._functorch.functorch"
    assert functorch.experimental.chunk_vmap is apis.chunk_vmap
    assert {getattr(func, name).__module__ for name in func.__all__} == {"rushlight.func"}


def test_old_names_say_what_succeeds_them(functorch):
    for name, successor in (("grad", "torch.func.grad"), ("vmap", "torch.vmap"), ("jacrev", "torch.func.jacrev")):
        with pytest.warns(FutureWarning, match=f"`functorch.{name}` is deprecated .* Please use `{successor}` instead"):
            getattr(functorch, name)(torch.sin)
    with pytest.warns(FutureWarning, match="Please use `torch.func.functional_call` instead"):
        functorch.make_functional(torch.nn.Linear(1, 1))


def test_modules_as_functions():
    layer, x = torch.nn.Linear(2, 1), torch.ones(3, 2)
    call, parameters = modules.make_functional(layer)
    assert torch.equal(call(parameters, x), layer(x)) and all(p.requires_grad for p in parameters)
    assert all(a is not b and torch.equal(a, b) for a, b in zip(parameters, layer.parameters(), strict=True))
    call, parameters = modules.make_functional(layer, disable_autograd_tracking=True)
    assert not any(p.requires_grad for p in parameters)
    assert torch.func.grad(lambda p: call(p, x).sum())(parameters)[1].tolist() == [3]
    with pytest.raises(RuntimeError, match="Please use make_functional_with_buffers"):
        modules.make_functional(torch.nn.BatchNorm1d(2))


def test_modules_with_buffers():
    norm = torch.nn.BatchNorm1d(2)
    call, parameters, buffers = modules.make_functional_with_buffers(norm)
    call(parameters, buffers, torch.ones(3, 2))
    assert buffers[0].tolist() == pytest.approx([0.1, 0.1]) and norm.running_mean.tolist() == [0, 0]


def test_tied_parameters():
    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.a(x) + self.b(x)

    call, parameters = modules.make_functional(Tied())
    assert len(parameters) == 3
    assert call(tuple(torch.ones_like(p) for p in parameters), torch.ones(1, 2)).tolist() == [[6]]


def test_ensembles():
    layers = [torch.nn.Linear(2, 1) for _ in range(3)]
    call, parameters, buffers = modules.combine_state_for_ensemble(layers)
    results = torch.vmap(call, (0, 0, None))(parameters, buffers, torch.ones(4, 2))
    assert torch.allclose(results, torch.stack([layer(torch.ones(4, 2)) for layer in layers]))
    for models, text in (([], "at least one model, got 0"), ([layers[0], torch.nn.ReLU()], "to be of the same class")):
        with pytest.raises(RuntimeError, match=text):
            modules.combine_state_for_ensemble(models)


def test_chunks():
    x = torch.arange(5.0)
    for chunks in (1, 2, 3, 5, 9):
        assert torch.equal(apis.chunk_vmap(torch.sin, chunks=chunks)(x), x.sin())
    with pytest.raises(RuntimeError, match="chunk expects `chunks` to be greater than 0, got: 0"):
        apis.chunk_vmap(torch.sin, chunks=0)(x)


def test_shared_modules_get_their_tensors_back():
    class Twice(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = self.b = torch.nn.Linear(2, 2, bias=False)

        def forward(self, x):
            return self.b(self.a(x))

    module, weight = Twice(), torch.eye(2) * 3
    own = module.a.weight
    for given in ({"a.weight": weight}, {"b.weight": weight}, {"a.weight": weight, "b.weight": weight}):
        assert torch.func.functional_call(module, given, torch.ones(1, 2)).tolist() == [[9, 9]]
        assert module.a.weight is own


@pytest.mark.parametrize(
    ("argnums", "expected"), [(0, (1,)), (-1, (3,)), ((0, 2), (1, 3)), ((-3, -1), (1, 3)), ((1,), (2,)), ((2, 0), (3, 1))]
)
def test_arguments_by_number(argnums, expected):
    assert eager_transforms._slice_argnums((1, 2, 3), argnums) == expected
    assert eager_transforms._slice_argnums((1, 2, 3), 1, as_tuple=False) == 2


@pytest.mark.parametrize(
    ("argnums", "text"),
    [([0], "must be int or Tuple"), (0.0, "must be int or Tuple"), ((0.0,), "must be int"), (5, "positional inputs"),
     (-4, "positional inputs"), ((), "must be non-empty"), ((0, 0), "must be unique"), ((0, -3), "must be unique")],
)  # fmt: skip
def test_wrong_numbers_of_arguments(argnums, text):
    with pytest.raises(RuntimeError, match=text):
        eager_transforms._slice_argnums((1, 2, 3), argnums)


def test_vmap_taken_apart():
    from rushlight._functorch.vmap import get_chunk_sizes, restore_vmap

    assert get_chunk_sizes(7, 3) == [3, 3, 1] and get_chunk_sizes(6, 3) == [3, 3]
    x = torch.arange(6.0).view(3, 2)
    (total, constant), dims = restore_vmap(lambda x: (x.sum(), torch.ones(2)), (1,), 2, "error")(x)
    assert torch.equal(total, x.sum(0)) and constant.tolist() == [1.0, 1.0] and dims == (0, None)


def test_functions_of_one_level():
    from rushlight._functorch.utils import enable_single_level_autograd_function

    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    def f(x):
        return Double.apply(x).sum()

    with pytest.raises(RuntimeError, match="it must override the setup_context staticmethod"):
        torch.func.grad(f)(torch.ones(2))
    with enable_single_level_autograd_function():
        assert torch.func.grad(f)(torch.ones(2)).tolist() == [2.0, 2.0]


def test_the_first_form_of_functional_modules():
    weights, call, names = modules.functional_init(torch.nn.Linear, (3,))(2, 1)
    x = torch.ones(4, 2)
    assert torch.func.vmap(call, (0, None))(weights, (x,)).shape == (3, 4, 1) and names == ("weight", "bias")
    weights, buffers, call, _, buffer_names = modules.functional_init_with_buffers(torch.nn.BatchNorm1d)(2)
    assert call(weights, buffers, (x,)).shape == (4, 2) and buffer_names[0] == "running_mean"
    with pytest.raises(RuntimeError, match="`model` has buffers"):
        modules.functional_init(torch.nn.BatchNorm1d)(2)
    with pytest.raises(ValueError, match="should be > 0"):
        modules.functional_init(torch.nn.Linear, (0,))(2, 1)


def test_depths_of_derivatives():
    functorch, escaped = torch._C._functorch, []

    def f(x):
        escaped.append(x.sin())
        assert functorch.dlevel(x) == functorch.dlevel(escaped[0]) == 1
        return x.sum()

    torch.func.grad(f)(torch.ones(2))
    assert functorch.dlevel(escaped[0]) == -1 and functorch.is_dead_tensor_wrapper(escaped[0])
    assert functorch.dlevel(escaped[0].sum()) == functorch.dlevel(torch.ones(2)) == 0


def test_random_numbers_like_an_example_differ_in_each_layout():
    drawn = torch.func.vmap(lambda x: torch.nn.functional.gumbel_softmax(x), randomness="different")(torch.zeros(3, 4))
    assert drawn.shape == (3, 4) and not torch.equal(drawn[0], drawn[1])


def test_a_module_is_lent_tensors():
    from rushlight.nn.utils.stateless import _reparametrize_module

    layer, weight = torch.nn.Linear(1, 1), torch.full((1, 1), 3.0, requires_grad=True)
    own = layer.weight
    with _reparametrize_module(layer, {"weight": weight, "bias": torch.zeros(1)}):
        layer(torch.ones(1)).backward()
    assert layer.weight is own and own.grad is None and weight.grad.item() == 1
    with (
        pytest.raises(TypeError, match="is not an instance of"),
        _reparametrize_module(layer, {"bias": weight, "weight": 3}),
    ):
        pass
    assert layer.weight is own and layer.bias is not weight


def test_a_call_with_other_tensors_has_an_inner_name():
    from rushlight.nn.utils import stateless

    layer, given = torch.nn.Linear(1, 1), {"weight": torch.ones(1, 1), "bias": torch.ones(1)}
    assert stateless._functional_call(layer, given, torch.ones(1)).item() == 2
    with pytest.raises(RuntimeError, match="can't be used with nn\\.DataParallel module"):
        torch.func.functional_call(torch.nn.DataParallel(layer), given, torch.ones(1))
