"""Dropout: in training, elements or whole channels become zero at random, and the rest are scaled to keep the expectation."""

from rushlight.core import warn_user
from rushlight.ops import layers

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]


def _check_probability(p):
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def dropout(input, p=0.5, training=True, inplace=False):
    """Each element is zero with probability `p`, the rest are divided by 1 - p;
    nothing changes unless `training` (Hinton et al., 2012).

    Args:
        input: A tensor of any shape.
        p: The probability of zero, from 0 to 1; others raise ValueError.
        training: Whether anything is dropped. Modules pass `self.training`.
        inplace: Whether the result replaces the input.

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.functional.dropout(torch.ones(8))
    tensor([0., 0., 2., 0., 0., 0., 2., 2.])
    >>> torch.nn.functional.dropout(torch.ones(8), training=False)
    tensor([1., 1., 1., 1., 1., 1., 1., 1.])
    """
    _check_probability(p)
    return layers.dropout_(input, p, training) if inplace else layers.dropout(input, p, training)


def alpha_dropout(input, p=0.5, training=False, inplace=False):
    """`dropout` to the negative limit of SELU, scaled and moved so that mean and variance stay (Klambauer et al., 2017).

    `input`, `p`, `training` and `inplace` are as there, but `training` is False unless it is given.

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.functional.alpha_dropout(torch.zeros(4), training=True)
    tensor([-0.7792, -0.7792,  0.7792, -0.7792])
    """
    _check_probability(p)
    return layers.alpha_dropout_(input, p, training) if inplace else layers.alpha_dropout(input, p, training)


def feature_alpha_dropout(input, p=0.5, training=False, inplace=False):
    """`alpha_dropout` of whole channels: the first two dimensions of `input` are (batch, channel).

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.functional.feature_alpha_dropout(torch.zeros(1, 4, 2), training=True)
    tensor([[[-0.7792, -0.7792],
             [-0.7792, -0.7792],
             [ 0.7792,  0.7792],
             [-0.7792, -0.7792]]])
    """
    _check_probability(p)
    return layers.feature_alpha_dropout_(input, p, training) if inplace else layers.feature_alpha_dropout(input, p, training)


def _feature_dropout(input, p, training, inplace):
    return layers.feature_dropout_(input, p, training) if inplace else layers.feature_dropout(input, p, training)


def _without_batch(input, p, training, inplace):
    """Dropout of the channels of an input that has no batch dimension."""
    batch = input.unsqueeze_(0) if inplace else input.unsqueeze(0)
    result = _feature_dropout(batch, p, training, inplace)
    return result.squeeze_(0) if inplace else result.squeeze(0)


def dropout1d(input, p=0.5, training=True, inplace=False):
    """`dropout` of whole channels: each of an input (N, C, L) or (C, L) is zero with probability `p` (Tompson et al., 2014).

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.functional.dropout1d(torch.ones(4, 2))
    tensor([[0., 0.],
            [0., 0.],
            [2., 2.],
            [0., 0.]])
    """
    _check_probability(p)
    dim = input.dim()
    if dim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {dim}D input. Note that dropout1d exists to provide channel-wise "
            "dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs)."
        )
    return (_without_batch if dim == 2 else _feature_dropout)(input, p, training, inplace)


def _warn_of_dimensions(name, dim, spatial):
    warn_user(
        f"{name}: Received a {dim}-D input to {name}, which is deprecated and will result in an error in a future release. To retain "
        f"the behavior and silence this warning, please use dropout instead. Note that {name} exists to provide channel-wise dropout on "
        f"inputs with {spatial} spatial dimensions, a channel dimension, and an optional batch dimension "
        f"(i.e. {spatial + 1}D or {spatial + 2}D inputs)."
    )


def dropout2d(input, p=0.5, training=True, inplace=False):
    """`dropout` of whole channels: each of an input (N, C, H, W) is zero with probability `p`.

    Three dimensions are taken for (N, C, L), with a warning: `dropout1d` is for them.

    >>> import rushlight as torch
    >>> torch.nn.functional.dropout2d(torch.ones(2, 100, 3, 3)).unique()
    tensor([0., 2.])
    """
    _check_probability(p)
    dim = input.dim()
    if dim not in (3, 4):
        _warn_of_dimensions("dropout2d", dim, 2)
    if dim == 3:
        warn_user(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - input is "
            "interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a future release to interpret the "
            "input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise dropout behavior, please "
            "switch to using dropout1d instead."
        )
    return _feature_dropout(input, p, training, inplace)


def dropout3d(input, p=0.5, training=True, inplace=False):
    """`dropout` of whole channels: each of an input (N, C, D, H, W) or (C, D, H, W) is zero with probability `p`.

    >>> import rushlight as torch
    >>> torch.nn.functional.dropout3d(torch.ones(2, 100, 3, 3, 3)).unique()
    tensor([0., 2.])
    """
    _check_probability(p)
    dim = input.dim()
    if dim not in (4, 5):
        _warn_of_dimensions("dropout3d", dim, 3)
    return (_without_batch if dim != 5 else _feature_dropout)(input, p, training, inplace)
