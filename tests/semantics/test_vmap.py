"""vmap: what functions of a batch give, and what they refuse."""

import warnings

import pytest


def numbers(torch, *shape, dtype=None, low=-1.5, high=2.0):
    """Values in general position."""
    count = 1
    for size in shape:
        count *= size
    values = torch.arange(count, dtype=torch.float64) * 0.6180339887498949 % 1
    return (low + (high - low) * values).reshape(shape).to(dtype or torch.float64)


def looped(torch, function, arguments, in_dims):
    """The function on one example after the other, the results stacked."""
    size = next(x.shape[d] for x, d in zip(arguments, in_dims) if d is not None)
    rows = [[x if d is None else x.select(d, i) for x, d in zip(arguments, in_dims)] for i in range(size)]
    results = [function(*row) for row in rows]
    if isinstance(results[0], torch.Tensor):
        return [torch.stack(results)]
    return [torch.stack(parts) for parts in zip(*results)]


def equals_a_loop(torch, function, *arguments, in_dims=None):
    in_dims = in_dims or tuple(0 for _ in arguments)
    found = torch.vmap(function, in_dims=in_dims)(*arguments)
    found = [found] if isinstance(found, torch.Tensor) else list(found)
    expected = looped(torch, function, arguments, in_dims)
    assert len(found) == len(expected)
    for a, b in zip(found, expected):
        assert a.dtype == b.dtype and a.shape == b.shape, (a.dtype, a.shape, b.dtype, b.shape)
        assert torch.allclose(a.double(), b.double(), rtol=1e-9, atol=1e-12, equal_nan=True), (a, b)


def written(function):
    """A function that clones its input and writes into it."""

    def of_copy(x, *rest):
        x = x.clone()
        function(x, *rest)
        return x

    return of_copy


def setting(*index):
    """x[index] = value."""

    def set_item(x, value):
        x[index if len(index) > 1 else index[0]] = value

    return written(set_item)


def one_tensor(torch):
    """Functions of a tensor [2, 3, 4] per example."""
    functional = torch.nn.functional
    i = torch.tensor([2, 0])
    mask = torch.tensor([True, False, True])
    weight, bias = numbers(torch, 5, 4), numbers(torch, 5)
    return {
        "arithmetic": lambda x: 2 * x + x**2 - x / 3 + (1 - x) * 2.5,
        "reflected": lambda x: (1 / (x + 5), 2 ** x, -x, abs(x)),
        "compare": lambda x: (x > 0.5, x == x, (x > 0) & (x < 1)),
        "sum": lambda x: (x.sum(), x.sum(0), x.sum((1, -1)), x.mean(-1, keepdim=True), x.prod(1)),
        "moments": lambda x: (x.var(), x.std(0), x.var(1, correction=0), *torch.var_mean(x, -1)),
        "extrema": lambda x: (x.max(), x.min(), *x.max(1), *x.min(-1, keepdim=True), x.amax((0, 1)), x.argmax(), x.argmax(1)),
        "questions": lambda x: ((x > 0).all(), (x > 0).any(1), torch.count_nonzero(x > 0, 0), x.isnan().any()),
        "norms": lambda x: (x.norm(), x.norm(1, 0), torch.linalg.vector_norm(x, 3, (0, 1)), torch.linalg.norm(x[0])),
        "matrix norms": lambda x: (torch.linalg.matrix_norm(x[0]), torch.linalg.matrix_norm(x[0], 1), torch.linalg.norm(x[0], float("inf"))),
        "scans": lambda x: (x.cumsum(0), x.cumsum(-1), *x.cummax(1), x.logcumsumexp(0), x.diff(), torch.trapezoid(x)),
        "sorting": lambda x: (*x.sort(1), *x.sort(-1, descending=True), *x.topk(2), x.argsort(0), *x.kthvalue(2, 1), *x.median(0)),
        "quantile": lambda x: (x.quantile(0.3), x.quantile(0.5, 1), x.median()),
        "softmax": lambda x: (x.softmax(0), x.log_softmax(-1), x.logsumexp(1), functional.softmin(x, 0)),
        "views": lambda x: (x.view(6, 4), x.reshape(-1), x.permute(2, 0, 1), x.transpose(0, 2), x.mT, x.flatten(1), x.unflatten(2, (2, 2))),
        "more views": lambda x: (x[0].t(), x.unsqueeze(-1), x[:, :1].squeeze(1), x.movedim(0, -1), x.diagonal(0, 1, 2), x.expand(5, 2, 3, 4)),
        "windows": lambda x: (x.unfold(2, 2, 1), x.narrow(1, 1, 2), x.select(1, -1), x[..., ::2], x[:, None], x.swapaxes(0, 1)),
        "parts": lambda x: (*x.split(2, 2), *x.chunk(2, -1), *x.unbind(1), *x.tensor_split(3, 2), *x[0].hsplit(2)),
        "iteration": lambda x: tuple(row for row in x),
        "joining": lambda x: (torch.cat([x, x], 1), torch.stack([x, 2 * x], -1), torch.hstack([x, x]), torch.cat([x, numbers(torch, 1, 3, 4)])),
        "indexing": lambda x: (x[1], x[:, 1], x[1, 2, 3], x[..., -1], x[None], x[0, 1:3]),
        "indices": lambda x: (x[:, i], x[..., i], x[i[1:]], x[:, :, i], x[:, i, i], x[:, mask], x[0, :, i]),
        "index apart": lambda x: (x[torch.tensor([0, 1]), :, i], x[i[1:], :, torch.tensor([1, 2])]),
        "gather": lambda x: (x.gather(1, torch.tensor([[[0, 2, 1, 0]], [[1, 1, 0, 2]]])), x.index_select(1, i), x.take(torch.tensor([0, 7, -1]))),
        "take along": lambda x: torch.take_along_dim(x, x.argsort(1), 1),
        "rearranging": lambda x: (x.flip(0), x.roll(1, 1), x.roll(5), torch.rot90(x), x.tril(), x.triu(1), x.repeat(2, 1, 1, 1), x.tile(2)),
        "diagonals": lambda x: (x[0].diag(1), torch.diag_embed(x[0]), x[0, :, :3].trace(), x[0, 0].diag()),
        "repeated": lambda x: (x.repeat_interleave(2, 1), x.repeat_interleave(3)),
        "grids": lambda x: torch.meshgrid(x[0, 0], x[0, 1], indexing="ij"),
        "products": lambda x: (x[0] @ x[1].T, x[0] @ x[0, 0], x[0, 0] @ x[0].T, x[0, 0] @ x[0, 1], x @ x.mT, x @ x[0, 0]),
        "named products": lambda x: (x[0].mm(x[0].t()), x.bmm(x.mT), x[0].mv(x[0, 0]), x[0, 0].dot(x[0, 1]), torch.outer(x[0, 0], x[0, 1])),
        "added products": lambda x: (torch.addmm(x[0, :, :3], x[0], x[1].t()), torch.baddbmm(x[:, :, :3], x, x.mT), torch.addmv(x[0, :, 0], x[0], x[0, 0])),
        "einsum": lambda x: (torch.einsum("ijk,ijk->i", x, x), torch.einsum("ijk,lk->ijl", x, weight), torch.tensordot(x, weight.T, 1)),
        "cross": lambda x: (torch.linalg.cross(x[..., :3], x[..., 1:]), torch.cdist(x, x), torch.dist(x[0], x[1])),
        "where": lambda x: (torch.where(x > 0, x, 0.0), x.clamp(-1, 1), x.clamp(min=0), x.masked_fill(x > 0, 7.0), torch.maximum(x, x[0])),
        "rounding": lambda x: (x.round(), x.floor(), x.trunc(), x.frac(), torch.remainder(x, 0.7), torch.fmod(x, 0.7)),
        "creation": lambda x: (torch.zeros_like(x) + x, x.new_ones(3), torch.full_like(x, 2.0) * x, torch.eye(3) + x[0, :, :3], x.new_zeros(2, 2)),
        "dtypes": lambda x: (x.float(), x.to(torch.int64), x.bool(), x.float() + x, x.double().half().float()),
        "activations": lambda x: (functional.relu(x), functional.gelu(x), functional.silu(x), functional.elu(x), functional.softplus(x), functional.glu(x)),
        "linear": lambda x: (functional.linear(x, weight, bias), functional.linear(x[0, 0], weight, bias), functional.linear(x[0], weight)),
        "layer norm": lambda x: (functional.layer_norm(x, (4,)), functional.layer_norm(x, (3, 4)), functional.layer_norm(x, (4,), weight[0], weight[1])),
        "group norm": lambda x: functional.group_norm(x, 3),
        "batch norm": lambda x: functional.batch_norm(x, numbers(torch, 3), numbers(torch, 3).abs(), training=False),
        "losses": lambda x: (functional.mse_loss(x, x * 2), functional.l1_loss(x, x.flip(0)), functional.smooth_l1_loss(x, x.flip(0), reduction="sum"), functional.huber_loss(x, -x, reduction="none")),
        "cross entropy": lambda x: (functional.cross_entropy(x[0], i[[0, 1, 1]]), functional.cross_entropy(x, torch.tensor([[0, 1, 2, 2], [1, 1, 0, 0]])), functional.nll_loss(x[0].log_softmax(1), i[[0, 1, 1]], weight[0].abs())),
        "binary losses": lambda x: (functional.binary_cross_entropy(x.sigmoid(), (x > 0).double()), functional.binary_cross_entropy_with_logits(x, x.sigmoid())),
        "probabilities": lambda x: functional.kl_div(x.log_softmax(-1), x.flip(0).softmax(-1), reduction="batchmean"),
        "similarity": lambda x: (functional.cosine_similarity(x[0], x[1], -1), functional.normalize(x, dim=0), functional.pairwise_distance(x[0], x[1])),
        "one hot": lambda x: functional.one_hot(x.argmax(1), 3),
        "complex": lambda x: (torch.complex(x, x).abs(), torch.view_as_real(torch.complex(x, -x)), torch.polar(x.abs(), x).real),
        "no grad": lambda x: x.detach() * 2,
        "strided": lambda x: x.contiguous().as_strided((2, 2), (4, 1)),
        "written": written(lambda x: (x.add_(1), x.mul_(x[0].clone()), x.abs_(), x.clamp_(max=2))),
        "written parts": written(lambda x: (x[0].zero_(), x[:, 1].fill_(3), x[..., 2].copy_(x[..., 1]), x[1, 2].add_(x[0, 2]))),
        "written elements": written(lambda x: (x.index_fill_(1, i, 2.0), x.index_add_(1, i, x[:, :2] * 1), x.masked_fill_(x > 1, 0.0), x.scatter_(2, torch.tensor([[[0]], [[2]]]), 9.0))),
        "written views": written(lambda x: (x.t_() if x.ndim == 2 else x.transpose_(0, 1), x.unsqueeze_(0), x.squeeze_(0))),
    }  # fmt: skip


NAMES = list(one_tensor(__import__("rushlight")))


@pytest.fixture(autouse=True)
def without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("name", NAMES)
def test_functions_of_one_tensor(torch, name):
    function = one_tensor(torch)[name]
    batch = numbers(torch, 3, 2, 3, 4)
    equals_a_loop(torch, function, batch)
    if name not in ("strided", "views", "group norm"):  # they look at how the elements lie in memory
        equals_a_loop(torch, function, batch.movedim(0, 2).clone().movedim(2, 0))
        equals_a_loop(torch, function, batch.movedim(0, -1).contiguous(), in_dims=(3,))


def pairs(torch):
    """(function of two tensors, their shapes as examples) in which either may have a batch."""
    functional = torch.nn.functional
    return {
        "add": (lambda a, b: a + b, (2, 3), (3,)),
        "broadcast": (lambda a, b: a * b, (3,), (4, 1, 3)),
        "numbers": (lambda a, b: a - b, (), (2,)),
        "pow": (lambda a, b: a.abs() ** b, (2,), ()),
        "where": (lambda a, b: torch.where(a > 0, a, b), (2, 3), (3,)),
        "lerp": (lambda a, b: (torch.lerp(a, b, 0.3), torch.addcmul(a, b, b, value=2)), (2, 3), (3,)),
        "mm": (lambda a, b: a @ b, (2, 3), (3, 4)),
        "mv": (lambda a, b: a @ b, (2, 3), (3,)),
        "vm": (lambda a, b: a @ b, (3,), (3, 2)),
        "dot": (lambda a, b: a @ b, (3,), (3,)),
        "batches": (lambda a, b: a @ b, (2, 1, 2, 3), (4, 3, 2)),
        "bmm": (lambda a, b: a.bmm(b), (2, 2, 3), (2, 3, 2)),
        "linear": (lambda a, b: functional.linear(a, b), (5, 3), (2, 3)),
        "linear of a vector": (lambda a, b: functional.linear(a, b, b[:, 0]), (3,), (2, 3)),
        "bilinear": (lambda a, b: functional.bilinear(a, a, b), (2, 3), (4, 3, 3)),
        "addmm": (lambda a, b: torch.addmm(a[0], a, b, beta=0.5, alpha=2), (2, 2), (2, 2)),
        "addr": (lambda a, b: torch.addr(a, b[:2], b, beta=0.5), (2, 3), (3,)),
        "cat": (lambda a, b: torch.cat([a, b], -1), (2, 3), (2, 1)),
        "stack": (lambda a, b: torch.stack([a, b]), (2,), (2,)),
        "einsum": (lambda a, b: torch.einsum("ij,kj->ik", a, b), (2, 3), (4, 3)),
        "cdist": (lambda a, b: torch.cdist(a, b), (2, 3), (4, 3)),
        "layer norm": (lambda a, b: functional.layer_norm(a, (3,), b, b), (2, 3), (3,)),
        "group norm": (lambda a, b: functional.group_norm(a, 2, b, b), (2, 4, 3), (4,)),
        "batch norm": (lambda a, b: functional.batch_norm(a, None, None, b, b, True), (4, 3), (3,)),
        "prelu": (lambda a, b: functional.prelu(a, b), (2, 3), (3,)),
        "mse": (lambda a, b: functional.mse_loss(a, b), (2, 3), (2, 3)),
        "select_scatter": (lambda a, b: (torch.select_scatter(a, b, 0, 1), torch.slice_scatter(a, b[None], 0, 0, 1)), (2, 3), (3,)),
        "setting": (setting(0), (2, 3), (3,)),
        "setting a column": (setting(slice(None), 1), (2, 3), (2,)),
        "copying": (written(lambda x, value: x.copy_(value)), (2, 3), (3,)),
        "filling": (written(lambda x, value: x.fill_(value)), (2, 3), ()),
        "adding in place": (written(lambda x, value: x.add_(value, alpha=2)), (2, 3), (3,)),
        "outer": (lambda a, b: (torch.outer(a, b), torch.kron(a, b), torch.linalg.vecdot(a, b)), (3,), (3,)),
        "polynomials": (lambda a, b: torch.atan2(a, b) + torch.hypot(a, b), (2, 3), (3,)),
        "trapezoid": (lambda a, b: torch.trapezoid(a, b), (2, 3), (3,)),
        "quantile": (lambda a, b: torch.quantile(a, 0.25) + b, (4,), ()),
        "grads": (lambda a, b: (a * b).sum().detach(), (2,), (2,)),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(pairs(__import__("rushlight"))))
def test_functions_of_two_tensors(torch, name):
    function, first, second = pairs(torch)[name]
    both = numbers(torch, 3, *first), numbers(torch, 3, *second, low=-1.1)
    equals_a_loop(torch, function, *both)
    if not name.startswith(("setting", "copying", "filling", "adding")):
        equals_a_loop(torch, function, both[0][0], both[1], in_dims=(None, 0))
    equals_a_loop(torch, function, both[0], both[1][0], in_dims=(0, None))
    equals_a_loop(torch, function, both[0].movedim(0, -1).clone(), both[1], in_dims=(-1, 0))


def indexed(torch):
    """Functions of a tensor [3, 4] and of integers [2] < 3."""
    functional = torch.nn.functional
    return {
        "rows": lambda x, i: x[i],
        "columns": lambda x, i: x[:, i],
        "elements": lambda x, i: x[i, i],
        "one row": lambda x, i: x[i[0]],
        "one element": lambda x, i: x[i[0], i[1]],
        "a matrix of rows": lambda x, i: x[i[:, None] * 0 + i],
        "apart": lambda x, i: x[:, None][i, :, i],
        "index_select": lambda x, i: (x.index_select(0, i), x.index_select(-1, i)),
        "gather": lambda x, i: (x.gather(0, i[:, None].expand(2, 4)), x[0].gather(0, i)),
        "take": lambda x, i: x.take(i),
        "embedding": lambda x, i: (functional.embedding(i, x), functional.embedding(i, x, padding_idx=1)),
        "one_hot": lambda x, i: functional.one_hot(i, 4) * x[0],
        "index_add": lambda x, i: x.index_add(0, i, x[:2], alpha=2),
        "index_copy": lambda x, i: x.index_copy(1, i + torch.tensor([0, 1]), x[:, :2]),
        "index_fill": lambda x, i: x.index_fill(0, i, 0.5),
        "index_put": lambda x, i: (x.index_put((i,), x[0]), x.index_put((i,), x[:2], accumulate=True), x.index_put((i, i), x[0, 0])),
        "scatter": lambda x, i: (x.scatter(0, i[None, :], x[:1, :2] * 2), x.scatter(1, i[:, None], 0.5), x.scatter_add(0, i[None], x[1:, :2])),
        "scatter_reduce": lambda x, i: x.scatter_reduce(0, i[None], x[:1, :2], "amax"),
        "setting rows": written(lambda x, i: x.__setitem__(i, 1.5)),
        "setting one": written(lambda x, i: x.__setitem__((i[0], 0), x[1, 1])),
        "adding": written(lambda x, i: x.index_add_(0, i, torch.ones(2, 4, dtype=torch.float64))),
        "cross entropy": lambda x, i: (functional.cross_entropy(x[:2], i), functional.cross_entropy(x[:2], i, reduction="none"), functional.cross_entropy(x[0], i[0])),
        "weighted cross entropy": lambda x, i: (functional.cross_entropy(x[:2], i, x[2].abs()), functional.nll_loss(x[:2], i, ignore_index=2, reduction="sum")),
        "margins": lambda x, i: functional.multi_margin_loss(x[:2], i),
        "searchsorted": lambda x, i: torch.searchsorted(x[0].sort()[0], x[1:]),
        "bucketize": lambda x, i: torch.bucketize(x, torch.tensor([0.0, 1.0], dtype=torch.float64)),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(indexed(__import__("rushlight"))))
def test_functions_of_a_tensor_and_indices(torch, name):
    function = indexed(torch)[name]
    x, i = numbers(torch, 3, 3, 4), torch.tensor([[0, 1], [2, 2], [1, 0]])
    equals_a_loop(torch, function, x, i)
    equals_a_loop(torch, function, x, i[0], in_dims=(0, None))
    if name not in ("setting rows", "setting one", "adding"):
        equals_a_loop(torch, function, x[0], i, in_dims=(None, 0))


# ---- structure of arguments and results -----------------------------------------------------------------------------------
def test_nested_arguments(torch):
    x = numbers(torch, 2, 3)

    def function(parts, scale):
        return {"sum": parts["a"] + parts["b"][0], "scaled": (parts["a"] * scale, scale)}

    found = torch.vmap(function, in_dims=({"a": 0, "b": [1]}, None), out_dims={"sum": 0, "scaled": (1, None)})(
        {"a": x, "b": [x.T]}, torch.tensor(2.0)
    )
    assert torch.equal(found["sum"], 2 * x)
    assert torch.equal(found["scaled"][0], 2 * x.T)
    assert found["scaled"][1].shape == ()


def test_batch_dimensions_in_and_out(torch):
    x = numbers(torch, 2, 3, 4)
    for dim in (0, 1, 2, -1, -3):
        assert torch.equal(torch.vmap(lambda y: y * 2, in_dims=dim, out_dims=dim)(x), x * 2)
    assert torch.vmap(lambda y: y, in_dims=1, out_dims=2)(x).shape == (2, 4, 3)
    assert torch.vmap(lambda y: (y, y), out_dims=(0, -1))(x)[1].shape == (3, 4, 2)


def test_results_without_a_batch_are_repeated(torch):
    x = numbers(torch, 2, 3)
    assert torch.vmap(lambda y: torch.ones(4))(x).shape == (2, 4)
    assert torch.vmap(lambda y: torch.ones(4), out_dims=None)(x).shape == (4,)


def test_keyword_arguments_have_the_batch_in_front(torch):
    x = numbers(torch, 2, 3)
    assert torch.equal(torch.vmap(lambda y, z: y + z.sum(), in_dims=0)(x, z=torch.ones(3)), x + 3)


def test_shapes_are_those_of_an_example(torch):
    seen = []

    def function(x):
        seen.extend([x.shape, x.ndim, len(x), x.numel(), x.size(0), x.dtype, x.is_contiguous(), x.stride()])
        return x

    torch.vmap(function, in_dims=1)(torch.zeros(3, 2, 4))
    assert seen == [(3, 4), 2, 3, 12, 3, torch.float32, False, (8, 1)]


def test_nested_vmap(torch):
    x, y = numbers(torch, 2, 3), numbers(torch, 4, 3)
    products = torch.vmap(torch.vmap(torch.dot, in_dims=(None, 0)), in_dims=(0, None))(x, y)
    assert torch.allclose(products, x @ y.T)
    assert torch.vmap(torch.vmap(lambda a: a.sum(), in_dims=0), in_dims=1)(numbers(torch, 2, 3, 4)).shape == (3, 2)
    thrice = torch.vmap(torch.vmap(torch.vmap(lambda a, b: a * b)))(numbers(torch, 2, 3, 4), numbers(torch, 2, 3, 4))
    assert thrice.shape == (2, 3, 4)


def test_a_level_sees_what_the_outer_one_batches(torch):
    x, y = numbers(torch, 2, 3), numbers(torch, 4, 3)

    def outer(row):
        return torch.vmap(lambda other: (row * other).sum() + row[0])(y)

    assert torch.allclose(torch.vmap(outer)(x), x @ y.T + x[:, :1])


def test_empty_batches(torch):
    assert torch.vmap(lambda x: (x * 2).sum())(torch.zeros(0, 3)).shape == (0,)
    assert torch.vmap(lambda x: x @ torch.ones(3, 2))(torch.zeros(0, 4, 3)).shape == (0, 4, 2)


def test_chunks(torch):
    x = numbers(torch, 5, 3)
    for chunk_size in (1, 2, 5, 7):
        assert torch.equal(torch.vmap(lambda y: y.cumsum(0), chunk_size=chunk_size)(x), x.cumsum(1))
        found = torch.vmap(lambda y: (y, {"a": y * 2}), in_dims=1, out_dims=1, chunk_size=chunk_size)(x)
        assert torch.equal(found[0], x) and torch.equal(found[1]["a"], 2 * x)


def test_an_example_without_dimensions_promotes_as_such(torch):
    scalars, vectors = numbers(torch, 3), numbers(torch, 3, 4).float()
    assert torch.vmap(lambda a, b: a * b)(scalars, vectors).dtype == torch.float32
    assert torch.vmap(lambda a, b: b + a)(scalars, vectors).dtype == torch.float32
    assert torch.vmap(lambda a, b: a * b)(scalars, vectors[:, 0]).dtype == torch.float64
    assert torch.vmap(lambda a: a + 1)(torch.arange(3)).dtype == torch.int64
    assert torch.vmap(lambda a: a + 1.5)(torch.arange(3)).dtype == torch.float32
    assert (
        torch.vmap(lambda a, b: a * b, in_dims=(0, None))(scalars.float(), torch.tensor(2.0, dtype=torch.float64)).dtype
        == torch.float64
    )


def test_gradients_reach_what_is_outside(torch):
    x, w = numbers(torch, 4, 3).requires_grad_(), numbers(torch, 3).requires_grad_()
    torch.vmap(lambda row: (row * w).sin().sum())(x).sum().backward()
    assert torch.allclose(x.grad, (x * w).cos().detach() * w.detach())
    assert torch.allclose(w.grad, ((x * w).cos() * x).sum(0).detach())


def test_no_grad_inside_is_inside_only(torch):
    x = numbers(torch, 3, 2).requires_grad_()
    found = torch.vmap(lambda row: row * 2)(x)
    assert found.requires_grad
    with torch.no_grad():
        assert not torch.vmap(lambda row: row * 2)(x).requires_grad


def test_batched_gradients_of_one_graph(torch):
    x = numbers(torch, 3).requires_grad_()
    y = x.sin() * x[0]
    rows = torch.autograd.grad(y, x, torch.eye(3, dtype=torch.float64), is_grads_batched=True)[0]
    jacobian = torch.autograd.functional.jacobian(lambda x: x.sin() * x[0], x)
    assert torch.allclose(rows, jacobian)


def test_writes_reach_the_argument(torch):
    x = numbers(torch, 3, 2)
    before = x.clone()
    torch.vmap(lambda row: row.mul_(2))(x)
    assert torch.equal(x, 2 * before)
    torch.vmap(lambda column: column[0].zero_(), in_dims=1)(x)
    assert torch.equal(x[0], torch.zeros(2, dtype=torch.float64)) and torch.equal(x[1:], 2 * before[1:])


# ---- with the other transforms --------------------------------------------------------------------------------------------
def of_vectors(torch):
    """Functions of a vector of three numbers per example."""
    functional = torch.nn.functional
    weight, bias = numbers(torch, 4, 3, low=-0.4), numbers(torch, 4, low=-0.3)
    order = torch.tensor([1, 0, 2])

    def into_zeros(x):
        y = torch.zeros_like(x)
        y[order] = x.sin()
        y[0] += x[0]
        return y

    def into_a_diagonal(x):
        y = x.new_zeros(3, 3)
        y[:, 1] = x
        y.diagonal().copy_(x * 2)
        y[order, order] += x
        return y.sum(0)

    def over_itself(x):
        y = x.clone()
        y[0] = y[1] * 2
        y.mul_(x)
        y[1:].add_(x[:2])
        return y

    return {
        "layer": lambda x: functional.linear(x, weight, bias).tanh(),
        "softmax": lambda x: x.softmax(0) * x.log_softmax(0),
        "layer_norm": lambda x: functional.layer_norm(x, (3,), weight[0], weight[1]),
        "norm": lambda x: x / x.norm(),
        "sorted": lambda x: x.sort()[0] * x + x.topk(2)[0].sum(),
        "extremum": lambda x: x.max() * x,
        "product": lambda x: x.prod() * x,
        "indices": lambda x: x[order] * x.gather(0, order),
        "matrices": lambda x: torch.outer(x, x) @ x + (weight.t() @ weight) @ x,
        "einsum": lambda x: torch.einsum("i,ij,j->i", x, weight.t() @ weight, x),
        "cross_entropy": lambda x: functional.cross_entropy(x[None], order[:1]) * x,
        "scatter": lambda x: x.scatter(0, order, x * 2).index_add(0, order, x.sin()),
        "written into zeros": into_zeros,
        "written into a diagonal": into_a_diagonal,
        "written over itself": over_itself,
    }


def transforms(torch):
    """Each makes of a function one that can be run on every example, or on a batch."""
    f = torch.func

    def square(function):
        return lambda x: (function(x) ** 2).sum()

    return {
        "grad": lambda function: f.grad(square(function)),
        "grad of grad": lambda function: f.grad(lambda x: (f.grad(square(function))(x) ** 2).sum()),
        "vjp": lambda function: lambda x: f.vjp(function, x)[1](function(x).detach())[0],
        "jvp": lambda function: lambda x: f.jvp(function, (x,), (x.cos(),))[1],
        "jacrev": lambda function: f.jacrev(function),
        "jacfwd": lambda function: f.jacfwd(function),
        "hessian": lambda function: f.hessian(square(function)),
        "vmap": lambda function: lambda x: torch.vmap(lambda scale: function(x * scale))(numbers(torch, 2, low=0.5)),
    }


@pytest.mark.parametrize("transform", list(transforms(__import__("rushlight"))))
@pytest.mark.parametrize("name", list(of_vectors(__import__("rushlight"))))
def test_vmap_of_transforms(torch, name, transform):
    function = transforms(torch)[transform](of_vectors(torch)[name])
    equals_a_loop(torch, function, numbers(torch, 4, 3))


@pytest.mark.parametrize("name", list(of_vectors(__import__("rushlight"))))
def test_transforms_of_vmap(torch, name):
    function, f = of_vectors(torch)[name], torch.func
    x, v = numbers(torch, 4, 3), numbers(torch, 4, 3, low=-0.7)
    whole = f.grad(lambda x: (torch.vmap(function)(x) ** 2).sum())(x)
    assert torch.allclose(whole, torch.stack([f.grad(lambda row: (function(row) ** 2).sum())(row) for row in x]))
    moved = f.jvp(torch.vmap(function), (x,), (v,))[1]
    assert torch.allclose(moved, torch.stack([f.jvp(function, (a,), (b,))[1] for a, b in zip(x, v)]))


# ---- random numbers -------------------------------------------------------------------------------------------------------
def draws(torch):
    functional = torch.nn.functional
    return {
        "rand": lambda x: torch.rand(2),
        "randn": lambda x: torch.randn(2, 3),
        "randint": lambda x: torch.randint(100, (4,)),
        "randperm": lambda x: torch.randperm(5),
        "rand_like": lambda x: torch.rand_like(x),
        "randn_like": lambda x: torch.randn_like(x) + x,
        "normal": lambda x: torch.normal(0.0, 1.0, (2,)),
        "in place": lambda x: x.clone().uniform_(),
        "dropout": lambda x: functional.dropout(x, 0.5),
        "alpha dropout": lambda x: functional.alpha_dropout(x, 0.5, True),
        "feature dropout": lambda x: functional.dropout1d(x.expand(2, 4), 0.5),
        "new tensor": lambda x: x.new_zeros(2).normal_(),
    }


@pytest.mark.parametrize("name", list(draws(__import__("rushlight"))))
def test_randomness(torch, name):
    draw = draws(torch)[name]
    x = torch.ones(3, 4)
    with pytest.raises(RuntimeError, match="vmap: called random operation while in randomness error mode"):
        torch.vmap(draw)(x)
    torch.manual_seed(0)
    same = torch.vmap(draw, randomness="same")(x)
    assert torch.equal(same[0], same[1]) and torch.equal(same[1], same[2])
    torch.manual_seed(0)
    different = torch.vmap(draw, randomness="different")(x)
    assert different.shape == same.shape
    again = torch.vmap(draw, randomness="different")(x)
    assert not torch.equal(different, again)


def test_the_generator_gives_the_batch_in_one_draw(torch):
    torch.manual_seed(0)
    expected = torch.randn(3, 20)
    torch.manual_seed(0)
    assert torch.equal(torch.vmap(lambda x: torch.randn(20), randomness="different")(torch.ones(3)), expected)
    torch.manual_seed(0)
    expected = torch.rand(20)
    torch.manual_seed(0)
    assert torch.equal(torch.vmap(lambda x: torch.rand(20), randomness="same")(torch.ones(3))[2], expected)


# ---- errors ---------------------------------------------------------------------------------------------------------------
def refused(torch):
    """(call, type of the error, how its text begins)"""
    vmap = torch.vmap
    x = torch.zeros(2, 3)
    y = torch.ones(3)
    name = "vmap(<lambda>"
    item = "vmap: It looks like you're calling .item() on a Tensor."
    control = "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow."
    dynamic = "vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap over aten::"
    write = " is not possible because there exists a Tensor `other` in extra_args that has more elements than `self`."
    return {
        "no inputs": (lambda: vmap(lambda: 1)(), ValueError, f"{name})(<inputs>): got no inputs."),
        "in_dims of another type": (lambda: vmap(lambda x: x, in_dims="a")(x), ValueError, f"{name}, in_dims=a, ...)(<inputs>): expected `in_dims` to be int or a (potentially nested) tuple"),
        "in_dims a list": (lambda: vmap(lambda x: x, in_dims=[0])(x), ValueError, f"{name}, in_dims=[0], ...)(<inputs>): expected `in_dims` to be int"),
        "in_dims of another structure": (lambda: vmap(lambda x: x, in_dims=(0, 0))(x), ValueError, f"{name}, in_dims=(0, 0), ...)(<inputs>): in_dims is not compatible with the structure of `inputs`."),
        "in_dims no number": (lambda: vmap(lambda x: x, in_dims=(0.5,))(x), ValueError, f"{name}, in_dims=(0.5,), ...)(<inputs>): Got in_dim=0.5 for an input but in_dim must be either an integer dimension or None."),
        "a batch of no tensor": (lambda: vmap(lambda x, y: x)(x, 1.0), ValueError, f"{name}, in_dims=0, ...)(<inputs>): Got in_dim=0 for an input but the input is of type <class 'float'>."),
        "out of range": (lambda: vmap(lambda x: x, in_dims=2)(x), ValueError, f"{name}, in_dims=2, ...)(<inputs>): Got in_dim=2 for some input, but that input is a Tensor of dimensionality 2 so expected in_dim to satisfy -2 <= in_dim < 2."),
        "sizes": (lambda: vmap(lambda x, y: x, in_dims=(0, 1))(x, x), ValueError, "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes [2, 3]"),
        "nothing to map": (lambda: vmap(lambda x: x, in_dims=(None,))(x), ValueError, "vmap: Expected at least one Tensor to vmap over"),
        "a result that is no tensor": (lambda: vmap(lambda x: 1)(x), ValueError, f"{name}, ...): `<lambda>` must only return Tensors, got type <class 'int'>."),
        "out_dims of another structure": (lambda: vmap(lambda x: (x, x), out_dims=(0,))(x), ValueError, f"{name}, ..., out_dims=(0,))(<inputs>): out_dims is not compatible with the structure of `outputs`."),
        "out_dims of another type": (lambda: vmap(lambda x: x, out_dims="a")(x), ValueError, f"{name}, ..., out_dims=a): `out_dims` must be an int, None or a python collection of ints"),
        "out_dims None for a batch": (lambda: vmap(lambda x: x, out_dims=None)(x), ValueError, f"{name}, ...): `<lambda>` can not return a BatchedTensor when out_dim is None"),
        "out_dims out of range": (lambda: vmap(lambda x: x, out_dims=2)(x), IndexError, "Dimension out of range (expected to be in range of [-2, 1], but got 2)"),
        "randomness": (lambda: vmap(lambda x: x, randomness="foo")(x), RuntimeError, "Only allowed values for randomness are 'error', 'different', or 'same'. Got foo"),
        "chunks": (lambda: vmap(lambda x: x, chunk_size=0)(x), ValueError, "vmap: chunk_size should be None or greater than 0. (got 0)"),
        "item": (lambda: vmap(lambda x: x.sum().item())(x), RuntimeError, item),
        "float": (lambda: vmap(lambda x: float(x.sum()))(x), RuntimeError, item),
        "range": (lambda: vmap(lambda x: list(range(x)))(torch.tensor([1, 2])), RuntimeError, item),
        "control flow": (lambda: vmap(lambda x: x if x.sum() > 0 else -x)(x), RuntimeError, control),
        "nonzero": (lambda: vmap(lambda x: x.nonzero())(x), RuntimeError, dynamic + "nonzero."),
        "unique": (lambda: vmap(lambda x: x.unique())(x), RuntimeError, dynamic + "_unique2."),
        "a mask": (lambda: vmap(lambda x: x[x > 0])(x), RuntimeError, "vmap: We do not support batching operators that can support dynamic shape. Attempting to batch over indexing with a boolean mask."),
        "masked_select": (lambda: vmap(lambda x: x.masked_select(x > 0))(x), RuntimeError, "vmap: Attempted to vmap over `mask` in torch.masked_select(self, mask)"),
        "equal": (lambda: vmap(lambda x: torch.equal(x, x))(x), RuntimeError, "Batching rule not implemented for aten::equal. We could not generate a fallback."),
        "allclose": (lambda: vmap(lambda x: torch.allclose(x, x))(x), RuntimeError, "vmap over torch.allclose isn't supported yet."),
        "out=": (lambda: vmap(lambda x: torch.add(x, x, out=torch.empty(3)))(x), RuntimeError, "Batching rule not implemented for aten::add.out; the fallback path doesn't work on out= or view ops."),
        "adding to what has no batch": (lambda: vmap(lambda x: y.clone().add_(x))(x), RuntimeError, "output with shape [3] doesn't match the broadcast shape [2, 3]"),
        "multiplying what has no batch": (lambda: vmap(lambda x: y.clone().mul_(x))(x), RuntimeError, "vmap: inplace arithmetic(self, *extra_args)" + write),
        "filling what has no batch": (lambda: vmap(lambda x: y.clone().fill_(x[0]))(x), RuntimeError, "vmap: fill_(self, *extra_args)" + write),
        "setting items of what has no batch": (lambda: vmap(lambda x: y.clone().index_put_((torch.tensor([0]),), x[0]))(x), RuntimeError, "vmap: index_put_(self, *extra_args)" + write),
        "numpy": (lambda: vmap(lambda x: x.numpy())(x), RuntimeError, "Cannot access data pointer of Tensor that doesn't have storage"),
        "outside an example": (lambda: vmap(lambda x: x.as_strided((5,), (1,)))(x), RuntimeError, "result = tensor.as_strided([5], [1], 0) can access memory outside of `tensor`."),
        "a view that memory forbids": (lambda: vmap(lambda x: x.t().view(-1))(torch.zeros(2, 3, 4)), RuntimeError, "view size is not compatible with input tensor's size and stride"),
        "same numbers for a batch of parameters": (lambda: vmap(lambda x: torch.bernoulli(x), randomness="same")(x), RuntimeError, "Vmap does not currently support same randomness with a batched tensor input."),
        "different numbers for what has no batch": (lambda: vmap(lambda x: torch.zeros(3).normal_(), randomness="different")(x), RuntimeError, "vmap: Cannot ask for different inplace randomness on an unbatched tensor."),
        "batch norm": (lambda: vmap(lambda x: torch.nn.functional.batch_norm(x, torch.zeros(4), torch.ones(4), training=True))(torch.zeros(2, 3, 4)), RuntimeError, "Batch norm got a batched tensor as input while the running_mean or running_var, which will be updated in place, were not batched."),
        "errors speak of one example": (lambda: vmap(lambda x: x @ torch.ones(4, 2))(torch.zeros(2, 5, 3)), RuntimeError, ""),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(refused(__import__("rushlight"))))
def test_what_is_refused(torch, name):
    call, kind, text = refused(torch)[name]
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value).startswith(text), caught.value
