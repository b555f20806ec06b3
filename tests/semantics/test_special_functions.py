"""Special functions at points whose values are known, their dtypes and errors."""

import math

import pytest

VALUES = {
    "airy_ai": {-20.0: -0.17640612707798468, -2.0: 0.22740742820168557, 0.0: 0.3550280538878172, 5.0: 1.0834442813607442e-04},
    "modified_bessel_k0": {1e-3: 7.0236888005623075, 1.0: 0.42102443824070834, 30.0: 2.1324774964630567e-14},
    "modified_bessel_k1": {1e-3: 999.9962381560855, 1.0: 0.6019072301972346, 30.0: 2.1677320018915498e-14},
    "scaled_modified_bessel_k0": {1.0: 1.1444630798068949, 900.0: 0.0417713391525488},
    "scaled_modified_bessel_k1": {1.0: 1.6361534862632582, 900.0: 0.0417945390130337},
}
POLYNOMIALS = {
    "chebyshev_polynomial_t": (1.0, 0.5, -0.5, -1.0),
    "chebyshev_polynomial_u": (1.0, 1.0, 0.0, -1.0),
    "chebyshev_polynomial_v": (1.0, 0.0, -1.0, -1.0),
    "chebyshev_polynomial_w": (1.0, 2.0, 1.0, -1.0),
    "shifted_chebyshev_polynomial_t": (1.0, 0.0, -1.0, 0.0),
    "shifted_chebyshev_polynomial_u": (1.0, 0.0, -1.0, 0.0),
    "shifted_chebyshev_polynomial_v": (1.0, -1.0, -1.0, 1.0),
    "shifted_chebyshev_polynomial_w": (1.0, 1.0, -1.0, -1.0),
    "hermite_polynomial_h": (1.0, 1.0, -1.0, -5.0),
    "hermite_polynomial_he": (1.0, 0.5, -0.75, -1.375),
    "laguerre_polynomial_l": (1.0, 0.5, 0.125, -0.14583333333333334),
    "legendre_polynomial_p": (1.0, 0.5, -0.125, -0.4375),
}
"""Of the degrees 0 … 3 at 1/2."""


@pytest.mark.parametrize("name", VALUES)
def test_values(torch, name):
    points = torch.tensor(list(VALUES[name]), dtype=torch.float64)
    found = getattr(torch.special, name)(points)
    torch.testing.assert_close(found, torch.tensor(list(VALUES[name].values()), dtype=torch.float64), rtol=1e-9, atol=1e-12)
    assert getattr(torch.special, name)(torch.tensor([1])).dtype is torch.float32
    with pytest.raises(NotImplementedError, match=f"\"{name}_cpu\" not implemented for 'Half'"):
        getattr(torch.special, name)(torch.ones(1).half())


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials(torch, name):
    function = getattr(torch.special, name)
    half, degrees = torch.tensor([0.5], dtype=torch.float64, requires_grad=True), torch.arange(4)
    found = function(half, degrees)
    torch.testing.assert_close(found, torch.tensor(POLYNOMIALS[name], dtype=torch.float64))
    assert not found.requires_grad
    assert function(0.5, degrees).tolist() == pytest.approx(POLYNOMIALS[name])
    assert function(half, 2.7).tolist() == function(half, 2).tolist() and function(half, -1).tolist() == [0.0]
    assert function(torch.tensor([1]), 2).dtype is torch.float32
    with pytest.raises(TypeError, match=rf"special_{name}\(\) received an invalid combination of arguments - got \(float, int\)"):
        function(0.5, 2)


def test_where_functions_end(torch):
    ends = torch.tensor([0.0, math.inf, -1.0, math.nan])
    for name in ("modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1"):
        assert getattr(torch.special, name)(ends).tolist()[:2] == [math.inf, 0.0]
        assert all(map(math.isnan, getattr(torch.special, name)(ends).tolist()[2:]))
    assert torch.special.airy_ai(torch.tensor([104.0])).tolist() == [0.0]


NOT_AT_INFINITY = ("bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "i0", "i1", "modified_bessel_i0", "modified_bessel_i1")


@pytest.mark.parametrize("name", NOT_AT_INFINITY)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bessel_functions_that_are_no_numbers_at_infinities(torch, name, dtype):
    x = torch.tensor([math.inf, -math.inf, 1.0], dtype=getattr(torch, dtype))
    assert getattr(torch.special, name)(x).isnan().tolist() == [True, True, False]


def test_silu_of_complex_numbers_divides_as_numbers_do(torch):
    z = torch.tensor([-200 + 3j, 0.5 - 2j])
    found = torch.nn.functional.silu(z)
    assert found.isnan().tolist() == [True, False]
    torch.testing.assert_close(found[1], z[1] / (1 + (-z[1]).exp()))
