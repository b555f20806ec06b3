"""Weak references to tensors."""

import copy

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


def test_dictionaries_are_joined_copied_and_compared():
    x, y = rushlight.ones(2), rushlight.ones(2)
    known = WeakTensorKeyDictionary({x: 1})
    other = known.copy()
    assert other == known == {x: 1} and known != {y: 1} and known != 3
    other |= {y: 2}
    assert (known | {x: 5})[x] == 5 and ({x: 3} | known)[x] == 1 and len(other) == 2
    assert list(copy.deepcopy(known)) == [x]
    assert other.popitem() == (y, 2) and other.popitem()[1] == 1
    with pytest.raises(KeyError, match="empty"):
        other.popitem()


def test_storages():
    from rushlight.multiprocessing.reductions import StorageWeakRef

    for size in (2, 4096):  # (of either pool)
        x = rushlight.ones(size)
        reference, again = StorageWeakRef(x.untyped_storage()), StorageWeakRef(x.view(1, size).untyped_storage())
        assert reference == again == StorageWeakRef.from_weakref(x.untyped_storage()._weak_ref()) and hash(reference) == hash(
            again
        )
        assert reference != StorageWeakRef(rushlight.ones(size).untyped_storage()) and not reference.expired()
        del x
        assert reference.expired() and reference == again


def test_dictionaries_by_equality():
    from rushlight.utils.weak import WeakIdKeyDictionary, _WeakHashRef

    class Key:
        def __eq__(self, other):
            return isinstance(other, Key)

        def __hash__(self):
            return 1

    key, other = Key(), Key()
    known = WeakIdKeyDictionary({key: 1}, ref_type=_WeakHashRef)
    assert known[other] == 1 and other in known
    del key
    assert len(known) == 0
