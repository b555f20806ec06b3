"""Where the path from a tensor to a loss was cut."""

from rushlight import core
from rushlight.explain import _guess, _source, _untracked, _watch
from rushlight.explain._causes import Answer, cut_details
from rushlight.explain._graph import (
    address_of,
    computed_from,
    is_leaf_node,
    living_tensors,
    nodes_of,
    op_name,
    roots_of,
    saved_tensors,
)


def end_of(x, loss):
    """The node to which the gradient of `x` goes, if the graph of `loss` has it."""
    if x is loss:
        return core.edge_pair(x)[0]
    for node in nodes_of(roots_of(loss)):
        if (node.variable is x) if is_leaf_node(node) else (node is x.grad_fn):
            return node
    return None


def is_on_path(x, loss):
    """Whether the gradient of `loss` reaches `x`."""
    return loss.requires_grad and end_of(x, loss) is not None


def cut_between(x, name, loss, loss_name, frame):
    """The Answer that names the cut between a tensor and a loss; None where none is found."""
    return watched_cut(x, loss) or shared_memory(x, loss, name, loss_name, frame) or guessed_cut(x, name, loss_name, frame)


def watched_cut(x, loss):
    """The cut as `watch` noted it."""
    top, bottom = _watch.made(loss), _watch.made(x)
    if top is None or bottom is None:
        return None
    leads = leading_to(bottom)
    if not leads(top):
        return copied_cut(leads, top)
    record = top
    while record is not bottom:
        inner = next(r for r in record.inputs if leads(r))
        if inner.tracked and not record.tracked:
            cause = _untracked.cause_of(record)
            return Answer(cause, "", record.line, cut_details(cause, record.line))
        record = inner
    return None


def leading_to(bottom):
    """A function that says whether a record was computed from `bottom`; without recursion, since histories are long."""
    known = {id(bottom): True}

    def leads(record):
        waiting = [record]
        while waiting:
            one = waiting[-1]
            missing = [r for r in one.inputs if id(r) not in known]
            if id(one) in known or not missing:
                known.setdefault(id(one), any(known[id(r)] for r in one.inputs))
                waiting.pop()
            else:
                waiting += missing
        return known[id(record)]

    return leads


def copied_cut(leads, top):
    """Values that were read out of what came from a tensor, on a line that takes part in making `top` if there is one."""
    lines, waiting, seen = set(), [top], set()
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            waiting += one.inputs
            lines.add(one.line)
    reads = [read for read in _watch._reads if leads(read.made)]
    if not reads:
        return None
    chosen = next((read for read in reads if read.line in lines), reads[-1])
    details = [f"its values were read out by .{chosen.how}() and went on without it:", f"    {_source.shown(chosen.line)}"]
    return Answer("copied", "", chosen.line, details)


def shared_memory(x, loss, name, loss_name, frame):
    """An operation of the loss that uses the memory of `x`, or of something computed from it, through a tensor without history."""
    if not loss.requires_grad or x.numel() == 0:
        return None
    tracked = {address_of(x): name}
    computed = computed_from([core.edge_pair(x)[0]])
    for tensor in living_tensors():
        if tensor is not x and tensor.requires_grad and tensor.numel() and not tensor.is_leaf and id(tensor.grad_fn) in computed:
            tracked.setdefault(address_of(tensor), f"what {op_name(tensor.grad_fn)} made of it")
    for node in nodes_of(roots_of(loss)):
        for _, tensor, saved in saved_tensors(node) or ():
            if tensor is None or tensor.requires_grad or core.saved_is_output(saved) or address_of(tensor) not in tracked:
                continue
            owner = tracked[address_of(tensor)]
            guess = guess_between(x, name, loss_name, frame)
            is_cut = guess is not None and guess.cause in ("detached", "data", "no_grad", "copied")
            cause = guess.cause if is_cut else "detached"
            line = guess.line if is_cut else node.source_line
            details = [
                f"{op_name(node)} uses the memory of {owner}, through a tensor without its history:",
                f"    {_source.shown(node.source_line)}",
            ]
            details += [f"its history was cut here: {_source.shown(line)}"] if is_cut else [_untracked.WATCH]
            return Answer(cause, "", line, details)
    return None


def guess_between(x, name, loss_name, frame):
    """What the source says about the way from `x` to `loss_name`."""
    return _guess.cut_of(loss_name, frame, origin=(name, x))


def guessed_cut(x, name, loss_name, frame):
    """The cut as the source shows it."""
    guess = guess_between(x, name, loss_name, frame)
    return (
        None
        if guess is None
        else Answer(guess.cause, "", guess.line, cut_details(guess.cause, guess.line, certain=False), certain=False)
    )
