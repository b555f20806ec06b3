# The driver of element-wise ops: promote, broadcast, allocate, run the kernel's loop, record.
cdef enum:
    OPERAND_SAME = 0
    OPERAND_BOOLEAN = 1
    OPERAND_REAL = 2
    OPERAND_INT64 = 3
    OPERAND_COMPLEX = 4

cdef enum:
    MAX_INPUTS = 5

# What is beyond, infinite or NaN takes the general way, which asks whether it fits.
cdef double PLAIN_NUMBERS = 9223372036854775808.

cdef inline bint read_plain_number(object value, double* out) except -1:
    """A Python float or int that is none of those."""
    if PyFloat_CheckExact(value):
        out[0] = PyFloat_AS_DOUBLE(value)
    elif PyLong_CheckExact(value):
        out[0] = value
    else:
        return False
    return -PLAIN_NUMBERS < out[0] < PLAIN_NUMBERS

cdef object negated(object value):
    """-value; integers of 64 bits wrap around, as PyTorch's."""
    if not PyLong_Check(value) or -9223372036854775808 < value <= 9223372036854775807:
        return -value
    require_64_bits(value)
    return value if value < 0 else 18446744073709551616 - value if value > 9223372036854775808 else -value

cdef inline object real_value(object value):
    return value.real if PyComplex_Check(value) else value

cdef inline int operand_code(const Pointwise* kernel, int operand, int compute) noexcept:
    cdef int kind = operand_kind(kernel, operand)
    if kind == OPERAND_SAME:
        return compute
    if kind == OPERAND_BOOLEAN:
        return BOOL
    if kind == OPERAND_REAL:
        return real_of[compute]
    if kind == OPERAND_COMPLEX:
        return complex_of[compute]
    return INT64


cdef inline bint is_uniform(Tensor x) noexcept:
    """Is one element seen everywhere, as in the gradient of a sum?"""
    cdef int d
    for d in range(x.geometry.ndim):
        if x.geometry.strides[d] and x.geometry.shape[d] != 1:
            return False
    return not x.flags & CONTIGUOUS

cdef inline int64_t row_step(Tensor x, const Geometry& shape) noexcept:
    """From row to row of a matrix of that shape, whose rows lie in memory as they are and one behind the other; -1 where they do not."""
    if x.geometry.ndim != 2 or x.geometry.shape[0] != shape.shape[0] or x.geometry.shape[1] != shape.shape[1] or x.geometry.strides[1] != 1 or \
            x.geometry.strides[0] < shape.shape[1]:
        return -1
    return x.geometry.strides[0]

@cython.final
cdef class PointwiseOp(Op):
    """An op that works element by element."""
    cdef const Pointwise* kernel
    cdef const Pointwise* scaled         # the kernel with a third operand, for `alpha`
    cdef int inputs
    cdef readonly bint promotes_to_float          # integers compute in the default dtype
    cdef int alpha                       # the index of `alpha`, or -1
    cdef int alpha_sign
    cdef bint swapped                    # the kernel takes the two inputs the other way round (rsub)
    cdef int number_count                # attributes that go to the kernel
    cdef int8_t number_is_float[MAX_PARAMETERS]
    cdef object numbers                  # or a function that turns the attributes into numbers
    cdef object check                    # refuses dtypes and operands: check(dtype, *inputs) raises
    cdef bint tensors_only               # a Python number is refused where the second input stands
    cdef bint wide_numbers               # numbers are not rounded to halves, where it computes with those
    cdef bint numbers_follow             # numbers take the tensors' dtype, whatever their own kind
    cdef int8_t fits[DTYPES]             # the dtype that holds a number, or an error, where it computes in this one; NO_DTYPE: it wraps around
    cdef bint row_major_of_number        # the result with a number for its first input is contiguous …
    cdef public int row_major_kinds      # … or that of dtypes of these kinds (a bit for each)
    cdef public int keeps_strides        # of these kinds it lies as its input does, to the letter
    cdef public int numbers_aside        # a bit for each input that the result's layout has nothing of where it is a number
    cdef bint direct[DTYPES]             # dtypes for which contiguous inputs go straight to the loop …
    cdef int8_t result[DTYPES]           # … and what comes out
    cdef bint direct_many                # three inputs or more, without further numbers: see `many`

    def configure(self, str kernel, int inputs, bint promotes_to_float, str scaled=None, int alpha=-1, int alpha_sign=1, numbers=None,
                  check=None, bint swapped=False, bint tensors_only=False, bint wide_numbers=False, bint row_major_of_number=False,
                  str fits=None):
        """Called once by the table, after construction."""
        cdef bytes encoded = kernel.encode()
        cdef int i
        self.kernel = find_pointwise(encoded)
        if self.kernel == NULL:
            raise ImportError(f"the op table declares {self.name}, but there is no kernel '{kernel}'")
        if scaled is not None:
            encoded = scaled.encode()
            self.scaled = find_pointwise(encoded)
            if self.scaled == NULL:
                raise ImportError(f"the op table declares {self.name}, but there is no kernel '{scaled}'")
        if self.kernel.inputs != inputs:
            raise ImportError(f"{self.name} has {inputs} inputs, but its kernel {self.kernel.inputs}")
        self.inputs, self.promotes_to_float, self.alpha, self.alpha_sign = inputs, promotes_to_float, alpha, alpha_sign
        self.numbers, self.check, self.swapped, self.tensors_only = numbers, check, swapped, tensors_only
        self.wide_numbers, self.row_major_of_number = wide_numbers, row_major_of_number
        self.numbers_follow = fits == "wide" and inputs > 1
        for i in range(DTYPES):
            half = is_half(i)
            if fits is None or fits == "narrow" and computes_itself(i) or fits == "no half" and half or self.kernel.loops[i] == NULL and not half:
                self.fits[i] = NO_DTYPE
            else:
                self.fits[i] = FLOAT32 if fits == "wide" and half else i
        self.number_count = 0 if alpha >= 0 else self.parameter_count - inputs
        for i in range(self.number_count):
            self.number_is_float[i] = isinstance(self.defaults[inputs + i], float)
        for rule in self.rules:
            (<Rule>rule).meets_numbers = inputs == 2 and not tensors_only and not self.has_variants and \
                any([kind == FROM_ARGUMENT and place < inputs for kind, place in (<Rule>rule).sources])
        self.gives_booleans = operand_kind(self.kernel, 0) == OPERAND_BOOLEAN
        if inputs == 1:
            self.in_place_shift = self.has_variants      # where there are two names, the second is that of the call in place
        self.fails_late = self.backward_names == ("NotImplemented",)
        if inputs > 1 and all([operand_kind(self.kernel, i) == OPERAND_SAME for i in range(inputs + 1)]):
            self.promotes = True
            for rule in self.rules:
                (<Rule>rule).promotes = not (<Rule>rule).is_identity
        self.direct_many = inputs > 2 and alpha < 0 and self.number_count == 0 and numbers is None and not swapped
        for i in range(DTYPES):
            self.result[i] = operand_code(self.kernel, 0, i)
            self.direct[i] = self.kernel.loops[i] != NULL and self.number_count == 0 and inputs <= 2 and numbers is None and \
                operand_kind(self.kernel, 1) == OPERAND_SAME and (inputs == 1 or operand_kind(self.kernel, 2) == OPERAND_SAME) and \
                not (promotes_to_float and category[i] < IS_FLOATING) and (check is None or computes_itself(i))

    cdef int read_numbers(self, PyObject** args, int compute, Number* out) except -1:
        """The numbers that the kernel gets besides its operands; returns how many there are."""
        cdef int i
        cdef object value
        if self.fits[compute] != NO_DTYPE:
            for i in range(self.number_count):
                check_fits(<object>args[self.inputs + i], self.fits[compute])
        if self.numbers is not None:
            values = self.numbers(*[real_value(<object>args[i]) for i in range(self.inputs, self.parameter_count)])
            for i, value in enumerate(values):
                put_number(out + i, value)
            return <int>len(values)
        for i in range(self.number_count):
            value = real_value(<object>args[self.inputs + i])
            if self.number_is_float[i]:
                out[i].f = value
            else:
                out[i].i = value
        return self.number_count

    cdef object compute(self, PyObject** args, Call* call):
        cdef Tensor a, b, out
        cdef char* data[3]
        cdef int64_t strides[3]
        cdef double scalar
        cdef float single
        cdef int64_t size
        cdef int code
        if call.mode != MODE_NEW or not short_ways:
            return <object>args[0] if call.mode == MODE_IN_PLACE and self.written_directly(args, call) else self.general(args, call)
        if self.direct_many:
            out = self.many(args)
            return self.general(args, call) if out is None else out
        # The way of most calls: whole, contiguous tensors of one dtype and shape, or one of them and a number.
        if type(<object>args[0]) is Tensor:
            a = <Tensor>args[0]
            code = a.code
            if a.geometry.ndim == 2 and self.direct[code] and (not a.flags & CONTIGUOUS or self.inputs == 2 and type(<object>args[1]) is Tensor and
                                                               not (<Tensor>args[1]).flags & CONTIGUOUS):
                out = self.by_rows(a, args)
                if out is not None:
                    return out
            if self.direct[code] and a.count < 16384 and (a.flags & CONTIGUOUS or self.inputs == 2 and is_uniform(a)) and \
                    (self.alpha < 0 or args[self.alpha] == self.default_pointers[self.alpha]):
                size = item_bytes[code]
                if not a.flags & CONTIGUOUS:
                    # (Beside a number it stays as it is: expanded.)
                    if type(<object>args[1]) is not Tensor or not (<Tensor>args[1]).flags & CONTIGUOUS:
                        return self.general(args, call)
                    size = 0
                if self.inputs == 1:
                    if self.keeps_strides and not a.geometry.row_major():
                        return self.general(args, call)
                    out = new_like_shape(self.result[code], a.geometry)
                    data[0], data[1] = data_of(out), data_of(a)
                    strides[0], strides[1] = item_bytes[out.code], size
                    run_loop(self.kernel.loops[code], data, strides, 2, a.count, item_bytes[code])
                    return out
                if type(<object>args[1]) is Tensor:
                    b = <Tensor>args[1]
                    if b.code == code and a.geometry.same_shape(b.geometry) and (b.flags & CONTIGUOUS or is_uniform(b)):
                        out = new_like_shape(self.result[code], a.geometry)
                        data[0], data[1], data[2] = data_of(out), data_of(a), data_of(b)
                        strides[0], strides[1], strides[2] = item_bytes[out.code], size, item_bytes[code] if b.flags & CONTIGUOUS else 0
                        if self.swapped:
                            data[1], data[2] = data[2], data[1]
                            strides[1], strides[2] = strides[2], strides[1]
                        run_loop(self.kernel.loops[code], data, strides, 3, a.count, item_bytes[code])
                        return out
                elif (code == FLOAT32 or code == FLOAT64) and not self.tensors_only:
                    if not read_plain_number(<object>args[1], &scalar):
                        return self.general(args, call)
                    out = new_like_shape(self.result[code], a.geometry)
                    if not (self.numbers_aside & 2 or out.count and out.geometry.same_strides(a.geometry)):
                        follow_one(out, a)
                    data[0], data[1], data[2] = data_of(out), data_of(a), <char*>&scalar
                    strides[0], strides[1], strides[2] = item_bytes[out.code], size, 0
                    if code == FLOAT32:
                        single = <float>scalar
                        data[2] = <char*>&single
                    if self.swapped:
                        data[1], data[2] = data[2], data[1]
                        strides[1], strides[2] = strides[2], strides[1]
                    run_loop(self.kernel.loops[code], data, strides, 3, a.count, item_bytes[code])
                    return out
        return self.general(args, call)

    cdef Tensor by_rows(self, Tensor a, PyObject** args):
        """The short way of matrices cut out of others (the gates of a cell): a few rows, each as it lies in memory. Else None."""
        cdef Tensor out
        cdef char* data[3]
        cdef int64_t strides[3]
        cdef int64_t steps[3]
        cdef int64_t rows = a.geometry.shape[0], columns = a.geometry.shape[1], row
        cdef int code = a.code, i
        if not 2 <= rows <= 32 or not 4 <= columns <= 4096 or self.alpha >= 0 and args[self.alpha] != self.default_pointers[self.alpha]:
            return None
        steps[1] = row_step(a, a.geometry)
        steps[2] = 0
        if self.inputs == 2:
            if type(<object>args[1]) is not Tensor or (<Tensor>args[1]).code != code:
                return None
            steps[2] = row_step(<Tensor>args[1], a.geometry)
        if steps[1] < 0 or steps[2] < 0:
            return None
        out = new_like_shape(self.result[code], a.geometry)
        steps[0] = columns
        data[0], data[1] = data_of(out), data_of(a)
        if self.inputs == 2:
            data[2] = data_of(<Tensor>args[1])
            if self.swapped:
                data[1], data[2] = data[2], data[1]
                steps[1], steps[2] = steps[2], steps[1]
        strides[0], strides[1], strides[2] = item_bytes[out.code], item_bytes[code], item_bytes[code]
        for row in range(rows):
            run_loop(self.kernel.loops[code], data, strides, self.inputs + 1, columns, item_bytes[code])
            for i in range(self.inputs + 1):
                data[i] += steps[i] * strides[i]
        return out

    cdef bint written_directly(self, PyObject** args, Call* call) except -1:
        """The short way of writes: a whole, contiguous tensor, and another of its dtype and shape with memory of its own, or a number."""
        cdef Tensor a, b
        cdef char* data[3]
        cdef int64_t strides[3]
        cdef double scalar
        cdef float single
        cdef int code
        if not short_ways or type(<object>args[0]) is not Tensor:
            return False
        a = <Tensor>args[0]
        code = a.code
        if not self.direct[code] or self.result[code] != code or not a.flags & CONTIGUOUS or a.count >= 16384 or self.swapped or \
                (self.alpha >= 0 and args[self.alpha] != self.default_pointers[self.alpha]):
            return False
        strides[0] = strides[1] = item_bytes[code]
        if self.inputs == 2:
            strides[2] = strides[0]
            if type(<object>args[1]) is Tensor:
                b = <Tensor>args[1]
                if b.code != code or not a.geometry.same_shape(b.geometry) or a.storage.memory.data == b.storage.memory.data:
                    return False
                if not b.flags & CONTIGUOUS:
                    if not is_uniform(b):
                        return False
                    strides[2] = 0
                data[2] = data_of(b)
            elif (code == FLOAT32 or code == FLOAT64) and not self.tensors_only and read_plain_number(<object>args[1], &scalar):
                single = <float>scalar
                data[2] = <char*>&single if code == FLOAT32 else <char*>&scalar
                strides[2] = 0
            else:
                return False
        begin_write(self, call)
        data[0] = data[1] = data_of(a)
        run_loop(self.kernel.loops[code], data, strides, self.inputs + 1, a.count, item_bytes[code])
        return True

    cdef Tensor many(self, PyObject** args):
        """The short way of where and clamp: contiguous tensors of one floating dtype and one shape, booleans and numbers. Else None."""
        cdef const Pointwise* kernel = self.kernel
        cdef Tensor first = None, t, out
        cdef char* data[MAX_INPUTS + 1]
        cdef int64_t strides[MAX_INPUTS + 1]
        cdef double doubles[MAX_INPUTS]
        cdef float singles[MAX_INPUTS]
        cdef int i, code = NO_DTYPE
        cdef bint mixed = False
        for i in range(self.inputs):
            if not is_tensor_object(args[i]):
                mixed |= not self.numbers_aside >> i & 1
                continue
            t = <Tensor>args[i]
            if not t.flags & CONTIGUOUS or t.count >= 16384:
                return None
            if first is None:
                first = t
            elif not t.geometry.same_shape(first.geometry):
                return None
            if operand_kind(kernel, i + 1) == OPERAND_BOOLEAN:
                if t.code != BOOL:
                    return None
            elif operand_kind(kernel, i + 1) != OPERAND_SAME or code != NO_DTYPE and code != t.code:
                return None
            else:
                code = t.code
            data[i + 1] = data_of(t)
            strides[i + 1] = item_bytes[t.code]
        if code != FLOAT32 and code != FLOAT64 or kernel.loops[code] == NULL:
            return None
        for i in range(self.inputs):
            if is_tensor_object(args[i]):
                continue
            if operand_kind(kernel, i + 1) != OPERAND_SAME or self.tensors_only or not read_plain_number(<object>args[i], &doubles[i]):
                return None
            singles[i] = <float>doubles[i]
            data[i + 1] = <char*>&singles[i] if code == FLOAT32 else <char*>&doubles[i]
            strides[i + 1] = 0
        out = new_like_shape(self.result[code], first.geometry)
        if mixed and not (out.count and out.geometry.same_strides(first.geometry)):
            return None
        data[0], strides[0] = data_of(out), item_bytes[out.code]
        run_loop(kernel.loops[code], data, strides, self.inputs + 1, out.count, item_bytes[code])
        return out

    cdef int variant(self, PyObject** args) noexcept:
        # 0: the second input is a number; 1: it is a tensor; 2: and the first is a number, where that has a name of its own.
        if self.inputs < 2 or not is_tensor_object(args[1]):
            return 0
        return 1 if PyTuple_GET_SIZE(self.backward_names) < 3 or is_tensor_object(args[0]) else 2

    cdef object of_numbers(self, PyObject** args, Call* call):
        """Of two numbers: arithmetic takes the first as a tensor."""
        cdef PyObject* passed[MAX_PARAMETERS]
        cdef Tensor made = tensor_of_number(<object>args[0])
        memcpy(passed, args, self.parameter_count * sizeof(PyObject*))
        passed[0] = <PyObject*>made
        return self.general(passed, call)

    cdef object general(self, PyObject** args, Call* call):
        """Any call: broadcast, promoted and converted."""
        cdef Array operands[MAX_INPUTS + 2]
        cdef double scalars[2 * (MAX_INPUTS + 1)]
        cdef Number numbers[MAX_PARAMETERS]
        cdef const Geometry* geometries[MAX_INPUTS]
        cdef const Pointwise* kernel = self.kernel
        cdef Promotion promotion
        cdef Geometry shape
        cdef Tensor out, target = None
        cdef object alpha = None
        cdef list rounded
        cdef int compute, result, tensors, number_count, inputs = self.inputs
        if call.mode == MODE_OUT:
            check_write(<Tensor>call.out)
            self.check_memory(<Tensor>call.out, args, 0)
        elif call.mode == MODE_IN_PLACE:
            self.check_memory(<Tensor>args[0], args, 1)
        promotion_start(&promotion)
        tensors = read_operands(self, args, shape, geometries, &promotion)
        if tensors == 0:
            if inputs != 2 or not (self.wide_numbers or self.alpha >= 0):
                raise_argument(self, 0, <object>args[0])
            return self.of_numbers(args, call)
        compute = dtype_to_compute(self, args, call, shape, &promotion)
        if self.alpha >= 0 and not (type(<object>args[self.alpha]) is int and <object>args[self.alpha] == 1):
            alpha = <object>args[self.alpha]      # a third operand, unless it is 1
            check_alpha(self, alpha, compute)
            kernel = self.scaled
            inputs += 1
        result = operand_code(kernel, 0, compute)
        place_numbers(self, kernel, args, inputs, compute, alpha, operands, scalars)
        number_count = self.read_numbers(args, compute, numbers)
        if call.mode != MODE_IN_PLACE:
            lay_out_result(self, args, shape, geometries, tensors, compute)
        if call.mode == MODE_NEW:
            out = new_tensor(result, shape.numel(), bytes_of(shape.numel(), result, shape))
            out.geometry.copy(shape)
            update_contiguous(out)
        elif call.mode == MODE_IN_PLACE:
            out = <Tensor>args[0]
            check_target(self, out, shape, result)
            begin_write(self, call)
        else:
            out = given_output(self, args, <Tensor>call.out, shape, result, compute)
            if out.code != result and is_half(result):
                # Loops of halves compute in float32: what a wider `out` gets is rounded first.
                shape.make_contiguous()
                target, out = out, new_like_shape(result, shape)
        # (Only now: what a number's __float__ does, or an output that grows, may have moved memory.)
        operands[0] = array_of(out)
        rounded = place_tensors(self, kernel, args, compute, operands)
        # (Of no elements too: the kernel may have no code for the dtype.)
        launch_loop(kernel, as_dtype(compute), operands, inputs + 1, numbers, number_count, out.count)
        if target is not None:
            copy_elements(target, out)
            return target
        return out

    cdef int check_memory(self, Tensor out, PyObject** args, int start) except -1:
        """Refuses a target that shares memory as it may not."""
        try:
            return check_overlaps(out, args, start, self.inputs)
        except RuntimeError:
            self.refuse_itself(args)
            raise

    cdef refuse_shapes(self, PyObject** args, const Geometry& a, const Geometry& b, int d):
        """Inputs that cannot be broadcast."""
        self.refuse_itself(args)
        raise_broadcast(b, a, d) if self.swapped else raise_broadcast(a, b, d)

    cdef refuse_itself(self, PyObject** args):
        """What the op refuses of itself, not for its kernel, comes before the errors of shapes and memory."""
        cdef Promotion promotion_state
        cdef int i, compute
        if self.check is not None:
            promotion_start(&promotion_state)
            for i in range(self.inputs):
                if not is_tensor_object(args[i]):
                    if not self.numbers_follow:
                        promotion_state.number = widen(promotion_state.number, number_code(<object>args[i]))
                elif operand_kind(self.kernel, i + 1) != OPERAND_BOOLEAN:
                    widen_by(&promotion_state, (<Tensor>args[i]).code, (<Tensor>args[i]).geometry.ndim > 0)
            compute = promotion_result(&promotion_state)
            try:
                self.check(dtypes[compute], *[<object>args[i] for i in range(self.inputs)])
            except NotImplementedError as error:
                if not is_kernel_refusal(error):
                    raise


# ---------------------------------------------------------------------------------------------------------- the steps of a general call
cdef int read_operands(PointwiseOp op, PyObject** args, Geometry& shape, const Geometry** geometries, Promotion* promotion) except -1:
    """The shape that the operands broadcast to, their geometries and what promotion needs of them; returns how many are tensors."""
    cdef Geometry joined
    cdef Tensor t
    cdef int i, failed, number, tensors = 0
    for i in range(op.inputs):
        if not is_tensor_object(args[i]):
            number = number_code(<object>args[i])
            if number == NO_DTYPE or op.tensors_only:
                raise_argument(op, i, <object>args[i])
            if not op.numbers_follow:
                promotion.number = widen(promotion.number, number)
            continue
        t = <Tensor>args[i]
        refuse_escaped(t, False)
        geometries[tensors] = &t.geometry
        tensors += 1
        if tensors == 1:
            shape.set_shape(t.geometry.shape, t.geometry.ndim)
        elif not shape.same_shape(t.geometry):
            failed = broadcast_shapes(shape, t.geometry, joined)
            if failed >= 0:
                op.refuse_shapes(args, shape, t.geometry, failed)
            shape.copy(joined)
        if operand_kind(op.kernel, i + 1) == OPERAND_BOOLEAN:
            if t.code != BOOL and t.code != UINT8:
                raise RuntimeError(f"{op.name.lstrip('_')} expected condition to be a boolean tensor, but got a tensor with dtype "
                                   f"{c10_name(t.code)}")
            if t.code == UINT8:
                warn_once(f"{op.name.lstrip('_')} received a uint8 condition tensor. This behavior is deprecated and will be removed in a future "
                          "version of PyTorch. Use a boolean condition instead.")
        else:
            widen_by(promotion, t.code, t.geometry.ndim > 0)
    return tensors

cdef int dtype_to_compute(PointwiseOp op, PyObject** args, Call* call, const Geometry& shape, Promotion* promotion) except -1:
    """The dtype of the loop; raises where the op refuses it."""
    cdef int compute = promotion_result(promotion)
    if compute == INT64 and promotion.number == INT64:
        refuse_unsigned_promotion(args, op.inputs)
    if op.promotes_to_float and category[compute] < IS_FLOATING:
        compute = default_dtype
    if op.check is not None:
        try:
            op.check(dtypes[compute], *[<object>args[i] for i in range(op.inputs)])
        except NotImplementedError as error:
            if call.mode == MODE_IN_PLACE and is_kernel_refusal(error):
                check_target(op, <Tensor>args[0], shape, operand_code(op.kernel, 0, compute))
            raise
    return compute

cdef inline int operand_place(PointwiseOp op, int i) noexcept:
    """Where an input stands among the operands of the kernel."""
    return 2 - i if op.swapped and i < 2 else i + 1

cdef int place_numbers(PointwiseOp op, const Pointwise* kernel, PyObject** args, int inputs, int compute, object alpha, Array* operands,
                       double* scalars) except -1:
    """The numbers among the inputs, and alpha, as operands."""
    cdef int i, code
    for i in range(inputs):
        if i < op.inputs and is_tensor_object(args[i]):
            continue
        code = operand_code(kernel, i + 1, compute)
        value = <object>args[i] if i < op.inputs else alpha if op.alpha_sign > 0 else negated(alpha)
        if i >= op.inputs:
            check_fits(value, compute)
        elif i and op.fits[compute] != NO_DTYPE and operand_kind(kernel, i + 1) == OPERAND_SAME:
            check_fits(value, op.fits[compute])
        if is_half(code) and op.wide_numbers:
            code = FLOAT32
        elif category[code] == IS_INTEGER:
            code = INT64      # numbers out of range wrap around, as the conversion to the narrower type does
            value = wrapped_around(value)
        write_number(value, code, scalars + 2 * i)
        operands[operand_place(op, i)] = scalar_array(scalars + 2 * i, code)
    return 0

cdef list place_tensors(PointwiseOp op, const Pointwise* kernel, PyObject** args, int compute, Array* operands):
    """The tensors among the inputs as operands; returns those that had to be rounded first, as the loop of halves would not (or None)."""
    cdef list rounded = None
    cdef Tensor t
    cdef int i
    for i in range(op.inputs):
        if not is_tensor_object(args[i]):
            continue
        t = <Tensor>args[i]
        if is_half(compute) and t.code != compute and operand_kind(kernel, i + 1) == OPERAND_SAME and \
                not (op.wide_numbers and t.geometry.ndim == 0):
            t = convert(t, compute)
            rounded = [t] if rounded is None else rounded + [t]
        operands[operand_place(op, i)] = array_of(t)
    return rounded

cdef int lay_out_result(PointwiseOp op, PyObject** args, Geometry& shape, const Geometry** geometries, int tensors, int compute) except -1:
    """Strides of a result: row-major, or in the order of those of the inputs."""
    cdef bint mixed = False
    cdef int i
    shape.make_contiguous()
    if op.keeps_strides >> category[compute] & 1 and geometries[0].dense():
        # (Truths about complex numbers are put together of those about their parts, of which there are none.)
        if geometries[0].numel() or not op.gives_booleans or category[compute] != IS_COMPLEX:
            shape.copy(geometries[0][0])
    elif shape.ndim > 1 and not (op.row_major_of_number and tensors < op.inputs and not isinstance(<object>args[0], Tensor)) and \
            not op.row_major_kinds >> category[compute] & 1:
        if op.swapped and tensors == 2:
            geometries[0], geometries[1] = geometries[1], geometries[0]
        if tensors < op.inputs:
            for i in range(op.inputs):
                mixed |= not op.numbers_aside >> i & 1 and not is_tensor_object(args[i])
        follow_inputs(shape, geometries, tensors, mixed)
    return 0

cdef int follow_one(Tensor out, Tensor x) except -1:
    """Gives a row-major tensor the strides that an element-wise op gives the result of `x`, which is contiguous, and a number."""
    cdef const Geometry* like = &x.geometry
    follow_strides(out.geometry, &like, 1)
    return 0

cdef Tensor given_output(PointwiseOp op, PyObject** args, Tensor out, const Geometry& shape, int result, int compute):
    """Checks `out=` and lays it out, where it gets another shape, as a new tensor."""
    cdef int i
    cdef bint fits = out.geometry.same_shape(shape)
    for i in range(op.inputs):
        if <object>args[i] is out and not fits:
            raise_target(out, shape)
    if op.casts_by_name:
        check_cast(result, out, op.name)
    if result == compute or op.gives_booleans:
        check_out_dtype(op, 0, out, result)
    prepare_out(out, shape, result)
    if not fits:
        out.geometry.copy(shape)
        update_contiguous(out)
    return out


cdef bint is_kernel_refusal(error):
    """Does it say that a kernel has no code for a dtype (a text like: "pow" not implemented for …)? PyTorch finds that out last."""
    return str(error).startswith('"')

cdef int refuse_unsigned_promotion(PyObject** args, int inputs) except -1:
    """PyTorch takes an int beyond int64 for an unsigned one, which it does not promote with booleans."""
    for i in range(inputs):
        if PyLong_CheckExact(<object>args[i]) and <object>args[i] > 9223372036854775807 and \
                not any([isinstance(<object>args[j], Tensor) and (<Tensor><object>args[j]).code != BOOL for j in range(inputs)]):
            require_64_bits(<object>args[i])
            raise RuntimeError("Promotion for uint16, uint32, uint64 types is not supported, attempted to promote Bool and UInt64")
    return 0

cdef raise_broadcast(const Geometry& a, const Geometry& b, int d):
    cdef int ndim = max(a.ndim, b.ndim)
    m, n = a.shape[d - (ndim - a.ndim)], b.shape[d - (ndim - b.ndim)]
    raise RuntimeError(f"The size of tensor a ({m}) must match the size of tensor b ({n}) at non-singleton dimension {d}")

cdef int check_alpha(Op op, object alpha, int compute) except -1:
    cdef int kind = number_code(alpha)
    if kind == NO_DTYPE:
        if isinstance(alpha, Tensor):
            return check_alpha(op, alpha.item(), compute)
        raise TypeError(f"{op.name}(): argument 'alpha' must be Number, not {type(alpha).__name__}")
    if kind == BOOL and category[compute] != IS_BOOL:
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if category[compute] < IS_FLOATING and category[kind] >= IS_FLOATING:
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    if category[compute] < IS_COMPLEX and category[kind] == IS_COMPLEX:
        raise RuntimeError("For non-complex input tensors, argument alpha must not be a complex number.")
    return 0
