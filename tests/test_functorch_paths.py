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
