# Backward. The newest ready node runs first (sequence numbers order them), once every node that feeds it has run; so hooks fire in PyTorch's
# order, a graph of any depth needs no recursion, and each node runs once.
cdef int mark_needed(BackwardRun run) except -1:
    """Which nodes have a path to a captured one: children before parents."""
    cdef vector[pair[int64_t, Py_ssize_t]] stack
    cdef vector[char] seen
    cdef Node node, target
    cdef int64_t slot, below
    cdef Py_ssize_t i
    cdef size_t start
    cdef pair[int64_t, Py_ssize_t] frame
    seen.resize(run.states.size())
    for start in range(run.states.size()):
        if seen[start]:
            continue
        seen[start] = 1
        frame.first, frame.second = start, 0
        stack.push_back(frame)
        while stack.size():
            slot, i = stack.back().first, stack.back().second
            node = <Node>run.states[slot].node
            if i == edge_total(node) or slot < run.ends:
                stack.pop_back()
                if stack.size() and (run.states[slot].needed):
                    run.states[stack.back().first].needed = True
                continue
            stack.back().second = i + 1
            target = edge_at(node, i)
            if target is None:
                continue
            below = slot_of(run, target)
            if seen[below]:
                if run.states[below].needed:
                    run.states[slot].needed = True
                continue
            seen[below] = 1
            frame.first, frame.second = below, 0
            stack.push_back(frame)
    return 0

cdef object arrived_for(BackwardRun run, int64_t slot):
    """What has arrived for a node (a tensor or None; for several outputs a tuple)."""
    cdef PyObject* gradient = run.states[slot].gradient
    cdef object result = None
    cdef Node node = <Node>run.states[slot].node
    if gradient == NULL:
        return None if node.more_outputs is None else (None,) * output_count(node)
    run.states[slot].gradient = NULL
    result = <object>gradient
    Py_DECREF(result)
    return result if node.more_outputs is None else tuple(result)

cdef int run_nodes(BackwardRun run, list roots) except -1:
    cdef ReadyQueue ready
    cdef Node node, target
    cdef int64_t slot, below
    cdef Py_ssize_t i
    cdef object gradient
    cdef tuple results
    cdef uint64_t steps = 0
    for node in roots:
        slot = slot_of(run, node)
        if run.states[slot].dependencies == 0:
            run.states[slot].dependencies = -1      # (once: it may be several roots)
            ready.push(node.sequence, slot)
    while not ready.empty():
        slot = ready.take().second
        node = <Node>run.states[slot].node
        if run.restricted and not run.states[slot].needed and (run.states[slot].gradient == NULL or len(roots) > 1):
            continue          # (a single root is told its gradient even so)
        run.current = <PyObject*>node
        gradient = arrived_for(run, slot)
        if node.extras is not None or type(node) is AccumulateGrad and node.leaf.hooks is not None:
            gradient = before_node(node, gradient)
        if run.restricted:
            if not run.states[slot].needed:
                continue
            if run.states[slot].capture:
                capture(run, slot, node, gradient)
            if not node_runs(run, slot, node):
                continue
        if node.extras is not None and node.extras.pre_hooks:
            gradient = pre_hooks(node, gradient)
        if isinstance(node, OpNode) and not modes.interpreters and (node.extras is None or not node.extras.post_hooks):
            # What a rule gives goes on at once.
            run_rules(<OpNode>node, gradient, run, None)
        else:
            results = node.backward(gradient, run) if not modes.interpreters else observed(node, gradient, run)
            if node.extras is not None and node.extras.post_hooks:
                results = post_hooks(node, validated(node, results), gradient)
            for i in range(edge_total(node)):
                deliver(run, node, i, <object>PyTuple_GET_ITEM(results, i))
            results = None
        gradient = None
        if not run.keep_graph and (node.extras is None or not node.extras.kept):
            node.free_saved()
        for i in range(edge_total(node)):
            target = edge_at(node, i)
            if target is None:
                continue
            below = slot_of(run, target)
            run.states[below].dependencies -= 1
            if run.states[below].dependencies == 0:
                ready.push(target.sequence, below)
        steps += 1
        if steps & 0x3ff == 0:
            PyErr_CheckSignals()
    return 0

cdef int capture(BackwardRun run, int64_t slot, Node node, object gradient) except -1:
    cdef Capture* found
    cdef int32_t i = run.states[slot].capture
    while i:
        found = &run.captures[i - 1]
        run.captured[found.place] = gradient if node.more_outputs is None else gradient[found.output]
        i = found.next
    return 0

cdef bint node_runs(BackwardRun run, int64_t slot, Node node) except -1:
    """Does a captured node run too? Only if it leads on to another captured one, or backward(inputs=…) names it."""
    cdef Py_ssize_t i
    cdef Node target
    if run.states[slot].asked_for:
        return True
    if slot < run.ends:
        return False
    for i in range(edge_total(node)):
        target = edge_at(node, i)
        if target is not None and run.states[slot_of(run, target)].needed:
            return True
    return False

# ---------------------------------------------------------------------------------------------------------- entry points
def cotangent_of_loss(loss):
    """The ones from which backward of a loss starts, a plain tensor of one float; None of anything else."""
    cdef Tensor t, ones
    if type(loss) is not Tensor:
        return None
    t = <Tensor>loss
    if is_meta(t) or t.count != 1 or t.code != FLOAT32 and t.code != FLOAT64 or not needs_grad(t) or modes.interpreters or modes.transforms or \
            modes.function_modes:
        return None
    ones = new_like_shape(t.code, t.geometry)
    if t.code == FLOAT32:
        (<float*>data_of(ones))[0] = 1
    else:
        (<double*>data_of(ones))[0] = 1
    wrote(data_of(ones), item_bytes[t.code])
    return ones

def run_backward_from_scalar(Tensor t, retain_graph):
    """backward() of a loss, a tensor of one float: runs it and returns True. False, and nothing, for anything else."""
    cdef object ones = cotangent_of_loss(t)
    if ones is None:
        return False
    run_backward((t,), [ones], retain_graph is not None and (retain_graph is True or PyNumber_Index(retain_graph) != 0), False)
    return True

def grad_of_loss(loss, inputs, bint keep_graph, bint create_graph, bint allow_unused):
    """The gradients of a loss, a tensor of one float, with respect to a tensor or to tensors; None, and nothing, for anything else."""
    cdef object ones
    if isinstance(inputs, Tensor):
        inputs = (inputs,)
    elif type(inputs) is not tuple and type(inputs) is not list or not inputs:
        return None
    for wanted in inputs:
        if not isinstance(wanted, Tensor):
            return None
    ones = cotangent_of_loss(loss)
    return None if ones is None else run_backward((loss,), [ones], keep_graph, create_graph, inputs, allow_unused, False)

def run_backward(tuple tensors, list gradients, bint keep_graph, bint create_graph, inputs=None, bint allow_unused=True,
                 bint accumulate=True, list ends=None):
    """Runs backward from `tensors` (tensors or GradientEdge-like (node, output) pairs) with `gradients` (None: ones).

    With `inputs`, returns their gradients (accumulate=False), or adds only to theirs (accumulate=True). Nothing behind `ends` is looked at.
    """
    cdef BackwardRun run = BackwardRun.__new__(BackwardRun)
    cdef Tensor t
    cdef list roots = []
    cdef list outputs = []
    cdef list seeds = list(gradients)
    cdef Py_ssize_t i
    cdef bint grad = modes.grad
    cdef MetaCall within
    if meta_exist and not modes.meta and (has_meta(<PyObject*>tensors) or has_meta(<PyObject*>gradients)):
        within.begin()
    if active_runs.size() >= DEEPEST and running_depth() >= DEEPEST:
        return continue_in_thread((tensors, gradients, keep_graph, create_graph, inputs, allow_unused, accumulate, ends))
    global run_counter
    run_counter += 1
    run.id = run_counter
    run.thread = PyThread_get_thread_ident()
    run.keep_graph = keep_graph
    read_roots(tensors, roots, outputs)
    if ends is not None:
        for t in ends:
            admit(run, edge_of(t))
        run.ends = len(ends)
    visit(run, roots)
    run.roots = roots
    if inputs is not None:
        restrict_run(run, inputs, allow_unused, accumulate)
    active_runs.push_back(<PyObject*>run)
    cdef Py_ssize_t hooks = saved_tensor_hooks_depth() if saved_tensor_hooks_active else 0
    cdef list function_modes = use_function_modes([]) if modes.function_modes else None      # what rules call is no program's
    try:
        modes.grad = create_graph and not modes.inference
        for i in range(len(roots)):
            if seeds[i] is not None:
                seed = validate(<Node>roots[i], <Node>roots[i], outputs[i], 0, seeds[i])
                add_gradient(run, slot_of(run, <Node>roots[i]), outputs[i], seed)
                seed = None
                seeds[i] = None
        gradients = None
        execute_run(run, roots)
        i = 0
        while run.callbacks is not None and i < len(run.callbacks):     # (they may queue more)
            run.callbacks[i]()
            i += 1
    finally:
        if function_modes is not None:
            use_function_modes(function_modes)
        modes.grad = grad
        end_run(run)
        if saved_tensor_hooks_active:
            leave_saved_tensor_hooks(hooks)
    if inputs is None or accumulate:
        return None
    if not allow_unused:
        for i in range(len(inputs)):
            if run.captured[i] is None:
                raise unused_error(i)
    return tuple(run.captured)

cdef int read_roots(tuple tensors, list roots, list outputs) except -1:
    """The nodes at which a run begins, and which of their outputs."""
    cdef Node node
    cdef Tensor t
    for root in tensors:
        if isinstance(root, Tensor):
            t = <Tensor>root
            node = edge_of(t)
            if node is None:
                raise no_graph_error(t, len(roots))
            output = t.output_number if t.grad_fn_ is not None else 0
        else:
            node, output = <Node?>root[0], root[1]
        roots.append(node)
        outputs.append(output)
    return 0

cdef int restrict_run(BackwardRun run, inputs, bint allow_unused, bint accumulate) except -1:
    """Makes a run that looks for the gradients of `inputs` alone, or lets only their nodes do what they do."""
    cdef Capture captured
    cdef Node node
    cdef Tensor t
    cdef int64_t slot
    cdef Py_ssize_t i
    run.restricted = True
    run.captured = [None] * len(inputs)
    for i, wanted in enumerate(inputs):
        if isinstance(wanted, Tensor):
            t = <Tensor>wanted
            node, output = grad_fn_of(t), t.output_number
            if node is None:
                if not needs_grad(t):
                    raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False" if accumulate else
                                       "One of the differentiated Tensors does not require grad")
                node, output = <Node><object>t.accumulator if t.accumulator != NULL else None, 0
            elif accumulate:
                t.retain_grad()
        else:
            node, output = <Node?>wanted[0], wanted[1]
        slot = -1 if node is None else slot_of(run, node)
        if slot < 0:
            continue
        run.states[slot].needed = True
        if accumulate:
            run.states[slot].asked_for = True     # what its node does (adding to a leaf, retaining a gradient, hooks) is all that is wanted
        else:
            captured.slot, captured.output, captured.place, captured.next = slot, output, i, run.states[slot].capture
            run.captures.push_back(captured)
            run.states[slot].capture = <int32_t>run.captures.size()
    return mark_needed(run)

cdef int execute_run(BackwardRun run, list roots) except -1:
    try:
        run_nodes(run, roots)
    except BaseException as error:
        if isinstance(error, RuntimeError) and run.current != NULL:
            from rushlight.explain import _notes
            _notes.add_to(error, <Node>run.current, roots)
        if modes.anomaly and run.current != NULL:
            from rushlight.autograd.anomaly_mode import warn_of_anomaly
            try:
                warn_of_anomaly(<Node>run.current)
            except Warning:
                pass        # where warnings are errors, this one gives way to that of backward
        raise
    run.current = NULL
    return 0

def differentiate(function, tuple arguments, cotangent, tuple wanted):
    """What `cotangent` becomes for each `wanted` argument (places of tensors) of a function of public ops, which runs again, recorded."""
    cdef bint again = modes.grad        # is a graph wanted of the result, too?
    cdef bint hidden = not again and saved_tensor_hooks_active and top_saved_tensor_hooks() is not None
    cdef list given = list(arguments), pairs, tracked = []
    cdef Tensor source, alias
    cdef Py_ssize_t i
    cdef object made
    for i, value in enumerate(arguments):
        if isinstance(value, Tensor) and category[(<Tensor>value).code] >= IS_FLOATING:
            source = <Tensor>value
            if again and needs_grad(source):
                given[i] = alias = alias_of(source)
                record_alias(source, alias)
                tracked.append(alias)
            elif i in wanted:
                given[i] = alias = alias_of(source)
                alias.flags |= REQUIRES_GRAD
                tracked.append(alias)
    modes.grad = True
    if hidden:
        _saved_hooks.stack.append(None)
    try:
        made = function(*given)
    finally:
        modes.grad = again
        if hidden:
            _saved_hooks.stack.pop()
    pairs = [(value, seed) for value, seed in (((made, cotangent),) if isinstance(made, Tensor) else zip(made, cotangent))
             if value is not None and seed is not None and needs_grad(value)]
    # What the function does not depend on has zeros, as in PyTorch.
    found = (None,) * len(wanted) if not pairs else run_backward(
        tuple([pair[0] for pair in pairs]), [pair[1] for pair in pairs], again, again, [given[i] for i in wanted], True, False, tracked)
    return tuple([arguments[i].new_zeros(arguments[i].shape) if value is None else value for i, value in zip(wanted, found)])

cdef object unused_error(Py_ssize_t index):
    return documented(RuntimeError(f"The differentiated Tensor at index {index} appears to not have been used in the graph. Set "
                                   "allow_unused=True if this is the desired behavior."), "unused")

cdef object no_graph_error(Tensor t, Py_ssize_t index):
    """The well-known error, with the reason added, and what `explain` knows of it."""
    from rushlight.explain import _notes
    error = RuntimeError(f"element {index} of tensors does not require grad and does not have a grad_fn")
    for note in _notes.of_no_graph(t):
        error.add_note(note)
    return error


cdef enum:
    DEEPEST = 30      # backwards inside one another on one thread: its stack, and Python's count of calls, are finite

cdef object continue_in_thread(tuple arguments):
    """Runs a backward on a new thread, with this one's modes, and waits for it."""
    import threading
    not_again("a backward went on in another thread")
    cdef bint grad = modes.grad, inference = modes.inference, wished = modes.wished, forward_ad = modes.forward_ad
    cdef list interpreters = list(interpreter_stack())
    hooks, disabled = list(getattr(_saved_hooks, "stack", ())), getattr(_saved_hooks, "disabled", None)
    outcome = {}

    def work():
        modes.grad, modes.inference, modes.wished, modes.forward_ad = grad, inference, wished, forward_ad
        use_stack(interpreters)
        modes.interpreters = <int32_t>len(interpreters)
        _saved_hooks.stack, _saved_hooks.disabled = hooks, disabled
        try:
            outcome["result"] = run_backward(*arguments)
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["result"]
