"""DLPack: memory shared with other libraries."""

import enum
from typing import Any

from rushlight import core
from rushlight.core import device as Device


class DLDeviceType(enum.IntEnum):
    """Kinds of devices, as dlpack.h numbers them.

    >>> import rushlight as torch
    >>> torch.utils.dlpack.DLDeviceType.kDLCPU.value
    1
    """

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLOpenCL = 4
    kDLVulkan = 7
    kDLMetal = 8
    kDLVPI = 9
    kDLROCM = 10
    kDLROCMHost = 11
    kDLExtDev = 12
    kDLCUDAManaged = 13
    kDLOneAPI = 14
    kDLWebGPU = 15
    kDLHexagon = 16
    kDLMAIA = 17


CPU = (DLDeviceType.kDLCPU, 0)


def to_dlpack(tensor):
    """A DLPack capsule over the memory of `tensor`, to be used once.

    >>> import rushlight as torch
    >>> x = torch.ones(2)
    >>> y = torch.from_dlpack(torch.to_dlpack(x))
    >>> _ = y.zero_()
    >>> x
    tensor([0., 0.])
    """
    if not isinstance(tensor, core.Tensor):
        raise TypeError(f"_to_dlpack(): argument 'data' (position 1) must be Tensor, not {type(tensor).__name__}")
    return core.to_dlpack(tensor.detach())


def from_dlpack(ext_tensor, *, device=None, copy=None):
    """A tensor over the memory of any object that speaks DLPack, or of a capsule.

    Args:
        ext_tensor: The object, such as an array of NumPy.
        device: Where the tensor should be; the CPU.
        copy: Whether the memory is copied; by default only if it must be.

    >>> import rushlight as torch
    >>> import numpy
    >>> array = numpy.ones(2, dtype="float32")
    >>> x = torch.from_dlpack(array)
    >>> array[0] = 5
    >>> x
    tensor([5., 1.])
    """
    if not hasattr(ext_tensor, "__dlpack__"):
        if device is not None or copy is not None:
            raise AssertionError("device and copy kwargs not supported when ext_tensor is already a DLPack capsule.")
        return core.from_dlpack_capsule(ext_tensor)
    wishes = {"max_version": (1, 0)}
    if copy is not None:
        wishes["copy"] = copy
    place = ext_tensor.__dlpack_device__()
    if device is not None:
        if not isinstance(device, (str, Device)):
            raise AssertionError(f"from_dlpack: unsupported device type: {type(device)}")
        core.require_cpu(device)
        if tuple(place) != CPU:
            raise ValueError(
                f"cannot move DLPack tensor from device {place} to {CPU} without copying. Set copy=None or copy=True."
            )
        wishes["dl_device"] = CPU
    # Older exporters know fewer of the wishes.
    left_out = []
    for forgotten in ("max_version", "copy", "dl_device", None):
        try:
            capsule = ext_tensor.__dlpack__(**wishes)
            break
        except TypeError:
            if forgotten is None:
                raise
            wishes.pop(forgotten, None)
            left_out.append(forgotten)
    made = core.from_dlpack_capsule(capsule)
    return made.clone() if copy and "copy" in left_out else made


def exported(self, *, stream: Any = -1, max_version=None, dl_device=None, copy=None) -> Any:
    """Tensor.__dlpack__: a capsule over this tensor's memory (of a copy, with `copy=True`)."""
    given = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
    handled = core.dispatch_torch_function(core.Tensor.__dlpack__, (self,), (self,), given)
    if handled is not NotImplemented:
        return handled
    if self.layout is not core.strided:
        raise BufferError("Can't export tensors with layout other than torch.strided")
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if stream is not None and type(stream) is not int:
        raise TypeError("stream must be ``int`` or ``none``")
    if stream is not None and stream != -1:
        raise AssertionError("stream should be None on cpu.")
    if dl_device is not None and tuple(dl_device) != CPU:
        if copy is False:
            raise ValueError("cannot move (i.e. copy=False) tensor from cpu to another device without copying.")
        raise BufferError(f"Unsupported device_type: {int(dl_device[0])}")
    versioned = max_version is not None and max_version[0] >= 1
    return core.to_dlpack(self.clone() if copy else self, versioned, bool(copy))
