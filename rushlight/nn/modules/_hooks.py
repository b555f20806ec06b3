"""The identity node by which a module sees the gradients of its inputs and outputs."""

import rushlight as torch
from rushlight.core import (
    RemovableHandle,  # noqa: F401  (re-exported)
    warn_user,
)


class BackwardHookFunction(torch.autograd.Function):
    """The identity of several tensors as one node, so that its hooks see all their gradients at once."""

    @staticmethod
    def forward(ctx, *tensors):
        ctx.mark_non_differentiable(*[tensor for tensor in tensors if not tensor.requires_grad])
        return tensors

    @staticmethod
    def backward(ctx, *grads):
        return grads


def _is_all_none(result):
    return result is None or (isinstance(result, tuple) and all(r is None for r in result))


class BackwardHook:
    """Runs a module's full backward hooks in one call of the module.

    The node around the outputs runs first in backward: it runs the pre-hooks and keeps the gradients of the outputs. The node around the
    inputs runs last, and gives both to the hooks. Where no input requires a gradient, the hooks run at the outputs.

    Args:
        module: The module.
        user_hooks, user_pre_hooks: What is called, in lists.

    >>> import rushlight as torch
    >>> hook = torch.utils.hooks.BackwardHook(torch.nn.ReLU(), [], [])
    >>> hook.user_hooks, hook.user_pre_hooks
    ([], [])
    """

    def __init__(self, module, user_hooks, user_pre_hooks):
        self.module = module
        self.user_hooks = user_hooks
        self.user_pre_hooks = user_pre_hooks
        self.grad_outputs = None
        self.output_positions = None
        self.output_count = -1
        self.input_positions = None
        self.input_count = -1

    def setup_input_hook(self, args):
        """Returns the arguments, behind one node that runs the hooks."""

        def attach(grad_fn):
            def hook(grad_inputs, _):
                # The gradient may reach the input on a way that does not lead through the module's outputs.
                if self.grad_outputs is None:
                    return None
                grad_inputs = _spread(self.input_positions, grad_inputs, self.input_count)
                for user_hook in self.user_hooks:
                    result = user_hook(self.module, grad_inputs, self.grad_outputs)
                    if result is None:
                        continue
                    if len(result) != len(grad_inputs):
                        raise RuntimeError(
                            "Backward hook returned an invalid number of grad_input, "
                            f"got {len(result)}, but expected {len(grad_inputs)}"
                        )
                    grad_inputs = result
                self.grad_outputs = None
                return tuple(grad_inputs[i] for i in self.input_positions)

            grad_fn.register_hook(hook)

        result, self.input_positions = _wrap(attach, args)
        self.input_count = len(args)
        return result

    def setup_output_hook(self, outputs):
        """Returns the output, behind one node that keeps its gradients for the hooks."""

        def attach(grad_fn):
            def hook(_, grad_outputs):
                self.grad_outputs = _spread(self.output_positions, grad_outputs, self.output_count)
                for pre_hook in self.user_pre_hooks:
                    result = pre_hook(self.module, self.grad_outputs)
                    if result is None:
                        continue
                    if len(result) != self.output_count:
                        raise RuntimeError(
                            "Backward pre hook returned an invalid number of grad_output, "
                            f"got {len(result)}, but expected {self.output_count}"
                        )
                    self.grad_outputs = result
                grad_outputs = self.grad_outputs
                if self.input_positions is None:
                    self._run_without_inputs()
                if grad_outputs is None:
                    return None
                return tuple(grad_outputs[i] for i in self.output_positions)

            grad_fn.register_hook(hook)

        is_tuple = isinstance(outputs, tuple)
        result, self.output_positions = _wrap(attach, outputs if is_tuple else (outputs,))
        self.output_count = len(result)
        return result if is_tuple else result[0]

    def _run_without_inputs(self):
        if self.user_hooks:
            warn_user(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs require "
                "gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.register_full_"
                "backward_hook for more details."
            )
        grad_inputs = _spread([], [], self.input_count)
        for user_hook in self.user_hooks:
            if not _is_all_none(user_hook(self.module, grad_inputs, self.grad_outputs)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or None for all gradients."
                )
        self.grad_outputs = None


def _spread(positions, values, size):
    result = [None] * size
    for position, value in zip(positions, values, strict=True):
        result[position] = value
    return tuple(result)


def _wrap(attach, args):
    positions = [i for i, arg in enumerate(args) if isinstance(arg, torch.Tensor)]
    if not (torch.is_grad_enabled() and any(args[i].requires_grad for i in positions)):
        return args, None
    wrapped = BackwardHookFunction.apply(*[args[i] for i in positions])
    attach(next(tensor.grad_fn for tensor in wrapped if tensor.grad_fn is not None))
    result = list(args)
    for position, tensor in zip(positions, wrapped, strict=True):
        result[position] = tensor
    if type(args) is tuple:
        return tuple(result), positions
    return type(args)(*result), positions  # a named tuple
