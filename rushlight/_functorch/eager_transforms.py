"""The transforms that differentiate."""

from rushlight.func import functionalize, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp
from rushlight.func.derivatives import places_of

__all__ = ["functionalize", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "vjp"]


def _slice_argnums(args, argnums, as_tuple=True):
    """The positional arguments at `argnums` (an int, or a tuple of them): a tuple, or without `as_tuple` for an int that argument itself.

    >>> _slice_argnums(("a", "b", "c"), (0, -1))
    ('a', 'c')
    """
    places = places_of(argnums, len(args))
    if isinstance(places, int):
        return (args[places],) if as_tuple else args[places]
    return tuple([args[place] for place in places])
