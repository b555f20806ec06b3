"""Changing the dtype, device or memory of all tensors of a module."""

import rushlight as torch
from rushlight import Tensor, core

from ..parameter import Parameter


def _parse_to(args, kwargs):
    """The device, dtype, non_blocking and memory_format that the forms of `to` name."""
    values = {"device": None, "dtype": None, "non_blocking": False, "memory_format": None}
    unknown = kwargs.keys() - values.keys() - {"tensor", "other", "copy"}
    if unknown:
        raise TypeError(f"to() received an invalid combination of arguments: unexpected keyword argument '{min(unknown)}'")
    args = list(args)
    other = kwargs.get("tensor", kwargs.get("other"))
    if args and isinstance(args[0], Tensor):
        other = args.pop(0)
    if other is not None:
        values["device"], values["dtype"] = other.device, other.dtype
    else:
        if args and (args[0] is None or (isinstance(args[0], (torch.device, str, int)) and not isinstance(args[0], bool))):
            values["device"] = args.pop(0)
        if args and (args[0] is None or core.dtype_of(args[0]) is not None):
            values["dtype"] = args.pop(0)
    if args and isinstance(args[0], bool):
        values["non_blocking"] = args.pop(0)
    if args and isinstance(args[0], bool):
        args.pop(0)  # copy
    if args:
        raise TypeError(
            "to() received an invalid combination of arguments - got "
            f"({', '.join(type(a).__name__ for a in args)}), but expected a device, a dtype or a Tensor"
        )
    values.update((k, v) for k, v in kwargs.items() if k in values)
    if values["device"] is not None:
        values["device"] = torch.device(values["device"])
    if values["dtype"] is not None:
        values["dtype"] = core.dtype_of(values["dtype"])
    return values["device"], values["dtype"], values["non_blocking"], values["memory_format"]


class Conversions:
    """The part of `Module` that converts its tensors, in place; every method returns the module."""

    __slots__ = ()

    def _apply(self, fn, recurse=True):
        """Replaces every parameter's data, its gradient and every buffer by `fn` of it, here and in all submodules."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for name, parameter in self._parameters.items():
            if parameter is None:
                continue
            with torch.no_grad():
                converted = fn(parameter)
            if converted.device.type == parameter.device.type:
                parameter.data = converted
            else:
                self._parameters[name] = replaced = Parameter(converted, parameter.requires_grad)
                replaced.grad, parameter = parameter.grad, replaced
            grad = parameter.grad
            if grad is not None:
                with torch.no_grad():
                    converted = fn(grad)
                if converted.device.type == grad.device.type:
                    grad.data = converted
                else:
                    parameter.grad = converted.requires_grad_(grad.requires_grad)
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

        def convert(tensor):
            wanted = dtype if tensor.is_floating_point() or tensor.is_complex() else None
            if memory_format is not None and tensor.dim() in (4, 5):
                return tensor.to(device, wanted, non_blocking, memory_format=memory_format)
            return tensor.to(device, wanted, non_blocking)

        return self._apply(convert)

    def to_empty(self, *, device, recurse=True):
        """Moves the tensors to `device` without their values."""
        return self._apply(lambda tensor: torch.empty_like(tensor, device=device), recurse=recurse)

    def type(self, dst_type):
        """Converts all parameters and buffers to `dst_type`."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def float(self):
        """Converts the floating point tensors to float32."""
        return self._apply(lambda tensor: tensor.float() if tensor.is_floating_point() else tensor)

    def double(self):
        """Converts the floating point tensors to float64."""
        return self._apply(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)

    def half(self):
        """Converts the floating point tensors to float16."""
        return self._apply(lambda tensor: tensor.half() if tensor.is_floating_point() else tensor)

    def bfloat16(self):
        """Converts the floating point tensors to bfloat16."""
        return self._apply(lambda tensor: tensor.bfloat16() if tensor.is_floating_point() else tensor)

    def cpu(self):
        """Moves the tensors to the CPU, where they are."""
        return self._apply(lambda tensor: tensor.cpu())

    def cuda(self, device=None):
        """Raises the error of a tensor's `cuda()`, where the module has any tensor."""
        return self._apply(lambda tensor: tensor.cuda(device))

    def share_memory(self):
        """Moves the tensors into memory shared between processes."""
        return self._apply(lambda tensor: tensor.share_memory_())

    def _replicate_for_data_parallel(self):
        replica = type(self).__new__(type(self))
        replica.__dict__ = self.__dict__.copy()
        replica._parameters = {}
        replica._buffers = replica._buffers.copy()
        replica._modules = replica._modules.copy()
        replica._is_replica = True
        return replica
