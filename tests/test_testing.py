"""torch.testing: the same facts here and (tests/parity) of PyTorch."""

import collections
import math
import re
import warnings

import numpy
import pytest

nan, inf = math.nan, math.inf


@pytest.fixture
def torch():
    import rushlight

    return rushlight


def error_of(call, kind=AssertionError):
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    return str(caught.value)


def scalars(expected, actual, absolute, relative, word="equal", rtol=None, atol=None):
    """The message for two numbers."""
    up_to = [f" (up to {x} allowed)" if word == "close" else "" for x in (atol, rtol)]
    return (
        f"Scalars are not {word}!\n\nExpected {expected} but got {actual}.\n"
        f"Absolute difference: {absolute}{up_to[0]}\nRelative difference: {relative}{up_to[1]}"
    )


def tensors(wrong, absolute, relative, word="equal", rtol=None, atol=None):
    """The message for two tensors; a difference comes with its index."""
    up_to = [f" (up to {x} allowed)" if word == "close" else "" for x in (atol, rtol)]
    return (
        f"Tensor-likes are not {word}!\n\nMismatched elements: {wrong}\n"
        f"Greatest absolute difference: {absolute[0]} at index {absolute[1]}{up_to[0]}\n"
        f"Greatest relative difference: {relative[0]} at index {relative[1]}{up_to[1]}"
    )


# ------------------------------------------------------------------------------------------------------------- numbers
FLOATS = {"word": "close", "rtol": 1e-07, "atol": 1e-07}


@pytest.mark.parametrize(
    ("actual", "expected", "options", "message"),
    [
        (1, 2, {}, scalars(2, 1, 1, 0.5)),
        (1, 0, {}, scalars(0, 1, 1, inf)),
        (1.0, 1.1, {}, scalars(1.1, 1.0, 0.10000000000000009, 0.09090909090909098, **FLOATS)),
        (1 + 1j, 2 + 1j, {}, scalars("(2+1j)", "(1+1j)", 1.0, 0.4472135954999579, **FLOATS)),
        (nan, nan, {}, scalars(nan, nan, nan, nan, **FLOATS)),
        (nan, 0.0, {}, scalars(0.0, nan, nan, inf, **FLOATS)),
        (inf, -inf, {}, scalars(-inf, inf, inf, nan, **FLOATS)),
        (inf, 1.0, {"rtol": inf, "atol": 0}, scalars(1.0, inf, inf, inf, "close", rtol=inf, atol=0)),
        (1.0, 2.0, {"rtol": 0, "atol": 0}, scalars(2.0, 1.0, 1.0, 0.5)),
        (1, 2, {"rtol": 0.25, "atol": 0}, scalars(2, 1, 1, 0.5, "close", rtol=0.25, atol=0)),
        (0, 0.1, {"check_dtype": False}, scalars(0.1, 0, 0.1, 1.0, **FLOATS)),
        (2**70, 2**70 + 1, {}, scalars(2**70 + 1, 2**70, 1, 8.470329472543003e-22)),
        (numpy.int64(1), 2, {}, scalars(2, 1, 1, 0.5)),
        (numpy.float32(1), numpy.float64(1.5), {}, scalars(1.5, 1.0, 0.5, 0.3333333333333333, **FLOATS)),
        (1, 1.0, {}, "The (d)types do not match: <class 'int'> != <class 'float'>."),
        (1.0, 1 + 0j, {}, "The (d)types do not match: <class 'float'> != <class 'complex'>."),
        (True, False, {}, "Booleans mismatch: True is not False"),
        (numpy.bool_(False), True, {}, "Booleans mismatch: False is not True"),
        (None, 1, {}, "None mismatch: None is not 1"),
        ("a", None, {}, "None mismatch: a is not None"),
    ],
)
def test_numbers_that_differ(torch, actual, expected, options, message):
    assert error_of(lambda: torch.testing.assert_close(actual, expected, **options)) == message


@pytest.mark.parametrize(
    ("actual", "expected", "options"),
    [
        (1, 1, {}),
        (1.0, 1.0000001, {}),
        (1, 1.0, {"check_dtype": False}),
        (inf, inf, {}),
        (nan, nan, {"equal_nan": True}),
        (complex(nan, 0), complex(0, nan), {"equal_nan": True}),
        (5, 4, {"rtol": 0.25, "atol": 0}),
        (5, 4, {"rtol": 0, "atol": 1}),
        (1.0, 2.0, {"rtol": inf, "atol": 0}),
        (10**400, 10**400, {}),
        (numpy.float16(1), 1.0, {"allow_subclasses": False}),
        (True, numpy.bool_(True), {}),
        (None, None, {"rtol": 1}),
    ],
)
def test_numbers_that_are_close(torch, actual, expected, options):
    assert torch.testing.assert_close(actual, expected, **options) is None


# ------------------------------------------------------------------------------------------------------------- tensors
@pytest.mark.parametrize(
    ("dtype", "rtol", "atol"),
    [
        ("float16", 1e-3, 1e-5),
        ("bfloat16", 1.6e-2, 1e-5),
        ("float32", 1.3e-6, 1e-5),
        ("float64", 1e-7, 1e-7),
        ("complex64", 1.3e-6, 1e-5),
        ("complex128", 1e-7, 1e-7),
    ],
)
def test_tolerances_of_a_dtype(torch, dtype, rtol, atol):
    actual, expected = (torch.tensor(x, dtype=getattr(torch, dtype)) for x in ([1.0, 3.0], [1.0, 4.0]))
    wanted = tensors("1 / 2 (50.0%)", (1.0, "(1,)"), (0.25, "(1,)"), "close", rtol, atol)
    assert error_of(lambda: torch.testing.assert_close(actual, expected)) == wanted
    torch.testing.assert_close(expected * (1 + rtol / 2), expected)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_integers_have_to_be_equal(torch, dtype):
    actual, expected = (torch.tensor(x, dtype=getattr(torch, dtype)) for x in ([[1, 4], [100, 7]], [[1, 2], [101, 7]]))
    wanted = tensors("2 / 4 (50.0%)", (2, "(0, 1)"), (1.0, "(0, 1)"))
    assert error_of(lambda: torch.testing.assert_close(actual, expected)) == wanted
    torch.testing.assert_close(actual, expected, rtol=0, atol=2)


@pytest.mark.parametrize(
    ("actual", "expected", "options", "message"),
    [
        ([True, False], [True, True], {}, tensors("1 / 2 (50.0%)", (1, "(1,)"), (1.0, "(1,)"))),
        ([0, 2, 3], [0, 2, 0], {}, tensors("1 / 3 (33.3%)", (3, "(2,)"), (inf, "(2,)"))),
        ([2**53 + 1], [2**53], {}, tensors("1 / 1 (100.0%)", (1, "(0,)"), (1.1102230246251565e-16, "(0,)"))),
        (
            [[1.0, 2.0], [3.0, 4.0]],
            [[1.0, 2.5], [3.0, 5.0]],
            {},
            tensors("2 / 4 (50.0%)", (1.0, "(1, 1)"), (0.20000000298023224, "(0, 1)"), "close", 1.3e-06, 1e-05),
        ),
        (
            [[1.0, 2.0], [3.0, 4.0]],
            [[1.0, 2.5], [3.0, 5.0]],
            {"rtol": 0, "atol": 0},
            tensors("2 / 4 (50.0%)", (1.0, "(1, 1)"), (0.20000000298023224, "(0, 1)")),
        ),
        ([1.0, nan], [1.0, nan], {}, tensors("1 / 2 (50.0%)", (nan, "(1,)"), (nan, "(1,)"), "close", 1.3e-06, 1e-05)),
        (
            [2.0, nan],
            [1.0, nan],
            {"equal_nan": True},
            tensors("1 / 2 (50.0%)", (1.0, "(0,)"), (1.0, "(0,)"), "close", 1.3e-06, 1e-05),
        ),
        ([inf, -inf], [inf, inf], {}, tensors("1 / 2 (50.0%)", (inf, "(1,)"), (nan, "(1,)"), "close", 1.3e-06, 1e-05)),
        (
            [1.0, 2.5],
            [1, 2],
            {"check_dtype": False},
            tensors("1 / 2 (50.0%)", (0.5, "(1,)"), (0.25, "(1,)"), "close", 1.3e-06, 1e-05),
        ),
        (0.1, 0.2, {}, scalars(0.20000000298023224, 0.10000000149011612, 0.10000000149011612, 0.5, "close", 1.3e-06, 1e-05)),
        (True, False, {}, scalars(False, True, 1, inf)),
        (1, 2.5, {"check_dtype": False}, scalars(2.5, 1.0, 1.5, 0.6, "close", 1.3e-06, 1e-05)),
        ([1.0, 2.0], [[1.0, 2.0]], {}, "The values for attribute 'shape' do not match: torch.Size([2]) != torch.Size([1, 2])."),
        ([1.0, 2.0], [1, 2], {}, "The values for attribute 'dtype' do not match: torch.float32 != torch.int64."),
    ],
)
def test_tensors_that_differ(torch, actual, expected, options, message):
    actual, expected = torch.tensor(actual), torch.tensor(expected)
    assert error_of(lambda: torch.testing.assert_close(actual, expected, **options)) == message


def test_small_integers_do_not_overflow(torch):
    lowest, highest = torch.tensor([-128], dtype=torch.int8), torch.tensor([127], dtype=torch.int8)
    wanted = tensors("1 / 1 (100.0%)", (255, "(0,)"), (2.007874011993408, "(0,)"))
    assert error_of(lambda: torch.testing.assert_close(lowest, highest)) == wanted


def test_any_strides(torch):
    a, b = torch.zeros(2, 3), torch.zeros(3, 2).t()
    torch.testing.assert_close(a, b)
    wanted = "The values for attribute 'stride()' do not match: (3, 1) != (1, 2)."
    assert error_of(lambda: torch.testing.assert_close(a, b, check_stride=True)) == wanted
    assert error_of(lambda: torch.testing.assert_close(a.int(), b, check_stride=True)) == wanted  # before the dtype
    actual = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    expected = torch.tensor([[1.0, 2.0], [5.0, 4.0]])
    wanted = tensors("1 / 4 (25.0%)", (2.0, "(0, 1)"), (0.4000000059604645, "(0, 1)"), "close", 1.3e-06, 1e-05)
    assert error_of(lambda: torch.testing.assert_close(actual.t(), expected.t())) == wanted
    wanted = tensors("1 / 2 (50.0%)", (2.0, "(1, 0)"), (0.4000000059604645, "(1, 0)"), "close", 1.3e-06, 1e-05)
    assert error_of(lambda: torch.testing.assert_close(actual[:, ::2], expected[:, ::2])) == wanted


def test_empty_tensors(torch):
    torch.testing.assert_close(torch.empty(0, 3), torch.empty(0, 3))
    torch.testing.assert_close(torch.empty(0, 3), torch.empty(0, 3).double(), check_dtype=False)
    wanted = "The values for attribute 'shape' do not match: torch.Size([0, 3]) != torch.Size([0])."
    assert error_of(lambda: torch.testing.assert_close(torch.empty(0, 3), torch.empty(0))) == wanted


def test_tensors_of_a_graph(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    torch.testing.assert_close(x * 2, torch.tensor([2.0, 4.0]))
    wanted = tensors("2 / 2 (100.0%)", (2.0, "(1,)"), (0.5, "(0,)"), "close", 1.3e-06, 1e-05)
    assert error_of(lambda: torch.testing.assert_close(x, x * 2)) == wanted


def test_numpy_arrays(torch):
    close = torch.testing.assert_close
    close(numpy.array([1.0, 2.0]), numpy.array([1.0, 2.0]))
    wanted = tensors("1 / 1 (100.0%)", (1.0, "(0,)"), (0.5, "(0,)"), "close", 1e-07, 1e-07)
    assert error_of(lambda: close(numpy.array([1.0]), numpy.array([2.0]))) == wanted
    wanted = "The values for attribute 'dtype' do not match: torch.int32 != torch.int64."
    assert error_of(lambda: close(numpy.array([1], dtype=numpy.int32), numpy.array([1], dtype=numpy.int64))) == wanted


def test_subclasses(torch):
    class Own(torch.Tensor):
        pass

    plain = torch.tensor([1.0])
    own = plain.as_subclass(Own)
    torch.testing.assert_close(own, plain)
    torch.testing.assert_close(own, own.clone(), allow_subclasses=False)
    message = error_of(lambda: torch.testing.assert_close(own, plain, allow_subclasses=False), TypeError)
    assert message == f"No comparison pair was able to handle inputs of type {Own} and {torch.Tensor}."


# ---------------------------------------------------------------------------------------------- sequences and mappings
def test_items(torch):
    close, one, two = torch.testing.assert_close, torch.tensor([1.0]), torch.tensor([2.0])
    differs = tensors("1 / 1 (100.0%)", (1.0, "(0,)"), (0.5, "(0,)"), "close", 1.3e-06, 1e-05)
    close([1, (one, None), {"a": True}], (1, [one, None], collections.OrderedDict(a=True)))
    close([], ())
    close({}, collections.UserDict())
    close(b"ab", bytearray(b"ab"))
    close(one.shape, [1])
    at = "\n\nThe failure occurred for item "
    assert error_of(lambda: close([one, one], (one, two))) == differs + at + "[1]"
    assert (
        error_of(lambda: close({"a": [1, {(0, "z"): one}]}, {"a": [1, {(0, "z"): two}]})) == differs + at + "['a'][1][(0, 'z')]"
    )
    assert error_of(lambda: close({"b": one, "a": 1}, {"b": two, "a": 2})) == scalars(2, 1, 1, 0.5) + at + "['a']"
    assert error_of(lambda: close([None], [1])) == "None mismatch: None is not 1" + at + "[0]"
    assert error_of(lambda: close([True], [False])) == "Booleans mismatch: True is not False"
    assert error_of(lambda: close(collections.deque([1]), [2])) == scalars(2, 1, 1, 0.5) + at + "[0]"


def test_containers_that_differ(torch):
    close = torch.testing.assert_close
    lengths = "The length of the sequences mismatch: 1 != 2"
    assert error_of(lambda: close([1], [1, 2])) == lengths
    assert error_of(lambda: close([9, [1]], [8, [1, 2]], msg="unused")) == lengths + "\n\nThe failure occurred for item [1]"
    assert error_of(lambda: close({"d": 1, "c": 1, "x": 1}, {"z": 1, "y": 1, "x": 1})) == (
        "The keys of the mappings do not match:\n"
        "Missing keys in the actual mapping: ['y', 'z']\nAdditional keys in the actual mapping: ['c', 'd']"
    )


@pytest.mark.parametrize(
    ("actual", "expected"),
    [("a", "a"), ({1}, {1}), ([1], 1), ([0], {0: 0}), (int, int), (numpy.array(["a"]),) * 2, (numpy.bool_(True), 1)],
)
def test_what_cannot_be_compared(torch, actual, expected):
    wanted = f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}."
    assert error_of(lambda: torch.testing.assert_close(actual, expected), TypeError) == wanted
    wanted += "\n\nThe failure occurred for item [1][0]"
    assert error_of(lambda: torch.testing.assert_close([0, [actual]], [1, [expected]]), TypeError) == wanted


def test_tensors_are_not_compared_with_numbers(torch):
    for actual, expected in ((torch.tensor(1), 1), (True, torch.tensor(True)), (torch.tensor([1]), numpy.array([1]))):
        wanted = f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}."
        assert (
            error_of(lambda actual=actual, expected=expected: torch.testing.assert_close(actual, expected), TypeError) == wanted
        )


# --------------------------------------------------------------------------------------------------- options and errors
def test_own_messages(torch):
    close, one, two = torch.testing.assert_close, torch.tensor(1), torch.tensor(2)
    own = scalars(2, 1, 1, 0.5)
    assert error_of(lambda: close(one, two, msg="mine")) == "mine"
    assert error_of(lambda: close(one, two, msg="")) == ""
    assert error_of(lambda: close(one, two, msg=3)) == own
    assert error_of(lambda: close([one], [two], msg="mine")) == "mine"
    assert error_of(lambda: close([one], [two], msg="<{}>".format)) == f"<{own}\n\nThe failure occurred for item [0]>"
    assert error_of(lambda: close([True], [False], msg="<{}>".format)) == "<Booleans mismatch: True is not False>"
    close(one, one, msg=3)


def test_one_tolerance_is_not_enough(torch):
    one = torch.tensor([1.0])
    text = "Both 'rtol' and 'atol' must be either specified or omitted, but got no "
    assert error_of(lambda: torch.testing.assert_close(one, one, rtol=1), ValueError) == text + "atol."
    assert error_of(lambda: torch.testing.assert_close(1, 1, atol=1), ValueError) == text + "rtol."
    at = "\n\nThe failure occurred for item [0]"
    assert error_of(lambda: torch.testing.assert_close([1.0], [1.0], atol=1), ValueError) == text + "rtol." + at
    torch.testing.assert_close([], [], rtol=1)


def test_unexpected_errors(torch):
    message = error_of(lambda: torch.testing.assert_close([True], [1]), RuntimeError)
    assert message.startswith("Originating a NumberPair() at item [0] with\n\nbool(): True\n\nand\n\nint(): 1\n\nresulted in ")
    message = error_of(lambda: torch.testing.assert_close([1, 10**400], [2, 1]), RuntimeError)
    assert message.startswith(
        f"Comparing\n\nNumberPair(\n    id=(1,),\n    actual={10**400},\n    expected=1,\n    rtol=0.0,\n    atol=0.0,\n"
        "    equal_nan=False,\n    check_dtype=True,\n)\n\nresulted in "
    )
    message = error_of(lambda: torch.testing.assert_close(torch.ones(2), torch.ones(2), rtol=-1, atol=1), RuntimeError)
    assert message.startswith(
        "Comparing\n\nTensorLikePair(\n    id=(),\n    actual=tensor([1., 1.]),\n    expected=tensor([1., 1.]),\n    rtol=-1,\n"
        "    atol=1,\n    equal_nan=False,\n    check_device=True,\n    check_dtype=True,\n    check_layout=True,\n"
        "    check_stride=False,\n)\n\nresulted in "
    )


def test_the_older_comparison(torch):
    def older(*arguments, **options):
        with pytest.warns(FutureWarning, match=re.escape("`torch.testing.assert_allclose()` is deprecated")) as caught:
            torch.testing.assert_allclose(*arguments, **options)
        assert caught[0].filename == __file__

    older([1, 2], torch.tensor([1.0, 2.0]))
    older(torch.tensor([1.0, 2.0]), [1, 2])
    older(torch.tensor([1.0, nan]), torch.tensor([1.0, nan]))
    older(True, 1)
    for dtype, (rtol, atol) in {"float16": (0.001, 0.001), "float32": (0.0001, 1e-05), "float64": (1e-05, 1e-08)}.items():
        actual = torch.tensor([3.0], dtype=getattr(torch, dtype))
        wanted = tensors("1 / 1 (100.0%)", (1.0, "(0,)"), (0.25, "(0,)"), "close", rtol, atol)
        assert error_of(lambda actual=actual: older(actual, [4.0])) == wanted
    for dtype in ("bfloat16", "complex64"):
        actual = torch.tensor([3.0], dtype=getattr(torch, dtype))
        assert error_of(lambda actual=actual: older(actual, [4.0])) == tensors("1 / 1 (100.0%)", (1.0, "(0,)"), (0.25, "(0,)"))
    assert error_of(lambda: older(1, 2.5)) == scalars(2, 1, 1, 0.5)
    assert error_of(lambda: older(1, 2, msg="mine")) == "mine"
    assert error_of(lambda: older(1, 1, rtol=1), ValueError).endswith("but got no atol.")


# ------------------------------------------------------------------------------------------------------- random tensors
# The first numbers of seed 0, and the sum of a thousand of seed 3 with the number that the generator gives next.
DRAWN = {
    "bool": ([False, True, True, False], 476, 0.0702175498008728),
    "uint8": ([4, 9, 3, 0], 4440, 0.0702175498008728),
    "int8": ([6, -5, -9, -9], 8, 0.0702175498008728),
    "int16": ([6, -5, -9, -9], 8, 0.0702175498008728),
    "int32": ([6, -5, -9, -9], 8, 0.0702175498008728),
    "int64": ([6, -5, -9, -9], 8, 0.0702175498008728),
    "float16": ([-0.0673828125, 4.828125, -7.40625, -6.625], -65.93070220947266, 0.0702175498008728),
    "bfloat16": ([-0.0673828125, 4.8125, -7.40625, -6.625], -101.9197998046875, 0.0702175498008728),
    "float32": (
        [-0.06738138198852539, 4.8279924392700195, -7.407406330108643, -6.623451232910156],
        -65.93906855583191,
        0.0702175498008728,
    ),
    "float64": (
        [8.460954032517956, 3.740757559196183, -0.7311070237058843, 7.573458314195285],
        -243.31189480791656,
        0.9835197329521179,
    ),
    "complex64": (
        [
            (-0.06738138198852539 + 4.8279924392700195j),
            (-7.407406330108643 - 6.623451232910156j),
            (-3.4663891792297363 + 2.4134163856506348j),
            (-0.17831861972808838 + 7.136005401611328j),
        ],
        (138.33547472953796 - 53.97424399852753j),
        0.9835197329521179,
    ),
    "complex128": (
        [
            (8.460954032517956 + 3.740757559196183j),
            (-0.7311070237058843 + 7.573458314195285j),
            (2.610434162209766 + 5.240662059245466j),
            (-5.785088846386483 - 2.680062760909289j),
        ],
        (31.102553744687548 - 98.29973275385602j),
        0.9256101250648499,
    ),
}


@pytest.mark.parametrize("dtype", list(DRAWN))
def test_numbers_of_a_seed(torch, dtype):
    kind = getattr(torch, dtype)
    first, total, following = DRAWN[dtype]
    torch.manual_seed(0)
    assert torch.testing.make_tensor(4, dtype=kind, device="cpu").tolist() == first
    torch.manual_seed(3)
    made = torch.testing.make_tensor((10, 5, 20), dtype=kind, device="cpu")
    assert made.dtype == kind and made.shape == (10, 5, 20)
    numbers = made.flatten().tolist()
    assert complex(math.fsum(x.real for x in numbers), math.fsum(x.imag for x in numbers)) == total
    assert torch.rand(1).item() == following


@pytest.mark.parametrize(
    ("dtype", "limits", "numbers"),
    [
        ("bool", {"low": 1}, [True, True, True]),
        ("bool", {"low": -3, "high": inf}, [False, True, True]),
        ("uint8", {"low": -3, "high": 3}, [2, 0, 2]),
        ("uint8", {"high": inf}, [172, 47, 117]),
        ("int32", {"low": -2.5, "high": 2.5}, [2, 2, 1]),
        ("int32", {"low": -inf, "high": inf}, [398764591, 1478610112, 1537364731]),
        ("int64", {"low": 2**63 - 5, "high": inf}, [9223372036854775803, 9223372036854775806, 9223372036854775804]),
        ("float16", {"low": -inf, "high": inf}, [-490.5, 35136.0, -53920.0]),
        ("float16", {"low": -inf, "high": 0}, [-32992.0, -15184.0, -59712.0]),
        ("bfloat16", {"low": 2, "high": 5}, [3.484375, 4.3125, 2.265625]),
        ("float32", {"low": 0, "high": 1}, [0.49625658988952637, 0.7682217955589294, 0.08847743272781372]),
        ("float32", {"low": -1e40, "high": 1e40}, [-2.547632747039154e36, 1.8254227462274354e38, -2.8006772618311174e38]),
        ("float64", {"low": -inf, "high": inf}, [1.6900221087381283e308, 7.471926870390323e307, -1.460340085961876e307]),
    ],
)
def test_limits(torch, dtype, limits, numbers):
    torch.manual_seed(0)
    assert torch.testing.make_tensor(3, dtype=getattr(torch, dtype), device="cpu", **limits).tolist() == numbers


@pytest.mark.parametrize(
    ("dtype", "limits", "message"),
    [
        ("int32", {"low": 2, "high": 2}, "`low` must be less than `high`, but got 2 >= 2"),
        ("float32", {"low": 3, "high": 2}, "`low` must be less than `high`, but got 3 >= 2"),
        ("bool", {"low": nan}, "`low` and `high` cannot be NaN, but got low=nan and high=2"),
        ("uint8", {"high": nan}, "`low` and `high` cannot be NaN, but got low=-9 and high=nan"),
        ("complex64", {"high": nan}, "`low` and `high` cannot be NaN, but got low=-9 and high=nan"),
        (
            "bool",
            {"low": 2, "high": 5},
            "The value interval specified by `low` and `high` is [2, 5), but torch.bool only supports [0, 2)",
        ),
        (
            "uint8",
            {"high": -5},
            "The value interval specified by `low` and `high` is [-9, -5), but torch.uint8 only supports [0, 256)",
        ),
        (
            "float16",
            {"low": 1e40, "high": 1e41},
            "The value interval specified by `low` and `high` is [1e+40, 1e+41), but torch.float16 only supports "
            "[-65504.0, 65504.0)",
        ),
        (
            "int8",
            {"requires_grad": True},
            "`requires_grad=True` is not supported for boolean and integral dtypes, but got dtype=torch.int8",
        ),
    ],
)
def test_refused_arguments(torch, dtype, limits, message):
    kind = getattr(torch, dtype)
    assert error_of(lambda: torch.testing.make_tensor(3, dtype=kind, device="cpu", **limits), ValueError) == message


def test_refused_dtypes_and_formats(torch):
    make = torch.testing.make_tensor
    wanted = (
        "The requested dtype '<class 'float'>' is not supported by torch.testing.make_tensor(). "
        "To request support, file an issue at: https://github.com/pytorch/pytorch/issues"
    )
    assert error_of(lambda: make(3, dtype=float, device="cpu"), TypeError) == wanted
    wanted = (
        "The parameters `noncontiguous` and `memory_format` are mutually exclusive, "
        "but got noncontiguous=True and memory_format=torch.contiguous_format"
    )
    options = {"noncontiguous": True, "memory_format": torch.contiguous_format}
    assert error_of(lambda: make(3, dtype=torch.int32, device="cpu", **options), ValueError) == wanted
    wanted = "required rank 4 tensor to use channels_last format"
    options = {"memory_format": torch.channels_last}
    assert error_of(lambda: make(3, dtype=torch.int32, device="cpu", **options), RuntimeError) == wanted


def test_shapes(torch):
    made = {}
    for name, shape in {"numbers": (2, 3), "tuple": ((2, 3),), "list": ([2, 3],), "size": (torch.Size([2, 3]),)}.items():
        torch.manual_seed(0)
        made[name] = torch.testing.make_tensor(*shape, dtype=torch.float32, device="cpu")
        assert made[name].shape == (2, 3) and torch.equal(made[name], made["numbers"])
    assert torch.testing.make_tensor(dtype=torch.float32, device="cpu").shape == ()
    assert torch.testing.make_tensor((), dtype=torch.float32, device="cpu").shape == ()
    assert torch.testing.make_tensor(0, 2, dtype=torch.float32, device=torch.device("cpu")).shape == (0, 2)


def test_gaps(torch):
    for dtype in (torch.float32, torch.int64, torch.complex64):
        for shape, strides in {(2, 1, 2, 2): (8, 8, 4, 2), (3, 1): (2, 2), (3,): (2,), (1, 1): (1, 1), (): ()}.items():
            made = torch.testing.make_tensor(shape, dtype=dtype, device="cpu", noncontiguous=True)
            assert made.shape == shape and made.stride() == strides
            assert made.is_contiguous() == (made.numel() == 1)
    torch.manual_seed(0)
    made = torch.testing.make_tensor(3, dtype=torch.float32, device="cpu", noncontiguous=True, requires_grad=True)
    assert made.tolist() == [4.8279924392700195, -6.623451232910156, 2.4134163856506348]
    assert made.storage_offset() == 1 and made.is_leaf and made.requires_grad


def test_memory_formats(torch):
    torch.manual_seed(0)
    plain = torch.testing.make_tensor(2, 3, 2, 2, dtype=torch.float32, device="cpu")
    for format, strides in ((torch.channels_last, (12, 1, 6, 3)), (torch.preserve_format, (12, 4, 2, 1))):
        torch.manual_seed(0)
        made = torch.testing.make_tensor(2, 3, 2, 2, dtype=torch.float32, device="cpu", memory_format=format)
        assert made.stride() == strides and torch.equal(made, plain)


def test_without_zeros(torch):
    def made(dtype, **limits):
        return torch.testing.make_tensor(50, dtype=dtype, device="cpu", exclude_zero=True, **limits)

    assert made(torch.bool).all()
    assert set(made(torch.int32, low=-1, high=1).tolist()) == {-1, 1}
    assert set(made(torch.uint8, low=0, high=2).tolist()) == {1}
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64):
        with pytest.warns(FutureWarning, match="Passing `low==high` to `torch.testing.make_tensor`") as caught:
            numbers = made(dtype, low=0, high=0)
        assert caught[0].filename == __file__
        assert set(numbers.tolist()) == {torch.finfo(dtype).tiny}
    made(torch.float32, requires_grad=True).sum().backward()


def test_equal_limits(torch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        torch.manual_seed(0)
        assert torch.testing.make_tensor(2, dtype=torch.float32, device="cpu", low=2, high=2).tolist() == [2.0, 2.0]
        assert torch.rand(1).item() == 0.08847743272781372  # two numbers were drawn all the same
        assert torch.testing.make_tensor(1, dtype=torch.float16, device="cpu", low=inf, high=inf).tolist() == [65504.0]


def test_keys_that_cannot_be_ordered(torch):
    class Key:
        def __lt__(self, other):
            raise ValueError

    a, b = Key(), Key()
    torch.testing.assert_close({a: 1, b: 2}, {b: 2, a: 1})
