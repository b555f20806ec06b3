"""Instance normalization (Ulyanov et al., 2016): each channel of each sample."""

from rushlight.core import warn_user

from .. import functional as F
from .batchnorm import _LazyNormBase, _NormBase

__all__ = [
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
]


class _InstanceNorm(_NormBase):
    def __init__(
        self,
        num_features,
        eps=1e-5,
        momentum=0.1,
        affine=False,
        track_running_stats=False,
        device=None,
        dtype=None,
        *,
        bias=True,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _get_no_batch_dim(self):
        raise NotImplementedError

    def _check_input_dim(self, input):
        least = self._get_no_batch_dim()
        if input.dim() not in (least, least + 1):
            raise ValueError(f"expected {least}D or {least + 1}D input (got {input.dim()}D input)")

    def forward(self, input):
        self._check_input_dim(input)
        without_batch = input.dim() == self._get_no_batch_dim()
        place = 0 if without_batch else 1
        if input.size(place) != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={place} to match num_features ({self.num_features}), but got: {input.size(place)}."
                )
            warn_user(
                f"input's size at dim={place} does not match num_features. You can silence this warning by not passing in num_features, "
                "which is not used because affine=False"
            )
        made = F.instance_norm(
            input.unsqueeze(0) if without_batch else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return made.squeeze(0) if without_batch else made

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs):
        if local_metadata.get("version") is None and not self.track_running_stats:
            names = [prefix + name for name in ("running_mean", "running_var") if prefix + name in state_dict]
            if names:
                kind = type(self).__name__
                error_msgs.append(
                    f"Unexpected running stats buffer(s) {' and '.join(repr(name).replace(chr(39), chr(34)) for name in names)} for {kind} "
                    "with track_running_stats=False. If state_dict is a checkpoint saved before 0.4.0, this may be expected because "
                    f"{kind} does not track running stats by default since 0.4.0. Please remove these keys from state_dict. If the running "
                    f"stats are actually needed, instead set track_running_stats=True in {kind} to enable them. See the documentation of "
                    f"{kind} for details."
                )
                for name in names:
                    state_dict.pop(name)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)


class InstanceNorm1d(_InstanceNorm):
    """(x - mean) / sqrt(var + eps), with mean and variance of each channel of each sample (Ulyanov et al., 2016).

    Weight and bias per channel follow, if `affine`. Shapes: (N, C, L) or (C, L).

    Args:
        num_features: C.
        eps: Added to the variance.
        momentum: How far the running statistics move towards those of each batch.
        affine: Whether there are a weight (ones at first) and a bias (zeros); `bias=False` leaves the bias out.
        track_running_stats: Whether there are running statistics, to be used in evaluation mode; by default none.

    >>> import rushlight as torch
    >>> torch.nn.InstanceNorm1d(2)(torch.tensor([[[1.0, 3.0], [0.0, 50.0]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """

    def _get_no_batch_dim(self):
        return 2


class InstanceNorm2d(_InstanceNorm):
    """As `InstanceNorm1d`, for images: (N, C, H, W) or (C, H, W).

    >>> import rushlight as torch
    >>> y = torch.nn.InstanceNorm2d(3)(torch.arange(24.0).view(2, 3, 2, 2))
    >>> y[0, 0]
    tensor([[-1.3416, -0.4472],
            [ 0.4472,  1.3416]])
    """

    def _get_no_batch_dim(self):
        return 3


class InstanceNorm3d(_InstanceNorm):
    """As `InstanceNorm1d`, for volumes: (N, C, D, H, W) or (C, D, H, W).

    >>> import rushlight as torch
    >>> torch.nn.InstanceNorm3d(3)(torch.ones(2, 3, 4, 5, 6)).shape
    torch.Size([2, 3, 4, 5, 6])
    """

    def _get_no_batch_dim(self):
        return 4


class LazyInstanceNorm1d(_LazyNormBase, _InstanceNorm):
    """`InstanceNorm1d` whose `num_features` are those of the first input, which makes it an `InstanceNorm1d`.

    >>> import rushlight as torch
    >>> layer = torch.nn.LazyInstanceNorm1d(affine=True)
    >>> _ = layer(torch.ones(2, 5, 4))
    >>> layer.weight.shape
    torch.Size([5])
    """

    cls_to_become = InstanceNorm1d
    _get_no_batch_dim = InstanceNorm1d._get_no_batch_dim


class LazyInstanceNorm2d(_LazyNormBase, _InstanceNorm):
    """`InstanceNorm2d` whose `num_features` are those of the first input, which makes it an `InstanceNorm2d`.

    >>> import rushlight as torch
    >>> layer = torch.nn.LazyInstanceNorm2d()
    >>> _ = layer(torch.ones(2, 5, 4, 4))
    >>> layer.num_features
    5
    """

    cls_to_become = InstanceNorm2d
    _get_no_batch_dim = InstanceNorm2d._get_no_batch_dim


class LazyInstanceNorm3d(_LazyNormBase, _InstanceNorm):
    """`InstanceNorm3d` whose `num_features` are those of the first input, which makes it an `InstanceNorm3d`.

    >>> import rushlight as torch
    >>> layer = torch.nn.LazyInstanceNorm3d()
    >>> _ = layer(torch.ones(2, 5, 4, 4, 4))
    >>> layer.num_features
    5
    """

    cls_to_become = InstanceNorm3d
    _get_no_batch_dim = InstanceNorm3d._get_no_batch_dim
