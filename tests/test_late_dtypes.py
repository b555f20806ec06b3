"""The dtypes that came late: uint16, uint32, uint64, complex32 and those of 8 bits. Texts and values are PyTorch's."""

import bisect
import copy
import io
import itertools
import math
import pickle
import struct

import pytest

import rushlight as torch

from .dtypes import EARLY, FLOAT8, LATE, NAMES, WIDE_UNSIGNED

BARE = "Promotion for uint16, uint32, uint64 types is not supported, attempted to promote "
EIGHT = "Promotion for Float8 Types is not supported, attempted to promote "


def of(name):
    return getattr(torch, name)


def bits(tensor):
    return tensor.view(torch.uint8).tolist()


# ---------------------------------------------------------------------------------------------------------- what is known of each
def test_the_table_is_whole():
    assert list(torch.core.dtype_by_name) == NAMES
    assert [of(name).itemsize for name in LATE] == [2, 4, 8, 4, 1, 1, 1, 1, 1]
    assert [name for name in LATE if of(name).is_floating_point] == FLOAT8
    assert [name for name in LATE if of(name).is_complex] == ["complex32"]
    assert [name for name in LATE if of(name).is_signed] == ["complex32", *FLOAT8[:4]]
    assert torch.chalf is torch.complex32 and torch.complex32.to_real() is torch.float16 is torch.float16.to_complex().to_real()


@pytest.mark.parametrize("name", ["bool", "int64", *WIDE_UNSIGNED, *FLOAT8])
def test_dtypes_without_complex_numbers(name):
    with pytest.raises(RuntimeError, match=f"Unknown Complex ScalarType for {of(name).legacy_name}"):
        of(name).to_complex()


def test_limits():
    found = {name: torch.iinfo(of(name)) for name in WIDE_UNSIGNED}
    assert [(info.min, info.max, info.bits) for info in found.values()] == [(0, 2**n - 1, n) for n in (16, 32, 64)]
    found = [torch.finfo(of(name)) for name in FLOAT8]
    assert [info.max for info in found] == [448, 57344, 240, 57344, 2.0**127]
    assert [info.min for info in found] == [-448, -57344, -240, -57344, 2.0**-127]
    assert [info.eps for info in found] == [0.125, 0.25, 0.125, 0.125, 1]
    assert [info.tiny for info in found] == [2.0**-6, 2.0**-14, 2.0**-7, 2.0**-15, 2.0**-127]
    assert all(info.resolution == 1 and info.bits == 8 for info in found) and torch.finfo(torch.complex32).max == 65504


# ---------------------------------------------------------------------------------------------------------- promotion
@pytest.mark.parametrize("name", LATE)
def test_promotion(name):
    for other in NAMES:
        for one, two in ((name, other), (other, name)):
            kind = EIGHT if one in FLOAT8 or two in FLOAT8 else BARE
            floating = [n for n in (one, two) if n in ("float16", "bfloat16", "float32", "float64")]
            if name == other:
                expected = name
            elif kind is BARE and floating and "complex32" not in (one, two):
                expected = floating[0]
            elif kind is EIGHT or one in WIDE_UNSIGNED or two in WIDE_UNSIGNED:
                with pytest.raises(RuntimeError, match=f"{kind}{of(one).legacy_name} and {of(two).legacy_name}$"):
                    torch.promote_types(of(one), of(two))
                continue
            else:
                expected = {"bfloat16": "complex64", "float32": "complex64", "float64": "complex128", "complex64": "complex64"}
                expected = {**expected, "complex128": "complex128"}.get(other, "complex32")
            assert torch.promote_types(of(one), of(two)) is of(expected)


def test_results():
    u, c, f = (torch.ones(2, dtype=of(name)) for name in ("uint16", "complex32", "float8_e5m2"))
    numbers = (True, 2, 2.5, 1j)
    assert [str(torch.result_type(u, n))[6:] for n in numbers] == ["uint16", "uint16", "float32", "complex64"]
    assert {torch.result_type(c, n) for n in numbers} == {torch.complex32}
    assert {torch.result_type(f, n) for n in numbers[:3]} == {torch.float8_e5m2}
    assert torch.result_type(u, torch.tensor(1)) is torch.uint16
    assert (torch.ones(1, dtype=torch.float16) * 1j).dtype is torch.complex32
    with pytest.raises(RuntimeError, match="Unknown Complex ScalarType for Float8_e5m2"):
        torch.result_type(f, 1j)
    with pytest.raises(RuntimeError, match=EIGHT + "Float and Float8_e5m2"):
        torch.ones(2) + f
    assert torch.can_cast(torch.float32, torch.float8_e5m2) and not torch.can_cast(torch.float8_e5m2, torch.uint64)


# ---------------------------------------------------------------------------------------------------------- the formats of 8 bits
def decoded(name):
    """The value of every byte, from the definition of the format."""
    if name == "float8_e8m0fnu":
        return [math.nan if byte == 255 else 2.0 ** (byte - 127) for byte in range(256)]
    fraction, bias = {"float8_e4m3fn": (3, 7), "float8_e5m2": (2, 15), "float8_e4m3fnuz": (3, 8), "float8_e5m2fnuz": (2, 16)}[
        name
    ]
    values = []
    for byte in range(256):
        exponent, rest = divmod(byte & 127, 1 << fraction)
        size = (
            math.ldexp(rest, 1 - bias - fraction)
            if exponent == 0
            else math.ldexp((1 << fraction) + rest, exponent - bias - fraction)
        )
        if (name == "float8_e4m3fn" and byte & 127 == 127) or (name.endswith("uz") and byte == 128):
            size = math.nan
        if name == "float8_e5m2" and byte & 127 >= 0x7C:
            size = math.inf if byte & 127 == 0x7C else math.nan
        values.append(-size if byte & 128 else size)
    return values


def encoded(name, value, finite):
    """The byte of the nearest number, ties to even."""
    sign = 128 if math.copysign(1, value) < 0 else 0
    if name == "float8_e8m0fnu":
        sign, value = 0, abs(value)
    if math.isnan(value) or (name == "float8_e8m0fnu" and math.isinf(value)):
        return 255 if name == "float8_e8m0fnu" else 128 if name.endswith("uz") else sign | 127
    size = abs(value)
    place = bisect.bisect_left(finite, size)
    if place == len(finite):
        # What would be rounded to a number beyond the last becomes something else.
        gap = finite[-1] - finite[-2] if name != "float8_e8m0fnu" else finite[-1]
        limit = finite[-1] + gap / 2
        ties_up = name == "float8_e8m0fnu" or (len(finite) - 1) % 2
        if size > limit or (size == limit and ties_up):
            return {"n": sign | 126, "2": sign | 0x7C, "z": 128, "u": 255}[name[-1]]
        place -= 1
    elif place and finite[place] != size:
        below, above = size - finite[place - 1], finite[place] - size
        if name == "float8_e8m0fnu":
            place -= below < above and place > 1
        else:
            place -= below < above or (below == above and place % 2 == 1)
    return place if name.endswith("uz") and place == 0 else sign | place


@pytest.mark.parametrize("name", FLOAT8)
def test_every_number_of_8_bits(name):
    x = torch.arange(256, dtype=torch.uint8).view(of(name))
    expected = decoded(name)
    for got in (x.tolist(), x.float().tolist(), x.double().tolist(), [item.item() for item in x]):
        assert all(math.isnan(b) if math.isnan(a) else a == b for a, b in zip(expected, got, strict=True))
    same = [i for i in range(256) if not math.isnan(expected[i])]
    assert [bits(x.float().to(of(name)))[i] for i in same] == same
    assert bits(x.clone()) == list(range(256)) and bits(x[::2].clone()) == list(range(0, 256, 2))


@pytest.mark.parametrize("name", FLOAT8)
def test_rounding_of_every_half(name):
    halves = torch.arange(65536, dtype=torch.int32).to(torch.uint16).view(torch.float16)
    finite = sorted({v for v in decoded(name) if v >= 0 and math.isfinite(v)})
    expected = [encoded(name, value, finite) for value in halves.tolist()]
    assert bits(halves.to(of(name))) == expected
    assert bits(halves.float().to(of(name))) == expected == bits(halves.double().to(of(name)))


@pytest.mark.parametrize("name", FLOAT8)
def test_rounding_of_floats(name):
    finite = sorted({v for v in decoded(name) if v >= 0 and math.isfinite(v)})
    middles = [(a + b) / 2 for a, b in itertools.pairwise(finite)]
    values = [
        struct.unpack("<f", struct.pack("<f", value * scale))[0]
        for value in (*finite[:-1], *middles)
        for scale in (1, 1 + 2e-7, 1 - 2e-7)
    ]
    values += [-value for value in values] + [
        math.inf,
        -math.inf,
        math.nan,
        finite[-1] * 1.25 if finite[-1] < 2.0**126 else 2.0**127,
    ]
    assert bits(torch.tensor(values).to(of(name))) == [encoded(name, value, finite) for value in values]
    assert bits(torch.tensor(values, dtype=of(name))) == bits(torch.tensor(values).to(of(name)))


# ---------------------------------------------------------------------------------------------------------- conversions
def test_wide_unsigned_integers():
    x = torch.tensor([0, 1, 2**63 - 1, 2**63, 2**64 - 1], dtype=torch.uint64)
    assert x.tolist() == [0, 1, 2**63 - 1, 2**63, 2**64 - 1] and x[-1].item() == 2**64 - 1
    assert x.to(torch.int64).tolist() == [0, 1, 2**63 - 1, -(2**63), -1]
    assert x.to(torch.float64).tolist() == [0.0, 1.0, 2.0**63, 2.0**63, 2.0**64]
    assert torch.tensor([2**63 + 2**39 + 1], dtype=torch.uint64).float().item() == 2.0**63 + 2.0**40  # (rounded once)
    assert x.to(torch.uint16).tolist() == [0, 1, 65535, 0, 65535] and x.to(torch.bool).tolist() == [False, True, True, True, True]
    assert torch.tensor([-1.5, 70000.7, 3e9]).to(torch.uint32).tolist() == [2**32 - 1, 70000, 3000000000]
    assert torch.tensor([-1.0, 1e19], dtype=torch.float64).to(torch.uint64).tolist() == [2**64 - 1, 10**19]
    assert torch.tensor([-1, 65537]).to(torch.uint16).tolist() == [65535, 1]
    assert x.to(torch.complex32)[:2].tolist() == [0j, 1 + 0j] and x.to(torch.float8_e5m2)[:2].tolist() == [0.0, 1.0]


def test_complex32():
    x = torch.tensor([1 + 2j, 3.5 - 1j], dtype=torch.complex32)
    assert x.tolist() == [1 + 2j, 3.5 - 1j] and x.to(torch.complex128).tolist() == x.tolist()
    assert (
        torch.view_as_real(x).dtype is torch.float16 and torch.view_as_complex(torch.ones(2, 2).half()).tolist() == [1 + 1j] * 2
    )
    assert (
        x.real.tolist() == [1.0, 3.5]
        and x.imag.tolist() == [2.0, -1.0]
        and x.conj().resolve_conj().tolist() == [1 - 2j, 3.5 + 1j]
    )
    assert (
        (x + x).tolist() == [2 + 4j, 7 - 2j]
        and (x * x).tolist() == [-3 + 4j, 11.25 - 7j]
        and (-x).tolist() == [-1 - 2j, -3.5 + 1j]
    )
    assert x.abs().dtype is torch.float16 and torch.ones(1).chalf().dtype is torch.complex32
    assert repr(x) == "tensor([1.0000+2.j, 3.5000-1.j], dtype=torch.complex32)"
    with pytest.raises(NotImplementedError, match="\"div_cpu\" not implemented for 'ComplexHalf'"):
        x / x


@pytest.mark.filterwarnings("ignore:Casting complex values to real")
@pytest.mark.parametrize("name", LATE)
def test_conversions_to_and_from_all(name):
    small = torch.tensor([0, 1, 2, 4])
    for other in NAMES:
        there = small.to(of(other)).to(of(name))
        expected = [0, 1, 1, 1] if other == "bool" else [0, 1, 2, 4]
        zero = 2.0**-127 if "float8_e8m0fnu" in (name, other) else 0
        back = there.to(torch.float64).tolist()
        if (other == "float8_e8m0fnu" and of(name).itemsize < 4) or name not in FLOAT8:
            zero = back[0]
        assert back == [zero, *expected[1:]], other
    # Strided, of no elements, in long lines.
    x = torch.arange(10000).remainder(7).to(of(name))
    assert x[::3].to(torch.float64).tolist() == x.to(torch.float64)[::3].tolist() and x[:0].float().tolist() == []
    assert torch.equal(
        x.reshape(100, 100).t().contiguous().view(torch.uint8), x.reshape(100, 100).t().clone().contiguous().view(torch.uint8)
    )


# ---------------------------------------------------------------------------------------------------------- numbers
@pytest.mark.parametrize(
    ("name", "number", "text"),
    [
        ("uint16", 65536, "value cannot be converted to type uint16_t without overflow"),
        ("uint16", -70000, "value cannot be converted to type uint16_t without overflow"),
        ("uint32", -1.5, "value cannot be converted to type uint32_t without overflow"),
        ("uint64", 1e20, "value cannot be converted to type uint64_t without overflow"),
        ("float8_e4m3fn", math.inf, "value cannot be converted to type c10::Float8_e4m3fn without overflow"),
        ("float8_e5m2", 1e6, "value cannot be converted to type c10::Float8_e5m2 without overflow"),
        ("complex32", 1e39, "value cannot be converted to type c10::complex<float> without overflow"),
    ],
)
def test_numbers_that_do_not_fit(name, number, text):
    with pytest.raises(RuntimeError, match=text):
        torch.full((2,), number, dtype=of(name))


def test_numbers_that_fit():
    assert torch.full((2,), -1, dtype=torch.uint64).tolist() == [2**64 - 1] * 2
    assert torch.tensor([-1], dtype=torch.uint16).tolist() == [65535]
    assert (torch.ones(2, dtype=torch.uint16) * -70000).tolist() == [61072] * 2
    assert torch.tensor([1e6], dtype=torch.float8_e4m3fn).tolist() == [448.0]
    for value, error in ((-1, OverflowError), (1.5, TypeError), (2**64, OverflowError)):
        with pytest.raises(error):
            torch.tensor([value], dtype=torch.uint64)


# ---------------------------------------------------------------------------------------------------------- ops
def test_arithmetic_of_wide_unsigned_integers():
    for name, most in zip(WIDE_UNSIGNED, (2**16 - 1, 2**32 - 1, 2**64 - 1), strict=True):
        x = torch.tensor([most, 1, most - 1, 3], dtype=of(name))
        assert (x * x).tolist() == [1, 1, 4, 9] and (x & 1).tolist() == [1, 1, 0, 1] and (x ^ x).tolist() == [0] * 4
        assert (x == most).tolist() == [True, False, False, False] and x.signbit().tolist() == [False] * 4
        assert x.sort().values.tolist() == [1, 3, most - 1, most] and x.unique().tolist() == [1, 3, most - 1, most]
        assert x.argsort(descending=True).tolist() == [0, 2, 3, 1]
        assert torch.where(x == 1, x, 0).tolist() == [0, 1, 0, 0] and (x[1::2] / 2).tolist() == [0.5, 1.5]
        assert x[1::2].sum().dtype is torch.int64 and x[1::2].sum().item() == 4
        assert torch.mul(x, 1, out=torch.empty(4)).tolist() == [float(torch.tensor(float(n))) for n in (most, 1, most - 1, 3)]
        for refused, kernel in (("x + x", "add_stub"), ("x < x", "lt_cpu"), ("-x", "neg_cpu"), ("x // 2", "div_floor_cpu")):
            with pytest.raises(NotImplementedError, match=f"\"{kernel}\" not implemented for '{of(name).legacy_name}'"):
                eval(refused)


@pytest.mark.parametrize("name", FLOAT8)
def test_ops_of_8_bits(name):
    x = torch.tensor([1.0, 2.0, 4.0], dtype=of(name))
    assert (x == x).tolist() == [True] * 3 and (x * x).tolist() == [1.0, 4.0, 16.0] and x.isnan().tolist() == [False] * 3
    assert x.all().item() and torch.cat([x, x])[3:].tolist() == [1.0, 2.0, 4.0] and x[torch.tensor([2, 0])].tolist() == [4.0, 1.0]
    for refused, kernel in (
        ("x + x", "add_stub"),
        ("x.sin()", "sin_vml_cpu"),
        ("x.sum()", "sum_cpu"),
        ("x * 2", "mul_cpu_reduced_float"),
    ):
        with pytest.raises(NotImplementedError, match=f"\"{kernel}\" not implemented for '{of(name).legacy_name}'"):
            eval(refused)


@pytest.mark.filterwarnings("ignore:Casting complex values to real")
@pytest.mark.parametrize("name", LATE)
def test_moving_elements(name):
    x = torch.tensor([1, 2, 4, 8]).to(of(name))
    other = x.clone()
    other[1] = 8
    other[2:] = x[:2]
    assert other.float().tolist() == [1.0, 8.0, 1.0, 2.0] and x.reshape(2, 2).t().float().tolist() == [[1.0, 4.0], [2.0, 8.0]]
    assert torch.stack([x, x])[1].float().tolist() == x.roll(4).float().tolist() == copy.deepcopy(x).float().tolist()
    assert x.masked_select(x == x[1]).float().tolist() == [2.0] and torch.zeros_like(x).shape == x.shape
    assert x.view(torch.uint8).view(of(name)).data_ptr() == x.data_ptr() and x.element_size() == of(name).itemsize
    assert bool(x[0]) and x.any().item() and x.type() == f"torch.{of(name).legacy_name}Tensor"
    assert torch.ones(1).type(f"torch.{of(name).legacy_name}Tensor").dtype is of(name)
    assert torch.equal(torch.from_dlpack(x).view(torch.uint8), x.view(torch.uint8))


# ---------------------------------------------------------------------------------------------------------- files and arrays
@pytest.mark.parametrize("name", LATE)
def test_files(name):
    x = torch.tensor([1, 2, 4]).to(of(name))
    file = io.BytesIO()
    torch.save({"x": x, "dtype": of(name)}, file)
    file.seek(0)
    found = torch.load(file)
    for back in (found["x"], pickle.loads(pickle.dumps(x))):
        assert back.dtype is of(name) and bits(back) == bits(x)
    assert found["dtype"] is of(name) is pickle.loads(pickle.dumps(of(name)))
    assert x.storage_type() is None
    with pytest.raises(KeyError, match=f"dtype torch.{name} is not recognized"):
        pickle.dumps(x._typed_storage()._pickle_storage_type())


def test_arrays():
    numpy = pytest.importorskip("numpy")
    for name in WIDE_UNSIGNED:
        array = numpy.array([1, 2, 65535], dtype=name)
        x = torch.from_numpy(array)
        assert x.dtype is of(name) and x.tolist() == array.tolist() and numpy.shares_memory(x.numpy(), array)
        assert torch.tensor(getattr(numpy, name)(3)).dtype is of(name)
    for name in ("complex32", *FLOAT8):
        with pytest.raises(TypeError, match=f"Got unsupported ScalarType {of(name).legacy_name}"):
            torch.ones(1).to(of(name)).numpy()


def test_early_dtypes_keep_their_numbers():
    assert [of(name).code for name in EARLY] == list(range(12))
