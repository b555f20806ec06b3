"""Python numbers beside tensors: wrapped around by arithmetic, refused where a kernel takes them by itself."""

import math

import pytest

INF = math.inf

BYTES = [
    ("x + 300", [45, 46, 47]),
    ("x * -1", [255, 254, 253]),
    ("300 - x", [43, 42, 41]),
    ("x + (2**64 - 1)", [0, 1, 2]),
    ("x == 257", [True, False, False]),
    ("x.fill_(-1)", [255, 255, 255]),
    ("x.clamp(max=-254)", [1, 2, 2]),
    ("torch.where(x > 1, x, -1)", [255, 2, 3]),
    ("torch.addcmul(x, x, x, value=0.5)", [1, 2, 3]),
    ("torch.arange(300, 302, dtype=x.dtype)", [44, 45]),
]


@pytest.mark.parametrize(("program", "expected"), BYTES, ids=str)
def test_a_number_wraps_around_in_bytes(torch, program, expected):
    x = torch.tensor([1, 2, 3], dtype=torch.uint8)
    assert eval(program, {"torch": torch, "x": x}).tolist() == expected


@pytest.mark.parametrize(
    ("dtype", "program", "named"),
    [
        ("uint8", "x ** 300", "uint8_t"),
        ("uint8", "x.clamp(-1, 300)", "uint8_t"),
        ("uint8", "x.fill_(-0.5)", "uint8_t"),
        ("uint8", "x.add(x, alpha=300)", "uint8_t"),
        ("int8", "torch.where(x > 1, x, 128)", "int8_t"),
        ("int16", "torch.linspace(0, 40000, 3, dtype=x.dtype)", "int16_t"),
        ("int32", "torch.addcmul(x, x, x, value=2**31)", "int"),
        ("int64", "torch.full((2,), 2**63)", "int64_t"),
        ("float16", "x ** 1e5", "c10::Half"),
        ("float16", "x.clamp(max=65505)", "c10::Half"),
        ("float16", "torch.addcmul(x, x, x, value=1e39)", "float"),
        ("bfloat16", "x.sub(x, alpha=1e39)", "c10::BFloat16"),
        ("float32", "x.clamp(min=1e39)", "float"),
        ("float32", "torch.nn.functional.leaky_relu(x, 1e39)", "float"),
        ("complex64", "torch.lerp(x, x, 1e39)", "c10::complex<float>"),
    ],
)
def test_a_number_that_does_not_fit_is_refused(torch, dtype, program, named):
    x = torch.tensor([1, 2, 3], dtype=getattr(torch, dtype))
    with pytest.raises(RuntimeError, match=f"^value cannot be converted to type {named} without overflow$"):
        eval(program, {"torch": torch, "x": x})
    assert x.tolist() == [1, 2, 3]


def test_a_half_takes_infinity_where_one_number_is_written(torch):
    x = torch.zeros(2, dtype=torch.bfloat16)
    x[1] = 1e39
    assert x.tolist() == [0, INF]
    assert torch.zeros((), dtype=torch.float16).fill_(1e5).item() == INF


@pytest.mark.parametrize("number", (2**64, -(2**63) - 1))
def test_numbers_have_64_bits(torch, number):
    text = "int too big to convert" if number > 0 else "can't convert negative int to unsigned"
    for program in (
        lambda x: x + number,
        lambda x: x * number,
        lambda x: number - x,
        lambda x: x == number,
        lambda x: x.clamp(number),
    ):
        with pytest.raises(OverflowError, match=text):
            program(torch.ones(2))
    with pytest.raises(ValueError, match="Overflow when unpacking long long"):
        torch.ones(2)[0] = number


def test_gradient_of_the_logarithm_of_a_singular_determinant(torch):
    a = torch.tensor([[0.0, 0.0], [0.0, 1.0]], dtype=torch.float64, requires_grad=True)
    for function in (torch.logdet, lambda a: torch.linalg.slogdet(a)[1]):
        (grad,) = torch.autograd.grad(function(a), a)
        assert grad[0, 0] == INF and grad[0, 1].isnan() and grad[1].tolist() == [0, 1]
