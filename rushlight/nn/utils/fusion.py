"""Batch norms in evaluation as part of the layer before them."""

import copy

import rushlight as torch
from rushlight.nn.parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _check_evaluation(layer, bn):
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")


def _fused(weight, bias, running_mean, running_var, eps, factor, shift, scale_of):
    """Weight and bias of layer and norm in one; `scale_of` puts the scale of each output where the weight has it."""
    dtype = weight.dtype
    bias_dtype = dtype if bias is None else bias.dtype
    bias = torch.zeros_like(running_mean) if bias is None else bias
    factor = torch.ones_like(running_mean) if factor is None else factor
    shift = torch.zeros_like(running_mean) if shift is None else shift
    scale = factor * torch.rsqrt(running_var + eps)
    fused_weight = (weight * scale_of(scale)).to(dtype=dtype)
    fused_bias = ((bias - running_mean) * scale + shift).to(dtype=bias_dtype)
    return Parameter(fused_weight, weight.requires_grad), Parameter(fused_bias, bias.requires_grad)


def fuse_conv_bn_eval(conv, bn, transpose=False):
    """A convolution that does what `conv` and a batch norm `bn` behind it do in evaluation;
    `transpose` says that it is a transposed one.

    >>> import rushlight as torch
    >>> layer, norm = torch.nn.Conv1d(3, 2, 1).eval(), torch.nn.BatchNorm1d(2).eval()
    >>> x = torch.ones(1, 3, 4)
    >>> torch.allclose(torch.nn.utils.fuse_conv_bn_eval(layer, norm)(x), norm(layer(x)))
    True
    """
    _check_evaluation(conv, bn)
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


def fuse_conv_bn_weights(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, transpose=False):
    """Weight and bias of `fuse_conv_bn_eval`: conv_w * bn_w / sqrt(bn_rv + bn_eps), and (conv_b - bn_rm) * that factor + bn_b.

    Args:
        conv_w, conv_b: Weight and bias (or None) of the convolution, where `transpose` of a transposed one.
        bn_rm, bn_rv, bn_eps, bn_w, bn_b: Running mean and variance, eps, weight and bias (or None) of the batch norm.

    >>> import rushlight as torch
    >>> weight, mean, var = torch.ones(1, 1, 1), torch.tensor([3.0]), torch.tensor([4.0])
    >>> torch.nn.utils.fuse_conv_bn_weights(weight, None, mean, var, 0.0, None, None)
    (Parameter containing:
    tensor([[[0.5000]]]), Parameter containing:
    tensor([-1.5000]))
    """
    ones = [1] * (conv_w.dim() - 2)
    return _fused(
        conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, lambda s: s.reshape([1, -1, *ones] if transpose else [-1, 1, *ones])
    )


def fuse_linear_bn_eval(linear, bn):
    """A linear layer that does what `linear` and a batch norm `bn` behind it do in evaluation.

    Raises:
        AssertionError: Their sizes do not fit, or there are no running statistics.

    >>> import rushlight as torch
    >>> layer, norm = torch.nn.Linear(3, 2).eval(), torch.nn.BatchNorm1d(2).eval()
    >>> x = torch.ones(1, 3)
    >>> torch.allclose(torch.nn.utils.fuse_linear_bn_eval(layer, norm)(x), norm(layer(x)))
    True
    """
    _check_evaluation(linear, bn)
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused


def fuse_linear_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b):
    """Weight and bias of `fuse_linear_bn_eval`, of `linear_w`,
    `linear_b` (or None) and what `fuse_conv_bn_weights` takes of the batch norm.

    >>> import rushlight as torch
    >>> weight, mean, var, scale, shift = torch.ones(1, 1), *torch.tensor([[3.0], [4.0], [1.0], [0.0]])
    >>> torch.nn.utils.fuse_linear_bn_weights(weight, None, mean, var, 0.0, scale, shift)
    (Parameter containing:
    tensor([[0.5000]]), Parameter containing:
    tensor([-1.5000]))
    """
    return _fused(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, lambda scale: scale.unsqueeze(-1))
