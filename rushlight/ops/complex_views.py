"""Complex numbers as pairs of real ones, their parts, and conjugates that nothing computes: views."""

import rushlight as torch
from rushlight.ops._declare import composite, namespaces
from rushlight.ops._views import view as shares_memory
from rushlight.ops.parts import select


@shares_memory(vjp=lambda g: torch.view_as_complex(g.contiguous()), method=False)
def view_as_real(x):
    """A complex tensor as a real one with a last dimension of size 2."""


@shares_memory(vjp=lambda g: torch.view_as_real(g), complex_copies=False, method=False, batch="views.view_as_complex")
def view_as_complex(x):
    """A real tensor whose last dimension has size 2 as a complex one."""


@shares_memory(vjp=lambda g: g.conj(), complex_copies=False, name="ConjBackward0")
def _conj(x):
    """The complex conjugates as a view: they are computed only when somebody reads them."""


@shares_memory(vjp=lambda g: -g, complex_copies=False)
def _neg_view(x):
    """The negatives as a view: they are computed only when somebody reads them."""


@composite
def conj(input):
    """The complex conjugate of each element, as a view: is_conj() tells such a tensor. Real tensors are returned as they are.

    >>> import rushlight
    >>> z = rushlight.tensor([1 + 2j])
    >>> z.conj(), z.conj().is_conj(), z.conj().imag.is_neg()
    (tensor([1.-2.j]), True, True)
    """
    return _conj(input) if input.dtype.is_complex else input


@composite(method=False)
def real(input):
    """The real part, as a view; a real tensor itself."""
    if not input.is_complex():
        return input
    return select(view_as_real(_conj(input) if input.is_conj() else input), input.ndim, 0)


@composite(method=False)
def imag(input):
    """The imaginary part of a complex tensor, as a view."""
    if not input.is_complex():
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    parts = _neg_view(view_as_real(_conj(input))) if input.is_conj() else view_as_real(input)
    return select(parts, input.ndim, 1)


def write_real(self, value):
    self.real[...] = value


def write_imag(self, value):
    self.imag[...] = value


namespaces["Tensor"].update(
    _real=real,
    real=property(real, write_real, doc="The real part."),
    imag=property(imag, write_imag, doc="The imaginary part."),
)

# The rest of the family, in the order of what uses what.
