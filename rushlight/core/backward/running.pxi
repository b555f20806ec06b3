# What a backward tells while it runs: to hooks, to interpreters, and in anomaly mode to the user.
cdef extern from *:
    """
    #include <queue>
    #include <utility>
    #include <vector>
    // Which node runs next: that with the highest sequence number (by that alone: leaves, which all have the same, come in PyTorch's
    // order). A single one that is ready, as in a chain, waits outside the heap.
    class rl_ready_queue {
     public:
      using Entry = std::pair<uint64_t, int64_t>;
      bool empty() const { return !has_single_ && heap_.empty(); }
      void push(uint64_t sequence, int64_t slot) {
        const Entry entry{sequence, slot};
        if (!has_single_ && heap_.empty()) {
          single_ = entry;
          has_single_ = true;
          return;
        }
        if (has_single_) heap_.push(single_);
        has_single_ = false;
        heap_.push(entry);
      }
      Entry take() {
        if (has_single_) {
          has_single_ = false;
          return single_;
        }
        Entry top = heap_.top();
        heap_.pop();
        return top;
      }

     private:
      struct Sooner {
        bool operator()(const Entry& a, const Entry& b) const { return a.first < b.first; }
      };
      std::priority_queue<Entry, std::vector<Entry>, Sooner> heap_;
      Entry single_;
      bool has_single_ = false;
    };
    """
    cdef cppclass ReadyQueue "rl_ready_queue":
        bint empty()
        void push(uint64_t, int64_t)
        pair[uint64_t, int64_t] take()

def current_run_reaches(Node node):
    """Whether the innermost running backward executes (or captures) `node`."""
    cdef int64_t slot
    run = innermost_run()
    if run is None:
        raise RuntimeError("no backward is running")
    slot = slot_of(run, node)
    return slot >= 0 and (not run.restricted or run.states[slot].needed)

def current_run_captures(Node node):
    """Whether the innermost running backward gives the gradient of `node` to its caller, as autograd.grad does."""
    cdef BackwardRun run = innermost_run()
    cdef int64_t slot = -1 if run is None or not run.restricted else slot_of(run, node)
    cdef int32_t i = 0 if slot < 0 else run.states[slot].capture
    while i and run.captures[i - 1].output:
        i = run.captures[i - 1].next
    return i != 0

def execution_order():
    """The nodes of the innermost backward of this thread, in the order in which they run; none where none runs."""
    cdef BackwardRun run = innermost_run()
    cdef vector[int64_t] waits
    cdef ReadyQueue ready
    cdef Node node, target
    cdef int64_t slot
    cdef Py_ssize_t i
    cdef size_t place
    cdef list found = []
    if run is None:
        return found
    waits.resize(run.states.size())
    for place in range(run.states.size()):
        node = <Node>run.states[place].node
        for i in range(edge_total(node)):
            target = edge_at(node, i)
            if target is not None:
                waits[slot_of(run, target)] += 1
    for node in run.roots:
        ready.push(node.sequence, slot_of(run, node))
    while not ready.empty():
        node = <Node>run.states[ready.take().second].node
        found.append(expose(node))
        for i in range(edge_total(node)):
            target = edge_at(node, i)
            if target is None:
                continue
            slot = slot_of(run, target)
            waits[slot] -= 1
            if waits[slot] == 0 and (not run.restricted or run.states[slot].needed):
                ready.push(target.sequence, slot)
    return found

def set_multithreading(enabled):
    """Sets what the thread is told of multithreading (None: nothing); returns what was set before."""
    cdef bint before = modes.multithreading
    if enabled is not None:
        modes.multithreading = enabled
    return before

def queue_callback(callback):
    """Calls `callback()` at the end of the innermost running backward."""
    run = innermost_run()
    if run is None:
        raise RuntimeError("Final callbacks can only be installed during backward pass.")
    if run.callbacks is None:
        run.callbacks = []
    run.callbacks.append(callback)

cdef tuple observed(Node node, object gradient, object run):
    """A node's backward while interpreters are active: those that have `enter_node` and `exit_node` are told."""
    watching = [interpreter for interpreter in interpreter_stack() if not isinstance(interpreter, Level) and hasattr(interpreter, "enter_node")]
    if not watching:
        return node.backward(gradient, run)
    tokens = [interpreter.enter_node(expose(node)) for interpreter in watching]
    try:
        return node.backward(gradient, run)
    finally:
        for interpreter, token in zip(watching, tokens):
            interpreter.exit_node(token)

def set_version(Tensor t, int64_t version):
    """Puts a version back (for writes that are known not to matter to backward)."""
    if version < 0:
        raise RuntimeError(f"Cannot set a version_counter to a value below 0: {version}")
    t.storage.version = version

def edge_pair(Tensor t):
    """(node, output number) to which the gradient of `t` goes."""
    node = edge_of(t)
    if node is None:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return expose(node), (t.output_number if t.grad_fn_ is not None else 0)

def current_run_is_restricted():
    """Whether the innermost running backward goes only to chosen inputs."""
    run = innermost_run()
    return run is not None and run.restricted
