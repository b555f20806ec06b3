"""Gradients where a derivative is a choice, complex gradients, and copies of tensors (sections G and 81)."""

import copy
import math
import pickle

import pytest

INF, NAN = math.inf, math.nan


def same(found, expected):
    """Equal, with nan equal to itself."""
    return all((math.isnan(a) and math.isnan(b)) or a == b for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        ("abs", [0.0, -0.0, -2.0], [0.0, 0.0, -1.0]),
        ("relu", [0.0, -1.0, 1.0], [0.0, 0.0, 1.0]),
        ("sqrt", [0.0, 4.0], [INF, 0.25]),
        ("sign", [0.0, 3.0], [0.0, 0.0]),
        ("round", [0.5, 1.2], [0.0, 0.0]),
        ("log", [0.0, 1.0], [INF, 1.0]),
        ("rsqrt", [4.0], [-0.0625]),
        ("sinc", [0.0], [0.0]),
        ("frac", [1.0, 1.5], [1.0, 1.0]),
        ("norm", [0.0, 0.0], [0.0, 0.0]),
        ("prod", [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
        ("prod", [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]),
        ("max", [1.0, 2.0, 2.0], [0.0, 0.5, 0.5]),
        ("min", [1.0, 1.0, 2.0, 1.0], [1 / 3, 1 / 3, 0.0, 1 / 3]),
        ("amax", [1.0, 2.0, 2.0], [0.0, 0.5, 0.5]),
        ("amin", [1.0, 1.0, 2.0], [0.5, 0.5, 0.0]),
        ("median", [3.0, 1.0, 2.0], [0.0, 0.0, 1.0]),
        ("std", [1.0, 1.0], [0.0, 0.0]),
        ("logsumexp", [-INF, 0.0], [0.0, 1.0]),
    ],
)
def test_gradients_of_one_tensor(torch, name, at, expected):
    x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    out = x.logsumexp(0) if name == "logsumexp" else getattr(x, name)()
    out.sum().backward()
    assert same(x.grad.tolist(), [torch.tensor(e, dtype=torch.float64).item() for e in expected]), x.grad.tolist()


@pytest.mark.parametrize(
    ("name", "a", "b", "expected"),
    [
        ("maximum", [1.0, 1.0], [1.0, 2.0], ([0.5, 0.0], [0.5, 1.0])),
        ("minimum", [1.0, 1.0], [1.0, 2.0], ([0.5, 1.0], [0.5, 0.0])),
        ("fmax", [1.0, NAN], [1.0, 2.0], ([1.0, 0.0], [0.0, 1.0])),
        ("atan2", [0.0], [0.0], ([0.0], [0.0])),
        ("hypot", [3.0], [4.0], ([0.6], [0.8])),
        ("pow", [0.0, 2.0], [0.0, 0.0], ([0.0, 0.0], [0.0, math.log(2.0)])),
        ("pow", [0.0], [2.0], ([0.0], [0.0])),
        ("dist", [1.0, 2.0], [1.0, 2.0], ([0.0, 0.0], [0.0, 0.0])),
        ("xlogy", [0.0], [0.0], ([0.0], [NAN])),
    ],
)
def test_gradients_of_two_tensors(torch, name, a, b, expected):
    a = torch.tensor(a, dtype=torch.float64, requires_grad=True)
    b = torch.tensor(b, dtype=torch.float64, requires_grad=True)
    out = getattr(torch, name)(a, b)
    out.sum().backward()
    assert same(a.grad.tolist(), expected[0]) and same(b.grad.tolist(), expected[1]), (a.grad.tolist(), b.grad.tolist())


@pytest.mark.parametrize("name", ["std", "var"])
def test_spread_of_one_element(torch, name):
    x = torch.tensor([1.0], requires_grad=True)
    with pytest.warns(UserWarning, match="degrees of freedom is <= 0"):
        out = getattr(x, name)()
    out.backward()
    assert math.isnan(out.item()) and math.isnan(x.grad.item())


def test_ties_with_a_bound(torch):
    x = torch.tensor([0.0, 1.0, 2.0, 3.0], requires_grad=True)
    x.clamp(1.0, 2.0).sum().backward()
    assert x.grad.tolist() == [0.0, 1.0, 1.0, 0.0]
    x.grad = None
    x.clamp(min=torch.tensor(1.0)).sum().backward()
    assert x.grad.tolist() == [0.0, 1.0, 1.0, 1.0]


def test_extremum_over_a_dimension_takes_one_place(torch):
    x = torch.tensor([[1.0, 3.0, 3.0]], requires_grad=True)
    values, places = x.max(dim=1)
    values.sum().backward()
    assert x.grad[0, places].item() == 1 and x.grad.sum().item() == 1


def test_nan_comes_through_but_not_from_the_branch_not_taken(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x * 2).backward(torch.tensor([NAN, 1.0]))
    assert math.isnan(x.grad[0]) and x.grad[1].item() == 2
    y = torch.tensor([-1.0, 4.0], requires_grad=True)
    torch.where(y > 0, y, torch.zeros(())).sum().backward()
    assert y.grad.tolist() == [0.0, 1.0]
    z = torch.tensor([0.0, 4.0], requires_grad=True)
    torch.where(z > 0, z.sqrt(), torch.zeros(())).sum().backward()
    assert math.isnan(z.grad[0]) and z.grad[1].item() == 0.25


def test_incoming_nan_where_relu_is_off(torch):
    x = torch.tensor([-1.0, 1.0], requires_grad=True)
    x.relu().backward(torch.tensor([NAN, NAN]))
    assert x.grad[0].item() == 0 and math.isnan(x.grad[1])


def test_division_by_zero_under_a_mask(torch):
    x = torch.tensor([1.0, 1.0], requires_grad=True)
    divisor = torch.tensor([0.0, 1.0])
    y = x / divisor
    y[torch.tensor([False, True])].sum().backward()
    assert math.isnan(x.grad[0]) and x.grad[1].item() == 1


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda z: z.abs(), [(3 + 4j) / 5]),
        (lambda z: z.real, [1 + 0j]),
        (lambda z: z.imag, [1j]),
        (lambda z: (z * z.conj()).real, [6 + 8j]),
        (lambda z: (z * z).real, [6 - 8j]),
        (lambda z: z.angle(), [(-4 + 3j) / 25]),
        (lambda z: (z**2).imag, [8 + 6j]),
    ],
)
def test_complex_gradients_are_those_of_the_conjugate(torch, function, expected):
    z = torch.tensor([3 + 4j], dtype=torch.complex128, requires_grad=True)
    function(z).sum().backward()
    found = z.grad.tolist()
    assert all(abs(a - b) < 1e-14 for a, b in zip(found, expected, strict=True)), found


def test_logarithms_of_doubles_are_the_nearest_numbers(torch):
    exact = [3.0, 0.3, 10.0, 0.5, 1.0, 5e-324, 2.0**-1022, 1.7976931348623157e308, 0.75, 1.5, 1e-300]
    x = torch.tensor(exact * 3, dtype=torch.float64)
    assert x.log().tolist() == [math.log(value) for value in exact] * 3
    near = torch.linspace(0.9, 1.1, 2001, dtype=torch.float64)
    far = torch.logspace(-300, 300, 2001, dtype=torch.float64)
    for x in (near, far):
        found, expected = x.log(), torch.tensor([math.log(value) for value in x.tolist()], dtype=torch.float64)
        assert (found != expected).sum() <= 60
        assert ((found - expected).abs() <= expected.abs() * 2.3e-16).all()
    assert ((near - 1).log1p() - near.log()).abs().max() <= 3e-17
    x = torch.tensor([0.3, 0.0, 1e-300, 1e300], dtype=torch.float64)
    assert x.log1p().tolist() == [math.log1p(value) for value in x.tolist()]
    edges = torch.tensor([-1.0, -2.0, INF, -INF, NAN], dtype=torch.float64).log1p()
    assert same(edges.tolist(), [-INF, NAN, INF, NAN, NAN])
    edges = torch.tensor([0.0, -0.0, -1.0, INF, -INF, NAN], dtype=torch.float64).log()
    assert same(edges.tolist(), [-INF, -INF, NAN, INF, NAN, NAN])


@pytest.mark.parametrize("values", [[True], [True, True], [True, False, True], [], [[True, False], [True, True]]])
def test_products_and_sums_of_truth_values(torch, values):
    x = torch.tensor(values, dtype=torch.bool)
    numbers = x.to(torch.int64)
    for name in ("prod", "sum", "amax", "amin", "any", "all", "cumsum", "cumprod", "count_nonzero"):
        for dim in ((0,), (-1,), ()):
            if (not dim and name.startswith("cum")) or (not x.numel() and name in ("amax", "amin")):
                continue
            found, expected = getattr(x, name)(*dim), getattr(numbers, name)(*dim)
            assert found.tolist() == expected.tolist(), (name, dim)
            assert found.dtype == (torch.bool if name.startswith("a") else torch.int64)
    assert torch.prod(x, dtype=torch.bool).item() is bool(numbers.prod())
    assert torch.prod(x, dtype=torch.uint8).item() == numbers.prod().item()


def test_cumprod_with_zeros(torch):
    x = torch.tensor([2.0, 0.0, 3.0, 0.0], dtype=torch.float64, requires_grad=True)
    x.cumprod(0).sum().backward()
    assert x.grad.tolist() == [1.0, 8.0, 0.0, 0.0]


def test_copies_of_tensors(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x * 2).sum().backward()
    again = copy.deepcopy(x)
    assert again.requires_grad and again.is_leaf and again.tolist() == [1.0, 2.0] and again.grad.tolist() == [2.0, 2.0]
    assert again.data_ptr() != x.data_ptr()
    with pytest.raises(
        RuntimeError, match=r"Only Tensors created explicitly by the user \(graph leaves\) support the deepcopy protocol"
    ):
        copy.deepcopy(x * 2)
    loaded = pickle.loads(pickle.dumps(x))
    assert loaded.requires_grad and loaded.tolist() == [1.0, 2.0]


def test_deepcopy_keeps_shared_memory(torch):
    x = torch.arange(6.0)
    a, b = copy.deepcopy([x, x[2:]])
    a[2] = 100
    assert b[0].item() == 100 and x[2].item() == 2


def test_tensors_with_history_do_not_become_arrays(torch):
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(
        RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad. Use tensor.detach\(\).numpy\(\) instead"
    ):
        x.numpy()
    with pytest.raises(BufferError, match="Can't export tensors that require gradient"):
        x.__dlpack__()
    assert x.detach().numpy().tolist() == x.numpy(force=True).tolist() == [1.0, 1.0]


def test_parameters(torch):
    p = torch.nn.Parameter(torch.ones(2))
    assert repr(p) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    again = copy.deepcopy(p)
    assert isinstance(again, torch.nn.Parameter) and again.requires_grad
    assert type(p * 1) is torch.Tensor and type(p.data) is torch.Tensor
    assert isinstance(pickle.loads(pickle.dumps(p)), torch.nn.Parameter)


def test_einsum_over_labels_of_size_one(torch):
    a, b = torch.arange(6.0).reshape(3, 1, 2), torch.arange(4.0).reshape(1, 2, 2)
    for equation in ("ijk,jkl->il", "ijk,jkl->ijl", "ijk,jml->ikml", "ijk,jkl->li", "ijk,jml->"):
        plain = torch.einsum(equation, a, b)
        recorded = torch.einsum(equation, a.clone().requires_grad_(), b)  # goes another way
        assert torch.equal(plain, recorded.detach())
    assert torch.einsum("ij,jk->ik", torch.ones(2, 1), torch.ones(1, 3)).tolist() == [[1.0] * 3] * 2


def test_kaiser_windows(torch):
    near = lambda found, expected: torch.testing.assert_close(found, torch.tensor(expected), rtol=1e-5, atol=1e-6)  # noqa: E731
    near(torch.kaiser_window(5), [5.2773437e-05, 0.10171971, 0.79293942, 0.79293942, 0.10171971])
    near(torch.kaiser_window(5, False), [5.2773437e-05, 0.21567266, 1.0, 0.21567266, 5.2773437e-05])
    near(torch.kaiser_window(5, True, -3.0), [0.20488474, 0.62474620, 0.95222181, 0.95222181, 0.62474620])
    assert torch.kaiser_window(1).tolist() == [1] and torch.kaiser_window(0).tolist() == []
    assert torch.kaiser_window(4, False, dtype=torch.half, requires_grad=True).requires_grad
    with pytest.raises(RuntimeError, match="kaiser_window expects floating point dtypes"):
        torch.kaiser_window(5, dtype=torch.int32)
    with pytest.raises(TypeError, match="invalid combination of arguments"):
        torch.kaiser_window(5, beta=3.0)


@pytest.mark.parametrize("name", ("pinv", "tensorinv", "tensorsolve"))
def test_inverses_go_into_an_out_that_holds_them(torch, name):
    a = torch.tensor([[2.0, 1.0], [1.0, 3.0]])
    arguments = {"pinv": (a,), "tensorinv": (a, 1), "tensorsolve": (a, torch.ones(2))}[name]
    function = getattr(torch.linalg, name)
    for dtype in (torch.float32, torch.float64, torch.complex64):
        out = torch.empty(0, dtype=dtype)
        assert function(*arguments, out=out) is out and out.dtype is dtype
        torch.testing.assert_close(out, function(*arguments).to(dtype))
    with pytest.raises(
        RuntimeError, match="Expected result to be safely castable from Float dtype, but got result with dtype Int"
    ):
        function(*arguments, out=torch.empty(0, dtype=torch.int32))


def test_an_infinite_part_spoils_the_other_in_complex_sums(torch):
    """The second number of a complex sum is multiplied by alpha, also by the alpha of one that nobody names."""
    one, far = torch.tensor([1 + 2j] * 5), torch.tensor([complex(INF, 1)] * 5)
    half = torch.tensor([1, -1], dtype=torch.complex32)
    for made in (one + far, -(one - far), -torch.rsub(far, one), one.clone().add_(far), -(one - far[0])):
        assert made.real.tolist() == [INF] * 5 and made.imag.isnan().all()
    assert (far + one)[0] == complex(INF, 3) and (far - one)[0] == complex(INF, -1)
    assert (half + half).tolist() == [2, -2] and (half - half).tolist() == [0, 0]
    negative = torch.tensor([complex(-0.0, -0.0)])
    assert torch.view_as_real(negative + negative).signbit().tolist() == [[False, True]]
