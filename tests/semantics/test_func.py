"""torch.func: derivatives of functions, alone and through one another, and what they refuse."""

import collections

import pytest


def values(torch):
    return torch.tensor([0.2, -0.3, 0.7]), torch.tensor(2.0)


def raises(kind, text, function, *args, **kwargs):
    with pytest.raises(kind) as caught:
        function(*args, **kwargs)
    assert text in str(caught.value)


# ---- grad ----------------------------------------------------------------------------------------------------------------
def test_gradients(torch):
    grad, grad_and_value = torch.func.grad, torch.func.grad_and_value
    x, s = values(torch)
    assert grad(lambda x: x**3)(s).item() == 12 and grad(grad(lambda x: x**3))(s).item() == 12
    assert torch.allclose(grad(lambda x: x.sin().sum())(x), x.cos())
    assert grad(lambda a, b: a * b, argnums=-1)(s, 3 * s).item() == 2
    assert [g.item() for g in grad(lambda a, b: a * a * b, argnums=(0, 1))(s, 3 * s)] == [24, 4]
    assert grad(lambda a, b: a * b)(s, b=s).item() == 2
    gradient, value = grad_and_value(lambda x: x**2)(s)
    assert (gradient.item(), value.item()) == (4, 4) and not gradient.requires_grad and not value.requires_grad
    gradient, aux = grad(lambda x: (x * 2, {"a": x * 3}), has_aux=True)(s)
    assert gradient.item() == 2 and aux["a"].item() == 6 and not aux["a"].requires_grad
    gradient, (value, aux) = grad_and_value(lambda x: (x**2, x), has_aux=True)(s)
    assert (gradient.item(), value.item(), aux.item()) == (4, 4, 2)


def test_gradients_of_trees(torch):
    grad = torch.func.grad
    _, s = values(torch)
    found = grad(lambda d: d["a"] * d["b"][0])({"a": s, "b": (s * 3,)})
    assert found["a"].item() == 6 and type(found["b"]) is tuple and found["b"][0].item() == 2
    Point = collections.namedtuple("Point", "x y")
    found = grad(lambda p: p.x * p.y**2)(Point(s, s))
    assert type(found) is Point and found.y.item() == 8
    assert [g.item() for g in grad(lambda pair: pair[0])([s, s])] == [1, 0]


def test_what_does_not_depend_on_the_input(torch):
    grad = torch.func.grad
    _, s = values(torch)
    assert grad(lambda x: s * 2)(s).item() == 0
    assert grad(lambda x: x.detach() * x)(s).item() == 2
    assert grad(lambda x: x.data * x)(s).item() == 2


def test_what_grad_refuses(torch):
    grad = torch.func.grad
    x, s = values(torch)
    where = "grad_and_value(f)(*args): "
    raises(
        RuntimeError,
        where
        + "Expected f(*args) to return a scalar Tensor, got tensor with 1 dims. Maybe you wanted to use the vjp or jacrev APIs",
        grad(lambda x: x),
        x,
    )
    raises(RuntimeError, where + "Expected f(*args) to return a Tensor, got <class 'tuple'>", grad(lambda x: (x, x)), s)
    raises(RuntimeError, "real scalar outputs but got torch.complex64", grad(lambda x: x * 1j), s)
    raises(ValueError, "Thing passed to transform API must be Tensor, got <class 'int'>", grad(lambda x: x**2), 3)
    raises(ValueError, "must be Tensor, got <class 'str'>", grad(lambda d: d["a"]), {"a": s, "b": "text"})
    raises(RuntimeError, "only Tensors of floating point dtype can require gradients", grad(lambda x: x), s.long())

    def product(a, b):
        return a * b

    raises(RuntimeError, "Got argnum=2, but only 2 positional inputs", grad(product, argnums=2), s, s)
    raises(RuntimeError, "Got argnum=-3, but only 2 positional inputs", grad(product, argnums=-3), s, s)
    raises(RuntimeError, "argnums elements must be unique, got (0, 0)", grad(product, argnums=(0, -2)), s, s)
    raises(RuntimeError, "argnums must be non-empty", grad(product, argnums=()), s, s)
    raises(RuntimeError, "argnums must be int or Tuple[int, ...], got: <class 'list'>", grad(product, argnums=[0]), s, s)
    raises(RuntimeError, "argnum must be int, got: <class 'str'>", grad(product, argnums=("a",)), s, s)
    text = where + "output of function f should be a tuple: (output, aux) if has_aux is True"
    for function in (lambda x: x, lambda x: (x, x, x), lambda x: [x, x]):
        raises(RuntimeError, text, grad(function, has_aux=True), s)
    raises(RuntimeError, "Expected tensors, got unsupported type <class 'int'>", grad(lambda x: (x, 3), has_aux=True), s)
    raises(RuntimeError, "You are attempting to call Tensor.requires_grad_()", grad(lambda x: x.requires_grad_()), s)


# ---- modes and graphs outside --------------------------------------------------------------------------------------------
def test_grad_modes(torch):
    grad, vjp, jvp = torch.func.grad, torch.func.vjp, torch.func.jvp
    _, s = values(torch)

    def partly(x):
        with torch.no_grad():
            constant = x**2
        return x**2 - constant

    assert grad(partly)(s).item() == 4
    assert jvp(partly, (s,), (s,))[1].item() == 0
    with torch.no_grad():
        assert grad(lambda x: x**3)(s).item() == 12 and vjp(lambda x: x**3, s)[1](s)[0].item() == 24
        assert grad(lambda x: x * (1 if torch.is_grad_enabled() and x.requires_grad else 0))(s).item() == 1

    def of_constant(x):
        with torch.no_grad():
            slope = grad(lambda y: y**3)(x)
        return slope * x

    assert grad(of_constant)(s).item() == 12


def test_the_graph_outside(torch):
    grad, vjp = torch.func.grad, torch.func.vjp
    _, s = values(torch)
    w = s.clone().requires_grad_()
    gradient = grad(lambda x: x**3)(w)
    assert gradient.requires_grad and torch.autograd.grad(gradient, w)[0].item() == 12
    assert torch.autograd.grad(grad(lambda x: x**2 * w)(s), w)[0].item() == 4
    assert not grad(lambda x: x**2 + w)(s).requires_grad
    value, aux = grad(lambda x: (x**2, x * w), has_aux=True)(s)
    assert not value.requires_grad and torch.autograd.grad(aux, w)[0].item() == 2
    result, pull = vjp(lambda x: x * w, s)
    assert torch.autograd.grad(result, w)[0].item() == 2
    assert torch.autograd.grad(pull(s)[0], w)[0].item() == 2
    with torch.no_grad():
        assert not grad(lambda x: x**3)(w).requires_grad and not vjp(lambda x: x**3, w)[0].requires_grad
    assert w.grad is None


def test_grad_inside_of_autograd(torch):
    _, s = values(torch)

    def inner(x):
        return torch.autograd.grad(x**3, x, create_graph=True)[0]

    assert torch.func.grad(inner)(s).item() == 12


def test_writes(torch):
    grad = torch.func.grad
    x, _ = values(torch)

    def written(x):
        y = x.clone()
        y[0] = x[1]
        y.mul_(x)
        return y.sin().sum()

    w = x.clone().requires_grad_()
    written(w).backward()
    assert torch.allclose(grad(written)(x), w.grad)
    text = "a leaf Variable that requires grad is being used in an in-place operation."
    for given in (x.clone(), x.clone().requires_grad_() * 1):
        raises(RuntimeError, text, grad(lambda x: x.sin_().sum()), given)
    raises(RuntimeError, "a view of a leaf Variable", grad(lambda x: x[:1].sin_().sum()), x.clone())


# ---- vjp -----------------------------------------------------------------------------------------------------------------
def test_vjp(torch):
    vjp = torch.func.vjp
    x, s = values(torch)
    result, pull = vjp(lambda a, b: (a * b, {"sum": a.sum()}), x, 2 * x)
    assert torch.allclose(result[0], 2 * x * x) and not result[0].requires_grad
    a, b = pull((torch.ones(3), {"sum": s}))
    assert torch.allclose(a, 2 * x + 2) and torch.allclose(b, x)
    assert torch.allclose(pull((x, {"sum": s}))[1], x * x)
    assert pull((x, {"sum": s}), retain_graph=False)[0].shape == (3,)
    raises(RuntimeError, "Trying to backward through the graph a second time", pull, (x, {"sum": s}))
    assert vjp(lambda x: torch.ones(3), x)[1](x)[0].tolist() == [0, 0, 0]
    result, pull, aux = vjp(lambda x: (x * 2, x + 1), x, has_aux=True)
    assert torch.allclose(aux, x + 1) and torch.allclose(pull(x)[0], 2 * x)
    assert pull(x.double())[0].dtype is torch.float32


def test_what_vjp_refuses(torch):
    vjp = torch.func.vjp
    x, _ = values(torch)
    text = "vjp(f, *primals): expected f(*primals) to return only tensors, got unsupported type <class 'int'>"
    raises(RuntimeError, text, vjp, lambda x: 3, x)
    raises(RuntimeError, text, vjp, lambda x: (x, 3), x)
    raises(RuntimeError, "function that has non-empty output (got output = [])", vjp, lambda x: [], x)
    raises(
        RuntimeError,
        "All outputs of f must be floating-point or complex Tensors, got Tensor with dtype torch.int64",
        vjp,
        lambda x: x.long(),
        x,
    )
    raises(ValueError, "Thing passed to transform API must be Tensor", vjp, lambda x: x, 3)
    raises(
        RuntimeError,
        "output of function f should be a tuple: (output, aux) if has_aux is True",
        vjp,
        lambda x: x,
        x,
        has_aux=True,
    )
    pull = vjp(lambda x: x * 2, x)[1]
    text = "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function. "
    raises(RuntimeError, text + "cotangents: [*], primal output: *", pull, [x])
    raises(
        RuntimeError,
        "Mismatch in shape: grad_output[0] has a shape of torch.Size([2]) and output[0] has a shape of",
        pull,
        torch.ones(2),
    )
    raises(RuntimeError, "grad can be implicitly created only for scalar outputs", pull, None)
    raises(TypeError, "gradients can be either Tensors or None, but got int", pull, 3)
    raises(RuntimeError, text + "cotangents: *, primal output: (*, *)", vjp(lambda x: (x, x.sum()), x)[1], x)


# ---- jvp and linearize ---------------------------------------------------------------------------------------------------
def test_jvp(torch):
    jvp = torch.func.jvp
    x, s = values(torch)
    result, slope = jvp(lambda x: {"a": x**2, "b": torch.ones(2)}, (x,), (torch.ones(3),))
    assert torch.allclose(result["a"], x * x) and torch.allclose(slope["a"], 2 * x) and slope["b"].tolist() == [0, 0]
    result, slope = jvp(lambda x, y: x * y["a"], (x, {"a": x}), (x, {"a": x}))
    assert torch.allclose(slope, 2 * x * x)
    result, slope, aux = jvp(lambda x: (x * 2, x + 1), (x,), (x,), has_aux=True)
    assert torch.allclose(aux, x + 1)
    result, slope = jvp(lambda x: x > 0, (x,), (x,))
    assert slope.dtype is torch.bool and slope.tolist() == [False] * 3
    assert jvp(lambda x: jvp(lambda y: y**3, (x,), (s,))[1], (s,), (s,))[1].item() == 48


def test_what_jvp_refuses(torch):
    jvp = torch.func.jvp
    x, _ = values(torch)
    where = "jvp(f, primals, tangents): "

    def double(x):
        return x * 2

    raises(
        RuntimeError, where + "Expected primals to be a tuple. E.g. it should be valid to call f(*primals).", jvp, double, x, x
    )
    raises(RuntimeError, where + "Expected primals to be a tuple.", jvp, double, [x], [x])
    text = (
        where
        + "Expected primals and tangents to have the same python structure. For example, if primals is a tuple of 3 tensors, "
    )
    raises(
        RuntimeError,
        text + "tangents also must be. Got primals with structure TreeSpec(tuple, None, [*])",
        jvp,
        double,
        (x,),
        (x, x),
    )
    raises(
        RuntimeError, "Trying to set a forward gradient that has a different size than that", jvp, double, (x,), (torch.ones(2),)
    )
    raises(RuntimeError, where + "expected f(*primals) to return only tensors, got unsupported", jvp, lambda x: 3, (x,), (x,))
    raises(RuntimeError, where + "Expected primals to only contain Tensors, got <class 'int'>", jvp, double, (3,), (x,))
    raises(RuntimeError, where + "Expected tangents to only contain Tensors, got <class 'int'>", jvp, double, (x,), (3,))
    raises(RuntimeError, where + "Expected primals to contain at least one Tensor.", jvp, double, (), ())
    raises(
        ValueError, "Expected primal to be floating point or complex, but got: torch.int64", jvp, double, (x.long(),), (x.long(),)
    )
    text = "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not allowed with strict=True."
    assert jvp(double, (x,), (x,), strict=True)[1].tolist() == (2 * x).tolist()
    raises(RuntimeError, text, jvp, lambda x: torch.ones(2), (x,), (x,), strict=True)
    raises(
        RuntimeError, where + "output of function f should be a tuple: (output, aux) if", jvp, double, (x,), (x,), has_aux=True
    )


def test_writes_in_forward_mode(torch):
    x, _ = values(torch)

    def filled(x):
        out = torch.zeros(2, 3)
        out[1] = x.sin()
        out[:, 0] *= x[1]
        return out

    _, slope = torch.func.jvp(filled, (x,), (torch.ones(3),))
    step = 1e-3
    expected = (filled(x + step) - filled(x - step)) / (2 * step)
    assert torch.allclose(slope, expected, atol=1e-4)


def test_linearize(torch):
    linearize = torch.func.linearize
    x, s = values(torch)
    result, push = linearize(lambda x: x.sin(), x)
    for t in (x, torch.ones(3)):
        assert torch.allclose(push(t), x.cos() * t) and not push(t).requires_grad
    result, push = linearize(lambda d: {"o": d["a"] * d["b"], "p": d["b"] + 1}, {"a": x, "b": s})
    found = push({"a": x, "b": s})
    assert torch.allclose(found["o"], 4 * x) and found["p"].item() == 2
    assert torch.allclose(result["o"], 2 * x)
    push = linearize(lambda x: x.sin(), x)[1]
    raises(RuntimeError, "to have the same argspec as the primals TreeSpec(tuple, None, [*])", push, x, x)
    raises(RuntimeError, "tangent:0 with shape torch.Size([2]) in flattened pytree doesn't match the shape", push, torch.ones(2))
    raises(RuntimeError, "tangent:0 with dtype torch.float64 in flattened pytree doesn't match the dtype", push, x.double())


# ---- Jacobians -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("mode", ["jacrev", "jacfwd"])
def test_jacobians(torch, mode):
    jacobian = getattr(torch.func, mode)
    x, s = values(torch)
    assert torch.allclose(jacobian(lambda x: x * x)(x), torch.diag(2 * x))
    assert torch.allclose(jacobian(lambda x: x.sum())(x), torch.ones(3))
    assert jacobian(lambda x: x**3)(s).item() == 12
    outer = jacobian(lambda a, b: (a[:, None] * b, b.sum()), argnums=(0, 1))(x, x)
    assert [[tuple(block.shape) for block in row] for row in outer] == [[(3, 3, 3), (3, 3, 3)], [(3,), (3,)]]
    assert torch.allclose(outer[0][0][1, 2], torch.tensor([0.0, 0.7, 0.0])) and outer[1][1].tolist() == [1, 1, 1]
    found = jacobian(lambda d: {"o": d["a"] * d["b"][0]})({"a": x[:2], "b": [s]})
    assert found["o"]["a"].tolist() == [[2, 0], [0, 2]] and torch.allclose(found["o"]["b"][0], x[:2])
    found, aux = jacobian(lambda x: (x * 2, x), has_aux=True)(x)
    assert found.tolist() == [[2, 0, 0], [0, 2, 0], [0, 0, 2]] and aux.tolist() == x.tolist()
    assert jacobian(lambda x: torch.ones(2))(x).tolist() == [[0, 0, 0]] * 2
    raises(RuntimeError, "Got argnum=3, but only 2 positional inputs", jacobian(lambda a, b: a, argnums=3), x, x)
    text = f"{mode}: Expected all inputs to be real but received complex tensor at flattened input idx: 0"
    raises(RuntimeError, text, jacobian(lambda x: x), x * 1j)
    w = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(jacobian(lambda x: x**3)(w).sum(), w)
    assert torch.allclose(gradient, 6 * x)
    assert torch.allclose(jacobian(jacobian(lambda x: (x**3).sum()))(x), torch.diag(6 * x))


def test_rows_in_chunks(torch):
    jacrev = torch.func.jacrev
    x, _ = values(torch)
    whole = jacrev(lambda x: (x.sin(), x.sum()))(x)
    for size in (1, 2, 3, 10):
        for copied in (False, True):
            found = jacrev(lambda x: (x.sin(), x.sum()), chunk_size=size, _preallocate_and_copy=copied)(x)
            assert torch.equal(found[0], whole[0]) and torch.equal(found[1], whole[1])
    raises(ValueError, "jacrev: `chunk_size` should be greater than 0.", jacrev, lambda x: x, chunk_size=0)


def test_hessians(torch):
    hessian = torch.func.hessian
    x, s = values(torch)
    assert torch.allclose(hessian(lambda x: (x**3).sum())(x), torch.diag(6 * x))
    assert hessian(lambda x: x**3)(s).item() == 12
    found = hessian(lambda a, b: (a * b).sum(), argnums=(0, 1))(x, x)
    assert torch.equal(found[0][1], torch.eye(3)) and torch.equal(found[1][1], torch.zeros(3, 3))


def test_transforms_of_transforms(torch):
    func = torch.func
    x, _ = values(torch)
    assert torch.allclose(func.vmap(func.grad(lambda x: x**3))(x), 3 * x**2)
    assert torch.allclose(func.vmap(func.grad(func.grad(lambda x: x**3)))(x), 6 * x)
    assert torch.allclose(func.grad(lambda x: func.vmap(lambda y: y**3)(x).sum())(x), 3 * x**2)
    assert torch.allclose(func.jvp(func.grad(lambda x: (x**3).sum()), (x,), (torch.ones(3),))[1], 6 * x)
    assert torch.allclose(func.grad(lambda x: func.jvp(lambda y: (y**3).sum(), (x,), (torch.ones(3),))[1])(x), 6 * x)
    slopes = func.vmap(lambda x, t: func.jvp(torch.sin, (x,), (t,)))(x, torch.ones(3))[1]
    assert torch.allclose(slopes, x.cos())
    assert torch.allclose(func.vmap(func.hessian(lambda x: (x**3).sum()))(x[:, None]).flatten(), 6 * x)
    w = x.clone().requires_grad_()
    samples = func.vmap(func.grad(lambda x: x**2 * w.sum()))(x)
    assert torch.allclose(torch.autograd.grad(samples.sum(), w)[0], (2 * x).sum().expand(3))


# ---- modules -------------------------------------------------------------------------------------------------------------
def tied(torch):
    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = torch.nn.Linear(3, 3, bias=False)
            self.b = torch.nn.Linear(3, 3, bias=False)
            torch.nn.init.ones_(self.a.weight)
            self.b.weight = self.a.weight
            self.register_buffer("c", torch.ones(3))

        def forward(self, x, k=1):
            self.c = self.c + 1
            return self.b(self.a(x)) * self.c * k

    return Tied()


def test_functional_call(torch):
    call = torch.func.functional_call
    model, x = tied(torch), torch.ones(3)
    twos = 2 * torch.ones(3, 3)
    with torch.no_grad():
        assert call(model, {"a.weight": twos}, x)[0].item() == 72
        assert model.c[0].item() == 2 and model.a.weight[0, 0].item() == 1 and model.b.weight is model.a.weight
        assert call(model, {"b.weight": twos}, x)[0].item() == 108
        assert call(model, {"b.weight": twos}, x, tie_weights=False)[0].item() == 72
        given = {"c": torch.zeros(3)}
        assert call(model, given, x, {"k": 3})[0].item() == 27
        assert model.c[0].item() == 4 and given["c"].tolist() == [1, 1, 1]
        assert call(model, {"c": torch.zeros(3)}, (x, 2))[0].item() == 18
        assert call(model, [{"c": torch.zeros(3)}, {"a.weight": twos}], kwargs={"x": x})[0].item() == 36
        assert call(model, {"nothing": x}, x)[0].item() == 45
    text = (
        "functional_call got multiple values for keys ['a.weight', 'b.weight'], which are tied. Consider using tie_weights=False"
    )
    raises(ValueError, text, call, model, {"a.weight": twos, "b.weight": torch.ones(3, 3)}, x)
    text = "Error(s) in reparametrizing for Tied:\n\tUnexpected key(s): 'z.c'.\n\tMissing key(s): 'a.weight', 'b.weight', 'c'."
    raises(RuntimeError, text, call, model, {"z.c": x}, x, strict=True)
    raises(TypeError, "3 is not an instance of torch.Tensor", call, model, {"c": 3}, x)
    raises(
        ValueError,
        "['c'] appeared in multiple dictionaries; behavior of functional call is ambiguous",
        call,
        model,
        [{"c": x}] * 2,
        x,
    )
    raises(ValueError, "Expected all elements of parameter_and_buffer_dicts to be dictionaries", call, model, [3], x)
    raises(ValueError, "to be a dict, or a list/tuple of dicts, but got <class 'int'>", call, model, 3, x)
    raises(KeyError, "tensor name can\\'t be empty string", call, model, {"": x}, x)


def test_gradients_by_parameters(torch):
    layer = torch.nn.Linear(3, 2)
    x = torch.ones(4, 3)
    parameters = {name: value.detach() for name, value in layer.named_parameters()}

    def loss(parameters, x):
        return torch.func.functional_call(layer, parameters, x).pow(2).sum()

    found = torch.func.grad(loss)(parameters, x)
    layer(x).pow(2).sum().backward()
    assert torch.allclose(found["weight"], layer.weight.grad) and torch.allclose(found["bias"], layer.bias.grad)
    samples = torch.func.vmap(torch.func.grad(loss), (None, 0))(parameters, x)
    assert samples["weight"].shape == (4, 2, 3) and torch.allclose(samples["weight"].sum(0), layer.weight.grad, rtol=1e-4)


def test_stacked_modules(torch):
    stack = torch.func.stack_module_state
    linear = torch.nn.Linear
    parameters, buffers = stack([linear(3, 2) for _ in range(4)])
    weight = parameters["weight"]
    assert (
        weight.shape == (4, 2, 3) and weight.requires_grad and weight.is_leaf and type(weight) is torch.Tensor and buffers == {}
    )
    _, buffers = stack([torch.nn.BatchNorm1d(2) for _ in range(2)])
    assert buffers["num_batches_tracked"].tolist() == [0, 0]
    raises(RuntimeError, "stack_module_state: Expected at least one model, got 0.", stack, [])
    raises(RuntimeError, "Expected all models to be of the same class.", stack, [linear(3, 2), torch.nn.ReLU()])
    raises(RuntimeError, "Expected all models to have the same training/eval mode.", stack, [linear(3, 2), linear(3, 2).eval()])
    frozen = linear(3, 2)
    frozen.weight.requires_grad_(False)
    raises(RuntimeError, "Expected weight from each model to have the same .requires_grad", stack, [linear(3, 2), frozen])


def test_batch_norm_without_statistics(torch):
    from_module = torch.func.replace_all_batch_norm_modules_
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 3))
    assert from_module(model) is model and model[0].track_running_stats is False
    assert model[0].running_mean is None and model[0].num_batches_tracked is None


def test_functionalize(torch):
    functionalize = torch.func.functionalize
    x = torch.ones(3)
    assert functionalize(lambda x: x.add_(1))(x).tolist() == [2, 2, 2] and x.tolist() == [2, 2, 2]
    assert functionalize(lambda x: x.view(3, 1), remove="mutations_and_views")(x).shape == (3, 1)
    raises(RuntimeError, "received invalid argument for remove=foo. Valid options are:", functionalize, lambda x: x, remove="foo")


def test_looking_inside(torch):
    x, _ = values(torch)
    seen = []
    torch.func.vmap(lambda x: (seen.append(torch.func.debug_unwrap(x)), x)[1])(x)
    assert seen[0].tolist() == x.tolist()
