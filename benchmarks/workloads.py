"""What is measured. A workload is a function of the library that prepares its tensors and returns the call to time.

The name tells the group: `overhead` is one op, with recording, on tensors of four elements, `training` is whole steps, `small layers` are
those of networks on the least inputs, `pieces` are parts of steps, and ops besides, all on one thread; `kernels` and `layers` are large
tensors on two threads; `replays` are compiled functions (docs/replay.md).
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


def _training_step(optimizer_name, compiled_forward=False):
    def prepare(t):
        t.manual_seed(0)
        nn = t.nn
        model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
        optimizer = getattr(t.optim, optimizer_name)(model.parameters(), lr=1e-3)
        if compiled_forward and t.__name__ == "rushlight":
            model = t.compile(model)
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


def lstm_cell(t):
    """Twenty steps of an LSTMCell and their gradients."""
    t.manual_seed(0)
    cell, x = t.nn.LSTMCell(8, 16), t.randn(20, 4, 8)

    def run():
        h = c = t.zeros(4, 16)
        for step in x:
            h, c = cell(step, (h, c))
        h.sum().backward()
        for p in cell.parameters():
            p.grad = None

    return run


def ode_step(t):
    """A step of Runge and Kutta (of fourth order) of a pendulum's equation, and its gradient with respect to a parameter."""
    x, rate, h = t.tensor(FLOATS), t.tensor(FLOATS[::-1], requires_grad=True), 0.1

    def slope(x):
        return t.sin(x * rate) - x

    def run():
        a = slope(x)
        b = slope(x + h / 2 * a)
        c = slope(x + h / 2 * b)
        d = slope(x + h * c)
        (x + h / 6 * (a + 2 * b + 2 * c + d)).sum().backward()
        rate.grad = None

    return run


def elementwise(t):
    """Eight element-wise ops on a million numbers."""
    t.manual_seed(0)
    x = t.rand(1_000_000)
    return lambda: (x * 2 + 1) * x - (x - 0.5) * 3 + x


def _replayed(prepare):
    """The same, compiled: Rushlight's way of it needs no compiler, PyTorch's does, so that PyTorch runs it as it is."""

    def of(t):
        run = prepare(t)
        return t.compile(run) if t.__name__ == "rushlight" else run

    return of


def _piece(make):
    """`make(t, x, y, a, u, v)` gives the call: vectors and a matrix that ask for gradients, and two vectors that do not."""

    def prepare(t):
        t.manual_seed(0)
        x, y = t.tensor(FLOATS, requires_grad=True), t.tensor(FLOATS[::-1], requires_grad=True)
        return make(t, x, y, t.rand(4, 4, requires_grad=True), t.tensor(FLOATS), t.tensor(FLOATS[::-1]))

    return prepare


def _backward(make):
    """The backward alone of what `make(x, y, a, u)` gives, again and again into the same gradients."""

    def of(t, x, y, a, u, v):
        made = make(t, x, y, a, u)
        return lambda: made.backward(retain_graph=True)

    return _piece(of)


def _optimizer(name, part, **options):
    """A part of the step of an optimizer: `step`, or `zero_grad` of a model without gradients."""

    def prepare(t):
        t.manual_seed(0)
        model = t.nn.Sequential(t.nn.Linear(8, 32), t.nn.Tanh(), t.nn.Linear(32, 32), t.nn.Tanh(), t.nn.Linear(32, 1))
        optimizer = getattr(t.optim, name)(model.parameters(), lr=1e-3, **options)
        if part == "step":
            model(t.randn(32, 8)).sum().backward()
        return getattr(optimizer, part)

    return prepare


def _mse(t, x, y, a, u, v):
    loss, target = t.nn.MSELoss(), t.rand(4, 4)
    return lambda: loss(a, target)


def _call(layer, name):
    """A call of a module with one of the tensors of a piece."""

    def of(t, x, y, a, u, v):
        module = layer(t)
        given = {"x": x, "a": a}[name]
        return lambda: module(given)

    return _piece(of)


PIECES = {
    "mul, not recorded": _piece(lambda t, x, y, a, u, v: lambda: u * v),
    "mul, in place": _piece(lambda t, x, y, a, u, v: lambda: u.mul_(1.0)),
    "add, in place": _piece(lambda t, x, y, a, u, v: lambda: u.add_(v)),
    "mul a number": _piece(lambda t, x, y, a, u, v: lambda: x * 2.0),
    "view": _piece(lambda t, x, y, a, u, v: lambda: x.view(2, 2)),
    "dimensions swapped": _piece(lambda t, x, y, a, u, v: lambda: a.transpose(0, 1)),
    "select": _piece(lambda t, x, y, a, u, v: lambda: x[1]),
    "detach": _piece(lambda t, x, y, a, u, v: lambda: x.detach()),
    "index": _piece(lambda t, x, y, a, u, v: (lambda i: lambda: x[i])(t.tensor([3, 2, 1, 0]))),
    "stack": _piece(lambda t, x, y, a, u, v: lambda: t.stack((x, y))),
    "matmul, not recorded": _piece(lambda t, x, y, a, u, v: (lambda a: lambda: a @ a)(a.detach())),
    "linear with bias": _piece(lambda t, x, y, a, u, v: lambda: t.nn.functional.linear(a, a, x)),
    "a lookup in the package": _piece(lambda t, x, y, a, u, v: lambda: t.relu),
    "backward of sum": _backward(lambda t, x, y, a, u: x.sum()),
    "backward of mul, sum": _backward(lambda t, x, y, a, u: (x * y).sum()),
    "backward of tanh, sum": _backward(lambda t, x, y, a, u: x.tanh().sum()),
    "backward of linear, sum": _backward(lambda t, x, y, a, u: t.nn.functional.linear(a, a, x).sum()),
    "autograd.grad of mul, sum": _piece(lambda t, x, y, a, u, v: lambda: t.autograd.grad((x * u).sum(), x)),
    "Identity": _call(lambda t: t.nn.Identity(), "x"),
    "Tanh": _call(lambda t: t.nn.Tanh(), "x"),
    "Linear": _call(lambda t: t.nn.Linear(4, 4), "a"),
    "MSELoss": _piece(_mse),
    "SGD": _optimizer("SGD", "step"),
    "SGD with momentum": _optimizer("SGD", "step", momentum=0.9),
    "Adam": _optimizer("Adam", "step"),
    "AdamW": _optimizer("AdamW", "step"),
    "RMSprop": _optimizer("RMSprop", "step"),
    "zero_grad": _optimizer("SGD", "zero_grad"),
}


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


# Layers at the sizes that they usually have, and at the least: a layer or function of the library, and the shapes of its inputs.
IMAGES, SMALL = (8, 64, 56, 56), (2, 4, 8, 8)
LAYERS = {
    "Conv2d 3×3": (lambda t: t.nn.Conv2d(64, 64, 3, padding=1), IMAGES),
    "Conv2d 1×1": (lambda t: t.nn.Conv2d(64, 64, 1), IMAGES),
    "Conv1d": (lambda t: t.nn.Conv1d(64, 64, 5, padding=2), (8, 64, 512)),
    "ConvTranspose2d": (lambda t: t.nn.ConvTranspose2d(64, 64, 4, 2, 1), (8, 64, 28, 28)),
    "MaxPool2d": (lambda t: t.nn.MaxPool2d(2), IMAGES),
    "AvgPool2d": (lambda t: t.nn.AvgPool2d(2), IMAGES),
    "AdaptiveAvgPool2d": (lambda t: t.nn.AdaptiveAvgPool2d(7), IMAGES),
    "MaxPool1d": (lambda t: t.nn.MaxPool1d(2), (8, 64, 4096)),
    "BatchNorm2d": (lambda t: t.nn.BatchNorm2d(64), IMAGES),
    "BatchNorm1d": (lambda t: t.nn.BatchNorm1d(256), (512, 256)),
    "GroupNorm": (lambda t: t.nn.GroupNorm(8, 64), IMAGES),
    "InstanceNorm2d": (lambda t: t.nn.InstanceNorm2d(64, affine=True), IMAGES),
    "LayerNorm": (lambda t: t.nn.LayerNorm(256), (32, 128, 256)),
    "RMSNorm": (lambda t: t.nn.RMSNorm(256), (32, 128, 256)),
    "RNN": (lambda t: t.nn.RNN(200, 200, 2), (35, 20, 200)),
    "LSTM": (lambda t: t.nn.LSTM(200, 200, 2), (35, 20, 200)),
    "GRU": (lambda t: t.nn.GRU(200, 200, 2), (35, 20, 200)),
    "attention": (lambda t: t.nn.functional.scaled_dot_product_attention, *((8, 4, 256, 64),) * 3),
    "TransformerEncoderLayer": (lambda t: t.nn.TransformerEncoderLayer(256, 4, 1024, 0.0, batch_first=True), (8, 256, 256)),
    "Embedding": (lambda t: _table(t, t.nn.Embedding(10000, 256), 64, 128),),
    "EmbeddingBag": (lambda t: _table(t, t.nn.EmbeddingBag(10000, 128), 512, 16),),
    "pad, reflect": (lambda t: lambda x: t.nn.functional.pad(x, (1, 1, 1, 1), "reflect"), IMAGES),
    "interpolate, bilinear": (lambda t: lambda x: t.nn.functional.interpolate(x, None, 2, "bilinear"), (8, 32, 56, 56)),
}
SMALL_LAYERS = {
    "Conv2d": (lambda t: t.nn.Conv2d(4, 4, 3, padding=1), SMALL),
    "MaxPool2d": (lambda t: t.nn.MaxPool2d(2), SMALL),
    "AvgPool2d": (lambda t: t.nn.AvgPool2d(2), SMALL),
    "AdaptiveAvgPool2d": (lambda t: t.nn.AdaptiveAvgPool2d(2), SMALL),
    "BatchNorm2d": (lambda t: t.nn.BatchNorm2d(4), SMALL),
    "GroupNorm": (lambda t: t.nn.GroupNorm(2, 4), SMALL),
    "LayerNorm": (lambda t: t.nn.LayerNorm(8), SMALL),
    "LSTM": (lambda t: t.nn.LSTM(4, 4), (3, 1, 4)),
    "attention": (lambda t: t.nn.functional.scaled_dot_product_attention, *((1, 2, 4, 4),) * 3),
    "Embedding": (lambda t: _table(t, t.nn.Embedding(10, 4), 3),),
    "EmbeddingBag": (lambda t: _table(t, t.nn.EmbeddingBag(10, 4), 2, 2),),
    "pad": (lambda t: lambda x: t.nn.functional.pad(x, (1, 1, 1, 1)), SMALL),
    "interpolate": (lambda t: lambda x: t.nn.functional.interpolate(x, None, 2), SMALL),
}


def _table(t, layer, *sizes):
    """A layer that looks up the same random rows again and again."""
    indices = t.randint(0, layer.num_embeddings, sizes)
    run = lambda: layer(indices)  # noqa: E731
    run.parameters = layer.parameters
    return run


def _layer(make, *shapes, backward):
    """A call of a layer, without recording or with its gradients."""

    def prepare(t):
        t.manual_seed(0)
        layer = make(t)
        inputs = [t.randn(shape, requires_grad=True) for shape in shapes]
        wanted = [*inputs, *(layer.parameters() if hasattr(layer, "parameters") else ())]

        def forward():
            made = layer(*inputs)
            return made[0] if isinstance(made, tuple) else made

        def without():
            with t.no_grad():
                return forward()

        cotangent = t.ones_like(without())
        return (lambda: t.autograd.grad(forward(), wanted, cotangent)) if backward else without

    return prepare


def _layers(group, layers):
    return {
        f"{group}: {name}, {word}": _layer(*layer, backward=word != "forward")
        for name, layer in layers.items()
        for word in ("forward", "gradients")
    }


WORKLOADS = {
    **{f"overhead: {name}": _overhead(name) for name in OPS},
    "training: 20 multiplications, backward": chain,
    "training: MLP step, SGD": _training_step("SGD"),
    "training: MLP step, Adam": _training_step("Adam"),
    "training: Hessian of 8 numbers": hessian,
    "training: LSTMCell, 20 steps": lstm_cell,
    "replays: 20 multiplications, backward": _replayed(chain),
    "replays: Runge-Kutta step, gradient": _replayed(ode_step),
    "replays: MLP step, SGD": _replayed(_training_step("SGD")),
    "replays: MLP step, Adam": _replayed(_training_step("Adam")),
    "replays: MLP step, SGD, its forward alone": _training_step("SGD", compiled_forward=True),
    "replays: LSTMCell, 20 steps": _replayed(lstm_cell),
    "replays: 8 element-wise ops, 1M": _replayed(elementwise),
    **{f"pieces: {name}": prepare for name, prepare in PIECES.items()},
    **{f"transforms: {name}": _transform(make) for name, make in TRANSFORMS.items()},
    **{f"transforms: {name}": _modules(make) for name, make in MODULES.items()},
    **{f"kernels: {name}, {rows // 1000}M": _large(name, rows) for rows in (1000, 10000) for name in POINTWISE},
    **{
        f"kernels: matmul {size}, {dtype}": _matmul(size, dtype)
        for dtype in ("float32", "float64")
        for size in (64, 128, 256, 512, 1024)
    },
    **_layers("layers", LAYERS),
    **_layers("small layers", SMALL_LAYERS),
}
