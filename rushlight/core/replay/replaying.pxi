# A recorded call done again: the same kernels over other memory, without the Python in between. What it gives has one node for its history, whose
# backward is replayed too.
cdef int run_program(Program* program, char** bases, int first, int last) except -1:
    while program.busy:
        let_others_run()
        PyErr_CheckSignals()
    program.busy = True
    try:
        # Others run meanwhile where it is much, but for what draws: the generator is everybody's.
        if is_large(program.work) and program.generators.empty():
            run_unlocked(program, bases, first, last)
        else:
            program.run(bases, first, last)
    finally:
        program.busy = False
    return 0

cdef extern from *:
    """
    // An address for each slot; where they are few, without memory of its own.
    struct rl_bases {
      char* few[32] = {};
      std::vector<char*> many;
      char** at = few;
      void resize(int count) {
        if (count > 32) many.resize(count), at = many.data();
      }
    };
    static void rl_run_unlocked(rl::Program* program, char** bases, int first, int last) {
      rl_unlocked unlocked;
      program->run(bases, first, last);
    }
    static void rl_let_others_run() {
      rl_unlocked unlocked;
      sched_yield();
    }
    """
    cdef cppclass Bases "rl_bases":
        char** at
        void resize(int) except +
    void run_unlocked "rl_run_unlocked"(Program*, char**, int, int) except +rl_raise
    void let_others_run "rl_let_others_run"() noexcept


@cython.final
cdef class Beginning:
    """How a call found what it changes: a graph of its gradient can only be made by running the function again, which must do the same."""
    cdef vector[uint8_t] generators       # their states
    cdef dict contents                    # of tensors that are written, by their numbers
    cdef vector[size_t] given             # what is in the lists and dicts among the arguments
    cdef vector[uint32_t] versions

cdef Beginning beginning_of(Recorded recorded, list tensors):
    cdef Beginning found = Beginning.__new__(Beginning)
    cdef size_t i, count = recorded.program.generators.size()
    found.generators.resize(count * generator_state_size)
    for i in range(count):
        get_state(recorded.program.generators[i], &found.generators[i * generator_state_size])
    found.versions.resize(recorded.total)
    for i in range(<size_t>recorded.total):
        found.versions[i] = (<Tensor>PyList_GET_ITEM(tensors, i)).storage.version
        if recorded.written[i]:
            if found.contents is None:
                found.contents = {}
            found.contents[i] = contiguous_copy(<Tensor>PyList_GET_ITEM(tensors, i))
    return found

cdef int addresses_in(object value, vector[size_t]& found) except -1:
    """Adds the objects in nested tuples, lists and dicts, by their addresses."""
    if type(value) is dict:
        for key, item in (<dict>value).items():
            found.push_back(<size_t><PyObject*>key)
            addresses_in(item, found)
    elif type(value) is tuple or type(value) is list:
        for item in value:
            addresses_in(item, found)
    else:
        found.push_back(<size_t><PyObject*>value)
    return 0

cdef int exchange_states(Recorded recorded, Beginning beginning) except -1:
    """Exchanges the states of the generators for those in `beginning`."""
    cdef vector[uint8_t] now
    cdef size_t i
    now.resize(generator_state_size)
    for i in range(recorded.program.generators.size()):
        get_state(recorded.program.generators[i], now.data())
        set_state(recorded.program.generators[i], &beginning.generators[i * generator_state_size], generator_state_size)
        memcpy(&beginning.generators[i * generator_state_size], now.data(), generator_state_size)
    return 0


cdef object replay(Recorded recorded, list arguments, PyObject* const* given, Py_ssize_t n, PyObject* names):
    """The call, with other arguments of the same kinds: `arguments` are the tensors among those given."""
    cdef Bases bases
    cdef list storages, outputs, tensors = arguments + recorded.fixed
    cdef Tensor t
    cdef Storage arena = recorded.arena
    cdef Made each
    cdef Beginning beginning = None
    cdef int i
    bases.resize(recorded.program.slots())
    if recorded.is_forward:
        beginning = beginning_of(recorded, tensors)
    if recorded.is_forward and recorded.program.arena_bytes():
        arena = new_storage(recorded.program.arena_bytes())
    if arena is not None:
        bases.at[0] = arena.memory.data
    for i in range(recorded.total):
        t = <Tensor>PyList_GET_ITEM(tensors, i)
        if recorded.slots[i] >= 0:
            bases.at[recorded.slots[i]] = recorded.start(t, i)
        if recorded.grad_slots[i] >= 0:
            bases.at[recorded.grad_slots[i]] = data_of(<Tensor>t.grad_)
    storages = given_away(recorded.program, recorded.fresh, bases.at)
    run_program(recorded.program, bases.at, 0, recorded.split)
    leave(recorded, tensors, storages)
    outputs = [made_over(each, recorded.fresh, storages) for each in recorded.made]
    if recorded.differentiable:
        link(recorded, outputs, tensors, storages, arena).set_call(packed(given, n), names, given + n, beginning)
    return build(recorded, recorded.result, outputs, tensors)

cdef list given_away(Program* program, vector[int]& slots, char** bases):
    """New storages for memory that is given away, in the order of its slots (-1: there are no elements)."""
    cdef list storages = []
    cdef Storage storage
    cdef int slot
    for slot in slots:
        storage = new_storage(0 if slot < 0 else program.block_bytes(slot))
        storages.append(storage)
        if slot >= 0:
            bases[slot] = storage.memory.data
    return storages

cdef inline Storage storage_at(const vector[int]& slots, list storages, int slot):
    return <Storage>PyList_GET_ITEM(storages, place_among(slots, slot))

cdef inline Tensor made_over(Made made, const vector[int]& slots, list storages):
    return made.over(storage_at(slots, storages, made.slot))

cdef int leave(Recorded recorded, list tensors, list storages) except -1:
    """Versions and gradients, as the call leaves them."""
    cdef Tensor t
    cdef int i
    for i in range(recorded.total):
        if recorded.writes[i] == 0 and recorded.grad_writes[i] == 0 and <object>PyList_GET_ITEM(recorded.grads, i) is Ellipsis:
            continue
        t = <Tensor>PyList_GET_ITEM(tensors, i)
        if recorded.writes[i]:
            t.storage.version += recorded.writes[i]
            t.storage.written.mark()
        if recorded.grad_writes[i]:
            (<Tensor>t.grad_).storage.version += recorded.grad_writes[i]
        grad = <object>PyList_GET_ITEM(recorded.grads, i)
        if grad is None:
            t.grad_ = None
        elif grad is not Ellipsis:
            t.grad_ = made_over(<Made>grad, recorded.fresh, storages)
    return 0

cdef object build(Recorded recorded, object what, list outputs, list tensors):
    cdef Collection collection
    cdef int i
    if type(what) is Made:
        for i in range(PyList_GET_SIZE(recorded.made)):
            if <object>PyList_GET_ITEM(recorded.made, i) is what:
                return <object>PyList_GET_ITEM(outputs, i)
    if type(what) is Same:
        return tensors[(<Same>what).index]
    if type(what) is not Collection:
        return what
    collection = <Collection>what
    items = [build(recorded, item, outputs, tensors) for item in collection.items]
    if collection.keys is not None:
        return dict(zip(collection.keys, items))
    return items if collection.kind is list else tuple(items) if collection.kind is tuple else tuple.__new__(collection.kind, items)

cdef ReplayNode link(Recorded recorded, list outputs, list tensors, list storages, Storage arena):
    """Results that require grad get a node: one for all of them."""
    cdef ReplayNode node = ReplayNode.__new__(ReplayNode)
    cdef Tensor out, t
    cdef int i, number, index
    cdef list targets = [], more = []
    node.recorded, node.arena, node.storages = recorded, arena, storages
    node.freed = recorded.freed
    node.next_nodes = ()
    out = <Tensor>outputs[recorded.differentiable[0]]
    begin_node(node, out.geometry, out.code, next_sequence())
    if not recorded.freed:
        node.next_outputs.reserve(PyList_GET_SIZE(recorded.tracked))
        for index in recorded.tracked:
            t = <Tensor>tensors[index]
            targets.append(edge_of(t))
            node.next_outputs.push_back(t.output_number if t.grad_fn_ is not None else 0)
        node.next_nodes = tuple(targets)
        node.tensors = tensors
        node.versions.resize(recorded.read_later.size() + recorded.kept_later.size())
        for i in range(<int>recorded.read_later.size()):
            node.versions[i] = (<Tensor>tensors[recorded.read_later[i]]).storage.version
    for number, index in enumerate(recorded.differentiable):
        out = <Tensor>outputs[index]
        if number:
            more.append((out.shape, out.code))
        out.grad_fn_, out.output_number = node, number
        out.flags |= REQUIRES_GRAD
    node.more_outputs = tuple(more) if more else None
    need_extras(node).title = recorded.titles[0]
    return node


@cython.trashcan(True)
cdef class ReplayNode(Node):
    cdef Recorded recorded
    cdef Storage arena
    cdef list storages
    cdef tuple given                 # the arguments of the call …
    cdef dict keywords               # … those given by name, None where none were
    cdef Beginning beginning         # … what it found …
    cdef vector[uint32_t] left       # … and the versions of the tensors after it
    cdef list tensors                # the tensors among them, and what is known besides
    cdef vector[uint32_t] versions   # of what backward reads of them, and of results

    cdef str backward_name(self):
        return self.extras.title

    cdef str forward_name(self):
        return error_name(self.extras.title)

    cdef int set_call(self, tuple given, PyObject* names, PyObject* const* named, Beginning beginning) except -1:
        cdef Py_ssize_t i
        self.given, self.keywords, self.beginning = given, None if names == NULL else by_name(names, named), beginning
        if beginning is not None:
            self.add_given(beginning.given)
        if self.tensors is not None:
            self.left.resize(PyList_GET_SIZE(self.tensors))
            for i in range(PyList_GET_SIZE(self.tensors)):
                self.left[i] = (<Tensor>PyList_GET_ITEM(self.tensors, i)).storage.version
        return 0

    cdef int add_given(self, vector[size_t]& found) except -1:
        """Adds the addresses of what the arguments hold now."""
        addresses_in(self.given, found)
        if self.keywords is not None:
            addresses_in(self.keywords, found)
        return 0

    cdef void free_saved(self):
        self.freed = True
        self.arena, self.storages, self.tensors, self.given, self.keywords, self.beginning = None, None, None, None, None, None

    cdef tuple backward(self, object gradient, object run):
        cdef tuple given = (gradient,) if self.more_outputs is None else gradient
        cdef BackwardRun current = <BackwardRun>run
        if self.freed:
            raise RuntimeError(FREED_TEXT)
        self.check_versions()
        if modes.grad or modes.interpreters or any([value is None for value in given]):
            return self.differentiate_again(given)
        return self.replay(given, current is None or current.keep_graph)

    cdef int check_versions(self) except -1:
        cdef size_t i, count = self.recorded.read_later.size()
        cdef Tensor t
        cdef Storage storage
        for i in range(count):
            t = <Tensor>self.tensors[self.recorded.read_later[i]]
            self.check_version(t, t.storage, i)
        for i in range(self.recorded.kept_later.size()):
            storage = storage_at(self.recorded.fresh, self.storages, self.recorded.kept_later[i])
            self.check_version(None, storage, count + i)
        return 0

    cdef int check_version(self, Tensor t, Storage storage, size_t i) except -1:
        """Of a tensor from outside, or (None) of a result."""
        cdef SavedTensor saved
        if storage.version != self.versions[i]:
            saved = SavedTensor.__new__(SavedTensor)
            saved.is_output, saved.version = t is None, self.versions[i]
            saved.tensor = (<Made>self.recorded.made[0]).over(storage) if t is None else t
            raise_overwritten(saved, self)
        return 0

    cdef tuple differentiate_again(self, tuple given):
        """A graph of the gradient is wanted, or not all results have one: the function runs again as it is written."""
        cdef Recorded recorded = self.recorded
        cdef bint again = modes.grad
        cdef list outputs = [], roots = [], seeds = []
        result = self.call_again()
        collect_tensors(result, self.tensors, outputs)
        for index, seed in zip(recorded.differentiable, given):
            if seed is not None:
                roots.append(outputs[index])
                seeds.append(seed)
        if not roots:
            return (None,) * len(recorded.tracked)
        return run_backward(tuple(roots), seeds, again, again, [self.tensors[index] for index in recorded.tracked], True, False)

    cdef object call_again(self):
        """The function as it is written, from where the call began."""
        cdef Recorded recorded = self.recorded
        cdef bint before = modes.grad, same = recorded.guards.all_hold()
        cdef vector[size_t] given
        cdef TensorState state
        cdef Tensor t
        cdef int i
        self.add_given(given)
        same = same and given == self.beginning.given
        for state in recorded.known:
            same = same and state.holds_but_grad()
        for i in range(recorded.total):
            same = same and (<Tensor>self.tensors[i]).storage.version == self.left[i]
        if not same:
            raise RuntimeError("a graph of the gradient of a compiled function, or the gradient of some of its results, takes another run of the function, "
                               "and what it depends on has changed since the call: call the function itself")
        for i, contents in (self.beginning.contents or {}).items():
            t = <Tensor>self.tensors[i]
            copy_elements(t, <Tensor>contents)
            t.storage.version = self.beginning.versions[i]
        exchange_states(recorded, self.beginning)
        modes.grad = True
        try:
            return recorded.function(*self.given, **(self.keywords or {}))
        finally:
            modes.grad = before
            exchange_states(recorded, self.beginning)

    cdef tuple replay(self, tuple given, bint again):
        cdef Recorded recorded = self.recorded
        cdef Program* program = recorded.program
        cdef Bases bases
        cdef Storage arena = self.arena
        cdef Tensor t
        cdef list seeds = [], storages
        cdef int i
        bases.resize(program.slots())
        if again and arena is not None:
            # What was saved is overwritten on the way.
            arena = new_storage(program.arena_bytes())
            memcpy(arena.memory.data, self.arena.memory.data, program.arena_bytes())
        if arena is not None:
            bases.at[0] = arena.memory.data
        for i in range(recorded.total):
            if recorded.slots[i] >= 0:
                bases.at[recorded.slots[i]] = recorded.start(<Tensor>self.tensors[i], i)
        for i in range(<int>recorded.fresh.size()):
            if recorded.fresh[i] >= 0:
                bases.at[recorded.fresh[i]] = (<Storage>self.storages[i]).memory.data
        for i, value in enumerate(given):
            t = contiguous_as(<Tensor>value, (<Made>recorded.made[recorded.differentiable[i]]).code)
            seeds.append(t)
            bases.at[recorded.seeds[i]] = data_of(t)
        storages = given_away(program, recorded.fresh_later, bases.at)
        run_program(program, bases.at, recorded.split, program.steps())
        return tuple([None if made is None else made_over(<Made>made, recorded.fresh_later, storages) for made in recorded.gradients])

cdef int collect_tensors(object value, list given, list found) except -1:
    """The tensors in what a function returned, each once, without those that it was given."""
    if isinstance(value, Tensor):
        if not any([value is known for known in given + found]):
            found.append(value)
    elif isinstance(value, (tuple, list)):
        for item in value:
            collect_tensors(item, given, found)
    elif type(value) is dict:
        for item in value.values():
            collect_tensors(item, given, found)
    return 0
