"""What is measured. A workload is a function of the library that prepares its tensors and returns the call to time.

The name tells the group: `overhead` is one op, with recording, on tensors of four elements and `training` is whole steps, both on
one thread; `kernels` is large tensors on two threads.
"""

FLOATS = (0.5, 0.25, 0.75, 1.0)

# One op of every kind that a model calls: arithmetic, broadcast, mathematics, reductions, views, joining, indexing, matrices, nn.
OPS = {
    "mul": lambda t, x, y: lambda: x * y,
    "add a number": lambda t, x, y: lambda: x + 2.0,
    "div": lambda t, x, y: lambda: x / y,
    "pow": lambda t, x, y: lambda: x**2,
    "exp": lambda t, x, y: lambda: x.exp(),
    "tanh": lambda t, x, y: lambda: t.tanh(x),
    "relu": lambda t, x, y: lambda: t.relu(x),
    "where": lambda t, x, y, m: lambda: t.where(m, x, y),
    "clamp": lambda t, x, y: lambda: x.clamp(0.3, 0.8),
    "sum": lambda t, x, y: lambda: x.sum(),
    "mean of a dimension": lambda t, x, y: lambda: x.mean(0),
    "max": lambda t, x, y: lambda: x.max(),
    "softmax": lambda t, x, y: lambda: t.softmax(x, 0),
    "reshape": lambda t, x, y: lambda: x.reshape(2, 2),
    "transpose": lambda t, x, y, a: lambda: a.t(),
    "slice": lambda t, x, y: lambda: x[1:3],
    "cat": lambda t, x, y: lambda: t.cat((x, y)),
    "gather": lambda t, x, y, i: lambda: x.gather(0, i),
    "matmul": lambda t, x, y, a: lambda: a @ a,
    "linear": lambda t, x, y, a: lambda: t.nn.functional.linear(a, a),
}


def _overhead(name):
    def prepare(t):
        x, y = t.tensor(FLOATS, requires_grad=True), t.tensor(FLOATS[::-1], requires_grad=True)
        extra = {
            "where": lambda: t.tensor([True, False, True, False]),
            "transpose": lambda: x.reshape(2, 2),
            "gather": lambda: t.tensor([3, 2, 1, 0]),
            "matmul": lambda: x.reshape(2, 2),
            "linear": lambda: x.reshape(2, 2),
        }
        return OPS[name](t, x, y, *([extra[name]()] if name in extra else []))

    return prepare


def chain(t):
    """Twenty multiplications by a number, their sum, and its gradient."""
    x = t.tensor(FLOATS, requires_grad=True)

    def run():
        y = x
        for _ in range(20):
            y = y * 1.01
        y.sum().backward()
        x.grad = None

    return run


def _training_step(optimizer_name):
    def prepare(t):
        t.manual_seed(0)
        nn = t.nn
        model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
        optimizer = getattr(t.optim, optimizer_name)(model.parameters(), lr=1e-3)
        loss_function, x, y = nn.MSELoss(), t.randn(32, 8), t.randn(32, 1)

        def run():
            optimizer.zero_grad()
            loss_function(model(x), y).backward()
            optimizer.step()

        return run

    return prepare


def hessian(t):
    """The second derivatives of a function of eight numbers: a row of the matrix from each backward through a backward."""
    x = t.tensor([0.1 * (i + 1) for i in range(8)], requires_grad=True)

    def run():
        y = ((x * x).sum() * x.sin().sum()).exp().log()
        (gradient,) = t.autograd.grad(y, x, create_graph=True)
        return t.stack([t.autograd.grad(gradient[i], x, retain_graph=True)[0] for i in range(8)])

    return run


def _mlp(t):
    """A small MLP as a function of its parameters and one input or many; parameters, an input, and 64 of them."""
    t.manual_seed(0)
    sizes = ((32, 8), (32,), (32, 32), (32,), (1, 32), (1,))
    parameters = tuple(t.randn(size) / 6 for size in sizes)

    def hidden(parameters, x):
        w1, b1, w2, b2, _, _ = parameters
        return t.tanh(t.tanh(x @ w1.t() + b1) @ w2.t() + b2)

    def mlp(parameters, x):
        return (hidden(parameters, x) @ parameters[4].t() + parameters[5])[..., 0]

    return hidden, mlp, parameters, t.randn(8), t.randn(64, 8)


def _transform(make):
    """`make(func, hidden layers, MLP, parameters, x, many)` gives the call."""
    return lambda t: make(t.func, *_mlp(t))


TRANSFORMS = {
    "grad": lambda f, h, mlp, p, x, many: lambda: f.grad(mlp, 1)(p, x),
    "jvp": lambda f, h, mlp, p, x, many: lambda: f.jvp(lambda x: mlp(p, x), (x,), (x,)),
    "jacrev of 32 results": lambda f, h, mlp, p, x, many: lambda: f.jacrev(h, 1)(p, x),
    "jacfwd of 8 arguments": lambda f, h, mlp, p, x, many: lambda: f.jacfwd(h, 1)(p, x),
    "Hessian": lambda f, h, mlp, p, x, many: lambda: f.hessian(mlp, 1)(p, x),
    "vmap": lambda f, h, mlp, p, x, many: lambda: f.vmap(mlp, (None, 0))(p, many),
    "gradients of 64 samples": lambda f, h, mlp, p, x, many: lambda: f.vmap(f.grad(mlp), (None, 0))(p, many),
    "Hessians of 64 samples": lambda f, h, mlp, p, x, many: lambda: f.vmap(f.hessian(mlp, 1), (None, 0))(p, many),
}


def _modules(make):
    """`make(func, five small modules of one kind, their stacked parameters, one's parameters, 64 inputs)` gives the call."""

    def prepare(t):
        t.manual_seed(0)
        models = [t.nn.Sequential(t.nn.Linear(8, 16), t.nn.Tanh(), t.nn.Linear(16, 1)) for _ in range(5)]
        stacked = {name: tensor.detach() for name, tensor in t.func.stack_module_state(models)[0].items()}
        own = {name: tensor.detach() for name, tensor in models[0].named_parameters()}
        return make(t.func, models[0], stacked, own, t.randn(64, 8))

    return prepare


MODULES = {
    "functional_call": lambda f, m, stacked, p, x: lambda: f.functional_call(m, p, x),
    "functional_call of 64 samples": lambda f, m, stacked, p, x: (
        lambda: f.vmap(lambda p, x: f.functional_call(m, p, x), (None, 0))(p, x)
    ),
    "ensemble of 5 modules": lambda f, m, stacked, p, x: (
        lambda: f.vmap(lambda p, x: f.functional_call(m, p, x), (0, None))(stacked, x)
    ),
    "gradients of a module by sample": lambda f, m, stacked, p, x: (
        lambda: f.vmap(f.grad(lambda p, x: f.functional_call(m, p, x).sum()), (None, 0))(p, x)
    ),
}


POINTWISE = {
    "add": lambda t, x, y: lambda: x + y,
    "mul a number": lambda t, x, y: lambda: x * 2.0,
    "exp": lambda t, x, y: lambda: x.exp(),
    "tanh": lambda t, x, y: lambda: x.tanh(),
    "gelu": lambda t, x, y: lambda: t.nn.functional.gelu(x),
    "sum": lambda t, x, y: lambda: x.sum(),
    "sum of rows": lambda t, x, y: lambda: x.sum(1),
    "sum of columns": lambda t, x, y: lambda: x.sum(0),
    "max of rows": lambda t, x, y: lambda: x.max(1),
    "var": lambda t, x, y: lambda: x.var(),
    "softmax": lambda t, x, y: lambda: t.softmax(x, 1),
    "transposed copy": lambda t, x, y: lambda: x.t().contiguous(),
}


def _large(name, rows):
    def prepare(t):
        t.manual_seed(0)
        return POINTWISE[name](t, t.randn(rows, 1000), t.randn(rows, 1000))

    return prepare


def _matmul(size, dtype):
    def prepare(t):
        t.manual_seed(0)
        x, y = (t.randn(size, size, dtype=getattr(t, dtype)) for _ in range(2))
        return lambda: x @ y

    return prepare


WORKLOADS = {
    **{f"overhead: {name}": _overhead(name) for name in OPS},
    "training: 20 multiplications, backward": chain,
    "training: MLP step, SGD": _training_step("SGD"),
    "training: MLP step, Adam": _training_step("Adam"),
    "training: Hessian of 8 numbers": hessian,
    **{f"transforms: {name}": _transform(make) for name, make in TRANSFORMS.items()},
    **{f"transforms: {name}": _modules(make) for name, make in MODULES.items()},
    **{f"kernels: {name}, {rows // 1000}M": _large(name, rows) for rows in (1000, 10000) for name in POINTWISE},
    **{
        f"kernels: matmul {size}, {dtype}": _matmul(size, dtype)
        for dtype in ("float32", "float64")
        for size in (64, 128, 256, 512, 1024)
    },
}
