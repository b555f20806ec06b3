"""A weight that stands for one of each example of a batch, and the functions that take it."""

import typing

import rushlight as torch
from rushlight.nn import functional
from rushlight.nn.utils._expanded_weights.expanded_weights_utils import is_expanded
from rushlight.nn.utils._expanded_weights.per_sample import RULES
from rushlight.ops import recurrent

__all__ = ["ExpandedWeight"]


NETS = {getattr(torch, name): getattr(recurrent, name) for name in ("gru", "lstm", "rnn_relu", "rnn_tanh")}
"""The functions of recurrent nets, and what they do where nobody is asked first."""


def by_steps(func, args, kwargs):
    """A recurrent net whose steps are linear functions of expanded weights; of packed sequences the later ones have fewer examples."""
    weights = [x for given in (*args, *kwargs.values()) if isinstance(given, list | tuple) for x in given if is_expanded(x)]
    token, before = recurrent.written_out.set(True), [weight.batch_first for weight in weights]
    try:
        for weight in weights:
            weight.set_allow_smaller_batches(True)
            weight.set_batch_first(True)  # (so is that of a step)
        return NETS[func](*args, **kwargs)
    finally:
        recurrent.written_out.reset(token)
        for weight, first in zip(weights, before, strict=True):
            weight.set_allow_smaller_batches(False)
            weight.set_batch_first(first)


class ExpandedWeight(torch.Tensor):
    """A weight whose gradients, of each of `batch_size` examples, backward puts into the `grad_sample` of `orig_weight`.

    `loss_reduction` says what the loss does with the examples' losses: "sum" or "mean".
    """

    handled_functions: typing.ClassVar = {getattr(functional, name): rule for name, rule in RULES.items()}

    def __new__(cls, orig_weight, batch_size, loss_reduction):
        if not isinstance(orig_weight, torch.Tensor):
            raise RuntimeError(f"Can only make Expanded Weights of Tensors, got {type(orig_weight).__name__}")
        if not orig_weight.requires_grad:
            raise RuntimeError("Can only build ExpandedWeights objects of tensors that requires_grad")
        made = torch.Tensor._make_subclass(cls, orig_weight, True)
        made.batch_size, made.loss_reduction, made.orig_weight = batch_size, loss_reduction, orig_weight
        made.batch_first, made.allow_smaller_batches = True, False
        return made

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in NETS:
            return by_steps(func, args, kwargs)
        rule = cls.handled_functions.get(func)
        if rule is None:
            raise RuntimeError(f"Expanded Weights encountered but cannot handle function {func.__name__}")
        return rule.apply(tuple(kwargs), func, *args, *kwargs.values())

    @property
    def dtype(self):
        """The dtype of the weight."""
        return self.orig_weight.dtype

    @property  # type: ignore[misc]
    def data(self):
        """The weight's data."""
        return self.orig_weight.data

    @property
    def shape(self):
        """The shape of the weight."""
        return self.orig_weight.shape

    @property
    def device(self):
        """The device of the weight."""
        return self.orig_weight.device

    @property
    def is_cuda(self):
        """Whether the weight is on a GPU."""
        return self.orig_weight.is_cuda

    def data_ptr(self):
        """The address of the weight's data."""
        return self.orig_weight.data_ptr()

    def get_device(self):
        """The number of the weight's device."""
        return self.orig_weight.get_device()

    def set_allow_smaller_batches(self, is_allow_smaller_batches):
        """Whether inputs may have fewer examples."""
        self.allow_smaller_batches = is_allow_smaller_batches

    def set_batch_first(self, is_batch_first=True):
        """Whether the first dimension of inputs is the batch."""
        self.batch_first = is_batch_first
