# The short way of ops whose forward is Python, as data: the kinds of arguments that most calls have, a rule for the outputs, and a kernel.
# Whatever does not fit takes the general way, which also raises what there is to raise.
cdef dict _output_rules = {
    "along": <size_t>&along, "normalized": <size_t>&normalized, "labelled": <size_t>&labelled, "gathered": <size_t>&gathered,
    "sliced": <size_t>&sliced, "looked up": <size_t>&looked_up, "indexed": <size_t>&indexed, "placed": <size_t>&placed,
    "masked": <size_t>&masked, "joined": <size_t>&joined, "stacked": <size_t>&stacked,
}

cdef dict _reductions = {"none": 0, "mean": 1, "sum": 2}


@cython.final
cdef class PlainOp(GeneralOp):
    """An op with a short way."""

    def configure(self, str kinds, str outputs, str kernel_name, str results="", Op view=None):
        """Called once by the table, after construction: see short_way in ops/_declare.py."""
        self.rule = <OutputRule><size_t>_output_rules[outputs]
        self.kernel, self.view, self.results = (<Kernel>kernel(kernel_name)).function, view, results
        self.output_count = max(1, len(self.outputs))
        read_kinds(kinds, self.kinds, MAX_PARAMETERS)
        for i in range(len(kinds)):
            if self.kinds[i] <= LAST_TENSOR:
                self.tensor_at[self.tensor_count] = i
                self.tensor_count += 1

    cdef object compute(self, PyObject** args, Call* call):
        cdef Frame frame
        cdef object made
        if call.mode == MODE_NEW and short_ways and fill_frame(self, args, &frame):
            made = self.rule(self, args, &frame)
            if made is not None:
                if frame.count:
                    launch(self.kernel, frame.arrays, frame.count, frame.numbers, FRAME_NUMBERS, frame.work)
                return made if self.result_type is None else self.result_type(made)
        return GeneralOp.compute(self, args, call)

cdef inline bint fill_frame(PlainOp op, PyObject** args, Frame* frame) except -1:
    """Puts tensors and numbers among the arguments into the frame; False where one is not of its kind."""
    cdef Array* array = frame.arrays + op.output_count
    cdef Number* number = frame.numbers
    cdef PyObject* value
    cdef uint8_t kind
    cdef int i = 0
    while op.kinds[i]:
        kind, value = op.kinds[i], args[i]
        i += 1
        if kind <= LAST_TENSOR:
            if is_tensor_object(value) and is_tensor_of_kind(<Tensor>value, kind):
                array[0] = array_of(<Tensor>value)
            elif kind == FLOATING_OR_NONE and <object>value is None:
                array[0] = scalar_array(NULL, BOOL)
            else:
                return False
            array += 1
        elif kind == DIMENSION or kind == PLAIN_INT:
            if not is_short_integer(value):
                return False
            number.i = short_integer(value)
            if kind == DIMENSION:
                number.i += (<Tensor>args[0]).geometry.ndim if number.i < 0 else 0
                if number.i < 0 or number.i >= (<Tensor>args[0]).geometry.ndim:
                    return False
            number += 1
        elif not is_of_kind(value, kind):
            return False
        elif kind == PLAIN_NUMBER:
            number.f = <object>value
            number += 1
        elif kind == REDUCTION:
            number.i = _reductions.get(<object>value, -1)
            if number.i < 0:
                return False
            number += 1
    frame.count = <int>(array - frame.arrays)
    return True
