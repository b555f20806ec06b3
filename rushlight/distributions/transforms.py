"""Functions between sets, with inverses and the logarithms of their Jacobians' determinants; and what is made of several."""

import itertools
import math
import weakref

import rushlight as torch
from rushlight.distributions import constraints
from rushlight.distributions._elementary import (
    AbsTransform,
    AffineTransform,
    CumulativeDistributionTransform,
    ExpTransform,
    PowerTransform,
    SigmoidTransform,
    SoftplusTransform,
    TanhTransform,
    _clipped_sigmoid,  # noqa: F401
)
from rushlight.distributions._of_vectors import (
    CorrCholeskyTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    SoftmaxTransform,
    StickBreakingTransform,
)
from rushlight.distributions._transform import Transform, _InverseTransform, _widened  # noqa: F401
from rushlight.distributions.utils import _sum_rightmost, lazy_property

__all__ = [
    "AbsTransform",
    "AffineTransform",
    "CatTransform",
    "ComposeTransform",
    "CorrCholeskyTransform",
    "CumulativeDistributionTransform",
    "ExpTransform",
    "IndependentTransform",
    "LowerCholeskyTransform",
    "PositiveDefiniteTransform",
    "PowerTransform",
    "ReshapeTransform",
    "SigmoidTransform",
    "SoftmaxTransform",
    "SoftplusTransform",
    "StackTransform",
    "StickBreakingTransform",
    "TanhTransform",
    "Transform",
    "identity_transform",
]


class ComposeTransform(Transform):
    """Several transforms one after the other, the first one innermost.

    Args:
        parts: The transforms.
        cache_size: As in `Transform`.

    >>> import rushlight as torch
    >>> from rushlight.distributions import AffineTransform, ComposeTransform, ExpTransform
    >>> both = ComposeTransform([AffineTransform(1.0, 2.0), ExpTransform()])
    >>> both(torch.tensor(-0.5)), both.log_abs_det_jacobian(torch.tensor(-0.5), torch.tensor(1.0))
    (tensor(1.), tensor(0.6931))
    """

    def __init__(self, parts, cache_size=0):
        if cache_size:
            parts = [part.with_cache(cache_size) for part in parts]
        super().__init__(cache_size=cache_size)
        self.parts = parts

    def __eq__(self, other):
        return isinstance(other, ComposeTransform) and self.parts == other.parts

    @constraints.dependent_property(is_discrete=False)
    def domain(self):
        if not self.parts:
            return constraints.real
        event_dim = self.parts[-1].codomain.event_dim
        for part in reversed(self.parts):
            event_dim = max(event_dim + part.domain.event_dim - part.codomain.event_dim, part.domain.event_dim)
        return _widened(self.parts[0].domain, event_dim)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self):
        if not self.parts:
            return constraints.real
        event_dim = self.parts[0].domain.event_dim
        for part in self.parts:
            event_dim = max(event_dim + part.codomain.event_dim - part.domain.event_dim, part.codomain.event_dim)
        return _widened(self.parts[-1].codomain, event_dim)

    @lazy_property
    def bijective(self):
        return all(part.bijective for part in self.parts)

    @lazy_property
    def sign(self):
        return math.prod(part.sign for part in self.parts)

    @property
    def inv(self):
        inverse = None if self._inv is None else self._inv()
        if inverse is None:
            inverse = ComposeTransform([part.inv for part in reversed(self.parts)])
            self._inv, inverse._inv = weakref.ref(inverse), weakref.ref(self)
        return inverse

    def with_cache(self, cache_size=1):
        return self if self._cache_size == cache_size else ComposeTransform(self.parts, cache_size=cache_size)

    def __call__(self, x):
        for part in self.parts:
            x = part(x)
        return x

    def log_abs_det_jacobian(self, x, y):
        if not self.parts:
            return torch.zeros_like(x)
        points = [x]
        for part in self.parts[:-1]:
            points.append(part(points[-1]))
        points.append(y)
        total, event_dim = 0, self.domain.event_dim
        for part, before, after in zip(self.parts, points[:-1], points[1:], strict=True):
            volume = part.log_abs_det_jacobian(before, after)
            total = total + _sum_rightmost(volume, event_dim - part.domain.event_dim)
            event_dim += part.codomain.event_dim - part.domain.event_dim
        return total

    def forward_shape(self, shape):
        for part in self.parts:
            shape = part.forward_shape(shape)
        return shape

    def inverse_shape(self, shape):
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return shape

    def __repr__(self):
        inner = ",\n    ".join(map(repr, self.parts))
        return f"{type(self).__name__}(\n    {inner}\n)"


identity_transform = ComposeTransform([])


class IndependentTransform(Transform):
    """A transform whose last batch dimensions count as parts of one event: logarithms of determinants are summed over them.

    Args:
        base_transform: The transform.
        reinterpreted_batch_ndims: How many dimensions.
        cache_size: As in `Transform`.

    >>> import rushlight as torch
    >>> from rushlight.distributions import ExpTransform, IndependentTransform
    >>> x = torch.tensor([1.0, 2.0])
    >>> IndependentTransform(ExpTransform(), 1).log_abs_det_jacobian(x, x.exp())
    tensor(3.)
    """

    def __init__(self, base_transform, reinterpreted_batch_ndims, cache_size=0):
        super().__init__(cache_size=cache_size)
        self.base_transform = base_transform.with_cache(cache_size)
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    def with_cache(self, cache_size=1):
        if self._cache_size == cache_size:
            return self
        return IndependentTransform(self.base_transform, self.reinterpreted_batch_ndims, cache_size=cache_size)

    @constraints.dependent_property(is_discrete=False)
    def domain(self):
        return constraints.independent(self.base_transform.domain, self.reinterpreted_batch_ndims)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self):
        return constraints.independent(self.base_transform.codomain, self.reinterpreted_batch_ndims)

    @property
    def bijective(self):
        return self.base_transform.bijective

    @property
    def sign(self):
        return self.base_transform.sign

    def _call(self, x):
        if x.dim() < self.domain.event_dim:
            raise ValueError("Too few dimensions on input")
        return self.base_transform(x)

    def _inverse(self, y):
        if y.dim() < self.codomain.event_dim:
            raise ValueError("Too few dimensions on input")
        return self.base_transform.inv(y)

    def log_abs_det_jacobian(self, x, y):
        return _sum_rightmost(self.base_transform.log_abs_det_jacobian(x, y), self.reinterpreted_batch_ndims)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_transform!r}, {self.reinterpreted_batch_ndims})"

    def forward_shape(self, shape):
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape):
        return self.base_transform.inverse_shape(shape)


class ReshapeTransform(Transform):
    """Events of the shape `in_shape` in the shape `out_shape`, of as many elements. `cache_size` is as in `Transform`.

    >>> import rushlight as torch
    >>> torch.distributions.ReshapeTransform((2, 3), (6,))(torch.zeros(5, 2, 3)).shape
    torch.Size([5, 6])
    """

    bijective = True

    def __init__(self, in_shape, out_shape, cache_size=0):
        self.in_shape, self.out_shape = torch.Size(in_shape), torch.Size(out_shape)
        if self.in_shape.numel() != self.out_shape.numel():
            raise ValueError("in_shape, out_shape have different numbers of elements")
        super().__init__(cache_size=cache_size)

    @constraints.dependent_property
    def domain(self):
        return constraints.independent(constraints.real, len(self.in_shape))

    @constraints.dependent_property
    def codomain(self):
        return constraints.independent(constraints.real, len(self.out_shape))

    def with_cache(self, cache_size=1):
        if self._cache_size == cache_size:
            return self
        return ReshapeTransform(self.in_shape, self.out_shape, cache_size=cache_size)

    def _call(self, x):
        return x.reshape(x.shape[: x.dim() - len(self.in_shape)] + self.out_shape)

    def _inverse(self, y):
        return y.reshape(y.shape[: y.dim() - len(self.out_shape)] + self.in_shape)

    def log_abs_det_jacobian(self, x, y):
        return x.new_zeros(x.shape[: x.dim() - len(self.in_shape)])

    def forward_shape(self, shape):
        return _with_end(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape):
        return _with_end(shape, self.out_shape, self.in_shape)


def _with_end(shape, end, other):
    """The shape with its end, which has to be `end`, replaced."""
    if len(shape) < len(end):
        raise ValueError("Too few dimensions on input")
    cut = len(shape) - len(end)
    if shape[cut:] != end:
        raise ValueError(f"Shape mismatch: expected {shape[cut:]} but got {end}")
    return shape[:cut] + other


def _check_sequence(tseq):
    if not all(isinstance(each, Transform) for each in tseq):
        raise AssertionError("All elements of tseq must be Transform instances")


def _check_parts(name, value, dim, expected, count):
    """The value has as many parts along `dim` as there are transforms for it (`count` says what `expected` is)."""
    if not -value.dim() <= dim < value.dim():
        raise AssertionError(f"dim {dim} out of range for tensor with {value.dim()} dimensions")
    if value.size(dim) != expected:
        raise AssertionError(f"{name}.size({dim}) = {value.size(dim)} must equal {count} {expected}")


class CatTransform(Transform):
    """Transforms of the parts of a value along a dimension.

    Args:
        tseq: The transforms.
        dim: The dimension.
        lengths: How long the parts are; 1 each without.
        cache_size: As in `Transform`.

    >>> import rushlight as torch
    >>> from rushlight.distributions import CatTransform, ExpTransform, identity_transform
    >>> CatTransform([ExpTransform(), identity_transform], lengths=[1, 2])(torch.zeros(3))
    tensor([1., 0., 0.])
    """

    transforms: list[Transform]

    def __init__(self, tseq, dim=0, lengths=None, cache_size=0):
        _check_sequence(tseq)
        if cache_size:
            tseq = [each.with_cache(cache_size) for each in tseq]
        super().__init__(cache_size=cache_size)
        self.transforms = list(tseq)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise AssertionError(f"lengths ({len(self.lengths)}) must match transforms ({len(self.transforms)})")
        self.dim = dim

    @lazy_property
    def event_dim(self):
        return max(each.event_dim for each in self.transforms)

    @lazy_property
    def length(self):
        """The size of a value along `dim`."""
        return sum(self.lengths)

    def with_cache(self, cache_size=1):
        return self if self._cache_size == cache_size else CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    def _split(self, name, value):
        _check_parts(name, value, self.dim, self.length, "length")
        starts = itertools.accumulate(self.lengths, initial=0)
        return [value.narrow(self.dim, start, length) for start, length in zip(starts, self.lengths, strict=False)]

    def _call(self, x):
        return torch.cat([each(part) for each, part in zip(self.transforms, self._split("x", x), strict=True)], dim=self.dim)

    def _inverse(self, y):
        return torch.cat([each.inv(part) for each, part in zip(self.transforms, self._split("y", y), strict=True)], dim=self.dim)

    def log_abs_det_jacobian(self, x, y):
        volumes = []
        for each, before, after in zip(self.transforms, self._split("x", x), self._split("y", y), strict=True):
            volume = each.log_abs_det_jacobian(before, after)
            volumes.append(_sum_rightmost(volume, self.event_dim - each.event_dim))
        # Where the parts lie in a batch dimension, so do their volumes; within an event they add up.
        dim = self.dim - x.dim() if self.dim >= 0 else self.dim
        dim += self.event_dim
        return torch.cat(volumes, dim=dim) if dim < 0 else sum(volumes)

    @property
    def bijective(self):
        return all(each.bijective for each in self.transforms)

    @constraints.dependent_property
    def domain(self):
        return constraints.cat([each.domain for each in self.transforms], self.dim, self.lengths)

    @constraints.dependent_property
    def codomain(self):
        return constraints.cat([each.codomain for each in self.transforms], self.dim, self.lengths)


class StackTransform(Transform):
    """A transform for each slice of a value along a dimension.

    Args:
        tseq: The transforms.
        dim: The dimension.
        cache_size: As in `Transform`.

    >>> import rushlight as torch
    >>> from rushlight.distributions import ExpTransform, StackTransform, identity_transform
    >>> StackTransform([ExpTransform(), identity_transform], dim=-1)(torch.zeros(2, 2))
    tensor([[1., 0.],
            [1., 0.]])
    """

    transforms: list[Transform]

    def __init__(self, tseq, dim=0, cache_size=0):
        _check_sequence(tseq)
        if cache_size:
            tseq = [each.with_cache(cache_size) for each in tseq]
        super().__init__(cache_size=cache_size)
        self.transforms, self.dim = list(tseq), dim

    def with_cache(self, cache_size=1):
        return self if self._cache_size == cache_size else StackTransform(self.transforms, self.dim, cache_size)

    def _slice(self, z):
        return [z.select(self.dim, i) for i in range(z.size(self.dim))]

    def _slices(self, name, value):
        _check_parts(name, value, self.dim, len(self.transforms), "len(transforms)")
        return self._slice(value)

    def _call(self, x):
        return torch.stack([each(part) for each, part in zip(self.transforms, self._slices("x", x), strict=True)], dim=self.dim)

    def _inverse(self, y):
        return torch.stack(
            [each.inv(part) for each, part in zip(self.transforms, self._slices("y", y), strict=True)], dim=self.dim
        )

    def log_abs_det_jacobian(self, x, y):
        slices = zip(self.transforms, self._slices("x", x), self._slices("y", y), strict=True)
        return torch.stack([each.log_abs_det_jacobian(before, after) for each, before, after in slices], dim=self.dim)

    @property
    def bijective(self):
        return all(each.bijective for each in self.transforms)

    @constraints.dependent_property
    def domain(self):
        return constraints.stack([each.domain for each in self.transforms], self.dim)

    @constraints.dependent_property
    def codomain(self):
        return constraints.stack([each.codomain for each in self.transforms], self.dim)


# To whom it says where it comes from, each is of this file.
for _name in __all__:
    if isinstance(globals()[_name], type):
        globals()[_name].__module__ = __name__
