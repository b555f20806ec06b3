# A call that was written down: the kernels that it ran (kernels/replay.h), with where their memory came from and where it went.
@cython.final
cdef class Made:
    """A tensor that a call gave: its geometry, and where its memory is."""
    cdef Geometry geometry
    cdef int8_t code
    cdef uint8_t flags
    cdef int slot
    cdef int64_t offset, count

    cdef Tensor over(self, Storage storage):
        cdef Tensor out = bare_tensor()
        out.storage, out.offset, out.code, out.count = storage, self.offset, self.code, self.count
        out.geometry.copy(self.geometry)
        out.flags = self.flags
        return out

@cython.final
cdef class Same:
    """A result that is what the function was given, or knows: the tensor with that number."""
    cdef int index

    def __init__(self, int index):
        self.index = index

@cython.final
cdef class Collection:
    """A tuple, list or dict of results."""
    cdef object kind
    cdef list items
    cdef list keys

    def __init__(self, kind, items, keys):
        self.kind, self.items, self.keys = kind, items, keys


class NotRepeatable(Exception):
    """Why a call cannot be done again without the Python that it ran."""

cdef Recorded recording_now = None      # one at a time

@cython.final
cdef class Recorded:
    """A call of a function, as it was written down."""
    cdef Program* program
    cdef int split                        # the steps before are the call, those behind its backward
    cdef readonly list fixed              # tensors that it knows besides its arguments
    cdef int total                        # tensors: arguments, then these
    cdef readonly int argument_total
    cdef list states                      # of each, while it is written down
    cdef readonly vector[int] slots       # of each: that of its memory, -1 where that is another's too
    cdef readonly vector[int] grad_slots  # … and of the memory of its gradient
    cdef vector[int] writes, grad_writes  # … how often those are written in place
    cdef vector[int] written              # … whether its elements are written at all: by another name too, as in x.data.add_(1)
    cdef list bytes_before                # (while it is written down)
    cdef list grads                       # … what its gradient is afterwards: None, a Made, or Ellipsis where it stays
    cdef vector[int] fresh                # slots of memory that is new in every call, since it is given away
    cdef list made                        # tensors of such memory
    cdef object result
    cdef bint is_forward                  # some result requires grad, and can be differentiated
    cdef list differentiable              # … those: indices in `made` …
    cdef list tracked                     # … by these: indices of tensors …
    cdef list gradients                   # … which get these: Made, or None
    cdef vector[int] seeds                # … from these slots: cotangents
    cdef int first_made, first_later      # slots of what the call makes begin here, of what its backward makes there
    cdef list held_gradients              # (while it is written down)
    cdef vector[int] fresh_later          # slots of memory that is new in every backward
    cdef vector[int] read_later           # tensors whose memory backward reads …
    cdef vector[int] kept_later           # … and slots among `fresh` that it does
    cdef list titles                      # of results that require grad: what their grad_fn is called
    cdef bint freed                       # … whose graph was freed by the call itself
    cdef Storage arena
    # For derivatives of the derivative: what was called, and what must be as it was for it to do the same.
    cdef readonly object function
    cdef Guards guards
    cdef list known                       # the states of `fixed`

    def __cinit__(self):
        self.program = new Program()

    def __dealloc__(self):
        for line in self.program.lines:
            Py_XDECREF(<PyObject*>line.code)
        del self.program

    def replay(self, tuple args, dict keywords, list tensors):
        """Does the call again, whether or not anything has changed."""
        cdef tuple given = args + tuple(keywords.values()), names = tuple(keywords)
        return replay(self, tensors, PySequence_ITEMS(given), len(args), <PyObject*>names if names else NULL)

    def line(self, int step):
        """(file, line number) of the program that a step belongs to; None where it is unknown."""
        cdef int index = self.program.failed_line if step < 0 else self.program.line(step)
        return None if index < 0 else source_line(<PyObject*>self.program.lines[index].code, self.program.lines[index].instruction)

    def listing(self):
        """What runs: (name of the kernel, slots of its operands, line) of each step."""
        return [(self.program.name(step).decode(), self.program.operands(step), self.line(step)) for step in range(self.program.steps())]

    def same_as(self, Recorded other not None):
        """Is it the same call again? Then nothing entered it that is not known."""
        return self.program.same_as(other.program[0]) and self.split == other.split and self.total == other.total and \
            len(self.made) == len(other.made) and [grad is None for grad in self.grads] == [grad is None for grad in other.grads]

    cdef bint writes_outside(self):
        """Does the call write into memory that it was given, or knows?"""
        cdef int i
        for i in range(self.total):
            if self.written[i] or self.grad_writes[i]:
                return True
        return False

    cdef int know(self, list arguments) except -1:
        """Tells the program of the memory of tensors that come from outside."""
        cdef list tensors = arguments + self.fixed
        cdef Tensor t
        cdef dict known = {}
        cdef int i
        self.total, self.argument_total, self.states, self.bytes_before = len(tensors), len(arguments), [], []
        for i in range(self.total):
            t = <Tensor>tensors[i]
            if type(t) is not Tensor and not is_parameter(t) or t.flags & (LAZY | INFERENCE) or is_meta(t):
                raise NotRepeatable(f"it uses a {type(t).__name__} that is no ordinary tensor")
            if t.hooks is not None or t.post_hooks is not None:
                raise NotRepeatable("a tensor that it uses has hooks")
            self.states.append(state_of(t))
            self.bytes_before.append(bytes_of_elements(t))
            self.slots.push_back(self.know_memory(t, known, i < self.argument_total, i >= self.argument_total))
            if t.grad_ is None:
                self.grad_slots.push_back(-1)
            elif type(t.grad_) is not Tensor or (<Tensor>t.grad_).flags & (LAZY | REQUIRES_GRAD):
                raise NotRepeatable("a gradient is no ordinary tensor")
            else:
                self.grad_slots.push_back(self.know_memory(<Tensor>t.grad_, known, i < self.argument_total, False))
            if i < self.argument_total:
                self.program.given = self.program.slots()
        return 0

    cdef int know_memory(self, Tensor t, dict known, bint apart, bint whole) except -2:
        """The slot of a tensor's elements, which may lie elsewhere in other memory the next time; or of all the memory that they lie in (`whole`)."""
        cdef size_t address = <size_t>t.storage.memory.data
        cdef cbool is_new
        if address in known:
            if apart or known[address]:
                raise NotRepeatable("two of its arguments share memory, or one does with a tensor that it uses besides")
            return -1
        if t.storage.memory.size:
            known[address] = apart
        if whole:
            is_new = self.program.know(t.storage.memory.data, t.storage.memory.size)
        else:
            is_new = self.program.know(data_of(t), bytes_reached(t.geometry, t.code) if t.count else 0)
        if not is_new:
            raise NotRepeatable("tensors that it uses share memory")
        return self.program.slots() - 1

    cdef inline char* start(self, Tensor t, int index) noexcept:
        """Where the slot of a tensor begins."""
        return data_of(t) if index < self.argument_total else t.storage.memory.data

    cdef Made describe(self, Tensor t, vector[int]* fresh):
        """A tensor that was made: its memory is new in every call."""
        cdef Made made = Made.__new__(Made)
        made.slot = self.program.slot_of(t.storage.memory.data) if t.storage.memory.size else -1
        if t.storage.memory.size and made.slot < self.first_made or t.flags & LAZY or type(t) is not Tensor:
            raise NotRepeatable("what it returns, or a gradient, shares memory with what it was given")
        if t.hooks is not None or t.post_hooks is not None or attributes_of(t) is not None:
            raise NotRepeatable("what it returns has hooks or attributes")
        made.code, made.offset, made.count = t.code, t.offset, t.count
        made.flags = t.flags & (CONTIGUOUS | REQUIRES_GRAD)
        made.geometry.copy(t.geometry)
        if place_among(fresh[0], made.slot) < 0:
            fresh.push_back(made.slot)
        return made

    cdef object read_result(self, object value, list tensors, list outputs):
        """What the function returned, with Made or Same in place of tensors; what has none is itself."""
        cdef int i
        if isinstance(value, Tensor):
            for i, known in enumerate(tensors):
                if known is value:
                    return Same(i)
            for i, known in enumerate(outputs):
                if known is value:
                    return self.made[i]
            outputs.append(value)
            self.made.append(self.describe(<Tensor>value, &self.fresh))
            return self.made[len(self.made) - 1]
        if value is None or type(value) in plain_results:
            return value
        if isinstance(value, tuple) or type(value) is list:
            return Collection(type(value), [self.read_result(item, tensors, outputs) for item in value], None)
        if type(value) is dict:
            return Collection(dict, [self.read_result(item, tensors, outputs) for item in value.values()], list(value))
        raise NotRepeatable(f"it returns a {type(value).__name__}")

    cdef int compare(self) except -1:
        """What became of the tensors from outside."""
        cdef TensorState state
        cdef Tensor t
        cdef int i
        cdef bint into
        self.grads = []
        for i, state in enumerate(self.states):
            t = state.tensor
            if not state.unmoved():
                raise NotRepeatable("it changes a tensor from outside otherwise than in its elements or its gradient")
            self.writes.push_back(<int>(t.storage.version - state.version))
            # (Of a kernel that puts something into an operand behind the first it shows only by what is there.)
            into = self.bytes_before[i] != bytes_of_elements(t) or self.writes[i] > 0
            into = into or self.slots[i] >= 0 and self.program.puts_into(self.slots[i])
            self.written.push_back(into)
            if t.grad_ is state.grad:
                self.grads.append(Ellipsis)
                self.grad_writes.push_back(0 if t.grad_ is None else <int>((<Tensor>t.grad_).storage.version - state.grad_version))
                continue
            self.grad_writes.push_back(0)
            if t.grad_ is None:
                self.grads.append(None)
            elif not isinstance(t.grad_, Tensor) or needs_grad(<Tensor>t.grad_):
                raise NotRepeatable("it leaves a gradient that is no ordinary tensor")
            else:
                self.grads.append(self.describe(<Tensor>t.grad_, &self.fresh))
        return 0

    cdef int differentiate(self, list outputs, list tensors) except -1:
        """Writes down the backward of what requires grad, too."""
        cdef Tensor t, seed
        cdef list asked_of = [], roots = [], cotangents = []
        cdef Made made
        cdef int i
        self.differentiable, self.tracked, self.titles, self.gradients = [], [], [], []
        for i, t in enumerate(outputs):
            if needs_grad(t):
                if t.grad_fn_ is None:
                    raise NotRepeatable("it makes a leaf that requires grad")
                self.differentiable.append(i)
                self.titles.append(t.grad_fn_.backward_name())
                roots.append(t)
                (<Made>self.made[i]).flags &= ~REQUIRES_GRAD
        if not roots:
            return 0
        if is_freed(roots, tensors):
            self.freed = True
            return 0
        for i in range(self.total):
            if self.grad_writes[i] or self.grads[i] is not Ellipsis:
                raise NotRepeatable("it changes gradients, and what it returns can be differentiated")
        for i, t in enumerate(tensors):
            if needs_grad(t):
                self.tracked.append(i)
                asked_of.append(t)
        for t in roots:
            modes.recording = NULL
            seed = new_like_shape(t.code, t.geometry)
            fill_elements(seed, 1)
            self.program.know(seed.storage.memory.data, seed.storage.memory.size)
            self.seeds.push_back(self.program.slots() - 1)
            cotangents.append(seed)
        self.first_later = self.program.slots()
        self.is_forward = True
        modes.recording = self.program
        found = run_backward(tuple(roots), list(cotangents), True, False, asked_of, True, False)
        for i, value in enumerate(found):
            if value is None:
                self.gradients.append(None)
                continue
            t = <Tensor>value
            if type(t) is not Tensor or t.flags & (CONTIGUOUS | LAZY) != CONTIGUOUS or t.offset or \
                    self.program.slot_of(t.storage.memory.data) < self.first_later or t.storage in [g.storage for g in self.held_gradients]:
                t = contiguous_copy(resolved(t))
            self.held_gradients.append(t)
            made = self.describe(t, &self.fresh_later)
            made.flags = CONTIGUOUS
            self.gradients.append(made)
        return 0

    cdef int finish(self) except -1:
        """Plans the memory, once everything is known."""
        cdef vector[char] planned
        cdef vector[int] renumbered
        cdef int i, slot
        planned.resize(self.program.slots(), 1)
        for i in range(self.first_made):
            planned[i] = 0
        for slot in self.fresh:
            if slot >= 0:
                planned[slot] = 0
        for slot in self.fresh_later:
            if slot >= 0:
                planned[slot] = 0
        for slot in self.seeds:
            planned[slot] = 0
        if self.is_forward:
            for i in range(self.total):
                if self.slots[i] >= 0 and self.program.is_used(self.slots[i], self.split, self.program.steps()):
                    self.read_later.push_back(i)
            for slot in self.fresh:
                if slot >= 0 and self.program.is_used(slot, self.split, self.program.steps()):
                    self.kept_later.push_back(slot)
        renumbered = self.program.plan(planned, self.split)
        renumber(self.slots, renumbered)
        renumber(self.grad_slots, renumbered)
        renumber(self.fresh, renumbered)
        renumber(self.fresh_later, renumbered)
        renumber(self.seeds, renumbered)
        renumber(self.kept_later, renumbered)
        for made in self.made + self.grads + (self.gradients or []):
            if type(made) is Made and (<Made>made).slot >= 0:
                (<Made>made).slot = renumbered[(<Made>made).slot]
        if not self.is_forward and self.program.arena_bytes():
            self.arena = new_storage(self.program.arena_bytes())
        return 0

cdef void renumber(vector[int]& slots, const vector[int]& renumbered) noexcept:
    cdef size_t i
    for i in range(slots.size()):
        if slots[i] >= 0:
            slots[i] = renumbered[slots[i]]

cdef inline int place_among(const vector[int]& slots, int slot) noexcept:
    """Where a slot stands among others, -1 where it does not."""
    cdef size_t i
    for i in range(slots.size()):
        if slots[i] == slot:
            return <int>i
    return -1

cdef bytes bytes_of_elements(Tensor t):
    return data_of(t)[:bytes_reached(t.geometry, t.code) if t.count else 0]

cdef tuple plain_results = (bool, int, float, complex, str, bytes, dtype, device, Size)

cdef bint is_parameter(Tensor t):
    """Is it of a class that only says what the tensor is for?"""
    return (<object>type(t)).__torch_function__ is disabled_torch_function

cdef Tensor contiguous_copy(Tensor t):
    cdef Tensor out = new_like_shape(t.code, t.geometry)
    copy_elements(out, t)
    return out

cdef bint is_freed(list roots, list tensors) except -1:
    """Has the graph between these been freed, somewhere? One whose backward runs code of the program's cannot be asked for its derivatives unseen."""
    cdef list waiting = [(<Tensor>root).grad_fn_ for root in roots]
    cdef set seen = {(<Tensor>t).grad_fn_ for t in tensors}
    cdef Node node, target
    cdef NodeExtras extras
    cdef bint freed = False
    cdef Py_ssize_t i
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        freed |= node.freed
        extras = node.extras
        if extras is not None and (extras.tensor_hooks or extras.retained or extras.pre_hooks or extras.post_hooks or extras.metadata):
            raise NotRepeatable("what it computes on the way has hooks, retains its gradient or carries notes")
        if node.is_programs():
            raise NotRepeatable(f"the backward of {node.backward_name().removesuffix('Backward')} is the program's own code")
        for i in range(edge_total(node)):
            target = edge_at(node, i)
            if target is not None:
                waiting.append(target)
    return freed


def write_down(function, tuple args, dict keywords, list arguments, list fixed):
    """Calls a function and writes down what kernels it runs. `arguments` are the tensors among what it is given, `fixed` those that it knows besides.
    Returns its result with a Recorded, or with the reason why there is none, and its place."""
    global recording_now
    cdef Recorded made
    cdef list tensors, outputs = []
    cdef object result
    if recording_now is not None or modes.recording != NULL:
        return function(*args, **keywords), ("another function is being recorded", None)
    made = Recorded.__new__(Recorded)
    made.fixed, made.function, made.made, made.held_gradients = fixed, function, [], []
    try:
        made.know(arguments)
    except NotRepeatable as error:
        return function(*args, **keywords), (str(error), None)
    made.first_made = made.program.outside = made.program.slots()
    tensors = arguments + fixed
    found = modes_now()
    recording_now = made
    made_storages.clear()
    modes.recording = made.program
    try:
        result = function(*args, **keywords)
        try:
            if modes_now() != found:
                raise NotRepeatable("it leaves a mode otherwise than it found it")
            if not made.program.failed():
                made.split = made.program.steps()
                made.compare()
                made.result = made.read_result(result, tensors, outputs)
                made.differentiate(outputs, tensors)
                modes.recording = NULL
                if not made.program.failed():
                    made.finish()
        except NotRepeatable as error:
            return result, (str(error), None)
        except RuntimeError as error:
            return result, (f"its backward fails: {error}", None)
    finally:
        modes.recording = NULL
        recording_now = None
        made_storages.clear()
    if made.program.failed():
        return result, (made.program.why().decode(), made.line(-1))
    made.states = made.bytes_before = made.held_gradients = None
    return result, made
