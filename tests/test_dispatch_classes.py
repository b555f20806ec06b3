"""Subclasses of Tensor that compute ops themselves: `__torch_dispatch__`."""

import copy
import io

import pytest

import rushlight as torch
from rushlight.utils._mode_utils import no_dispatch
from rushlight.utils._pytree import tree_map


class Around(torch.Tensor):
    """Holds a tensor, and notes each op that it computes with it."""

    seen = []  # noqa: RUF012  (shared on purpose)

    @staticmethod
    def __new__(cls, inner, requires_grad=False):
        made = torch.Tensor._make_wrapper_subclass(
            cls, inner.size(), strides=inner.stride(), dtype=inner.dtype, device=inner.device, requires_grad=requires_grad
        )
        made.inner = inner.detach()
        return made

    def __repr__(self):
        return f"Around({self.inner})"

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        assert types == (cls,) and not torch.is_grad_enabled()
        cls.seen.append(str(func))

        def within(value):
            return value.inner if isinstance(value, cls) else value

        result = func(*tree_map(within, args), **tree_map(within, kwargs or {}))
        return tree_map(lambda value: cls(value) if isinstance(value, torch.Tensor) else value, result)


@pytest.fixture
def x():
    x = Around(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), requires_grad=True)
    Around.seen.clear()
    return x


def test_an_op_is_computed_by_the_class_and_recorded_on_its_tensors(x):
    y = (x * x).sum()
    assert type(y) is Around and y.grad_fn.name() == "SumBackward0" and y.inner.item() == 30.0 and not y.inner.requires_grad
    assert Around.seen == ["aten.mul.Tensor", "aten.sum.default"]
    y.backward()
    assert type(x.grad) is Around and x.grad.inner.tolist() == [[2.0, 4.0], [6.0, 8.0]]
    x.exp().mean().backward()  # (a second gradient is added to the first)
    assert torch.equal(x.grad.inner, 2 * x.inner + x.inner.exp() / 4)


def test_fused_rules_and_short_ways_leave_it_to_the_class(x):
    weight = torch.tensor([[1.0, -1.0]], requires_grad=True)
    torch.nn.functional.linear(x, weight).sigmoid().sum().backward()
    plain = x.inner.clone().requires_grad_()
    again = weight.detach().requires_grad_()
    torch.nn.functional.linear(plain, again).sigmoid().sum().backward()
    assert torch.equal(x.grad.inner, plain.grad) and torch.equal(weight.grad.inner, again.grad)


def test_second_derivatives(x):
    (g,) = torch.autograd.grad((x * x * x).sum(), x, create_graph=True)
    (gg,) = torch.autograd.grad(g.sum(), x)
    assert type(gg) is Around and torch.equal(gg.inner, 6 * x.inner)


def test_writes_copies_numbers_and_new_tensors(x):
    z = x.detach().clone()
    z.add_(1)
    assert type(z) is Around and z.inner is not x.inner and Around.seen[-1] == "aten.add_.Tensor" and z._version == 1
    assert x[0, 1].item() == 2.0 and bool(x[0, 0] == 1) and float(x.detach()[1, 1]) == 4.0
    for made, name in ((torch.zeros_like(x), "aten.zeros_like.default"), (x.new_ones(3), "aten.new_ones.default")):
        assert type(made) is Around and name in Around.seen
    assert x.to(torch.float64).inner.dtype is torch.float64 and Around.seen[-1] == "aten._to_copy.default"
    parts = x.max(1)
    assert type(parts).__name__ == "max" and parts.values.inner.tolist() == [2.0, 4.0]
    assert [part.inner.tolist() for part in x.unbind()] == [[1.0, 2.0], [3.0, 4.0]]
    assert type(torch.nn.Parameter(x)) is Around


def test_what_it_says_of_itself(x):
    assert (x.shape, x.stride(), x.device.type, x.is_meta, x.is_leaf, x.data_ptr()) == ((2, 2), (2, 1), "cpu", False, True, 0)
    with pytest.raises(RuntimeError, match=r"\.tolist\(\) is not supported for tensor subclasses"):
        x.tolist()
    with pytest.raises(RuntimeError, match=r"\.numpy\(\) is not supported for tensor subclasses"):
        x.detach().numpy()
    with no_dispatch():
        assert type(x.t()) is torch.Tensor


def test_copies_and_files(x):
    copied = copy.deepcopy(x)
    assert type(copied) is Around and copied.requires_grad and copied.is_leaf and copied.inner.tolist() == x.inner.tolist()
    assert copied.inner.data_ptr() != x.inner.data_ptr()
    file = io.BytesIO()
    torch.save(x, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    assert (
        type(loaded) is Around
        and loaded.requires_grad
        and loaded.inner.tolist() == x.inner.tolist()
        and loaded.stride() == (2, 1)
    )


def test_gradients_of_gradients_given_as_zeros_like(x):
    product = torch.autograd.functional.jvp(lambda x: x * x, x.detach(), Around(torch.ones(2, 2)))[1]
    assert product.inner.tolist() == [[2.0, 4.0], [6.0, 8.0]]


def test_what_is_refused():
    class Silent(torch.Tensor):
        __torch_function__ = torch._C._disabled_torch_function_impl

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            return NotImplemented

    make = torch.Tensor._make_wrapper_subclass
    text = r"Multiple dispatch failed for 'torch._ops.aten.sin.default'; all __torch_dispatch__ handlers returned NotImplemented"
    with pytest.raises(TypeError, match=text):
        make(Silent, (2,)).sin()
    with pytest.raises(TypeError, match="must define __torch_dispatch__"):
        make(type("Without", (torch.Tensor,), {}), (2,))
    with pytest.raises(RuntimeError, match="Only Tensors of floating point and complex dtype can require gradients"):
        make(Silent, (2,), dtype=torch.int64, requires_grad=True)
    with pytest.raises(TypeError, match="must be tuple of ints, not int"):
        make(Silent, 2)


def test_a_class_over_memory_of_its_own():
    class Counted(torch.Tensor):
        count = 0

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            Counted.count += 1
            with torch.overrides.enable_reentrant_dispatch():
                assert torch.is_grad_enabled()
            return super().__torch_dispatch__(func, types, args, kwargs)

    y = torch.ones(2).as_subclass(Counted)
    assert (y + 1).tolist() == [2.0, 2.0] and Counted.count == 1
    assert torch.cat([torch.zeros(1), y]).tolist() == [0.0, 1.0, 1.0] and Counted.count == 2
