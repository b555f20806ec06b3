"""Functions of torch.masked beside PyTorch: every dtype of a result, every way to name dimensions, and lines in which nothing counts."""

import itertools

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch as pytorch  # noqa: E402

import rushlight  # noqa: E402

NAMES = [
    "sum",
    "prod",
    "amax",
    "amin",
    "argmax",
    "argmin",
    "logsumexp",
    "median",
    "mean",
    "var",
    "std",
    "norm",
    "cumsum",
    "cumprod",
    "softmax",
    "log_softmax",
    "softmin",
    "normalize",
]
DTYPES = (None, "bool", "uint8", "int32", "float32", "float64", "complex64")
DIMENSIONS = (None, (), 0, -1, (0, 1), [1])
INPUTS = {
    "int64": [[-750, 1, -154], [576, 300, 152]],
    "uint8": [[221, 3, 125], [116, 0, 7]],
    "float32": [[0.5, -3.0, 7.25], [2.0, 300.0, -1.5]],
    "bool": [[True, False, True], [False, False, True]],
}


def outcome(library, name, input, **keywords):
    values = library.tensor(INPUTS[input], dtype=getattr(library, input))
    degree = (2.0,) if name in ("norm", "normalize") else ()
    keywords["mask"] = keywords["mask"] and library.tensor([[True, False, True], [False, False, False]])
    keywords["dtype"] = keywords["dtype"] and getattr(library, keywords["dtype"])
    try:
        made = getattr(library.masked, name)(values, *degree, keywords.pop("dim"), **keywords)
    except Exception as error:
        return type(error).__name__, str(error)
    wide = made.to(library.complex128 if made.is_complex() else library.float64)
    return str(made.dtype), tuple(made.shape), wide.flatten().tolist()


@pytest.mark.parametrize("input", INPUTS)
@pytest.mark.parametrize("name", NAMES)
def test_as_pytorch(name, input):
    for dtype, dim, mask in itertools.product(DTYPES, DIMENSIONS, (True, None)):
        case = {"dtype": dtype, "dim": dim, "mask": mask}
        (*found, values), (*wanted, expected) = (outcome(library, name, input, **case) for library in (rushlight, pytorch))
        if isinstance(expected, list):
            expected = pytest.approx(expected, rel=2e-6, abs=1e-6, nan_ok=True)
        assert found == wanted and values == expected, case
