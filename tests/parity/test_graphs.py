"""The graph that each op of PyTorch's database leaves, beside PyTorch's: names of nodes two levels deep, what is a view of what, strides,
offsets, leaves, output numbers; of functions, methods, in-place forms and recorded first derivatives."""

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402

import rushlight  # noqa: E402

from .known_differences import GRAPH_DIFFERENCES, UNFILLED  # noqa: E402
from .op_db import convert, find, flatten, samples_of  # noqa: E402
from .test_op_db import ADAPTED, PRESENT, SEED  # noqa: E402

DTYPES = (torch.float64, torch.complex128, torch.int64)
TENSORS = (torch.Tensor, rushlight.Tensor)
WITHOUT_GRAPH = {
    "nn.functional.triplet_margin_with_distance_loss": "the sample calls PyTorch",
    "as_strided.partial_views": "the sample's storage is not converted",
}


def names(node, depth):
    """The name of a node and, `depth` levels deep, of those behind it."""
    if node is None:
        return None
    name = type(node).__name__
    return (name, tuple(names(below, depth - 1) for below, _ in node.next_functions)) if depth else name


def facts(tensor, inputs, depth):
    """What can be compared of a result, beside its values."""
    return {
        "name": names(tensor.grad_fn, 0),
        "names": names(tensor.grad_fn, depth),
        "is_view": tensor._is_view(),
        "base": next((place for place, given in enumerate(inputs) if tensor._base is given), tensor._base is not None),
        "is_input": next((place for place, given in enumerate(inputs) if tensor is given), None),
        "stride": tensor.stride() if tensor.numel() else None,
        "offset": tensor.storage_offset(),
        "requires_grad": tensor.requires_grad,
        "is_leaf": tensor.is_leaf,
        "output_nr": tensor.output_nr,
    }


def tensors_of(value):
    return [item for item in flatten(value) if isinstance(item, TENSORS)]


def outcome(function, arguments, keywords, in_place):
    """What a call gives: (results, inputs) or the name of the error."""
    if in_place:
        arguments = [arguments[0].clone(), *arguments[1:]]
    try:
        return tensors_of(function(*arguments, **keywords)), tensors_of([arguments, list(keywords.values())])
    except Exception as error:
        return type(error).__name__


def gradients(library, results, inputs):
    """The recorded first derivative, or the name of the error."""
    roots, leaves = ([t for t in tensors if t.requires_grad] for tensors in (results, inputs))
    if not roots or not leaves:
        return []
    try:
        ones = [library.ones_like(t) for t in roots]
        return library.autograd.grad(roots, leaves, ones, create_graph=True, allow_unused=True)
    except Exception as error:
        return type(error).__name__


def unlike(ours, theirs, inputs, their_inputs, depth):
    """The names of the facts that differ."""
    if isinstance(ours, str) or isinstance(theirs, str):
        return set() if ours == theirs else {"error"}
    if len(ours) != len(theirs):
        return {"length"}
    found = set()
    for a, b in zip(ours, theirs, strict=True):
        if a is None or b is None:
            found |= {"none"} if a is not b else set()
            continue
        a, b = facts(a, inputs, depth), facts(b, their_inputs, depth)
        different = {key for key in a if a[key] != b[key]}
        found |= different - {"names"} if "name" in different else different
    return found


def forms_of(name, info):
    """(form, PyTorch's function, ours) for each way of calling an op."""
    adapted, short = ADAPTED.get(name), info.name.split(".")[-1]
    yield "function", adapted(torch) if adapted else info.op, adapted(rushlight) if adapted else find(rushlight, info.name)
    if adapted:
        return
    if info.method_variant is not None and hasattr(rushlight.Tensor, short):
        yield "method", info.method_variant, getattr(rushlight.Tensor, short)
    if info.inplace_variant is not None and hasattr(rushlight.Tensor, f"{short}_"):
        yield "in place", info.inplace_variant, getattr(rushlight.Tensor, f"{short}_")


def differences(name):
    """{"form fact", …}: what differs in any sample of an op."""
    info, found = PRESENT[name], set()
    for dtype in DTYPES:
        if dtype not in info.dtypes:
            continue
        recorded = info.supports_autograd and (dtype.is_floating_point or dtype.is_complex)
        for sample in samples_of(info, dtype, recorded, 5):
            for form, theirs, ours in forms_of(name, info):
                in_place = form == "in place"
                if (form != "function" and not isinstance(sample.input, torch.Tensor)) or (in_place and sample.broadcasts_input):
                    continue
                torch.manual_seed(SEED)
                rushlight.manual_seed(SEED)
                expected = outcome(theirs, [sample.input, *sample.args], sample.kwargs, in_place)
                made = outcome(ours, convert([sample.input, *sample.args]), convert(sample.kwargs), in_place)
                if isinstance(made, str) or isinstance(expected, str):
                    found |= {f"{form} error"} if made != expected else set()
                    continue
                found |= {f"{form} {fact}" for fact in unlike(made[0], expected[0], made[1], expected[1], 2)}
                if form == "function" and recorded:
                    pair = gradients(rushlight, *made), gradients(torch, *expected)
                    found |= {f"gradient {fact}" for fact in unlike(*pair, made[1], expected[1], 0)}
    return found


@pytest.mark.parametrize("name", sorted(set(PRESENT) - set(UNFILLED) - set(WITHOUT_GRAPH)))
def test_graph(name):
    """Nothing differs but what known_differences.py lists, and that does: who mends one takes it off the list."""
    assert differences(name) == GRAPH_DIFFERENCES.get(name, set())
