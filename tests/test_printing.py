"""Texts of tensors, as PyTorch 2.13 prints them."""

import time
from math import inf, nan

import pytest

import rushlight

TEXTS = [
    (lambda: rushlight.tensor(3), "tensor(3)"),
    (lambda: rushlight.tensor(True), "tensor(True)"),
    (lambda: rushlight.tensor(1e10), "tensor(1.0000e+10)"),
    (lambda: rushlight.tensor(-0.0), "tensor(-0.)"),
    (lambda: rushlight.tensor([nan, 1.0]), "tensor([nan, 1.])"),
    (lambda: rushlight.tensor([nan, inf]), "tensor([nan, inf])"),
    (lambda: rushlight.tensor([nan, 1.5, -inf]), "tensor([   nan, 1.5000,   -inf])"),
    (lambda: rushlight.tensor([True, False]), "tensor([ True, False])"),
    (lambda: rushlight.tensor([0.0, 1e5, 1.0]), "tensor([0.0000e+00, 1.0000e+05, 1.0000e+00])"),
    (lambda: rushlight.tensor([1e-5, 1.0]), "tensor([1.0000e-05, 1.0000e+00])"),
    (lambda: rushlight.tensor([1e9, 1.0]), "tensor([1.0000e+09, 1.0000e+00])"),
    (lambda: rushlight.tensor([0.1, 22.25, -3.0]), "tensor([ 0.1000, 22.2500, -3.0000])"),
    (
        lambda: rushlight.tensor([[1, -20], [300, 4]]),
        """\
tensor([[  1, -20],
        [300,   4]])""",
    ),
    (lambda: rushlight.tensor([1, 2], dtype=rushlight.uint8), "tensor([1, 2], dtype=torch.uint8)"),
    (lambda: rushlight.tensor([1, 2], dtype=rushlight.int32), "tensor([1, 2], dtype=torch.int32)"),
    (lambda: rushlight.tensor([0.1, 2], dtype=rushlight.float16), "tensor([0.1000, 2.0000], dtype=torch.float16)"),
    (lambda: rushlight.tensor([0.1, 2], dtype=rushlight.bfloat16), "tensor([0.1001, 2.0000], dtype=torch.bfloat16)"),
    (lambda: rushlight.tensor([0.1, 2], dtype=rushlight.float64), "tensor([0.1000, 2.0000], dtype=torch.float64)"),
    (lambda: rushlight.tensor([1 + 2j, -1.5 - 0.5j]), "tensor([ 1.0000+2.0000j, -1.5000-0.5000j])"),
    (lambda: rushlight.tensor([1 + 2j, 3 - 4j]), "tensor([1.+2.j, 3.-4.j])"),
    (lambda: rushlight.tensor([complex(nan, 1), complex(1, nan), complex(-inf, -0.0)]), "tensor([nan+1.j, 1.+nanj, -inf-0.j])"),
    (lambda: rushlight.tensor([1e-6 + 1j], dtype=rushlight.complex128), "tensor([1.0000e-06+1.j], dtype=torch.complex128)"),
    (lambda: rushlight.tensor(1j), "tensor(0.+1.j)"),
    (lambda: rushlight.tensor([]), "tensor([])"),
    (lambda: rushlight.tensor([], dtype=rushlight.int64), "tensor([], dtype=torch.int64)"),
    (lambda: rushlight.zeros(0, 3), "tensor([], size=(0, 3))"),
    (lambda: rushlight.zeros(2, 0, dtype=rushlight.int32), "tensor([], size=(2, 0), dtype=torch.int32)"),
    (lambda: rushlight.zeros(0, dtype=rushlight.bool), "tensor([], dtype=torch.bool)"),
    (
        lambda: rushlight.tensor([], dtype=rushlight.float64, requires_grad=True),
        "tensor([], dtype=torch.float64, requires_grad=True)",
    ),
    (
        lambda: rushlight.ones(2, 2, 3),
        """\
tensor([[[1., 1., 1.],
         [1., 1., 1.]],

        [[1., 1., 1.],
         [1., 1., 1.]]])""",
    ),
    (
        lambda: rushlight.arange(30),
        """\
tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,
        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])""",
    ),
    (lambda: rushlight.arange(1001), "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
    (
        lambda: rushlight.arange(2000.0).reshape(40, 50),
        """\
tensor([[0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 4.7000e+01, 4.8000e+01,
         4.9000e+01],
        [5.0000e+01, 5.1000e+01, 5.2000e+01,  ..., 9.7000e+01, 9.8000e+01,
         9.9000e+01],
        [1.0000e+02, 1.0100e+02, 1.0200e+02,  ..., 1.4700e+02, 1.4800e+02,
         1.4900e+02],
        ...,
        [1.8500e+03, 1.8510e+03, 1.8520e+03,  ..., 1.8970e+03, 1.8980e+03,
         1.8990e+03],
        [1.9000e+03, 1.9010e+03, 1.9020e+03,  ..., 1.9470e+03, 1.9480e+03,
         1.9490e+03],
        [1.9500e+03, 1.9510e+03, 1.9520e+03,  ..., 1.9970e+03, 1.9980e+03,
         1.9990e+03]])""",
    ),
    (
        lambda: rushlight.zeros(7, 8, 20),
        """\
tensor([[[0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         ...,
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.]],

        [[0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         ...,
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.]],

        [[0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         ...,
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.]],

        ...,

        [[0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         ...,
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.]],

        [[0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         ...,
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.]],

        [[0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         ...,
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.],
         [0., 0., 0.,  ..., 0., 0., 0.]]])""",
    ),
    (
        lambda: rushlight.zeros(1200, 2),
        """\
tensor([[0., 0.],
        [0., 0.],
        [0., 0.],
        ...,
        [0., 0.],
        [0., 0.],
        [0., 0.]])""",
    ),
    (lambda: rushlight.ones(2, requires_grad=True), "tensor([1., 1.], requires_grad=True)"),
    (lambda: rushlight.ones(2, requires_grad=True) * 2, "tensor([2., 2.], grad_fn=<MulBackward0>)"),
    (
        lambda: rushlight.ones(40, requires_grad=True) * 2,
        """\
tensor([2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 2.,
        2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 2., 2.,
        2., 2., 2., 2.], grad_fn=<MulBackward0>)""",
    ),
    (
        lambda: rushlight.ones(2, 2, dtype=rushlight.float64, requires_grad=True).sum(),
        "tensor(4., dtype=torch.float64, grad_fn=<SumBackward0>)",
    ),
    (lambda: rushlight.ones(1200, dtype=rushlight.int16), "tensor([1, 1, 1,  ..., 1, 1, 1], dtype=torch.int16)"),
]

OPTIONS = [
    (dict(precision=2), [0.125, 3.5], "tensor([0.12, 3.50])"),
    (dict(sci_mode=True), [1.0, 2.5], "tensor([1.0000e+00, 2.5000e+00])"),
    (dict(sci_mode=True), [1.0, 2.0], "tensor([1.0000e+00, 2.0000e+00])"),
    (dict(sci_mode=False), [1e-09, 1000000000.0], "tensor([         0.0000, 1000000000.0000])"),
    (dict(profile="short"), [0.125] * 1001, "tensor([0.12, 0.12,  ..., 0.12, 0.12])"),
    (dict(threshold=5, edgeitems=2), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "tensor([1., 2.,  ..., 5., 6.])"),
    (
        dict(linewidth=20),
        [1.5, 2.0, 3.0, 4.0, 5.0, 6.0],
        "tensor([1.5000,\n        2.0000,\n        3.0000,\n        4.0000,\n        5.0000,\n        6.0000])",
    ),
    (dict(threshold=0), [1.0], "tensor([1.])"),
    (dict(profile="full", precision=1, linewidth=120), [0.25] * 4, "tensor([0.2, 0.2, 0.2, 0.2])"),
]


@pytest.fixture
def options():
    yield
    rushlight.set_printoptions(profile="default")


@pytest.mark.parametrize("make, text", TEXTS)
def test_texts(make, text):
    assert repr(make()) == text


@pytest.mark.parametrize("chosen, values, text", OPTIONS)
def test_options(options, chosen, values, text):
    rushlight.set_printoptions(**chosen)
    assert repr(rushlight.tensor(values)) == text


def test_options_in_force(options):
    from rushlight._printing import get_printoptions

    rushlight.set_printoptions(precision=2, sci_mode=True)
    assert get_printoptions() == dict(precision=2, threshold=1000, edgeitems=3, linewidth=80, sci_mode=True)
    rushlight.set_printoptions(linewidth=100)
    assert get_printoptions() == dict(precision=2, threshold=1000, edgeitems=3, linewidth=100, sci_mode=None)
    rushlight.set_printoptions(profile="full")
    assert get_printoptions() == dict(precision=4, threshold=inf, edgeitems=3, linewidth=80, sci_mode=None)


def test_str_is_repr_and_format_shows_a_number():
    x = rushlight.tensor([1.5, 2.0])
    assert str(x) == repr(x) == f"{x}" == "tensor([1.5000, 2.0000])"
    assert f"{x[0]:.3f}" == "1.500"


def test_parameters_and_subclasses():
    class Mine(rushlight.Tensor):
        pass

    assert repr(rushlight.nn.Parameter(rushlight.ones(2))) == ("Parameter containing:\ntensor([1., 1.], requires_grad=True)")
    assert repr(rushlight.ones(2).as_subclass(Mine)) == "Mine([1., 1.])"


def test_a_function_of_the_user_gives_its_name():
    class Double(rushlight.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    assert repr(Double.apply(rushlight.ones(1, requires_grad=True))) == "tensor([2.], grad_fn=<DoubleBackward>)"


def test_the_default_dtype_is_not_named():
    rushlight.set_default_dtype(rushlight.float64)
    try:
        texts = [repr(rushlight.ones(1, dtype=x)) for x in (rushlight.float64, rushlight.float32, rushlight.complex128)]
    finally:
        rushlight.set_default_dtype(rushlight.float32)
    assert texts == ["tensor([1.])", "tensor([1.], dtype=torch.float32)", "tensor([1.+0.j])"]


def test_a_large_tensor_prints_at_once():
    x = rushlight.zeros(1000, 1000)
    start = time.perf_counter()
    repr(x)
    assert time.perf_counter() - start < 0.05


def test_limits():
    finfo, iinfo = rushlight.finfo, rushlight.iinfo
    assert repr(finfo(rushlight.bfloat16)) == (
        "finfo(resolution=0.01, min=-3.38953e+38, max=3.38953e+38, eps=0.0078125, smallest_normal=1.17549e-38, "
        "tiny=1.17549e-38, dtype=bfloat16)"
    )
    assert repr(iinfo(rushlight.int32)) == "iinfo(min=-2.14748e+09, max=2.14748e+09, dtype=int32)"
    assert finfo() == finfo(rushlight.complex64) == finfo(rushlight.float32) != finfo(rushlight.float64)
    assert (finfo(rushlight.float16).max, finfo(rushlight.float64).eps) == (65504.0, 2.0**-52)
    assert (iinfo(rushlight.int64).max, iinfo(rushlight.uint8).min, iinfo(rushlight.int8).bits) == (2**63 - 1, 0, 8)
    for wrong, text in [
        (lambda: finfo(rushlight.int32), "requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'"),
        (lambda: iinfo(rushlight.float32), "requires an integer input type. Use torch.finfo to handle 'torch.iinfo'"),
        (lambda: iinfo(rushlight.bool), "torch.bool is not supported by torch.iinfo"),
        (lambda: finfo(3), "argument 'type' \\(position 1\\) must be torch.dtype, not int"),
    ]:
        with pytest.raises(TypeError, match=text):
            wrong()
    with pytest.raises(AttributeError, match="not writable"):
        finfo().eps = 1.0


def test_parameters_of_subclasses():
    class Own(rushlight.nn.Parameter):
        pass

    assert repr(Own(rushlight.arange(20.0))) == (
        "Parameter containing:\n"
        "Parameter(Own([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13., 14.,\n"
        "     15., 16., 17., 18., 19.], requires_grad=True))"
    )


def test_sparse_tensors():
    assert repr(rushlight.eye(3).to_sparse_csr()) == (
        "tensor(crow_indices=tensor([0, 1, 2, 3]),\n"
        "       col_indices=tensor([0, 1, 2]),\n"
        "       values=tensor([1., 1., 1.]), size=(3, 3), nnz=3,\n"
        "       layout=torch.sparse_csr)"
    )
    assert repr(rushlight.arange(30.0).to_sparse()) == (
        "tensor(indices=tensor([[ 1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,\n"
        "                        15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,\n"
        "                        29]]),\n"
        "       values=tensor([ 1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11.,\n"
        "                      12., 13., 14., 15., 16., 17., 18., 19., 20., 21., 22.,\n"
        "                      23., 24., 25., 26., 27., 28., 29.]),\n"
        "       size=(30,), nnz=29, layout=torch.sparse_coo)"
    )


def test_a_call_as_text():
    from rushlight._utils import render_call

    assert render_call(rushlight.sum, [rushlight.zeros(100), 3], {"dim": 0}) == "torch.sum(tensor([...], size=(100,)), 3, dim=0)"
    assert repr(rushlight.zeros(2)) == "tensor([0., 0.])"
