"""What pickles of tensors call to make them again, under the names that PyTorch's files have."""

import importlib
import sys
import traceback
from copyreg import _slotnames  # type: ignore[attr-defined] # what copy and pickle ask

from rushlight import core
from rushlight.core import Tensor
from rushlight.storage import TypedStorage, UntypedStorage


def _element_size(dtype):
    """Bytes of one element."""
    if not isinstance(dtype, core.dtype):
        raise RuntimeError(f"expected torch.dtype, but got {type(dtype)}")
    return dtype.itemsize


def tensor_over(storage, dtype, offset, size, stride):
    """A tensor over a storage, with a version of its own: it was put there after it was made, which was one write. A file may name
    anything."""
    if not isinstance(storage, UntypedStorage):
        raise TypeError(f"a tensor's storage must be a storage, not {type(storage).__name__}")
    if type(offset) is not int or not isinstance(size, (tuple, list)) or not isinstance(stride, (tuple, list)):
        given = ", ".join(type(value).__name__ for value in (offset, size, stride))
        raise TypeError(f"set_() received an invalid combination of arguments - got (torch.storage.UntypedStorage, {given})")
    for value in (offset, *size, *stride):
        if type(value) is not int:
            raise TypeError(f"set_(): sizes and strides must be integers, not {type(value).__name__}")
        if not -(2**63) <= value < 2**63:
            raise RuntimeError("numel: integer multiplication overflow")
    made = core.tensor_on_storage(storage, dtype, offset, size, stride).data
    core.set_version(made, 1)
    return made


def _rebuild_tensor(storage, storage_offset, size, stride):
    if not isinstance(storage, TypedStorage):
        raise TypeError(f"a tensor's storage must be a typed storage, not {type(storage).__name__}")
    return tensor_over(storage._untyped_storage, storage.dtype, storage_offset, size, stride)


def finished(tensor, requires_grad, backward_hooks, metadata):
    if metadata is not None and not isinstance(metadata, dict):
        raise TypeError(f"expected dict, got {type(metadata).__name__}")
    if type(requires_grad) is not bool:
        raise RuntimeError("requires_grad must be a bool")
    if metadata:
        tensor = core.set_lazy(tensor, bool(metadata.get("conj")), bool(metadata.get("neg")))
    if requires_grad:
        tensor.requires_grad_()
    if backward_hooks:
        # Hooks are not saved; files of old versions have some.
        tensor._backward_hooks = backward_hooks
    return tensor


def _rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, backward_hooks, metadata=None):
    return finished(_rebuild_tensor(storage, storage_offset, size, stride), requires_grad, backward_hooks, metadata)


def _rebuild_tensor_v3(storage, storage_offset, size, stride, requires_grad, backward_hooks, dtype, metadata=None):
    untyped = storage._untyped_storage if isinstance(storage, TypedStorage) else storage
    return finished(tensor_over(untyped, dtype, storage_offset, size, stride), requires_grad, backward_hooks, metadata)


def _rebuild_meta_tensor_no_storage(dtype, size, stride, requires_grad):
    with core.made_on("meta"):
        return finished(core.empty_tensor(size, dtype, stride), requires_grad, None, None)


def _rebuild_wrapper_subclass(cls, dtype, size, stride, storage_offset, layout, device, requires_grad):
    return Tensor._make_wrapper_subclass(
        cls,
        size,
        strides=stride,
        storage_offset=storage_offset,
        layout=layout,
        device=device,
        requires_grad=requires_grad,
        dtype=dtype,
    )


def _rebuild_parameter(data, requires_grad, backward_hooks):
    if not isinstance(data, Tensor):
        raise TypeError(f"a parameter's data must be a tensor, not {type(data).__name__}")
    from rushlight.nn.parameter import Parameter

    # (The third argument is for hooks, which are not saved.)
    return Parameter(data, requires_grad)


def _rebuild_parameter_with_state(data, requires_grad, backward_hooks, state):
    return _set_obj_state(_rebuild_parameter(data, requires_grad, backward_hooks), state)


def _rebuild_sparse_tensor(layout, data):
    import rushlight as torch

    if layout is torch.sparse_coo:
        indices, values, size, *coalesced = data
        return torch.sparse_coo_tensor(
            indices, values, size, check_invariants=True, is_coalesced=bool(coalesced and coalesced[0])
        )
    return torch.sparse_compressed_tensor(*data, layout=layout, check_invariants=True)


def _get_obj_state(obj):
    """What pickle would keep of an object: what its __getstate__ says, or `attributes_of` it."""
    own = getattr(type(obj), "__getstate__", None)
    return attributes_of(obj) if own is getattr(object, "__getstate__", None) else own(obj)


def attributes_of(obj):
    """The __dict__ of an object, or with slots a pair of dicts."""
    state = getattr(obj, "__dict__", None) or {}
    slots = {name: getattr(obj, name) for name in _slotnames(type(obj)) if hasattr(obj, name)}
    return (dict(state), slots) if slots else dict(state)


def _set_obj_state(obj, state):
    """Puts what `_get_obj_state` returned into an object."""
    attributes, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    for part in (attributes, slots):
        if part is not None and not (isinstance(part, dict) and all(type(name) is str for name in part)):
            raise RuntimeError(f"Invalid serialized state: {type(state).__name__}")
    if attributes:
        obj.__dict__.update(attributes)
    for name, value in (slots or {}).items():
        setattr(obj, name, value)
    return obj


class KeyErrorMessage(str):
    """The text of a KeyError, which that prints as it is: without quotes, with its line breaks."""

    def __repr__(self):
        return str(self)


class ExceptionWrapper:
    """The exception that is being handled, to be raised again in another thread or process, with its traceback in its text."""

    def __init__(self, exc_info=None, where="in background"):
        kind, value, trace = exc_info or sys.exc_info()
        self.exc_type = kind
        self.exc_msg = "".join(traceback.format_exception(kind, value, trace))
        self.where = where

    def reraise(self):
        """Raises an exception of the same class; a RuntimeError where the class cannot be called with a text."""
        text = f"Caught {self.exc_type.__name__} {self.where}.\nOriginal {self.exc_msg}"
        if self.exc_type is KeyError:
            text = KeyErrorMessage(text)
        elif getattr(self.exc_type, "message", None):
            raise self.exc_type(message=text)
        try:
            error = self.exc_type(text)
        except Exception:
            raise RuntimeError(text) from None
        raise error


def _get_device_index(device, optional=False, allow_cpu=False, device_type=None):
    """The number of a device beside the CPU: -1 where it may have none, or is the CPU and that is allowed."""
    if isinstance(device, str):
        device = core.device(device)
    if isinstance(device, core.device):
        if not allow_cpu and device.type == "cpu" and device_type is None:
            raise ValueError(f"Expected a non cpu device, but got: {device}")
        if device_type is not None and device.type not in (device_type, *(("cpu",) if allow_cpu else ())):
            expected = f"a {device_type} or cpu" if allow_cpu else f"a {device_type}"
            raise ValueError(f"Expected {expected} device, but got: {device}")
        index = -1 if device.type == "cpu" else device.index
    else:
        index = device if isinstance(device, int) else None
    if index is not None:
        return index
    if optional:
        return None if device_type is None else -1
    raise ValueError(f"Expected a torch.device with a specified index or an integer, but got:{device}")


def _get_available_device_type():
    """None: there is no device beside the CPU."""
    return None


def _get_all_device_indices():
    """None."""
    return None


def _flatten_dense_tensors(tensors):
    """All elements, one tensor behind the other."""
    import rushlight as torch

    return torch.cat([tensor.contiguous().view(-1) for tensor in tensors])


def _unflatten_dense_tensors(flat, tensors):
    """Views of `flat` in the shapes of tensors, one behind the other."""
    parts = flat.split([tensor.numel() for tensor in tensors])
    return tuple(part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True))


def _is_privateuse1_backend_available():
    """False: there is no other device."""
    return False


def _get_device_module(device_type):
    """The package of a kind of device, such as `torch.cpu`."""
    module = getattr(sys.modules["rushlight"], device_type, None)
    if module is None:
        raise RuntimeError(f"Device '{device_type}' does not have a corresponding module registered as 'torch.{device_type}'.")
    return module


def try_import(module_name):
    """A module by its name, or None where there is none."""
    from importlib.util import find_spec

    return importlib.import_module(module_name) if module_name in sys.modules or find_spec(module_name) is not None else None


def render_call(fn, args, kwargs):
    """A call as text, with tensors by their sizes alone."""
    from rushlight import _tensor_str, overrides

    with _tensor_str.printoptions(threshold=0, edgeitems=0):
        given = [repr(x) for x in args] + [f"{name}={value!r}" for name, value in kwargs.items()]
    return f"{overrides.resolve_name(fn) or fn}({', '.join(given)})"
