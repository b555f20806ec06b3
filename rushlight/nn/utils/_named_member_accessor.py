"""Tensors of modules by their names."""

from rushlight.core import Tensor
from rushlight.nn import Module, Parameter

__all__ = ["NamedMemberAccessor", "set_tensor", "swap_tensor"]

_missing = object()


def _place(module, name):
    """The dict that has the tensor of this name, None where no dict does."""
    if "." in name:
        raise KeyError('tensor name can\'t contain "."')
    if name == "":
        raise KeyError('tensor name can\'t be empty string ""')
    return next((found for found in (module._parameters, module._buffers) if name in found), None)


def swap_tensor(module, name, tensor, allow_missing=False):
    """Gives a module another tensor, and returns the one that it had; with `allow_missing` also where it had none."""
    if not isinstance(module, Module):
        raise TypeError(f"{module} is not an instance of torch.nn.Module")
    if tensor is not _missing and tensor is not None and not isinstance(tensor, Tensor):
        raise TypeError(f"{tensor} is not an instance of torch.Tensor")
    place = _place(module, name)
    before = getattr(module, name, _missing) if place is None else place[name]
    if place is None and before is not _missing and not isinstance(before, Tensor):
        raise TypeError(f"attribute `{name}`: {before} is not an instance of torch.Tensor")
    if before is _missing and not allow_missing:
        raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
    if tensor is _missing:
        if place is None and before is not _missing:
            delattr(module, name)
        elif place is not None:
            del place[name]
    elif place is not None:
        place[name] = tensor
    elif isinstance(tensor, Parameter):
        module._parameters[name] = tensor
    else:
        setattr(module, name, tensor)
    return before


def set_tensor(module, name, tensor):
    """Gives a module another tensor."""
    swap_tensor(module, name, tensor, allow_missing=True)


class NamedMemberAccessor:
    """The tensors of a module and of those within it by dotted names."""

    def __init__(self, module):
        self.module = module

    def _owner(self, name):
        path, _, last = name.rpartition(".")
        return self.get_submodule(path), last

    def get_submodule(self, name):
        """The module of a name."""
        return self.module.get_submodule(name)

    def get_tensor(self, name):
        """The tensor of a name."""
        owner, last = self._owner(name)
        found = getattr(owner, last)
        if not isinstance(found, Tensor):
            raise TypeError(f"{found} is not an instance of torch.Tensor")
        return found

    def set_tensor(self, name, value):
        """Puts a tensor in the place of the one of a name."""
        set_tensor(*self._owner(name), value)

    def del_tensor(self, name):
        """Takes the tensor of a name away."""
        swap_tensor(*self._owner(name), _missing)

    def swap_tensor(self, name, value, allow_missing=False):
        """Puts a tensor in the place of the one of a name, which is returned."""
        return swap_tensor(*self._owner(name), value, allow_missing)

    def get_tensors(self, names):
        """The tensors of names."""
        return [self.get_tensor(name) for name in names]

    def set_tensors(self, names, values):
        """Puts tensors in the places of those of names."""
        for name, value in zip(names, values, strict=True):
            self.set_tensor(name, value)

    def set_tensors_dict(self, named_tensors):
        """Puts the tensors of a dict in the places of their names."""
        self.set_tensors(named_tensors, named_tensors.values())

    def del_tensors(self, names):
        """Takes the tensors of names away."""
        for name in names:
            self.del_tensor(name)

    def swap_tensors(self, names, values, allow_missing=False):
        """Puts tensors in the places of those of names, which are returned."""
        return [self.swap_tensor(name, value, allow_missing) for name, value in zip(names, values, strict=True)]

    def swap_tensors_dict(self, named_tensors, allow_missing=False):
        """Puts the tensors of a dict in their places; returns those that were there, and the names of none."""
        before = {name: self.swap_tensor(name, value, allow_missing) for name, value in named_tensors.items()}
        return before, [name for name, value in before.items() if value is _missing]

    def named_parameters(self, remove_duplicate=True):
        """`named_parameters` of the module."""
        yield from self.module.named_parameters(remove_duplicate=remove_duplicate)

    def named_buffers(self, remove_duplicate=True):
        """`named_buffers` of the module."""
        yield from self.module.named_buffers(remove_duplicate=remove_duplicate)

    def named_tensors(self, remove_duplicate=True):
        """The parameters, then the buffers."""
        yield from self.named_parameters(remove_duplicate)
        yield from self.named_buffers(remove_duplicate)
