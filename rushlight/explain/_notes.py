"""What errors of backward say besides PyTorch's text: the one cause that is known, its line, and where more is told.

The core asks for these when it raises, so that little is imported for them. The analysis is that of `why`.
"""

from rushlight import core
from rushlight._warned import ERRORS_PAGE
from rushlight.explain import _source
from rushlight.explain._graph import is_leaf_node, nodes_of, order_of, overwritten_leaf


def more(section, question=None):
    """The last note: the section of the errors' page (each error has one, and each cause that `why` knows), and what to ask."""
    return f"  {ERRORS_PAGE}#{section}" + (f"; rushlight.explain.{question} tells more" if question else "")


def placed(what, line):
    """What happened, with its line: `  what: train.py:12  y = x * 2`."""
    source = _source.text_of(line)
    return f"  {what}: {line[0]}:{line[1]}" + (f"  {source}" if source else "")


def add_place(error, what, line):
    """Adds what happened to an error, where its line is known. Tracebacks show notes; str(error) stays PyTorch's text."""
    if line is not None:
        error.add_note(placed(what, line))


def of_no_graph(x):
    """The notes on a backward from `x`, which has no graph."""
    if not x.is_floating_point() and not x.is_complex():
        return [f"  it has dtype {x.dtype}: only floating point and complex tensors can require gradients", *of_cut(x)]
    if core.view_creation(x) == "no_grad":
        return ["  it is a view that was made with grad mode off", *of_cut(x)]
    if not core.is_grad_enabled() or core.is_inference_mode_enabled():
        return ["  grad mode is off here (torch.no_grad() or set_grad_enabled(False))", *of_cut(x)]
    return of_cut(x)


def of_cut(x):
    """Where the graph of `x` was cut off, as far as the program tells."""
    from rushlight.explain import _causes, _guess, _untracked

    frame = _source.user_frame()
    if frame is None:
        return [more("does_not_require_grad")]
    name = _guess.name_of(x, frame)
    found = _untracked.answer(x, name or "this tensor", frame)
    line, cause, likely = found.line, found.cause, "" if found.certain else "most likely "
    if name is None and line is None:
        here = _guess.cut_of_statement(frame)
        if here is not None:
            line, cause, likely = here.line, here.cause, "most likely "
    if line is not None:
        reason = _causes.CUTS.get(cause) or found.details[0].removeprefix("most likely ").rstrip(":")
        notes = [placed(likely + reason, line)]
    elif cause in _causes.CUTS and cause != "integer":
        notes = [f"  {_causes.CUTS[cause]}"]
    elif cause == "unknown" and core.is_grad_enabled():
        notes = [
            "  it was made with grad mode off, cut off by detach() or .data, or computed from tensors of which none requires grad "
            "(set requires_grad=True on a leaf)"
        ]
    else:
        notes = []
    section = cause if line is not None or cause in _causes.CUTS else "does_not_require_grad"
    return [*notes, more(section, f"why({name or '…'})")]


def of_several_numbers(shape):
    """The notes on a backward from several numbers."""
    start = f"  its shape is {list(shape)}: start from one number (loss.sum() or loss.mean()), or give gradient=… of this shape"
    return [start, more("not_a_scalar")]


def overwritten(tensor, kind, version, expected, maker, number, node):
    """The error of a value that was written to since it was saved, of another `version` than was expected: output `number` of `maker`, where somebody made it."""
    text = (
        f"one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[{kind} [{', '.join(map(str, tensor.shape))}]]"
    )
    if maker is not None:
        text += f", which is output {number} of {maker},"
    text += f" is at version {version}; expected version {expected} instead."
    if core.anomaly_mode()[0]:
        text += (
            " Hint: the backtrace further above shows the operation that failed to compute its gradient. The variable in question was "
            "changed in there or anywhere later. Good luck!"
        )
    else:
        text += (
            " Hint: enable anomaly detection to find the operation that failed to compute its gradient, with "
            "torch.autograd.set_detect_anomaly(True, check_nan=False)."
        )
    error = RuntimeError(text)
    if node is not None:
        add_place(error, "saved for backward", node.source_line)
    add_place(error, "overwritten", core.written_line(tensor))
    if node is not None:
        error.add_note(of_overwritten(node))
    return error


def of_overwritten(node):
    """What helps where a value that `node` had saved was overwritten."""
    if overwritten_leaf(node) is not None:
        return "  usual fix: run every backward that needs this parameter before step(), or compute the loss anew after it"
    return "  usual fix: write the second line out of place (y = y + 1 instead of y += 1), or on a clone()"


def add_to(error, node, roots):
    """Adds to the error with which a backward from `roots` stopped at `node`."""
    text, notes = str(error), getattr(error, "__notes__", ())
    if any(ERRORS_PAGE in note for note in notes):
        return  # a backward within this one has seen it
    if "backward through the graph a second time" in text:
        for note in of_freed(node, roots):
            error.add_note(note)
        error.add_note(more("freed", question(roots)))
    elif "modified by an inplace operation" in text:
        error.add_note(more("overwritten" if overwritten_leaf(node) is None else "stepped", question(roots)))
    elif isinstance(error, NotImplementedError) and text.startswith("the derivative for"):
        if node.source_line is not None:
            error.add_note(placed("the operation", node.source_line))
        error.add_note(more("no_derivative", question(roots)))
    elif text.startswith("Function '") and "returned nan values" in text:
        error.add_note(more("nonfinite", "first_nonfinite(…)"))


def of_freed(node, roots):
    """Whether all of a graph was freed, or a part that was computed before: what helps is not the same."""
    # What ran before it had something to free, so that was computed after the earlier backward.
    whole = not any(core.node_saved(one) is None for one in nodes_of(roots) if order_of(one) > order_of(node))
    frame = _source.user_frame()
    before = None if frame is None else _source.backward_before(frame)
    notes = [] if before is None else [placed("the first backward", before)]
    if whole:
        return [*notes, "  usual fix: compute the loss anew for each backward, or keep the graph: retain_graph=True in the first"]
    notes = [] if node.source_line is None else [placed("an earlier backward freed what this line keeps", node.source_line)]
    return [*notes, "  usual fix: detach() what one step hands on to the next, or retain_graph=True in the first backward"]


def question(roots):
    """How to ask `why` about a backward: with the names that the program has for a leaf and for the loss."""
    frame = _source.user_frame()
    leaf = loss = "…"
    if frame is not None:
        named = {**frame.f_globals, **frame.f_locals}
        tensors = {name: value for name, value in named.items() if isinstance(value, core.Tensor) and not name.startswith("_")}
        leaves = [node.variable for node in nodes_of(roots) if is_leaf_node(node)]
        leaf = next((name for name, value in tensors.items() if any(value is one for one in leaves)), leaf)
        loss = next((name for name, value in tensors.items() if value.requires_grad and value.grad_fn is roots[0]), loss)
    return f"why({leaf}, {loss})"
