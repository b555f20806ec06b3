"""Every module of PyTorch's own database of modules, on all its samples, beside PyTorch: what it prints, registers and draws, its outputs and
derivatives, copies of it, and what it refuses."""

import copy
import dataclasses
import functools
import io
import itertools
import pickle
import re
import warnings

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db  # noqa: E402

import rushlight  # noqa: E402

from . import op_db  # noqa: E402

INFOS = {info.name: info for info in module_db if info.module_cls.__module__.startswith("torch.nn.")}
DTYPES = (torch.float64, torch.float32)
SEED = 5
NODES = {
    "CopySlices": "CircularPadBackward0",  # PyTorch pads around by writes into views, here it is one op
}
"""Nodes that are others than PyTorch's, by the names of those."""
DERIVED = "aten::_scaled_dot_product_flash_attention_for_cpu_backward"
"""What PyTorch cannot derive, and Rushlight can."""
LIMIT = 12
"""How many samples of a module in a mode and a dtype are compared (cross entropy after a linear map has a thousand)."""


def convert(value, leaves=None):
    """An argument of a sample as Rushlight's."""
    if isinstance(value, torch.nn.Module):
        file = io.BytesIO()
        torch.save(value, file)
        file.seek(0)
        return rushlight.load(file, weights_only=False)
    if isinstance(value, torch.nn.Parameter):
        made = rushlight.nn.Parameter(op_db.convert(value.detach()), value.requires_grad)
        if leaves is not None and value.requires_grad:
            leaves.append(made)
        return made
    if isinstance(value, torch.nn.utils.rnn.PackedSequence):
        return rushlight.nn.utils.rnn.PackedSequence(*(op_db.convert(part, leaves) for part in value))
    if isinstance(value, list | tuple):
        return type(value)([convert(item, leaves) for item in value])
    if dataclasses.is_dataclass(value):
        home = functools.reduce(getattr, type(value).__module__.split(".")[1:], rushlight)
        fields = {field.name: convert(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return getattr(home, type(value).__name__)(**fields)
    if callable(value) and hasattr(rushlight.nn.functional, getattr(value, "__name__", "")):
        return getattr(rushlight.nn.functional, value.__name__)
    return op_db.convert(value, leaves)


def alone(value):
    """A sample's argument with leaves for tensors, some of which the database computes from others."""
    if isinstance(value, torch.Tensor):
        return value.detach().requires_grad_(value.requires_grad)
    if isinstance(value, torch.nn.utils.rnn.PackedSequence):
        return value._replace(data=alone(value.data))
    return type(value)([alone(item) for item in value]) if isinstance(value, list | tuple) else value


def leaves_of(value):
    if isinstance(value, torch.nn.utils.rnn.PackedSequence):
        return op_db.leaves(value.data)
    return [leaf for item in value for leaf in leaves_of(item)] if isinstance(value, list | tuple) else op_db.leaves(value)


def made_of(library, info, arguments, dtype=None, training=True):
    """The module, drawn from the seed."""
    library.manual_seed(SEED)
    args, kwargs = arguments.args, arguments.kwargs
    if library is rushlight:
        args, kwargs = convert(args), {key: convert(value) for key, value in kwargs.items()}
    module = functools.reduce(getattr, info.name.split("."), library)(*args, **kwargs)
    return module if dtype is None else module.to(getattr(library, str(dtype).split(".")[1])).train(training)


def state_matches(ours, theirs, what):
    for (key, value), (expected, other) in itertools.zip_longest(ours.state_dict().items(), theirs.state_dict().items()):
        assert key == expected and type(value).__name__ == type(other).__name__, what
        if torch.nn.parameter.is_lazy(other):
            continue
        op_db.compare(value, other, f"{what}: {key}", check_layout=True)


def tensors(value):
    """Every tensor in an output, in order."""
    if isinstance(value, list | tuple):
        return [x for item in value for x in tensors(item)]
    return [value] if hasattr(value, "requires_grad") else []


def kinds(value):
    """What a program sees of an output but for its tensors."""
    if isinstance(value, list | tuple):
        return type(value).__name__, [kinds(item) for item in value]
    return type(value).__name__


def derivatives_match(pair, leaves, orders, what):
    """First to `orders`-th derivatives of the outputs with respect to all leaves."""
    generator = torch.Generator().manual_seed(7)
    (ours, theirs), (our_leaves, their_leaves) = pair, leaves
    for order in range(1, orders + 1):
        kept = [(a, b) for a, b in zip(ours, theirs, strict=True) if b is not None and b.requires_grad]
        if not kept:
            return
        ours, theirs = zip(*kept, strict=True)
        assert all(a is not None and a.requires_grad for a in ours), what
        seeds = [torch.randn(b.shape, dtype=b.dtype, generator=generator) for b in theirs]
        options = {"create_graph": order < orders, "allow_unused": True}
        our_call = functools.partial(
            rushlight.autograd.grad, ours, our_leaves, [op_db.convert(seed) for seed in seeds], **options
        )
        try:
            theirs = torch.autograd.grad(theirs, their_leaves, seeds, **options)
        except RuntimeError as error:
            if DERIVED in str(error):
                return
            with pytest.raises(RuntimeError, match=re.escape(str(error).partition("\n")[0])):
                our_call()
            return
        ours = our_call()
        for place, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            where = f"{what}: derivative {order} at {place}"
            if a is None or b is None:
                assert all(x is None or not x.any() for x in (a, b)), where
            else:
                op_db.compare(a, b, where, scale=10.0)


def samples_of(info, dtype, training):
    torch.manual_seed(0)
    made = info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=True, training=training)
    return made[:: -(-len(made) // LIMIT)]


def modes(info):
    return (True, False) if info.train_and_eval_differ else (True,)


CASES = [
    pytest.param(name, dtype, training, id=f"{name}-{str(dtype).split('.')[1]}-{'train' if training else 'eval'}")
    for name, info in INFOS.items()
    for dtype in DTYPES
    if dtype in info.dtypes
    for training in modes(info)
]


def test_the_database_is_ours():
    """What the database has of torch.nn is all of torch.nn but for what only holds modules."""
    assert all(hasattr(rushlight.nn, name.split(".")[1]) for name in INFOS if name.count(".") == 1)


@pytest.mark.parametrize("name, dtype, training", CASES)
def test_modules(name, dtype, training):
    info = INFOS[name]
    for number, sample in enumerate(samples_of(info, dtype, training)):
        what = f"{name} {number} {sample.desc}"
        ours, theirs = (made_of(library, info, sample.constructor_input, dtype, training) for library in (rushlight, torch))
        assert repr(ours) == repr(theirs), what
        state_matches(ours, theirs, what)
        if sample.forward_input is None:
            continue
        own, orders = run(ours, theirs, sample.forward_input, info, dtype, what)
        if orders == 2:
            copies_match(ours, own, what)


def run(ours, theirs, given, info, dtype, what):
    """Calls both on the sample; the output here, and how many derivatives were compared."""
    their_args, their_kwargs = alone(given.args), {key: alone(value) for key, value in given.kwargs.items()}
    our_leaves, their_leaves = [], leaves_of([*their_args, *their_kwargs.values()])
    args = [convert(value, our_leaves) for value in their_args]
    kwargs = {key: convert(value, our_leaves) for key, value in their_kwargs.items()}
    torch.manual_seed(SEED)
    rushlight.manual_seed(SEED)
    expected, found = theirs(*their_args, **their_kwargs), ours(*args, **kwargs)
    assert kinds(found) == kinds(expected), what
    op_db.compare(tensors(found), tensors(expected), what, check_layout=True)
    for a, b in zip(tensors(found), tensors(expected), strict=True):
        node = type(b.grad_fn).__name__
        assert a.requires_grad == b.requires_grad and type(a.grad_fn).__name__ == NODES.get(node, node), what
    state_matches(ours, theirs, f"{what}, after the call")
    our_leaves += [p for p in ours.parameters() if p.requires_grad]
    their_leaves += [p for p in theirs.parameters() if p.requires_grad]
    orders = 2 if info.supports_gradgrad and dtype == torch.float64 else 1
    if their_leaves:
        derivatives_match((tensors(found), tensors(expected)), (our_leaves, their_leaves), orders, what)
    return (found, args, kwargs), orders


def copies_match(module, own, what):
    """A deep copy and a pickled one print, hold and give the same."""
    _, args, kwargs = own
    rushlight.manual_seed(SEED)
    expected = copy.deepcopy(module)(*args, **kwargs)
    for made in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert repr(made) == repr(module) and made.training == module.training, what
        for (key, value), (name, other) in itertools.zip_longest(made.state_dict().items(), module.state_dict().items()):
            assert key == name and value is not other and rushlight.equal(value, other), what
        rushlight.manual_seed(SEED)
        for a, b in zip(tensors(made(*args, **kwargs)), tensors(expected), strict=True):
            assert rushlight.allclose(a, b, rtol=0, atol=0, equal_nan=True), what


ERRORS = [name for name, info in INFOS.items() if info.module_error_inputs_func is not None]


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    info = INFOS[name]
    given = info.module_error_inputs_func(info, device="cpu", dtype=torch.float32, requires_grad=False, training=True)
    assert given
    for error in given:
        texts = []
        for library in (torch, rushlight):
            sample = error.module_error_input
            module = None
            if error.error_on is ModuleErrorEnum.FORWARD_ERROR:
                module = made_of(library, info, sample.constructor_input)
            with pytest.raises(error.error_type) as caught, warnings.catch_warnings():
                warnings.simplefilter("error")
                if module is None:
                    made_of(library, info, sample.constructor_input)
                else:
                    args, kwargs = sample.forward_input.args, sample.forward_input.kwargs
                    if library is rushlight:
                        args, kwargs = convert(args), {key: convert(value) for key, value in kwargs.items()}
                    module(*args, **kwargs)
            texts.append(str(caught.value))
        assert texts[1] == texts[0] and re.search(error.error_regex, texts[1])
