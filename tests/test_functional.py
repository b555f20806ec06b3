"""autograd.functional: the same facts here and (tests/parity) of PyTorch."""

import pytest


@pytest.fixture
def torch():
    import rushlight

    return rushlight


@pytest.fixture
def af(torch):
    return torch.autograd.functional


@pytest.fixture
def x(torch):
    return torch.tensor([1.0, 2.0, 3.0])


@pytest.fixture
def w(torch):
    return torch.tensor([4.0, 5.0])


def outer(x, w):
    return (x * x).sum() * w


def several(x):
    return x * 2, x.sum()


def test_shapes_of_jacobians(torch, af, x, w):
    single = af.jacobian(lambda x: x**2, x)
    assert single.tolist() == [[2.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 6.0]]
    by_input = af.jacobian(outer, (x, w))
    assert isinstance(by_input, tuple) and [j.shape for j in by_input] == [(2, 3), (2, 2)]
    by_output = af.jacobian(several, x)
    assert [j.shape for j in by_output] == [(3, 3), (3,)]
    both = af.jacobian(lambda x, w: (x.sum(), w * 2), (x, w))
    assert [[tuple(j.shape) for j in row] for row in both] == [[(3,), (2,)], [(2, 3), (2, 2)]]
    assert both[0][1].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("strategy", ["reverse-mode", "forward-mode"])
def test_batched_jacobians(torch, af, x, w, strategy):
    def same(a, b):
        if isinstance(a, torch.Tensor):
            return torch.allclose(a, b)
        return all(map(same, a, b))

    for function, inputs in ((torch.exp, x), (outer, (x, w)), (several, x), (lambda x, w: (x.sum(), w * 2), (x, w))):
        assert same(af.jacobian(function, inputs, vectorize=True, strategy=strategy), af.jacobian(function, inputs))
    a = torch.arange(6.0).reshape(2, 3)
    batched = af.jacobian(lambda a: a @ a.t(), a, vectorize=True, strategy=strategy)
    assert batched.shape == (2, 2, 2, 3) and torch.allclose(batched, af.jacobian(lambda a: a @ a.t(), a))


def test_hessians(torch, af, x, w):
    assert af.hessian(lambda x: (x**3).sum(), x).tolist() == [[6.0, 0.0, 0.0], [0.0, 12.0, 0.0], [0.0, 0.0, 18.0]]
    blocks = af.hessian(lambda x, w: outer(x, w).sum(), (x, w))
    assert [[tuple(b.shape) for b in row] for row in blocks] == [[(3, 3), (3, 2)], [(2, 3), (2, 2)]]
    assert blocks[0][1].tolist() == [[2.0, 2.0], [4.0, 4.0], [6.0, 6.0]] and blocks[1][1].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    for strategy in ("reverse-mode", "forward-mode"):
        batched = af.hessian(lambda x: (x**3).sum(), x, vectorize=True, outer_jacobian_strategy=strategy)
        assert torch.allclose(batched, af.hessian(lambda x: (x**3).sum(), x))


def test_products(torch, af, x, w):
    value, product = af.vjp(torch.exp, x, x)
    assert torch.allclose(value, x.exp()) and torch.allclose(product, x * x.exp()) and not product.requires_grad
    value, product = af.jvp(outer, (x, w), (torch.ones(3), torch.ones(2)))
    assert torch.allclose(value, outer(x, w)) and torch.allclose(product, 12.0 * w + 14.0)
    v = torch.tensor([1.0, 2.0, 3.0])
    for function in (af.vhp, af.hvp):
        value, product = function(lambda x: (x**3).sum(), x, v)
        assert value.item() == 36 and product.tolist() == [6.0, 24.0, 54.0]
    assert af.vjp(lambda x: x.sum(), x)[1].tolist() == [1.0, 1.0, 1.0]
    assert af.jvp(torch.exp, torch.zeros(1), None)[1].item() == 1
    _, (by_x, by_w) = af.vhp(lambda x, w: outer(x, w).sum(), (x, w), (torch.ones(3), torch.ones(2)))
    assert by_x.tolist() == [22.0, 26.0, 30.0] and by_w.tolist() == [12.0, 12.0]


@pytest.mark.parametrize("name", ["vjp", "jvp", "vhp", "hvp"])
def test_results_can_be_differentiated(torch, af, x, name):
    x.requires_grad_()
    v = torch.ones(3, requires_grad=True)
    function = torch.exp if name in ("vjp", "jvp") else lambda x: (x**3).sum()
    _, product = getattr(af, name)(function, x, v, create_graph=True)
    by_x, by_v = torch.autograd.grad(product.sum(), (x, v))
    expected = (x.exp(), x.exp()) if name in ("vjp", "jvp") else (torch.full((3,), 6.0), 6 * x)
    assert torch.allclose(by_x, expected[0]) and torch.allclose(by_v, expected[1])


def test_jacobians_can_be_differentiated(torch, af, x):
    x.requires_grad_()
    for vectorize in (False, True):
        rows = af.jacobian(lambda x: x**3, x, create_graph=True, vectorize=vectorize)
        assert torch.allclose(torch.autograd.grad(rows.sum(), x)[0], 6 * x)
        assert not af.jacobian(lambda x: x**3, x, vectorize=vectorize).requires_grad


def test_grad_mode_outside_does_not_matter(torch, af, x):
    with torch.no_grad():
        assert af.jacobian(lambda x: (x * x).sum(), x).tolist() == [2.0, 4.0, 6.0]
        assert af.hvp(lambda x: (x * x).sum(), x, x)[1].tolist() == [2.0, 4.0, 6.0]


def test_strict(torch, af, x, w):
    independent = "Output 0 of the user-provided function does not require gradients"
    with pytest.raises(RuntimeError, match=independent):
        af.jacobian(lambda x: torch.ones(2), x, strict=True)
    with pytest.raises(
        RuntimeError, match=r"Output 0 of the user-provided function is independent of input 1. This is not allowed in strict"
    ):
        af.jacobian(lambda x, w: x * 3, (x, w), strict=True)
    with pytest.raises(RuntimeError, match="The jacobian of the user-provided function is independent of input 0"):
        af.jacobian(lambda x: x * 3, x, strict=True, create_graph=True)
    with pytest.raises(
        RuntimeError, match="While computing the hessian, found that the jacobian of the user-provided function with respect"
    ):
        af.hessian(lambda x: (2 * x).sum(), x, strict=True)
    with pytest.raises(RuntimeError, match="The output of the user-provided function is independent of input 1"):
        af.vjp(lambda x, w: x.sum(), (x, w), strict=True)
    with pytest.raises(RuntimeError, match="The hessian of the user-provided function is independent of input 0"):
        af.vhp(lambda x: (x * x).sum(), x, x, strict=True, create_graph=True)
    with pytest.raises(RuntimeError, match="`strict=True` and `vectorized=True` are not supported together"):
        af.jacobian(torch.exp, x, strict=True, vectorize=True)
    with pytest.raises(RuntimeError, match='`strict=True` and `strategy="forward-mode"` are not supported together'):
        af.jacobian(torch.exp, x, strict=True, vectorize=True, strategy="forward-mode")


def test_errors(torch, af, x, w):
    with pytest.raises(
        TypeError, match="The inputs given to vjp must be either a Tensor or a tuple of Tensors but the given inputs has type"
    ):
        af.vjp(torch.exp, [x])
    with pytest.raises(TypeError, match="but the value at index 1 has type <class 'int'>"):
        af.jacobian(lambda x, n: x, (x, 5))
    with pytest.raises(
        TypeError, match="The outputs of the user-provided function given to jvp must be either a Tensor or a tuple of Tensors"
    ):
        af.jvp(lambda x: 5, x, x)
    with pytest.raises(RuntimeError, match=r"v has invalid size: should be torch.Size\(\[3\]\) but got torch.Size\(\[2\]\)."):
        af.vjp(torch.exp, x, w)
    with pytest.raises(RuntimeError, match=r"v is a tuple of invalid length: should be 2 but got 1."):
        af.vjp(several, x, (x,))
    with pytest.raises(
        RuntimeError, match="The vector v can only be None if the user-provided function returns a single Tensor with a single"
    ):
        af.vjp(torch.exp, x)
    with pytest.raises(
        RuntimeError, match="The vector v can only be None if the input to the user-provided function is a single Tensor with a"
    ):
        af.jvp(torch.exp, x)
    with pytest.raises(RuntimeError, match="The function given to hessian should return a single Tensor"):
        af.hessian(several, x)
    with pytest.raises(RuntimeError, match="The Tensor returned by the function given to vhp should contain a single element"):
        af.vhp(torch.exp, x, x)
    with pytest.raises(AssertionError, match=r'Expected strategy to be either "forward-mode" or "reverse-mode". Hint'):
        af.jacobian(torch.exp, x, strategy="sideways")
    with pytest.raises(
        NotImplementedError, match="Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly implemented for"
    ):
        af.jacobian(torch.exp, x, strategy="forward-mode")
    with pytest.raises(NotImplementedError, match='`create_graph=True` and `strategy="forward-mode"` are not supported together'):
        af.jacobian(torch.exp, x, strategy="forward-mode", vectorize=True, create_graph=True)


def test_complex(torch, af):
    z = torch.tensor([1 + 2j, 3 - 1j])
    _, product = af.vjp(lambda z: z * z, z, z)
    assert product.tolist() == [10 + 0j, 20 + 0j]
    _, product = af.jvp(lambda z: z * z, z, z)
    assert product.tolist() == [-6 + 8j, 16 - 12j]
    assert torch.allclose(af.jacobian(lambda z: z.abs(), z).diagonal(), z / z.abs())
