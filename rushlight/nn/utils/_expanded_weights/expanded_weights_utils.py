"""What the functions of expanded weights have in common."""

import importlib

import rushlight as torch

__all__ = [
    "forward_helper",
    "is_batch_first",
    "maybe_scale_by_batch_size",
    "set_grad_sample_if_exists",
    "standard_kwargs",
    "sum_over_all_but_batch_and_last_n",
    "unpack_expanded_weight_or_tensor",
]


def __getattr__(name):
    if name == "ExpandedWeight":
        return importlib.import_module("rushlight.nn.utils._expanded_weights.expanded_weights_impl").ExpandedWeight
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def is_expanded(x):
    """Whether `x` is an expanded weight."""
    return isinstance(x, torch.Tensor) and hasattr(type(x), "handled_functions")


def is_batch_first(expanded_args_and_kwargs):
    """Whether the expanded weights among arguments say that inputs have their batch first; None where there are none."""
    found = {x.batch_first for x in expanded_args_and_kwargs if is_expanded(x)}
    if len(found) > 1:
        raise RuntimeError("Got conflicting batch_first arguments in the same layer")
    return next(iter(found), None)


def standard_kwargs(kwarg_names, expanded_args):
    """(positional arguments, keywords): the values of the keywords are the last of `expanded_args`."""
    count = len(expanded_args) - len(kwarg_names)
    return expanded_args[:count], dict(zip(kwarg_names, expanded_args[count:], strict=True))


def forward_helper(func, expanded_args, expanded_kwargs):
    """`func` with the weights in place of the expanded ones, once they are known to fit the input's batch."""
    name, x = func.__name__, expanded_args[0]
    if is_expanded(x):
        raise RuntimeError(
            f"Expanded Weights do not support inputs that are also ExpandedWeights. Input must be a Tensor, got {type(x).__name__} in function {name}"
        )
    if not isinstance(x, torch.Tensor):
        raise RuntimeError(
            f"Expanded Weights requires a Tensor as the first input to get the batch dimension, got {type(x).__name__} in function {name}"
        )
    if x.ndim == 0:
        raise RuntimeError(f"Expanded Weights requires a batch dimension but got an input of size 0 in function {name}")
    if x.shape[0] == 0:
        raise RuntimeError(f"0 is not a valid batch size for Expanded Weights but got input tensor of {x} in function {name}")
    size = x.shape[0 if is_batch_first((*expanded_args, *expanded_kwargs.values())) is not False else 1]
    for weight in (*expanded_args, *expanded_kwargs.values()):
        if is_expanded(weight) and not (size <= weight.batch_size if weight.allow_smaller_batches else size == weight.batch_size):
            raise RuntimeError(
                f"Expected ExpandedWeights to have batch size matching input but got input batch size of {size} with ExpandedWeight of batch "
                f"size {weight.batch_size}"
            )
    return func(*map(plain, expanded_args), **{key: plain(value) for key, value in expanded_kwargs.items()})


def plain(x):
    """The weight of an expanded one; anything else as it is."""
    return x.orig_weight if is_expanded(x) else x


def maybe_scale_by_batch_size(grad_sample, expanded_weight):
    """The gradients of examples where the loss is their mean; else as they are."""
    return grad_sample * expanded_weight.batch_size if expanded_weight.loss_reduction == "mean" else grad_sample


def set_grad_sample_if_exists(maybe_expanded_weight, per_sample_grad_fn):
    """Adds `per_sample_grad_fn(weight)` to the `grad_sample` of an expanded weight; of anything else nothing is asked."""
    weight = unpack_expanded_weight_or_tensor(maybe_expanded_weight)
    if not is_expanded(maybe_expanded_weight):
        return
    found = maybe_scale_by_batch_size(per_sample_grad_fn(weight), maybe_expanded_weight)
    missing = maybe_expanded_weight.batch_size - found.shape[0]
    if missing > 0:
        found = torch.cat([found, found.new_zeros(missing, *found.shape[1:])])
    before = getattr(weight, "grad_sample", None)
    weight.grad_sample = found if before is None else before + found


def unpack_expanded_weight_or_tensor(maybe_expanded_weight, func=lambda x: x):
    """`func` of an expanded weight's weight, or of a tensor that requires no grad; None of what is no tensor."""
    if is_expanded(maybe_expanded_weight):
        return func(maybe_expanded_weight.orig_weight)
    if not isinstance(maybe_expanded_weight, torch.Tensor):
        return None
    if maybe_expanded_weight.requires_grad:
        raise RuntimeError(
            "ExpandedWeights currently does not support a mixture of ExpandedWeight parameters and normal Parameters. Please file and issue "
            "with pytorch/pytorch"
        )
    return func(maybe_expanded_weight)


def sum_over_all_but_batch_and_last_n(tensor, n_dims):
    """The sum over all dimensions but the first and the last `n_dims`."""
    return tensor if tensor.ndim == n_dims + 1 else tensor.sum(tuple(range(1, tensor.ndim - n_dims)))
