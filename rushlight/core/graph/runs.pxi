# Which backwards run, and what is within reach of a tensor.
cdef extern from "Python.h":
    unsigned long PyThread_get_thread_ident() noexcept

cdef uint64_t run_counter = 0

cdef dict active_runs = {}


cdef BackwardRun innermost_run():
    """The innermost backward that runs on this thread, or None."""
    cdef BackwardRun run
    cdef unsigned long thread = PyThread_get_thread_ident()
    for value in reversed(list(active_runs.values())):
        run = <BackwardRun>value
        if run.thread == thread:
            return run
    return None

def current_run():
    """The number of the innermost backward that runs on this thread, or 0."""
    run = innermost_run()
    return 0 if run is None else run.id

def current_node():
    """The node that the innermost backward of this thread runs, or None."""
    run = innermost_run()
    return None if run is None or run.current == NULL else expose(<Node>run.current)

def running_depth():
    """How many backwards run inside one another on this thread."""
    thread = PyThread_get_thread_ident()
    return sum([1 for run in list(active_runs.values()) if (<BackwardRun>run).thread == thread])


cdef remember_traceback(Node node):
    """For anomaly mode: the Python stack at which a node was made, and the node whose backward made it."""
    import traceback
    metadata = node.metadata
    metadata["traceback_"] = traceback.format_list([frame for frame in traceback.extract_stack() if not frame.filename.startswith(package_folder)])
    parent = current_node()
    if parent is not None:
        metadata["parent_"] = parent


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
    run.visit(roots)
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
            (<Node>state.node).need_extras().kept = True
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
