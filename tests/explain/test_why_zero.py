"""rushlight.explain.why of a gradient that is zero."""

import pytest

import rushlight as torch
from rushlight import explain

from .answers import check

why = explain.why


ZEROS = {
    "dead_relu": lambda x: (x - 5).relu(),  # dead_relu
    "multiplied_by_zero": lambda x: x * torch.zeros(3),  # multiplied_by_zero
    "saturated": lambda x: (x * 1000).sigmoid(),  # saturated
    "masked": lambda x: x.masked_fill(torch.ones(3, dtype=torch.bool), 1.0),  # masked
    "flat": lambda x: x.round(),  # flat
    "not_selected": lambda x: torch.maximum(x, torch.full((3,), 9.0)),  # not_selected
}


class TestGradientIsZero:
    @pytest.mark.parametrize("cause", ZEROS)
    def test_whole_graph(self, x, cause):
        loss = (ZEROS[cause](x) * 2).sum()
        loss.backward(retain_graph=True)
        check(why(x, loss), cause, cause)
        check(why(x), cause, cause)

    @pytest.mark.parametrize("cause", ZEROS)
    def test_watched(self, x, cause):
        with explain.watch():
            loss = (ZEROS[cause](x) * 2).sum()
            loss.backward()
        check(why(x, loss), cause, cause)
        check(why(x), cause, cause)

    def test_clamp(self, x):
        loss = x.clamp(5, 6).sum()  # cut
        loss.backward(retain_graph=True)
        check(why(x, loss), "saturated", "cut")

    def test_where(self, x, w):
        loss = torch.where(torch.zeros(3, dtype=torch.bool), x, w).sum()  # cut
        loss.backward(retain_graph=True)
        check(why(x, loss), "masked", "cut")

    def test_number_zero(self, x):
        loss = (x * 0).sum()  # cut
        loss.backward(retain_graph=True)
        check(why(x, loss), "multiplied_by_zero", "cut")

    def test_zero_weights(self, x):
        loss = (torch.zeros(2, 3) @ x).sum()  # cut
        loss.backward(retain_graph=True)
        check(why(x, loss), "multiplied_by_zero", "cut")

    def test_cancelled(self, x):
        loss = (x - x).sum()  # cancelled
        loss.backward(retain_graph=True)
        check(why(x, loss), "cancelled", "cancelled")

    def test_zeroed(self, x):
        (x * 2).sum().backward()
        x.grad.zero_()  # zeroed
        check(why(x), "zeroed", "zeroed")

    def test_zero_grad(self, x):
        optimizer = torch.optim.SGD([x], 0.1)
        (x * 2).sum().backward()
        optimizer.zero_grad(set_to_none=False)  # zeroed
        check(why(x), "zeroed", "zeroed")

    def test_freed(self, x):
        loss = (x - 5).relu().sum()
        loss.backward()
        answer = why(x, loss)
        check(answer, "zero")
        assert "relu: " in str(answer) and not answer.certain
