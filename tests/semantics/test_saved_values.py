"""What a node keeps for backward, by the names that Python reads it under: `_saved_self`, `_raw_saved_result`, and hooks on them."""

import pytest

FREED = "after they have already been freed"


@pytest.fixture
def matrix(torch):
    return torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)


@pytest.mark.parametrize(
    ("call", "name", "value"),
    [
        (lambda torch, x: x.sum(1), "dim", (1,)),
        (lambda torch, x: x.sum(1), "keepdim", False),
        (lambda torch, x: x.sum(1), "self_sym_sizes", (2, 2)),
        (lambda torch, x: x.prod(1), "dim", 1),
        (lambda torch, x: x**3, "exponent", 3),
        (lambda torch, x: 2**x, "self", 2),
        (lambda torch, x: x.transpose(0, 1), "dim1", 1),
        (lambda torch, x: x.flip(0), "dims", (0,)),
        (lambda torch, x: x.repeat(2, 3), "repeats", (2, 3)),
        (lambda torch, x: x[0].repeat(2), "repeats", (2,)),
        (lambda torch, x: torch.stack([x, x], 1), "dim", 1),
        (lambda torch, x: x.as_strided((3,), (1,), 1), "storage_offset", 1),
        (lambda torch, x: x.as_strided((3,), (1,)), "storage_offset", None),
        (lambda torch, x: torch.nn.functional.mse_loss(x, x.detach()), "reduction", 1),
        (lambda torch, x: torch.nn.functional.nll_loss(x, torch.tensor([0, 1]), reduction="sum"), "reduction", 2),
        (lambda torch, x: x.softmax(0), "dim", 0),
        (lambda torch, x: torch.addcmul(x, x, x, value=2), "value", 2),
        (lambda torch, x: torch.lerp(x, x, 0.5), "weight", 0.5),
    ],
)
def test_numbers_and_sizes(torch, matrix, call, name, value):
    x = matrix
    found = getattr(call(torch, x).grad_fn, f"_saved_{name}")
    assert found == value and type(found) is type(value)
    assert not hasattr(call(torch, x).grad_fn, f"_raw_saved_{name}")


def test_tensors_are_the_inputs_themselves(torch, matrix):
    x = matrix
    y = torch.ones(2, 2, requires_grad=True)
    node = (x * y).grad_fn
    assert node._saved_self is x and node._saved_other is y
    # What only the gradient of the other input needs is not kept.
    node = (x * torch.ones(2, 2)).grad_fn
    assert node._saved_self is None and node._saved_other.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    # A number beside a tensor is kept as a tensor, unless it has a signature of its own.
    assert (x * 3).grad_fn._saved_other.dtype is torch.int64 and (x * 3).grad_fn._saved_self is None
    weight = torch.ones(2)
    assert torch.nn.functional.nll_loss(x, torch.tensor([0, 1]), weight).grad_fn._saved_weight is weight
    assert torch.nn.functional.nll_loss(x, torch.tensor([0, 1])).grad_fn._saved_weight is None


def test_outputs_have_their_history_where_they_have_a_derivative(torch, matrix):
    x = matrix
    y = x.exp()
    assert y.grad_fn._saved_result is not y and y.grad_fn._saved_result.grad_fn is y.grad_fn
    values, indices = x.max(0)
    assert not values.grad_fn._saved_indices.requires_grad and torch.equal(values.grad_fn._saved_indices, indices)


def test_indices(torch, matrix):
    x = matrix
    index = torch.tensor([0, 1])
    node = x[:, index].grad_fn
    assert node._saved_indices == (None, index) or node._saved_indices[1].tolist() == [0, 1]
    assert node._saved_indices[0] is None and node._saved_self_sym_sizes == (2, 2)
    assert len(node._raw_saved_indices) == 2
    node._raw_saved_indices[1].register_hooks(lambda t: t, lambda t: t)
    with pytest.raises(RuntimeError, match="Calling register_hooks on a saved tensor with value None is forbidden"):
        node._raw_saved_indices[0].register_hooks(lambda t: t, lambda t: t)
    assert [t.dtype for t in x[x > 1].grad_fn._saved_indices] == [torch.bool]


def test_after_backward_tensors_are_gone_and_numbers_are_not(torch, matrix):
    x = matrix
    y = x**3
    kept = y.grad_fn._raw_saved_self
    assert kept.data is x and kept.unpack() is x
    y.sum().backward()
    assert y.grad_fn._saved_exponent == 3
    with pytest.raises(RuntimeError, match=FREED):
        y.grad_fn._saved_self  # noqa: B018
    assert type(y.grad_fn._raw_saved_self) is type(kept)
    for saved in (kept, y.grad_fn._raw_saved_self):
        assert saved.data is None
        with pytest.raises(RuntimeError, match=FREED):
            saved.unpack()
        with pytest.raises(RuntimeError, match="Calling register_hooks on a saved tensor after it has been freed"):
            saved.register_hooks(lambda t: t, lambda t: t)


def test_a_saved_tensor_on_its_own(torch, matrix):
    x = matrix
    y = x * 1
    kept = (y * x).grad_fn._raw_saved_self
    y.add_(1)
    assert kept.data is y
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation.*which is output 0 of Add, is at version 1"):
        kept.unpack()
    nothing = (x * 3).grad_fn._raw_saved_self
    assert nothing.data is None and nothing.unpack() is None
    with pytest.raises(RuntimeError, match="detached in-place"):
        x.exp().grad_fn._raw_saved_result.unpack()
    packed = (x * x).grad_fn._raw_saved_self
    packed.register_hooks(lambda t: "packed", lambda packed: torch.zeros(2, 2))
    assert packed.data == "packed" and packed.unpack().tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_hooks_get_a_leaf_without_history_and_give_back_a_leaf(torch, matrix):
    x = matrix
    seen = []
    y = x * x.detach()
    node = (x * torch.full((2, 2), 2.0, requires_grad=True)).grad_fn
    node._raw_saved_self.register_hooks(lambda t: seen.append((t is x, t.requires_grad)) or t * 2, lambda t: t)
    assert seen == [(False, False)]
    given = node._saved_self
    assert given.requires_grad and given.is_leaf and given.grad_fn is None and given.tolist() == [[2.0, 4.0], [6.0, 8.0]]
    assert y._version == 0


def test_second_derivatives_reach_the_leaf_behind_a_hook(torch):
    x = torch.tensor(3.0, requires_grad=True)
    y = x * x
    y.grad_fn._raw_saved_self.register_hooks(lambda t: t.item(), lambda number: torch.tensor(number))
    (first,) = torch.autograd.grad(y, x, create_graph=True)
    first.backward()
    assert first.item() == 6 and x.grad.item() == 2


def test_saved_tensors_of_a_function(torch, matrix):
    x = matrix

    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x, None)
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            assert ctx.saved_tensors[1] is None and ctx.saved_tensors[0].is_leaf
            return gradient * ctx.saved_tensors[0]

    y = Double.apply(x)
    first, second = y.grad_fn._raw_saved_tensors
    assert second.data is None
    first.register_hooks(lambda t: t * 3, lambda t: t * 5)
    with pytest.raises(RuntimeError, match="with value None is forbidden"):
        second.register_hooks(lambda t: t, lambda t: t)
    y.sum().backward()
    assert x.grad.tolist() == [[15.0, 30.0], [45.0, 60.0]]
    with pytest.raises(RuntimeError, match=FREED):
        y.grad_fn._raw_saved_tensors  # noqa: B018


def test_names_are_listed(torch, matrix):
    x = matrix
    names = dir((x * x).grad_fn)
    assert {"_saved_self", "_saved_other", "_raw_saved_self", "_raw_saved_other", "next_functions", "metadata"} <= set(names)
    names = dir((x**2).grad_fn)
    assert "_saved_exponent" in names and "_raw_saved_exponent" not in names
    with pytest.raises(AttributeError, match="'MulBackward0' object has no attribute '_saved_elsewhere'"):
        (x * x).grad_fn._saved_elsewhere  # noqa: B018


def test_types_in_errors_of_overwritten_tensors(torch):
    for dtype, text in (
        (torch.float64, "torch.DoubleTensor"),
        (torch.bfloat16, "CPUBFloat16Type"),
        (torch.complex64, "CPUComplexFloatType"),
    ):
        x = torch.ones(2, dtype=dtype, requires_grad=True) * 1
        y = x * x
        x.add_(1)
        with pytest.raises(RuntimeError, match=rf"modified by an inplace operation: \[{text} \[2\]\]"):
            y.backward(torch.ones(2, dtype=dtype))
