"""Whole training steps, with backward and optimizer inside."""

import pytest

import rushlight as torch
from rushlight import nn

from .cases import calls, network, replayed, same

F = nn.functional

pytestmark = pytest.mark.core


OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.01, amsgrad=True),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=0.01),
    "Adagrad": lambda p: torch.optim.Adagrad(p, lr=0.01, lr_decay=0.1),
    "Adadelta": lambda p: torch.optim.Adadelta(p, lr=0.5),
    "Adamax": lambda p: torch.optim.Adamax(p, lr=0.01),
    "RAdam": lambda p: torch.optim.RAdam(p, lr=0.01, betas=(0.9, 0.5)),
    "Rprop": lambda p: torch.optim.Rprop(p, lr=0.01),
    "NAdam": lambda p: torch.optim.NAdam(p, lr=0.01),
}


class Test_Steps:
    @pytest.mark.parametrize("name", OPTIMIZERS)
    @pytest.mark.parametrize("to_none", [True, False])
    def test_a_step_of_training(self, name, to_none):
        def trained(compile):
            model = network(4, 8, 3)
            optimizer = OPTIMIZERS[name](model.parameters())

            def step(x, y):
                optimizer.zero_grad(set_to_none=to_none)
                loss = F.cross_entropy(model(x), y)
                loss.backward()
                optimizer.step()
                return loss

            run = compile(step)
            torch.manual_seed(0)
            losses = [run(torch.rand(6, 4), torch.randint(0, 3, (6,))).item() for _ in range(12)]
            return run, losses, [p.tolist() for p in model.parameters()], [p.grad.tolist() for p in model.parameters()]

        compiled, *found = trained(torch.compile)
        assert tuple(found) == trained(lambda f: f)[1:]
        # (Some optimizers compute in Python with the count of steps.)
        assert (compiled.replays > 0) == (name != "NAdam"), compiled.attempts.reasons

    def test_gradients_accumulate(self):
        w = torch.rand(3, requires_grad=True)

        def f(x):
            (w * x).sum().backward()

        compiled = torch.compile(f)
        total = torch.zeros(3)
        for _ in range(7):
            x = torch.rand(3)
            compiled(x)
            total += x
            same(w.grad, total)
        replayed(compiled)

    def test_a_gradient_that_was_taken_stays(self):
        w = torch.rand(3, requires_grad=True)

        def f(x):
            w.grad = None
            (w * x).sum().backward()

        compiled, kept = torch.compile(f), []
        for i in range(7):
            compiled(torch.full((3,), float(i)))
            kept.append(w.grad)
        assert [g[0].item() for g in kept] == list(range(7))
        replayed(compiled)

    def test_batch_norm_and_dropout(self):
        def trained(compile):
            torch.manual_seed(1)
            model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.3), nn.ReLU(), nn.Linear(6, 1))
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

            def step(x):
                optimizer.zero_grad()
                loss = model(x).square().mean()
                loss.backward()
                optimizer.step()
                return loss.detach()

            run = compile(step)
            return run, [run(torch.rand(5, 4)).item() for _ in range(10)], [b.tolist() for b in model.buffers()]

        compiled, *found = trained(torch.compile)
        assert tuple(found) == trained(lambda f: f)[1:]
        replayed(compiled)

    def test_autograd_grad_and_functions(self):
        class Double(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return 2 * x

            @staticmethod
            def backward(ctx, g):
                (x,) = ctx.saved_tensors
                return 2 * g + 0 * x

        def f(x):
            y = Double.apply(x).sin().sum()
            (g,) = torch.autograd.grad(y, x, create_graph=True)
            (h,) = torch.autograd.grad(g.sum(), x)
            return g.detach(), h

        replayed(calls(f, 6, lambda: (torch.rand(3, requires_grad=True),)))

    def test_transforms(self):
        def f(x, w):
            def loss(w, x):
                return (w * x).sin().sum()

            return torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(w, x), torch.func.hessian(loss)(w, x[0])

        replayed(calls(f, 6, lambda: (torch.rand(5, 3), torch.rand(3))))
