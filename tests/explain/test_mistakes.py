"""Classic mistakes, each a script of a few lines: the error is PyTorch's, it names the line, and `why` knows what broke."""

import pathlib
import traceback

import pytest

import rushlight as torch
from rushlight import explain

from .answers import check

PACKAGE = str(pathlib.Path(torch.__file__).parent)
DEEPEST = 3
"""PyTorch shows that many frames of its own when backward fails (2.13)."""

NO_GRAPH = "element 0 of tensors does not require grad and does not have a grad_fn"


def x_of_three():
    return torch.ones(3, requires_grad=True)


def in_place_on_a_leaf(x):
    x += 1


def write_into_a_view_of_a_leaf(x):
    x[0] = 5.0


def overwritten(x):
    y = x.exp()
    y.add_(1)
    y.sum().backward()


def second_backward(x):
    loss = (x * x).sum()
    loss.backward()
    loss.backward()


def not_a_scalar(x):
    (x * 2).backward()


def integers(x):
    torch.tensor([1, 2], requires_grad=True)


def numpy_of_tracked(x):
    (x * 2).numpy()


def detached(x):
    loss = (x * 2).detach().sum()  # detached
    loss.backward()


def item(x):
    loss = torch.tensor((x * 2).sum().item())  # copied
    loss.backward()


def under_no_grad(x):
    with torch.no_grad():
        loss = (x * x).sum()  # no_grad
    loss.backward()


def argmax(x):
    x.argmax().backward()  # indices


def comparison(x):
    (x != 1).float().mean().backward()  # comparison


def unique(x):
    x.unique().sum().backward()


def forgotten_create_graph(x):
    (g,) = torch.autograd.grad((x**3).sum(), x)  # create_graph
    g.sum().backward()


def shapes(x):
    x * torch.ones(4)


def doubled(x):
    return torch.tensor([v.item() * 2 for v in x])  # within


def copied_in_a_helper(x):
    loss = doubled(x).sum()
    loss.backward()


def rebound_in_a_loop(x):
    x = torch.ones(3, requires_grad=True)
    for _ in range(2):
        loss = (x * x).sum()
        loss.backward()
        with torch.no_grad():
            x = x - 0.1 * x.grad  # rebound


MESSAGES = {
    in_place_on_a_leaf: "a leaf Variable that requires grad is being used in an in-place operation.",
    write_into_a_view_of_a_leaf: "a view of a leaf Variable that requires grad is being used in an in-place operation.",
    overwritten: "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor [3]], "
    "which is output 0 of Exp, is at version 1; expected version 0 instead. Hint: enable anomaly detection to find the operation that failed "
    "to compute its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False).",
    second_backward: "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). "
    "Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to "
    "backward through the graph a second time or if you need to access saved tensors after calling backward.",
    not_a_scalar: "grad can be implicitly created only for scalar outputs",
    integers: "Only Tensors of floating point and complex dtype can require gradients",
    numpy_of_tracked: "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
    detached: NO_GRAPH,
    item: NO_GRAPH,
    under_no_grad: NO_GRAPH,
    argmax: NO_GRAPH,
    comparison: NO_GRAPH,
    unique: "the derivative for '_unique2' is not implemented.",
    forgotten_create_graph: NO_GRAPH,
    shapes: "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0",
    copied_in_a_helper: NO_GRAPH,
    rebound_in_a_loop: NO_GRAPH,
}


@pytest.mark.parametrize("mistake", MESSAGES, ids=lambda mistake: mistake.__name__)
def test_error(mistake):
    with pytest.raises(RuntimeError) as caught:
        mistake(x_of_three())
    assert str(caught.value) == MESSAGES[mistake]
    frames = [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert sum(name.startswith(PACKAGE) for name in frames) <= DEEPEST
    # No frame names a file that is not there to be read.
    assert all(pathlib.Path(name).is_file() for name in frames)


CAUSES = {
    detached: ("detach() cuts it off", "# detached", "loss"),
    item: ("made from plain values", "# copied", "loss"),
    under_no_grad: ("grad mode off", "# no_grad", "loss"),
    argmax: ("the operation gives indices", "# indices", "…"),
    comparison: ("a comparison gives True or False", "# comparison", "…"),
    forgotten_create_graph: ("without create_graph=True", "# create_graph", "…"),
    copied_in_a_helper: ("made from plain values", "# within", "loss"),
    rebound_in_a_loop: ("the name x stands for a new tensor", "# rebound", "loss"),
}


@pytest.mark.parametrize("mistake", CAUSES, ids=lambda mistake: mistake.__name__)
def test_note(mistake):
    """The error says the one cause, with its line, and how to ask for more."""
    cause, mark, name = CAUSES[mistake]
    with pytest.raises(RuntimeError) as caught:
        mistake(x_of_three())
    *before, note, more = caught.value.__notes__
    assert cause in note
    assert note.endswith(mark)
    assert more == f"  rushlight.explain.why({name}) tells more"
    assert len(before) == (mistake is argmax)  # its dtype


def test_the_call_that_asks_is_no_cause(x):
    """`autograd.grad` of what has no graph is not what cut it off; what it is given may be."""
    with pytest.raises(RuntimeError) as caught:
        torch.autograd.grad(torch.ones(2).sum(), torch.ones(1))
    assert not any("create_graph" in note for note in caught.value.__notes__)
    with pytest.raises(RuntimeError) as caught:
        torch.autograd.grad(x.detach().sum(), x)  # detached
    assert any("detach()" in note and note.endswith("# detached") for note in caught.value.__notes__)


class TestBackwardThatCannotRun:
    def test_overwritten(self, x):
        y = x.exp()  # saved
        y.add_(1)
        loss = y.sum()
        answer = explain.why(x, loss)
        check(answer, "overwritten", "saved")
        assert "y.add_(1)" in str(answer)
        assert "backward stops at exp" in str(explain.steps(loss))

    def test_no_derivative(self, x):
        values = x.unique()  # unique
        loss = values.sum()
        check(explain.why(x, loss), "no_derivative", "unique")

    def test_steps_show_one_frame(self, x):
        y = x.exp()
        y.add_(1)
        loss = y.sum()
        with pytest.raises(RuntimeError, match="modified by an inplace") as caught:
            list(explain.steps(loss))
        frames = [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert sum(name.startswith(PACKAGE) for name in frames) == 1


class TestNames:
    def test_without_source_only_identity_proves_a_name(self):
        program = "import rushlight as torch\nx = torch.ones(3, requires_grad=True)\nz = torch.zeros(2)\nfrom rushlight import explain\n"
        variables = {}
        exec(program + "named = explain.why(z)\nunnamed = explain.why(torch.zeros(1))", variables)
        assert variables["named"].headline == "z does not require grad."
        assert variables["unnamed"].headline == "this tensor does not require grad."

    def test_rebinding_under_no_grad(self):
        w = torch.ones(3, requires_grad=True)
        (w * w).sum().backward()
        with torch.no_grad():
            w = w - 0.1 * w.grad  # rebinding
        answer = explain.why(w)
        check(answer, "rebound", "rebinding")
        assert "w -= …" in answer.fix

    def test_rebinding_under_watch(self):
        w = torch.ones(3, requires_grad=True)
        with explain.watch():
            (w * w).sum().backward()
            with torch.no_grad():
                w = w - 0.1 * w.grad  # rebinding
        answer = explain.why(w)
        check(answer, "rebound", "rebinding")
        assert answer.certain
        assert "w -= …" in answer.fix
