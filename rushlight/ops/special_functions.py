"""Bessel and Airy functions and orthogonal polynomials, which have no derivatives in PyTorch either."""

from rushlight.ops._declare import pointwise
from rushlight.ops._rules import refuse_dtypes


def declare(name, text, kernel=None, signature=True, of_two=False):
    """Declares a function of x, or of x and a degree n."""

    def of_x(x): ...

    def of_x_and_n(x, n): ...

    body = of_x_and_n if of_two else of_x
    body.__name__, body.__doc__ = name, text
    return pointwise(
        dtype="float",
        check=refuse_dtypes(f"{name}_cpu", "complex", "float16", "bfloat16"),
        kernel=kernel,
        domain=(0.5, 3.0),
        namespace="special",
        method=False,
        inplace=False,
        signature=signature,
    )(body)


KIND = "Bessel function of the {} kind, of order {}."
for name, text, kernel in (
    ("bessel_j0", KIND.format("first", 0), None),
    ("bessel_j1", KIND.format("first", 1), None),
    ("bessel_y0", KIND.format("second", 0), None),
    ("bessel_y1", KIND.format("second", 1), None),
    ("modified_bessel_i0", "Modified " + KIND.format("first", 0), "i0"),
    ("modified_bessel_i1", "Modified " + KIND.format("first", 1), "i1"),
    ("modified_bessel_k0", "Modified " + KIND.format("second", 0), None),
    ("modified_bessel_k1", "Modified " + KIND.format("second", 1), None),
):
    declare(name, text, kernel)
OF_X = "Tensor x, *, out"
for name, text in {
    "airy_ai": "Airy function Ai.",
    "scaled_modified_bessel_k0": "exp(x) modified_bessel_k0(x).",
    "scaled_modified_bessel_k1": "exp(x) modified_bessel_k1(x).",
    "spherical_bessel_j0": "Spherical Bessel function of the first kind, of order 0.",
}.items():
    declare(name, text, signature=OF_X)

OF_DEGREE = "Tensor x, Tensor n, *, out | Number x, Tensor n, *, out | Tensor x, Number n, *, out"
for name, text in {
    **{
        f"{shifted}chebyshev_polynomial_{letter}": f"Chebyshev polynomial of the {kind} kind and of degree `n`{on}."
        for shifted, on in (("", ""), ("shifted_", ", for [0, 1] in place of [-1, 1]"))
        for letter, kind in (("t", "first"), ("u", "second"), ("v", "third"), ("w", "fourth"))
    },
    "hermite_polynomial_h": "Hermite polynomial of degree `n`, orthogonal under exp(-x²).",
    "hermite_polynomial_he": "Hermite polynomial of degree `n`, orthogonal under exp(-x²/2).",
    "laguerre_polynomial_l": "Laguerre polynomial of degree `n`.",
    "legendre_polynomial_p": "Legendre polynomial of degree `n`.",
}.items():
    declare(name, text, signature=OF_DEGREE, of_two=True)
