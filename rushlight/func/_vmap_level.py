"""The interpreter of vmap: every op on a tensor of the batch runs by its batching rule on the whole batch."""

import rushlight as torch
from rushlight import core
from rushlight.core import run, warn_user
from rushlight.func import batching
from rushlight.func.batching import random
from rushlight.ops._names import dispatched_name, public_name
from rushlight.ops.filling import copy
from rushlight.ops.random import OUT_IN_VMAP

UNREADABLE = {
    "derivative": "vmap: It looks like you're either (1) calling .item() on a Tensor or (2) attempting to use a Tensor in some "
    "data-dependent control flow or (3) encountering this error in PyTorch internals. For (1): we don't support vmap over "
    "calling .item() on a Tensor, please try to rewrite what you're doing with other operations. For (2): we don't support "
    "data-dependent control flow in vmap yet, please file an issue at https://github.com/pytorch/pytorch/issues . For (3): "
    "please file an issue.",
    "bool": "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't support that yet, "
    "please file an issue at https://github.com/pytorch/pytorch/issues .",
    "item": "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling .item() on a Tensor, please "
    "try to rewrite what you're doing with other operations. If error is occurring somewhere inside PyTorch internals, "
    "please file a bug report.",
    "equal": "Batching rule not implemented for aten::equal. We could not generate a fallback.",
    "allclose": "vmap over torch.allclose isn't supported yet. Please file an issue at https://github.com/pytorch/pytorch/issues if you "
    "need this feature.",
}
"""What is said where somebody asks for elements of one example, by what asks."""


class VmapLevel(core.BatchLevel):
    """One vmap: what its core (core/transforms/batch.pxi) leaves to Python."""

    # ---- one op -----------------------------------------------------------------------------------------------------------
    def process(self, op, arguments, keywords):
        """`op` on what is within, and its results as tensors of this level; the core sends what is not plain."""
        values, batched, any_batched, ours = self.apart(arguments)
        mode = keywords["mode"] if keywords else core.MODE_NEW
        draws = batching.rule_of(op) is random.drawn
        if mode == core.MODE_OUT and draws:
            raise RuntimeError(OUT_IN_VMAP)
        if mode == core.MODE_OUT and (ours or core.wrapped_at(self, keywords["out"])):
            raise RuntimeError(
                f"Batching rule not implemented for aten::{op.name}.out; the fallback path doesn't work on out= or view ops."
            )
        if draws:
            return random.call(self, op, arguments, values, batched, any_batched, mode)
        if not any_batched:
            return self.unbatched(op, arguments, values, keywords, ours)
        if mode == core.MODE_IN_PLACE:
            return self.in_place(op, arguments, values, batched)
        return core.dressed_examples(self, op, self.by_rule(op, values, batched))

    def unbatched(self, op, arguments, values, keywords, ours):
        """Nothing has a batch: the op itself, on tensors of this level where one of them is."""
        result = run(op, tuple(values), keywords)
        if not ours:
            return result
        if keywords:
            if isinstance(op, core.ViewOp):
                core.put_within(arguments[0], result, None)
            return arguments[0]
        return core.dressed_examples(self, op, result, None)

    def recovered(self, op, values, batched, error):
        """The result of a loop where there is no rule; other errors are said in terms of one example."""
        if isinstance(error, batching.NoRule):
            return self.loop(op, values, batched)
        if not getattr(error, "of_batch", False):
            self.check_example(op, values, batched)
        raise error

    def example(self, values, batched, i):
        """The arguments of one example."""

        def chosen(value, flag):
            if type(flag) is list:
                return list(map(chosen, value, flag))
            return value.select(0, i) if flag else value

        return tuple(map(chosen, values, batched))

    def check_example(self, op, values, batched, keywords=None):
        """Raises the error that the first example gives, if it gives one."""
        if self.size == 0:
            return
        with torch.no_grad():
            given = self.example(values, batched, 0)
            if keywords:
                given = (given[0].clone(), *given[1:])
            try:
                run(op, given, keywords)
            except (RuntimeError, IndexError, ValueError, TypeError) as error:
                raise error from None

    def loop(self, op, values, batched):
        """An op without a batching rule: one example after the other."""
        name = dispatched_name(op, values, False)
        if self.size == 0:
            raise RuntimeError(
                f"Batching rule not implemented for aten::{name}. The fallback path does not support vmap over dims of size 0."
            )
        warn_of_loop(name)
        results = [run(op, self.example(values, batched, i)) for i in range(self.size)]
        if isinstance(results[0], torch.Tensor):
            return torch.stack(results)
        return tuple([torch.stack(parts) for parts in zip(*results, strict=True)])

    # ---- in place ---------------------------------------------------------------------------------------------------------
    def in_place(self, op, arguments, values, batched):
        """The call writes into the batch of its first argument, which must have one."""
        target = values[0]
        if not batched[0]:
            raise self.cannot_write(op, values, batched)
        if isinstance(op, core.ViewOp):
            core.put_within(arguments[0], self.by_rule(op, values, batched), 0)
            return arguments[0]
        if type(op) is core.PointwiseOp:
            if all(
                not isinstance(x, torch.Tensor) or x.ndim - flag < target.ndim for x, flag in zip(values, batched, strict=True)
            ):
                aligned = batching.aligned(values, batched, op.tensor_parameters)
                try:
                    run(op, tuple(aligned), core.IN_PLACE)
                    return arguments[0]
                except RuntimeError:
                    if op.declaration.refusal not in ("arithmetic", "shapes"):
                        self.check_example(op, values, batched, core.IN_PLACE)
                    raise
            raise self.wrong_shape(values, batched)
        if op is copy and batching.examples_fit(values, batched):
            if batched[1]:
                values[1] = core.lined_up(values[1], True, target.ndim - 1)
            run(op, tuple(values), core.IN_PLACE)
            return arguments[0]
        if torch.is_grad_enabled():
            # What a rule's ops save of the target must survive the write.
            values[0] = target.clone()
        result = self.by_rule(op, values, batched)
        if result.shape != target.shape or not torch.can_cast(result.dtype, target.dtype):
            self.check_example(op, values, batched, core.IN_PLACE)
        target.copy_(result)
        return arguments[0]

    def wrong_shape(self, values, batched):
        """The error of an in-place call whose target would have to grow."""
        pairs = [(x, flag) for x, flag in zip(values, batched, strict=True) if isinstance(x, torch.Tensor)]
        ndim = max([x.ndim - flag for x, flag in pairs])
        shapes = [tuple(core.lined_up(x, flag, ndim).shape) for x, flag in pairs]
        joined = torch.broadcast_shapes(*shapes)
        return RuntimeError(f"output with shape {list(shapes[0])} doesn't match the broadcast shape {list(joined)}")

    def cannot_write(self, op, values, batched):
        """The error of a write of batched values into a tensor without a batch."""
        refusal = op.declaration.refusal
        if refusal == "shapes":
            run(op, tuple(batching.aligned(values, batched, op.tensor_parameters)), core.IN_PLACE)
        name, where = "inplace arithmetic", "in a vmap"
        public = public_name(op) + "_"
        if refusal == "name":
            name = public
        elif refusal != "arithmetic" and not (refusal == "number" and not isinstance(values[2], torch.Tensor)):
            name, where = f"aten::{public}", f"at level {self.depth}"
        return RuntimeError(not_writable(name, where))

    # ---- what looks at elements -------------------------------------------------------------------------------------------
    def read(self, wrapped, what):
        """Elements of one example cannot be had; those of a tensor without a batch can."""
        if what == "data":
            raise RuntimeError("accessing `data` under vmap transform is not allowed")
        if wrapped.aspect is None:
            return wrapped.value
        if what in ("bool", "item") and core.wrapper_kind(wrapped) == "TensorWrapper":
            what = "derivative"
        raise RuntimeError(UNREADABLE.get(what, "Cannot access data pointer of Tensor that doesn't have storage"))

    # ---- new tensors ------------------------------------------------------------------------------------------------------
    def beside(self, wrapped, made):
        """A new tensor of an example as one of the batch, where `wrapped` has one: it can then be written into."""
        if wrapped.aspect is None:
            return core.beside(wrapped.value, made)
        span = 1 + sum([(n - 1) * step for n, step in zip(made.shape, made.stride(), strict=True)]) if made.numel() else 0
        batch = core.empty_tensor((self.size, *made.shape), made.dtype, (span, *made.stride()))
        return core.wrap(self, core.beside(wrapped.value, batch), 0)

    def empty_like(self, wrapped, dtype):
        """An unset tensor in the layout of `wrapped`."""
        made = core.empty_like_layout(wrapped.value, dtype)
        return made if wrapped.aspect is None else core.wrap(self, made, wrapped.aspect)

    draw = random.draw


def without_batch(value, level):
    """A result under a level of vmap with the batch as its first dimension."""
    if core.is_at(value, level):
        if value.aspect is not None:
            return value.value
        value = value.value
    return value.expand(level.size, *value.shape)


def not_writable(name, where="in a vmap"):
    """The text of the error of a write of batched values into a tensor without a batch."""
    return (
        f"vmap: {name}(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args that has more elements than "
        f"`self`. This happened due to `other` being vmapped over but `self` not being vmapped over {where}. Please try to use "
        f"out-of-place operators instead of {name}. If said operator is being called inside the PyTorch framework, please file a bug "
        "report instead."
    )


class fallback_warnings:
    """Whether a loop over the examples says that it is one."""

    enabled = True


def warn_of_loop(name):
    """Says that an op has no batching rule."""
    if fallback_warnings.enabled:
        warn_user(
            f"There is a performance drop because we have not yet implemented the batching rule for aten::{name}. Please file us an issue "
            "on GitHub so that we can prioritize its implementation."
        )
