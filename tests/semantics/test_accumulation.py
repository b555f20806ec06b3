"""How `.grad` is filled (section C)."""

import pytest


def test_first_gradient_has_the_strides_of_its_leaf(torch):
    x = torch.ones(2, 3).t().requires_grad_()
    assert x.stride() == (1, 3)
    (x * torch.ones(3, 2)).sum().backward()
    assert x.grad.stride() == (1, 3)


def test_gradient_of_an_expanded_leaf_is_row_major(torch):
    x = torch.ones(1, 3).expand(2, 3).requires_grad_()
    (x * 2).sum().backward()
    assert x.grad.stride() == (3, 1) and x.grad.tolist() == [[2.0] * 3] * 2


def test_expanded_gradients_get_memory_of_their_own(torch):
    x = torch.ones(2, 3, requires_grad=True)
    x.sum().backward()
    assert x.grad.stride() == (3, 1)
    x.grad[0, 0] = 5
    assert x.grad.tolist() == [[5.0, 1.0, 1.0], [1.0, 1.0, 1.0]]


def test_a_given_gradient_is_never_taken_over(torch):
    x = torch.ones(2, requires_grad=True)
    given = torch.ones(2)
    x.backward(given)
    x.grad.add_(1)
    assert given.tolist() == [1.0, 1.0]
    y = torch.ones(2, requires_grad=True)
    (y + 0).backward(given)
    y.grad.add_(1)
    assert given.tolist() == [1.0, 1.0]


def test_a_gradient_kept_by_a_hook_is_never_taken_over(torch):
    x = torch.ones(2, requires_grad=True)
    kept = []
    x.register_hook(lambda g: kept.append(g))
    (x * 2).sum().backward()
    x.grad.mul_(10)
    assert kept[0].tolist() == [2.0, 2.0]


def test_two_leaves_never_share_a_gradient(torch):
    x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    (x + y).backward(torch.ones(2))
    x.grad.mul_(5)
    assert y.grad.tolist() == [1.0, 1.0]


def test_accumulation_is_in_place(torch):
    x = torch.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad is first and first.tolist() == [5.0, 5.0]


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")
def test_accumulation_with_create_graph_makes_a_new_tensor(torch):
    x = torch.ones(2, requires_grad=True)
    (x * x).sum().backward(create_graph=True)
    first = x.grad
    assert first.requires_grad and first.grad_fn is not None
    (x * x).sum().backward(create_graph=True)
    assert x.grad is not first and first.tolist() == [2.0, 2.0] and x.grad.tolist() == [4.0, 4.0]
    x.grad = None


def test_create_graph_warns_of_the_cycle(torch):
    # The warning comes once a process, so a fresh one asks.
    import subprocess
    import sys

    script = (
        f"import warnings, {torch.__name__} as torch\n"
        "x = torch.ones(1, requires_grad=True)\n"
        "with warnings.catch_warnings(record=True) as seen:\n"
        "    warnings.simplefilter('always')\n"
        "    (x * x).backward(create_graph=True)\n"
        "print(seen[0].category.__name__, 'will create a reference cycle' in str(seen[0].message))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["UserWarning", "True"]


def test_assigned_gradients_are_checked(torch):
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"attempting to assign a gradient of size '\[3\]' to a tensor of size '\[2\]'"):
        x.grad = torch.ones(3)
    with pytest.raises(
        RuntimeError, match="attempting to assign a gradient with dtype 'double' to a tensor with grad_dtype 'Float'"
    ):
        x.grad = torch.ones(2, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="can't assign Variable as its own grad"):
        x.grad = x
    with pytest.raises(TypeError, match="assigned grad expected to be a Tensor or None but got grad of type float"):
        x.grad = 1.0
    x.grad = torch.ones(2)
    assert x.grad.tolist() == [1.0, 1.0]
    x.grad = None
    assert x.grad is None
    x.grad = torch.ones(2)
    del x.grad
    assert x.grad is None


def test_grad_dtype(torch):
    x = torch.ones(2, requires_grad=True)
    assert x.grad_dtype == torch.float32
    x.grad_dtype = torch.float64
    (x * 2).sum().backward()
    assert x.grad.dtype == torch.float64 and x.grad.tolist() == [2.0, 2.0]


def test_zero_grad_sets_none(torch):
    layer = torch.nn.Linear(2, 1)
    layer(torch.ones(1, 2)).sum().backward()
    layer.zero_grad()
    assert layer.weight.grad is None
    layer(torch.ones(1, 2)).sum().backward()
    layer.zero_grad(set_to_none=False)
    assert layer.weight.grad.tolist() == [[0.0, 0.0]]


def test_reading_grad_of_a_non_leaf_warns(torch):
    y = torch.ones(2, requires_grad=True) * 2
    with pytest.warns(UserWarning, match="The .grad attribute of a Tensor that is not a leaf Tensor is being accessed"):
        assert y.grad is None
    y.retain_grad()
    y.sum().backward()
    assert y.grad.tolist() == [1.0, 1.0]


def test_gradients_do_not_require_grad(torch):
    x = torch.ones(2, requires_grad=True)
    (x * x).sum().backward()
    assert not x.grad.requires_grad and x.grad.grad_fn is None
