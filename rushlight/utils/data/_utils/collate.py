"""Collating: a batch made of a list of samples, by what the first of them is."""

import copy
import math
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from itertools import islice

import rushlight
from rushlight import core
from rushlight.core import Tensor
from rushlight.storage import UntypedStorage

np_str_obj_array_pattern = re.compile("[SaUO]")  # kinds of NumPy's arrays that are no numbers
default_collate_err_msg_format = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"


def default_convert(data):
    """NumPy's arrays and numbers in `data` as tensors, in containers of the same kinds; everything else stays. Without batches, this is
    what a `DataLoader` does to samples.

    >>> from rushlight.utils.data import default_convert
    >>> default_convert(["text", 3])
    ['text', 3]
    """
    if isinstance(data, Tensor):
        return data
    if type(data).__module__ == "numpy" and type(data).__name__ not in ("str_", "string_", "bytes_"):
        if hasattr(data, "dtype") and np_str_obj_array_pattern.search(data.dtype.str) is None:
            return rushlight.as_tensor(data)
        return data
    if isinstance(data, Mapping):
        return _mapping_like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(value) for value in data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _sequence_like(data, [default_convert(value) for value in data])
    return data


def _mapping_like(mapping, made: dict):
    """`made` as a mapping of the same kind; a dict where that cannot be."""
    try:
        if isinstance(mapping, MutableMapping):
            # (A copy, as the kind may have state besides: a default factory.)
            out = copy.copy(mapping)
            out.update(made)
            return out
        return type(mapping)(made)
    except TypeError:
        return made


def _sequence_like(sequence, made: list):
    """`made` as a sequence of the same kind; a list where that cannot be."""
    try:
        if isinstance(sequence, MutableSequence):
            out = copy.copy(sequence)
            for place, value in enumerate(made):
                out[place] = value
            return out
        return type(sequence)(made)
    except TypeError:
        return made


def collate(batch, *, collate_fn_map: dict[type | tuple[type, ...], Callable] | None = None):
    """A batch of samples, put together by the function that `collate_fn_map` has for their kind, within containers of any depth.

    >>> from rushlight.utils.data._utils.collate import collate
    >>> collate(["a", "b"], collate_fn_map={str: lambda batch, *, collate_fn_map: "".join(batch)})
    'ab'
    """
    first = batch[0]
    kind = type(first)
    if collate_fn_map is not None:
        if collate_fn_map is default_collate_fn_map and "numpy" in sys.modules:
            _know_numpy()
        if kind in collate_fn_map:
            return collate_fn_map[kind](batch, collate_fn_map=collate_fn_map)
        for key, function in collate_fn_map.items():
            if isinstance(first, key):
                return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(first, Mapping):
        made = {key: collate([sample[key] for sample in batch], collate_fn_map=collate_fn_map) for key in first}
        return _mapping_like(first, made)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return kind(*(collate(samples, collate_fn_map=collate_fn_map) for samples in zip(*batch)))
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in islice(batch, 1, None)):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [collate(samples, collate_fn_map=collate_fn_map) for samples in zip(*batch)]
        return columns if isinstance(first, tuple) else _sequence_like(first, columns)
    raise TypeError(default_collate_err_msg_format.format(kind))


def collate_tensor_fn(batch, *, collate_fn_map=None):
    """Tensors of one shape, stacked; in shared memory where a worker does it, so that the batch is not copied again."""
    first = batch[0]
    if first.is_nested:
        raise RuntimeError(
            "Batches of nested tensors are not currently supported by the default collate_fn; please provide a custom collate_fn to handle "
            "them appropriately."
        )
    if first.layout is not rushlight.strided:
        raise RuntimeError(
            "Batches of sparse tensors are not currently supported by the default collate_fn; please provide a custom collate_fn to handle "
            "them appropriately."
        )
    from rushlight.utils.data._utils.worker import get_worker_info

    out = None
    if get_worker_info() is not None:
        size = len(batch), *first.size()
        storage = UntypedStorage._new_shared(math.prod(size) * first.dtype.itemsize)
        out = core.tensor_on_storage(storage, first.dtype, 0, size, None)
    return rushlight.stack(batch, 0, out=out)


def collate_numpy_array_fn(batch, *, collate_fn_map=None):
    if np_str_obj_array_pattern.search(batch[0].dtype.str) is not None:
        raise TypeError(default_collate_err_msg_format.format(batch[0].dtype))
    return collate([rushlight.as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch, *, collate_fn_map=None):
    return rushlight.as_tensor(batch)


def collate_float_fn(batch, *, collate_fn_map=None):
    return rushlight.tensor(batch, dtype=rushlight.float64)


def collate_int_fn(batch, *, collate_fn_map=None):
    return rushlight.tensor(batch)


def collate_str_fn(batch, *, collate_fn_map=None):
    return batch


default_collate_fn_map: dict[type | tuple[type, ...], Callable] = {
    Tensor: collate_tensor_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}
"""What `default_collate` does, by the kind of the first sample; programs add their own kinds."""


def _know_numpy() -> None:
    """NumPy's kinds are known as soon as a program has imported it; before the numbers of Python, which some of NumPy's are too."""
    import numpy

    if numpy.ndarray not in default_collate_fn_map:
        known = dict(default_collate_fn_map)
        default_collate_fn_map.clear()
        default_collate_fn_map.update(
            {
                Tensor: known.pop(Tensor, collate_tensor_fn),
                numpy.ndarray: collate_numpy_array_fn,
                (numpy.bool_, numpy.number, numpy.object_): collate_numpy_scalar_fn,
                **known,
            }
        )


def default_collate(batch):
    """A batch of samples as tensors with one more dimension in front, within the containers that the samples have.

    Tensors and NumPy's arrays are stacked, numbers become one tensor, texts stay lists; mappings, sequences and named tuples of those are
    collated field by field (tuples become lists).

    >>> from rushlight.utils.data import default_collate
    >>> default_collate([(1, 2.0), (3, 4.0)])
    [tensor([1, 3]), tensor([2., 4.], dtype=torch.float64)]
    >>> default_collate([{"name": "a", "size": 1}, {"name": "b", "size": 2}])
    {'name': ['a', 'b'], 'size': tensor([1, 2])}
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
