"""The layers and losses of `nn` as functions: parameters are arguments, and nothing is kept between calls."""

from .activation import *
from .attention import (
    _canonical_mask,
    _in_projection,
    _in_projection_packed,
    _mha_shape_check,
    _none_or_dtype,
    multi_head_attention_forward,
    scaled_dot_product_attention,
)
from .classification_loss import *
from .distance import *
from .dropout import *
from .fold import *
from .linear import *
from .margin_loss import *
from .normalization import *
from .padding import *
from .pooling import *
from .regression_loss import *
from .sparse import *
from .vision import *
from rushlight._late import late as _late
from rushlight.ops._parsers import add_parsers as _add_parsers

_IN_C = (
    "adaptive_avg_pool1d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "channel_shuffle",
    "native_channel_shuffle",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_tbc",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
)
"""What PyTorch has in C and nothing of Python before it, and is declared late."""

__getattr__ = _late(__name__, {name: f"rushlight._C._nn:{name}" for name in _IN_C} | {"grad": "rushlight.nn.grad"})


def __dir__():
    return sorted({*globals(), *_IN_C, "grad"})


# What PyTorch has in C; the others are functions of Python there as well.
_add_parsers(
    globals(),
    only=[
        "bilinear",
        "celu_",
        "cosine_similarity",
        "elu_",
        "gelu",
        "hardshrink",
        "hardtanh_",
        "leaky_relu_",
        "linear",
        "logsigmoid",
        "one_hot",
        "pairwise_distance",
        "pdist",
        "pixel_shuffle",
        "pixel_unshuffle",
        "prelu",
        "relu_",
        "rrelu_",
        "selu_",
        "softplus",
        "softshrink",
        "threshold_",
    ],
    titles={"logsigmoid": "log_sigmoid"},
)

from rushlight._overridable import overridable as _overridable

_ALONE = (
    "grouped_mm", "hardsigmoid", "hardswish", "scaled_mm", "sigmoid", "tanh", "upsample", "upsample_bilinear", "upsample_nearest",
)  # fmt: skip
"""What subclasses are not asked about, but about what it is made of."""
_overridable([_value for _name, _value in list(globals().items()) if _name[0] != "_" and _name not in _ALONE])
