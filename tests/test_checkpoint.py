"""utils.checkpoint: both variants, and what they promise."""

import contextlib

import pytest


@pytest.fixture
def torch():
    import rushlight

    return rushlight


@pytest.fixture
def checkpointing(torch):
    import importlib

    return importlib.import_module(f"{torch.__name__}.utils.checkpoint")


@pytest.fixture
def checkpoint(checkpointing):
    return checkpointing.checkpoint


@pytest.fixture
def x(torch):
    return torch.tensor([1.0, 2.0, 3.0], requires_grad=True)


BOTH = pytest.mark.parametrize("reentrant", [True, False])


def function(x):
    return (x.exp() * x).sin()


def gradient_of(torch, function, x):
    return torch.autograd.grad(function(x).sum(), x)[0]


@BOTH
def test_gradients(torch, checkpoint, x, reentrant):
    checkpoint(function, x, use_reentrant=reentrant).sum().backward()
    assert torch.equal(x.grad, gradient_of(torch, function, x))
    w = torch.ones(3, requires_grad=True)
    a, b, nothing, text = checkpoint(lambda a, b, n: (a * b, a * n, None, "text"), x, w, 3, use_reentrant=reentrant)
    assert nothing is None and text == "text"
    (a + b).sum().backward()
    assert torch.equal(w.grad, x)


@BOTH
def test_forward_runs_once_more(torch, checkpoint, x, reentrant):
    runs = []

    def counted(x):
        runs.append(1)
        return function(x)

    y = checkpoint(counted, x, use_reentrant=reentrant)
    assert len(runs) == 1
    y.sum().backward(retain_graph=True)
    assert len(runs) == 2
    y.sum().backward()
    assert len(runs) == 3


def test_autograd_grad(torch, checkpoint, x):
    (g,) = torch.autograd.grad(checkpoint(function, x, use_reentrant=False).sum(), x, create_graph=True)
    (expected,) = torch.autograd.grad(function(x).sum(), x, create_graph=True)
    assert torch.equal(g, expected)
    assert torch.allclose(torch.autograd.grad(g.sum(), x)[0], torch.autograd.grad(expected.sum(), x)[0])
    with pytest.raises(RuntimeError, match=r"When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad"):
        torch.autograd.grad(checkpoint(function, x, use_reentrant=True).sum(), x)
    with pytest.raises(RuntimeError, match=r"When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad"):
        checkpoint(function, x, use_reentrant=True).sum().backward(inputs=[x])


def test_inputs_without_grad(torch, checkpoint):
    w, t = torch.ones(3, requires_grad=True), torch.ones(3)
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True. Gradients will be None"):
        assert not checkpoint(lambda t: t * w, t, use_reentrant=True).requires_grad
    checkpoint(lambda t: t * w, t, use_reentrant=False).sum().backward()
    assert w.grad.tolist() == [1.0, 1.0, 1.0]


@BOTH
def test_no_grad(torch, checkpoint, x, reentrant):
    with torch.no_grad():
        assert not checkpoint(function, x, use_reentrant=reentrant).requires_grad

    def partly(x):
        with torch.no_grad():
            y = x.exp()
        return x.sin() * y

    checkpoint(partly, x, use_reentrant=reentrant).sum().backward()
    assert torch.equal(x.grad, gradient_of(torch, partly, x))


@BOTH
def test_random_numbers(torch, checkpoint, x, reentrant):
    def random(x):
        return torch.nn.functional.dropout(x, 0.5, True) * torch.rand(3)

    torch.manual_seed(0)
    y = checkpoint(random, x, use_reentrant=reentrant)
    first = torch.rand(1)
    y.sum().backward()
    second = torch.rand(1)
    assert torch.allclose(y, x.grad * x)
    torch.manual_seed(0)
    random(x)
    assert torch.equal(first, torch.rand(1)) and torch.equal(second, torch.rand(1))


def test_early_stop(torch, checkpointing, checkpoint, x):
    lines = []

    def traced(x):
        lines.append(1)
        y = x.exp().sin()
        lines.append(2)
        return y + 1

    def run(**kwargs):
        lines.clear()
        checkpoint(traced, x, use_reentrant=False, **kwargs).sum().backward()
        return lines[2:]

    assert run() == [1] and run(early_stop=False) == [1, 2]
    with checkpointing.set_checkpoint_early_stop(False):
        assert run() == [1, 2]
    with checkpointing.set_checkpoint_early_stop(True):
        assert run(early_stop=False) == [1]


def unsteady(first, second):
    """A function that runs `first` the first time and then `second`."""
    runs = []

    def run(x):
        runs.append(1)
        return first(x) if len(runs) == 1 else second(x)

    return run


def test_a_second_forward_that_differs(torch, checkpointing, checkpoint, x):
    error = checkpointing.CheckpointError
    assert issubclass(error, RuntimeError)
    with pytest.raises(
        error,
        match=r"A different number of tensors was saved during the original forward and recomputation.\n"
        r"Number of tensors saved during forward: 2\nNumber of tensors saved during recomputation: 1.",
    ):
        checkpoint(unsteady(lambda x: x.exp().sin(), lambda x: x.exp()), x, use_reentrant=False).sum().backward()
    with pytest.raises(error, match=r"trying to save more tensors during recomputation than during the original forward pass."):
        more = unsteady(lambda x: x.exp(), lambda x: x.exp().sin())
        checkpoint(more, x, use_reentrant=False, early_stop=False).sum().backward()
    checkpoint(unsteady(lambda x: x.exp(), lambda x: x.exp().sin()), x, use_reentrant=False).sum().backward()
    smaller = (lambda x: x.exp().sin().sum()), (lambda x: x[:2].exp().sin().sum())
    with pytest.raises(
        error,
        match="Recomputed values for the following tensors have different metadata than during the forward pass.\ntensor at position 0:\n"
        r"saved metadata: {'shape': torch.Size\(\[3\]\), 'dtype': torch.float32, 'device': device\(type='cpu'\)}\n"
        r"recomputed metadata: {'shape': torch.Size\(\[2\]\)",
    ):
        checkpoint(unsteady(*smaller), x, use_reentrant=False).backward()


def test_errors_keep_their_type(torch, checkpoint, x):
    def fails(x):
        raise ValueError("again")

    for reentrant in (True, False):
        with pytest.raises(ValueError, match="again"):
            checkpoint(unsteady(torch.exp, fails), x, use_reentrant=reentrant).sum().backward()


def test_debug(torch, checkpointing, checkpoint, x):
    differs = unsteady(lambda x: x.exp().sin(), lambda x: x.exp())
    with pytest.raises(
        checkpointing.CheckpointError, match="An error happened while unpacking tensors; dumping logs of latest computation"
    ):
        checkpoint(differs, x, use_reentrant=False, debug=True).sum().backward()
    with checkpointing.set_checkpoint_debug_enabled(True):
        y = checkpoint(unsteady(lambda x: x.exp().sin(), lambda x: x.exp()), x, use_reentrant=False)
    with pytest.raises(checkpointing.CheckpointError, match="dumping logs"):
        y.sum().backward()


def test_arguments(torch, checkpoint, x):
    with pytest.warns(UserWarning, match="the use_reentrant parameter should be passed explicitly"):
        checkpoint(function, x)
    with pytest.raises(ValueError, match="Unexpected keyword arguments: n"):
        checkpoint(lambda x, n: x * n, x, use_reentrant=True, n=3)
    assert checkpoint(lambda x, n: x * n, x, use_reentrant=False, n=3).tolist() == [3.0, 6.0, 9.0]
    with pytest.raises(ValueError, match=r"Passing `context_fn` or `debug` is only supported when use_reentrant=False."):
        checkpoint(function, x, use_reentrant=True, debug=True)
    with pytest.raises(ValueError, match=r"determinism_check should be one of \['default', 'none'\], but got some"):
        checkpoint(function, x, use_reentrant=False, determinism_check="some")
    with pytest.raises(RuntimeError, match="none of output has requires_grad=True, this checkpoint\\(\\) is not necessary"):
        checkpoint(lambda x: x.detach(), x, use_reentrant=True).sum().backward()


def test_contexts(torch, checkpoint, x):
    seen = []

    @contextlib.contextmanager
    def noted(name):
        seen.append(name)
        try:
            yield
        finally:
            seen.append("end of " + name)

    y = checkpoint(function, x, use_reentrant=False, context_fn=lambda: (noted("first"), noted("second")))
    y.sum().backward()
    assert seen == ["first", "end of first", "second", "end of second"]


def test_nested(torch, checkpoint, x):
    runs = [0, 0]

    def inner(x):
        runs[0] += 1
        return x.sin().exp()

    def outer(x):
        runs[1] += 1
        y = checkpoint(inner, x * 2, use_reentrant=False)
        return y.cos() * checkpoint(inner, y, use_reentrant=False)

    checkpoint(outer, x, use_reentrant=False).sum().backward()
    assert runs == [6, 2] or runs[1] == 2

    def plain(x):
        y = inner(x * 2)
        return y.cos() * inner(y)

    assert torch.allclose(x.grad, gradient_of(torch, plain, x))

    def deep(x, n, use):
        return x.sin() if n == 0 else use(deep, x * 1.1, n - 1, use).cos()

    x.grad = None
    deep(x, 6, lambda f, *a: checkpoint(f, *a, use_reentrant=False)).sum().backward()
    assert torch.allclose(x.grad, gradient_of(torch, lambda x: deep(x, 6, lambda f, *a: f(*a)), x))


def test_structures(torch, checkpoint, x):
    w = torch.ones(3, requires_grad=True)
    result = checkpoint(lambda x, *, d: {"a": x * d["w"], "b": [x.exp()]}, x, d={"w": w}, use_reentrant=False)
    (result["a"].sum() + result["b"][0].sum()).backward()
    assert torch.allclose(x.grad, 1 + x.exp()) and torch.equal(w.grad, x)


def test_saved_tensors_outside_of_backward(torch, checkpointing, checkpoint, x):
    y = checkpoint(lambda x: x.exp().sin(), x, use_reentrant=False)
    assert torch.equal(y.grad_fn._saved_self, x.exp()) and y.grad_fn._saved_self.requires_grad

    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0] * ctx.saved_tensors[0]

    with pytest.raises(
        checkpointing.CheckpointError, match="Unpack is being triggered for a tensor that was already unpacked once"
    ):
        checkpoint(lambda x: Twice.apply(x.exp()), x, use_reentrant=False).sum().backward()


@BOTH
def test_a_chain(torch, checkpoint, x, reentrant):
    y, z = x, x
    for _ in range(50):
        y, z = checkpoint(torch.sin, y, use_reentrant=reentrant), z.sin()
    y.sum().backward()
    assert torch.allclose(x.grad, torch.autograd.grad(z.sum(), x)[0])


@BOTH
def test_sequential(torch, checkpointing, reentrant):
    layers = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2))
    x = torch.ones(2, 3, requires_grad=True)
    for segments in (1, 2, 3):
        out = checkpointing.checkpoint_sequential(layers, segments, x, use_reentrant=reentrant)
        out.sum().backward()
        assert torch.allclose(x.grad, gradient_of(torch, layers, x))
        x.grad = None
    with pytest.warns(
        UserWarning, match="torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed"
    ):
        checkpointing.checkpoint_sequential(list(layers), 2, x)
    with pytest.raises(ValueError, match="Unexpected keyword arguments: other"):
        checkpointing.checkpoint_sequential(layers, 2, x, use_reentrant=reentrant, other=1)


def test_selective(torch, checkpointing, checkpoint):
    asked = []

    def policy(ctx, op, *args, **kwargs):
        name = op.__name__.split(".")[0]
        asked.append(name)
        policies = checkpointing.CheckpointPolicy
        return policies.MUST_SAVE if name == "mm" else policies.PREFER_RECOMPUTE

    a = torch.rand(3, 3, requires_grad=True)

    def products(a):
        return torch.mm(torch.mm(a, a).sin(), a).exp()

    contexts = checkpointing.create_selective_checkpoint_contexts
    checkpoint(products, a, use_reentrant=False, context_fn=lambda: contexts(policy)).sum().backward()
    assert torch.allclose(a.grad, gradient_of(torch, products, a)) and asked.count("mm") == 2

    a.grad = None
    checkpoint(products, a, use_reentrant=False, context_fn=lambda: contexts([torch.ops.aten.mm.default])).sum().backward()
    assert torch.allclose(a.grad, gradient_of(torch, products, a))
    with pytest.raises(TypeError, match=r"policy_fn_or_list must be either a function or a list of ops."):
        contexts(5)
    with pytest.raises(ValueError, match="Expected op in `op_list` to be an OpOverload but got: 5"):
        contexts([5])


def test_small_names(torch, checkpointing, x):
    assert len(checkpointing.noop_context_fn()) == 2
    assert [t.requires_grad for t in checkpointing.detach_variable((x, torch.ones(1)))] == [True, False]
    with pytest.raises(RuntimeError, match=r"Only tuple of tensors is supported. Got Unsupported input type: list"):
        checkpointing.detach_variable([x])
    assert list(checkpointing.CheckpointPolicy.__members__)[:2] == ["MUST_SAVE", "PREFER_SAVE"]
    assert checkpointing.get_device_states(x) == ([], [])


def test_backwards_that_share_a_second_forward(torch, checkpointing, checkpoint, x):
    runs = []

    def counted(x):
        runs.append(1)
        return x.exp().sin()

    with checkpointing.GraphExecGroup():
        y = checkpoint(counted, x, use_reentrant=False)
        h = y * 2
        torch.autograd.grad(h.sum(), y, retain_graph=True)
        y.sum().backward()
        with pytest.raises(RuntimeError, match=r"GraphExecGroup contexts cannot be nested. Already inside group"):
            checkpointing.GraphExecGroup().__enter__()
    assert len(runs) == 2 and torch.equal(x.grad, gradient_of(torch, counted, x))


@pytest.mark.parametrize("use_reentrant", [False, True])
def test_the_second_forward_is_cast_as_the_first_was(torch, checkpoint, use_reentrant):
    seen = []

    def f(a, b):
        seen.append(torch.mm(a, b).dtype)
        return torch.mm(torch.mm(a, b), b)

    for enabled, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        a, b = torch.ones(2, 2, requires_grad=True), torch.ones(2, 2, requires_grad=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            loss = checkpoint(f, a, b, use_reentrant=use_reentrant).sum()
        loss.backward()
        assert seen[-2:] == [dtype, dtype] and a.grad.dtype is torch.float32 and not torch.is_autocast_enabled("cpu")
