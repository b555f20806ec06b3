"""What vmap promises at its edges: results and their dimensions, refusals in PyTorch's words, promotion, layouts, writes."""

import pytest


def words_of_refusal(torch):
    """(a call, the type of its error, how its text begins)"""
    vmap, functional = torch.vmap, torch.nn.functional
    x = torch.ones(2, 3)
    y = torch.ones(3)
    matrices = torch.ones(2, 3, 4)
    rrelu = "vmap: we do not yet support aten::rrelu"
    no_out = "vmap: We do not support calling out variants of random operations inside of vmap. Please use non-out variants as a workaround"
    dynamic = "vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap over aten::"
    shape = "Shape mismatch: Got incorrect dims for "
    return {
        "a result where out_dims is no dimension": (lambda: vmap(lambda x: (x, x), out_dims=(0, ("a", 0)))(x), ValueError, "vmap(<lambda>, ..., out_dims=(0, ('a', 0))): `out_dims` must be an int, None or a python collection of ints"),
        "a shape as a result": (lambda: vmap(lambda x: x.shape)(x), ValueError, "vmap(<lambda>, ...): `<lambda>` must only return Tensors, got type <class 'int'>."),
        "rrelu": (lambda: vmap(lambda x: functional.rrelu(x, training=True), randomness="different")(x), RuntimeError, rrelu + "."),
        "rrelu of what has no batch": (lambda: vmap(lambda x: functional.rrelu(y), randomness="same")(x), RuntimeError, rrelu + "."),
        "rrelu in place": (lambda: vmap(lambda x: functional.rrelu(x.clone(), inplace=True))(x), RuntimeError, rrelu + "_."),
        "randn out=": (lambda: vmap(lambda x: torch.randn(2, out=torch.empty(2)), randomness="same")(x), RuntimeError, no_out),
        "randint out=": (lambda: vmap(lambda x: torch.randint(3, (2,), out=torch.empty(2).long()), randomness="different")(x), RuntimeError, no_out),
        "randperm out=": (lambda: vmap(lambda x: torch.randperm(3, out=torch.empty(3).long()), randomness="same")(x), RuntimeError, no_out),
        "normal out=": (lambda: vmap(lambda x: torch.normal(y, y, out=y.clone()), randomness="same")(x), RuntimeError, no_out),
        "bernoulli out=": (lambda: vmap(lambda x: torch.bernoulli(y, out=y.clone()))(x), RuntimeError, no_out),
        "multinomial out=": (lambda: vmap(lambda x: torch.multinomial(y, 2, out=torch.empty(2).long()))(x), RuntimeError, no_out),
        "where of a condition alone": (lambda: vmap(lambda x: torch.where(x))(x), RuntimeError, dynamic + "where."),
        "nonzero as a tuple": (lambda: vmap(lambda x: torch.nonzero(x, as_tuple=True))(x), RuntimeError, "Batching rule not implemented for aten::nonzero_numpy. We could not generate a fallback."),
        "equal of other shapes": (lambda: vmap(lambda x: torch.equal(x, torch.ones(2)))(x), RuntimeError, "Batching rule not implemented for aten::equal."),
        "one_hot of unknown width": (lambda: vmap(lambda x: functional.one_hot(x))(torch.tensor([[0, 1]])), RuntimeError, "When vmap-ing torch.nn.functional.one_hot, please provide an explicit positive num_classes argument."),
        "item as a function": (lambda: vmap(torch.Tensor.item)(y), RuntimeError, "vmap: It looks like you're calling .item() on a Tensor."),
        "a text of an element": (lambda: vmap(lambda x: f"{x}")(y), RuntimeError, "vmap: It looks like you're calling .item() on a Tensor."),
        "other memory formats": (lambda: vmap(lambda x: x.is_contiguous(memory_format=torch.channels_last))(x), RuntimeError, "NYI: querying is_contiguous inside of vmap for memory_format other than torch.contiguous_format"),
        "mm of a vector": (lambda: vmap(torch.mm)(matrices, x), RuntimeError, shape + "mm(a, b). a has dim 2and b has dim 1but expected them to have dim 2 and dim 2"),
        "mv of two matrices": (lambda: vmap(torch.mv)(matrices, matrices), RuntimeError, shape + "mv(a, b). a has dim 2and b has dim 2but expected them to have dim 2 and dim 1"),
        "bmm of matrices": (lambda: vmap(torch.bmm)(matrices, matrices), RuntimeError, shape + "bmm(a, b). a has dim 2and b has dim 2but expected them to have dim 3 and dim 3"),
        "dot of matrices": (lambda: vmap(torch.dot)(matrices, matrices), RuntimeError, "Got wrong shapes for dot"),
        "adding to fewer dimensions": (lambda: vmap(lambda x: torch.ones(5, 1).add_(x))(torch.ones(2, 5)), RuntimeError, "output with shape [5, 1] doesn't match the broadcast shape [2, 5, 5]"),
        "shifting what has no batch": (lambda: vmap(lambda x: torch.ones(3).long().bitwise_left_shift_(x.long()))(x), RuntimeError, "output with shape [3] doesn't match the broadcast shape [2, 3]"),
        "floor division of what has no batch": (lambda: vmap(lambda x: y.clone().div_(x, rounding_mode="floor"))(x), RuntimeError, "vmap: inplace arithmetic(self, *extra_args)"),
        "comparing into too small a target": (lambda: vmap(lambda x: x.clone().unsqueeze(1).eq_(y))(x), RuntimeError, "output with shape [3, 1] doesn't match the broadcast shape [3, 3]"),
        "multiplying too small a target": (lambda: vmap(lambda x: x.clone().unsqueeze(1).mul_(y))(x), RuntimeError, "output with shape [2, 3, 1] doesn't match the broadcast shape [2, 3, 3]"),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(words_of_refusal(__import__("rushlight"))))
def test_words_of_refusal_under_vmap(torch, name):
    call, kind, text = words_of_refusal(torch)[name]
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value).startswith(text), caught.value


def test_results_that_are_no_tensors(torch):
    x = torch.ones(2, 3)
    result, text = torch.vmap(lambda x: (x, "a"), out_dims=(0, None))(x)
    assert torch.equal(result, x) and text == "a"
    assert torch.vmap(lambda x: 1.5, out_dims=None)(x) == 1.5
    result, nothing = torch.vmap(lambda x: (x, None), out_dims=(1, None))(x)
    assert result.shape == (3, 2) and nothing is None


def test_the_batch_is_resized_with_its_examples(torch):
    x = torch.arange(12.0).reshape(3, 4)
    result = torch.vmap(lambda x: x.resize_(2))(x)
    assert result.shape == (3, 2) and torch.equal(result.reshape(-1), torch.arange(6.0))


def test_numbers_alike_have_no_batch(torch):
    torch.manual_seed(0)
    expected = torch.randn(3)
    torch.manual_seed(0)
    made = torch.vmap(lambda x: torch.randn_like(x), randomness="same")(torch.ones(2, 3))
    assert torch.equal(made, expected.expand(2, 3)) and made.stride() == (0, 1)


def test_levels_draw_each_in_its_way(torch):
    def drawn(outer, inner, draw):
        torch.manual_seed(0)
        return torch.vmap(lambda x: torch.vmap(draw, randomness=inner)(torch.ones(2, 4)), randomness=outer)(torch.ones(3))

    for draw in (lambda y: torch.randn_like(y), lambda y: torch.nn.functional.dropout(y)):
        made = drawn("different", "same", draw)
        assert torch.equal(made[:, 0], made[:, 1]) and not torch.equal(made[0], made[1])
    with pytest.raises(RuntimeError, match="Cannot ask for different inplace randomness on an unbatched tensor"):
        torch.vmap(
            lambda x: torch.vmap(lambda y: (x + y).normal_(), randomness="same")(torch.ones(2, 4)), randomness="different"
        )(torch.ones(3))


def test_what_where_and_clamp_promote(torch):
    """Of an example without dimensions, these see the batch."""
    x, flat = torch.ones(2, 3), torch.ones(2, dtype=torch.float64)
    vmap = torch.vmap
    assert vmap(lambda x, a: torch.where(x > 0, a, torch.ones(3)))(x, flat).dtype is torch.float64
    assert vmap(lambda x, a: torch.clamp(x, min=a))(x, flat).dtype is torch.float64
    assert vmap(lambda x, a: torch.maximum(x, a))(x, flat).dtype is torch.float32
    assert vmap(lambda x: torch.where(x > 0, x, torch.tensor(1.0, dtype=torch.float64)))(x).dtype is torch.float32


def test_new_tensors_with_strides(torch):
    made = torch.vmap(lambda x: x.new_empty_strided((2, 3), (4, 2)))(torch.ones(5, 3))
    assert made.shape == (5, 2, 3) and made.stride() == (9, 4, 2)


def test_spaced_between_ends_of_each_example(torch):
    ends = torch.tensor([1.0, 4.0])
    assert torch.equal(torch.vmap(lambda end: torch.linspace(0, end, 3))(ends), torch.tensor([[0, 0.5, 1], [0, 2, 4]]))
    assert torch.allclose(torch.vmap(lambda end: torch.logspace(0, end, 2))(ends), torch.tensor([[1.0, 10], [1, 10000]]))


def test_quantiles_at_points_of_each_example(torch):
    points = torch.tensor([0.25, 0.5])
    x = torch.arange(5.0)
    assert torch.equal(torch.vmap(lambda q: torch.quantile(x, q))(points), torch.tensor([1.0, 2.0]))


def test_products_without_elements(torch):
    a, b = torch.ones(2, 5, 0), torch.ones(0, 4)
    assert torch.equal(torch.vmap(lambda a: torch.addmm(torch.ones(4), a, b))(a), torch.ones(2, 5, 4))
    assert torch.equal(torch.vmap(lambda a: a @ b)(a), torch.zeros(2, 5, 4))


def test_products_added_to_whole_numbers(torch):
    x, matrix, vector = torch.ones(2, 3).long(), torch.ones(3, 4).long(), torch.ones(4).long()
    assert torch.equal(torch.vmap(lambda x: torch.addmv(x, matrix, vector))(x), torch.full((2, 3), 5))
    assert torch.vmap(lambda x: torch.addmv(x, matrix, vector, beta=0.5))(x).tolist() == [[4.5] * 3] * 2


def test_scattered_by_masks_of_each_example(torch):
    x = torch.arange(6.0).reshape(2, 3)

    def scattered(x):
        return ((x * 2).masked_scatter(x > 1, x) ** 2).sum()

    assert torch.equal(torch.vmap(torch.func.grad(scattered))(x), torch.tensor([[0.0, 8, 0], [6, 8, 10]]))


def test_items_of_a_batch_are_set(torch):
    x = torch.arange(12.0).reshape(3, 4)

    def changed(x):
        y = x.clone()
        y[1] = 0.0
        y[2:] = x[:2]
        y[0] = x[3]
        return y

    expected = x.clone()
    expected[:, 1], expected[:, 2:], expected[:, 0] = 0, x[:, :2], x[:, 3]
    assert torch.equal(torch.vmap(changed)(x), expected)
    assert torch.equal(torch.vmap(torch.func.grad(lambda x: (changed(x) * x).sum()))(x), gradient_of_each(torch, changed, x))


def gradient_of_each(torch, changed, x):
    tracked = x.clone().requires_grad_()
    total = sum((changed(row) * row).sum() for row in tracked)
    return torch.autograd.grad(total, tracked)[0]


EQUATIONS = {
    "ij,jk->ik": ((2, 3), (3, 4)),
    "ij,jk->ki": ((2, 3), (3, 4)),
    "i,ij->j": ((2,), (2, 3)),
    "ij,ij->": ((2, 3), (2, 3)),
    "...ij,jk": ((5, 2, 3), (3, 4)),
    "iz,jz->ij": ((2, 1), (3, 1)),
    "i,j->ij": ((2,), (3,)),
}


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum_of_batches(torch, equation):
    a, b = (torch.randn(3, *shape) for shape in EQUATIONS[equation])

    def product(a, b):
        return torch.einsum(equation, a, b)

    for places, inputs in (((0, 0), (a, b)), ((0, None), (a, b[0])), ((None, 0), (a[0], b))):
        expected = torch.stack([product(*[x[i] if p == 0 else x for x, p in zip(inputs, places)]) for i in range(3)])
        made = torch.vmap(product, places)(*inputs)
        assert torch.allclose(made, expected, atol=1e-5)
        inside = torch.vmap(torch.func.grad(lambda a, b: product(a, b).sin().sum()), places)(*inputs)
        assert inside.shape == (3, *inputs[0].shape[places[0] == 0 :])
    with pytest.raises(RuntimeError, match="subscript"):
        torch.vmap(lambda a, b: torch.einsum("ij,jk->ik", a, b))(torch.ones(3, 2, 3), torch.ones(3, 2, 3))


def test_comparisons_written_in_place_stop_gradients(torch):
    for name in ("eq_", "ne_", "lt_", "le_", "gt_", "ge_"):
        x = torch.ones(2, requires_grad=True)
        y = getattr(x * 2, name)(x)
        assert y.grad_fn.name() == name[:-1].capitalize() + "Backward1"
        (gradient,) = torch.autograd.grad((y * 3).sum(), x)
        assert torch.equal(gradient, torch.zeros(2))
        assert getattr(x * 2, name)(1.0).grad_fn.name() == name[:-1].capitalize() + "Backward0"
        moved = torch.func.jvp(lambda x, name=name: getattr(x * 2, name)(x) + x, (torch.ones(2),), (torch.ones(2),))[1]
        assert torch.equal(moved, torch.ones(2))


def test_anomalies_of_a_batch(torch):
    x = torch.zeros(3) - 1
    with pytest.warns(UserWarning), torch.autograd.set_detect_anomaly(True):
        assert torch.equal(torch.vmap(torch.func.grad(lambda x: x.exp().sum()))(x), x.exp())
        with pytest.raises(RuntimeError, match="returned nan values in its 0th output"):
            torch.vmap(torch.func.grad(lambda x: x.sqrt().sum()))(x)


def test_names_of_partial_functions(torch):
    from functools import partial

    with pytest.raises(ValueError, match=r"vmap\(functools.partial\(<lambda>, ...\), ...\): "):
        torch.vmap(partial(lambda x, y: 3, y=2))(torch.ones(2))


def test_layouts_that_vmap_refuses(torch):
    x = torch.ones(2, 3, 4, 5, 6)
    for memory_format, name in ((torch.channels_last, "ChannelsLast"), (torch.channels_last_3d, "ChannelsLast3d")):
        with pytest.raises(RuntimeError, match=rf"NYI: Tensor.clone\(memory_format\) inside vmap .* \(got {name}\)"):
            torch.vmap(lambda x, memory_format=memory_format: x.clone(memory_format=memory_format))(x)
    with pytest.raises(RuntimeError, match=r"must have the same length! Got size \[1, 1\] and stride \[1\]"):
        torch.vmap(lambda x: x.as_strided([1, 1], [1]))(x)
