"""Changing the dtype, device or memory of all tensors of a module."""

from typing import Self

import rushlight as torch
from rushlight import core
from rushlight.__future__ import get_overwrite_module_params_on_conversion, get_swap_module_params_on_conversion
from rushlight.core import warn_user
from rushlight.ops._arguments import choose
from rushlight.utils._swap import swap_tensors

from ..parameter import Parameter

COMPLEX_MODULES = (
    "Complex modules are a new feature under active development whose design may change, and some modules might not work as expected when "
    "using complex tensors as parameters or buffers. Please file an issue at "
    "https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml if a complex module does not work as expected."
)

NO_DATA = "Cannot copy out of meta tensor; no data!"
TO = core.Parser("to", is_method=True)


def _parse_to(args, kwargs):
    """The device, dtype, non_blocking and memory_format that the forms of `Tensor.to` name."""
    found, _ = choose(TO, args, kwargs)
    values = {parameter.name: value for parameter, _, value in found if value is not None}
    if values.get("copy"):
        raise RuntimeError(".to() does not accept copy argument")
    like = values.get("tensor")
    if like is not None:
        values.update(device=like.device, dtype=like.dtype)
    device, dtype = values.get("device"), values.get("dtype")
    device = None if device is None else torch.device(device)
    return device, core.dtype_of(dtype), values.get("non_blocking", False), values.get("memory_format")


def _keeps(tensor, converted):
    """Whether a conversion leaves a module its tensor, which gets the memory of the converted one."""
    alike = converted.device.type == tensor.device.type and converted.layout == tensor.layout
    return alike and not get_overwrite_module_params_on_conversion()


def _replace(module, name, parameter, fn):
    with torch.no_grad():
        converted = fn(parameter)
    grad = parameter.grad
    if _keeps(parameter, converted):
        parameter.data = converted
    else:
        module._parameters[name] = parameter = Parameter(converted, parameter.requires_grad)
    if grad is None:
        return
    with torch.no_grad():
        converted = fn(grad)
    if _keeps(grad, converted):
        grad.data = converted
        parameter.grad = grad
    else:
        parameter.grad = converted.requires_grad_(grad.requires_grad)


def _swap(module, name, parameter, fn):
    """Converts a parameter and its gradient, which change places with what they become."""
    with torch.no_grad():
        converted = fn(parameter)
    grad, parameter.grad = parameter.grad, None
    place = f"{module._get_name()}.{name}"
    try:
        swap_tensors(parameter, Parameter(converted, parameter.requires_grad))
    except Exception as error:
        parameter.grad = grad
        raise RuntimeError(f"_apply(): Couldn't swap {place}") from error
    if grad is None:
        return
    with torch.no_grad():
        converted = fn(grad)
    converted.requires_grad_(grad.requires_grad)
    try:
        swap_tensors(grad, converted)
    except Exception as error:
        raise RuntimeError(f"_apply(): Couldn't swap {place}.grad") from error
    parameter.grad = grad


class Conversions:
    """The part of `Module` that converts its tensors, in place; every method returns the module."""

    __slots__ = ()

    def _apply(self, fn, recurse=True):
        """Replaces every parameter's data, its gradient and every buffer by `fn` of it, here and in all submodules."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        change = _swap if get_swap_module_params_on_conversion() else _replace
        for name, parameter in self._parameters.items():
            if parameter is not None:
                change(self, name, parameter, fn)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args, **kwargs):
        """Converts all floating point and complex tensors to a dtype, all tensors to a device or memory format.

        The forms are `to(device=None, dtype=None, non_blocking=False)`, `to(dtype)`, `to(tensor)` and `to(memory_format=...)`.

        Raises:
            TypeError: `dtype` is neither floating point nor complex.

        >>> import rushlight as torch
        >>> torch.nn.Linear(1, 1).to(torch.float64).weight.dtype
        torch.float64
        """
        device, dtype, non_blocking, memory_format = _parse_to(args, kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}")
        if dtype is not None and dtype.is_complex:
            warn_user(COMPLEX_MODULES)

        def convert(tensor):
            wanted = dtype if tensor.is_floating_point() or tensor.is_complex() else None
            if memory_format is not None and tensor.dim() in (4, 5):
                return tensor.to(device, wanted, non_blocking, memory_format=memory_format)
            try:
                return tensor.to(device, wanted, non_blocking)
            except NotImplementedError as error:
                if str(error) != NO_DATA:
                    raise
                raise NotImplementedError(
                    f"{NO_DATA} Please use torch.nn.Module.to_empty() instead of torch.nn.Module.to() when moving module from meta to a "
                    "different device."
                ) from None

        return self._apply(convert)

    def to_empty(self, *, device, recurse=True) -> Self:
        """Moves the tensors to `device` without their values; with `recurse`, the submodules' too. For modules made on "meta".

        >>> import rushlight as torch
        >>> layer = torch.nn.Linear(2, 3, device="meta").to_empty(device="cpu")
        >>> layer.weight.device
        device(type='cpu')
        """
        return self._apply(lambda tensor: torch.empty_like(tensor, device=device), recurse=recurse)

    def type(self, dst_type: "torch.dtype | str") -> Self:
        """Converts all parameters and buffers to `dst_type`; returns the module.

        >>> import rushlight as torch
        >>> torch.nn.Linear(2, 3).type(torch.float64).weight.dtype
        torch.float64
        """
        return self._apply(lambda tensor: tensor.type(dst_type))

    def float(self) -> Self:
        """Converts the floating point tensors to float32; returns the module.

        >>> import rushlight as torch
        >>> torch.nn.Linear(2, 3).double().float().weight.dtype
        torch.float32
        """
        return self._apply(lambda tensor: tensor.float() if tensor.is_floating_point() else tensor)

    def double(self) -> Self:
        """Converts the floating point tensors to float64; returns the module.

        >>> import rushlight as torch
        >>> torch.nn.Linear(2, 3).double().weight.dtype
        torch.float64
        """
        return self._apply(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)

    def half(self) -> Self:
        """Converts the floating point tensors to float16; returns the module.

        >>> import rushlight as torch
        >>> torch.nn.Linear(2, 3).half().weight.dtype
        torch.float16
        """
        return self._apply(lambda tensor: tensor.half() if tensor.is_floating_point() else tensor)

    def bfloat16(self) -> Self:
        """Converts the floating point tensors to bfloat16; returns the module.

        >>> import rushlight as torch
        >>> torch.nn.Linear(2, 3).bfloat16().weight.dtype
        torch.bfloat16
        """
        return self._apply(lambda tensor: tensor.bfloat16() if tensor.is_floating_point() else tensor)

    def cpu(self) -> Self:
        """Moves the tensors to the CPU, where they are; returns the module.

        >>> import rushlight as torch
        >>> torch.nn.Linear(2, 3).cpu().weight.device
        device(type='cpu')
        """
        return self._apply(lambda tensor: tensor.cpu())

    def cuda(self, device=None) -> Self:
        """Raises the error of a tensor's `cuda()`, where the module has any tensor; `device` is what it would move to.

        >>> import rushlight as torch
        >>> torch.nn.ReLU().cuda()
        ReLU()
        """
        return self._apply(lambda tensor: tensor.cuda(device))

    def share_memory(self) -> Self:
        """Moves the tensors into memory shared between processes; returns the module.

        >>> import rushlight as torch
        >>> torch.nn.Linear(2, 3).share_memory().weight.is_shared()
        True
        """
        return self._apply(lambda tensor: tensor.share_memory_())

    def _replicate_for_data_parallel(self):
        replica = type(self).__new__(type(self))
        replica.__dict__ = self.__dict__.copy()
        replica._parameters = {}
        replica._buffers = replica._buffers.copy()
        replica._modules = replica._modules.copy()
        replica._is_replica = True
        return replica
