"""Classic mistakes of autograd: programs that fail or go wrong, what PyTorch says to them, and what Rushlight adds.

In a program, the line that fails ends with `# fails`, and the line to blame with `# here`. The names `torch` and `explain` are there.
"""

from typing import NamedTuple


class Mistake(NamedTuple):
    """A program; PyTorch's answer: type and text of the error (none: it goes wrong silently), and how many of PyTorch's own frames its
    traceback has; what a note names as the cause (with the line, where one is to blame); and a question, with the cause and the advice of
    its answer."""

    program: str
    error: str = ""
    message: str = ""
    frames: int = 0
    note: str = ""
    question: str = ""
    cause: str = ""
    advice: str = ""


LEAF = "w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)\n"
ZERO = "w = torch.tensor([0.0, 1.0], requires_grad=True)\n"
ANOMALY = "torch.autograd.set_detect_anomaly(True)\n"
NO_GRAPH = "element 0 of tensors does not require grad and does not have a grad_fn"
LEAF_WRITTEN = "a leaf Variable that requires grad is being used in an in-place operation."
SECOND = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved "
    "intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to "
    "backward through the graph a second time or if you need to access saved tensors after calling backward."
)
UNUSED = (
    "The differentiated Tensor at index 0 appears to not have been used in the graph. Set allow_unused=True if this is the desired "
    "behavior."
)
OPTIMIZER = "optimizer = torch.optim.SGD([w], lr=0.1)\n"


def overwritten(shape, what, version):
    """PyTorch's text."""
    return (
        f"one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor {shape}]{what} "
        f"is at version {version}; expected version {version - 1} instead. Hint: enable anomaly detection to find the operation that failed "
        "to compute its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def without_graph(program, note, cause, advice, question="explain.why(loss)", frames=3):
    """A loss that has lost its graph."""
    return Mistake(program, "RuntimeError", NO_GRAPH, frames, note, question, cause, advice)


MISTAKES = {
    # In place.
    "write into a leaf": Mistake(LEAF + "w += 1  # fails", "RuntimeError", LEAF_WRITTEN, 0, "docs/errors.md#leaf_in_place"),
    "write into a view of a leaf": Mistake(
        LEAF + "w[0] = 2.0  # fails", "RuntimeError", "a view of " + LEAF_WRITTEN, 0, "docs/errors.md#leaf_in_place"
    ),
    "write into a saved result": Mistake(
        LEAF + "y = w.exp()\ny.add_(1)  # here\nloss = y.sum()\nloss.backward()  # fails",
        "RuntimeError",
        overwritten([3], ", which is output 0 of Exp,", 1),
        3,
        "overwritten: ",
        "explain.why(w, loss)",
        "overwritten",
        "out of place (y = y + 1 instead of y += 1)",
    ),
    "write into a saved input": Mistake(
        LEAF + "y = w * 2\nloss = (y * y).sum()\ny[0] = 7.0  # here\nloss.backward()  # fails",
        "RuntimeError",
        overwritten([3], ", which is output 0 of torch::autograd::CopySlices,", 1),
        3,
        "overwritten: ",
        "explain.why(w, loss)",
        "overwritten",
        "on a clone()",
    ),
    "step between two backwards": Mistake(
        "w, v = torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.ones(3))\n"
        + OPTIMIZER
        + "loss = (w * v).sum()\nloss.backward(retain_graph=True)\noptimizer.step()  # here\nloss.backward()  # fails",
        "RuntimeError",
        overwritten([3], "", 1),
        3,
        "overwritten: ",
        "explain.why(w, loss)",
        "stepped",
        "before optimizer.step(), or compute the loss anew",
    ),
    "step between two backwards of a layer": Mistake(
        "layer = torch.nn.Linear(3, 3)\noptimizer = torch.optim.Adam(layer.parameters(), lr=0.1)\n"
        "loss = layer(layer(torch.ones(2, 3))).sum()\nloss.backward(retain_graph=True)\noptimizer.step()  # here\nloss.backward()  # fails",
        "RuntimeError",
        overwritten([3, 3], ", which is output 0 of AsStrided,", 2),
        3,
        "overwritten: ",
        "explain.why(layer.weight, loss)",
        "stepped",
        "before optimizer.step(), or compute the loss anew",
    ),
    # Backward.
    "second backward": Mistake(
        LEAF + "loss = w.exp().sum()\nloss.backward()  # here\nloss.backward()  # fails",
        "RuntimeError",
        SECOND,
        3,
        "the first backward: ",
        "explain.why(w, loss)",
        "grad",
    ),
    "hidden state carried on": Mistake(
        LEAF
        + "h = w.exp()  # here\n(h * 2).sum().backward()\nh = h.sin()\nloss = (h * h).sum()\nw.grad = None\nloss.backward()  # fails",
        "RuntimeError",
        SECOND,
        3,
        "an earlier backward freed what this line keeps: ",
        "explain.why(w, loss)",
        "cleared",
        "zero_grad()",
    ),
    "loss of several elements": Mistake(
        LEAF + "loss = w * 2  # here\nloss.backward()  # fails",
        "RuntimeError",
        "grad can be implicitly created only for scalar outputs",
        3,
        "its shape is [3]: start from one number (loss.sum() or loss.mean())",
        "explain.why(w, loss)",
        "not_a_scalar",
        "loss.sum() or loss.mean()",
    ),
    "unique": Mistake(
        LEAF + "loss = w.unique().sum()  # here\nloss.backward()  # fails",
        "NotImplementedError",
        "the derivative for '_unique2' is not implemented.",
        3,
        "the operation: ",
        "explain.why(w, loss)",
        "no_derivative",
        "one that has a derivative",
    ),
    "not used": Mistake(
        LEAF + "v = torch.ones(3, requires_grad=True)\nloss = (w * 2).sum()\ntorch.autograd.grad(loss, v)  # fails",
        "RuntimeError",
        UNUSED,
        2,
        "docs/errors.md#unused",
        "explain.why(v, loss)",
        "not_on_path",
        "from this very tensor",
    ),
    # A loss without a graph.
    "detach": without_graph(
        LEAF + "h = w.detach()  # here\nloss = (h * 2).sum()\nloss.backward()  # fails",
        "detach() cuts it off from the graph: ",
        "detached",
        "leave out the detach()",
    ),
    "detach in a function": without_graph(
        LEAF + "def features(x):\n    return x.detach()  # here\nloss = features(w).sum()\nloss.backward()  # fails",
        "detach() cuts it off from the graph: ",
        "detached",
        "leave out the detach()",
    ),
    "data": without_graph(
        LEAF + "loss = (w.data * 2).sum()  # here\nloss.backward()  # fails",
        ".data gives the values without their history: ",
        "data",
        "instead of its .data",
    ),
    "item": without_graph(
        LEAF + "total = w.sum()\nloss = torch.tensor(total.item()) * 2  # here\nloss.backward()  # fails",
        "it was made from plain values",
        "copied",
        "stay with tensors",
    ),
    "list of numbers in a function": without_graph(
        LEAF
        + "def doubled(x):\n    return torch.tensor([v.item() * 2 for v in x])  # here\nloss = doubled(w).sum()\nloss.backward()  # fails",
        "it was made from plain values",
        "copied",
        "stay with tensors",
    ),
    "no_grad": without_graph(
        LEAF + "with torch.no_grad():\n    loss = (w * 2).sum()  # here\nloss.backward()  # fails",
        "it was computed with grad mode off (torch.no_grad): ",
        "no_grad",
        "outside the torch.no_grad() block",
    ),
    "backward under no_grad": without_graph(
        LEAF
        + "torch.set_grad_enabled(False)\nloss = (w * 2).sum()\nloss.backward()  # fails\nanswer = explain.why(loss)\ntorch.set_grad_enabled(True)",
        "grad mode is off here",
        "unknown",
        "",
        "answer",
    ),
    "rebound under no_grad": without_graph(
        LEAF
        + "(w * w).sum().backward()\nwith torch.no_grad():\n    w = w - 0.1 * w.grad  # here\nloss = (w * w).sum()\nloss.backward()  # fails",
        "the name w stands for a new tensor",
        "rebound",
        "w -= …, inside the same block",
        "explain.why(w)",
    ),
    "argmax": without_graph(
        LEAF + "loss = w.argmax()  # here\nloss.backward()  # fails",
        "the operation gives indices, which have no gradients: ",
        "indices",
        "a soft version (softmax)",
    ),
    "comparison": without_graph(
        LEAF + "loss = (w != 2).float().mean()  # here\nloss.backward()  # fails",
        "a comparison gives True or False, which have no gradients: ",
        "comparison",
        "something smooth",
    ),
    "conversion to integers": without_graph(
        LEAF + "loss = (w * 255).long().sum()  # here\nloss.backward()  # fails",
        "it was converted to integers, and these have no gradients: ",
        "integer",
        "keep a floating point dtype",
    ),
    "create_graph forgotten": without_graph(
        LEAF + "(g,) = torch.autograd.grad((w**3).sum(), w)  # here\nloss = g.sum()\ntorch.autograd.grad(loss, w)  # fails",
        "torch.autograd.grad without create_graph=True",
        "create_graph",
        "create_graph=True",
        frames=2,
    ),
    "not asked for gradients": without_graph(
        "w = torch.ones(3)  # here\nloss = w.sum()\nloss.backward()  # fails",
        "",
        "leaf",
        "make it with requires_grad=True",
        "explain.why(w)",
    ),
    # Integers and NumPy.
    "numpy": Mistake(
        LEAF + "w.numpy()  # fails",
        "RuntimeError",
        "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
        0,
        "docs/errors.md#numpy",
    ),
    "integers": Mistake(
        "torch.ones(3, dtype=torch.int64, requires_grad=True)  # fails",
        "RuntimeError",
        "Only Tensors of floating point and complex dtype can require gradients",
        0,
        "docs/errors.md#integers",
    ),
    "integers that are asked": Mistake(
        "torch.arange(3).requires_grad_()  # fails",
        "RuntimeError",
        "only Tensors of floating point dtype can require gradients",
        0,
        "docs/errors.md#integers",
    ),
    # Gradients that are missing or wrong, without an error.
    "grad of no leaf": Mistake(
        LEAF + "h = w * 2  # here\nh.sum().backward()",
        question="explain.why(h)",
        cause="not_leaf",
        advice="retain_grad()",
    ),
    "rebound": Mistake(
        LEAF + "w = w * 0.1  # here\n(w * w).sum().backward()",
        question="explain.why(w)",
        cause="rebound",
        advice="keep the leaf under its own name",
    ),
    "detach on a path": Mistake(
        LEAF + "v = torch.ones(3, requires_grad=True)\nh = (w * 2).detach()  # here\nloss = (h * v).sum()\nloss.backward()",
        question="explain.why(w, loss)",
        cause="detached",
        advice="leave out the detach()",
    ),
    "zero_grad after backward": Mistake(
        LEAF
        + OPTIMIZER
        + "with explain.watch():\n    loss = (w * w).sum()\n    loss.backward()\n    optimizer.zero_grad()  # here",
        question="explain.why(w)",
        cause="cleared",
        advice="before zero_grad()",
    ),
    "zero_grad forgotten": Mistake(
        LEAF
        + OPTIMIZER
        + "with explain.watch():\n    for _ in range(3):\n        loss = (w * w).sum()\n        loss.backward()  # here\n"
        + "        optimizer.step()",
        question="explain.why(w)",
        cause="accumulated",
        advice="optimizer.zero_grad() before each backward",
    ),
    "NaN from sqrt": Mistake(
        ZERO + "loss = (w * w).sqrt().sum()  # here\nloss.backward(retain_graph=True)",
        question="explain.why(w, loss)",
        cause="nonfinite",
        advice="a small number under the root",
    ),
    "NaN from log": Mistake(
        ZERO + "loss = (w * w.log()).sum()  # here\nloss.backward(retain_graph=True)",
        question="explain.why(w, loss)",
        cause="nonfinite",
        advice="xlogy",
    ),
    "NaN from where": Mistake(
        ZERO + "with explain.watch():\n    root = w.sqrt()  # here\n    torch.where(w > 0, root, 0.0).sum().backward()",
        question="explain.why(w)",
        cause="nonfinite",
        advice="torch.where(fine, x, 1.0).sqrt()",
    ),
    "NaN found by anomaly mode": Mistake(
        ZERO
        + ANOMALY
        + "root = (w * 0).sqrt()  # here\nloss = (root * 0).sum()\nloss.backward()  # fails\ntorch.autograd.set_detect_anomaly(False)",
        "RuntimeError",
        "Function 'SqrtBackward0' returned nan values in its 0th output.",
        3,
        "forward: ",
        "explain.first_nonfinite((root * 0).sum())",
        "",
        "torch.where(fine, x, 1.0).sqrt()",
    ),
    # Shapes.
    "sizes": Mistake(
        "torch.ones(2) + torch.ones(3)  # fails",
        "RuntimeError",
        "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0",
    ),
    "product": Mistake(
        "torch.ones(2, 3) @ torch.ones(2, 3)  # fails",
        "RuntimeError",
        "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)",
    ),
    "layer": Mistake(
        "torch.nn.Linear(3, 4)(torch.ones(2, 2))  # fails",
        "RuntimeError",
        "mat1 and mat2 shapes cannot be multiplied (2x2 and 3x4)",
        3,
    ),
    "target out of range": Mistake(
        "torch.nn.functional.cross_entropy(torch.ones(3, 4), torch.full((3,), 7))  # fails",
        "IndexError",
        "Target 7 is out of bounds.",
        1,
    ),
    "truth of several": Mistake(
        "bool(torch.ones(3))  # fails", "RuntimeError", "Boolean value of Tensor with more than one value is ambiguous"
    ),
}
"""By name."""


def run(mistake, torch, path, after="", **names):
    """Runs a program as a file, and then `after`: (its names, the error that it raised)."""
    lines = []
    for line in mistake.program.splitlines():
        caught = ["try:", f"    {line}", "except Exception as raised:", "    error = raised"]
        lines += caught if line.endswith("# fails") else [line]
    path.write_text("\n".join([*lines, after, ""]))
    names |= {"torch": torch, "__name__": "mistake"}
    exec(compile(path.read_text(), str(path), "exec"), names)
    return names, names.get("error")


def frames_below(error):
    """The files of the frames below the program's own."""
    found, at = [], error.__traceback__.tb_next
    while at is not None:
        found.append(at.tb_frame.f_code.co_filename)
        at = at.tb_next
    return found
