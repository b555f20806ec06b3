"""Weak references to tensors, and dictionaries of them: by identity, as tensors compare element by element."""

import copy
import weakref
from collections.abc import Mapping, MutableMapping

from rushlight.core import Tensor

__all__ = ["TensorWeakRef", "WeakIdKeyDictionary", "WeakIdRef", "WeakTensorKeyDictionary"]


class WeakIdRef(weakref.ref):
    """A weak reference that is equal to others of the same object.

    Args:
        key: The object.
        callback: What is called when it is gone.

    >>> import rushlight as torch
    >>> from rushlight.utils.weak import WeakIdRef
    >>> x = torch.ones(2)
    >>> WeakIdRef(x) == WeakIdRef(x)
    True
    """

    __slots__ = ["_id"]

    def __init__(self, key, callback=None):
        super().__init__(key, callback)
        self._id = id(key)

    def __call__(self):
        return super().__call__()

    def __hash__(self):
        return self._id

    def __eq__(self, other):
        here, there = self(), other()
        return self is other if here is None or there is None else here is there


class _WeakHashRef(weakref.ref):
    """A weak reference that is equal to others of equal objects."""

    __slots__ = ()


class WeakIdKeyDictionary(MutableMapping):
    """A dictionary with objects as keys, by identity, which it does not keep alive.

    Args:
        dict: What is in it at first.
        ref_type: The kind of reference to keys.

    >>> import rushlight
    >>> from rushlight.utils.weak import WeakTensorKeyDictionary
    >>> x, known = rushlight.ones(2), WeakTensorKeyDictionary()
    >>> known[x] = "seen"
    >>> known[x], rushlight.ones(2) in known
    ('seen', False)
    >>> del x
    >>> len(known)
    0
    """

    def __init__(self, dict=None, ref_type=WeakIdRef):
        self.data = {}
        self.ref_type = ref_type
        self._remove = lambda reference, data=self.data: data.pop(reference, None)
        if dict is not None:
            self.update(dict)

    def __getitem__(self, key):
        return self.data[self.ref_type(key)]

    def __setitem__(self, key, value):
        self.data[self.ref_type(key, self._remove)] = value

    def __delitem__(self, key):
        del self.data[self.ref_type(key)]

    def __contains__(self, key):
        try:
            return self.ref_type(key) in self.data
        except TypeError:
            return False

    def __len__(self):
        return len(self.data)

    def __iter__(self):
        for reference in list(self.data):
            key = reference()
            if key is not None:
                yield key

    def __repr__(self):
        return f"<{self.__class__.__name__} at {id(self):#x}>"

    def keyrefs(self):
        """The weak references to the keys."""
        return list(self.data)

    def popitem(self):
        """Removes a key and its value, the last that came of those whose key is alive, and returns both."""
        while True:
            reference, value = self.data.popitem()
            key = reference()
            if key is not None:
                return key, value

    def copy(self):
        """Another dictionary with the same keys and values."""
        return type(self)(self, ref_type=self.ref_type)

    __copy__ = copy

    def __deepcopy__(self, memo):
        copied = type(self)(ref_type=self.ref_type)
        copied.update((key, copy.deepcopy(value, memo)) for key, value in self.items())
        return copied

    def __or__(self, other):
        if not isinstance(other, Mapping):
            return NotImplemented
        joined = self.copy()
        joined.update(other)
        return joined

    def __ror__(self, other):
        if not isinstance(other, Mapping):
            return NotImplemented
        joined = type(self)(other, ref_type=self.ref_type)
        joined.update(self)
        return joined

    def __ior__(self, other):
        self.update(other)
        return self

    def __eq__(self, other):
        if not isinstance(other, Mapping):
            return NotImplemented
        return {id(key): value for key, value in self.items()} == {id(key): value for key, value in other.items()}


WeakTensorKeyDictionary = WeakIdKeyDictionary


class TensorWeakRef:
    """A weak reference to a tensor.

    Args:
        tensor: The tensor.

    >>> import rushlight as torch
    >>> from rushlight.utils.weak import TensorWeakRef
    >>> x = torch.ones(2)
    >>> reference = TensorWeakRef(x)
    >>> reference() is x
    True
    """

    def __init__(self, tensor: Tensor):
        if not isinstance(tensor, Tensor):
            raise AssertionError(f"expected torch.Tensor, got {type(tensor)}.")
        self.ref = weakref.ref(tensor)

    def __call__(self):
        return self.ref()
