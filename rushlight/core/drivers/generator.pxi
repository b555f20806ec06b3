# Random numbers: the source (torch.Generator), and the drawing of new tensors and into old ones.
DEFAULT_SEED = 67280421310721


cdef class Generator:
    """A source of random numbers with a state of its own; the same seed gives the same numbers.

    >>> import rushlight
    >>> g = rushlight.Generator().manual_seed(0)
    >>> rushlight.rand(2, generator=g)
    tensor([0.4963, 0.7682])
    """

    def __cinit__(self, device: "device | str | None" = "cpu") -> None:
        require_cpu(device)
        self.source = new_generator(DEFAULT_SEED)

    def __dealloc__(self):
        delete_generator(self.source)

    @property
    def device(self) -> "device":
        return cpu

    @property
    def address(self):
        """What kernels get as their first number."""
        if modes.recording != NULL:
            modes.recording.drew(self.source)
        return <size_t>self.source

    def manual_seed(self, seed: int) -> "Generator":
        """Starts the sequence that belongs to `seed`; returns the generator."""
        not_again("the state of a generator was read or set")
        if not hasattr(type(seed), "__index__"):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        seed = seed.__index__()
        if seed < -0x8000_0000_0000_0000 or seed > 0xffff_ffff_ffff_ffff:
            raise ValueError("Overflow when unpacking long long")
        seed_generator(self.source, seed & 0xffff_ffff_ffff_ffff)
        return self

    def seed(self) -> int:
        """Starts a sequence with a seed from the system's entropy; returns that seed."""
        not_again("the state of a generator was read or set")
        return seed_generator_randomly(self.source)

    def initial_seed(self) -> int:
        """The seed that the sequence began with."""
        not_again("the state of a generator was read or set")
        return initial_seed(self.source)

    def get_state(self) -> "Tensor":
        """The state as a tensor of bytes."""
        not_again("the state of a generator was read or set")
        cdef int64_t size = generator_state_size
        cdef Tensor out = new_contiguous(UINT8, &size, 1)
        get_state(self.source, <uint8_t*>data_of(out))
        return out

    def set_state(self, new_state: "Tensor") -> "Generator":
        """Goes on from a state that get_state returned; returns the generator."""
        not_again("the state of a generator was read or set")
        cdef Tensor state
        if not isinstance(new_state, Tensor):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        state = <Tensor>new_state
        if state.code != UINT8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        state = contiguous_as(state, UINT8)
        set_state(self.source, <const uint8_t*>data_of(state), state.count)
        return self

    def clone_state(self):
        """Another generator in the same state."""
        not_again("the state of a generator was read or set")
        cdef Generator made = Generator.__new__(Generator)
        delete_generator(made.source)
        made.source = copy_generator(self.source)
        return made

    def __repr__(self):
        return f"<torch._C.Generator object at {id(self):#x}>"

default_generator = Generator()
default_generator.seed()

cdef inline Generator generator_of(object given):
    if given is None:
        return <Generator>default_generator
    if not isinstance(given, Generator):
        raise TypeError(f"argument 'generator' must be torch.Generator, not {type(given).__name__}")
    return <Generator>given

cdef int draw_into(Tensor out, Kernel kernel, Generator generator, first, second) except -1:
    cdef Array array = array_of(out)
    cdef Number numbers[3]
    if is_meta(out):
        return 0
    if modes.recording != NULL:
        modes.recording.drew(generator.source)
    numbers[0].i = <int64_t>generator.source
    put_number(&numbers[1], first)
    put_number(&numbers[2], second)
    # The generator's state is shared: it must not be drawn from on two threads at once, so the lock is kept.
    launch(kernel.function, &array, 1, numbers, 3, 0)
    return 0

cdef object draw_at_level(Tensor out, Kernel kernel, generator, first, second):
    """Lets the innermost level say what is drawn: it may need other numbers for each example of a batch."""
    interpreter = pop_interpreter()
    try:
        drawing = interpreter.draw if isinstance(interpreter, Level) else draw
        return drawing(out, kernel, generator, first, second)
    finally:
        push_interpreter(interpreter)

cpdef object draw(Tensor out, Kernel kernel, object generator, object first=0.0, object second=0.0):
    """Fills `out` by a random kernel with (up to) two parameters: floats or ints, as the kernel wants them."""
    if modes.interpreters:
        return draw_at_level(out, kernel, generator, first, second)
    draw_into(out, kernel, generator_of(generator), first, second)
    return out

def drawn(str name, size, Kernel kernel, dtype, device, bint requires_grad, generator, first=0.0, second=0.0):
    """A new tensor filled by a random kernel. `size` is the tuple of a factory's positional arguments."""
    cdef Tensor out
    cdef Generator source = generator_of(generator)
    out = draw(new_on(device, name, <tuple>size, dtype), kernel, source, first, second)
    return require_grad_of_new(out, requires_grad)


@cython.final
cdef class WritingOp(GeneralOp):
    """An op that exists only in place: its function checks its arguments and writes into the first. Nothing of what was there
    before comes through, so the gradient stops."""

    def __cinit__(self, *args, **keywords):
        self.only_writes = True

    cdef object compute(self, PyObject** args, Call* call):
        require_tensors(self, args, 0, 1)
        begin_write(self, call)
        check_no_overlap(<Tensor>args[0])
        call_python(self, args)
        return <object>args[0]
