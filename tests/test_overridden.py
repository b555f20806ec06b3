"""What __torch_function__ is told of: operators by their methods, attributes, whole functions, and types that are no tensors."""

import copy

import pytest

import rushlight as torch
from rushlight.overrides import TorchFunctionMode, resolve_name


class Told(torch.Tensor):
    names = []  # noqa: RUF012  (shared on purpose)

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        cls.names.append(resolve_name(func))
        return super().__torch_function__(func, types, args, kwargs)


class Other:
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return resolve_name(func), [type(value).__name__ for value in args], kwargs


class Whole(torch.Tensor):
    """With what Tensor does."""


class Refusing(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return NotImplemented


def told(call, start=(1.0, 2.0)):
    x = torch.tensor(start).as_subclass(Told)
    Told.names.clear()
    return call(x), list(Told.names)


OPERATORS = {
    "add": (lambda x: x + 1, lambda x: 1 + x, lambda x: torch.ones(2) + x),
    "mul": (lambda x: x * 1, lambda x: 1 * x),
    "div": (lambda x: x / 2,),
    "remainder": (lambda x: x % 2,),
    "__rsub__": (lambda x: 1 - x,),
    "__rtruediv__": (lambda x: 1 / x,),
    "__pow__": (lambda x: x**2,),
    "__rpow__": (lambda x: 2**x,),
    "__floordiv__": (lambda x: x // 2,),
    "__rfloordiv__": (lambda x: 2 // x,),
    "matmul": (lambda x: x @ torch.ones(2),),
    "lt": (lambda x: x < 1, lambda x: x < torch.ones(2)),
    "neg": (lambda x: -x,),
    "abs": (abs,),
    "positive": (lambda x: +x,),
    "__len__": (len,),
    "__contains__": (lambda x: 1 in x,),
    "shape.__get__": (lambda x: x.shape,),
    "grad.__get__": (lambda x: x.grad,),
    "T.__get__": (lambda x: x[None].detach().requires_grad is None or x.as_subclass(torch.Tensor)[None].as_subclass(Told).T,),
    "register_hook": (lambda x: x.requires_grad_().register_hook(lambda g: g),),
    "__reversed__": (lambda x: x.__reversed__(),),
    "__reduce_ex__": (copy.copy,),
}


@pytest.mark.parametrize("name, call", [(name, call) for name, calls in OPERATORS.items() for call in calls])
def test_subclasses_are_told_the_method(name, call):
    _, names = told(call)
    assert names[-1] == f"torch.Tensor.{name}"


def test_what_writes_is_told():
    def write(x):
        x += 1
        x **= 2
        x[0] = 3
        x.requires_grad = False
        x.grad = None
        del x.grad

    assert told(write)[1] == [
        "torch.Tensor.add_",
        "torch.Tensor.__ipow__",
        "torch.Tensor.__setitem__",
        "torch.Tensor.requires_grad.__set__",
        "torch.Tensor.grad.__set__",
        None,
    ]


def test_numbers_are_told_of():
    for call, name in ((float, "__float__"), (int, "__int__"), (bool, "__bool__"), (complex, "__complex__")):
        assert told(call, 1.0) == (1, [f"torch.Tensor.{name}"])


def test_attributes_are_of_the_subclass_too():
    x = torch.ones(2, requires_grad=True).as_subclass(Told)
    assert type(x.data) is Told and type(x.detach().T if x.dim() == 2 else x) is Told
    x = torch.Tensor._make_subclass(Told, torch.ones(2), True)
    (x * 2).sum().backward()
    assert type(x.grad) is torch.Tensor and x.grad.tolist() == [2, 2]


def test_operators_with_what_is_no_tensor():
    x = torch.ones(2)
    assert x + Other() == ("torch.Tensor.add", ["Tensor", "Other"], {}) == Other() + x
    assert (Other() - x)[0] == "torch.Tensor.__rsub__"
    assert (Other() @ x)[0] == "torch.Tensor.__rmatmul__"
    assert (x == Other())[0] == "torch.Tensor.eq"
    assert (Other() & x)[0] == "torch.Tensor.bitwise_and"
    assert x[Other()] == ("torch.Tensor.__getitem__", ["Tensor", "Other"], {})
    assert x[5, Other()] == ("torch.Tensor.__getitem__", ["Tensor", "tuple"], {})
    x[0] = Other()
    x[Other()] = 1
    x[5, Other()] = 1
    assert x.tolist() == [1, 1]
    x += Other()
    assert x[0] == "torch.Tensor.add_"
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+: 'Tensor' and 'str'"):
        torch.ones(2) + "a"


def test_what_refuses_lets_the_default_answer():
    class Hesitating(TorchFunctionMode):
        def __init__(self):
            self.types = []

        def __torch_function__(self, func, types, args=(), kwargs=None):
            self.types.append([kind.__name__ for kind in types])
            return NotImplemented if types else func(*args, **(kwargs or {}))

    x = torch.Tensor._make_subclass(Whole, torch.ones(2))
    with Hesitating() as mode:
        made = torch.neg(x)
    assert type(made) is Whole and mode.types == [["Whole"], []]


def test_modes_are_told_of_what_makes_tensors_and_places():
    class Names(TorchFunctionMode):
        def __init__(self):
            self.names = []

        def __torch_function__(self, func, types, args=(), kwargs=None):
            self.names.append(func.__name__)
            return torch.device("xla", 1) if func is torch.device else -1

    with Names() as mode:
        assert torch.sparse_coo_tensor(1, 1, 1) == torch.sparse_csr_tensor(1, 1, 1) == torch._C._nn._parse_to("cpu") == -1
        assert str(torch.device(0)) == "xla:1"
    assert mode.names == ["sparse_coo_tensor", "sparse_csr_tensor", "_parse_to", "device"]

    class Wrong(TorchFunctionMode):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return -1

    with Wrong(), pytest.raises(RuntimeError, match="as a classmethod is not supported, please make it a plain method"):
        torch.ones(2)


def test_an_index_within_an_index_is_asked():
    x, index = torch.ones(2, 2), torch.Tensor._make_subclass(Told, torch.tensor(1))
    Told.names.clear()
    assert type(x[0, index]) is Told and Told.names[0] == "torch.Tensor.__getitem__"


def test_a_tensor_of_a_tensor_is_a_view_of_it():
    x = torch.ones(2, requires_grad=True)
    for kind in (torch.Tensor, torch.FloatTensor, Whole):
        made = kind(x)
        assert made._base is x and made.grad_fn.name() == "AliasBackward0"


def test_whatever_context_it_is_in():
    x = torch.Tensor._make_subclass(Whole, torch.ones(2))
    with torch._C.DisableTorchFunctionSubclass():
        within = torch._C._EnableTorchFunction()
        assert type(x + 1) is Whole
        del within
        assert type(x + 1) is torch.Tensor


def test_every_function_is_found_by_its_name():
    overridable = torch.overrides.get_overridable_functions()
    for functions in overridable.values():
        for function in functions:
            assert eval(resolve_name(function), {"torch": torch}) == function
    assert torch.Tensor.__add__ in overridable[torch.Tensor] and torch.Tensor.shape.__get__ in overridable[torch.Tensor.shape]
    assert torch.Tensor.__torch_function__ in torch.overrides.get_ignored_functions()
    assert {
        function for functions in overridable.values() for function in functions
    } <= torch.overrides.get_testing_overrides().keys()
    stand_ins = torch.overrides.get_testing_overrides()
    assert stand_ins[torch.div](1, 2, rounding_mode="floor") == stand_ins[torch.Tensor.add](1, 2, alpha=3) == -1


def test_functions_get_defaults_by_name():
    kwargs = {"p": 0.5, "training": True, "inplace": False}
    assert torch.nn.functional.dropout(Other()) == ("torch.nn.functional.dropout", ["Other"], kwargs)
    assert torch.split(Other(), 2)[1:] == (["Other", "int"], {"dim": 0})
    assert torch.einsum("i,i", Other(), Other())[1:] == (["str", "Other", "Other"], {})
    assert torch.nn.init.constant_(Other(), 3)[2].keys() == {"tensor", "val"}
    assert torch.autograd.grad(Other(), Other())[1:] == (["tuple", "tuple"], torch.autograd.grad(Other(), Other())[2])
    assert torch.autograd.grad(Other(), Other())[2]["allow_unused"] is None
    assert torch.sym_not(Other())[0] == "torch.sym_not"
    assert torch.nn.functional.dropout(torch.ones(2), 0.0).tolist() == [1, 1]


def test_who_refuses_is_named():
    x = torch.Tensor._make_subclass(Refusing, torch.ones(2))
    for call, name in (
        (lambda: x.add(1), "torch.Tensor.add"),
        (lambda: x.shape, "torch.Tensor.shape.__get__"),
        (lambda: torch.max(x, 0), "torch.max"),
        (lambda: torch.nn.functional.gelu(x), "torch.nn.gelu"),
        (lambda: torch.linalg.det(x), "torch.linalg.linalg_det"),
    ):
        with pytest.raises(TypeError) as raised:
            call()
        assert str(raised.value) == (
            f"Multiple dispatch failed for '{name}'; all __torch_function__ handlers returned NotImplemented:\n\n"
            f"  - tensor subclass {Refusing}\n\nFor more information, try re-running with TORCH_LOGS=not_implemented"
        )
    with pytest.raises(TypeError, match=r"^no implementation found for 'torch.nn.functional.relu' on types that implement"):
        torch.nn.functional.relu(x)
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+"):
        x + 1


def test_modes_see_attributes_and_may_refuse():
    class Names(TorchFunctionMode):
        names = []  # noqa: RUF012

        def __torch_function__(self, func, types, args=(), kwargs=None):
            self.names.append(resolve_name(func))
            return func(*args, **(kwargs or {}))

    class No(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            return NotImplemented

    x = torch.ones(2)
    with Names() as names:
        repr(x + x.shape[0])
    assert names.names == ["torch.Tensor.shape.__get__", "torch.Tensor.add", "torch.Tensor.__repr__"]
    with No(), pytest.raises(TypeError, match=r"Multiple dispatch failed for 'torch.ones'.*\n\n  - mode object <"):
        torch.ones(1)


def test_data_is_not_asked():
    assert type(torch.tensor(torch.ones(2).as_subclass(Told).tolist())) is torch.Tensor
    x = torch.ones(2).as_subclass(Told)
    assert type(torch.as_tensor(x)) is Told
    with pytest.warns(UserWarning, match="copy construct"):
        assert type(torch.tensor(x)) is torch.Tensor


def test_a_plain_method_is_asked_with_its_object():
    class Plain:
        def __init__(self, value):
            self.value = value

        def __torch_function__(self, func, types, args=(), kwargs=None):
            return self.value

    with pytest.warns(UserWarning, match="as a plain method is deprecated"):
        assert torch.add(torch.ones(1), Plain(7)) == 7
    with pytest.warns(DeprecationWarning, match="as a plain method is deprecated"):
        assert torch.nn.functional.relu(Plain(8)) == 8


def test_deepcopy_asks_for_an_empty_one():
    class Copied(torch.Tensor):
        def new_empty(self, *args, **kwargs):
            return super().new_empty(*args, **kwargs).as_subclass(Copied)

    assert type(copy.deepcopy(torch.ones(2).as_subclass(Copied))) is Copied
    with pytest.raises(RuntimeError, match=r"only works for subclass types that implement new_empty\(\)"):
        copy.deepcopy(torch.ones(2).as_subclass(Told))


def test_who_sets_an_attribute_is_asked_and_not_what_it_is_set_to():
    parameter, plain = torch.nn.Parameter(torch.ones(2)), torch.ones(2)

    def set_both(x):
        parameter.data = plain.data = x
        parameter.grad = plain.grad = x
        x.data = plain

    assert told(set_both)[1] == ["torch.Tensor.data.__set__"]


def test_einsum_is_told_in_one_form():
    seen = []

    class Listening(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            seen.append(args)
            return args[1]

    x, y = (torch.ones(2).as_subclass(Listening) for _ in range(2))
    for call in (("i,i->i", x, y), ("i,i->i", [x, y]), ("i,i->i", (x, y)), (x, [0], y, [0], [0])):
        torch.einsum(*call)
    assert all(len(args) == 3 and args[0].lower() in ("i,i->i", "a,a->a") and args[1] is x and args[2] is y for args in seen)
    assert len(seen) == 4
