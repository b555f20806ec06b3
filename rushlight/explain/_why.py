"""`why`: why a tensor has no gradient, a gradient of zeros, or no graph; with the line of the program that is to blame."""

import functools
import itertools
import re

from rushlight import core
from rushlight.core import Tensor
from rushlight.explain import _finite, _guess, _path, _source, _untracked, _watch, _zero
from rushlight.explain._causes import Answer, Answers
from rushlight.explain._graph import (
    computed_from,
    inputs_of,
    is_leaf_node,
    living_nodes,
    living_tensors,
    nodes_of,
    op_name,
    overwritten_leaf,
    roots_of,
    saved_tensors,
    was_freed,
)
from rushlight.explain._report import count_text
from rushlight.explain._steps import Stopped, values_text

LINES_SHOWN = 4
UNNAMED = "this tensor"
OVERWRITTEN_NOTE = re.compile(r"  overwritten: (.*?):([0-9]+)(?:  |$)")
"""The core's note on an error, with the line that wrote."""


def why(x, loss=None):
    """Why `x.grad` is None, or zero, or why `x` has no graph: an `Answer` that names the line of the program.

    Args:
        x: The tensor that misses a gradient (a leaf, an intermediate result, or a loss that cannot run backward). Or a Module: then `Answers`
            for all of its parameters.
        loss: The tensor that backward starts from. With it, `why` looks for the place where the path from `x` to `loss` was cut.

    What was recorded is certain. For operations that were not recorded (no_grad, detach, .item()), the line is read from the source and
    marked as likely, unless the program ran inside `explain.watch()`, which notes everything.

    >>> import rushlight as torch
    >>> from rushlight import explain
    >>> x = torch.tensor([1., 2.], requires_grad=True)
    >>> y = x * 2
    >>> y.sum().backward()
    >>> explain.why(y).cause
    'not_leaf'
    >>> frozen = torch.nn.Parameter(torch.ones(2), requires_grad=False)
    >>> print(explain.why(frozen))
    frozen does not require grad.
      gradients were turned off with requires_grad_(False)
      what helps: call requires_grad_() on it again
    """
    frame = _source.user_frame()
    loss_name = None if loss is None else _guess.name_of(loss, frame, _source.argument_name("why", 1)) or "the loss"
    cuts_of = functools.cache(_zero.cuts_of)
    if hasattr(x, "named_parameters"):
        answers = {name: answer_for(p, name, loss, loss_name, frame, cuts_of) for name, p in x.named_parameters()}
        return Answers({name: answer for name, answer in answers.items() if answer.cause != "grad"}, len(answers))
    return answer_for(x, _guess.name_of(x, frame, _source.argument_name("why")) or UNNAMED, loss, loss_name, frame, cuts_of)


def answer_for(x, name, loss, loss_name, frame, cuts_of):
    """The Answer for one tensor."""
    if not isinstance(x, Tensor):
        raise TypeError(f"why expects a tensor, but got {type(x).__name__}: a number or array has no graph")
    if loss is not None and not isinstance(loss, Tensor):
        raise TypeError(f"why expects a tensor as loss, but got {type(loss).__name__}: a number or array has no graph")
    if not x.requires_grad:
        return _untracked.answer(x, name, frame)
    if loss is not None and not loss.requires_grad:
        return loss_untracked(x, name, loss, loss_name, frame)
    gradient = core.read_grad_attribute(x)
    if loss is not None and not _path.is_on_path(x, loss):
        return off_path(x, name, loss, loss_name, frame, gradient)
    try:
        if gradient is None:
            return without_gradient(x, name, loss, loss_name, frame, cuts_of)
        if _zero.is_zero(gradient):
            return zero_gradient(x, name, gradient, loss, cuts_of)
    except Stopped as stopped:
        return broken(name, loss_name or "the loss", stopped)
    if not bool(gradient.isfinite().all()):
        return spoiled(x, name, loss)
    if loss is not None and any(
        not core.saved_is_intact(one) for node in nodes_of(roots_of(loss)) for *_, one in saved_tensors(node) or ()
    ):
        try:
            cuts_of(loss)
        except Stopped as stopped:
            return broken(name, loss_name, stopped)
    return accumulated(x, name) or Answer("grad", f"{grad_of(name)} is there and not zero: {values_text(gradient)}.")


def broken(name, loss_name, stopped):
    """Backward from the loss cannot run: the error that it would raise knows why."""
    line, text, leaf = stopped.node.source_line, str(stopped), overwritten_leaf(stopped.node)
    cause = "no_derivative" if isinstance(stopped.error, NotImplementedError) else "cannot_run"
    if "modified by an inplace operation" in text:
        cause = "overwritten" if leaf is None else "stepped"
    elif "a second time" in text:
        cause = "freed"
    headline = f"{grad_of(name)} cannot be computed: backward from {loss_name} stops at {op_name(stopped.node)}."
    said = {
        "overwritten": "A value that it saved was overwritten.",
        "stepped": "A parameter that it saved has another value now.",
        "freed": "A backward has freed what it saved.",
    }
    details = [said.get(cause, text)] + ([f"    {_source.shown(line)}"] if line else [])
    notes = [OVERWRITTEN_NOTE.match(note) for note in getattr(stopped.error, "__notes__", ())]
    for note in filter(None, notes):
        line = note[1], int(note[2])
        details += ["It was written here:" if leaf is not None else "It was overwritten here:", f"    {_source.shown(line)}"]
    return Answer(cause, headline, line, details)


def spoiled(x, name, loss):
    """x.grad is there, but not finite."""
    headline = f"{grad_of(name)} is there, but holds NaN or infinite values."
    loss = living_loss(x) if loss is None else loss
    nodes = living_nodes() if loss is None else nodes_of(roots_of(loss))
    cuts = _zero.cuts_towards(core.edge_pair(x)[0] if x.is_leaf else x.grad_fn, _zero.noted_cuts(nodes, spoiled=True))
    if cuts:
        details = [f"{cuts[0].op}: {cuts[0].reason}", f"    {_source.shown(cuts[0].line)}"]
        return Answer("nonfinite", headline, cuts[0].line, details, fix=cuts[0].fix)
    if loss is not None and not was_freed(nodes):
        found = _finite.first_nonfinite(loss)
        if found:
            return Answer("nonfinite", headline, found.line, str(found).splitlines()[:2], found.certain, found.fix)
    return Answer("nonfinite", headline)


def accumulated(x, name):
    """The Answer for a gradient that is the sum of several backwards; None where that was not watched."""
    runs = []
    for event in _watch.events(x):
        if event.what == "reached by backward":
            runs = [*runs, event] if event.added else [event]
        elif event.what == "cleared":
            runs = []
    if len(runs) < 2:
        return None
    headline = f"{grad_of(name)} is there, and is the sum of {len(runs)} backwards: nothing has zeroed it between them."
    details = [f"    {_source.shown(line)}" for line in dict.fromkeys(run.line for run in runs)][:LINES_SHOWN]
    steps = [run.wrote for before, run in itertools.pairwise(runs) if run.version != before.version and run.wrote is not None]
    if steps:
        details += [
            f"{name} was changed between them, each time by a gradient that holds those before it:",
            f"    {_source.shown(steps[0])}",
        ]
    return Answer("accumulated", headline, runs[1].line, details)


def grad_of(name):
    """How an answer speaks of a gradient."""
    return f"{name}'s .grad" if name == UNNAMED else f"{name}.grad"


def loss_untracked(x, name, loss, loss_name, frame):
    """The loss itself has no graph."""
    found = _path.cut_between(x, name, loss, loss_name, frame) or _untracked.answer(loss, loss_name, frame)
    headline = f"{name} gets no gradient from {loss_name}, because {loss_name} does not require grad."
    return Answer(found.cause, headline, found.line, found.details, found.certain, found.fix)


def without_gradient(x, name, loss, loss_name, frame, cuts_of):
    """x requires grad, and x.grad is None."""
    if not x.is_leaf:
        return intermediate(x, name, frame)
    cleared = cleared_since(x)
    if cleared is not None:
        return Answer(
            "cleared",
            f"{grad_of(name)} is None because it was set to None after backward:",
            cleared,
            [f"  {_source.shown(cleared)}"],
        )
    nodes = living_nodes() if loss is None else nodes_of(roots_of(loss))
    users = [node for node in nodes if any(is_leaf_node(n) and n.variable is x for n in inputs_of(node))]
    if not users and not (loss is not None and x is loss):
        return unused(x, name)
    computed = computed_from(users, nodes)
    above = nodes if loss is not None else [node for node in nodes if id(node) in computed]
    details = uses(name, users)
    if was_freed(above):
        return Answer(
            "cleared",
            f"{grad_of(name)} is None although a backward has run through {name}'s graph.",
            users[0].source_line if users else None,
            [
                *details,
                "So its gradient was cleared since (zero_grad() sets .grad to None), or the backward was told to leave it alone:",
                "torch.autograd.grad(…) and backward(inputs=…) do not fill .grad of other leaves.",
            ],
        )
    if loss is not None and loss.numel() != 1:
        headline = f"{grad_of(name)} is None because backward from {loss_name} needs one number: its shape is {list(loss.shape)}."
        return Answer("not_a_scalar", headline, loss.grad_fn and loss.grad_fn.source_line, details)
    if loss is None:
        details.append("If you did call backward, then on a loss that does not come from there: ask why(x, loss).")
    else:
        zero = _zero.cuts_towards(_path.end_of(x, loss), cuts_of(loss))
        details += [f"And it will be zero then, since here it is cut off: {cut}" for cut in zero[:1]]
    return Answer(
        "backward_not_called",
        f"{grad_of(name)} is None because backward has not been called on {loss_name or 'what was computed from it'} yet.",
        users[0].source_line if users else None,
        details,
        fix=f"call {loss_name or 'loss'}.backward()",
    )


def uses(name, users):
    """Sentences that say where a tensor is used."""
    if not users:
        return []
    lines = list(dict.fromkeys(_source.shown(node.source_line) for node in users))
    listed = [f"    {line}" for line in lines[:LINES_SHOWN]]
    more = [f"    … and {len(lines) - LINES_SHOWN} more"] if len(lines) > LINES_SHOWN else []
    return [f"{name} is used by {count_text(len(users), 'recorded operation')}:", *listed, *more]


def cleared_since(x):
    """The line that set x.grad to None after the last backward that reached it, if that was watched."""
    reached = None
    for event in _watch.events(x):
        if event.what == "reached by backward":
            reached = event
        elif event.what == "cleared" and reached is not None:
            return event.line
    return None


def unused(x, name):
    """No graph that is alive leads to this leaf."""
    details = [
        f"No operation on {name} was recorded, or every graph that used it is gone",
        "(a graph lives as long as the tensors computed by it).",
    ]
    if _watch.is_watching() or _watch.entry_of(x) is not None:
        leads = _path.leading_to(_watch.known_of(x))
        read = next((read for read in reversed(_watch._reads) if leads(read.made)), None)
        if read is not None:
            details = [f"Its values were read out by .{read.how}() and went on without it:", f"    {_source.shown(read.line)}"]
            return Answer("copied", f"{grad_of(name)} is None because no living graph leads to {name}.", read.line, details)
    elif not core.is_grad_enabled():
        details.append("Grad mode is off at this line, so nothing is recorded here.")
    return Answer("unused", f"{grad_of(name)} is None because no living graph leads to {name}.", None, details)


def intermediate(x, name, frame):
    """x is a result of a recorded operation, not a leaf."""
    node = x.grad_fn
    line, op = node.source_line, op_name(node)
    if x.retains_grad:
        return Answer(
            "backward_not_called",
            f"{grad_of(name)} is None because no backward has reached {name} since retain_grad() was called on it.",
            line,
            [f"{name} is the result of {op}:", f"    {_source.shown(line)}"],
        )
    leaves = [n for n in inputs_of(node) if is_leaf_node(n)]
    name_bound = _source.rebinds(line)
    converted = op in ("to", "clone") and leaves
    if name_bound is not None and leaves:
        details = [
            f"{op} made a new tensor, and the name now stands for that; the leaf is the {name_bound} from before this line:",
            f"    {_source.shown(line)}",
        ]
        return Answer("rebound", f"{grad_of(name)} stays None because {name} is not a leaf any more.", line, details)
    named = {**frame.f_globals, **frame.f_locals}.items() if frame is not None else ()
    leaf_name = next((key for key, value in named if any(value is leaf.variable for leaf in leaves)), None)
    if converted and leaf_name is None:
        details = [
            "converting (to, double, cuda, clone) made a copy that is computed from the leaf; the leaf itself has no name:",
            f"    {_source.shown(line)}",
        ]
        fix = "convert first, then make it a leaf: nn.Parameter(data.to(…)), or module.to(…) for a whole module"
        return Answer("rebound", f"{grad_of(name)} stays None because {name} is not a leaf.", line, details, fix=fix)
    details = [f"{name} is the result of {op}:", f"    {_source.shown(line)}", "Backward keeps gradients of leaves only."]
    if leaf_name is not None:
        details[-1] = f"Backward keeps gradients of leaves only: {leaf_name}.grad is filled."
    return Answer(
        "not_leaf", f"{grad_of(name)} stays None because {name} is not a leaf, and retain_grad() was not called.", line, details
    )


def off_path(x, name, loss, loss_name, frame, gradient):
    """Both have graphs, but that of the loss does not contain x."""
    found = _path.cut_between(x, name, loss, loss_name, frame)
    headline = f"{name} gets no gradient from {loss_name}, because no path leads from {loss_name} back to {name}."
    if _path.is_on_path(loss, x):
        details = [f"It is the other way round: {name} was computed from {loss_name}."]
        return Answer("not_on_path", headline, None, details, fix=f"ask why({loss_name}, {name})")
    if gradient is not None:
        headline += f" ({grad_of(name)} is there, but comes from elsewhere.)"
    if found is not None:
        return Answer(found.cause, headline, found.line, found.details, found.certain, found.fix)
    watched = _watch.made(loss) is not None
    if watched and _watch.entry_of(x) is None:
        return Answer("unused", headline, None, [f"No operation used {name} while the program was watched."])
    users = [n for n in living_nodes() if any(is_leaf_node(t) and t.variable is x for t in inputs_of(n))]
    reached = [n.variable for n in nodes_of(roots_of(loss)) if is_leaf_node(n)]
    details = uses(name, users)
    if users:
        details.append(f"but nothing computed there goes into {loss_name}.")
    listed = ", ".join(str(list(leaf.shape)) for leaf in reached[:LINES_SHOWN]) + (", …" if len(reached) > LINES_SHOWN else "")
    details.append(
        f"{loss_name} leads to {count_text(len(reached), 'other leaf').replace('leafs', 'leaves')}, of shapes {listed}"
    )
    if not watched:
        lines = _guess.suspicious_lines()
        if lines:
            details.append("Lines of the program that can cut a path:")
            details += [f"    {_source.shown(line)}" for line in lines[:LINES_SHOWN]] + ["    …"] * (len(lines) > LINES_SHOWN)
        details.append("(Run the code inside `with explain.watch():` to be certain.)")
    return Answer("not_on_path", headline, None, details)


def zero_gradient(x, name, gradient, loss, cuts_of):
    """x.grad is there, and all zeros."""
    headline = f"{grad_of(name)} is zero everywhere"
    written = core.written_line(gradient)
    if written is not None and "zero" in _source.text_of(written):
        return Answer("zeroed", f"{headline} because it was zeroed after backward:", written, [f"  {_source.shown(written)}"])
    loss = living_loss(x) if loss is None else loss
    nodes = living_nodes() if loss is None else nodes_of(roots_of(loss))
    end = core.edge_pair(x)[0] if x.is_leaf else x.grad_fn
    cuts = _zero.noted_cuts(nodes)
    whole = loss is not None and not was_freed(nodes)
    if whole:
        cuts = cuts_of(loss)
    cuts = _zero.cuts_towards(end, cuts)
    if cuts:
        details = [f"{cut.op}: {cut.reason}" for cut in cuts[:LINES_SHOWN]]
        lines = [f"    {_source.shown(cut.line)}" for cut in cuts[:LINES_SHOWN]]
        details = [text for pair in zip(details, lines) for text in pair]
        where = "here" if len(cuts) == 1 else f"at {len(cuts)} places"
        return Answer(
            cuts[0].cause, f"{headline}: on the way back from the loss, its gradient became zero {where}.", cuts[0].line, details
        )
    if whole:
        opposite = _zero.cancellation_at(loss, end)
        if opposite:
            details = list(dict.fromkeys(f"{op}: {_source.shown(line)}" for op, line in opposite))
            return Answer(
                "cancelled", f"{headline}: the gradients that come to it over several paths cancel.", opposite[0][1], details
            )
    details = ["Backward has freed the values that would tell why."]
    computed = computed_from([end], nodes)
    suspects = [n for n in nodes if id(n) in computed and _zero.flatness(n) in _zero.SUSPECTS]
    suspects = [n for n in suspects if _zero.flatness(n) == "step"] or suspects
    if suspects:
        details.append("Operations on the way that can do that:")
        details += dict.fromkeys(f"    {op_name(n)}: {_source.shown(n.source_line)}" for n in suspects[:LINES_SHOWN])
    fix = "run the code inside `with explain.watch():`, or ask why(x, loss) with a loss whose backward has not run (or kept retain_graph=True)"
    return Answer("zero", f"{headline}.", None, details, certain=False, fix=fix)


def living_loss(x):
    """A scalar that is alive, whose graph is whole and leads to `x`; None where there is none."""
    computed = computed_from([core.edge_pair(x)[0]])
    for tensor in living_tensors():
        may_be = tensor.requires_grad and tensor.numel() == 1 and not tensor.is_leaf
        if may_be and id(tensor.grad_fn) in computed and not was_freed(nodes_of(roots_of(tensor))):
            return tensor
    return None
