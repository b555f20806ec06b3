"""backward and grad (section B)."""

import gc
import threading

import pytest


def test_gradient_is_implicit_for_one_element_only(torch):
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        (x * 2).backward()
    y = torch.ones(1, 1, 1, requires_grad=True)
    (y * 3).backward()
    assert y.grad.tolist() == [[[3.0]]]
    z = torch.ones((), dtype=torch.complex64, requires_grad=True)
    with pytest.raises(
        RuntimeError, match=r"grad can be implicitly created only for real scalar outputs but got torch.complex64"
    ):
        (z * 2).backward()


def test_shape_and_kind_of_a_given_gradient(torch):
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(
        RuntimeError,
        match=r"Mismatch in shape: grad_output\[0\] has a shape of torch.Size\(\[3\]\) and output\[0\] has a shape of",
    ):
        (x * 2).backward(torch.ones(3))
    with pytest.raises(RuntimeError, match="both grad_output and output are required to have the same dtype"):
        (x * 2).backward(torch.ones(2, dtype=torch.complex64))
    with pytest.raises(TypeError, match="gradients can be either Tensors or None, but got list"):
        torch.autograd.backward([x * 2], [[1.0, 1.0]])
    (x * 2).backward(torch.tensor([1.0, 10.0]))
    assert x.grad.tolist() == [2.0, 20.0]


def test_none_for_roots_without_grad(torch):
    x = torch.ones((), requires_grad=True)
    torch.autograd.backward([x * 2, x * 3], [None, None])
    assert x.grad.item() == 5
    with pytest.raises(RuntimeError, match="element 0 of tensors does not require grad and does not have a grad_fn"):
        torch.ones(()).backward()
    with pytest.raises(RuntimeError, match="element 1 of tensors does not require grad and does not have a grad_fn"):
        torch.autograd.backward([x * 2, torch.ones(())])


def test_a_second_backward_needs_retain_graph(torch):
    x = torch.ones(2, requires_grad=True)
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert x.grad.tolist() == [4.0, 4.0]
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        loss.backward()
    y = (x * x).sum()
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    torch.autograd.grad(y, x)
    assert g.requires_grad


def test_a_second_backward_is_fine_where_nothing_was_saved(torch):
    x = torch.ones(2, requires_grad=True)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_inputs_of_backward(torch):
    x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    z = x * y
    loss = (z * 2).sum()
    with pytest.raises(RuntimeError, match=r"`inputs` argument to `backward\(\)` cannot be empty"):
        loss.backward(inputs=[])
    loss.backward(inputs=[x], retain_graph=True)
    assert x.grad.tolist() == [2.0, 2.0] and y.grad is None
    z.retain_grad()
    loss.backward(inputs=[z])
    assert z.grad.tolist() == [2.0, 2.0] and x.grad.tolist() == [2.0, 2.0]


def test_grad_never_accumulates(torch):
    x, unused = torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)
    y = x * 2
    loss = (y * y).sum()
    gx, gy = torch.autograd.grad(loss, (x, y), retain_graph=True)
    assert gx.tolist() == [8.0, 8.0] and gy.tolist() == [4.0, 4.0] and x.grad is None
    with pytest.raises(RuntimeError, match="The differentiated Tensor at index 1 appears to not have been used in the graph"):
        torch.autograd.grad(loss, (x, unused), retain_graph=True)
    assert torch.autograd.grad(loss, (x, unused), retain_graph=True, allow_unused=True)[1] is None
    zeros = torch.autograd.grad(loss, (x, unused), retain_graph=True, materialize_grads=True)[1]
    assert zeros.tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(ValueError, match="Expected allow_unused to be True or not passed when materialize_grads=True"):
        torch.autograd.grad(loss, unused, allow_unused=False, materialize_grads=True)
    with pytest.raises(RuntimeError, match="One of the differentiated Tensors does not require grad"):
        torch.autograd.grad(loss, torch.ones(2))


def test_results_of_grad_are_tuples(torch):
    x = torch.ones(2, requires_grad=True)
    found = torch.autograd.grad((x * 2).sum(), x)
    assert type(found) is tuple and len(found) == 1
    first, second = torch.autograd.grad((x * 3).sum(), [x, x])
    assert first.tolist() == second.tolist() == [3.0, 3.0]


def test_batched_gradients(torch):
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    (jacobian,) = torch.autograd.grad(x * x, x, grad_outputs=torch.eye(3), is_grads_batched=True)
    assert jacobian.tolist() == [[2.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 6.0]]
    with pytest.raises(RuntimeError, match="we interpret the first dimension of each grad_output as the batch dimension"):
        torch.autograd.grad(x * x, x, grad_outputs=torch.ones(3), is_grads_batched=True)


def test_gradient_edges(torch):
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    edge = torch.autograd.graph.get_gradient_edge(y)
    assert edge.node is y.grad_fn and edge.output_nr == 0
    (g,) = torch.autograd.grad((y * y).sum(), edge, retain_graph=True)
    assert g.tolist() == [4.0, 4.0]
    (g,) = torch.autograd.grad(edge, x, grad_outputs=torch.ones(2))
    assert g.tolist() == [2.0, 2.0]
    leaf = torch.autograd.graph.get_gradient_edge(x)
    assert leaf.node.name().endswith("AccumulateGrad")
    with pytest.raises(
        RuntimeError, match="It is not possible to get the gradient edge for a Tensor that does not require gradients"
    ):
        torch.autograd.graph.get_gradient_edge(torch.ones(2))


def test_a_root_that_is_a_leaf(torch):
    x = torch.ones((), requires_grad=True)
    x.backward()
    assert x.grad.item() == 1
    x.backward()
    assert x.grad.item() == 2


def test_several_roots_share_one_traversal(torch):
    x = torch.ones(2, requires_grad=True)
    y = x * x
    calls = []
    y.register_hook(calls.append)
    torch.autograd.backward([(y * 2).sum(), (y * 3).sum()])
    assert x.grad.tolist() == [10.0, 10.0]
    assert [g.tolist() for g in calls] == [[5.0, 5.0]]


def test_gradients_are_summed_and_cast_to_their_input(torch):
    class Wide(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g.double().expand(4, 2)

    x = torch.ones(2, requires_grad=True)
    Wide.apply(x).sum().backward()
    assert x.grad.dtype == torch.float32 and x.grad.tolist() == [4.0, 4.0]


def test_gradients_of_wrong_shape_name_function_and_index(torch):
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return torch.ones(3)

    x = torch.ones(2, requires_grad=True)
    with pytest.raises(
        RuntimeError,
        match=r"Function WrongBackward returned an invalid gradient at index 0 - got \[3\] but expected shape compatible with \[2\]",
    ):
        Wrong.apply(x).sum().backward()


def test_complex_gradient_of_a_real_input(torch):
    x = torch.ones(2, requires_grad=True)
    c = torch.tensor([1 + 2j, 3 - 1j])
    (x * c).sum().abs().backward()
    assert x.grad.dtype == torch.float32
    assert x.grad.tolist() == pytest.approx([(4 * 1 + 1 * 2) / 17**0.5, (4 * 3 - 1) / 17**0.5], rel=1e-6)


def test_newest_node_runs_first(torch):
    x = torch.ones(1, requires_grad=True)
    order = []
    a = x * 1
    b = x * 2
    c = x * 3
    for name, tensor in (("a", a), ("b", b), ("c", c)):
        tensor.grad_fn.register_prehook(lambda _, name=name: order.append(name))
    (c + (a + b)).sum().backward()
    assert order == ["c", "b", "a"]


def test_leaves_accumulate_before_older_nodes_run(torch):
    x = torch.ones(1, requires_grad=True)
    w = torch.ones(1, requires_grad=True)
    order = []
    h = x * 2
    y = h * w
    h.grad_fn.register_prehook(lambda _: order.append("h"))
    w.register_post_accumulate_grad_hook(lambda _: order.append("w"))
    y.sum().backward()
    assert order == ["w", "h"]


def test_deep_chains(torch):
    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1
    y.sum().backward()
    assert x.grad.item() == 1
    del y
    gc.collect()


def test_dropping_a_deep_graph_without_backward(torch):
    y = torch.ones(1, requires_grad=True)
    for _ in range(100_000):
        y = y * 1
    del y


def test_backward_inside_backward(torch):
    class Inner(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with torch.enable_grad():
                ctx.x = x.detach().requires_grad_()
                ctx.y = ctx.x * ctx.x
            return ctx.y.detach()

        @staticmethod
        def backward(ctx, g):
            with torch.enable_grad():
                ctx.y.backward(g)
            return ctx.x.grad

    x = torch.tensor([3.0], requires_grad=True)
    Inner.apply(Inner.apply(x)).sum().backward()
    assert x.grad.tolist() == [4 * 27.0]


def test_deeply_nested_backward(torch):
    class Nested(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, depth):
            ctx.depth = depth
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            if ctx.depth:
                with torch.enable_grad():
                    x = torch.ones(1, requires_grad=True)
                    Nested.apply(x, ctx.depth - 1).sum().backward()
            return g, None

    x = torch.ones(1, requires_grad=True)
    Nested.apply(x, 100).sum().backward()
    assert x.grad.tolist() == [1.0]


def test_grad_from_several_threads(torch):
    x = torch.linspace(0.0, 1.0, 100, requires_grad=True)
    found = [None] * 4

    def work(i):
        for _ in range(50):
            found[i] = torch.autograd.grad((x * x * (i + 1)).sum(), x)[0]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, g in enumerate(found):
        assert torch.equal(g, 2 * (i + 1) * x.detach())


def test_exceptions_keep_their_type_and_leave_the_engine_usable(torch):
    class Refused(Exception):
        pass

    x = torch.ones(2, requires_grad=True)
    y = x * 2

    def hook(g):
        raise Refused("no")

    handle = y.register_hook(hook)
    loss = (y * y).sum()
    with pytest.raises(Refused, match="no"):
        loss.backward(retain_graph=True)
    assert x.grad is None
    handle.remove()
    loss.backward()
    assert x.grad.tolist() == [8.0, 8.0]


def test_exception_in_a_function(torch):
    class Fails(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise ZeroDivisionError("in backward")

    x = torch.ones(2, requires_grad=True)
    with pytest.raises(ZeroDivisionError, match="in backward"):
        Fails.apply(x).sum().backward()
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_second_derivatives(torch):
    x = torch.tensor(2.0, requires_grad=True)
    (g,) = torch.autograd.grad(x**4, x, create_graph=True)
    (h,) = torch.autograd.grad(g, x, create_graph=True)
    (t,) = torch.autograd.grad(h, x)
    assert (g.item(), h.item(), t.item()) == (32.0, 48.0, 48.0)
