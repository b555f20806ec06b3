"""Layers that are functions with a backward of their own."""

import rushlight as torch
from rushlight.autograd import Function


class CrossMapLRN2d(Function):
    """Divides by (k + alpha / size · the sum of squares of neighbouring channels) ** beta."""

    @staticmethod
    def forward(ctx, input, size, alpha=1e-4, beta=0.75, k=1):
        if input.dim() != 4:
            raise ValueError(f"CrossMapLRN2d: Expected input to be 4D, got {input.dim()}D instead.")
        # As many neighbours on both sides.
        around = int((size - 1) / 2 + 1) - 1
        squares = input * input
        scale = neighbours(squares, around, around)
        # (PyTorch, which adds what comes into the window and subtracts what leaves it, never subtracts the first channel.)
        scale[:, around + 1 :] += squares[:, :1]
        scale = scale.mul_(alpha / size).add_(k)
        out = scale.pow(-beta).mul_(input)
        ctx.size, ctx.alpha, ctx.beta = size, alpha, beta
        ctx.save_for_backward(input, out, scale)
        return out

    @staticmethod
    def backward(ctx, grad_output):
        input, out, scale = ctx.saved_tensors
        before = int(ctx.size - (ctx.size - 1) / 2)
        along = neighbours(grad_output * out / scale, before, ctx.size - 1 - before)
        gradient = scale.pow(-ctx.beta).mul_(grad_output).sub_(along.mul_(input), alpha=2 * ctx.alpha * ctx.beta / ctx.size)
        return gradient, None, None, None, None


def neighbours(x, before, after):
    """The sum over each channel, and those before and after it."""
    return torch.constant_pad_nd(x, (0, 0, 0, 0, before, after)).unfold(1, before + after + 1, 1).sum(-1)
