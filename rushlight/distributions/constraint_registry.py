"""Transforms from all real numbers to constraints: `biject_to`, one-to-one, and `transform_to`, any that is good to optimize through.

>>> import rushlight
>>> from rushlight.distributions import constraints, transform_to
>>> transform_to(constraints.simplex)(rushlight.zeros(2))
tensor([0.5000, 0.5000])
"""

from numbers import Number

from rushlight.distributions import constraints, transforms

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """What makes a transform for a constraint, by the constraint's type: `biject_to` and `transform_to` are two of them.

    >>> import rushlight as torch
    >>> from rushlight.distributions import biject_to, constraints, transform_to
    >>> transform_to(constraints.simplex)(torch.zeros(2)), biject_to(constraints.simplex)(torch.zeros(1))
    (tensor([0.5000, 0.5000]), tensor([0.5000, 0.5000]))
    >>> transform_to(constraints.positive)
    ComposeTransform(
        ExpTransform(),
        AffineTransform()
    )
    """

    def __init__(self):
        self._registry = {}
        super().__init__()

    def register(self, constraint, factory=None):
        """Registers `factory(constraint)` for a class of constraints, or that of an object; without `factory` it is a decorator.

        >>> import rushlight as torch
        >>> from rushlight.distributions import AffineTransform, constraints, transform_to
        >>> class Shifted(constraints.Constraint):
        ...     pass
        >>> @transform_to.register(Shifted)
        ... def _to_shifted(constraint):
        ...     return AffineTransform(1.0, 1.0)
        >>> transform_to(Shifted())(torch.tensor(0.0))
        tensor(1.)
        """
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        if isinstance(constraint, constraints.Constraint):
            constraint = type(constraint)
        if not isinstance(constraint, type) or not issubclass(constraint, constraints.Constraint):
            raise TypeError(f"Expected constraint to be either a Constraint subclass or instance, but got {constraint}")
        self._registry[constraint] = factory
        return factory

    def __call__(self, constraint):
        """The transform whose codomain is `constraint`."""
        factory = self._registry.get(type(constraint))
        if factory is None:
            raise NotImplementedError(f"Cannot transform {type(constraint).__name__} constraints")
        return factory(constraint)


biject_to = ConstraintRegistry()
transform_to = ConstraintRegistry()


def _register(*kinds, registries=(biject_to, transform_to)):
    """A decorator: the factory of transforms to these kinds of constraints."""

    def decorate(factory):
        for registry in registries:
            for kind in kinds:
                registry.register(kind, factory)
        return factory

    return decorate


@_register(constraints.real)
def _transform_to_real(constraint):
    return transforms.identity_transform


@_register(constraints.greater_than, constraints.greater_than_eq)
def _transform_to_greater_than(constraint):
    return transforms.ComposeTransform([transforms.ExpTransform(), transforms.AffineTransform(constraint.lower_bound, 1)])


@_register(constraints.less_than)
def _transform_to_less_than(constraint):
    return transforms.ComposeTransform([transforms.ExpTransform(), transforms.AffineTransform(constraint.upper_bound, -1)])


@_register(constraints.interval, constraints.half_open_interval)
def _transform_to_interval(constraint):
    low, high = constraint.lower_bound, constraint.upper_bound
    if isinstance(low, Number) and isinstance(high, Number) and low == 0 and high == 1:
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform([transforms.SigmoidTransform(), transforms.AffineTransform(low, high - low)])


@_register(constraints.corr_cholesky)
def _transform_to_corr_cholesky(constraint):
    return transforms.CorrCholeskyTransform()


@_register(constraints.simplex, registries=(biject_to,))
def _biject_to_simplex(constraint):
    return transforms.StickBreakingTransform()


@_register(constraints.simplex, registries=(transform_to,))
def _transform_to_simplex(constraint):
    return transforms.SoftmaxTransform()


@_register(constraints.lower_cholesky, registries=(transform_to,))
def _transform_to_lower_cholesky(constraint):
    return transforms.LowerCholeskyTransform()


@_register(constraints.positive_definite, constraints.positive_semidefinite, registries=(transform_to,))
def _transform_to_positive_definite(constraint):
    return transforms.PositiveDefiniteTransform()


# Constraints that are made of others: their transforms are, of those of the same registry.
def _register_composed(registry):
    @registry.register(constraints.independent)
    def _to_independent(constraint):
        return transforms.IndependentTransform(registry(constraint.base_constraint), constraint.reinterpreted_batch_ndims)

    @registry.register(constraints.cat)
    def _to_cat(constraint):
        return transforms.CatTransform([registry(each) for each in constraint.cseq], constraint.dim, constraint.lengths)

    @registry.register(constraints.stack)
    def _to_stack(constraint):
        return transforms.StackTransform([registry(each) for each in constraint.cseq], constraint.dim)


_register_composed(biject_to)
_register_composed(transform_to)
