"""Parametrizations: a parameter or buffer of a module as a function of others, which takes its place."""

import copy
from collections.abc import Sequence
from contextlib import contextmanager, suppress

import rushlight as torch
from rushlight import Tensor
from rushlight.__future__ import get_swap_module_params_on_conversion
from rushlight.nn.modules.container import ModuleDict, ModuleList
from rushlight.nn.parameter import Parameter
from rushlight.utils._swap import swap_tensors

__all__ = [
    *("cached", "ParametrizationList", "register_parametrization", "is_parametrized", "remove_parametrizations"),
    *("type_before_parametrizations", "transfer_parametrizations_and_params"),
]

_cache_enabled = 0
_cache: dict = {}


@contextmanager
def cached():
    """Within this context each parametrized tensor is computed once.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import parametrize, parametrizations
    >>> layer = parametrizations.orthogonal(torch.nn.Linear(2, 2))
    >>> with parametrize.cached():
    ...     layer.weight is layer.weight
    True
    >>> layer.weight is layer.weight
    False
    """
    global _cache_enabled, _cache
    _cache_enabled += 1
    try:
        yield
    finally:
        _cache_enabled -= 1
        if not _cache_enabled:
            _cache = {}


def _register_parameter_or_buffer(module, name, X):
    if isinstance(X, Parameter):
        module.register_parameter(name, X)
    else:
        module.register_buffer(name, X)


def _maybe_set(dest, src):
    """Gives `dest` the memory of `src`, in place, or lets them change places."""
    if get_swap_module_params_on_conversion():
        if isinstance(dest, Parameter) and not isinstance(src, Parameter):
            src = Parameter(src, requires_grad=dest.requires_grad)
        swap_tensors(dest, src)
    else:
        dest.set_(src)


# ---------------------------------------------------------------------------------------------------------- checks
_BY_FLAG = "of the tensor, unless `unsafe` flag is enabled."
_BY_THE_FLAG = "of the tensor, unless the `unsafe` flag is enabled."


def _check_alike(made, was, text, names):
    """A parametrization may change neither dtype nor shape; `names` are those of both in the error."""
    for fact in ("dtype", "shape"):
        if getattr(made, fact) != getattr(was, fact):
            raise ValueError(
                f"{text.format(fact)}\n{names[0].format(fact)}: {getattr(was, fact)}\n{names[1].format(fact)}: {getattr(made, fact)}"
            )


def _check_originals(originals):
    if not isinstance(originals, Tensor | Sequence):
        raise ValueError(
            f"'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got {type(originals).__name__}"
        )
    if isinstance(originals, Tensor):
        return
    for number, each in enumerate(originals):
        if not isinstance(each, Tensor):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got element {number} of the sequence with type {type(each).__name__}."
            )


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, first to last, with what they begin with:
    `original`, or `original0`, `original1` and so on.

    Args:
        modules: the parametrizations.
        original: the tensor that is parametrized.
        unsafe: whether dtype and shape may change, and nothing is tried before.

    >>> import rushlight as torch
    >>> layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(4, 3))
    >>> [name for name, _ in layer.parametrizations.weight.named_parameters()]
    ['original0', 'original1']
    """

    def __init__(self, modules, original, unsafe=False):
        if len(modules) == 0:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        dtype, shape = original.dtype, original.shape
        begin = original
        with torch.no_grad():
            for module in reversed(self):
                if hasattr(module, "right_inverse"):
                    with suppress(NotImplementedError):  # (Then the value goes in as it is.)
                        begin = module.right_inverse(begin)
        _check_originals(begin)
        self.is_tensor = isinstance(begin, Tensor)
        self.ntensors = 1 if self.is_tensor else len(begin)
        if self.is_tensor:
            if begin.dtype != dtype:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                    f"original.dtype: {dtype}\nright_inverse(original).dtype: {begin.dtype}"
                )
            with torch.no_grad():
                _maybe_set(original, begin)
            _register_parameter_or_buffer(self, "original", original)
        else:
            for number, each in enumerate(begin):
                if isinstance(original, Parameter):
                    each = Parameter(each, original.requires_grad)
                each.requires_grad_(original.requires_grad)
                _register_parameter_or_buffer(self, f"original{number}", each)
        if not unsafe:
            made = self()
            if not isinstance(made, Tensor):
                raise ValueError(f"A parametrization must return a tensor. Got {type(made).__name__}.")
            text = "Registering a parametrization may not change the {} " + _BY_FLAG
            _check_alike(made, _Facts(dtype, shape), text, ("unparametrized {}", "parametrized {}"))

    def right_inverse(self, value):
        """Sets the originals so that the parametrized tensor is `value`; each parametrization must have a `right_inverse`."""
        with torch.no_grad():
            for module in reversed(self):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
                value = module.right_inverse(value)
            if self.is_tensor:
                if not isinstance(value, Tensor):
                    raise ValueError(f"`right_inverse` should return a tensor. Got {type(value).__name__}")
                _check_dtype(value, self.original, "The tensor returned", "original")
                _maybe_set(self.original, value)
                return
            if not isinstance(value, Sequence):
                raise ValueError(f"'right_inverse' must return a sequence of tensors. Got {type(value).__name__}.")
            if len(value) != self.ntensors:
                raise ValueError(
                    f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. "
                    f"Got a sequence of length {len(value)}."
                )
            for number, each in enumerate(value):
                original = getattr(self, f"original{number}")
                if not isinstance(each, Tensor):
                    raise ValueError(
                        "'right_inverse' must return a sequence of tensors or reference-type opaques. "
                        f"Got element {number} of type {type(each).__name__}."
                    )
                _check_dtype(each, original, f"Tensor {number} returned", f"original{number}")
                _maybe_set(original, each)

    def forward(self):
        """The parametrized tensor."""
        originals = [self.original] if self.is_tensor else [getattr(self, f"original{n}") for n in range(self.ntensors)]
        value = self[0](*originals)
        # (Only those with a number: where `original` is parametrized itself, its parametrizations are a module of this one.)
        number = 1
        while hasattr(self, str(number)):
            value = self[number](value)
            number += 1
        return value


class _Facts:
    """Dtype and shape of a tensor, whatever becomes of it."""

    def __init__(self, dtype, shape):
        self.dtype, self.shape = dtype, shape


def _check_dtype(value, original, what, name):
    if value.dtype != original.dtype:
        raise ValueError(f"{what} by `right_inverse` has dtype {value.dtype} while `{name}` has dtype {original.dtype}")


# ---------------------------------------------------------------------------------------------------------- classes
def _inject_new_class(module):
    """Gives a module a class of its own, on which its properties are set."""
    kind = type(module)

    def default_deepcopy(self, memo):
        if id(self) not in memo:
            memo[id(self)] = replica = self.__new__(type(self))
            replica.__dict__ = copy.deepcopy(self.__dict__, memo)
        return memo[id(self)]

    def getstate(self):
        raise RuntimeError(
            "Serialization of parametrized modules is only supported through state_dict(). See:\n"
            "https://pytorch.org/tutorials/beginner/saving_loading_models.html"
            "#saving-loading-a-general-checkpoint-for-inference-and-or-resuming-training"
        )

    members = {"__getstate__": getstate}
    if not hasattr(kind, "__deepcopy__"):
        members["__deepcopy__"] = default_deepcopy
    module.__class__ = type(f"Parametrized{kind.__name__}", (kind,), members)


def _inject_property(module, tensor_name):
    """Puts a property into a module's class that computes the tensor, and sets its originals."""

    def get_parametrized(self):
        parametrization = self.parametrizations[tensor_name]
        if not _cache_enabled:
            return parametrization()
        key = id(self), tensor_name
        value = _cache.get(key)
        if value is None:
            value = _cache[key] = parametrization()
        return value

    def set_original(self, value):
        self.parametrizations[tensor_name].right_inverse(value)

    setattr(type(module), tensor_name, property(get_parametrized, set_original))


# ---------------------------------------------------------------------------------------------------------- functions
def register_parametrization(module, tensor_name, parametrization, *, unsafe=False):
    """Makes a parameter or buffer of a module what `parametrization`, a module, computes of it; returns the module.

    Assigning to it sets its originals, by the parametrization's `right_inverse`, which may return several tensors. A second
    parametrization is applied to what the first one gives.

    Args:
        module: the module, which gets a class of its own.
        tensor_name: the name of the parameter or buffer.
        parametrization: what computes it.
        unsafe: whether it may change dtype and shape; then nothing is tried before.

    Raises:
        ValueError: the module has no such tensor, or dtype or shape would change.

    >>> import rushlight as torch
    >>> class Symmetric(torch.nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).mT
    >>> layer = torch.nn.utils.parametrize.register_parametrization(torch.nn.Linear(3, 3), "weight", Symmetric())
    >>> torch.equal(layer.weight, layer.weight.mT)
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _try_next(module, tensor_name, parametrization)
        module.parametrizations[tensor_name].append(parametrization)
        module.parametrizations[tensor_name].unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        made = ParametrizationList([parametrization], original, unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _inject_new_class(module)
            module.parametrizations = ModuleDict()
        _inject_property(module, tensor_name)
        module.parametrizations[tensor_name] = made
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name '{tensor_name}'"
        )
    return module


def _try_next(module, tensor_name, parametrization):
    """Whether one more parametrization keeps dtype and shape, and so does its inverse."""
    value = getattr(module, tensor_name)
    made = parametrization(value)
    if not isinstance(made, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(made).__name__}.")
    name = f"module.{tensor_name}"
    text = "Registering a parametrization may not change the {} " + _BY_THE_FLAG
    _check_alike(made, value, text, (name + ".{}", f"parametrization({name})" + ".{}"))
    if not hasattr(parametrization, "right_inverse"):
        return
    try:
        back = parametrization.right_inverse(made)
    except NotImplementedError:
        return
    if not isinstance(back, Tensor):
        raise ValueError(f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}")
    text = f"The tensor returned by parametrization.right_inverse must have the same {{}} as {name}, unless the `unsafe` flag is enabled."
    _check_alike(back, value, text, (name + ".{}", "returned {}"))


def is_parametrized(module, tensor_name=None):
    """Whether a `module` has parametrizations, or with `tensor_name` one of this tensor.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import parametrize, parametrizations
    >>> layer = parametrizations.weight_norm(torch.nn.Linear(4, 3))
    >>> parametrize.is_parametrized(layer), parametrize.is_parametrized(layer, "bias")
    (True, False)
    """
    found = getattr(module, "parametrizations", None)
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(module, tensor_name, leave_parametrized=True):
    """Makes a tensor an ordinary one again, with the value that it has, or (`leave_parametrized=False`) its original's;
    returns the module.

    Raises:
        ValueError: `module` has no parametrization of `tensor_name`, or there are several originals to leave.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import parametrize, parametrizations
    >>> layer = parametrizations.weight_norm(torch.nn.Linear(4, 3))
    >>> parametrize.remove_parametrizations(layer, "weight")
    Linear(in_features=4, out_features=3, bias=True)
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    found = module.parametrizations[tensor_name]
    if found.is_tensor:
        original = found.original
        if leave_parametrized:
            with torch.no_grad():
                _maybe_set(original, getattr(module, tensor_name))
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register_parameter_or_buffer(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module):
    """The class that a `module` had before it was parametrized.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import parametrize, parametrizations
    >>> layer = parametrizations.weight_norm(torch.nn.Linear(4, 3))
    >>> type(layer).__name__, parametrize.type_before_parametrizations(layer).__name__
    ('ParametrizedLinear', 'Linear')
    """
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module, to_module, tensor_name=None):
    """Gives `to_module` the parametrizations of `from_module`, and their originals; returns it.

    All of them, or with `tensor_name` those of one tensor.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import parametrize, parametrizations
    >>> layer = parametrizations.weight_norm(torch.nn.Linear(4, 3))
    >>> other = parametrize.transfer_parametrizations_and_params(layer, torch.nn.Linear(4, 3))
    >>> torch.equal(other.weight, layer.weight)
    True
    """
    if not is_parametrized(from_module):
        return to_module
    found = from_module.parametrizations
    for name in found if tensor_name is None else [tensor_name]:
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name)))
        for parametrization in found[name]:
            register_parametrization(to_module, name, parametrization)
        source, target = found[name], to_module.parametrizations[name]
        for original in ["original"] if source.is_tensor else [f"original{n}" for n in range(source.ntensors)]:
            setattr(target, original, getattr(source, original))
    return to_module
