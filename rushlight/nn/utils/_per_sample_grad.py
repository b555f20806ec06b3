"""Calls of a module after which backward gives the gradient of each example of a batch."""

import functools

import rushlight as torch
from rushlight.nn.utils._expanded_weights import ExpandedWeight
from rushlight.utils._pytree import tree_leaves

__all__ = ["call_for_per_sample_grads"]


def call_for_per_sample_grads(module, *, batch_size=None, loss_reduction="sum", batch_first=True):
    """A function that calls `module`, so that backward puts the gradient of each example into `grad_sample` of its parameters.

    Args:
        module: A module of linear layers, convolutions, embeddings and norms, and of layers without parameters.
        batch_size: How many examples there are (default: as many as the tensors among the arguments have).
        loss_reduction: What the loss does with the examples' losses: "sum" or "mean".
        batch_first: Whether the first dimension of inputs is the batch, and not the second.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils._per_sample_grad import call_for_per_sample_grads
    >>> layer = torch.nn.Linear(2, 1, bias=False)
    >>> call_for_per_sample_grads(layer)(torch.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    >>> layer.weight.grad_sample
    tensor([[[1., 2.]],
    <BLANKLINE>
            [[3., 4.]]])
    """
    if not isinstance(module, torch.nn.Module):
        raise RuntimeError(f"Module passed must be nn.Module, got {type(module).__name__}")
    if not (batch_size is None or isinstance(batch_size, int)):
        raise RuntimeError(f"Batch size passed must be None or an integer, got {type(batch_size).__name__}")
    if batch_size is not None and batch_size < 1:
        raise RuntimeError(f"Batch size must be positive, got {batch_size}")
    if loss_reduction not in ("sum", "mean"):
        raise RuntimeError(f"Expected loss_reduction argument to be sum or mean, got {loss_reduction}")
    for weight in module.parameters():
        if getattr(weight, "grad_sample", None) is not None:
            raise RuntimeError(
                "Current Expanded Weights accumulates the gradients, which will be incorrect for multiple calls without clearing gradients. "
                f"Please clear out the grad_sample parameter of {weight} or post an issue to pytorch/pytorch to prioritize correct behavior"
            )

    def expanded(weight, size):
        if not weight.requires_grad:
            return weight
        made = ExpandedWeight(weight, size, loss_reduction)
        made.set_batch_first(batch_first)
        return made

    @functools.wraps(module.forward)
    def call(*args, **kwargs):
        size = size_of(args, kwargs, batch_first) if batch_size is None else batch_size
        weights = {name: expanded(weight, size) for name, weight in module.named_parameters()}
        return torch.func.functional_call(module, weights, args, kwargs)

    return call


def size_of(args, kwargs, batch_first):
    """How many examples the tensors among the arguments have."""
    sizes = [x.shape[0 if batch_first else 1] for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
    if not sizes:
        raise RuntimeError(
            "Unable to find a tensor in the passed args and kwargs. They may not be pytree-able and so ExpandedWeights cannot compute the batch "
            "size from the inputs. Please specify it explicitly"
        )
    for size in sizes:
        if size != sizes[0]:
            raise RuntimeError(
                f"When computing batch size, found at least one input with batch size {sizes[0]} and one with batch size {size}. Please specify "
                "it explicitly using the batch size kwarg in call_for_per_sample_grads"
            )
    return sizes[0]
