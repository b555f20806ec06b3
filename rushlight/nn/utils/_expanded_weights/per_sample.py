"""The functions that take expanded weights: their gradients by the weights are those of each example, by vmap."""

import inspect

import rushlight as torch
from rushlight.autograd.function import Function
from rushlight.nn.utils._expanded_weights.expanded_weights_utils import (
    forward_helper,
    is_batch_first,
    is_expanded,
    plain,
    set_grad_sample_if_exists,
    standard_kwargs,
)

__all__ = ["RULES"]


class PerSampleGrad(Function):
    """A function of an input, weights and settings."""

    @staticmethod
    def check(args, kwargs):
        """Raises where the input has no batch."""

    @staticmethod
    def again(func, args, kwargs):
        """The arguments with which backward computes the function once more."""
        return args, kwargs

    @staticmethod
    def forward(ctx, kwarg_names, func, *expanded):
        args, kwargs = standard_kwargs(kwarg_names, expanded)
        cls = ctx._forward_cls
        cls.check(args, kwargs)
        out = forward_helper(func, args, kwargs)
        ctx.func, ctx.given = func, cls.again(func, args, kwargs)
        ctx.count, ctx.dim = len(expanded), 1 if is_batch_first(expanded) is False else 0
        return out

    @staticmethod
    def backward(ctx, g):
        func, (args, kwargs) = ctx.func, ctx.given
        names = [*range(len(args)), *kwargs]
        values = dict(zip(names, (*args, *kwargs.values()), strict=True))
        dim = ctx.dim

        def call(changed):
            merged = {name: changed.get(name, plain(value)) for name, value in values.items()}
            positional = [merged.pop(place) for place in range(len(args))]
            return func(*positional, **merged)

        def by_weight(name):
            def of_one(x, cotangent, weight):
                pull = torch.func.vjp(lambda w: call({0: x.unsqueeze(dim), name: w}), weight)[1]
                return pull(cotangent.unsqueeze(dim))[0]

            return lambda weight: torch.func.vmap(of_one, (dim, dim, None))(args[0].detach(), g, weight.detach())

        gradient = None
        if ctx.needs_input_grad[2]:
            with torch.enable_grad():
                x = args[0].detach().requires_grad_()
                gradient = torch.autograd.grad(call({0: x}), x, g)[0]
        for name, value in values.items():
            if name != 0 and is_expanded(value):
                set_grad_sample_if_exists(value, by_weight(name))
        return None, None, gradient, *[None] * (ctx.count - 1)


def with_settings(func, args, kwargs, **settings):
    """The arguments of a call with other settings."""
    bound = inspect.signature(func).bind(*args, **kwargs)
    bound.arguments.update(settings)
    return bound.args, bound.kwargs


class LinearPerSampleGrad(PerSampleGrad):
    """`linear`."""

    @staticmethod
    def check(args, kwargs):
        if isinstance(args[0], torch.Tensor) and args[0].ndim < 2:
            raise RuntimeError(
                f"Input does not have a batch dimension. Expanded Weights expected input of at least rank 2, got of rank {args[0].ndim}"
            )


class EmbeddingPerSampleGrad(PerSampleGrad):
    """`embedding`."""

    @staticmethod
    def check(args, kwargs):
        if isinstance(args[0], torch.Tensor) and args[0].ndim == 1:
            raise RuntimeError(f"Expanded Weights needs an input with a batch size, got a 1D tensor, {args[0]}")

    @staticmethod
    def again(func, args, kwargs):
        # (Forward has made the rows as short as they may be.)
        return with_settings(func, args, kwargs, max_norm=None, scale_grad_by_freq=False, sparse=False)


class ConvPerSampleGrad(PerSampleGrad):
    """Convolutions."""

    @staticmethod
    def again(func, args, kwargs):
        weight = args[1] if len(args) > 1 else kwargs["weight"]
        if args[0].ndim != len(weight.shape):
            raise RuntimeError(
                f"Expanded Weights only support convolution with batched input, got {func} with anunbatched input of dim {args[0].ndim}, "
                f"expected input of dim {len(weight.shape)}"
            )
        return args, kwargs


class GroupNormPerSampleGrad(PerSampleGrad):
    """`group_norm`."""


class InstanceNormPerSampleGrad(PerSampleGrad):
    """`instance_norm`."""

    @staticmethod
    def again(func, args, kwargs):
        # (Forward has moved the running statistics.)
        bound = inspect.signature(func).bind(*args, **kwargs).arguments
        settings = {"running_mean": None, "running_var": None} if bound.get("use_input_stats", True) else {}
        return with_settings(func, args, kwargs, **settings)


class LayerNormPerSampleGrad(PerSampleGrad):
    """`layer_norm`."""

    @staticmethod
    def check(args, kwargs):
        shape = args[1] if len(args) > 1 else kwargs["normalized_shape"]
        if len(args[0].shape) == len(shape):
            raise RuntimeError(
                "Expanded Weights: Layer norm should not normalize over batch dimension for per sample gradient"
                f"computations but got that normalized shape, {shape}, matched input shape."
            )


RULES = {
    "conv1d": ConvPerSampleGrad,
    "conv2d": ConvPerSampleGrad,
    "conv3d": ConvPerSampleGrad,
    "embedding": EmbeddingPerSampleGrad,
    "group_norm": GroupNormPerSampleGrad,
    "instance_norm": InstanceNormPerSampleGrad,
    "layer_norm": LayerNormPerSampleGrad,
    "linear": LinearPerSampleGrad,
}
"""A function of `nn.functional` by its name -> the Function that computes it."""
