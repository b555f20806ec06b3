"""vmap of dicts, lists and tuples, and of what is no plain container."""

from collections import OrderedDict, namedtuple

import pytest

Pair = namedtuple("Pair", "first second")


def test_containers_of_examples(torch):
    vmap = torch.func.vmap
    a, b = torch.arange(6.0).view(2, 3), torch.arange(2.0)
    seen = []

    def function(given, more=None):
        seen.append((type(given), list(given) if isinstance(given, dict) else None))
        leaves = list(given.values()) if isinstance(given, dict) else list(given)
        return {"sum": leaves[0].sum() + leaves[1], "all": [leaves[0], (leaves[1],)]}

    for given in ({"z": a, "a": b}, [a, b], (a, b), OrderedDict(z=a, a=b), Pair(a, b)):
        seen.clear()
        result = vmap(function)(given)
        assert (
            result["sum"].tolist() == [3, 13]
            and result["all"][0].tolist() == a.tolist()
            and result["all"][1][0].tolist() == [0, 1]
        )
        assert seen == [(type(given), list(given) if isinstance(given, dict) else None)]
    dims = ({"z": 1, "a": None}, None)
    assert vmap(lambda d, y: (d["z"] * d["a"]).sum() + y, dims)({"z": a, "a": torch.ones(2)}, 1.0).tolist() == [4, 6, 8]
    assert vmap(lambda d: d["a"] + d["z"], ({"a": 0, "z": 0},))({"z": b, "a": b}).tolist() == [0, 2]
    assert vmap(lambda pair: pair[0] * pair[1], ((0, None),))((b, 2.0)).tolist() == [0, 2]
    assert vmap(lambda pair: pair[0] * pair[1], ([0, None],))([b, 2.0]).tolist() == [0, 2]


def test_the_function_gets_containers_of_its_own(torch):
    given, kept = {"a": torch.ones(2)}, {"b": torch.ones(1)}

    def function(x, y):
        x["a"], y["b"] = 1, 2
        return torch.ones(())

    torch.func.vmap(function, (0, None))(given, kept)
    assert given["a"].tolist() == [1, 1] and kept["b"].tolist() == [1]


def test_containers_that_do_not_fit(torch):
    vmap, a = torch.func.vmap, torch.ones(2)
    for dims, given in (({"a": 0}, {"b": a}), ({"a": 0}, {"a": a, "b": a}), ((0,), [a]), ([0, 0], [a])):
        with pytest.raises(ValueError, match="in_dims is not compatible with the structure of `inputs`"):
            vmap(lambda x: torch.ones(()), (dims,))(given)
    with pytest.raises(ValueError, match="We cannot vmap over non-Tensor arguments"):
        vmap(lambda x: torch.ones(()))({"a": a, "b": 1})
    with pytest.raises(ValueError, match="got sizes \\[2, 3\\] for the mapped dimension"):
        vmap(lambda x: torch.ones(()))({"a": a, "b": torch.ones(3)})
    with pytest.raises(ValueError, match="must only return Tensors, got type <class 'int'>"):
        vmap(lambda x: {"a": x, "b": 1})(a)


def test_layers_of_several_models(torch):
    func, layer = torch.func, torch.nn.functional.linear
    x, weights, biases = torch.randn(4, 3), torch.randn(2, 5, 3), torch.randn(2, 5)
    expected = torch.stack([layer(x, w, b) for w, b in zip(weights, biases)])
    assert torch.allclose(func.vmap(lambda w, b: layer(x, w, b))(weights, biases), expected, atol=1e-6)
    both = torch.stack([x, x + 1])
    expected = torch.stack([layer(y, w, b) for y, w, b in zip(both, weights, biases)])
    assert torch.allclose(func.vmap(layer)(both, weights, biases), expected, atol=1e-6)
    expected = torch.stack([layer(x, w, biases[0]) for w in weights])
    assert torch.allclose(func.vmap(lambda w: layer(x, w, biases[0]))(weights), expected, atol=1e-6)
    expected = torch.stack([torch.addmm(b, x, weights[0].t(), beta=2, alpha=3) for b in biases])
    assert torch.allclose(func.vmap(lambda b: torch.addmm(b, x, weights[0].t(), beta=2, alpha=3))(biases), expected, atol=1e-5)
    for wrong in (torch.randn(2, 4), torch.randn(2, 7, 5)):
        with pytest.raises(RuntimeError):
            func.vmap(lambda w, b: torch.addmm(b, x, w.t()))(weights, wrong)
