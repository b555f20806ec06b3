# Which backwards run.
cdef extern from "Python.h":
    unsigned long PyThread_get_thread_ident() noexcept

cdef uint64_t run_counter = 0

cdef vector[PyObject*] active_runs      # BackwardRuns of all threads, in the order in which they began (whoever runs one holds it)

cdef int end_run(BackwardRun run) except -1:
    """A run is active no more."""
    cdef size_t i = active_runs.size()
    while i:
        i -= 1
        if active_runs[i] == <PyObject*>run:
            active_runs.erase(active_runs.begin() + i)
            break
    return 0

cdef inline BackwardRun active_run(uint64_t number):
    """The active run of that number, or None."""
    cdef size_t i
    for i in range(active_runs.size()):
        if (<BackwardRun>active_runs[i]).id == number:
            return <BackwardRun>active_runs[i]
    return None

cdef BackwardRun innermost_run():
    """The innermost backward that runs on this thread, or None."""
    cdef unsigned long thread = PyThread_get_thread_ident()
    cdef size_t i = active_runs.size()
    while i:
        i -= 1
        if (<BackwardRun>active_runs[i]).thread == thread:
            return <BackwardRun>active_runs[i]
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
    cdef unsigned long thread = PyThread_get_thread_ident()
    cdef size_t i
    cdef int depth = 0
    for i in range(active_runs.size()):
        depth += (<BackwardRun>active_runs[i]).thread == thread
    return depth

cdef inline int remember_line(Node node) except -1:
    node.made.mark()
    if modes.anomaly:
        from rushlight.autograd.anomaly_mode import remember_traceback
        remember_traceback(node)
    return 0
