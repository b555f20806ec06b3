# Which backwards run.
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


cdef inline int remember_line(Node node) except -1:
    node.made.mark()
    if modes.anomaly:
        remember_traceback(node)
    return 0

cdef remember_traceback(Node node):
    """For anomaly mode: the Python stack at which a node was made, and the node whose backward made it."""
    import traceback
    metadata = node.metadata
    metadata["traceback_"] = traceback.format_list([frame for frame in traceback.extract_stack() if not frame.filename.startswith(package_folder)])
    parent = current_node()
    if parent is not None:
        metadata["parent_"] = parent
