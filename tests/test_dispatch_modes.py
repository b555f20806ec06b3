"""Modes that see each op, and the inner names that go with them."""

import copy
import re
import traceback

import pytest

import rushlight as torch
from rushlight.autograd._functions import Resize
from rushlight.utils._mode_utils import no_dispatch
from rushlight.utils._python_dispatch import (
    TorchDispatchMode,
    _disable_current_modes,
    _get_current_dispatch_mode,
    is_in_torch_dispatch_mode,
)


class Noting(TorchDispatchMode):
    def __init__(self):
        self.seen = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        node = torch._C._current_autograd_node()
        self.seen.append((str(func), None if node is None else node.name(), kwargs))
        return func(*args, **(kwargs or {}))


def test_ops_are_seen_forward_and_backward_in_place_and_with_an_output():
    a, z = torch.ones(3, requires_grad=True), torch.ones(3)
    with Noting() as mode:
        a.mul(2).div(3).sum().backward()
        z.add_(1)
        torch.mul(z, 2, out=z)
        torch.std(z)
    assert [(name, node) for name, node, _ in mode.seen] == [
        ("aten.mul.Tensor", None),
        ("aten.div.Tensor", None),
        ("aten.sum.default", None),
        ("aten.expand.default", "SumBackward0"),
        ("aten.div.Tensor", "DivBackward0"),
        ("aten.mul.Tensor", "MulBackward0"),
        ("aten.add_.Tensor", None),
        ("aten.mul.out", None),
        ("aten.std.correction", None),
    ]
    assert mode.seen[7][2]["out"] is z and z.tolist() == [4.0] * 3 and a.grad.tolist() == [torch.tensor(2 / 3).item()] * 3
    assert not is_in_torch_dispatch_mode()


def test_a_mode_gives_the_result_and_modes_nest():
    class Doubling(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            result = func(*args, **(kwargs or {}))
            return result * 2 if func is torch.ops.aten.sin.default else result

    with Noting() as outer, Doubling() as inner:
        assert _get_current_dispatch_mode() is inner
        y = torch.tensor(0.5).sin()
        with no_dispatch():
            torch.tensor(1.0) + 1
        with _disable_current_modes() as modes:
            assert modes == [outer, inner] and not is_in_torch_dispatch_mode()
    assert y.item() == 2 * torch.tensor(0.5).sin().item()
    assert [name for name, *_ in outer.seen] == ["aten.sin.default", "aten.mul.Tensor"]


def test_resize_as_a_function():
    x = torch.arange(6.0).requires_grad_()
    y = Resize.apply(x, (2, 3))
    assert y.shape == (2, 3) and y.grad_fn.name() == "ResizeBackward"
    assert torch.autograd.grad(y.sum(), x)[0].shape == (6,)


def test_a_run_knows_which_leaf_it_captures():
    a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    c = a * b
    leaves = [c.grad_fn.next_functions[i][0] for i in range(2)]
    asked = []
    c.register_hook(lambda g: asked.append([torch._C._will_engine_execute_node(node) for node in leaves]))
    torch.autograd.grad(c.sum(), c, retain_graph=True)
    torch.autograd.backward(c.sum(), inputs=(a,))
    assert asked == [[False, False], [True, False]]


def test_an_op_and_its_overloads_are_two():
    packet = torch.ops.aten.sin
    assert packet.default is packet.default and packet.default is not packet.out and packet.default.overloadpacket is packet
    assert packet.default.name() == "aten::sin" and packet.default(torch.tensor(0.0)).item() == 0.0


def test_the_place_of_a_program_and_of_an_error_as_text():
    from rushlight.utils._traceback import CapturedTraceback, format_traceback_short, report_compile_source_on_error

    captured = CapturedTraceback.extract()
    assert "test_the_place_of_a_program" in "".join(captured.format()) and len(CapturedTraceback.format_all([captured] * 2)) == 2
    with pytest.raises(ZeroDivisionError) as caught:
        1 / 0  # noqa: B018
    assert re.search(r"test_dispatch_modes.py:\d+ in test_the_place", format_traceback_short(caught.value.__traceback__))
    made = {}
    source = "def fails(x):\n    return x / 0  # here\n"
    exec(source, {"__compile_source__": source}, made)
    with pytest.raises(ZeroDivisionError) as caught, report_compile_source_on_error():
        made["fails"](1)
    assert "# here" in "".join(traceback.format_tb(caught.value.__traceback__))


def test_types_of_devices_of_arguments():
    from rushlight.utils.checkpoint import _get_autocast_kwargs, _infer_device_type

    assert _infer_device_type({"a": [torch.ones(1), torch.ones(1, device="meta")]}) == "meta" and _infer_device_type(3) == "cpu"
    assert _get_autocast_kwargs("cpu")[1] == {"enabled": False, "dtype": torch.bfloat16, "cache_enabled": True}


def test_a_library_that_is_gone_leaves_the_ops_of_others():
    with torch.library._scoped_library("shared_by_two", "DEF") as first:
        first.define("kept(Tensor x) -> Tensor")
        first.impl("kept", lambda x: x + 1, "CPU")
        with torch.library._scoped_library("shared_by_two", "FRAGMENT") as second:
            second.define("gone(Tensor x) -> Tensor")
            second.impl("kept", lambda x: x + 2, "CPU")
            assert torch.ops.shared_by_two.kept(torch.zeros(1)).item() == 2.0
        assert torch.ops.shared_by_two.kept(torch.zeros(1)).item() == 1.0 and not hasattr(torch.ops.shared_by_two, "gone")
        del torch.ops.shared_by_two
        assert torch.ops.shared_by_two.kept(torch.zeros(1)).item() == 1.0
    with torch.library._scoped_library("aten", "IMPL"):
        pass
    assert torch.ops.aten.sin(torch.zeros(1)).item() == 0.0
    for kind in ("DEF", "FRAGMENT"):
        with pytest.raises(ValueError, match="prim is a reserved namespace"):
            torch.library.Library("prim", kind)


def test_modes_and_classes_see_ops_of_programs():
    class Counted(torch.Tensor):
        seen = []  # noqa: RUF012  (shared on purpose)

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            cls.seen.append(str(func))
            return super().__torch_dispatch__(func, types, args, kwargs)

    with torch.library._scoped_library("of_a_program", "FRAGMENT"):
        op = torch.library.custom_op("of_a_program::tripled", lambda x: x * 3, mutates_args=(), schema="(Tensor x) -> Tensor")
        op.register_autograd(lambda ctx, g: g * 3)
        x = torch.ones(2, requires_grad=True)
        with Noting() as mode:
            op(x).sum().backward()
        names = [name for name, *_ in mode.seen]
        assert names[0] == "of_a_program.tripled.default" and "aten.sum.default" in names and x.grad.tolist() == [3.0, 3.0]
        assert op(torch.ones(2).as_subclass(Counted)).tolist() == [3.0, 3.0] and Counted.seen[0] == names[0]
        assert copy.deepcopy({op._opoverload: 1}) == {op._opoverload: 1}
