"""The causes that `why` knows: what each means, in a sentence, and what helps."""

from rushlight.explain import _source
from rushlight.explain._report import Report

FIXES = {
    "no_grad": "compute it outside the torch.no_grad() block, or under torch.enable_grad()",
    "inference_mode": "compute it outside inference_mode(); tensors made inside can never take part in recording",
    "detached": "leave out the detach(), if the gradient is to pass here",
    "data": "use the tensor itself instead of its .data (and detach() where no gradient is wanted: that at least is checked)",
    "integer": "keep a floating point dtype until after the loss: integers have no gradients",
    "comparison": "replace the comparison by something smooth (sigmoid of the difference), or use it as a mask that multiplies",
    "indices": "take the values (max, gather) or a soft version (softmax) instead of the indices",
    "create_graph": "call torch.autograd.grad(…, create_graph=True), which records the derivative itself",
    "copied": "stay with tensors: compute with x itself, not with numbers or arrays read out of it (torch.stack joins 0-d tensors)",
    "frozen": "call requires_grad_() on it again",
    "no_input": "set requires_grad=True on the leaf that you want a gradient for, before computing with it",
    "asked_late": "call requires_grad_() before computing with it",
    "leaf": "make it with requires_grad=True, or call requires_grad_() before computing with it",
    "rebound": "keep the leaf under its own name, or make it a leaf after converting: x = x.to(…).detach().requires_grad_()",
    "not_leaf": "call retain_grad() on it before backward, or ask for torch.autograd.grad(loss, x)",
    "backward_not_called": "call loss.backward()",
    "unused": "compute the loss from this very tensor",
    "not_on_path": "compute the loss from this very tensor, or leave it out of what you optimize",
    "cleared": "read .grad after backward() and before zero_grad()",
    "overwritten": "write the second line out of place (y = y + 1 instead of y += 1), or on a clone()",
    "freed": "compute the loss anew, or run the first backward with retain_graph=True",
    "stepped": "run every backward that needs its value before optimizer.step(), or compute the loss anew after it",
    "not_a_scalar": "start from one number (loss.sum() or loss.mean()), or give gradient=… of its shape",
    "accumulated": "call optimizer.zero_grad() before each backward, unless the sum is wanted (a batch in parts)",
    "nonfinite": "explain.first_nonfinite(loss) finds where they began",
    "no_derivative": "replace the operation by one that has a derivative",
    "zeroed": "read .grad after backward() and before zero_grad()",
    "dead_relu": "use a smaller learning rate or other initial values, or leaky_relu, whose slope is never zero",
    "saturated": "scale what goes in, or take the loss that works on logits (cross_entropy, binary_cross_entropy_with_logits)",
    "multiplied_by_zero": "look at the factor that is zero: a mask, or weights that were initialized with zeros",
    "masked": "look at the mask: it hides every element that this tensor gives",
    "not_selected": "look at the index: it never takes an element of this tensor",
    "flat": "replace the step by something smooth, or pass the gradient through: x + (x.round() - x).detach()",
    "cancelled": "look at the paths to it: their gradients are opposite, as in x - x",
}


class Answer(Report):
    """What `why` found.

    Attributes: `cause` (a word, such as "no_grad"), `line` ((file, line number) in the program, or None), `certain` (False where the line
    was read from the source instead of recorded), `text` (the explanation) and `fix` (what helps, or None).
    """

    def __init__(self, cause, headline, line=None, details=(), certain=True, fix=None):
        self.cause, self.headline, self.line, self.details, self.certain = cause, headline, line, tuple(details), certain
        self.fix = fix or FIXES.get(cause)

    @property
    def text(self):
        """The explanation, without what helps."""
        return "\n".join([self.headline, *(f"  {detail}" for detail in self.details)])

    def __str__(self):
        return self.text + (f"\n  what helps: {self.fix}" if self.fix else "")


class Answers(Report):
    """What `why` found for the parameters of a module: `answers` by name, without those whose gradient is there and not zero."""

    def __init__(self, answers, count):
        self.answers, self.count = answers, count

    def __len__(self):
        return len(self.answers)

    def __iter__(self):
        return iter(self.answers.items())

    def __getitem__(self, name):
        return self.answers[name]

    def __str__(self):
        if not self.answers:
            return f"All {self.count} parameters have gradients that are not zero."
        alike = {}
        for name, answer in self.answers.items():
            alike.setdefault(str(answer).replace(name, "it"), []).append(name)
        lines = [f"{len(self.answers)} of {self.count} parameters have no gradient, or zeros:"]
        for text, names in alike.items():
            lines += [", ".join(names), *("  " + line for line in text.splitlines())]
        return "\n".join(lines)


CUTS = {
    "no_grad": "it was computed with grad mode off (torch.no_grad)",
    "inference_mode": "it was computed in inference mode",
    "detached": "detach() cuts it off from the graph",
    "data": ".data gives the values without their history",
    "integer": "it was converted to integers, and these have no gradients",
    "comparison": "a comparison gives True or False, which have no gradients",
    "indices": "the operation gives indices, which have no gradients",
    "create_graph": "torch.autograd.grad without create_graph=True gives gradients that have no graph of their own",
    "copied": "it was made from plain values, which remember nothing",
    "frozen": "gradients were turned off with requires_grad_(False)",
    "no_input": "none of the tensors that it was computed from requires grad",
    "asked_late": "requires_grad was switched on only after it had been computed",
    "leaf": "it was made without requires_grad=True",
}


MEANINGS = {
    "rebound": "the name stands for a new tensor, which is no leaf; the leaf that it stood for before gets the gradient",
    "not_leaf": "it is the result of an operation, and backward keeps gradients of leaves only",
    "backward_not_called": "no backward has run from what was computed of it",
    "unused": "no living graph leads to it: nothing was computed from it, or that is gone",
    "not_on_path": "what backward starts from was not computed from it",
    "cleared": "its gradient was there, and was set to None after backward: by zero_grad(), or by hand",
    "stepped": "backward needs the value that a parameter had, and an optimizer (or a write under no_grad) has changed it since",
    "accumulated": "each backward adds to .grad, and nothing has zeroed it between several of them",
    "nonfinite": "an operation made NaN or infinity, forward or backward; everything computed from that has it, too",
    "no_derivative": "an operation on the way has no derivative",
    "zeroed": "its gradient was there, and was set to zeros after backward",
    "dead_relu": "relu is flat below 0, and every value that a gradient came for lies there",
    "saturated": "the values lie so far out that the function is flat there: beyond the limits of clamp, in the tails of sigmoid or tanh",
    "multiplied_by_zero": "it is multiplied by zeros, which leave nothing of a gradient",
    "masked": "a mask takes another value wherever a gradient arrives",
    "not_selected": "an index takes other elements than these",
    "flat": "the function is a step (round, floor, sign), or its derivative is 0 at these values",
    "cancelled": "gradients come over several paths, and their sum is zero",
}
"""What the other causes mean, in general: the errors' page has a section for each."""


def cut_details(cause, line, certain=True):
    """The sentences about where a path was cut."""
    if certain:
        return [f"{CUTS[cause]}:", f"    {_source.shown(line)}"] if line else [CUTS[cause]]
    return [
        f"most likely {CUTS[cause]}:",
        f"    {_source.shown(line)}",
        "(read from the source; run the code inside `with explain.watch():` to be certain)",
    ]
