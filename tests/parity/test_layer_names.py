"""Functions within PyTorch that layers are made of, and what programs and its own suites ask of them: the same values, derivatives and errors."""

import warnings

import pytest

import rushlight

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


def outcome(program, library):
    try:
        found = program(library)
    except Exception as error:
        return f"{type(error).__name__}: {error}".partition("\nException raised")[0].replace("rushlight", "torch")
    return [x.tolist() if hasattr(x, "tolist") else x for x in (found if isinstance(found, tuple) else (found,))]


def same(program):
    found, expected = outcome(program, rushlight), outcome(program, torch)
    numbers = isinstance(found, list) and isinstance(expected, list) and not any(isinstance(x, str) for x in found)
    if numbers:
        torch.testing.assert_close(found, expected, equal_nan=True, rtol=1e-5, atol=1e-6)
    else:
        assert found == expected


MASKS = [(3, 3), (2, 3), (2, 4), (2, 2, 3, 3), (2, 2, 3, 4)]


@pytest.mark.parametrize("mask_type", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("shape", MASKS)
@pytest.mark.parametrize("dim", [None, 0, 3, 7])
def test_masked_softmax(shape, mask_type, dim):
    def program(torch):
        x = torch.linspace(-1, 2, 36).view(2, 2, 3, 3).requires_grad_()
        mask = torch.zeros(shape, dtype=torch.bool)
        mask[..., 0] = True
        out = torch._masked_softmax(x, mask, dim, mask_type)
        # (PyTorch derives it where the mask has the shape of the input.)
        return out, *(torch.autograd.grad(out, x, torch.linspace(0, 1, 36).view(2, 2, 3, 3)) if shape == x.shape else ())

    same(program)


@pytest.mark.parametrize("dtype", ["float16", "int64"])
def test_masked_softmax_of_what_is_covered(dtype):
    same(lambda torch: torch._masked_softmax(torch.ones(2, 3, dtype=getattr(torch, dtype)), torch.ones(2, 3, dtype=torch.bool)))
    same(lambda torch: torch._masked_softmax(torch.ones(2, 3), torch.ones(2, 3)))


@pytest.mark.parametrize("name", ["_softmax", "_log_softmax"])
def test_softmax_by_its_inner_name(name):
    same(lambda torch: getattr(torch, name)(torch.arange(6.0).view(2, 3), 1, False))
    same(lambda torch: getattr(torch, name)(torch.ones(2).half(), 0, True))
    same(lambda torch: getattr(torch, name)(torch.ones(2), 0))


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("kind", ["reflection", "replication"])
@pytest.mark.parametrize("padding", [[], [1], [1, 1], [1] * 4, [2, 1] * 3, [-1], [-3], [9]])
def test_padding_by_its_inner_name(kind, dims, padding):
    padding = padding * 2 * dims if len(padding) == 1 and padding != [1] else padding
    for shape in ((2,), (1, *[4] * dims), (1, 1, *[4] * dims), (1, 1, 1, *[4] * dims), (3, 0, *[4] * dims), (0, 3, *[4] * dims)):

        def program(torch, shape=shape):
            pad = getattr(torch._C._nn, f"{kind}_pad{dims}d")
            x = torch.linspace(0, 1, torch.Size(shape).numel()).view(shape).requires_grad_()
            out = pad(x, padding)
            return out, torch.autograd.grad(out.square().sum(), x)[0]

        same(program)
        same(lambda torch, shape=shape: getattr(torch.ops.aten, f"{kind}_pad{dims}d")(torch.ones(shape), tuple(padding)))


@pytest.mark.parametrize("mode", ["reflect", "replicate"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_what_padding_leaves_nothing_of(mode, dims):
    same(lambda torch: torch.nn.functional.pad(torch.ones(1, 1, *[4] * dims), [-3, -3] * dims, mode))


@pytest.mark.parametrize("momentum", [0.0, 0.1])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 2, 2), (1, 3), (0, 3), (3,)])
def test_statistics_of_a_batch(shape, momentum):
    def program(torch):
        mean, var = torch.zeros(3), torch.ones(3)
        found = torch.batch_norm_update_stats(
            torch.linspace(0, 2, torch.Size(shape).numel()).view(shape).square(), mean, var, momentum
        )
        return *found, mean, var

    same(program)
    same(lambda torch: torch.batch_norm_update_stats(torch.ones(2, 3), None, None, momentum))
    same(lambda torch: torch.batch_norm_update_stats(torch.ones(2, 3, dtype=torch.int32), None, None, momentum))


@pytest.mark.parametrize("moved", [(0,), (1,), (1, 2), (0, 1), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("training", [True, False])
def test_running_statistics_have_no_tangent(moved, training):
    def program(torch):
        forward_ad = torch.autograd.forward_ad
        given = [torch.linspace(0, 1, 12).view(3, 2, 2), torch.zeros(2), torch.ones(2)]
        with forward_ad.dual_level():
            given = [forward_ad.make_dual(x, torch.ones_like(x)) if n in moved else x for n, x in enumerate(given)]
            torch.nn.functional.batch_norm(*given, training=training)
        return True

    same(program)


def test_the_rest():
    grid = [[[-0.9, -4.1], [0, 0.2], [1, -1], [-0.3, 1e-6], [0.5, 1.0]]]
    for mode in range(3):
        for edges in range(3):
            same(
                lambda torch, mode=mode, edges=edges: torch._grid_sampler_2d_cpu_fallback(
                    torch.arange(1.0, 11).view(1, 1, 2, 5), torch.tensor([grid]), mode, edges, False
                )
            )
    for other in (1, 2.5):
        same(lambda torch, other=other: torch._VF._add_relu(torch.tensor([-5.0, 2]), other))
    same(lambda torch: torch._add_relu(torch.tensor([-5.0, 2]), torch.ones(2), alpha=6))
    same(lambda torch: (torch._C._set_mkldnn_enabled(True), torch._C._get_mkldnn_enabled())[1])
    for size in (1e20, -1e20, float("nan")):
        for mode in ("nearest", "bilinear"):
            same(
                lambda torch, size=size, mode=mode: torch.nn.functional.interpolate(
                    torch.ones(1, 1, 4, 4), scale_factor=size, mode=mode
                )
            )
    same(lambda torch: torch.nn.functional.fold(torch.ones(1, 12, 12), (4, 5), 2, dilation=8))
    same(lambda torch: torch.nn.functional.fold(torch.ones(1, 12, 12), (4, 5), 2, dilation=(8, 1)))
    for lengths in (([-1] * 3, [30, 25, 20]), ([50] * 3, [-1] * 3), ([51] * 3, [29] * 3)):
        same(
            lambda torch, lengths=lengths: torch.nn.functional.ctc_loss(torch.zeros(50, 3, 15), torch.ones(3, 29).int(), *lengths)
        )


@pytest.mark.parametrize("size", [(1, 1, 2, 1), (1, 1, 2, 2), (1, 1, 3, 2, 1)])
@pytest.mark.parametrize("corners", [True, False])
def test_affine_grids_of_one_place(size, corners):
    def warned(torch):
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            torch.nn.functional.affine_grid(torch.ones(1, len(size) - 2, len(size) - 1), size, align_corners=corners)
        return [str(warning.message) for warning in found]

    assert warned(rushlight) == warned(torch)


def test_batches_counted_on_no_device():
    def program(torch):
        layer = torch.nn.BatchNorm2d(3, device="meta")
        layer.load_state_dict({}, assign=True, strict=False)
        return layer.num_batches_tracked

    same(program)


INDICES = [1, 2, 4, 5, 4, 3, 2, 9]


@pytest.mark.parametrize("mode", ["sum", "mean"])
@pytest.mark.parametrize("padding_idx", [None, 4])
def test_sparse_gradients_of_bags(mode, padding_idx):
    def program(torch):
        table = torch.arange(30.0).view(10, 3).requires_grad_()
        bags = torch.nn.functional.embedding_bag(
            torch.tensor(INDICES), table, torch.tensor([0, 4]), mode=mode, sparse=True, padding_idx=padding_idx
        )
        bags.square().sum().backward()
        return bags, table.grad._indices(), table.grad._values(), table.grad.is_coalesced(), tuple(table.grad.shape)

    same(program)


def test_sparse_gradients_keep_their_places():
    def twice(torch):
        table = torch.nn.Embedding(10, 3, sparse=True)
        for _ in range(2):
            table(torch.tensor([7, 1, 3])).sum().backward()
        grad = table.weight.grad
        return grad._indices(), grad._values(), grad.is_coalesced()

    def of_nothing(torch):
        table = torch.nn.Embedding(0, 0, sparse=True)
        table(torch.tensor([], dtype=torch.int64)).sum().backward()
        return tuple(table.weight.grad.shape)

    same(twice)
    same(of_nothing)


@pytest.mark.parametrize("name", ["embedding_dense_backward", "embedding_sparse_backward", "embedding_backward"])
@pytest.mark.parametrize("padding_idx", [-1, 1])
def test_gradients_of_tables_by_name(name, padding_idx):
    more = (True,) if name == "embedding_backward" else ()

    def program(torch):
        found = getattr(torch.ops.aten, name)(torch.ones(3, 2), torch.tensor([1, 1, 0]), 4, padding_idx, False, *more)
        return found.to_dense() if found.is_sparse else found

    same(program)
    same(lambda torch: torch._embedding_bag_forward_only(torch.ones(4, 2), torch.tensor([1, 3, 2]), torch.tensor([0, 1])))


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("transposed", [True, False])
@pytest.mark.parametrize("mask", [(True, True, True), (False, True, False), [True, False, False]])
def test_backward_of_convolutions_by_name(dims, transposed, mask):
    def program(torch):
        x = torch.linspace(0, 1, 2 * 4 * 5**dims).view(2, 4, *[5] * dims)
        weight = torch.linspace(-1, 1, 24 * 3**dims).view(*((4, 6) if transposed else (6, 4)), *[3] * dims)
        numbers = [1] * dims, [0] * dims, [1] * dims, transposed, [0] * dims, 1
        grad = torch.convolution(x, weight, None, *numbers)
        return tuple(x is not None and x.sum() for x in torch.ops.aten.convolution_backward(grad, x, weight, [6], *numbers, mask))

    same(program)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("transposed", [True, False])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("samples", [2, 0])
def test_ways_to_convolve(dims, transposed, dilation, samples):
    def program(torch):
        x, weight = torch.ones(samples, 4, *[7] * dims, requires_grad=True), torch.ones(4, 4, *[3] * dims)
        with torch.backends.mkldnn.flags(enabled=False):
            return str(
                torch._C._select_conv_backend(
                    x, weight, None, [1] * dims, [0] * dims, [dilation] * dims, transposed, [0] * dims, 1
                )
            )

    same(program)
    ways = torch._C._ConvBackend.__members__
    assert {name: int(way) for name, way in rushlight._C._ConvBackend.__members__.items()} == {
        name.rstrip(","): int(way) for name, way in ways.items()
    }


def test_lazy_convolutions_of_groups():
    same(lambda torch: torch.nn.LazyConv2d(3, 2, groups=0))
    same(lambda torch: tuple(torch.nn.LazyConv2d(4, 2, groups=2)(torch.ones(1, 4, 5, 5)).shape))
    same(lambda torch: repr(torch.nn.Conv1d(3, 3, (3, 3))))
    same(lambda torch: torch.func.functional_call(torch.nn.Linear(1, 1), "x", 1))
    same(lambda torch: tuple(torch.nn.TransformerEncoderLayer(8, 2, 8, batch_first=True)(torch.ones(0, 3, 8)).shape))


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("channels", [2, 90])
@pytest.mark.parametrize("kernel", [1, 3, 4])
@pytest.mark.parametrize("groups", [1, 2])
def test_how_volumes_are_laid_out(samples, channels, kernel, groups):
    def program(torch):
        x = torch.ones(samples, channels, 16, 16, 5).to(memory_format=torch.channels_last_3d)
        return torch.nn.Conv3d(channels, 4, kernel, groups=groups)(x).stride()

    same(program)


def test_how_root_mean_square_normalization_lays_out():
    same(lambda torch: torch.nn.functional.rms_norm(torch.ones(4, 2).t(), (4,)).stride())
    same(
        lambda torch: torch.nn.functional.rms_norm(
            torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last), (5,), torch.ones(5)
        ).stride()
    )


def test_layers_on_meta():
    same(lambda torch: str(torch.nn.functional.rrelu(torch.ones(2, device="meta"), training=True).device))
    for name in ("RNN", "LSTM", "GRU"):
        same(lambda torch, name=name: getattr(torch.nn, name)(2, 2)(torch.ones(1, 1, 2, device="meta")))
        same(lambda torch, name=name: getattr(torch.nn, name)(2, 2, device="meta")(torch.ones(1, 1, 2)))
    same(lambda torch: torch.nn.RNN(2, 2)(torch.ones(1, 1, 2), torch.ones(1, 1, 2, device="meta")))


@pytest.mark.parametrize(
    "forward",
    [
        lambda x: x.sigmoid(),
        lambda x: x.sigmoid().exp(),
        lambda x: [x.sigmoid()],
        lambda x: {"a": x.sigmoid()},
        lambda x: (x.sigmoid(), x.exp()),
        lambda x: (x.sigmoid(), x.detach()),
        lambda x: x.unbind(0),
        lambda *xs: xs[0] * xs[-1],
        lambda x, y=2: x * y,
    ],
)
@pytest.mark.parametrize("given", ["one", "two", "list", "number"])
def test_what_older_backward_hooks_warn_of(forward, given):
    def program(torch):
        x, y = torch.ones(2, requires_grad=True).exp(), torch.ones(2, requires_grad=True)
        layer = torch.nn.Identity()
        layer.forward = (lambda xs: forward(xs[0])) if given == "list" else forward
        layer.register_backward_hook(lambda *given: None)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            layer(*{"one": (x,), "two": (x, y), "list": ([x, y],), "number": (x, 2)}[given])
        return tuple(f"{w.category.__name__} {w.message}" for w in caught)

    same(program)


@pytest.mark.parametrize("dropout", [-1.0, 0.0, 1.5])
@pytest.mark.parametrize("value_width", [4, 3])
def test_attention_with_odd_dropout(dropout, value_width):
    def program(torch):
        q, v = torch.linspace(0, 1, 24).view(1, 2, 3, 4), torch.linspace(1, 2, 6 * value_width).view(1, 2, 3, value_width)
        return torch.nn.functional.scaled_dot_product_attention(q, q, v, dropout_p=dropout)

    same(program)


def test_names_of_attention():
    def program(torch):
        from importlib import import_module

        attention = import_module(f"{torch.__name__}.nn.attention")
        return tuple(sorted(map(str, attention._cur_sdpa_kernel_backends()))), torch.backends.cuda.can_use_efficient_attention()

    same(program)
    same(lambda torch: __import__(f"{torch.__name__}.nn.attention.bias", fromlist=["bias"]).CausalBias(1, 2, 2))


@pytest.mark.parametrize("activation", ["GELU", "Tanh", "ReLU"])
@pytest.mark.parametrize("layer", ["TransformerEncoderLayer", "TransformerDecoderLayer"])
def test_copies_of_layers_whose_activation_is_a_module(layer, activation):
    def program(torch):
        import copy

        torch.manual_seed(0)
        made = getattr(torch.nn, layer)(4, 2, 4, 0.0, getattr(torch.nn, activation)())
        x = torch.linspace(-1, 1, 8).view(2, 1, 4)
        return tuple(m(*[x] * (2 if "Decoder" in layer else 1)).detach() for m in (made, copy.deepcopy(made)))

    same(program)


LOSSES = {
    "nll_loss": lambda a, target: (a, target),
    "cross_entropy": lambda a, target: (a, target),
    "multi_margin_loss": lambda a, target: (a, target),
    **dict.fromkeys(
        ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "kl_div", "binary_cross_entropy", "soft_margin_loss"),
        lambda a, target: (a, a * a),
    ),
    **dict.fromkeys(("poisson_nll_loss", "hinge_embedding_loss", "multilabel_soft_margin_loss"), lambda a, target: (a, a * a)),
    **dict.fromkeys(("triplet_margin_loss", "triplet_margin_with_distance_loss"), lambda a, target: (a, a * a, a + a)),
}


@pytest.mark.parametrize("reduction", ["elementwise_mean", "other"])
@pytest.mark.parametrize("name", LOSSES)
def test_older_and_unknown_words_for_reductions(name, reduction):
    def program(torch, **given):
        a = torch.linspace(0.1, 0.9, 6).view(3, 2)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loss = getattr(torch.nn.functional, name)(*LOSSES[name](a, torch.tensor([0, 1, 1])), reduction=reduction, **given)
        return loss, [str(w.message) for w in caught] == [
            "reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead."
        ]

    same(program)
    if name in ("mse_loss", "l1_loss", "huber_loss"):
        same(lambda torch: program(torch, weight=torch.ones(3, 2)))


def test_what_parameters_of_integers_say():
    same(lambda torch: torch.nn.Parameter(torch.ones(2).int()))
    same(lambda torch: torch.nn.Parameter(torch.ones(2).bool(), requires_grad=False).tolist())
    same(lambda torch: torch.nn.Linear(1, 1, dtype=torch.int32))
    same(lambda torch: torch.ones(2).int().requires_grad_())
