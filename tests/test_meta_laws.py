"""Laws of tensors without memory (device "meta"): an op tells of its result what it would be, shape, dtype and strides, and reads no values."""

import pytest

import rushlight as torch

from .test_laws import SAMPLES, call, cases, outputs_of, put, table, tensors_in

pytestmark = pytest.mark.core

ASK_VALUES = {
    **dict.fromkeys(("_index", "_index_put"), "with masks, which have as many True as they have"),
    **dict.fromkeys(("argwhere", "coordinates", "masked_select", "unique2", "unique_dim", "unique_runs"), "as many as there are"),
    **dict.fromkeys(("bincount", "repeated_places", "_pack_padded_sequence"), "the values are counts"),
    **dict.fromkeys(("_ctc", "_histogram", "multi_margin_loss", "multilabel_margin_loss"), "the values are checked"),
    **dict.fromkeys(("_linalg_lstsq", "_linalg_lu_factor_ex"), "LAPACK says whether it failed"),
}
"""Ops that have no result without values -> why."""


def without_memory(arguments):
    changes = {}
    for index, value in enumerate(arguments):
        if isinstance(value, torch.Tensor):
            changes[index, None] = value.detach().to("meta").requires_grad_(value.requires_grad)
        elif isinstance(value, (list, tuple)) and tensors_in(value):
            for item, tensor in enumerate(value):
                if isinstance(tensor, torch.Tensor):
                    changes[index, item] = tensor.detach().to("meta").requires_grad_(tensor.requires_grad)
    return put(list(arguments), changes), bool(changes)


def described(result):
    return [(x.shape, x.dtype, x.stride(), x.requires_grad) if isinstance(x, torch.Tensor) else x for x in outputs_of(result)]


@pytest.mark.parametrize(("name", "number"), cases(lambda op: True))
def test_shapes_without_memory(name, number):
    op, arguments = table[name], SAMPLES[name][number]
    given, any_tensor = without_memory(arguments)
    if not any_tensor:
        return
    try:
        found = call(op, given)
    except (NotImplementedError, RuntimeError):
        assert name in ASK_VALUES, name
        return
    assert all(x.is_meta for x in outputs_of(found) if isinstance(x, torch.Tensor)), name
    assert described(found) == described(call(op, put(list(arguments), {}))), name
