"""Classic mistakes of autograd: programs that fail or go wrong, and what PyTorch says to them.

In a program, the line that fails ends with `# fails`, and the line to blame with `# here`.
"""

from typing import NamedTuple


class Mistake(NamedTuple):
    """A program and PyTorch's answer: type and beginning of the error, and how many of PyTorch's own frames its traceback has."""

    program: str
    error: str
    message: str
    frames: int


LEAF = "w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)\n"
NO_GRAPH = "element 0 of tensors does not require grad and does not have a grad_fn"
OVERWRITTEN = "one of the variables needed for gradient computation has been modified by an inplace operation: "
LEAF_WRITTEN = "a leaf Variable that requires grad is being used in an in-place operation."
SECOND = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved "
    "intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to "
    "backward through the graph a second time or if you need to access saved tensors after calling backward."
)
TWO_PARAMETERS = """\
p, q = torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.ones(3))
optimizer = torch.optim.SGD([p, q], lr=0.1)
loss = (p * q).sum()
loss.backward(retain_graph=True)
optimizer.step()  # here
loss.backward()  # fails
"""

MISTAKES = {
    "write into a leaf": Mistake(LEAF + "w += 1  # fails", "RuntimeError", LEAF_WRITTEN, 0),
    "write into a view of a leaf": Mistake(LEAF + "w[0] = 2.0  # fails", "RuntimeError", "a view of " + LEAF_WRITTEN, 0),
    "write into a saved value": Mistake(
        LEAF + "y = w.exp()\ny.add_(1)  # here\ny.sum().backward()  # fails", "RuntimeError", OVERWRITTEN, 3
    ),
    "step between two backwards": Mistake(TWO_PARAMETERS, "RuntimeError", OVERWRITTEN, 3),
    "second backward": Mistake(
        LEAF + "loss = w.exp().sum()\nloss.backward()\nloss.backward()  # fails", "RuntimeError", SECOND, 3
    ),
    "loss of several elements": Mistake(
        LEAF + "loss = w * 2\nloss.backward()  # fails",
        "RuntimeError",
        "grad can be implicitly created only for scalar outputs",
        3,
    ),
    "numpy": Mistake(
        LEAF + "w.numpy()  # fails",
        "RuntimeError",
        "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
        0,
    ),
    "integers": Mistake(
        "torch.ones(3, dtype=torch.int64, requires_grad=True)  # fails",
        "RuntimeError",
        "Only Tensors of floating point and complex dtype can require gradients",
        0,
    ),
    "integers that are asked": Mistake(
        "torch.arange(3).requires_grad_()  # fails",
        "RuntimeError",
        "only Tensors of floating point dtype can require gradients",
        0,
    ),
    "detach": Mistake(
        LEAF + "h = w.detach()  # here\nloss = (h * 2).sum()\nloss.backward()  # fails", "RuntimeError", NO_GRAPH, 3
    ),
    "detach in a function": Mistake(
        LEAF + "def features(x):\n    return x.detach()  # here\nloss = features(w).sum()\nloss.backward()  # fails",
        "RuntimeError",
        NO_GRAPH,
        3,
    ),
    "item": Mistake(
        LEAF + "total = w.sum()\nloss = torch.tensor(total.item()) * 2  # here\nloss.backward()  # fails",
        "RuntimeError",
        NO_GRAPH,
        3,
    ),
    "no_grad": Mistake(
        LEAF + "with torch.no_grad():\n    loss = (w * 2).sum()  # here\nloss.backward()  # fails", "RuntimeError", NO_GRAPH, 3
    ),
    "rebound under no_grad": Mistake(
        LEAF
        + "(w * w).sum().backward()\nwith torch.no_grad():\n    w = w - 0.1 * w.grad  # here\nloss = (w * w).sum()\nloss.backward()  # fails",
        "RuntimeError",
        NO_GRAPH,
        3,
    ),
    "argmax": Mistake(LEAF + "loss = w.argmax()  # here\nloss.backward()  # fails", "RuntimeError", NO_GRAPH, 3),
    "comparison": Mistake(LEAF + "loss = (w != 2).float().mean()  # here\nloss.backward()  # fails", "RuntimeError", NO_GRAPH, 3),
    "unique": Mistake(
        LEAF + "loss = w.unique().sum()  # here\nloss.backward()  # fails",
        "NotImplementedError",
        "the derivative for '_unique2' is not implemented.",
        3,
    ),
    "create_graph forgotten": Mistake(
        LEAF + "(g,) = torch.autograd.grad((w**3).sum(), w)  # here\nloss = g.sum()\ntorch.autograd.grad(loss, w)  # fails",
        "RuntimeError",
        NO_GRAPH,
        2,
    ),
    "not used": Mistake(
        LEAF + "v = torch.ones(3, requires_grad=True)\ntorch.autograd.grad((w * 2).sum(), v)  # fails",
        "RuntimeError",
        "The differentiated Tensor at index 0 appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.",
        2,
    ),
    "sizes": Mistake(
        "torch.ones(2) + torch.ones(3)  # fails",
        "RuntimeError",
        "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0",
        0,
    ),
    "product": Mistake(
        "torch.ones(2, 3) @ torch.ones(2, 3)  # fails",
        "RuntimeError",
        "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)",
        0,
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
        "bool(torch.ones(3))  # fails", "RuntimeError", "Boolean value of Tensor with more than one value is ambiguous", 0
    ),
}
"""By name."""


def run(mistake, torch, path, after=""):
    """Runs a program as a file, and then `after`: (its names, the error that it raised)."""
    lines = []
    for line in mistake.program.splitlines():
        caught = ["try:", f"    {line}", "except Exception as raised:", "    error = raised"]
        lines += caught if line.endswith("# fails") else [line]
    path.write_text("\n".join([*lines, after, ""]))
    names = {"torch": torch, "__name__": "mistake"}
    exec(compile(path.read_text(), str(path), "exec"), names)
    return names, names.get("error")


def frames_below(error):
    """The files of the frames below the program's own."""
    found, at = [], error.__traceback__.tb_next
    while at is not None:
        found.append(at.tb_frame.f_code.co_filename)
        at = at.tb_next
    return found
