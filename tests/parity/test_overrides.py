"""Every function that PyTorch lets other types take over by `__torch_function__`: here they do too."""

import functools
import inspect

import pytest

import rushlight

torch = pytest.importorskip("torch")
overrides = pytest.importorskip("torch.overrides")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]
annotated = pytest.importorskip("torch.testing._internal.generated.annotated_fn_args").annotated_args

VALUES = {
    "IntArrayRef": [1, 1], "SymIntArrayRef": [1, 1], "Scalar": 3.5, "bool": False, "int64_t": 0, "SymInt": 0, "double": 1.5,
    "c10::string_view": "mean", "std::string_view": "mean", "IntArrayRef?": [0], "bool?": False, "Scalar?": 2,
}  # fmt: skip


ELSE = {
    "torch.dequantize",  # no list of tensors is quantized here
    "torch.functional.stft",  # numbers are checked first
}
"""Functions that look at an argument before they ask."""


class Other:
    """No tensor, but what wants a say."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return -1


class Sub(rushlight.Tensor):
    """With a subclass about, functions of Python ask first."""


def arguments(function, stand_in):
    """What PyTorch's own test of overrides calls a function with; None where it has no value for a parameter."""
    given, named = [], {}
    if function in annotated:
        for parameter in annotated[function]:
            kind, size = parameter["simple_type"], parameter.get("size")
            if kind.startswith("Tensor") and "List" not in kind:
                value = Other()
            elif "TensorList" in kind or "List<" in kind:
                value = [Other(), Other()]
            elif kind in VALUES:
                value = [1] * int(size) if isinstance(VALUES[kind], list) and size else VALUES[kind]
            else:
                return None
            if parameter["is_kwarg_only"] == "True":
                named[parameter["name"]] = value
            else:
                given.append(value)
        return given, named
    for parameter in inspect.signature(stand_in).parameters.values():
        if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            given.append([Other(), Other()] if parameter.name == "tensors" else Other())
    return given, named


def is_answer(value):
    return type(value) is int and value == -1


def find(name):
    try:
        return functools.reduce(getattr, name.split(".")[1:], rushlight)
    except AttributeError:
        return None


def cases():
    for function, stand_in in overrides.get_testing_overrides().items():
        name = overrides.resolve_name(function)
        if name is None or name in ELSE or name.startswith(("torch.Tensor.", "torch.sym_")):
            continue
        ours, made = find(name), arguments(function, stand_in)
        if ours is None or made is None:
            continue
        try:
            asked = is_answer(function(*made[0], **made[1]))
        except Exception:
            asked = False
        if asked:
            yield pytest.param(ours, made, id=name.removeprefix("torch."))


@pytest.mark.parametrize("function, given", list(cases()))
def test_other_types_are_asked(function, given):
    assert is_answer(function(*given[0], **given[1]))


def test_subclasses_and_modes_see_whole_functions():
    def seen(library):
        names = []

        class Subclass(library.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                names.append((func.__name__, [kind.__name__ for kind in types]))
                return super().__torch_function__(func, types, args, kwargs or {})

        class Mode(library.overrides.TorchFunctionMode):
            def __torch_function__(self, func, types, args=(), kwargs=None):
                names.append((func.__name__, [kind.__name__ for kind in types]))
                return func(*args, **(kwargs or {}))

        F = library.nn.functional
        calls = [
            lambda x: F.cross_entropy(x, library.tensor([0, 1, 2])),
            lambda x: F.softmax(x, 1),
            lambda x: F.softmax(x, dim=1),
            lambda x: F.mse_loss(x, x),
            lambda x: F.pad(x, (1, 1)),
            lambda x: F.layer_norm(x, (4,)),
            lambda x: library.norm(x),
            lambda x: library.unique(x),
            lambda x: library.nn.init.normal_(x),
            lambda x: library.stack([x, x]),
        ]
        for call in calls:
            out = call(library.ones(3, 4).as_subclass(Subclass))
            names.append(type(out).__name__)
            with Mode():
                call(library.ones(3, 4))
        # (In PyTorch switches of recording are calls too.)
        return [name for name in names if "_set_grad_enabled" not in name]

    assert seen(rushlight) == seen(torch)


def test_functions_stay_what_they_were():
    assert inspect.signature(rushlight.nn.functional.softmax).parameters.keys() == {"input", "dim", "_stacklevel", "dtype"}
    assert inspect.isfunction(rushlight.nn.functional.softmax) and rushlight.nn.functional.softmax.__name__ == "softmax"


def test_the_lists_are_pytorchs():
    """Of what both have: what may be taken over, what is not asked about, and what it is called."""
    ours = rushlight.overrides.get_testing_overrides()
    names = [name for name in map(overrides.resolve_name, overrides.get_testing_overrides()) if name and "._" not in name]
    names = [name for name in names if not name.startswith(("torch.nn.init", "torch.sym_")) and callable(find(name))]
    assert len(names) > 1000
    for name in names:
        function = find(name)
        shown = rushlight.overrides.resolve_name(function)
        # (Some functions are methods too.)
        assert function in ours and (shown == name or find(shown) is function), name
    assert rushlight.overrides.get_ignored_functions() >= {rushlight.zeros, rushlight.rand, rushlight.Tensor.stride}
    assert rushlight.overrides.resolve_name(len) is None
    assert ours[rushlight.add](1, 2) == -1 and inspect.signature(ours[rushlight.nn.functional.softmax]).parameters
