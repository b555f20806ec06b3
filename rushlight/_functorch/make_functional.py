"""Modules as functions of tuples of parameters and buffers, as programs had them before `functional_call`."""

import copy

import rushlight as torch
from rushlight.func import functional_call
from rushlight.nn._lookup import tensor_slots

__all__ = [
    "FunctionalModule",
    "FunctionalModuleWithBuffers",
    "combine_state_for_ensemble",
    "functional_init",
    "functional_init_with_buffers",
    "make_functional",
    "make_functional_with_buffers",
    "transpose_stack",
]


def names_of(tensors):
    """(tensors, each once, the names of each) of an iterable of (name, tensor)."""
    found: dict = {}
    for name, tensor in tensors:
        found.setdefault(id(tensor), (tensor, []))[1].append(name)
    return tuple([tensor for tensor, _ in found.values()]), [names for _, names in found.values()]


class FunctionalModuleWithBuffers(torch.nn.Module):
    """A module as a function of its parameters and buffers: `call(parameters, buffers, *args)`, both as tuples."""

    def __init__(self, stateless_model, parameter_names, buffer_names):
        super().__init__()
        self.stateless_model = stateless_model
        self.names = parameter_names, buffer_names

    @classmethod
    def _create_from(cls, model, disable_autograd_tracking=False):
        """(the function, the parameters, the buffers): copies of those of `model`."""
        model = copy.deepcopy(model)
        parameters, parameter_names = names_of(model.named_parameters(remove_duplicate=False))
        buffers, buffer_names = names_of(model.named_buffers(remove_duplicate=False))
        if disable_autograd_tracking:
            for parameter in parameters:
                parameter.requires_grad_(False)
        # What is handed out belongs to the caller; the model keeps none of it.
        for table, key in tensor_slots(model, "", {}).values():
            table[key] = torch.empty(0)
        return cls(model, parameter_names, buffer_names), parameters, buffers

    def call_with(self, states, args, kwargs):
        """The model with other tensors: a sequence for each of `self.names`."""
        given = {}
        for tensors, all_names in zip(states, self.names, strict=True):
            for tensor, names in zip(tensors, all_names, strict=True):
                given.update(dict.fromkeys(names, tensor))
        return functional_call(self.stateless_model, given, args, kwargs, tie_weights=False)

    def forward(self, params, buffers, *args, **kwargs):
        """The model's result."""
        return self.call_with((params, buffers), args, kwargs)


class FunctionalModule(FunctionalModuleWithBuffers):
    """A module without buffers as a function of its parameters: `call(parameters, *args)`."""

    def forward(self, params, *args, **kwargs):
        """The model's result."""
        return self.call_with((params, ()), args, kwargs)


def make_functional(model, disable_autograd_tracking=False):
    """(`model` as a function of its parameters, the parameters).

    >>> import rushlight as torch
    >>> from rushlight._functorch.make_functional import make_functional
    >>> call, parameters = make_functional(torch.nn.Linear(2, 1))
    >>> call(parameters, torch.ones(3, 2)).shape
    torch.Size([3, 1])
    """
    if next(iter(model.buffers()), None) is not None:
        raise RuntimeError("make_functional(model): `model` has buffers. Please use make_functional_with_buffers(model) instead.")
    return FunctionalModule._create_from(model, disable_autograd_tracking)[:2]


def make_functional_with_buffers(model, disable_autograd_tracking=False):
    """(`model` as a function of its parameters and buffers, the parameters, the buffers).

    >>> import rushlight as torch
    >>> from rushlight._functorch.make_functional import make_functional_with_buffers
    >>> call, parameters, buffers = make_functional_with_buffers(torch.nn.BatchNorm1d(2))
    >>> call(parameters, buffers, torch.ones(3, 2)).shape
    torch.Size([3, 2])
    """
    return FunctionalModuleWithBuffers._create_from(model, disable_autograd_tracking)


def transpose_stack(tuple_of_tuple_of_tensors):
    """Tensors of several models, model by model, as one stack for each of their places."""
    return tuple([torch.stack(tensors).detach() for tensors in zip(*tuple_of_tuple_of_tensors, strict=True)])


def combine_state_for_ensemble(models):
    """(one of several models of one kind as a function, their stacked parameters, their stacked buffers).

    >>> import rushlight as torch
    >>> from rushlight._functorch.make_functional import combine_state_for_ensemble
    >>> call, parameters, buffers = combine_state_for_ensemble([torch.nn.Linear(2, 1) for _ in range(3)])
    >>> torch.vmap(call, (0, 0, None))(parameters, buffers, torch.ones(2)).shape
    torch.Size([3, 1])
    """
    if len(models) == 0:
        raise RuntimeError("combine_state_for_ensemble: Expected at least one model, got 0.")
    if not (all(model.training for model in models) or all(not model.training for model in models)):
        raise RuntimeError("combine_state_for_ensemble: Expected all models to have the same training/eval mode.")
    if not all(type(model) is type(models[0]) for model in models):
        raise RuntimeError("combine_state_for_ensemble: Expected all models to be of the same class.")
    calls, parameters, buffers = zip(*[make_functional_with_buffers(model) for model in models], strict=True)
    return calls[0], transpose_stack(parameters), transpose_stack(buffers)


# ---- the first form: weights, and a function of them ------------------------------------------------------------------------
def parts_of(model):
    """(parameters, buffers, a function of both and of arguments in a tuple, the names of both) of a module."""
    parameters, buffers = dict(model.named_parameters()), dict(model.named_buffers())
    stateless = copy.deepcopy(model)

    def call(weights, states, args):
        given = {**dict(zip(parameters, weights, strict=True)), **dict(zip(buffers, states, strict=True))}
        return functional_call(stateless, given, args)

    return tuple(parameters.values()), tuple(buffers.values()), call, tuple(parameters), tuple(buffers)


def make_functional_deprecated_v1(model):
    """(weights, a function of weights and of the arguments in a tuple, names of the weights) of a module without buffers."""
    weights, buffers, call, names, _ = parts_of(model)
    if buffers:
        raise RuntimeError(
            "make_functional_deprecated_v1(model): `model` has buffers. Please use make_functional_with_buffers_deprecated_v1(model) instead."
        )
    return weights, lambda weights, args: call(weights, (), args), names


def make_functional_with_buffers_deprecated_v1(model):
    """(weights, buffers, a function of both and of the arguments in a tuple, names of the weights, names of the buffers) of a module."""
    return parts_of(model)


def initialized(make, states, model_class, ensemble_shape, device):
    """A function that makes modules of arguments and gives what `make` does; of several, the first `states` results stacked."""

    def made(*args, **kwargs):
        if len(ensemble_shape) >= 2:
            raise ValueError("NYI: ensemble_shape with more than 1 element")
        if not ensemble_shape:
            return make(model_class(*args, **kwargs).to(device))
        count = ensemble_shape[0]
        if count <= 0:
            raise ValueError(f"num_models {count} should be > 0")
        several = [make(model_class(*args, **kwargs).to(device)) for _ in range(count)]
        stacked = [
            tuple(torch.stack(same).detach() for same in zip(*[one[i] for one in several], strict=True)) for i in range(states)
        ]
        return *stacked, *several[0][states:]

    return made


def functional_init(model_class, ensemble_shape=(), device="cpu"):
    """A function from the arguments of a class of modules to (weights, function of them, names); with `ensemble_shape` (n,) of n modules.

    >>> import rushlight as torch
    >>> weights, call, names = functional_init(torch.nn.Linear, (3,))(2, 1)
    >>> [w.shape for w in weights], names
    ([torch.Size([3, 1, 2]), torch.Size([3, 1])], ('weight', 'bias'))
    """
    return initialized(make_functional_deprecated_v1, 1, model_class, ensemble_shape, device)


def functional_init_with_buffers(model_class, ensemble_shape=(), device="cpu"):
    """As `functional_init`, of modules with buffers: (weights, buffers, function of both, names of both)."""
    return initialized(make_functional_with_buffers_deprecated_v1, 2, model_class, ensemble_shape, device)
