# What is within reach of a tensor: the walk over the graph that a backward begins with.
@cython.final
cdef class BackwardRun:
    """One call of backward: what each node still waits for, and what has arrived for it."""

    def __cinit__(self):
        self.states.swap(spare_states)

    def __dealloc__(self):
        cdef size_t i
        for i in range(self.states.size()):
            Py_XDECREF(self.states[i].node)
            Py_XDECREF(self.states[i].gradient)
        if self.states.capacity() <= MOST_SPARE_STATES:
            self.states.clear()
            self.states.swap(spare_states)

cdef enum:
    MOST_SPARE_STATES = 4096

cdef vector[NodeState] spare_states     # empty, but with room: of a run that is over, for the next

cdef inline int64_t slot_of(BackwardRun run, Node node) except -2:
    """The node's place in this run, or -1 where it has none yet."""
    return node.slot if node.run == run.id else displaced_slot(run, node)

cdef int64_t displaced_slot(BackwardRun run, Node node) except -2:
    return -1 if run.displaced is None else run.displaced.get(node, -1)

cdef int64_t admit(BackwardRun run, Node node) except -1:
    """A place for a node. If another run (one that this run interrupts) has it, that run keeps its place in a dict."""
    cdef NodeState state
    cdef BackwardRun other
    if node.run != 0 and active_runs.size():
        other = active_run(node.run)
        if other is not None:
            if other.displaced is None:
                other.displaced = {}
            other.displaced[node] = node.slot
    state.node = <PyObject*>node
    Py_INCREF(node)
    state.gradient = NULL
    state.dependencies = 0
    state.capture = 0
    state.needed = state.asked_for = state.owned = False
    node.run, node.slot = run.id, <int64_t>run.states.size()
    run.states.push_back(state)
    return node.slot

cdef int visit(BackwardRun run, list roots) except -1:
    """Counts, for every node within reach, how many edges lead to it."""
    cdef vector[int64_t] waiting
    cdef Node node, target
    cdef int64_t slot
    cdef Py_ssize_t i
    cdef uint64_t steps = 0
    for node in roots:
        if slot_of(run, node) < 0:
            waiting.push_back(admit(run, node))
    while waiting.size():
        slot = waiting.back()
        waiting.pop_back()
        node = <Node>run.states[slot].node
        for i in range(edge_total(node)):
            target = edge_at(node, i)
            if target is None:
                continue
            slot = slot_of(run, target)
            if slot < 0:
                slot = admit(run, target)
                waiting.push_back(slot)
            run.states[slot].dependencies += 1
        steps += 1
        if steps & 0xfffff == 0:
            PyErr_CheckSignals()
    return 0

cdef BackwardRun walk_from(tensors):
    """All nodes within reach of `tensors`; None where there are none."""
    cdef BackwardRun run
    cdef list roots = []
    global run_counter
    for t in tensors:
        collect_roots(t, roots)
    if not roots:
        return None
    run = BackwardRun.__new__(BackwardRun)
    run_counter += 1
    run.id = run_counter
    visit(run, roots)
    return run

cdef bint reaches_depth(tensors, list inputs, int depth, bint keep, list leaves) except -1:
    cdef BackwardRun run = walk_from(tensors)
    cdef Node node
    cdef NodeState state
    if run is None:
        return False
    for state in run.states:
        node = <Node>state.node
        if type(node) is AccumulateGrad and not any([node.leaf is x for x in inputs]) and (
                (<Tensor>node.leaf).depth < depth or leaves is not None and any([node.leaf is x for x in leaves])):
            break
    else:
        return False
    if keep:
        for state in run.states:
            need_extras(<Node>state.node).kept = True
    return True

cdef collect_roots(object value, list roots):
    cdef Node node
    if not isinstance(value, Tensor):
        return
    node = edge_of(<Tensor>value)
    if node is not None:
        roots.append(node)
    if type(value) is Wrapped:
        collect_roots((<Wrapped>value).value, roots)
        collect_roots((<Wrapped>value).aspect, roots)
