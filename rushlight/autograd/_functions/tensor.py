"""A tensor in another dtype or shape, as the Functions that programs know by these names."""

from math import prod

from rushlight.autograd.function import Function

__all__ = ["Resize", "Type"]


class Type(Function):
    """`Type.apply(x, dtype)`: `x` in another dtype."""

    @staticmethod
    def forward(ctx, i, dest_type):
        ctx.input_type = i.type()
        return i.type(dest_type)

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output.type(ctx.input_type), None


class Resize(Function):
    """`Resize.apply(x, sizes)`: `x` in another shape of as many elements."""

    @staticmethod
    def forward(ctx, tensor, sizes):
        count = prod(sizes)
        if tensor.numel() != count:
            raise RuntimeError(
                f"requested resize to {'x'.join(map(str, sizes))} ({count} elements in total), but the given tensor has a size of "
                f"{'x'.join(map(str, tensor.size()))} ({tensor.numel()} elements). autograd's resize can only change the shape of a given "
                "tensor, while preserving the number of elements. "
            )
        ctx.input_sizes = tensor.size()
        if tensor.is_contiguous():
            return tensor.new(tensor).contiguous().view(*sizes)
        return tensor.contiguous().view(*sizes)

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output.contiguous().view(ctx.input_sizes), None
