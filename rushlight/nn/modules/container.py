"""Modules that hold other modules or parameters: in a chain, a list or a dictionary."""

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Self

import rushlight as torch
from rushlight.core import warn_user

from ..parameter import Parameter
from .module import Module, _addindent

__all__ = ["Container", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


def _position(index, length):
    """`index`, counted from the end where it is negative, as a number from 0."""
    index = operator.index(index)
    if not -length <= index < length:
        raise IndexError(f"index {index} is out of range")
    return index % length


class Container(Module):
    """Submodules by keyword; the older way to write a `Module`, deprecated with a warning.

    >>> import rushlight as torch
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.nn.Container(first=torch.nn.ReLU())
    Container(
      (first): ReLU()
    )
    """

    def __init__(self, **kwargs):
        super().__init__()
        warn_user(
            "`nn.Container` is deprecated. All of its functionality is now implemented in `nn.Module`. Subclass that instead.",
            FutureWarning,
        )
        for name, module in kwargs.items():
            self.add_module(name, module)


class _Modules(Module):
    """What `Sequential` and `ModuleList` share: a list whose names are "0", "1", …"""

    def _nth(self, index):
        return next(islice(self._modules.values(), _position(index, len(self)), None))

    def _renumber(self, modules):
        self._modules = {str(i): module for i, module in enumerate(modules)}

    def __setitem__(self, index, module):
        name = next(islice(self._modules, _position(index, len(self)), None))
        setattr(self, name, module)

    def __delitem__(self, index):
        names = list(self._modules)
        for name in names[index] if isinstance(index, slice) else [names[_position(index, len(self))]]:
            delattr(self, name)
        self._renumber(self._modules.values())

    def __len__(self):
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __dir__(self):
        return [name for name in super().__dir__() if not name.isdigit()]

    def append(self, module) -> Self:
        """Adds a `module` at the end; returns self.

        >>> import rushlight as torch
        >>> torch.nn.Sequential(torch.nn.ReLU()).append(torch.nn.Tanh())
        Sequential(
          (0): ReLU()
          (1): Tanh()
        )
        """
        self.add_module(str(len(self)), module)
        return self

    def pop(self, index) -> Module:
        """Removes the module at an `index` (or the one of a `key`) and returns it.

        >>> import rushlight as torch
        >>> net = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Tanh())
        >>> net.pop(0), len(net)
        (ReLU(), 1)
        """
        module = self[index]
        del self[index]
        return module


class Sequential(_Modules):
    """Calls its modules one after another, each with the result of the one before.

    Args:
        modules: The modules, or one OrderedDict from names to modules.

    >>> import rushlight as torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU())
    >>> model(torch.zeros(3, 4)).shape
    torch.Size([3, 2])
    """

    def __init__(self, *args):
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for i, module in enumerate(args):
                self.add_module(str(i), module)

    def forward(self, input):
        for module in self._modules.values():
            input = module(input)
        return input

    def __getitem__(self, index) -> Module:
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._nth(index)

    def insert(self, index, module):
        """Puts a `module` before the one at `index`; returns self.

        >>> import rushlight as torch
        >>> torch.nn.Sequential(torch.nn.ReLU()).insert(0, torch.nn.Flatten())
        Sequential(
          (0): Flatten(start_dim=1, end_dim=-1)
          (1): ReLU()
        )
        """
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        length = len(self)
        if not -length <= index <= length:
            raise IndexError(f"Index out of range: {index}")
        modules = list(self._modules.values())
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def extend(self, sequential) -> Self:
        """Adds all modules of another one, `sequential`, or of a list; returns self.

        >>> import rushlight as torch
        >>> len(torch.nn.Sequential(torch.nn.ReLU()).extend([torch.nn.Tanh(), torch.nn.ReLU()]))
        3
        """
        for module in list(sequential):
            self.append(module)
        return self

    def __add__(self, other):
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
        return Sequential(*self, *other)

    def __iadd__(self, other):
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
        return self.extend(list(other))

    def __mul__(self, other):
        self._check_factor(other)
        return Sequential(*(module for _ in range(other) for module in self))

    __rmul__ = __mul__

    def __imul__(self, other):
        self._check_factor(other)
        modules = list(self)
        for _ in range(other - 1):
            self.extend(modules)
        return self

    def _check_factor(self, factor):
        if not isinstance(factor, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(factor)}")
        if factor <= 0:
            raise ValueError(f"Non-positive multiplication factor {factor} for {type(self)}")


class ModuleList(_Modules):
    """A list of modules. It is not called itself.

    Args:
        modules: An iterable of them; by default the list is empty.

    >>> import rushlight as torch
    >>> layers = torch.nn.ModuleList([torch.nn.Linear(2, 2) for _ in range(3)])
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    """

    def __init__(self, modules=None):
        super().__init__()
        if modules is not None:
            self += modules

    def __getitem__(self, index) -> Module:
        if isinstance(index, slice):
            return type(self)(list(self._modules.values())[index])
        return self._nth(index)

    def insert(self, index, module):
        """Puts a `module` before the one at `index`.

        >>> import rushlight as torch
        >>> layers = torch.nn.ModuleList([torch.nn.ReLU()])
        >>> layers.insert(0, torch.nn.Flatten())
        >>> layers[0]
        Flatten(start_dim=1, end_dim=-1)
        """
        modules = list(self._modules.values())
        modules.insert(index, module)
        self._renumber(modules)

    def extend(self, modules) -> Self:
        """Adds all of an iterable of `modules`; returns self.

        >>> import rushlight as torch
        >>> len(torch.nn.ModuleList([torch.nn.ReLU()]).extend([torch.nn.Tanh()]))
        2
        """
        if not isinstance(modules, Iterable):
            raise TypeError("ModuleList.extend should be called with an iterable, but got " + type(modules).__name__)
        for module in list(modules):
            self.append(module)
        return self

    def __iadd__(self, modules):
        return self.extend(modules)

    def __add__(self, other):
        combined = ModuleList()
        for i, module in enumerate(chain(self, other)):
            combined.add_module(str(i), module)
        return combined

    def __repr__(self):
        """Equal neighbours share one line: (0-2): 3 x Linear(...)."""
        texts = [repr(module) for module in self]
        if not texts:
            return self._get_name() + "()"
        runs = []
        for i, text in enumerate(texts):
            if runs and runs[-1][2] == text:
                runs[-1][1] = i
            else:
                runs.append([i, i, text])
        lines = []
        for first, last, text in runs:
            line = f"({first}): {text}" if first == last else f"({first}-{last}): {last - first + 1} x {text}"
            lines.append(_addindent(line, 2))
        return self._get_name() + "(\n  " + "\n  ".join(lines) + "\n)"


class ModuleDict(Module):
    """A dictionary of modules, in the order in which they were added.

    Args:
        modules: A mapping from names to modules, or an iterable of such pairs.

    >>> import rushlight as torch
    >>> activations = torch.nn.ModuleDict({"relu": torch.nn.ReLU(), "tanh": torch.nn.Tanh()})
    >>> activations["relu"](torch.tensor([-1.0]))
    tensor([0.])
    """

    def __init__(self, modules=None):
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key) -> Module:
        return self._modules[key]

    def __setitem__(self, key, module):
        self.add_module(key, module)

    def __delitem__(self, key):
        del self._modules[key]

    def __len__(self):
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key):
        return key in self._modules

    def clear(self) -> None:
        """Removes all modules.

        >>> import rushlight as torch
        >>> modules = torch.nn.ModuleDict({"act": torch.nn.ReLU()})
        >>> modules.clear()
        >>> len(modules)
        0
        """
        self._modules.clear()

    def pop(self, key) -> Module:
        """Removes the module `key` and returns it.

        >>> import rushlight as torch
        >>> torch.nn.ModuleDict({"act": torch.nn.ReLU()}).pop("act")
        ReLU()
        """
        module = self[key]
        del self[key]
        return module

    def keys(self):
        """The names.

        >>> import rushlight as torch
        >>> list(torch.nn.ModuleDict({"act": torch.nn.ReLU()}).keys())
        ['act']
        """
        return self._modules.keys()

    def values(self):
        """The modules.

        >>> import rushlight as torch
        >>> list(torch.nn.ModuleDict({"act": torch.nn.ReLU()}).values())
        [ReLU()]
        """
        return self._modules.values()

    def items(self):
        """Pairs of name and module.

        >>> import rushlight as torch
        >>> list(torch.nn.ModuleDict({"act": torch.nn.ReLU()}).items())
        [('act', ReLU())]
        """
        return self._modules.items()

    def update(self, modules) -> None:
        """Adds or replaces the `modules` of a mapping, or of an iterable of pairs.

        >>> import rushlight as torch
        >>> modules = torch.nn.ModuleDict({"act": torch.nn.ReLU()})
        >>> modules.update({"act": torch.nn.Tanh(), "flat": torch.nn.Flatten()})
        >>> list(modules), modules["act"]
        (['act', 'flat'], Tanh())
        """
        for key, module in _pairs(modules, "ModuleDict", "module"):
            self[key] = module


def _pairs(values, name, kind):
    if not isinstance(values, Iterable):
        name = name.replace("Parameter", "Parameters")  # (so PyTorch says)
        raise TypeError(f"{name}.update should be called with an iterable of key/value pairs, but got " + type(values).__name__)
    if isinstance(values, Mapping) or hasattr(values, "items"):
        yield from values.items()
        return
    for i, pair in enumerate(values):
        if not isinstance(pair, Iterable):
            raise TypeError(f"{name} update sequence element #{i} should be Iterable; is{type(pair).__name__}")
        pair = tuple(pair)
        if len(pair) != 2:
            raise ValueError(f"{name} update sequence element #{i} has length {len(pair)}; 2 is required")
        yield pair


def _line(key, value, type_of):
    """How a list or dictionary of parameters shows one member."""
    if isinstance(value, torch.Tensor):
        kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
        size = "x".join(str(extent) for extent in value.size())
        return f"  ({key}): {kind} containing: [{type_of(value)} of size {size}]"
    return f"  ({key}): Object of type: {type(value).__name__}"


class ParameterList(Module):
    """A list of parameters. Tensors become parameters; other objects are kept as they are.

    Args:
        values: An iterable of them; by default the list is empty.

    >>> import rushlight as torch
    >>> weights = torch.nn.ParameterList([torch.zeros(2), torch.zeros(3)])
    >>> len(list(weights.parameters()))
    2
    >>> weights[1]
    Parameter containing:
    tensor([0., 0., 0.], requires_grad=True)
    """

    def __init__(self, values=None):
        super().__init__()
        self._size = 0
        if values is not None:
            self += values

    def __getitem__(self, index):
        if isinstance(index, slice):
            result = type(self)()
            for i in range(*index.indices(len(self))):
                result.append(self[i])
            return result
        return getattr(self, str(_position(index, len(self))))

    def __setitem__(self, index, value: Any):
        if isinstance(value, torch.Tensor) and not isinstance(value, Parameter):
            value = Parameter(value)
        setattr(self, str(_position(index, len(self))), value)

    def __len__(self):
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __iadd__(self, values):
        return self.extend(values)

    def __dir__(self):
        return [name for name in super().__dir__() if not name.isdigit()]

    def append(self, value: Any) -> Self:
        """Adds a `value` at the end; returns self.

        >>> import rushlight as torch
        >>> len(torch.nn.ParameterList([torch.zeros(2)]).append(torch.ones(3)))
        2
        """
        self._size += 1
        self[-1] = value
        return self

    def extend(self, values) -> Self:
        """Adds all of an iterable of `values`; returns self.

        >>> import rushlight as torch
        >>> len(torch.nn.ParameterList().extend([torch.ones(3), torch.ones(2)]))
        2
        """
        if not isinstance(values, Iterable) or isinstance(values, torch.Tensor):
            raise TypeError("ParameterList.extend should be called with an iterable, but got " + type(values).__name__)
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self):
        return "\n".join(_line(i, value, lambda tensor: tensor.dtype) for i, value in enumerate(self))

    def __call__(self, *args, **kwargs):
        raise RuntimeError("ParameterList should not be called.")


class ParameterDict(Module):
    """A dictionary of parameters, in the order in which they were added. Tensors become parameters; other objects stay.

    Args:
        parameters: A mapping from names to values, or an iterable of pairs; by default the dictionary is empty.

    >>> import rushlight as torch
    >>> weights = torch.nn.ParameterDict({"left": torch.zeros(2)})
    >>> list(weights)
    ['left']
    >>> [name for name, _ in weights.named_parameters()]
    ['left']
    """

    def __init__(self, parameters=None):
        super().__init__()
        self._keys = {}
        if parameters is not None:
            self.update(parameters)

    def _attribute(self, key):
        if not isinstance(key, str):
            raise TypeError(
                "Index given to ParameterDict cannot be used as a key as it is not a string"
                f" (type is '{type(key).__name__}'). Open an issue on github if you need non-string keys."
            )
        return key

    def __getitem__(self, key):
        return getattr(self, self._attribute(key))

    def __setitem__(self, key, value: Any):
        attribute = self._attribute(key)
        self._keys[key] = None
        if isinstance(value, torch.Tensor) and not isinstance(value, Parameter):
            value = Parameter(value)
        setattr(self, attribute, value)

    def __delitem__(self, key):
        del self._keys[key]
        delattr(self, self._attribute(key))

    def __len__(self):
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self):
        return reversed(self._keys)

    def __contains__(self, key):
        return key in self._keys

    def copy(self):
        """A new dictionary of the same parameters.

        >>> import rushlight as torch
        >>> weights = torch.nn.ParameterDict({"left": torch.zeros(2)})
        >>> weights.copy()["left"] is weights["left"]
        True
        """
        return ParameterDict(OrderedDict((key, self[key]) for key in self))

    def setdefault(self, key, default=None):
        """The parameter `key`, which is set to `default` first where it is missing.

        >>> import rushlight as torch
        >>> weights = torch.nn.ParameterDict()
        >>> weights.setdefault("left", torch.zeros(2))
        Parameter containing:
        tensor([0., 0.], requires_grad=True)
        """
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Removes all parameters.

        >>> import rushlight as torch
        >>> weights = torch.nn.ParameterDict({"left": torch.zeros(2)})
        >>> weights.clear()
        >>> len(weights)
        0
        """
        for key in list(self):
            del self[key]

    def pop(self, key):
        """Removes the parameter `key` and returns it.

        >>> import rushlight as torch
        >>> torch.nn.ParameterDict({"left": torch.zeros(2)}).pop("left").shape
        torch.Size([2])
        """
        value = self[key]
        del self[key]
        return value

    def popitem(self):
        """Removes the pair that was added last and returns it.

        >>> import rushlight as torch
        >>> torch.nn.ParameterDict({"left": torch.zeros(2)}).popitem()[0]
        'left'
        """
        key, _ = self._keys.popitem()
        self._keys[key] = None
        return key, self.pop(key)

    def get(self, key, default=None):
        """The parameter `key`, or `default`.

        >>> import rushlight as torch
        >>> torch.nn.ParameterDict().get("left", 0)
        0
        """
        return self[key] if key in self._keys else default

    def fromkeys(self, keys, default=None):
        """A new dictionary with the given `keys`, all with the value `default`.

        >>> import rushlight as torch
        >>> list(torch.nn.ParameterDict().fromkeys(["left", "right"], torch.zeros(2)))
        ['left', 'right']
        """
        return ParameterDict((key, default) for key in keys)

    def keys(self):
        """The names.

        >>> import rushlight as torch
        >>> list(torch.nn.ParameterDict({"left": torch.zeros(2)}).keys())
        ['left']
        """
        return self._keys.keys()

    def values(self):
        """The parameters.

        >>> import rushlight as torch
        >>> [value.shape for value in torch.nn.ParameterDict({"left": torch.zeros(2)}).values()]
        [torch.Size([2])]
        """
        return (self[key] for key in self)

    def items(self):
        """Pairs of name and parameter.

        >>> import rushlight as torch
        >>> [name for name, value in torch.nn.ParameterDict({"left": torch.zeros(2)}).items()]
        ['left']
        """
        return ((key, self[key]) for key in self)

    def update(self, parameters) -> None:
        """Adds or replaces the `parameters` of a mapping, or of an iterable of pairs; a plain dict counts in sorted order.

        >>> import rushlight as torch
        >>> weights = torch.nn.ParameterDict({"left": torch.zeros(2)})
        >>> weights.update({"right": torch.zeros(3)})
        >>> list(weights)
        ['left', 'right']
        """
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            parameters = sorted(parameters.items())
        for key, value in _pairs(parameters, "ParameterDict", "parameter"):
            self[key] = value

    def extra_repr(self):
        return "\n".join(_line(key, value, torch.typename) for key, value in self.items())

    def __call__(self, input):
        raise RuntimeError("ParameterDict should not be called.")

    def __or__(self, other):
        result = self.copy()
        result.update(other)
        return result

    def __ror__(self, other):
        result = other.copy()
        result.update(self)
        return result

    def __ior__(self, other):
        self.update(other)
        return self
