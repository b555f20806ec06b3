"""Pruning: parameters times masks, which say what of them is left."""

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable

import rushlight as torch

__all__ = [
    *("BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "PruningContainer"),
    *("RandomStructured", "RandomUnstructured", "custom_from_mask", "global_unstructured", "identity", "is_pruned"),
    *("l1_unstructured", "ln_structured", "random_structured", "random_unstructured", "remove"),
]


# ---------------------------------------------------------------------------------------------------------- amounts
def _validate_pruning_amount_init(amount):
    """An amount is a count, or a part of the whole as a float."""
    if not isinstance(amount, numbers.Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    count = isinstance(amount, numbers.Integral)
    if (count and amount < 0) or (not count and (float(amount) > 1.0 or float(amount) < 0.0)):
        raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")


def _validate_pruning_amount(amount, tensor_size):
    if isinstance(amount, numbers.Integral) and amount > tensor_size:
        raise ValueError(f"amount={amount} should be smaller than the number of parameters to prune={tensor_size}")


def _compute_nparams_toprune(amount, tensor_size):
    """How many of `tensor_size` an amount is."""
    return amount if isinstance(amount, numbers.Integral) else round(amount * tensor_size)


def _validate_structured_pruning(t):
    if len(t.shape) <= 1:
        raise ValueError(
            "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
            f"{t.shape} with {len(t.shape)} dims"
        )


def _validate_pruning_dim(t, dim):
    if dim >= t.dim():
        raise IndexError(f"Invalid index {dim} for tensor of size {t.shape}")


def _compute_norm(t, n, dim):
    """The norm of each slice along `dim`."""
    others = [d for d in range(t.dim()) if d != (dim if dim != -1 else t.dim() - 1)]
    return torch.norm(t, p=n, dim=others)


# ---------------------------------------------------------------------------------------------------------- methods
class BasePruningMethod(ABC):
    """A way to prune, which is a hook: before each forward, it makes the parameter of what it was and its mask.

    A class says in `PRUNING_TYPE` whether it prunes "unstructured" or "structured" (whole slices along `dim`), or what is not
    pruned yet ("global"), and in `compute_mask` what is left. Its `apply` prunes the parameter `name` of a module.

    Args:
        amount: Of a class that has it: how many are pruned, or (a float) which part.
        dim: Of structured ones: the dimension whose slices are pruned.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> class Halves(prune.BasePruningMethod):
    ...     PRUNING_TYPE = "unstructured"
    ...     def compute_mask(self, t, default_mask):
    ...         mask = default_mask.clone()
    ...         mask[..., ::2] = 0
    ...         return mask
    >>> layer = torch.nn.Linear(4, 1)
    >>> _ = Halves.apply(layer, "weight")
    >>> layer.weight_mask
    tensor([[0., 1., 0., 1.]])
    """

    _tensor_name: str

    def __call__(self, module, inputs):
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t, default_mask):
        """The mask of `t`, which is zero where `default_mask` is, and where this method prunes."""

    def apply_mask(self, module):
        """The pruned parameter."""
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned")
        mask, original = getattr(module, self._tensor_name + "_mask"), getattr(module, self._tensor_name + "_orig")
        return mask.to(dtype=original.dtype) * original

    @classmethod
    def apply(cls, module, name, *args, importance_scores=None, **kwargs):
        """Prunes a parameter by this method, beside those by which it is pruned already; returns the hook."""
        old = [
            (key, hook)
            for key, hook in module._forward_pre_hooks.items()
            if isinstance(hook, BasePruningMethod) and hook._tensor_name == name
        ]
        if len(old) > 1:
            raise AssertionError(
                "Avoid adding multiple pruning hooks to the same tensor {name} of module {module}. Use a PruningContainer."
            )
        method = cls(*args, **kwargs)
        method._tensor_name = name
        for key, hook in old:
            del module._forward_pre_hooks[key]
            if isinstance(hook, PruningContainer):
                container = hook
            else:
                container = PruningContainer()
                container._tensor_name = name
                container.add_pruning_method(hook)
            container.add_pruning_method(method)
            method = container
        # What is pruned already is scored without its mask's zeros.
        original = getattr(module, name)
        if importance_scores is None:
            importance_scores = original
        elif importance_scores.shape != original.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, got {importance_scores.shape} vs {original.shape}"
            )
        if not old:
            module.register_parameter(name + "_orig", original)
            del module._parameters[name]
            default_mask = torch.ones_like(original)
        else:
            default_mask = getattr(module, name + "_mask").detach().clone(memory_format=torch.contiguous_format)
        try:
            mask = method.compute_mask(importance_scores, default_mask=default_mask)
            module.register_buffer(name + "_mask", mask)
            setattr(module, name, method.apply_mask(module))
            module.register_forward_pre_hook(method)
        except Exception:
            if not old:
                module.register_parameter(name, getattr(module, name + "_orig"))
                del module._parameters[name + "_orig"]
            raise
        return method

    def prune(self, t, default_mask=None, importance_scores=None):
        """A tensor pruned by this method, by the scores of its elements if they are given."""
        if importance_scores is None:
            importance_scores = t
        elif importance_scores.shape != t.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as tensor t, got {importance_scores.shape} vs {t.shape}"
            )
        default_mask = torch.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(importance_scores, default_mask=default_mask)

    def remove(self, module):
        """Makes the pruned parameter an ordinary one; what is pruned stays zero."""
        name = self._tensor_name
        if name is None:
            raise AssertionError(f"Module {module} has to be pruned before pruning can be removed")
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters[name + "_orig"]
        original.data = weight.data
        del module._parameters[name + "_orig"], module._buffers[name + "_mask"]
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Several methods for one parameter, one after the other; pruning a parameter again makes one.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> layer = prune.l1_unstructured(torch.nn.Linear(4, 1), "weight", 1)
    >>> layer = prune.l1_unstructured(layer, "weight", 1)
    >>> [len(hook) for hook in layer._forward_pre_hooks.values()], int(layer.weight_mask.sum())
    ([2], 2)
    """

    def __init__(self, *args):
        self._pruning_methods = ()
        if not isinstance(args, Iterable) or len(args) == 0:
            return
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method):
        """Puts a method behind those that there are; it must be for the same parameter."""
        if not isinstance(method, BasePruningMethod) and method is not None:
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}." + f" Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self):
        return len(self._pruning_methods)

    def __iter__(self):
        return iter(self._pruning_methods)

    def __getitem__(self, idx):
        return self._pruning_methods[idx]

    def compute_mask(self, t, default_mask):
        """The mask of the last method, of what the masks so far have left."""
        method, mask = self._pruning_methods[-1], default_mask.to(dtype=t.dtype)
        if method.PRUNING_TYPE == "unstructured":
            left = mask == 1
        elif method.PRUNING_TYPE == "structured":
            if not hasattr(method, "dim"):
                raise AttributeError('Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.')
            dim = method.dim if method.dim >= 0 else method.dim + t.dim()
            kept = mask.sum(dim=[d for d in range(t.dim()) if d != dim]) != 0
            left = [slice(None)] * t.dim()
            left[dim] = kept
            left = tuple(left)
        elif method.PRUNING_TYPE == "global":
            left = tuple([slice(None)] * t.dim())
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        partial = method.compute_mask(t[left], default_mask=mask[left])
        new = mask.clone()
        new[left] = partial.to(mask.dtype)
        return new


class Identity(BasePruningMethod):
    """Prunes nothing, but makes mask and original.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> method = prune.Identity()
    >>> method.prune(torch.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        return default_mask

    @classmethod
    def apply(cls, module, name):
        return super().apply(module, name)


class RandomUnstructured(BasePruningMethod):
    """Prunes elements at random: `amount` of them, or (a float) that part of them.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> method = prune.RandomUnstructured(amount=0.75)
    >>> method.prune(torch.ones(8)).sum()
    tensor(2.)
    """

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount):
        _validate_pruning_amount_init(amount)
        self.amount = amount

    def compute_mask(self, t, default_mask):
        size = t.nelement()
        count = _compute_nparams_toprune(self.amount, size)
        _validate_pruning_amount(count, size)
        mask = default_mask.clone(memory_format=torch.contiguous_format)
        if count != 0:
            least = torch.topk(torch.rand_like(t).view(-1), k=count)
            mask.view(-1)[least.indices] = 0
        return mask

    @classmethod
    def apply(cls, module, name, amount):
        return super().apply(module, name, amount=amount)


class L1Unstructured(BasePruningMethod):
    """Prunes the elements of the least absolute value: `amount` of them, or (a float) that part of them.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> method = prune.L1Unstructured(amount=2)
    >>> method.prune(torch.tensor([1.0, -5.0, 0.5, 3.0]))
    tensor([ 0., -5.,  0.,  3.])
    """

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount):
        _validate_pruning_amount_init(amount)
        self.amount = amount

    def compute_mask(self, t, default_mask):
        size = t.nelement()
        count = _compute_nparams_toprune(self.amount, size)
        _validate_pruning_amount(count, size)
        mask = default_mask.clone(memory_format=torch.contiguous_format)
        if count != 0:
            least = torch.topk(torch.abs(t).view(-1), k=count, largest=False)
            mask.view(-1)[least.indices] = 0
        return mask

    @classmethod
    def apply(cls, module, name, amount, importance_scores=None):
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class _Structured(BasePruningMethod):
    """Prunes whole slices along `dim`: a class scores them, and those that score highest are left."""

    PRUNING_TYPE = "structured"

    def _keep(self, t, default_mask, scores, count):
        top = torch.topk(scores, k=count, largest=True)
        mask = torch.zeros_like(t)
        place = [slice(None)] * t.dim()
        place[self.dim] = top.indices
        mask[tuple(place)] = 1
        return mask * default_mask.to(dtype=mask.dtype)


class RandomStructured(_Structured):
    """Prunes whole slices along `dim` at random: `amount` of them, or (a float) that part of them.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> method = prune.RandomStructured(amount=1, dim=0)
    >>> method.prune(torch.ones(3, 2)).sum()
    tensor(4.)
    """

    def __init__(self, amount, dim=-1):
        _validate_pruning_amount_init(amount)
        self.amount = amount
        self.dim = dim

    def compute_mask(self, t, default_mask):
        _validate_structured_pruning(t)
        _validate_pruning_dim(t, self.dim)
        size = t.shape[self.dim]
        count = _compute_nparams_toprune(self.amount, size)
        _validate_pruning_amount(count, size)
        if count == 0:
            return default_mask
        chances = torch.rand(size)
        threshold = torch.kthvalue(chances, k=count).values
        mask = torch.zeros_like(t)
        place = [slice(None)] * t.dim()
        place[self.dim] = chances > threshold
        mask[tuple(place)] = 1
        return mask * default_mask.to(dtype=mask.dtype)

    @classmethod
    def apply(cls, module, name, amount, dim=-1):
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_Structured):
    """Prunes the slices along `dim` of the least n-norm: `amount` of them, or (a float) that part of them.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> method = prune.LnStructured(amount=1, n=2, dim=0)
    >>> method.prune(torch.tensor([[3.0, 4.0], [1.0, 1.0]]))
    tensor([[3., 4.],
            [0., 0.]])
    """

    def __init__(self, amount, n, dim=-1):
        _validate_pruning_amount_init(amount)
        self.amount = amount
        self.n = n
        self.dim = dim

    def compute_mask(self, t, default_mask):
        _validate_structured_pruning(t)
        _validate_pruning_dim(t, self.dim)
        size = t.shape[self.dim]
        count = _compute_nparams_toprune(self.amount, size)
        _validate_pruning_amount(count, size)
        if count == 0:
            return default_mask
        return self._keep(t, default_mask, _compute_norm(t, self.n, self.dim), size - count)

    @classmethod
    def apply(cls, module, name, amount, n, dim, importance_scores=None):
        return super().apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)


class CustomFromMask(BasePruningMethod):
    """Prunes by a given `mask` of the parameter's shape, zero where it prunes.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> method = prune.CustomFromMask(torch.tensor([1, 0]))
    >>> method.prune(torch.tensor([3.0, 4.0]), default_mask=torch.ones(2))
    tensor([3., 0.])
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask):
        self.mask = mask

    def compute_mask(self, t, default_mask):
        if default_mask.shape != self.mask.shape:
            raise AssertionError(f"default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}")
        return default_mask * self.mask.to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module, name, mask):
        return super().apply(module, name, mask=mask)


# ---------------------------------------------------------------------------------------------------------- functions
def identity(module, name):
    """Prunes nothing of a parameter, but gives it `name_orig` and `name_mask`; returns the module, as all of these functions do.

    Args:
        module, name: The module, and the name of its parameter.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> layer = prune.identity(torch.nn.Linear(2, 3), "bias")
    >>> layer.bias_mask
    tensor([1., 1., 1.])
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module, name, amount):
    """Prunes elements of a parameter at random.

    Args:
        module, name: The module, and the name of its parameter.
        amount: How many elements, or (a float) which part of them.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> layer = prune.random_unstructured(torch.nn.Linear(2, 3), name="weight", amount=1)
    >>> torch.sum(layer.weight_mask == 0)
    tensor(1)
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module, name, amount, importance_scores=None):
    """Prunes the elements of a parameter of the least absolute value, or of the least `importance_scores`.

    `module`, `name` and `amount` are as in `random_unstructured`.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> layer = torch.nn.Linear(4, 1)
    >>> _ = layer.weight.data.copy_(torch.tensor([1.0, -5.0, 0.5, 3.0]))
    >>> prune.l1_unstructured(layer, "weight", amount=0.5).weight.detach()
    tensor([[ 0., -5.,  0.,  3.]])
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module, name, amount, dim):
    """Prunes slices of a parameter along `dim` at random.

    `module`, `name` and `amount` are as in `random_unstructured`, of slices.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> layer = prune.random_structured(torch.nn.Linear(2, 3), "weight", amount=1, dim=0)
    >>> (layer.weight_mask == 0).all(1).sum()
    tensor(1)
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module, name, amount, n, dim, importance_scores=None):
    """Prunes the slices of a parameter along `dim` of the least `n`-norm, or that of `importance_scores`.

    `module`, `name` and `amount` are as in `random_unstructured`, of slices.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> layer = torch.nn.Linear(2, 2)
    >>> _ = layer.weight.data.copy_(torch.tensor([[3.0, 4.0], [1.0, 1.0]]))
    >>> prune.ln_structured(layer, "weight", amount=1, n=2, dim=0).weight.detach()
    tensor([[3., 4.],
            [0., 0.]])
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def global_unstructured(parameters, pruning_method, importance_scores=None, **kwargs):
    """Prunes several parameters, as (module, name), as if they were one vector.

    Args:
        parameters: pairs of module and name.
        pruning_method: a class of `PRUNING_TYPE` "unstructured".
        importance_scores: tensors by such pairs, by which elements are chosen in place of their values.
        **kwargs: what the class takes.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> first, second = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)
    >>> pairs = [(first, "weight"), (second, "weight")]
    >>> prune.global_unstructured(pairs, pruning_method=prune.L1Unstructured, amount=8)
    >>> int(first.weight_mask.sum() + second.weight_mask.sum())
    24
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    importance_scores = {} if importance_scores is None else importance_scores
    if not isinstance(importance_scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    parameters = list(parameters)
    scores = [importance_scores.get((module, name), getattr(module, name)) for module, name in parameters]
    masks = [getattr(module, name + "_mask", torch.ones_like(getattr(module, name))) for module, name in parameters]
    container = PruningContainer()
    container._tensor_name = "temp"
    method = pruning_method(**kwargs)
    method._tensor_name = "temp"
    container.add_pruning_method(method)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            f'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method {pruning_method} of type '
            f"{method.PRUNING_TYPE}"
        )
    flat = torch.nn.utils.parameters_to_vector
    final = container.compute_mask(flat(scores), flat(masks))
    start = 0
    for module, name in parameters:
        parameter = getattr(module, name)
        end = start + parameter.numel()
        custom_from_mask(module, name, mask=final[start:end].view_as(parameter))
        start = end


def custom_from_mask(module, name, mask):
    """Prunes the parameter `name` of `module` by a `mask` of its shape, zero where it prunes.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> layer = prune.custom_from_mask(torch.nn.Linear(2, 3), "bias", torch.tensor([0, 1, 0]))
    >>> layer.bias_mask
    tensor([0., 1., 0.])
    """
    CustomFromMask.apply(module, name, mask)
    return module


def remove(module, name):
    """Makes the pruned parameter `name` of `module` an ordinary one; what is pruned stays zero.
    ValueError where it is not pruned.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> layer = prune.l1_unstructured(torch.nn.Linear(2, 3), "weight", amount=2)
    >>> layer = prune.remove(layer, "weight")
    >>> int((layer.weight == 0).sum()), [name for name, _ in layer.named_buffers()]
    (2, [])
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module):
    """Whether a parameter of a `module`, or of one in it, is pruned.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils import prune
    >>> layer = torch.nn.Linear(2, 3)
    >>> prune.is_pruned(layer)
    False
    >>> prune.is_pruned(prune.identity(layer, "weight"))
    True
    """
    return any(
        isinstance(hook, BasePruningMethod) for _, each in module.named_modules() for hook in each._forward_pre_hooks.values()
    )
