"""Weak references to tensors."""

import pytest

import rushlight
from rushlight.utils.weak import TensorWeakRef, WeakIdKeyDictionary, WeakTensorKeyDictionary


def test_keys_are_tensors_themselves():
    x, y = rushlight.ones(2), rushlight.ones(2)
    known = WeakTensorKeyDictionary({x: 1})
    known[y] = 2
    assert known[x] == 1 and known[y] == 2 and len(known) == 2 and [one is x for one in known] == [True, False]
    assert rushlight.ones(2) not in known and 3 not in known and known.get(rushlight.ones(2)) is None
    known[x] = 3
    assert known.pop(x) == 3 and len(known) == len(known.keyrefs()) == 1
    del y
    assert len(known) == 0 and list(known.items()) == []
    assert WeakTensorKeyDictionary is WeakIdKeyDictionary


def test_references():
    x = rushlight.ones(2)
    reference = TensorWeakRef(x)
    assert reference() is x
    del x
    assert reference() is None
    with pytest.raises(AssertionError, match=r"expected torch\.Tensor"):
        TensorWeakRef(3)
