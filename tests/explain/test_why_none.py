"""rushlight.explain.why of a gradient that is None: every cause, with its line."""

import rushlight as torch
from rushlight import explain, nn

from .answers import check, cut_off

why = explain.why


class TestGradientIsNone:
    def test_not_called(self, x):
        loss = (x * 2).sum()  # used
        check(why(x), "backward_not_called", "used")
        check(why(x, loss), "backward_not_called", "used")
        assert "x is used by 1 recorded operation" in str(why(x))

    def test_not_called_and_will_be_zero(self, x):
        loss = (x - 5).relu().sum()
        assert "And it will be zero then" in str(why(x, loss))

    def test_present(self, x):
        (x * 2).sum().backward()
        check(why(x), "grad")

    def test_nonfinite(self):
        x = torch.zeros(2, requires_grad=True)
        x.sqrt().sum().backward()
        check(why(x), "nonfinite")

    def test_unused(self, x):
        check(why(x), "unused")

    def test_graph_gone(self, x):
        (x * 2).sum()
        check(why(x), "unused")

    def test_cleared(self, x):
        loss = (x * x).sum()  # used
        loss.backward()
        x.grad = None
        check(why(x, loss), "cleared", "used")
        check(why(x), "cleared", "used")

    def test_cleared_while_watched(self, x):
        optimizer = torch.optim.SGD([x], 0.1)
        with explain.watch():
            (x * x).sum().backward()
            optimizer.zero_grad()  # cleared
        check(why(x), "cleared", "cleared")

    def test_not_leaf(self, x):
        y = x * 2  # made
        y.sum().backward()
        check(why(y), "not_leaf", "made")

    def test_retained_but_not_called(self, x):
        y = x * 2  # made
        y.retain_grad()
        check(why(y), "backward_not_called", "made")

    def test_copy_of_a_leaf_that_has_a_name(self, x):
        y = x.clone()  # made
        answer = why(y)
        check(answer, "not_leaf", "made")
        assert "x.grad is filled" in str(answer)

    def test_rebound(self, x):
        x = x * 2  # rebound
        x.sum().backward()
        check(why(x), "rebound", "rebound")

    def test_rebound_by_to(self, x):
        x = x.to(torch.float64)  # rebound
        check(why(x), "rebound", "rebound")

    def test_parameter_converted(self):
        p = nn.Parameter(torch.ones(2)).double()  # converted
        check(why(p), "rebound", "converted")

    def test_read_out_while_watched(self, x):
        with explain.watch():
            value = x.sum().item()  # read
        assert value == 6
        check(why(x), "copied", "read")


class TestNotOnPath:
    def test_other_branch(self, x, w):
        other = x * 2
        loss = (w * 2).sum()
        answer = why(x, loss)
        check(answer, "not_on_path")
        assert "x is used by 1 recorded operation" in str(answer)
        assert other.requires_grad

    def test_other_way_round(self, x):
        loss = (x * 2).sum()
        answer = why(loss, x)
        check(answer, "not_on_path")
        assert "loss was computed from x" in str(answer) and answer.fix == "ask why(x, loss)"

    def test_no_grad(self, x, w):
        with torch.no_grad():
            h = x * 2  # cut
        loss = (h * w).sum()
        check(why(x, loss), "no_grad", "cut")

    def test_detach(self, x, w):
        h = (x * 2).detach()  # cut
        loss = (h * w).sum()
        check(why(x, loss), "detached", "cut")

    def test_detach_seen_by_memory(self, x, w):
        h = x * 2
        loss = (cut_off(h) * w).sum()  # used
        answer = why(x, loss)
        check(answer, "detached", "used")
        assert "uses the memory of what mul made of it" in str(answer)

    def test_data(self, x, w):
        h = x.data  # cut
        loss = (h * w).sum()
        check(why(x, loss), "data", "cut")

    def test_loss_without_graph(self, x):
        h = x.detach()  # cut
        loss = (h * 2).sum()
        check(why(x, loss), "detached", "cut")

    def test_through_numbers(self, x, w):
        h = x.sum().item()  # read
        loss = (h * w).sum()
        check(why(x, loss), "copied", "read")

    def test_gradient_from_elsewhere(self, x, w):
        (x * 2).sum().backward()
        loss = w.sum()
        assert "comes from elsewhere" in str(why(x, loss))

    def test_not_certain(self, x, w):
        with torch.no_grad():
            h = x * 2
        loss = (h * w).sum()
        assert not why(x, loss).certain
        assert "explain.watch()" in str(why(x, loss))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.unused = nn.Linear(3, 3), nn.Linear(3, 1), nn.Linear(1, 1)

    def forward(self, x):
        with torch.no_grad():  # block
            h = self.first(x)  # cut
        return self.second(h)


class TestModule:
    def test_without_watch(self):
        net = Net()
        loss = net(torch.randn(2, 3)).sum()
        loss.backward()
        answers = why(net, loss)
        assert list(answers.answers) == ["first.weight", "first.bias", "unused.weight", "unused.bias"]
        assert "Lines of the program that can cut a path:" in str(answers["first.weight"])
        assert str(answers).startswith("4 of 6 parameters have no gradient, or zeros:")
        assert len(why(net)) == len(answers) == 4

    def test_watched(self):
        net = Net()
        with explain.watch():
            loss = net(torch.randn(2, 3)).sum()
        answers = dict(why(net, loss))
        check(answers["first.weight"], "no_grad", "cut")
        check(answers["unused.bias"], "unused")
        assert answers["second.bias"].cause == "backward_not_called"

    def test_all_well(self):
        net = nn.Linear(2, 1)
        net(torch.ones(1, 2)).sum().backward()
        assert str(why(net)) == "All 2 parameters have gradients that are not zero."
