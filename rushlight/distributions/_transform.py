"""A function between sets with an inverse and the logarithm of its Jacobian's determinant."""

import weakref

from rushlight.distributions import constraints


class Transform:
    """A function from `domain` to `codomain`, two constraints, that is differentiable almost everywhere.

    A class defines `_call` and, where there is one, `_inverse` and `log_abs_det_jacobian(x, y)`.

    Args:
        cache_size: With 1 the last pair of an input and its output is kept: the inverse of just that output is that input. 0
            keeps none.

    >>> import rushlight as torch
    >>> from rushlight.distributions import ExpTransform
    >>> x = torch.tensor(2.0)
    >>> y = ExpTransform()(x)
    >>> ExpTransform().inv(y), ExpTransform().log_abs_det_jacobian(x, y)
    (tensor(2.), tensor(2.))
    """

    bijective = False

    def __init__(self, cache_size=0):
        if cache_size not in (0, 1):
            raise ValueError("cache_size must be 0 or 1")
        self._cache_size = cache_size
        self._inv = None
        if cache_size:
            self._cached_x_y = None, None
        super().__init__()

    def __getstate__(self):
        # The inverse is made anew when it is asked for: a weak reference cannot be pickled.
        return {**self.__dict__, "_inv": None}

    @property
    def event_dim(self):
        """The number of dimensions of an event of the domain and the codomain.

        >>> import rushlight as torch
        >>> torch.distributions.StickBreakingTransform().domain.event_dim, torch.distributions.ExpTransform().event_dim
        (1, 0)
        """
        if self.domain.event_dim != self.codomain.event_dim:
            raise ValueError("Please use either .domain.event_dim or .codomain.event_dim")
        return self.domain.event_dim

    @property
    def inv(self):
        """The inverse, a transform too.

        >>> import rushlight as torch
        >>> torch.distributions.ExpTransform().inv(torch.tensor(1.0))
        tensor(0.)
        """
        inverse = None if self._inv is None else self._inv()
        if inverse is None:
            inverse = _InverseTransform(self)
            self._inv = weakref.ref(inverse)
        return inverse

    @property
    def sign(self):
        """1 or -1: whether a one-to-one function of numbers rises or falls.

        >>> import rushlight as torch
        >>> torch.distributions.AffineTransform(0.0, -2.0).sign
        -1
        """
        raise NotImplementedError

    def with_cache(self, cache_size=1):
        """The same transform with a `cache_size` of 1 or 0.

        >>> import rushlight as torch
        >>> exp = torch.distributions.ExpTransform().with_cache(1)
        >>> x = torch.tensor(2.0)
        >>> exp.inv(exp(x)) is x
        True
        """
        if self._cache_size == cache_size:
            return self
        if type(self).__init__ is Transform.__init__:
            return type(self)(cache_size=cache_size)
        raise NotImplementedError(f"{type(self)}.with_cache is not implemented")

    def __eq__(self, other):
        return self is other

    def __ne__(self, other):
        return not self == other

    def __call__(self, x):
        """The output at `x`."""
        if not self._cache_size:
            return self._call(x)
        known_x, known_y = self._cached_x_y
        if x is known_x:
            return known_y
        y = self._call(x)
        self._cached_x_y = x, y
        return y

    def _inv_call(self, y):
        if not self._cache_size:
            return self._inverse(y)
        known_x, known_y = self._cached_x_y
        if y is known_y:
            return known_x
        x = self._inverse(y)
        self._cached_x_y = x, y
        return x

    def _call(self, x):
        raise NotImplementedError

    def _inverse(self, y):
        raise NotImplementedError

    def log_abs_det_jacobian(self, x, y):
        """log |det dy/dx| at `x`, where `y` is the transform of it.

        >>> import rushlight as torch
        >>> x = torch.tensor([1.0, 2.0])
        >>> torch.distributions.ExpTransform().log_abs_det_jacobian(x, x.exp())
        tensor([1., 2.])
        """
        raise NotImplementedError

    def __repr__(self):
        return f"{type(self).__name__}()"

    def forward_shape(self, shape):
        """The shape of what becomes of a tensor of `shape`.

        >>> import rushlight as torch
        >>> torch.distributions.StickBreakingTransform().forward_shape((5, 3))
        (5, 4)
        """
        return shape

    def inverse_shape(self, shape):
        """The shape of what a tensor of `shape` comes from.

        >>> import rushlight as torch
        >>> torch.distributions.StickBreakingTransform().inverse_shape((5, 3))
        (5, 2)
        """
        return shape


class _InverseTransform(Transform):
    """The inverse of another transform."""

    def __init__(self, transform):
        super().__init__(cache_size=transform._cache_size)
        self._inv = transform

    @constraints.dependent_property(is_discrete=False)
    def domain(self):
        return self._inv.codomain

    @constraints.dependent_property(is_discrete=False)
    def codomain(self):
        return self._inv.domain

    @property
    def bijective(self):
        return self._inv.bijective

    @property
    def sign(self):
        return self._inv.sign

    @property
    def inv(self):
        return self._inv

    def __getstate__(self):
        return self.__dict__.copy()

    def with_cache(self, cache_size=1):
        return self.inv.with_cache(cache_size).inv

    def __eq__(self, other):
        return isinstance(other, _InverseTransform) and self._inv == other._inv

    def __repr__(self):
        return f"{type(self).__name__}({self._inv!r})"

    def __call__(self, x):
        return self._inv._inv_call(x)

    def log_abs_det_jacobian(self, x, y):
        return -self._inv.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape):
        return self._inv.inverse_shape(shape)

    def inverse_shape(self, shape):
        return self._inv.forward_shape(shape)


def _widened(constraint, event_dim):
    """The constraint, of events with `event_dim` dimensions."""
    missing = event_dim - constraint.event_dim
    return constraints.independent(constraint, missing) if missing else constraint
