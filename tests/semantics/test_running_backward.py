"""Backward while it runs: inside itself, on several threads, in anomaly mode, and what hooks may return."""

import threading

import pytest


def test_backward_within_backward_to_any_depth(torch):
    class Countdown(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with torch.enable_grad():
                ctx.x = x.detach().requires_grad_() - 1
            return ctx.x.detach()

        @staticmethod
        def backward(ctx, g):
            if ctx.x < 0:
                if fails:
                    raise ValueError("deep down")
                return g
            with torch.enable_grad():
                Countdown.apply(ctx.x).sum().backward()
            return g

    fails = False
    x = torch.tensor(2000.0, requires_grad=True)
    Countdown.apply(x).sum().backward()
    assert x.grad.item() == 1
    fails = True
    with pytest.raises(ValueError, match="deep down"):
        Countdown.apply(torch.tensor(100.0, requires_grad=True)).sum().backward()


def on_threads(count, work):
    """Runs `work(number)` on as many threads at once; raises what one of them raised."""
    errors = []

    def run(number):
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_one_graph_on_several_threads(torch):
    x = torch.ones(100_000, requires_grad=True)
    y = x
    for _ in range(20):
        y = y * 1.01
    on_threads(4, lambda number: [y.sum().backward(retain_graph=True) for _ in range(5)])
    assert torch.allclose(x.grad, torch.full_like(x, 20 * 1.01**20), rtol=1e-4)


def test_graphs_of_several_threads(torch):
    found = {}

    def work(number):
        for _ in range(20):
            x = torch.ones(50_000, requires_grad=True)
            found[number] = torch.autograd.grad((x * (number + 1)).sin().sum(), x)[0][0].item()

    on_threads(4, work)
    expected = [(number + 1) * torch.tensor(number + 1.0).cos().item() for number in range(4)]
    assert [found[number] for number in range(4)] == pytest.approx(expected)


def test_multi_grad_hooks_on_several_threads(torch):
    seen = []

    def work(number):
        x, y = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
        torch.autograd.graph.register_multi_grad_hook((x, y), lambda gradients: seen.append([g is not None for g in gradients]))
        for _ in range(10):
            (x * y).sum().backward()

    on_threads(3, work)
    assert seen == [[True, True]] * 30


def test_calls_at_the_end_of_backward(torch):
    engine = torch.autograd.Variable._execution_engine
    with pytest.raises(RuntimeError, match=r"Final callbacks can only be installed during backward pass."):
        engine.queue_callback(lambda: None)
    x = torch.ones(1, requires_grad=True)
    seen = []
    y = x * 2
    y.register_hook(lambda g: engine.queue_callback(lambda: seen.append(x.grad.item())))
    y.backward()
    assert seen == [2.0]


@pytest.mark.parametrize(
    "register, hook, error, text",
    [
        ("register_hook", lambda gi, go: 5, TypeError, "expected tuple, but hook returned 'int'"),
        ("register_hook", lambda gi, go: gi[0], TypeError, "expected tuple, but hook returned 'Tensor'"),
        ("register_hook", lambda gi, go: (1, 2), TypeError, "expected Variable, but hook returned 'int'"),
        (
            "register_hook",
            lambda gi, go: (gi[0],),
            RuntimeError,
            r"has returned an incorrect number of values \(got 1, but expected 2\)",
        ),
        ("register_prehook", lambda go: 5, TypeError, "expected tuple, but hook returned 'int'"),
        ("register_prehook", lambda go: (go[0], go[0]), RuntimeError, r"incorrect number of values \(got 2, but expected 1\)"),
    ],
)
def test_what_node_hooks_may_return(torch, register, hook, error, text):
    y = torch.ones(2, requires_grad=True) * 2
    getattr(y.grad_fn, register)(hook)
    with pytest.raises(error, match=text):
        y.sum().backward()


def test_a_prehook_replaces_gradients(torch):
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    y.grad_fn.register_prehook(lambda go: (go[0] * 3,))
    y.sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]


def test_nodes(torch):
    y = torch.ones(2, requires_grad=True) * 2
    node = y.grad_fn
    assert node(torch.ones(2))[0].tolist() == [2.0, 2.0] and node.requires_grad and len(node._input_metadata) == 1
    with pytest.raises(TypeError, match="expected 1 arguments, got 0 instead"):
        node()
    with pytest.raises(TypeError, match="argument 0 is not a Variable"):
        node(5)
    with pytest.raises(TypeError, match="cannot create 'MulBackward0' instances"):
        type(node)()


def test_what_backward_is_given(torch):
    x = torch.ones(2, requires_grad=True)
    backward, grad = torch.autograd.backward, torch.autograd.grad
    for call, error, text in (
        (lambda: backward([5]), AssertionError, "Expected output to be a torch.Tensor"),
        (lambda: backward(x, [5]), TypeError, "gradients can be either Tensors or None, but got int"),
        (lambda: backward(x.sum(), inputs=[5]), RuntimeError, "all inputs have to be Tensors or GradientEdges, but got int"),
        (lambda: grad(x.sum(), []), RuntimeError, r"`inputs` argument to `grad\(\)` cannot be empty."),
        (lambda: grad(x.sum(), [5]), RuntimeError, "all inputs have to be Tensors or GradientEdges, but got int"),
        (
            lambda: grad(x, x, torch.ones(2), is_grads_batched=True),
            RuntimeError,
            "If `is_grads_batched=True`, we interpret the first",
        ),
    ):
        with pytest.raises(error, match=text):
            call()
    found = grad(x.sum(), {"x": x, "y": torch.ones(1, requires_grad=True)}, allow_unused=True)
    assert found["x"].tolist() == [1.0, 1.0] and found["y"] is None
    batched = grad((x * 2), x, torch.eye(2), is_grads_batched=True)[0]
    assert batched.tolist() == [[2.0, 0.0], [0.0, 2.0]]


def test_edges(torch):
    edge_of = torch.autograd.graph.get_gradient_edge
    x = torch.ones(2, requires_grad=True)
    y = x * 3
    z = (y * y).sum()
    edge = edge_of(y)
    assert (edge.node.name(), edge.output_nr, edge.ownership_token) == ("MulBackward0", 0, None)
    assert torch.autograd.grad(z, edge, retain_graph=True)[0].tolist() == [6.0, 6.0]
    assert torch.autograd.grad(edge, x, torch.ones(2), retain_graph=True)[0].tolist() == [3.0, 3.0]
    with pytest.raises(RuntimeError, match="materialize_grads cannot be used when the given input is a GradientEdge"):
        torch.autograd.grad(z, edge_of(torch.ones(1, requires_grad=True)), materialize_grads=True)


def test_anomaly_mode(torch):
    x = torch.zeros(2, requires_grad=True)
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        mode = torch.autograd.detect_anomaly()
    with mode:
        y = (x.sqrt() * 0).sum()
        assert "traceback_" in y.grad_fn.metadata
        with (
            pytest.warns(
                UserWarning,
                match="Error detected in SqrtBackward0. Traceback of forward call that caused the error:\n",
            ),
            pytest.raises(RuntimeError, match=r"Function 'SqrtBackward0' returned nan values in its 0th output."),
        ):
            y.backward()
    assert not torch.is_anomaly_enabled()
    with torch.autograd.set_detect_anomaly(True, check_nan=False):
        (x.sqrt() * 0).sum().backward()
    assert x.grad.isnan().all()


def test_anomaly_mode_knows_what_induced_a_node(torch):
    x = torch.ones(2, requires_grad=True)
    with torch.autograd.set_detect_anomaly(True):
        (g,) = torch.autograd.grad(x.sqrt().sum(), x, create_graph=True)
    assert type(g.grad_fn.metadata["parent_"]).__name__ == "SqrtBackward0"


def test_mutation_of_saved_tensors(torch):
    allow = torch.autograd.graph.allow_mutation_on_saved_tensors
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with allow():
        a = x.clone()
        b = a.sin()
        a[0] = 7.0
        a.fill_(3).mul_(2)
        a.copy_(torch.ones(2))
        v = a[:1]
        c = v.exp()
        a.zero_()
        (b.sum() + c.sum() * 0).backward()
    assert torch.allclose(x.grad, x.cos())
    outside = "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context"
    with allow():
        b = (x * 1).sin()
    with pytest.raises(AssertionError, match=outside):
        b.sum().backward()
    with allow() as context:
        b = (x * 1).sin()
        context.clear()
        with pytest.raises(AssertionError, match=outside):
            b.sum().backward()
        with pytest.raises(RuntimeError, match="allow_mutation_on_saved_tensors contexts cannot be nested"), allow():
            pass


def test_second_derivatives_through_packed_tensors(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        y = (x * 2).exp() * x
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x)
    assert torch.allclose(h, 4 * (1 + x) * (2 * x).exp())


def test_versions_by_hand(torch):
    x = torch.ones(2)
    torch.autograd.graph.increment_version([x, x])
    assert x._version == 2
    with pytest.raises(RuntimeError, match=r"increment_version expect a Iterable\[Tensor\] as input"):
        torch.autograd.graph.increment_version(5)
