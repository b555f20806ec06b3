"""L-BFGS (Liu and Nocedal, 1989), with a line search by the strong Wolfe conditions (Nocedal and Wright, 2006, algorithms 3.5 and 3.6)."""

import rushlight as torch
from rushlight.optim._description import check_single, invalid, number
from rushlight.optim.optimizer import Optimizer

__all__ = ["LBFGS"]


def _cubic_interpolate(x1, f1, g1, x2, f2, g2, bounds=None):
    """The minimum of the cubic through two points with two slopes, within `bounds`; their middle where it has none.

    Slopes are tensors without dimensions; of the points and values either will do.
    """
    low, high = bounds if bounds is not None else (x1, x2) if x1 <= x2 else (x2, x1)
    bend = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = bend**2 - g1 * g2
    if not square >= 0:
        return (low + high) / 2.0
    root = square.sqrt()
    if x1 <= x2:
        minimum = x2 - (x2 - x1) * ((g2 + root - bend) / (g2 - g1 + 2 * root))
    else:
        minimum = x1 - (x1 - x2) * ((g1 + root - bend) / (g1 - g2 + 2 * root))
    return min(max(minimum, low), high)


class _Point:
    """A place on the line: how far along, and value, gradient and slope there."""

    __slots__ = ("slope", "t", "value", "vector")

    def __init__(self, t, value, vector, slope):
        self.t, self.value, self.vector, self.slope = t, value, vector, slope


def _minimum_between(a, b, bounds=None):
    return _cubic_interpolate(a.t, a.value, a.slope, b.t, b.value, b.slope, bounds=bounds)


def _strong_wolfe(obj_func, x, t, d, f, g, gtd, c1=1e-4, c2=0.9, tolerance_change=1e-9, max_ls=25):
    """Searches from `x` along `d` for a step that lowers the value enough (`c1`) and flattens the slope enough (`c2`).

    `obj_func(x, t, d)` gives value and gradient at `x + t * d`; `f`, `g` and `gtd` are value, gradient and slope at `x`, and `t` is tried first.
    Returns value, gradient, step, and how often `obj_func` was called.
    """
    largest = d.abs().max()
    calls = 0

    def at(t):
        nonlocal calls
        calls += 1
        value, vector = obj_func(x, t, d)
        return _Point(t, value, vector.clone(memory_format=torch.contiguous_format), vector.dot(d))

    def too_high(point):
        return point.value > f + c1 * point.t * gtd

    def flat(point):
        return abs(point.slope) <= -c2 * gtd

    # Steps grow until one is good, or two have a good one between them.
    last, here, steps = _Point(0, f, g.clone(memory_format=torch.contiguous_format), gtd), at(t), 0
    while not (too_high(here) or (steps > 1 and here.value >= last.value)):
        if flat(here):
            return here.value, here.vector, here.t, calls
        if here.slope >= 0:
            break
        bounds = here.t + 0.01 * (here.t - last.t), here.t * 10
        last, here = here, at(_minimum_between(last, here, bounds))
        steps += 1
        if steps == max_ls:
            last = _Point(0, f, g, gtd)
            break

    # The interval shrinks around a good step.
    ends, stalled = [last, here], False

    def order():
        return (0, 1) if ends[0].value <= ends[1].value else (1, 0)

    low, high = order()
    while steps < max_ls:
        first, second = ends[0].t, ends[1].t
        if abs(second - first) * largest < tolerance_change:
            break
        t, lower, upper = _minimum_between(*ends), min(first, second), max(first, second)
        margin = 0.1 * (upper - lower)
        near = min(upper - t, t - lower) < margin
        if near and (stalled or t >= upper or t <= lower):
            t = upper - margin if abs(t - upper) < abs(t - lower) else lower + margin
            near = False
        stalled = near
        here = at(t)
        steps += 1
        if too_high(here) or here.value >= ends[low].value:
            ends[high] = here
            low, high = order()
            continue
        done = flat(here)
        if not done and here.slope * (ends[high].t - ends[low].t) >= 0:
            ends[high] = ends[low]
        ends[low] = here
        if done:
            break
    best = ends[low]
    return best.value, best.vector, best.t, calls


class LBFGS(Optimizer):
    """L-BFGS: Newton's steps with a Hessian that is told from the last gradients and steps; `step` calls its closure many times.

    All parameters are in one group, and one state, that of the first of them.

    Args:
        params: parameters, which are one group, and have one state, that of the first of them.
        lr: step size, a number or a tensor of one element; a line search tries it first.
        max_iter: iterations a call of `step`.
        max_eval: calls of the closure a call of `step`, 1.25 times `max_iter` if None.
        tolerance_grad: the largest element of a gradient at which a step is done.
        tolerance_change: the largest change of parameters, or of the loss, at which it is.
        history_size: how many gradients and steps are kept.
        line_search_fn: "strong_wolfe", or None for steps of one size.

    >>> import rushlight as torch
    >>> w = torch.tensor([-1.0, 1.0], requires_grad=True)
    >>> optimizer = torch.optim.LBFGS([w], line_search_fn="strong_wolfe", max_iter=50)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> w.detach().round(decimals=3)
    tensor([1., 1.])
    """

    def __init__(
        self,
        params,
        lr=1,
        max_iter=20,
        max_eval=None,
        tolerance_grad=1e-7,
        tolerance_change=1e-9,
        history_size=100,
        line_search_fn=None,
    ):
        check_single("lr", lr)
        if not lr >= 0.0:
            raise invalid("lr", lr)
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        defaults = dict(
            lr=lr,
            max_iter=max_iter,
            max_eval=max_eval,
            tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change,
            history_size=history_size,
            line_search_fn=line_search_fn,
        )
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params = self.param_groups[0]["params"]

    # The parameters as one vector of real numbers.
    def _gather_flat_grad(self):
        pieces = []
        for param in self._params:
            grad = torch.zeros_like(param) if param.grad is None else param.grad
            grad = grad.to_dense() if grad.is_sparse else grad
            pieces.append((torch.view_as_real(grad) if grad.is_complex() else grad).reshape(-1))
        return torch.cat(pieces, 0)

    def _add_grad(self, step_size, direction):
        offset = 0
        for param in self._params:
            if param.is_complex():
                param = torch.view_as_real(param)
            count = param.numel()
            param.add_(direction[offset : offset + count].view_as(param), alpha=number(step_size))
            offset += count

    def _clone_param(self):
        return [param.clone(memory_format=torch.contiguous_format) for param in self._params]

    def _set_param(self, values):
        for param, value in zip(self._params, values, strict=True):
            param.copy_(value)

    def _directional_evaluate(self, closure, x, t, d):
        """Loss and gradient at `x + t * d`; the parameters are `x` before and after."""
        self._add_grad(t, d)
        loss = float(closure())
        gradient = self._gather_flat_grad()
        self._set_param(x)
        return loss, gradient

    @torch.no_grad()
    def step(self, closure):
        """Iterates until a tolerance or a limit is met; `closure` evaluates the model again and returns the loss. Returns the first loss."""
        closure = torch.enable_grad()(closure)
        group = self.param_groups[0]
        lr, search, max_iter = group["lr"], group["line_search_fn"], group["max_iter"]
        least_grad, least_change = group["tolerance_grad"], group["tolerance_change"]
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = closure()
        loss, calls = float(first_loss), 1
        state["func_evals"] += 1
        gradient = self._gather_flat_grad()
        if gradient.abs().max() <= least_grad:
            return first_loss
        memory = _Memory(state, group["history_size"])
        t, previous, previous_loss = state.get("t"), state.get("prev_flat_grad"), state.get("prev_loss")
        for iteration in range(1, max_iter + 1):
            state["n_iter"] += 1
            first = state["n_iter"] == 1
            direction = memory.first_direction(gradient) if first else memory.direction(gradient, previous, t)
            previous = gradient.clone(memory_format=torch.contiguous_format) if previous is None else previous.copy_(gradient)
            previous_loss = loss
            t = min(1.0, 1.0 / gradient.abs().sum()) * lr if first else lr
            slope = gradient.dot(direction)
            if slope > -least_change:
                break
            done, more = False, 0
            if search is not None:
                if search != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")

                def along(x, t, d):
                    return self._directional_evaluate(closure, x, t, d)

                loss, gradient, t, more = _strong_wolfe(
                    along, self._clone_param(), t, direction, loss, gradient, slope, max_ls=group["max_eval"] - calls
                )
                self._add_grad(t, direction)
            else:
                self._add_grad(t, direction)
                if iteration != max_iter:
                    loss, more = float(closure()), 1
                    gradient = self._gather_flat_grad()
            calls += more
            state["func_evals"] += more
            done = more > 0 and gradient.abs().max() <= least_grad
            if iteration == max_iter or calls >= group["max_eval"] or done:
                break
            if direction.mul(t).abs().max() <= least_change or abs(loss - previous_loss) < least_change:
                break
        memory.save(t)
        state["prev_flat_grad"], state["prev_loss"] = previous, previous_loss
        return first_loss


class _Memory:
    """The last changes of gradient and parameters, and Newton's direction by them."""

    def __init__(self, state, size):
        self.state, self.size = state, size
        self.last = state.get("d")
        self.changes, self.moves, self.inverses = state.get("old_dirs"), state.get("old_stps"), state.get("ro")
        self.scale = state.get("H_diag")

    def first_direction(self, gradient):
        self.changes, self.moves, self.inverses, self.scale = [], [], [], 1
        self.last = gradient.neg()
        return self.last

    def direction(self, gradient, previous, t):
        """By the recursion of two loops, over the moves from the last one back and forth again."""
        change, move = gradient.sub(previous), self.last.mul(t)
        curvature = change.dot(move)
        if curvature > 1e-10:
            if len(self.changes) == self.size:
                for kept in (self.changes, self.moves, self.inverses):
                    kept.pop(0)
            self.changes.append(change)
            self.moves.append(move)
            self.inverses.append(1.0 / curvature)
            self.scale = curvature / change.dot(change)
        shares = self.state.setdefault("al", [None] * self.size)
        q = gradient.neg()
        for i in range(len(self.changes) - 1, -1, -1):
            shares[i] = self.moves[i].dot(q) * self.inverses[i]
            q.add_(self.changes[i], alpha=-number(shares[i]))
        self.last = torch.mul(q, self.scale)
        for i, change in enumerate(self.changes):
            share = change.dot(self.last) * self.inverses[i]
            self.last.add_(self.moves[i], alpha=number(shares[i] - share))
        return self.last

    def save(self, t):
        found = dict(d=self.last, t=t, old_dirs=self.changes, old_stps=self.moves, ro=self.inverses, H_diag=self.scale)
        self.state.update(found)
