"""rushlight.explain.why of what does not require grad, and of what was watched."""

import pytest

import rushlight as torch
from rushlight import explain, nn

from .answers import CUTS, check, cut_off

why = explain.why


class TestWatched:
    @pytest.mark.parametrize("cause", CUTS)
    def test_cut(self, x, w, cause):
        with explain.watch():
            h = CUTS[cause](x)
            loss = (h * w).sum() if cause != "inference_mode" else None
        for answer in (why(h), why(x, loss) if loss is not None else why(h)):
            check(answer, cause, cause)
            assert answer.certain

    def test_copy_of_a_tensor(self, x, w):
        with pytest.warns(UserWarning), explain.watch():
            h = torch.tensor(x)  # copied
        check(why(h), "copied", "copied")

    def test_numpy(self, x, w):
        pytest.importorskip("numpy")
        with explain.watch():
            h = torch.from_numpy(x.detach().numpy() * 2)  # copied
            loss = (h * w).sum()
        check(why(x, loss), "copied", "copied")

    def test_made_without_gradient(self):
        with explain.watch():
            a = torch.zeros(3)  # made
            b = a * 2  # computed
        check(why(a), "leaf", "made")
        check(why(b), "no_input", "computed")

    def test_frozen(self):
        layer = nn.Linear(3, 2)
        with explain.watch():
            layer.weight.requires_grad_(False)  # frozen
        check(why(layer.weight), "frozen", "frozen")

    def test_written_without_recording(self, x, w):
        buffer = torch.zeros(3)
        with explain.watch():
            with torch.no_grad():
                buffer.copy_(x * 2)  # cut
            loss = (buffer * w).sum()
        check(why(x, loss), "no_grad", "cut")

    def test_leaves_nothing_behind(self, x):
        before = {name: torch.Tensor.__dict__[name] for name in ("detach", "data", "grad", "item", "requires_grad_")}
        functions = torch.tensor, torch.core.run_backward
        with pytest.raises(ZeroDivisionError), explain.watch():
            1 / 0  # noqa: B018
        assert {name: torch.Tensor.__dict__[name] for name in before} == before
        assert (torch.tensor, torch.core.run_backward) == functions
        assert torch.core.current_interpreter() is None

    def test_same_results(self, x, w):
        def program():
            torch.manual_seed(0)
            h = torch.nn.functional.dropout(x * w, 0.5)
            h = h.clone()
            h[0] = 3
            h.add_(1)
            total = torch.zeros(3)
            torch.mul(h, 2, out=total) if not h.requires_grad else None
            (gradient,) = torch.autograd.grad((h * h).sum(), x)
            return h, gradient

        plain = program()
        with explain.watch() as watching:
            watched = program()
        assert all(torch.equal(a, b) for a, b in zip(plain, watched))
        assert watching.operations > 5
        assert "operations noted" in str(watching)

    def test_forgets_the_dead(self, x):
        with explain.watch():
            for _ in range(100):
                x * 2
            known = len(explain._watch._memory)
        assert known < 50  # (what tests before this one left to the collector may be among them)

    def test_nested(self, x):
        with explain.watch(), explain.watch():
            h = x.detach()  # cut
        check(why(h), "detached", "cut")
        assert not explain._watch.is_watching()


class TestDoesNotRequireGrad:
    def test_no_grad(self, x):
        with torch.no_grad():
            h = x * 2  # cut
        answer = why(h)
        check(answer, "no_grad", "cut")
        assert not answer.certain

    def test_no_grad_decorator(self, x):
        @torch.no_grad()
        def evaluate():
            h = x * 2  # cut
            return why(h)

        check(evaluate(), "no_grad", "cut")

    def test_no_grad_view(self, x):
        with torch.no_grad():
            h = x * 1
            v = h[0]
        assert why(v).cause == "no_grad"

    def test_inference_mode(self, x):
        with torch.inference_mode():
            h = x * 2  # cut
        answer = why(h)
        check(answer, "inference_mode", "cut")
        assert answer.certain

    def test_detach(self, x):
        h = x.detach()  # cut
        check(why(h), "detached", "cut")
        (lost,) = [cut_off(x)]
        check(why(lost), "detached", "in a helper")
        assert why(lost).certain

    def test_data(self, x):
        h = x.data  # cut
        check(why(h), "data", "cut")

    def test_integers(self, x):
        h = x.long()  # cast
        check(why(h), "integer", "cast")
        h = x.to(torch.int32)  # to
        check(why(h), "integer", "to")
        h = torch.arange(3)
        check(why(h), "integer")

    def test_comparison(self, x):
        h = x > 2  # compared
        check(why(h), "comparison", "compared")
        h = (x > 2).float()  # then float
        check(why(h), "comparison", "then float")

    def test_indices(self, x):
        h = x.argmax()  # chosen
        check(why(h), "indices", "chosen")

    def test_copied(self, x):
        h = torch.tensor(x.sum().item())  # copied
        check(why(h), "copied", "copied")

    def test_indirect(self, x):
        h = x.detach()  # cut
        k = h * 2
        loss = k.sum()
        del h, k
        check(why(loss), "detached", "cut")

    def test_frozen(self):
        p = nn.Parameter(torch.ones(2))
        p.requires_grad_(False)
        check(why(p), "frozen")

    def test_leaf(self):
        a = torch.randn(3)  # made
        b = a * 2  # computed
        check(why(a), "leaf", "made")
        check(why(b), "no_input", "computed")
        assert "That is: a." in str(why(b))

    def test_one_hot(self, x):
        chosen = x.argmax()
        h = nn.functional.one_hot(chosen, 3).float()  # cut
        loss = (h * 2).sum()
        check(why(loss), "indices", "cut")

    def test_one_of_several_targets(self, x):
        h, k = x.detach(), 3  # cut
        assert k == 3
        check(why(h), "detached", "cut")

    def test_asked_late(self):
        z = torch.ones(3)
        h = z * 2
        z.requires_grad_()  # late
        check(why(h), "asked_late", "late")

    def test_unknown(self):
        (lost,) = [torch.ones(3) * 2]
        answer = why(lost)
        check(answer, "unknown")
        assert not answer.certain and "explain.watch()" in str(answer)

    def test_numbers_and_arrays(self):
        with pytest.raises(TypeError, match="a number or array has no graph"):
            why(1.0)
        with pytest.raises(TypeError, match="a number or array has no graph"):
            why(torch.ones(1), 1.0)
