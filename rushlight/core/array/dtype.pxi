# What kinds of numbers there are, and what comes of mixing them. What is known of each stands in kernels/dtypes.h.
cdef int8_t promotion[DTYPES][DTYPES]
cdef list dtypes = [None] * DTYPES
cdef int default_dtype = FLOAT32


@cython.final
cdef class dtype:
    """A kind of number: `rushlight.float32`, `rushlight.int64`, …

    >>> import rushlight
    >>> rushlight.ones(2, dtype=rushlight.float64).dtype
    torch.float64
    >>> rushlight.float32.itemsize, rushlight.float32.is_floating_point
    (4, True)
    """

    def __init__(self, *args, **named):
        raise TypeError("cannot create 'torch.dtype' instances")

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return item_bytes[self.code]

    @property
    def is_floating_point(self) -> bool:
        return category[self.code] == IS_FLOATING

    @property
    def is_complex(self) -> bool:
        return category[self.code] == IS_COMPLEX

    @property
    def is_signed(self) -> bool:
        return signed_numbers(self.code)

    def to_real(self) -> "dtype":
        """The dtype of the real part."""
        return dtypes[real_of[self.code]]

    def to_complex(self) -> "dtype":
        """The complex dtype whose parts have this dtype."""
        return dtypes[complex_with_parts(self.code)]

    def __repr__(self):
        return "torch." + self.name

    @property
    def __module__(self):
        return get_package()

    def __reduce__(self):
        return self.name

cdef enum:
    NO_PROMOTION = -2

cdef int promoted(int i, int j) noexcept:
    """What two dtypes promote to, by their codes."""
    cdef int low = min(i, j), high = max(i, j)
    if i == j:
        return i
    if is_float8(low) or is_float8(high):
        return NO_PROMOTION
    if is_wide_unsigned(low) or is_wide_unsigned(high):
        return low if category[low] == IS_FLOATING else NO_PROMOTION
    if high == COMPLEX32:
        return complex_of[low] if category[low] >= IS_FLOATING else COMPLEX32
    if low == UINT8 and high == INT8:
        return INT16
    if low == FLOAT16 and high == BFLOAT16:
        return FLOAT32
    if low == FLOAT64 and high == COMPLEX64:
        return COMPLEX128
    return high

# The range of the integers.
cdef int64_t SMALLEST[DTYPES]
cdef uint64_t LARGEST[DTYPES]

cdef _define_dtypes():
    cdef dtype d
    cdef int i, j
    for i in range(DTYPES):
        if category[i] < IS_FLOATING:
            LARGEST[i] = <uint64_t>-1 >> (64 - dtype_facts[i].digits)
            SMALLEST[i] = -<int64_t>LARGEST[i] - 1 if signed_numbers(i) else 0
        d = dtype.__new__(dtype)
        d.code, d.name, d.short_name = i, dtype_facts[i].name.decode(), dtype_facts[i].short_name.decode()
        d.legacy_name, d.has_classes = dtype_facts[i].title.decode(), dtype_facts[i].has_classes
        dtypes[i] = d
        for j in range(DTYPES):
            promotion[i][j] = promoted(i, j)
_define_dtypes()

dtype_by_name = {d.name: d for d in dtypes}

def limits_of(dtype d not None):
    """Of a dtype: bits of the significand, the gap after 1 and the least normal number (0 where these mean nothing), the smallest and the
    largest number."""
    cdef const DTypeFacts* facts = &dtype_facts[d.code]
    if category[d.code] < IS_FLOATING:
        return facts.digits, 0., 0., SMALLEST[d.code], LARGEST[d.code]
    return facts.digits, facts.gap, facts.least, -facts.largest if signed_numbers(d.code) else facts.least, facts.largest

cdef inline bint signed_numbers(int code) noexcept:
    return code != FLOAT8_E8M0FNU if category[code] >= IS_FLOATING else dtype_facts[code].dlpack_code == 0

cdef inline bint computes_itself(int code) noexcept:
    """Has the dtype loops of its own for arithmetic with fractions? The narrower ones have those of a wider one."""
    return category[code] >= IS_FLOATING and item_bytes[real_of[code]] > 2

cdef inline bint early_dtype(int code) noexcept:
    return code < EARLY_DTYPES

cdef inline bint is_half(int code) noexcept:
    return code == FLOAT16 or code == BFLOAT16

cdef int code_given(str function, object given, str parameter="dtype", int position=0) except -1:
    """The code of a dtype argument that must be given."""
    if not isinstance(given, dtype):
        raise TypeError(f"{function}(): argument '{parameter}'{f' (position {position})' if position else ''} must be torch.dtype, not "
                        f"{type(given).__name__}")
    return (<dtype>given).code

def dtype_of(given):
    """A dtype from one, or from a number type of Python's; None where `given` is neither."""
    return given if type(given) is dtype else _dtypes_of_python.get(given) if isinstance(given, type) else None

cdef dict _dtypes_of_python = {kind: dtypes[code] for kind, code in ((float, FLOAT64), (int, INT64), (bool, BOOL), (complex, COMPLEX128))}

cdef inline int code_of(object d) except -2:
    if type(d) is dtype:
        return (<dtype>d).code
    if d is None:
        return NO_DTYPE
    found = dtype_of(d)
    if found is None:
        raise TypeError(f"dtype must be torch.dtype, not {type(d).__name__}")
    return (<dtype>found).code

cdef inline int default_complex() noexcept:
    return complex_of[default_dtype]

cdef int complex_with_parts(int code) except -1:
    if complex_of[code] == code and category[code] != IS_COMPLEX:
        raise RuntimeError(f"Unknown Complex ScalarType for {c10_name(code)}")
    return complex_of[code]

cdef int refuse_promotion(int one, int other) except -2:
    kind = "Float8 Types" if is_float8(one) or is_float8(other) else "uint16, uint32, uint64 types"
    raise RuntimeError(f"Promotion for {kind} is not supported, attempted to promote {c10_name(one)} and {c10_name(other)}")

cdef inline int common_dtype(int one, int other) except -2:
    cdef int found = promotion[one][other]
    return refuse_promotion(one, other) if found == NO_PROMOTION else found

cdef inline int combine_categories(int higher, int lower) except -2:
    """A dtype of a class that takes precedence (tensors with dimensions) with one of a lower class (0-d tensors, then numbers):
    the lower counts only where its category is greater."""
    if higher == NO_DTYPE:
        return lower
    if lower == NO_DTYPE:
        return higher
    if category[higher] == IS_COMPLEX:
        return higher
    if category[higher] == IS_FLOATING:
        return complex_with_parts(higher) if category[lower] == IS_COMPLEX else higher
    if is_wide_unsigned(higher) and category[lower] == IS_COMPLEX:
        return lower
    if category[higher] == IS_BOOL or category[lower] >= IS_FLOATING:
        return common_dtype(higher, lower)
    return higher


cdef struct Promotion:
    int dimensioned, zero_dim, number

cdef inline void promotion_start(Promotion* p) noexcept:
    p.dimensioned = p.zero_dim = p.number = NO_DTYPE

cdef inline int widen(int have, int more) except -2:
    return more if have == NO_DTYPE else common_dtype(have, more)

cdef inline int widen_by(Promotion* p, int code, bint has_dims) except -1:
    """One more tensor takes part."""
    if has_dims:
        p.dimensioned = widen(p.dimensioned, code)
    else:
        p.zero_dim = widen(p.zero_dim, code)
    return 0

cdef inline int promotion_result(Promotion* p) except -2:
    return combine_categories(p.dimensioned, combine_categories(p.zero_dim, p.number))

cdef inline int number_code(object value) except -2:
    """The dtype that a Python (or NumPy) number stands for, or -1 where it is none."""
    if PyFloat_Check(value):
        return default_dtype
    if value is True or value is False:
        return BOOL
    if PyLong_Check(value):
        return INT64
    if PyComplex_Check(value):
        return default_complex()
    return foreign_number_code(value)

cdef int foreign_number_code(object value) except -2:
    # NumPy's scalars, without importing NumPy.
    if isinstance(value, Tensor) or hasattr(type(value), "__torch_function__"):
        return NO_DTYPE
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if kind is None:
        return INT64 if hasattr(type(value), "__index__") else default_dtype if hasattr(type(value), "__sym_float__") else NO_DTYPE
    if getattr(value, "ndim", 1) != 0 or type(value).__name__ == "ndarray":
        return NO_DTYPE
    # (A truth of NumPy counts as a float.)
    return {"b": default_dtype, "i": INT64, "u": INT64, "f": default_dtype, "c": default_complex()}.get(kind, NO_DTYPE)

cdef int64_t int64_of(object value) except? -1:
    """An int argument as C takes it."""
    cdef int overflow = 0
    cdef int64_t found = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow:
        raise ValueError("Overflow when unpacking long long")
    return found

cdef raise_overflow(str named):
    raise RuntimeError(f"value cannot be converted to type {named} without overflow")

cdef object real_number(object value, str named):
    """A number without its imaginary part, which must be 0."""
    if PyComplex_Check(value):
        if value.imag != 0:
            raise_overflow(named)
        return value.real
    return value

cdef int require_64_bits(object value) except -1:
    """Refuses an int beyond what PyTorch takes for a number: 2^63 to 2^64 - 1 are unsigned."""
    if PyLong_Check(value) and not -9223372036854775808 <= value <= 18446744073709551615:
        raise OverflowError("int too big to convert" if value > 0 else "can't convert negative int to unsigned")
    return 0

def check_number_fits(value, d):
    """Refuses a number that is beyond what a dtype holds (an infinity is not, but for integers)."""
    check_fits(value, code_given("fill", d))

cdef int check_fits(object value, int code) except -1:
    cdef double element[2]
    cdef double real, imag = 0, most = dtype_facts[code].largest
    if category[code] < IS_FLOATING or code == FLOAT64 or code == COMPLEX128:      # (Python's numbers are float64)
        return write_number(value, code, element)
    if PyFloat_CheckExact(value):
        real = value
    elif PyComplex_Check(value):
        real, imag = value.real, value.imag
    else:
        require_64_bits(value)
        real = value
    if most < abs(real) and (abs(real) < INFINITY or is_float8(code) and code != FLOAT8_E5M2) or most < abs(imag) < INFINITY or \
            imag != 0 and category[code] != IS_COMPLEX or \
            code == FLOAT8_E8M0FNU and real < dtype_facts[code].least and not (PyLong_Check(value) and real < 0):
        raise_overflow(c_name(code))
    return 0

cdef object wrapped_around(object value):
    """An int as int64 has it: as a tensor of unsigned integers is converted."""
    cdef int overflow = 0
    if PyLong_Check(value):
        PyLong_AsLongLongAndOverflow(value, &overflow)
        if overflow:
            require_64_bits(value)
            return value - 18446744073709551616
    return value

cdef int write_number(object value, int code, void* at) except -1:
    """Stores a Python number as one element of dtype `code`."""
    cdef int overflow = 0
    cdef long long integer
    cdef double real
    cdef double parts[2]
    cdef int kind = category[code]
    if kind == IS_FLOATING:
        real = value = real_number(value, "float" if code == FLOAT32 else "double")
        if abs(real) >= 9223372036854775808.:
            require_64_bits(value)
        if code == FLOAT32:
            (<float*>at)[0] = <float>real
        else:
            convert_number(code, FLOAT64, at, &real)
    elif kind == IS_COMPLEX:
        require_64_bits(value)
        value = complex(value)
        parts[0], parts[1] = PyComplex_RealAsDouble(value), PyComplex_ImagAsDouble(value)
        convert_number(code, COMPLEX128, at, parts)
    elif kind == IS_BOOL:
        require_64_bits(value)
        (<uint8_t*>at)[0] = 1 if value else 0
    else:
        value = real_number(value, c_name(code))
        if PyFloat_Check(value):
            real = value
            if not SMALLEST[code] <= real <= <double>LARGEST[code]:
                raise_overflow(c_name(code))
            integer = <int64_t>real if real < 9223372036854775808. else SMALLEST[INT64] if code != UINT64 else \
                <int64_t>(real - 9223372036854775808.) + SMALLEST[INT64]
        else:
            integer = PyLong_AsLongLongAndOverflow(int(value), &overflow)
            if overflow:
                require_64_bits(value)
                if code != UINT64:
                    raise_overflow(c_name(code))
                integer = wrapped_around(value)
            elif not holds_integer(code, integer):
                raise_overflow(c_name(code))
        memcpy(at, &integer, item_bytes[code])      # (the lower bytes come first)
    return 0

cdef bint holds_integer(int code, int64_t integer) noexcept:
    """Does an int fit? Those below 0 wrap around in unsigned dtypes."""
    if signed_numbers(code):
        return SMALLEST[code] <= integer <= <int64_t>LARGEST[code]
    return code == UINT64 or -<int64_t>LARGEST[code] <= integer <= <int64_t>LARGEST[code]

cdef str c_name(int code):
    return dtype_facts[code].number_name.decode()

cdef extern from *:
    """
    // One number of a dtype as one of another.
    static inline void rl_convert_number(int to, int from, void* out, const void* in) {
      rl::conversion(rl::DType(to), rl::DType(from))(static_cast<char*>(out), 16, static_cast<const char*>(in), 16, 1);
    }
    """
    void convert_number "rl_convert_number"(int, int, void*, const void*) noexcept

cdef object read_number(int code, const void* place):
    """One element as a Python number."""
    cdef double copied[2]      # the memory of others may lie at any address
    cdef double number[2]
    cdef uint64_t whole
    cdef void* at = copied
    memcpy(at, place, item_bytes[code])
    if code == FLOAT32:
        return <double>(<float*>at)[0]
    if code == FLOAT64:
        return (<double*>at)[0]
    if code == INT64:
        return (<int64_t*>at)[0]
    if code == BOOL:
        return (<uint8_t*>at)[0] != 0
    if category[code] == IS_INTEGER:
        whole = <uint64_t>-1 if signed_numbers(code) and (<const int8_t*>place)[item_bytes[code] - 1] < 0 else 0
        memcpy(&whole, place, item_bytes[code])      # (the lower bytes come first)
        if signed_numbers(code):
            return <int64_t>whole
        return whole
    convert_number(COMPLEX128, code, number, at)
    return complex(number[0], number[1]) if category[code] == IS_COMPLEX else number[0]

def get_default_dtype() -> dtype:
    """The dtype of tensors made from Python floats (float32 at first).

    >>> import rushlight as torch
    >>> torch.get_default_dtype()
    torch.float32
    """
    return dtypes[default_dtype]

def use_default_dtype(dtype d not None):
    """Makes that another one."""
    global default_dtype
    default_dtype = d.code

def promote_types(type1, type2) -> dtype:
    """The dtype of least size and category that holds both.

    >>> import rushlight
    >>> rushlight.promote_types(rushlight.int32, rushlight.float16)
    torch.float16
    """
    return dtypes[common_dtype(code_given("promote_types", type1, "type1", 1), code_given("promote_types", type2, "type2", 2))]

def can_cast(from_, to) -> bool:
    """Whether PyTorch's casting rules allow a result of dtype `from_` to be written into one of dtype `to`."""
    return can_cast_codes(code_given("can_cast", from_, "from_", 1), code_given("can_cast", to, "to", 2)) != 0

cdef bint can_cast_codes(int source, int target) noexcept:
    if category[source] == IS_COMPLEX and category[target] != IS_COMPLEX:
        return False
    if category[source] == IS_FLOATING and category[target] < IS_FLOATING:
        return False
    return not (category[source] != IS_BOOL and target == BOOL)

def dtype_of_number(value):
    """The dtype that a Python (or NumPy) number stands for; None where `value` is none."""
    cdef int code = number_code(value)
    return None if code == NO_DTYPE else dtypes[code]

def result_type(tensor1, tensor2) -> dtype:
    """The dtype of an element-wise result of two tensors or numbers.

    >>> import rushlight
    >>> rushlight.result_type(rushlight.tensor([1, 2], dtype=rushlight.int32), 1.0)
    torch.float32
    """
    cdef Promotion state
    cdef int code
    promotion_start(&state)
    for place, value in enumerate((tensor1, tensor2)):
        if isinstance(value, Tensor):
            widen_by(&state, (<Tensor>value).code, (<Tensor>value).geometry.ndim > 0)
            continue
        code = number_code(value)
        if code == NO_DTYPE:
            raise TypeError(f"result_type(): argument 'tensor{place + 1}' must be Tensor or Number, not {type(value).__name__}")
        state.number = widen(state.number, code)
    return dtypes[promotion_result(&state)]

def promoted_dtype(kinds):
    """The dtype that operands compute in: (dtype, whether it is that of a tensor with dimensions) of each."""
    cdef Promotion state
    promotion_start(&state)
    for kind, has_dims in kinds:
        widen_by(&state, code_of(kind), has_dims)
    return dtypes[promotion_result(&state)]

cdef str c10_name(int code):
    return (<dtype>dtypes[code]).legacy_name

cdef str scalar_name(int code):
    return dtype_facts[code].type_name.decode()

cdef str type_in_errors(int code):
    """A tensor's type as errors about gradients name it: the old name, where numbers of that kind have had one for long."""
    name = dtypes[code].legacy_name
    return f"CPU{name}Type" if code == BOOL or code == BFLOAT16 or category[code] == IS_COMPLEX or not early_dtype(code) else f"torch.{name}Tensor"

def scalar_type_name(dtype d not None):
    """A dtype as PyTorch's checks call it: "float", "long int"."""
    return scalar_name(d.code)
