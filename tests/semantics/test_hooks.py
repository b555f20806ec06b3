"""Hooks of tensors and nodes, and what nodes tell (section E)."""

import pytest


def test_order_within_a_node(torch):
    x = torch.ones(1, requires_grad=True)
    y = x * 2
    order = []
    y.grad_fn.register_hook(lambda gi, go: order.append("post"))
    y.grad_fn.register_prehook(lambda go: order.append("pre"))
    y.register_hook(lambda g: order.append("tensor"))
    y.sum().backward()
    assert order == ["tensor", "pre", "post"]


def test_order_at_a_leaf(torch):
    x = torch.ones(1, requires_grad=True)
    order = []
    x.register_post_accumulate_grad_hook(lambda p: order.append(("accumulated", p.grad.item())))
    x.register_hook(lambda g: order.append("tensor"))
    (x * 2).sum().backward()
    assert order == ["tensor", ("accumulated", 2.0)]


def test_hooks_run_first_in_first_out_and_see_changes(torch):
    x = torch.ones(1, requires_grad=True)
    y = x * 1
    seen = []
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: seen.append(g.item()))
    y.register_hook(lambda g: g + 1)
    y.retain_grad()
    y.sum().backward()
    assert seen == [10.0] and x.grad.item() == 11 and y.grad.item() == 11


def test_a_tensor_hook_fires_for_wanted_inputs(torch):
    x = torch.ones(1, requires_grad=True)
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append("tensor"))
    y.grad_fn.register_prehook(lambda g: seen.append("node"))
    y.grad_fn.register_hook(lambda a, b: seen.append("post"))
    torch.autograd.grad((y * 3).sum(), y)
    assert "tensor" in seen and "post" not in seen


def test_a_tensor_hook_changes_what_grad_returns(torch):
    x = torch.ones(1, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g * 100)
    (g,) = torch.autograd.grad((y * 3).sum(), y)
    assert g.item() == 300


def test_a_hook_stays_with_the_grad_fn_it_was_registered_on(torch):
    x = torch.ones(1, requires_grad=True)
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(g.item()))
    y.mul_(5)
    y.sum().backward()
    assert seen == [5.0]


def test_what_a_hook_may_return(torch):
    x = torch.ones(2, requires_grad=True)
    for returned, error, text in (
        (lambda g: 1.0, TypeError, "expected (Tensor|Variable), but hook returned 'float'"),
        (lambda g: torch.ones(3), RuntimeError, "has changed the size of value"),
        (lambda g: g.double(), RuntimeError, "has changed the type of value"),
    ):
        y = x * 2
        y.register_hook(returned)
        with pytest.raises(error, match=text):
            y.sum().backward()
    with pytest.raises(RuntimeError, match="cannot register a hook on a tensor that doesn't require gradient"):
        torch.ones(2).register_hook(lambda g: g)


def test_handles(torch):
    x = torch.ones(1, requires_grad=True)
    seen = []
    handle = x.register_hook(seen.append)
    handle.remove()
    handle.remove()
    x.backward()
    assert seen == []
    with x.register_hook(seen.append):
        x.backward()
    x.backward()
    assert len(seen) == 1


def test_a_hook_may_remove_itself(torch):
    x = torch.ones(1, requires_grad=True)
    seen = []

    def hook(g):
        seen.append(1)
        handle.remove()

    handle = x.register_hook(hook)
    x.register_hook(lambda g: seen.append(2))
    x.backward()
    x.backward()
    assert seen == [1, 2, 2]


def test_post_accumulate_hooks(torch):
    x = torch.ones(2, requires_grad=True)

    def step(p):
        assert not torch.is_grad_enabled()
        with torch.no_grad():
            p -= 0.5 * p.grad
        p.grad = None

    x.register_post_accumulate_grad_hook(step)
    (x * 2).sum().backward()
    assert x.tolist() == [0.0, 0.0] and x.grad is None
    with pytest.raises(RuntimeError, match="post accumulate grad hooks cannot be registered on non-leaf tensors"):
        (x * 2).register_post_accumulate_grad_hook(step)
    with pytest.raises(RuntimeError, match="cannot register a hook on a tensor that doesn't require gradient"):
        torch.ones(2).register_post_accumulate_grad_hook(step)


def test_post_accumulate_hooks_are_not_run_by_grad(torch):
    x = torch.ones(2, requires_grad=True)
    seen = []
    x.register_post_accumulate_grad_hook(lambda p: seen.append(p))
    torch.autograd.grad((x * 2).sum(), x)
    assert seen == []


def test_retain_grad(torch):
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    assert not y.retains_grad
    y.retain_grad()
    y.retain_grad()
    assert y.retains_grad and not x.retains_grad
    x.retain_grad()
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    assert y.grad.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="can't retain_grad on Tensor that has requires_grad=False"):
        torch.ones(2).retain_grad()


def test_node_hooks_see_and_replace_gradients(torch):
    x = torch.ones(1, requires_grad=True)
    y = x * 2
    y.grad_fn.register_prehook(lambda go: (go[0] * 10,))
    y.grad_fn.register_hook(lambda gi, go: (gi[0] + 1, *gi[1:]))
    y.sum().backward()
    assert x.grad.item() == 21


def test_hooks_of_an_accumulating_node(torch):
    x = torch.ones(1, requires_grad=True)
    node = torch.autograd.graph.get_gradient_edge(x).node
    seen = []
    node.register_prehook(lambda go: seen.append("pre"))
    node.register_hook(lambda gi, go: seen.append("post"))
    (x * 2).sum().backward()
    assert seen == ["pre", "post"]


def test_what_nodes_tell(torch):
    x = torch.ones(1, requires_grad=True)
    y = x * 2 + 1
    node = y.grad_fn
    assert node.name() == "AddBackward0" and type(node).__name__ == "AddBackward0"
    (below, number), (nothing, _) = node.next_functions
    assert below.name() == "MulBackward0" and number == 0 and nothing is None
    leaf = below.next_functions[0][0]
    assert leaf.name().endswith("AccumulateGrad") and leaf.variable is x
    node.metadata["mine"] = 5
    assert y.grad_fn.metadata == {"mine": 5}
    assert isinstance(node, torch.autograd.graph.Node)
    assert y.grad_fn is node


def test_saved_values(torch):
    x = torch.ones(2, requires_grad=True)
    y = x.exp()
    assert y.grad_fn._saved_result is not y and torch.equal(y.grad_fn._saved_result, y)
    z = x.sin()
    assert z.grad_fn._saved_self is x
    z.sum().backward()
    with pytest.raises(RuntimeError, match=r"(?s)Trying to backward through the graph a second time"):
        z.grad_fn._saved_self  # noqa: B018


def test_multi_grad_hooks(torch):
    a, b, c = (torch.ones(1, requires_grad=True) for _ in range(3))
    seen = []
    torch.autograd.graph.register_multi_grad_hook(
        [a, b, c], lambda grads: seen.append([None if g is None else g.item() for g in grads])
    )
    (a * 2 + c * 3).sum().backward()
    assert seen == [[2.0, None, 3.0]]
    first = []
    torch.autograd.graph.register_multi_grad_hook([a, b], lambda g: first.append(g.item()), mode="any")
    (a * 2 + b * 2).sum().backward()
    assert first == [2.0]


def test_saved_tensors_hooks(torch):
    x = torch.ones(2, requires_grad=True)
    packed, unpacked = [], []

    def pack(t):
        packed.append(t)
        return t * 1

    def unpack(t):
        unpacked.append(t)
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = (x * x).sum()
    (x * x).sum().backward()
    assert len(packed) == 2 and not unpacked
    y.backward()
    assert len(unpacked) == 2 and x.grad.tolist() == [4.0, 4.0]


def test_the_innermost_saved_tensors_hooks_hold(torch):
    seen = []
    x = torch.ones(2, requires_grad=True)
    with (
        torch.autograd.graph.saved_tensors_hooks(lambda t: seen.append("outer") or t, lambda t: t),
        torch.autograd.graph.saved_tensors_hooks(lambda t: seen.append("inner") or t, lambda t: t),
    ):
        x.sin()
    assert seen == ["inner"]


def test_saved_tensors_hooks_can_be_forbidden(torch):
    with (
        torch.autograd.graph.disable_saved_tensors_hooks("not here"),
        pytest.raises(RuntimeError, match="not here"),
        torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t),
    ):
        raise AssertionError("unreachable")


def test_module_hooks(torch):
    layer = torch.nn.Linear(2, 2)
    seen = []
    layer.register_forward_pre_hook(lambda m, args: seen.append("pre"))
    layer.register_forward_hook(lambda m, args, out: seen.append("forward"))
    layer.register_full_backward_pre_hook(lambda m, go: seen.append("backward pre"))
    layer.register_full_backward_hook(lambda m, gi, go: seen.append(("backward", gi[0] is None)))
    with pytest.warns(
        UserWarning, match="Full backward hook is firing when gradients are computed with respect to module outputs"
    ):
        layer(torch.ones(1, 2)).sum().backward()
    assert seen == ["pre", "forward", "backward pre", ("backward", True)]
    seen.clear()
    layer(torch.ones(1, 2, requires_grad=True)).sum().backward()
    assert seen == ["pre", "forward", "backward pre", ("backward", False)]
