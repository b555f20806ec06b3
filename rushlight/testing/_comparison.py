"""Are two values close? If not, an error that says where and by how much they differ.

Values are taken apart into pairs (`Pair`) of things that are compared whole; every pair is made before the first is compared.
"""

import cmath
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import rushlight as torch

# (rtol, atol) by dtype: about the square root of a dtype's precision. Whatever is not named has to be equal.
EXACT = (0.0, 0.0)
TOLERANCES = {
    torch.float16: (1e-3, 1e-5),
    torch.bfloat16: (1.6e-2, 1e-5),
    torch.float32: (1.3e-6, 1e-5),
    torch.float64: (1e-7, 1e-7),
    torch.complex64: (1.3e-6, 1e-5),
    torch.complex128: (1e-7, 1e-7),
}
DTYPE_OF_NUMBER = {int: torch.int64, float: torch.float64, complex: torch.complex128}
TOLERANCES_OF_ALLCLOSE = {torch.float16: (1e-3, 1e-3), torch.float32: (1e-4, 1e-5), torch.float64: (1e-5, 1e-8)}

UNEXPECTED = (
    "resulted in the unexpected exception above. If you are a user and see this message during normal operation please file an "
    "issue at https://github.com/pytorch/pytorch/issues. If you are a developer and working on the comparison functions, please "
    "except the previous error and raise an expressive `ErrorMeta` instead."
)


class Unsupported(Exception):
    """This kind of pair does not compare such values; another may."""


class Difference(Exception):
    """What a comparison found: the kind of error to raise, its message, and the item that it concerns."""

    def __init__(self, kind, message, id=()):
        super().__init__(message)
        self.kind, self.message, self.id = kind, message, id

    def error(self, msg=None):
        text = self.message
        if self.id:
            text += f"\n\nThe failure occurred for item {place(self.id)}"
        if callable(msg):
            text = msg(text)
        elif isinstance(msg, str):
            text = msg
        return self.kind(text)


def place(id):
    return "".join(f"[{item!r}]" for item in id)


class Pair:
    """Two values that are compared whole; `id` are the keys and indices that lead to them, `shown` the options that it obeys."""

    shown: tuple[str, ...] = ()

    def __init__(self, actual, expected, id, options):
        self.id, self.actual, self.expected, self.options = id, actual, expected, options

    def __repr__(self):
        fields = {"id": self.id, "actual": self.actual, "expected": self.expected}
        fields.update((name, self.options[name]) for name in self.shown)
        return f"{type(self).__name__}(\n" + "".join(f"    {name}={value!s},\n" for name, value in fields.items()) + ")"

    def fail(self, message):
        raise Difference(AssertionError, message, self.id)

    def settle_tolerances(self, *dtypes):
        """Those that the caller gave, or the widest of the dtypes'."""
        rtol, atol = self.options["rtol"], self.options["atol"]
        if (rtol is None) != (atol is None):
            missing = "rtol" if rtol is None else "atol"
            message = f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}."
            raise Difference(ValueError, message, self.id)
        if rtol is None:
            rtol, atol = widest(TOLERANCES, dtypes)
        self.rtol, self.atol = rtol, atol
        self.options = {**self.options, "rtol": rtol, "atol": atol}

    @property
    def closeness(self):
        """The word for what was asked."""
        return "equal" if self.rtol == 0 and self.atol == 0 else "close"

    def up_to(self, tolerance):
        return "" if self.closeness == "equal" else f" (up to {tolerance} allowed)"

    def compare_numbers(self, actual, expected):
        equal_nan = self.options["equal_nan"]
        if actual == expected or (equal_nan and cmath.isnan(actual) and cmath.isnan(expected)):
            return
        finite = cmath.isfinite(actual) and cmath.isfinite(expected)
        difference = abs(actual - expected)
        if finite and difference <= self.atol + self.rtol * abs(expected):
            return
        relative = cmath.inf if expected == 0 else difference / abs(expected)
        self.fail(
            f"Scalars are not {self.closeness}!\n\n"
            f"Expected {expected} but got {actual}.\n"
            f"Absolute difference: {difference}{self.up_to(self.atol)}\n"
            f"Relative difference: {relative}{self.up_to(self.rtol)}"
        )


class NonePair(Pair):
    def __init__(self, actual, expected, id, options):
        if actual is not None and expected is not None:
            raise Unsupported
        super().__init__(actual, expected, id, options)

    def compare(self):
        if not (self.actual is None and self.expected is None):
            self.fail(f"None mismatch: {self.actual} is not {self.expected}")


class BooleanPair(Pair):
    def __init__(self, actual, expected, id, options):
        kinds = (bool, *numpy_types("bool_"))
        if not (isinstance(actual, kinds) and isinstance(expected, kinds)):
            raise Unsupported
        super().__init__(bool(actual), bool(expected), id, options)

    def compare(self):
        if self.actual is not self.expected:
            # PyTorch names no item here.
            raise Difference(AssertionError, f"Booleans mismatch: {self.actual} is not {self.expected}")


class NumberPair(Pair):
    shown = ("rtol", "atol", "equal_nan", "check_dtype")

    def __init__(self, actual, expected, id, options):
        self.numpy_numbers = numpy_types("number")
        kinds = (int, float, complex, *self.numpy_numbers)
        if not (isinstance(actual, kinds) and isinstance(expected, kinds)):
            raise Unsupported
        super().__init__(self.number(actual), self.number(expected), id, options)
        self.settle_tolerances(DTYPE_OF_NUMBER[type(self.actual)], DTYPE_OF_NUMBER[type(self.expected)])

    def number(self, value):
        return value.item() if isinstance(value, self.numpy_numbers) else value

    def compare(self):
        if self.options["check_dtype"] and type(self.actual) is not type(self.expected):
            self.fail(f"The (d)types do not match: {type(self.actual)} != {type(self.expected)}.")
        self.compare_numbers(self.actual, self.expected)


class TensorLikePair(Pair):
    shown = ("rtol", "atol", "equal_nan", "check_device", "check_dtype", "check_layout", "check_stride")

    def __init__(self, actual, expected, id, options):
        related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
        if not related or (not options["allow_subclasses"] and type(actual) is not type(expected)):
            raise Unsupported
        super().__init__(as_tensor(actual), as_tensor(expected), id, options)
        self.settle_tolerances(self.actual.dtype, self.expected.dtype)

    def compare(self):
        actual, expected, options = self.actual, self.expected, self.options
        self.same("shape", actual.shape, expected.shape)
        if options["check_layout"]:
            self.same("layout", actual.layout, expected.layout)
        if options["check_device"]:
            self.same("device", actual.device, expected.device)
        if options["check_stride"]:
            self.same("stride()", actual.stride(), expected.stride())
        if options["check_dtype"]:
            self.same("dtype", actual.dtype, expected.dtype)
        if actual.dtype != expected.dtype:
            dtype = torch.promote_types(actual.dtype, expected.dtype)
            actual, expected = actual.to(dtype), expected.to(dtype)
        close = torch.isclose(actual, expected, rtol=self.rtol, atol=self.atol, equal_nan=options["equal_nan"])
        if close.all():
            return
        if actual.dim() == 0:
            self.compare_numbers(actual.item(), expected.item())
        else:
            self.report(actual, expected, close)

    def same(self, attribute, actual, expected):
        if actual != expected:
            self.fail(f"The values for attribute '{attribute}' do not match: {actual} != {expected}.")

    def report(self, actual, expected, close):
        """Counts the elements that differ, and names the worst ones."""
        if not (actual.dtype.is_floating_point or actual.dtype.is_complex):
            # Differences of small integers overflow, and booleans have none.
            actual, expected = actual.to(torch.int64), expected.to(torch.int64)
        total, wrong = close.numel(), int((~close).sum())
        difference = (actual - expected).abs()
        relative = difference / expected.abs()
        self.fail(
            f"Tensor-likes are not {self.closeness}!\n\n"
            f"Mismatched elements: {wrong} / {total} ({wrong / total:.1%})\n"
            f"Greatest absolute difference: {greatest(difference, close)}{self.up_to(self.atol)}\n"
            f"Greatest relative difference: {greatest(relative, close)}{self.up_to(self.rtol)}"
        )


def greatest(difference, close):
    """The greatest of the differences that matter, and its index."""
    difference = difference.detach().masked_fill(close, 0)
    flat = int(difference.argmax())
    index = []
    for size in reversed(difference.shape):
        flat, i = divmod(flat, size)
        index.insert(0, i)
    return f"{difference[tuple(index)].item()} at index {tuple(index)}"


def as_tensor(value):
    if isinstance(value, torch.Tensor):
        return value
    try:
        return torch.as_tensor(value)
    except Exception:
        raise Unsupported from None


def numpy_types(name):
    """NumPy's type of this name, in a tuple that is empty while nobody has imported NumPy: then no value is of it."""
    numpy = sys.modules.get("numpy")
    return () if numpy is None else (getattr(numpy, name),)


def widest(table, dtypes):
    """The greater of the dtypes' tolerances, each for itself."""
    rtols, atols = zip(*(table.get(dtype, EXACT) for dtype in dtypes), strict=True)
    return max(rtols), max(atols)


def unexpected(what):
    return RuntimeError(f"{what}\n\n{UNEXPECTED}")


def make_pairs(actual, expected, id, options):
    """The pairs of two values, of their items where they are sequences or mappings."""
    if both_are(Sequence, actual, expected) and not isinstance(actual, str) and not isinstance(expected, str):
        if len(actual) != len(expected):
            message = f"The length of the sequences mismatch: {len(actual)} != {len(expected)}"
            raise Difference(AssertionError, message, id)
        return [pair for i in range(len(actual)) for pair in make_pairs(actual[i], expected[i], (*id, i), options)]
    if both_are(Mapping, actual, expected):
        missing, additional = expected.keys() - actual.keys(), actual.keys() - expected.keys()
        if missing or additional:
            message = (
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: {sorted(missing)}\n"
                f"Additional keys in the actual mapping: {sorted(additional)}"
            )
            raise Difference(AssertionError, message, id)
        keys = in_order(actual)
        return [pair for key in keys for pair in make_pairs(actual[key], expected[key], (*id, key), options)]
    return [make_pair(actual, expected, id, options)]


def both_are(kind, actual, expected):
    return isinstance(actual, kind) and isinstance(expected, kind)


def make_pair(actual, expected, id, options):
    for kind in (NonePair, BooleanPair, NumberPair, TensorLikePair):
        try:
            return kind(actual, expected, id, options)
        except Unsupported:
            continue
        except Difference:
            raise
        except Exception as error:
            raise unexpected(
                f"Originating a {kind.__name__}() at item {place(id)} with\n\n"
                f"{type(actual).__name__}(): {actual}\n\nand\n\n{type(expected).__name__}(): {expected}"
            ) from error
    message = f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}."
    raise Difference(TypeError, message, id)


def in_order(mapping):
    """The keys, sorted if they can be."""
    try:
        return sorted(mapping)
    except TypeError:
        return list(mapping)


def differences(pairs):
    """What all the comparisons found."""
    found = []
    for pair in pairs:
        try:
            pair.compare()
        except Difference as difference:
            found.append(difference)
        except Exception as error:
            raise unexpected(f"Comparing\n\n{pair}") from error
    return found


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raises an `AssertionError` unless every value is within `atol + rtol * abs(expected)` of the expected one.

    Tensors, NumPy arrays, numbers, booleans and None are compared, and sequences and mappings of them item by item. Without
    tolerances those of the dtype hold: whole numbers have to be equal. `msg` replaces the message; if it is a function, its
    result for the message does.

    >>> expected = torch.tensor([1.0, 2.0, 4.0])
    >>> torch.testing.assert_close(expected + 1e-7, expected)
    >>> torch.testing.assert_close({"x": torch.tensor([1.0, 2.0, 3.0])}, {"x": expected})
    Traceback (most recent call last):
        ...
    AssertionError: Tensor-likes are not close!
    <BLANKLINE>
    Mismatched elements: 1 / 3 (33.3%)
    Greatest absolute difference: 1.0 at index (2,) (up to 1e-05 allowed)
    Greatest relative difference: 0.25 at index (2,) (up to 1.3e-06 allowed)
    <BLANKLINE>
    The failure occurred for item ['x']
    """
    __tracebackhide__ = True  # pytest shows the caller's line
    options = {
        "allow_subclasses": allow_subclasses,
        "rtol": rtol,
        "atol": atol,
        "equal_nan": equal_nan,
        "check_device": check_device,
        "check_dtype": check_dtype,
        "check_layout": check_layout,
        "check_stride": check_stride,
    }
    try:
        pairs = make_pairs(actual, expected, (), options)
    except Difference as difference:
        raise difference.error() from None
    found = differences(pairs)
    if found:
        raise found[0].error(msg)


DEPRECATED = (
    "`torch.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a future release. "
    "Please use `torch.testing.assert_close()` instead. "
    "You can find detailed upgrade instructions in https://github.com/pytorch/pytorch/issues/61844."
)


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """The older, deprecated `assert_close`: it makes tensors of both values and does not compare their dtypes.

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     torch.testing.assert_allclose(torch.tensor([1.0, 2.0]), [1, 2])
    """
    __tracebackhide__ = True
    warnings.warn(DEPRECATED, FutureWarning, stacklevel=2)
    if not isinstance(actual, torch.Tensor):
        actual = torch.tensor(actual)
    if not isinstance(expected, torch.Tensor):
        expected = torch.tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        rtol, atol = widest(TOLERANCES_OF_ALLCLOSE, (actual.dtype, expected.dtype))
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, msg=msg or None)


vars(assert_allclose)["__deprecated__"] = DEPRECATED  # where PEP 702 has it
