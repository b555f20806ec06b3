"""What distributions are made with: broadcasting, probabilities and logits, values computed when first asked for."""

from functools import update_wrapper
from numbers import Number as AnyNumber

import rushlight as torch
from rushlight.nn.functional import softmax
from rushlight.overrides import is_tensor_like

TYPE_CHECKING = False  # (checkers take it for true; `typing` is slow to import)
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
    "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]

euler_constant = 0.57721566490153286060


def broadcast_all(*values) -> "Any":
    """Tensors of one shape from tensors and numbers that broadcast; a number takes the dtype of the first tensor, or the default one.

    >>> import rushlight
    >>> from rushlight.distributions.utils import broadcast_all
    >>> broadcast_all(rushlight.zeros(2), 1)
    (tensor([0., 0.]), tensor([1., 1.]))
    """
    if not all(is_tensor_like(value) or isinstance(value, AnyNumber) for value in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__."
        )
    first = next((value for value in values if isinstance(value, torch.Tensor)), None)
    dtype = torch.get_default_dtype() if first is None else first.dtype
    return torch.broadcast_tensors(*(value if is_tensor_like(value) else torch.tensor(value, dtype=dtype) for value in values))


def _standard_normal(shape, dtype, device):
    """Standard normal numbers, drawn as torch.normal draws them."""
    return torch.normal(torch.zeros(shape, dtype=dtype, device=device), torch.ones(shape, dtype=dtype, device=device))


def _sum_rightmost(value, dim):
    """The sum over the last `dim` dimensions."""
    return value if dim == 0 else value.reshape(value.shape[: value.dim() - dim] + (-1,)).sum(-1)


def logits_to_probs(logits, is_binary=False):
    """Probabilities: the softmax of `logits` over the last dimension, or with `is_binary` the logistic function of each.

    >>> import rushlight as torch
    >>> from rushlight.distributions.utils import logits_to_probs
    >>> logits_to_probs(torch.zeros(2)), logits_to_probs(torch.zeros(2), is_binary=True)
    (tensor([0.5000, 0.5000]), tensor([0.5000, 0.5000]))
    """
    return torch.sigmoid(logits) if is_binary else softmax(logits, dim=-1)


def clamp_probs(probs):
    """Probabilities `probs` moved away from 0 and 1 by the dtype's epsilon, so that their logits are finite.

    >>> import rushlight as torch
    >>> from rushlight.distributions.utils import clamp_probs
    >>> clamp_probs(torch.tensor([0.0, 0.5]))
    tensor([1.1921e-07, 5.0000e-01])
    """
    eps = torch.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs, is_binary=False):
    """Logarithms of probabilities `probs`, or with `is_binary` of their odds.

    >>> import rushlight as torch
    >>> from rushlight.distributions.utils import probs_to_logits
    >>> probs_to_logits(torch.tensor([0.5, 0.75]), is_binary=True)
    tensor([0.0000, 1.0986])
    """
    probs = clamp_probs(probs)
    return torch.log(probs) - torch.log1p(-probs) if is_binary else torch.log(probs)


class lazy_property:
    """A property that is computed (`wrapped`) when first asked for, recorded even within `no_grad`,
    and an attribute of the object from then on.

    >>> import rushlight as torch
    >>> from rushlight.distributions.utils import lazy_property
    >>> class Ring:
    ...     @lazy_property
    ...     def radius(self):
    ...         print("computed")
    ...         return 2.0
    >>> ring = Ring()
    >>> ring.radius + ring.radius
    computed
    4.0
    """

    def __init__(self, wrapped):
        self.wrapped = wrapped
        update_wrapper(self, wrapped)

    def __get__(self, instance, obj_type=None):
        if instance is None:
            return _lazy_property_and_property(self.wrapped)
        with torch.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


class _lazy_property_and_property(lazy_property, property):
    """What the class shows of a lazy property: documented and typed as a property is."""

    def __init__(self, wrapped):
        property.__init__(self, wrapped)


def tril_matrix_to_vec(mat, diag=0):
    """The elements on and below the diagonal `diag` of square matrices `mat`, row after row.

    >>> import rushlight as torch
    >>> from rushlight.distributions.utils import tril_matrix_to_vec
    >>> tril_matrix_to_vec(torch.tensor([[1.0, 0.0], [2.0, 3.0]]))
    tensor([1., 2., 3.])
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = torch.tril_indices(n, n, diag)
    return mat[..., rows, columns]


def _lower_count(n, diag):
    """How many elements n × n matrices have on and below the diagonal `diag`."""
    if diag <= 0:
        side = max(n + diag, 0)
        return side * (side + 1) // 2
    above = max(n - 1 - diag, 0)
    return n * n - above * (above + 1) // 2


def vec_to_tril_matrix(vec, diag=0):
    """Square matrices whose elements on and below the diagonal `diag` are those of `vec`, zero above:
    the inverse of `tril_matrix_to_vec`.

    >>> import rushlight as torch
    >>> from rushlight.distributions.utils import vec_to_tril_matrix
    >>> vec_to_tril_matrix(torch.tensor([1.0, 2.0, 3.0]))
    tensor([[1., 0.],
            [2., 3.]])
    """
    length, n = vec.shape[-1], max(-diag, 0)  # (matrices of up to -diag rows have nothing there)
    while _lower_count(n, diag) < length:
        n += 1
    if _lower_count(n, diag) != length:
        raise ValueError(
            f"The size of last dimension is {length} which cannot be expressed as the lower triangular part of a square D x D matrix."
        )
    rows, columns = torch.tril_indices(n, n, diag)
    matrix = torch.zeros(vec.shape[:-1] + (n, n), dtype=vec.dtype, device=vec.device)
    matrix[..., rows, columns] = vec
    return matrix


def _given(probs, logits):
    """The name and the value of the one of two parameters that is given."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")
    return ("logits", logits) if probs is None else ("probs", probs)


class _ByProbsOrLogits:
    """What distributions have in common that are given by `probs` or by `logits`: each makes the other. That which is given is `_param`."""

    _is_binary = True

    @lazy_property
    def logits(self):
        return probs_to_logits(self.probs, is_binary=self._is_binary)

    @lazy_property
    def probs(self):
        return logits_to_probs(self.logits, is_binary=self._is_binary)

    @property
    def param_shape(self):
        return self._param.size()

    def _new(self, *args, **kwargs):
        return self._param.new(*args, **kwargs)


def _enumerated(count, distribution, expand, like):
    """0 … count - 1 along a new first dimension, for `enumerate_support`."""
    values = torch.arange(count, dtype=like.dtype, device=like.device).view((-1,) + (1,) * len(distribution.batch_shape))
    return values.expand((-1,) + distribution.batch_shape) if expand else values
