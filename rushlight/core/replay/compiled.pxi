# What torch.compile returns of a function: a callable that does a recorded call again where everything is as it was, and else calls the function.
@cython.final
cdef class Entry:
    """A recorded call, and when it may be done again."""
    cdef vector[int64_t] key
    cdef list held             # objects that the key knows by their address
    cdef readonly Recorded recorded
    cdef readonly Guards guards
    cdef list states           # of the tensors that the function knows
    cdef bint writes           # into memory from outside …
    cdef set addresses         # … and where that of those tensors begins

    cdef bint is_apart(self, list tensors):
        """Where memory from outside is written into: have the arguments memory of their own? (What overlaps is refused by ops, or taken care of.)"""
        cdef set found
        cdef Tensor t
        if not self.writes or not tensors:
            return True
        found = set()
        for t in tensors:
            found.add(<size_t>t.storage.memory.data)
        return len(found) == len(tensors) and (not self.addresses or self.addresses.isdisjoint(found))

cdef enum:
    MOST_NESTED = 6     # how deep arguments are looked into

cdef bint add_to_key(vector[int64_t]* key, object value, list tensors, list held, int nested) except -1:
    """Adds what an argument is; False where it cannot be told by its parts. Tensors come to `tensors`, and what is known by its address to `held`, where
    that is wanted."""
    cdef Tensor x
    cdef int d
    cdef double number
    cdef int64_t bits
    cdef object item
    if is_tensor_object(<PyObject*>value):
        x = <Tensor>value
        if type(x) is Wrapped or attributes_of(x):
            return False
        for d in range(len(tensors)):
            if tensors[d] is value:
                key.push_back(<int64_t>1 << 40 | d)
                return True
        tensors.append(value)
        key.push_back(<int64_t>2 << 40 | <int64_t>x.code << 16 | <int64_t>x.flags << 8 | x.geometry.ndim)
        key.push_back(<int64_t>type_of(<PyObject*>value))
        # (Of a result of recorded ops only that it has a history counts; of a leaf, whether there is a gradient.)
        key.push_back((x.base is not None) | (x.grad_fn_ is not None) << 1 | (x.hooks is not None or x.post_hooks is not None) << 2 | needs_grad(x) << 3 |
                (x.grad_ is not None) << 4 | <int64_t>x.grad_kind << 8)
        for d in range(x.geometry.ndim):
            key.push_back(x.geometry.shape[d])
            key.push_back(x.geometry.strides[d])
        if x.grad_ is not None:
            add_to_key(key, x.grad_, [], held, nested)
        return True
    if PyFloat_CheckExact(value):
        number = PyFloat_AS_DOUBLE(value)
        memcpy(&bits, &number, sizeof(double))
        key.push_back(<int64_t>3 << 40)
        key.push_back(bits)
        return True
    if is_short_integer(<PyObject*>value):
        key.push_back(<int64_t>4 << 40)
        key.push_back(short_integer(<PyObject*>value))
        return True
    if type(value) is tuple or type(value) is list or type(value) is dict:
        if nested == MOST_NESTED:
            return False
        key.push_back(<int64_t>5 << 40 | (type(value) is tuple) << 1 | (type(value) is dict))
        key.push_back(len(value))
        if type(value) is dict:
            for item in value:
                if type(item) is not str and type(item) is not int:
                    return False
                add_to_key(key, item, tensors, held, nested + 1)
            value = list(value.values())
        for item in value:
            if not add_to_key(key, item, tensors, held, nested + 1):
                return False
        return True
    if type(value) is str or type(value) is int or type(value) is complex or type(value) is Size:
        # By its value: the object itself may be another one next time.
        key.push_back(<int64_t>6 << 40)
        item = known_value(value)
        key.push_back(<int64_t><PyObject*>item)
        return True
    key.push_back(<int64_t>7 << 40)
    key.push_back(<int64_t><PyObject*>value)
    if held is not None:
        held.append(value)
    return True

cdef dict _values = {}

cdef object known_value(object value):
    """The first object that was seen with this value: it stands for all of them."""
    if len(_values) > 100000:
        return value
    return _values.setdefault((type(value), value), value)

def set_tile(int64_t elements):
    """How many elements a pass of several element-wise ops takes at a time (what has less than four times as many is no pass); returns what it was.
    Results do not depend on it; tests make it small. It holds for calls that are recorded from now on, and recorded ones must not be replayed."""
    global tile_elements
    before = tile_elements
    tile_elements = max(1, elements)
    return before

cdef bint replays_allowed = True

def allow_replays(bint allowed):
    """Whether compiled functions replay and record at all; returns whether they did."""
    global replays_allowed
    before, replays_allowed = replays_allowed, allowed
    return before

cdef bint may_replay():
    """Is nobody watching, or changing, what ops do?"""
    return replays_allowed and modes.interpreters == 0 and modes.function_modes == 0 and modes.transforms == 0 and not modes.meta and not modes.anomaly and \
        not saved_tensor_hooks_active and modes.recording == NULL and asked.watch_write is None and not modes.inference


@cython.final
cdef class Compiled(Called):
    """A function whose calls are recorded and done again. `missed(self, args, keywords, tensors, key)` is asked for calls that are not known."""
    cdef dict __dict__
    cdef object __weakref__
    cdef readonly object function
    cdef object missed
    cdef list entries
    cdef public bint enabled
    cdef readonly int replays

    def __init__(self, function, missed):
        self.vectorcall, self.function, self.missed, self.entries, self.enabled = call_compiled, function, missed, [], True

    def key_of(self, tuple args, dict keywords):
        """The key of a call."""
        cdef Key key = Key.__new__(Key)
        cdef list tensors = []
        key.held = []
        key.words.push_back(modes_word())
        if keywords:
            add_to_key(&key.words, tuple(keywords), tensors, key.held, 0)
        for value in args + tuple(keywords.values()):
            add_to_key(&key.words, value, tensors, key.held, 0)
        return key

    def add(self, Key key not None, Recorded recorded not None, Guards guards not None):
        """From now on calls with this key are replayed as long as the guards hold."""
        cdef Entry entry = Entry.__new__(Entry)
        entry.key, entry.held, entry.recorded, entry.guards = key.words, key.held, recorded, guards
        entry.states = [outlined(state_of(<Tensor>t)) for t in recorded.fixed]
        recorded.known, recorded.guards = entry.states, entry.guards
        entry.writes = recorded.writes_outside()
        entry.addresses = {<size_t>(<Tensor>t).storage.memory.data for t in recorded.fixed}
        self.entries.insert(0, entry)

    def forget(self):
        """Forgets all recorded calls."""
        self.entries.clear()

    @property
    def recorded(self):
        """The entries: recorded calls with their guards."""
        return list(self.entries)

    def __get__(self, instance, owner):
        return self if instance is None else PyMethod_New(self, instance)

    def __repr__(self):
        return repr(self.function)

    def __reduce__(self):
        # By name, as functions are; and a copy is the function itself.
        return self.__qualname__


@cython.final
cdef class Key:
    """What tells the arguments of a call from others."""
    cdef vector[int64_t] words
    cdef readonly list held

    def __eq__(self, other):
        return type(other) is Key and self.words == (<Key>other).words

    def __hash__(self):
        cdef uint64_t mixed = 0
        cdef int64_t word
        for word in self.words:
            mixed = (mixed ^ <uint64_t>word) * <uint64_t>0x9e3779b97f4a7c15
        return hash(mixed)


# (Of the call that begins: its room is kept from call to call.)
cdef vector[int64_t] _words

cdef PyObject* call_compiled(PyObject* self, PyObject* const* args, size_t flagged, PyObject* names) except NULL:
    cdef Compiled function = <Compiled>self
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged), i, count = n if names == NULL else n + PyTuple_GET_SIZE(<object>names)
    cdef vector[int64_t]* words = &_words
    cdef Entry entry
    cdef TensorState state
    cdef list tensors
    cdef bint plain, holds
    if not function.enabled or not may_replay():
        return handed(PyObject_Vectorcall(function.function, <PyObject**>args, n, names))
    tensors = []
    words.clear()
    words.push_back(modes_word())
    plain = True
    if names != NULL:
        plain = add_to_key(words, <object>names, tensors, None, 0)
    for i in range(count):
        plain = plain and add_to_key(words, <object>args[i], tensors, None, 0)
    if not plain:
        return handed(PyObject_Vectorcall(function.function, <PyObject**>args, n, names))
    for i in range(PyList_GET_SIZE(function.entries)):
        entry = <Entry>PyList_GET_ITEM(function.entries, i)
        if words[0] != entry.key:
            continue
        holds = True
        for state in entry.states:
            if not state.holds():
                holds = False
                break
        if holds and entry.is_apart(tensors) and entry.guards.all_hold():
            function.replays += 1
            return handed(replay(entry.recorded, tensors, args, n, names))
    given, keywords = packed(args, n), by_name(names, args + n)
    return handed(function.missed(function, given, keywords, tensors, function.key_of(given, keywords)))
