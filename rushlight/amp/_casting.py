"""Which dtype ops compute in while autocast is on, as PyTorch has it for the CPU, and the interpreter that casts their arguments."""

import threading

from rushlight import bfloat16, core, float16, float32, float64
from rushlight.core import Tensor

# Products: in the dtype that autocast was given.
NARROW = frozenset(
    [
        "mm",
        "addmm",
        "bmm",
        "baddbmm",
        "addbmm",
        "linear",
        "matmul",
        "_prelu_kernel",
        "vecdot",
        "convolution",
        "_convolution",
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_tbc",
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
        "scaled_dot_product_attention",
    ]
)
# Whatever sums many small numbers or needs their range: in float32.
WIDE = frozenset(
    [
        "adaptive_avg_pool3d",
        "adaptive_max_pool3d",
        "avg_pool3d",
        "max_pool3d",
        "fractional_max_pool2d",
        "fractional_max_pool3d",
        "max_unpool2d",
        "max_unpool3d",
        "_pad_edges",
        "reflection_pad1d",
        "reflection_pad2d",
        "replication_pad1d",
        "replication_pad2d",
        "replication_pad3d",
        "grid_sampler",
        "grid_sampler_2d",
        "grid_sampler_3d",
        "cdist",
        "trace",
        "prod",
        "quantile",
        "nanquantile",
        "polar",
        "_polar",
        "view_as_complex",
        "stft",
        "_cholesky",
        "_cholesky_inverse",
        "_cholesky_solve",
        "_geqrf",
        "ormqr",
        "_linalg_lu_solve",
        "_linalg_lu_factor_ex",
        "lu_solve",
        "_triangular_solve",
        "_linalg_cholesky_ex",
        "_linalg_eig",
        "_linalg_eigh",
        "_linalg_inv_ex",
        "_linalg_qr",
        "_linalg_solve_ex",
        "_linalg_svd",
        "cond",
        "inv_ex",
        "linalg_inv",
        "lstsq",
        "householder_product",
        "matrix_rank",
        "tensorinv",
        "tensorsolve",
        "_ctc",
        "fft",
        "fft2",
        "fftn",
        "hfft",
        "ifft",
        "ifft2",
        "ifftn",
        "ihfft",
        "irfft",
        "irfft2",
        "irfftn",
        "rfft",
        "rfft2",
        "rfftn",
        "_binary_cross_entropy",
        "_binary_cross_entropy_with_logits",
        "cosine_embedding_loss",
        "cross_entropy",
        "_nll_loss",
        "nll_loss",
        "hinge_embedding_loss",
        "huber_loss",
        "kl_div",
        "l1_loss",
        "margin_ranking_loss",
        "mse_loss",
        "multi_margin_loss",
        "multilabel_margin_loss",
        "poisson_nll_loss",
        "smooth_l1_loss",
        "soft_margin_loss",
        "triplet_margin_loss",
        "_ctc",
    ]
)
# What puts tensors together: in the widest dtype among them.
WIDEST = frozenset(["cat", "stack", "index_copy"])
DEVICES = ["cpu", "cuda", "xpu", "mps", "mtia", "hpu", "xla", "ipu", "maia", "privateuseone"]
NARROW_BY_DEFAULT = dict.fromkeys(DEVICES, float16) | dict.fromkeys(("cpu", "hpu", "xla", "maia"), bfloat16)


class State(threading.local):
    """What autocast is on a thread."""

    def __init__(self):
        self.enabled: set[str] = set()
        self.dtypes = dict(NARROW_BY_DEFAULT)
        self.cache_enabled = True
        self.nesting = 0
        self.cached: dict = {}
        self.interpreter = None


state = State()


def is_cast(value):
    """Whether autocast concerns itself with a tensor."""
    return isinstance(value, Tensor) and value.is_floating_point() and value.dtype is not float64


def cast(value, dtype):
    """A tensor in `dtype`, where autocast concerns itself with it; or a list of such. Leaves of float32 are cast once, until autocast ends."""
    if isinstance(value, (list, tuple)):
        return type(value)([cast(item, dtype) for item in value])
    if not is_cast(value) or value.dtype is dtype:
        return value
    if not (
        state.cache_enabled and dtype is state.dtypes["cpu"] and value.dtype is float32 and value.requires_grad and value.is_leaf
    ):
        return value.to(dtype)
    if value._is_view():
        return value.to(dtype)
    found = state.cached.get(id(value))
    if found is None:
        found = state.cached[id(value)] = (value, value.to(dtype))
    return found[1]


def widest(values, narrow):
    """The dtype that tensors are put together in."""
    found = narrow
    for value in values:
        for tensor in value if isinstance(value, (list, tuple)) else (value,):
            if not is_cast(tensor):
                continue
            if tensor.dtype is float32:
                found = float32
            elif tensor.dtype is not narrow and found is not float32:
                raise RuntimeError("Unexpected floating ScalarType in at::autocast::prioritize")
    return found


class Casting:
    """The interpreter: casts the arguments of ops, and calls them as if it were not there."""

    compositions = NARROW | WIDE

    def process(self, op, arguments, keywords):
        """Calls `op`, with its arguments in the dtype that it computes in; what is written in place or into `out=` is not cast."""
        if not isinstance(op, core.Op):
            dtype = self.dtype_for(op.__name__, arguments)
            return op(*cast(arguments, dtype), **{name: cast(value, dtype) for name, value in keywords.items()})
        dtype = None if keywords else self.dtype_for(op.name, arguments)
        return core.run(op, arguments if dtype is None else cast(arguments, dtype), keywords)

    @staticmethod
    def dtype_for(name, arguments):
        """The dtype that a call computes in, or None where it is that of its arguments."""
        narrow = state.dtypes["cpu"]
        if name in NARROW:
            return narrow
        if name in WIDE:
            return float32
        return widest(arguments, narrow) if name in WIDEST else None


def is_enabled(device):
    """Whether autocast is on for a type of devices."""
    return device in state.enabled


def set_enabled(device, enabled):
    """Switches autocast for a type of devices. Only that of the CPU casts anything."""
    if enabled == (device in state.enabled):
        return
    (state.enabled.add if enabled else state.enabled.discard)(device)
    if device == "cpu" and enabled:
        state.interpreter = Casting()
        core.push_interpreter(state.interpreter)
    elif device == "cpu":
        core.remove_interpreter(state.interpreter)
        state.interpreter = None
