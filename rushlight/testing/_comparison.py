"""Are two values close? If not, an error that says where and by how much they differ.

Values are taken apart into pairs (`Pair`) of things that are compared whole; every pair is made before the first is compared. Test suites
write pairs of their own, and give them to `not_close_error_metas`.
"""

import cmath
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import rushlight as torch
from rushlight.core import warn_user

# (rtol, atol) by dtype: about the square root of a dtype's precision. Whatever is not named has to be equal.
EXACT = (0.0, 0.0)
_DTYPE_PRECISIONS = {
    torch.float16: (1e-3, 1e-5),
    torch.bfloat16: (1.6e-2, 1e-5),
    torch.float32: (1.3e-6, 1e-5),
    torch.float64: (1e-7, 1e-7),
    torch.complex32: (1e-3, 1e-5),
    torch.complex64: (1.3e-6, 1e-5),
    torch.complex128: (1e-7, 1e-7),
}
TOLERANCES_OF_ALLCLOSE = {torch.float16: (1e-3, 1e-3), torch.float32: (1e-4, 1e-5), torch.float64: (1e-5, 1e-8)}

UNEXPECTED = (
    "resulted in the unexpected exception above. If you are a user and see this message during normal operation please file an "
    "issue at https://github.com/pytorch/pytorch/issues. If you are a developer and working on the comparison functions, please "
    "except the previous error and raise an expressive `ErrorMeta` instead."
)


class UnsupportedInputs(Exception):
    """This kind of pair does not compare such values; another may."""


class ErrorMeta(Exception):
    """What a comparison found: the type of the error to raise, its message, and the keys and indices that lead to where it was found."""

    def __init__(self, type, msg, *, id=()):
        super().__init__(
            "If you are a user and see this message during normal operation please file an issue at "
            "https://github.com/pytorch/pytorch/issues. If you are a developer and working on the comparison functions, please "
            "`raise ErrorMeta.to_error()` for user facing errors."
        )
        self.type, self.msg, self.id = type, msg, id

    def to_error(self, msg=None):
        """The error, with a message of the caller's or made by a function of his."""
        if isinstance(msg, str):
            return self.type(msg)
        text = self.msg
        if self.id:
            text += f"\n\nThe failure occurred for item {place(self.id)}"
        return self.type(msg(text) if callable(msg) else text)


def place(id):
    return "".join(f"[{item!r}]" for item in id)


def default_tolerances(*inputs, dtype_precisions=None):
    """The widest (rtol, atol) of the dtypes of `inputs`, tensors or dtypes."""
    table = dtype_precisions or _DTYPE_PRECISIONS
    dtypes = [given.dtype if isinstance(given, torch.Tensor) else given for given in inputs]
    for given, dtype in zip(inputs, dtypes, strict=True):
        if not isinstance(dtype, torch.dtype):
            raise TypeError(f"Expected a torch.Tensor or a torch.dtype, but got {type(given)} instead.")
    rtols, atols = zip(*(table.get(dtype, EXACT) for dtype in dtypes), strict=True)
    return max(rtols), max(atols)


def get_tolerances(*inputs, rtol, atol, id=()):
    """(rtol, atol) that the caller gave, or those of the dtypes of `inputs`."""
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise ErrorMeta(ValueError, f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.", id=id)
    return default_tolerances(*inputs) if rtol is None else (rtol, atol)


def _mismatch(default, identifier, head, differences, rtol, atol):
    """The message about values that differ; `differences` are absolute and relative, each with where it is found."""
    name = default if identifier is None else identifier(default) if callable(identifier) else identifier
    exact = rtol == 0 and atol == 0
    lines = [f"{name} are not {'equal' if exact else 'close'}!\n", head]
    for kind, (difference, index), tolerance in zip(("absolute", "relative"), differences, (atol, rtol), strict=True):
        start = f"{kind.capitalize()} difference" if index is None else f"Greatest {kind} difference"
        where = "" if index is None else f" at index {index}"
        lines.append(f"{start}: {difference}{where}{'' if exact else f' (up to {tolerance} allowed)'}")
    return "\n".join(lines)


def make_scalar_mismatch_msg(actual, expected, *, rtol, atol, identifier=None):
    """What is said of two numbers that are not close."""
    difference = abs(actual - expected)
    relative = cmath.inf if expected == 0 else difference / abs(expected)
    found = ((difference, None), (relative, None))
    return _mismatch("Scalars", identifier, f"Expected {expected} but got {actual}.", found, rtol, atol)


def make_tensor_mismatch_msg(actual, expected, matches, *, rtol, atol, identifier=None):
    """What is said of two tensors of one shape that are not close where `matches` is False."""
    total, wrong = matches.numel(), int((~matches).sum())
    head = f"Mismatched elements: {wrong} / {total} ({wrong / total:.1%})"
    if actual.dtype.is_floating_point and actual.dtype.itemsize == 1:
        # (They have no differences.)
        name = identifier("Tensor-likes") if callable(identifier) else identifier or "Tensor-likes"
        first = tuple((~matches).nonzero()[0].tolist())
        return f"{name} are not 'equal'!\n\n{head}\nThe first mismatched element is at index {first}."
    if not (actual.dtype.is_floating_point or actual.dtype.is_complex):
        # Differences of small integers overflow, and booleans have none.
        actual, expected = actual.to(torch.int64), expected.to(torch.int64)
    difference = (actual - expected).abs()
    found = (greatest(difference, matches), greatest(difference / expected.abs(), matches))
    return _mismatch("Tensor-likes", identifier, head, found, rtol, atol)


def greatest(difference, close):
    """The greatest of the differences that matter, and its index."""
    difference = difference.detach().masked_fill(close, 0)
    flat = int(difference.argmax())
    index = []
    for size in reversed(difference.shape):
        flat, i = divmod(flat, size)
        index.insert(0, i)
    return difference[tuple(index)].item(), tuple(index)


class Pair:
    """Two values that are compared whole; `id` are the keys and indices that lead to them.

    A constructor that does not know such values raises by `_inputs_not_supported`; `compare` raises by `_fail` where they differ.
    """

    def __init__(self, actual, expected, *, id=(), **unknown_parameters):
        self.actual, self.expected, self.id = actual, expected, id
        self._unknown_parameters = unknown_parameters

    @staticmethod
    def _inputs_not_supported():
        raise UnsupportedInputs

    @staticmethod
    def _check_inputs_isinstance(*inputs, cls):
        """All are of one of these types, or others may compare them."""
        if not all(isinstance(given, cls) for given in inputs):
            Pair._inputs_not_supported()

    def _fail(self, type, msg, *, id=()):
        raise ErrorMeta(type, msg, id=self.id if not id and hasattr(self, "id") else id)

    def compare(self):
        """Raises an `ErrorMeta` unless the values are the same."""
        raise NotImplementedError

    def extra_repr(self):
        """What a printed pair shows besides its values: names of attributes, or names with values."""
        return []

    def __repr__(self):
        fields = [("id", self.id), ("actual", self.actual), ("expected", self.expected)]
        fields += [(extra, getattr(self, extra)) if isinstance(extra, str) else extra for extra in self.extra_repr()]
        return f"{type(self).__name__}(\n" + "".join(f"    {name}={value!s},\n" for name, value in fields) + ")"


class ObjectPair(Pair):
    """Any two values, compared by `==`."""

    def compare(self):
        try:
            equal = self.actual == self.expected
        except Exception as error:
            raise ErrorMeta(ValueError, f"{self.actual} == {self.expected} failed with:\n{error}.", id=self.id) from error
        if not equal:
            self._fail(AssertionError, f"{self.actual} != {self.expected}")


class NonePair(Pair):
    """None beside anything."""

    def __init__(self, actual, expected, **other_parameters):
        if actual is not None and expected is not None:
            self._inputs_not_supported()
        super().__init__(actual, expected, **other_parameters)

    def compare(self):
        if not (self.actual is None and self.expected is None):
            self._fail(AssertionError, f"None mismatch: {self.actual} is not {self.expected}")


class BooleanPair(Pair):
    """Two booleans, of Python or of NumPy."""

    def __init__(self, actual, expected, *, id=(), **other_parameters):
        actual, expected = self._process_inputs(actual, expected, id=id)
        # (PyTorch names no item here.)
        super().__init__(actual, expected, **other_parameters)

    @property
    def _supported_types(self):
        return (bool, *numpy_types("bool_"))

    def _process_inputs(self, actual, expected, *, id):
        self._check_inputs_isinstance(actual, expected, cls=self._supported_types)
        return tuple(self._to_bool(given, id=id) for given in (actual, expected))

    def _to_bool(self, bool_like, *, id):
        if not isinstance(bool_like, self._supported_types):
            raise ErrorMeta(TypeError, f"Unknown boolean type {type(bool_like)}.", id=id)
        return bool(bool_like)

    def compare(self):
        if self.actual is not self.expected:
            self._fail(AssertionError, f"Booleans mismatch: {self.actual} is not {self.expected}")


class NumberPair(Pair):
    """Two numbers, of Python or of NumPy."""

    _TYPE_TO_DTYPE = {int: torch.int64, float: torch.float64, complex: torch.complex128}  # noqa: RUF012 (subclasses have others)
    _NUMBER_TYPES = tuple(_TYPE_TO_DTYPE)

    def __init__(self, actual, expected, *, id=(), rtol=None, atol=None, equal_nan=False, check_dtype=False, **other_parameters):
        actual, expected = self._process_inputs(actual, expected, id=id)
        super().__init__(actual, expected, id=id, **other_parameters)
        dtypes = (self._TYPE_TO_DTYPE[type(given)] for given in (actual, expected))
        self.rtol, self.atol = get_tolerances(*dtypes, rtol=rtol, atol=atol, id=id)
        self.equal_nan, self.check_dtype = equal_nan, check_dtype

    @property
    def _supported_types(self):
        return (*self._NUMBER_TYPES, *numpy_types("number"))

    def _process_inputs(self, actual, expected, *, id):
        self._check_inputs_isinstance(actual, expected, cls=self._supported_types)
        return tuple(self._to_number(given, id=id) for given in (actual, expected))

    def _to_number(self, number_like, *, id):
        if isinstance(number_like, numpy_types("number")):
            return number_like.item()
        if not isinstance(number_like, self._NUMBER_TYPES):
            raise ErrorMeta(TypeError, f"Unknown number type {type(number_like)}.", id=id)
        return number_like

    def compare(self):
        actual, expected = self.actual, self.expected
        if self.check_dtype and type(actual) is not type(expected):
            self._fail(AssertionError, f"The (d)types do not match: {type(actual)} != {type(expected)}.")
        if actual == expected or (self.equal_nan and cmath.isnan(actual) and cmath.isnan(expected)):
            return
        finite = cmath.isfinite(actual) and cmath.isfinite(expected)
        if not (finite and abs(actual - expected) <= self.atol + self.rtol * abs(expected)):
            self._fail(AssertionError, make_scalar_mismatch_msg(actual, expected, rtol=self.rtol, atol=self.atol))

    def extra_repr(self):
        return ("rtol", "atol", "equal_nan", "check_dtype")


LAYOUTS = {
    torch.sparse_csr: ("crow_indices", "col_indices"),
    torch.sparse_csc: ("ccol_indices", "row_indices"),
    torch.sparse_bsr: ("crow_indices", "col_indices"),
    torch.sparse_bsc: ("ccol_indices", "row_indices"),
}
"""The methods that give the compressed and the plain indices of a tensor of this layout."""


class TensorLikePair(Pair):
    """Two tensors, or two values of related types of which tensors can be made."""

    def __init__(
        self,
        actual,
        expected,
        *,
        id=(),
        allow_subclasses=True,
        rtol=None,
        atol=None,
        equal_nan=False,
        check_device=True,
        check_dtype=True,
        check_layout=True,
        check_stride=False,
        **other_parameters,
    ):
        actual, expected = self._process_inputs(actual, expected, id=id, allow_subclasses=allow_subclasses)
        super().__init__(actual, expected, id=id, **other_parameters)
        self.rtol, self.atol = get_tolerances(actual, expected, rtol=rtol, atol=atol, id=self.id)
        self.equal_nan, self.check_device, self.check_dtype = equal_nan, check_device, check_dtype
        self.check_layout, self.check_stride = check_layout, check_stride

    def _process_inputs(self, actual, expected, *, id, allow_subclasses):
        related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
        if not related or (not allow_subclasses and type(actual) is not type(expected)):
            self._inputs_not_supported()
        made = tuple(self._to_tensor(given) for given in (actual, expected))
        for tensor in made:
            self._check_supported(tensor, id=id)
        return made

    def _to_tensor(self, tensor_like):
        if isinstance(tensor_like, torch.Tensor):
            return tensor_like
        try:
            return torch.as_tensor(tensor_like)
        except Exception:
            self._inputs_not_supported()

    def _check_supported(self, tensor, *, id):
        if tensor.layout not in (torch.strided, torch.jagged, torch.sparse_coo, *LAYOUTS):
            raise ErrorMeta(ValueError, f"Unsupported tensor layout {tensor.layout}", id=id)

    def compare(self):
        actual, expected = self.actual, self.expected
        self._compare_attributes(actual, expected)
        if actual.is_meta or expected.is_meta:
            return
        self._compare_values(*self._equalize_attributes(actual, expected))

    def _compare_attributes(self, actual, expected):
        def same(attribute, actual, expected):
            if actual != expected:
                self._fail(AssertionError, f"The values for attribute '{attribute}' do not match: {actual} != {expected}.")

        same("shape", actual.shape, expected.shape)
        if self.check_layout:
            same("layout", actual.layout, expected.layout)
        if self.check_stride and actual.layout == expected.layout == torch.strided:
            same("stride()", actual.stride(), expected.stride())
        if self.check_device:
            same("device", actual.device, expected.device)
        if self.check_dtype:
            same("dtype", actual.dtype, expected.dtype)

    def _equalize_attributes(self, actual, expected):
        """The tensors in one dtype and one layout."""
        if actual.dtype != expected.dtype:
            wide = (torch.uint16, torch.uint32, torch.uint64)  # (they have no common dtype with others)
            dtype = torch.promote_types(*(torch.int64 if each.dtype in wide else each.dtype for each in (actual, expected)))
            actual, expected = actual.to(dtype), expected.to(dtype)
        if actual.layout != expected.layout:
            actual, expected = (each if each.layout == torch.strided else each.to_dense() for each in (actual, expected))
        return actual, expected

    def _compare_values(self, actual, expected):
        options = {"rtol": self.rtol, "atol": self.atol, "equal_nan": self.equal_nan}
        if actual.layout == torch.sparse_coo:
            self._compare_sparse_coo_values(actual, expected, **options)
        elif actual.layout in LAYOUTS:
            self._compare_sparse_compressed_values(actual, expected, **options)
        else:
            self._compare_regular_values_close(actual, expected, **options)

    def _compare_counts(self, what, actual, expected):
        if actual != expected:
            self._fail(AssertionError, f"The number of {what} tensors does not match: {actual} != {expected}")

    def _compare_sparse_coo_values(self, actual, expected, *, rtol, atol, equal_nan):
        self._compare_counts("sparse dimensions in sparse COO", actual.sparse_dim(), expected.sparse_dim())
        self._compare_counts("specified values in sparse COO", actual._nnz(), expected._nnz())
        self._compare_regular_values_equal(actual._indices(), expected._indices(), identifier="Sparse COO indices")
        values = actual._values(), expected._values()
        self._compare_regular_values_close(*values, rtol=rtol, atol=atol, equal_nan=equal_nan, identifier="Sparse COO values")

    def _compare_sparse_compressed_values(self, actual, expected, *, rtol, atol, equal_nan):
        kind = str(actual.layout).rpartition("_")[2].upper()
        self._compare_counts(f"specified values in sparse {kind}", actual._nnz(), expected._nnz())
        for name in LAYOUTS[actual.layout]:
            indices = getattr(actual, name)().long(), getattr(expected, name)().long()
            self._compare_regular_values_equal(*indices, identifier=f"Sparse {kind} {name}")
        identifier = f"Sparse {kind} values"
        values = actual.values(), expected.values()
        self._compare_regular_values_close(*values, rtol=rtol, atol=atol, equal_nan=equal_nan, identifier=identifier)

    def _compare_regular_values_equal(self, actual, expected, *, equal_nan=False, identifier=None):
        self._compare_regular_values_close(actual, expected, rtol=0, atol=0, equal_nan=equal_nan, identifier=identifier)

    def _compare_regular_values_close(self, actual, expected, *, rtol, atol, equal_nan, identifier=None):
        matches = torch.isclose(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan)
        if matches.all():
            return
        options = {"rtol": rtol, "atol": atol, "identifier": identifier}
        self._fail(
            AssertionError,
            make_tensor_mismatch_msg(actual, expected, matches, **options)
            if actual.dim()
            else make_scalar_mismatch_msg(actual.item(), expected.item(), **options),
        )

    def extra_repr(self):
        return ("rtol", "atol", "equal_nan", "check_device", "check_dtype", "check_layout", "check_stride")


def numpy_types(name):
    """NumPy's type of this name, in a tuple that is empty while nobody has imported NumPy: then no value is of it."""
    numpy = sys.modules.get("numpy")
    return () if numpy is None else (getattr(numpy, name),)


def unexpected(what):
    return RuntimeError(f"{what}\n\n{UNEXPECTED}")


def originate_pairs(actual, expected, *, pair_types, sequence_types=(Sequence,), mapping_types=(Mapping,), id=(), **options):
    """The pairs of two values, of their items where they are sequences or mappings: each of the first type that knows them."""

    def pairs_of(actual, expected, id):
        if both_are(sequence_types, actual, expected) and not isinstance(actual, str) and not isinstance(expected, str):
            if len(actual) != len(expected):
                message = f"The length of the sequences mismatch: {len(actual)} != {len(expected)}"
                raise ErrorMeta(AssertionError, message, id=id)
            return [pair for i in range(len(actual)) for pair in pairs_of(actual[i], expected[i], (*id, i))]
        if both_are(mapping_types, actual, expected):
            missing, additional = set(expected.keys()) - set(actual.keys()), set(actual.keys()) - set(expected.keys())
            if missing or additional:
                message = (
                    "The keys of the mappings do not match:\n"
                    f"Missing keys in the actual mapping: {sorted(missing)}\n"
                    f"Additional keys in the actual mapping: {sorted(additional)}"
                )
                raise ErrorMeta(AssertionError, message, id=id)
            return [pair for key in in_order(actual.keys()) for pair in pairs_of(actual[key], expected[key], (*id, key))]
        return [make_pair(actual, expected, id)]

    def make_pair(actual, expected, id):
        for kind in pair_types:
            try:
                return kind(actual, expected, id=id, **options)
            except UnsupportedInputs:
                continue
            except ErrorMeta:
                raise
            except Exception as error:
                raise unexpected(
                    f"Originating a {kind.__name__}() at item {place(id)} with\n\n"
                    f"{type(actual).__name__}(): {actual}\n\nand\n\n{type(expected).__name__}(): {expected}"
                ) from error
        message = f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}."
        raise ErrorMeta(TypeError, message, id=id)

    return pairs_of(actual, expected, id)


def both_are(kinds, actual, expected):
    return isinstance(actual, kinds) and isinstance(expected, kinds)


def in_order(keys):
    """The keys, sorted if they can be."""
    try:
        return sorted(keys)
    except Exception:  # (what comparing keys raises is theirs to choose)
        return list(keys)


def not_close_error_metas(
    actual, expected, *, pair_types=(ObjectPair,), sequence_types=(Sequence,), mapping_types=(Mapping,), **options
):
    """What all the comparisons of two values found: each an `ErrorMeta`. The options are those of the pairs' constructors."""
    __tracebackhide__ = True  # pytest shows the caller's line
    kinds = {"pair_types": pair_types, "sequence_types": sequence_types, "mapping_types": mapping_types}
    try:
        pairs = originate_pairs(actual, expected, **kinds, **options)
    except ErrorMeta as error:
        raise error.to_error() from None
    found = []
    for pair in pairs:
        try:
            pair.compare()
        except ErrorMeta as difference:
            found.append(difference.with_traceback(None))
        except Exception as error:
            raise unexpected(f"Comparing\n\n{pair}") from error
    return found


def _unwrap_dtensor_for_comparison(actual, expected):
    """The values as they are: no tensor is distributed here."""
    return actual, expected


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

    Args:
        actual, expected: Tensors, NumPy arrays, numbers, booleans and None, or sequences and mappings of them, compared item by
            item.
        rtol, atol: Tolerances; by default those of the dtype: whole numbers have to be equal.
        equal_nan: Whether NaN is close to NaN.
        check_device, check_dtype, check_layout, check_stride: Whether these have to be the same too.
        allow_subclasses: Whether related types may be compared; otherwise they have to be the same.
        msg: What replaces the message; if it is a function, its result for the message does.

    >>> import rushlight as torch
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
    __tracebackhide__ = True
    found = not_close_error_metas(
        actual,
        expected,
        pair_types=(NonePair, BooleanPair, NumberPair, TensorLikePair),
        allow_subclasses=allow_subclasses,
        rtol=rtol,
        atol=atol,
        equal_nan=equal_nan,
        check_device=check_device,
        check_dtype=check_dtype,
        check_layout=check_layout,
        check_stride=check_stride,
    )
    if found:
        raise found[0].to_error(msg)


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

    `actual`, `expected`, `rtol`, `atol`, `equal_nan` and `msg` are as there.

    >>> import rushlight as torch
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.testing.assert_allclose(torch.tensor([1.0, 2.0]), [1, 2])
    """
    __tracebackhide__ = True
    warn_user(DEPRECATED, FutureWarning)
    if not isinstance(actual, torch.Tensor):
        actual = torch.tensor(actual)
    if not isinstance(expected, torch.Tensor):
        expected = torch.tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        rtol, atol = default_tolerances(actual, expected, dtype_precisions=TOLERANCES_OF_ALLCLOSE)
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, msg=msg or None)


vars(assert_allclose)["__deprecated__"] = DEPRECATED  # where PEP 702 has it
