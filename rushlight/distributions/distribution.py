"""The base class of distributions: shapes, validation, and what follows from what a family defines."""

import rushlight as torch
from rushlight.core import warn_user
from rushlight.distributions import constraints
from rushlight.distributions.utils import lazy_property

TYPE_CHECKING = False  # (checkers take it for true; `typing` is slow to import)
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Distribution"]


class Distribution:
    """A distribution, or a batch of independent ones of one family.

    Parameters are numbers or tensors that broadcast; what they broadcast to is the batch_shape. A sample has the shape
    sample_shape + batch_shape + event_shape, and `log_prob` of it the shape sample_shape + batch_shape. `rsample`, where there is
    one, draws samples that can be differentiated by the parameters. Distributions draw PyTorch's numbers for the same seed.

    Args:
        batch_shape, event_shape: Shapes, which a family gives.
        validate_args: Whether invalid parameters and values are refused, with a ValueError; by default they are.

    >>> import rushlight as torch
    >>> normal = torch.distributions.Normal(torch.zeros(3), 1.0)
    >>> normal.batch_shape, normal.event_shape, normal.sample((2,)).shape
    (torch.Size([3]), torch.Size([]), torch.Size([2, 3]))
    >>> isinstance(normal, torch.distributions.Distribution)
    True
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value):
        """Whether all distributions refuse invalid parameters and values unless they are told otherwise (`value`).

        >>> import rushlight as torch
        >>> torch.distributions.Distribution.set_default_validate_args(True)
        """
        if value not in (True, False):
            raise ValueError
        Distribution._validate_args = value

    def __init__(self, batch_shape=torch.Size(), event_shape=torch.Size(), validate_args=None):
        self._batch_shape, self._event_shape = batch_shape, event_shape
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_parameters()
        super().__init__()

    def _check_parameters(self):
        try:
            arg_constraints = self.arg_constraints
        except NotImplementedError:
            arg_constraints = {}
            warn_user(
                f"{self.__class__} does not define `arg_constraints`. Please set `arg_constraints = {{}}` or initialize the "
                "distribution with `validate_args=False` to turn off validation."
            )
        for param, constraint in arg_constraints.items():
            if constraints.is_dependent(constraint):
                continue
            if param not in self.__dict__ and isinstance(getattr(type(self), param), lazy_property):
                continue  # It follows from one that is checked.
            value = getattr(self, param)
            if not torch._is_all_true(constraint.check(value)):
                raise ValueError(
                    f"Expected parameter {param} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution {self!r} to "
                    f"satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                )

    def expand(self, batch_shape, _instance=None):
        """The same distribution with its batch_shape expanded to `batch_shape`.

        >>> import rushlight as torch
        >>> torch.distributions.Normal(torch.zeros(1), 1.0).expand((3,)).sample().shape
        torch.Size([3])
        """
        raise NotImplementedError

    @property
    def batch_shape(self):
        """The shape of the batch: what the parameters broadcast to.

        >>> import rushlight as torch
        >>> torch.distributions.Normal(torch.zeros(3), 1.0).batch_shape
        torch.Size([3])
        """
        return self._batch_shape

    @property
    def event_shape(self):
        """The shape of one sample of one distribution.

        >>> import rushlight as torch
        >>> torch.distributions.Dirichlet(torch.ones(2, 4)).event_shape
        torch.Size([4])
        """
        return self._event_shape

    @property
    def arg_constraints(self):
        """The constraint of each parameter, by its name.

        >>> import rushlight as torch
        >>> torch.distributions.Poisson.arg_constraints
        {'rate': GreaterThanEq(lower_bound=0.0)}
        """
        raise NotImplementedError

    @property
    def support(self):
        """The constraint that tells where samples lie.

        >>> import rushlight as torch
        >>> torch.distributions.Exponential(1.0).support.check(torch.tensor([-1.0, 1.0]))
        tensor([False,  True])
        """
        raise NotImplementedError

    @property
    def mean(self):
        """The mean, of the shape batch_shape + event_shape.

        >>> import rushlight as torch
        >>> torch.distributions.Exponential(torch.tensor([1.0, 4.0])).mean
        tensor([1.0000, 0.2500])
        """
        raise NotImplementedError

    @property
    def mode(self):
        """The most probable value.

        >>> import rushlight as torch
        >>> torch.distributions.Gamma(torch.tensor(3.0), 1.0).mode
        tensor(2.)
        """
        raise NotImplementedError(f"{self.__class__} does not implement mode")

    @property
    def variance(self):
        """The variance.

        >>> import rushlight as torch
        >>> torch.distributions.Exponential(torch.tensor([1.0, 4.0])).variance
        tensor([1.0000, 0.0625])
        """
        raise NotImplementedError

    @property
    def stddev(self):
        """The standard deviation, the root of the variance.

        >>> import rushlight as torch
        >>> torch.distributions.Exponential(torch.tensor([1.0, 4.0])).stddev
        tensor([1.0000, 0.2500])
        """
        return self.variance.sqrt()

    def sample(self, sample_shape: "Sequence[int]" = torch.Size()):
        """Samples, of the shape `sample_shape` + batch_shape + event_shape; not recorded for gradients.

        >>> import rushlight as torch
        >>> _ = torch.manual_seed(0)
        >>> torch.distributions.Normal(torch.tensor([0.0, 100.0]), 1.0).sample((2,))
        tensor([[  1.5410,  99.7066],
                [ -2.1788, 100.5684]])
        """
        with torch.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: "Sequence[int]" = torch.Size()):
        """Samples that can be differentiated by the parameters, of the shape `sample_shape` + batch_shape + event_shape.

        NotImplementedError for distributions without (`has_rsample`).

        >>> import rushlight as torch
        >>> loc = torch.tensor(0.0, requires_grad=True)
        >>> torch.distributions.Normal(loc, 1.0).rsample((3,)).sum().backward()
        >>> loc.grad
        tensor(3.)
        """
        raise NotImplementedError

    def sample_n(self, n):
        """`n` samples; `sample((n,))` is the newer way, of which a warning tells.

        >>> import rushlight as torch
        >>> import warnings
        >>> with warnings.catch_warnings(action="ignore"):
        ...     torch.distributions.Normal(torch.zeros(3), 1.0).sample_n(2).shape
        torch.Size([2, 3])
        """
        warn_user("`sample_n(n)` will be deprecated. Use `sample((n,))` instead.", FutureWarning)
        return self.sample(torch.Size((n,)))

    def log_prob(self, value):
        """The logarithm of the density, or of the probability, at `value`, of the shape sample_shape + batch_shape.

        ValueError for values outside of the support, where arguments are validated.

        >>> import rushlight as torch
        >>> torch.distributions.Normal(0.0, 1.0).log_prob(torch.tensor([0.0, 1.0]))
        tensor([-0.9189, -1.4189])
        """
        raise NotImplementedError

    def cdf(self, value):
        """The probability of samples up to `value`.

        >>> import rushlight as torch
        >>> torch.distributions.Normal(0.0, 1.0).cdf(torch.tensor([0.0, 1.96]))
        tensor([0.5000, 0.9750])
        """
        raise NotImplementedError

    def icdf(self, value):
        """The inverse of `cdf`: where the cdf is `value`.

        >>> import rushlight as torch
        >>> torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor([0.5, 0.975]))
        tensor([0.0000, 1.9600])
        """
        raise NotImplementedError

    def enumerate_support(self, expand=True):
        """All values of a discrete distribution, along a new first dimension;
        with `expand` also over the batch, otherwise of size 1 there.

        >>> import rushlight as torch
        >>> torch.distributions.Bernoulli(torch.tensor([0.25, 0.5])).enumerate_support()
        tensor([[0., 0.],
                [1., 1.]])
        """
        raise NotImplementedError

    def entropy(self):
        """The mean of -log_prob, in nats.

        >>> import rushlight as torch
        >>> torch.distributions.Bernoulli(torch.tensor([0.0, 0.5])).entropy()
        tensor([0.0000, 0.6931])
        """
        raise NotImplementedError

    def perplexity(self):
        """exp(entropy): the number of equally likely values with the same entropy.

        >>> import rushlight as torch
        >>> torch.distributions.Categorical(torch.ones(4)).perplexity()
        tensor(4.)
        """
        return torch.exp(self.entropy())

    def _extended_shape(self, sample_shape=torch.Size()):
        """The shape of samples."""
        if not isinstance(sample_shape, torch.Size):
            sample_shape = torch.Size(sample_shape)
        return torch.Size(sample_shape + self._batch_shape + self._event_shape)

    def _validate_sample(self, value):
        """Refuses what is no value, or none of this distribution's."""
        if not isinstance(value, torch.Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        actual = value.size()
        if actual[max(len(actual) - len(self._event_shape), 0) :] != self._event_shape:
            raise ValueError(f"The right-most size of value must match event_shape: {actual} vs {self._event_shape}.")
        expected = self._batch_shape + self._event_shape
        for given, wanted in zip(reversed(actual), reversed(expected), strict=False):
            if given != wanted and given != 1 and wanted != 1:
                raise ValueError(f"Value is not broadcastable with batch_shape+event_shape: {actual} vs {expected}.")
        try:
            support = self.support
        except NotImplementedError:
            warn_user(
                f"{self.__class__} does not define `support` to enable sample validation. Please initialize the distribution with "
                "`validate_args=False` to turn off validation."
            )
            return
        if not torch._is_all_true(support.check(value)):
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the support "
                f"({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def _get_checked_instance(self, cls, _instance=None):
        """What `expand` of the class `cls` fills in: `_instance`, or a new object of this one's class if `cls` knows how to make one."""
        if _instance is None and type(self).__init__ != cls.__init__:
            raise NotImplementedError(
                f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom __init__ method must also define a custom "
                ".expand() method."
            )
        return self.__new__(type(self)) if _instance is None else _instance

    def _expanded(self, cls, batch_shape, instance, *parameters):
        """`expand` of a class whose state are the tensors called `parameters`, as far as they are known yet."""
        new = self._get_checked_instance(cls, instance)
        batch_shape = torch.Size(batch_shape)
        for name in parameters:
            value = self.__dict__.get(name)
            if value is not None:
                new.__dict__[name] = value.expand(batch_shape + value.shape[len(self._batch_shape) :])
        self._take_shape(new, batch_shape)
        return new

    def _take_shape(self, new, batch_shape):
        """The end of `expand`: the copy's shapes, and whether it validates as this one does."""
        Distribution.__init__(new, torch.Size(batch_shape), self._event_shape, validate_args=False)
        new._validate_args = self._validate_args

    def __repr__(self):
        known = [name for name in self.arg_constraints if name in self.__dict__]
        shown = [f"{name}: {value if value.numel() == 1 else value.size()}" for name in known for value in (self.__dict__[name],)]
        return f"{type(self).__name__}({', '.join(shown)})"
