"""Attention and the Transformer beside PyTorch: values, gradients, random numbers, what is printed, registered and refused."""

import importlib
import itertools
import math
import warnings

import pytest

import rushlight

from .test_recurrent_live import compare, nets, ours, refused, tensors

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

PADDING = [[False, False, True], [False, False, False]]


def numbers(*shape, dtype="float64"):
    return torch.randn(*shape, dtype=torch.float64).to(getattr(torch, dtype)).requires_grad_()


def outcome(library, call, inputs):
    """Outputs and gradients under one seed."""
    library.manual_seed(7)
    made = tensors(call(library, *inputs))
    loss = sum((out.double() * (i + 1)).sin().sum() for i, out in enumerate(made))
    return made, library.autograd.grad(loss, inputs, allow_unused=True)


def agree(call, inputs, dtype):
    expected, gradients = outcome(torch, call, inputs)
    found, own = outcome(rushlight, call, [ours(x).requires_grad_() for x in inputs])
    for place, (a, b) in enumerate(itertools.zip_longest(found, expected)):
        compare(a, b, dtype, f"output {place}")
    for place, (a, b) in enumerate(itertools.zip_longest(own, gradients)):
        assert (a is None) == (b is None)
        if a is not None:
            compare(a.contiguous(), b.contiguous(), dtype, f"gradient {place}")


def attend(library, *args, **kwargs):
    return library.nn.functional.scaled_dot_product_attention(*args, **kwargs)


SHAPES = [((2, 3, 5, 4), (2, 3, 7, 4)), ((1, 2, 130, 8), (1, 2, 70, 8)), ((3, 5, 4), (3, 7, 4)), ((5, 4), (7, 4))]
MASKS = {
    "none": lambda t, q, k: dict(),
    "causal": lambda t, q, k: dict(is_causal=True),
    "truths": lambda t, q, k: dict(attn_mask=(t.arange(q * k).view(q, k) % 3 > 0).index_fill(0, t.tensor([1]), False)),
    "numbers": lambda t, q, k: dict(attn_mask=t.arange(q * k).view(q, k).double().sin(), scale=0.3),
    "dropout": lambda t, q, k: dict(dropout_p=0.4),
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_attention(shapes, mask, dtype):
    query, key = shapes

    def call(library, q, k, v):
        given = MASKS[mask](library, query[-2], key[-2])
        if given.get("attn_mask") is not None and given["attn_mask"].is_floating_point():
            given["attn_mask"] = given["attn_mask"].to(q.dtype)
        return attend(library, q, k, v, **given)

    agree(call, [numbers(*query, dtype=dtype), numbers(*key, dtype=dtype), numbers(*key, dtype=dtype)], dtype)


def test_heads_in_groups():
    inputs = [numbers(2, 6, 5, 4), numbers(2, 2, 7, 4), numbers(2, 2, 7, 4)]
    agree(lambda t, q, k, v: attend(t, q, k, v, enable_gqa=True), inputs, "float64")
    agree(lambda t, q, k, v: attend(t, q, k, v, enable_gqa=True, is_causal=True), inputs, "float64")


def test_a_mask_that_is_differentiated():
    inputs = [numbers(2, 2, 5, 4), numbers(2, 2, 7, 4), numbers(2, 2, 7, 4), numbers(5, 7)]
    agree(lambda t, q, k, v, mask: attend(t, q, k, v, mask), inputs, "float64")


def test_layouts():
    inputs = [numbers(2, 5, 3, 4), numbers(2, 7, 3, 4), numbers(2, 7, 3, 4)]
    agree(lambda t, *x: attend(t, *(each.transpose(1, 2) for each in x)), inputs, "float64")
    agree(lambda t, *x: attend(t, *(each[..., ::2].transpose(1, 2) for each in x)), inputs, "float64")


def test_backends():
    q = [numbers(1, 2, 3, 4) for _ in range(3)]

    def by_math(library, *x):
        attention = library.nn.attention
        with attention.sdpa_kernel(attention.SDPBackend.MATH):
            return attend(library, *x)

    agree(by_math, q, "float64")
    assert repr(rushlight.nn.attention.SDPBackend.MATH) == repr(torch.nn.attention.SDPBackend.MATH)
    out = attend(rushlight, *(ours(x).requires_grad_() for x in q))
    assert type(out.grad_fn).__name__ == type(attend(torch, *q).grad_fn).__name__


HEADS = [
    dict(),
    dict(bias=False),
    dict(kdim=3, vdim=5),
    dict(add_bias_kv=True, add_zero_attn=True),
    dict(batch_first=True, dropout=0.4),
]
CALLS = [
    dict(),
    dict(need_weights=False),
    dict(average_attn_weights=False),
    dict(key_padding_mask=PADDING),
    dict(key_padding_mask=PADDING, attn_mask="truths"),
    dict(attn_mask="numbers", need_weights=False),
    dict(attn_mask="numbers", need_weights=False, is_causal=True),
]


def options_of(library, call, like):
    """The keywords of a call, with masks of the library."""
    masks = {
        "truths": lambda: library.ones(4, 3).tril().bool().logical_not(),
        "numbers": lambda: library.triu(library.full((4, 3), -math.inf, dtype=like.dtype), 1),
    }
    made = dict(call)
    if "key_padding_mask" in made:
        made["key_padding_mask"] = library.tensor(made["key_padding_mask"])
    if "attn_mask" in made:
        made["attn_mask"] = masks[made["attn_mask"]]()
    return made


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("options", HEADS)
@pytest.mark.parametrize("train", [True, False])
def test_multihead_attention(options, call, train):
    theirs, own = nets("MultiheadAttention", options, "float64", 4, 2)
    assert repr(own) == repr(theirs) and list(own._parameters) == list(theirs._parameters)
    for (key, value), (other, expected) in itertools.zip_longest(own.state_dict().items(), theirs.state_dict().items()):
        assert key == other
        compare(value, expected, "float64", key)
    by_library = {torch: theirs.train(train), rushlight: own.train(train)}

    def run(library, *inputs):
        return by_library[library](*inputs, **options_of(library, call, inputs[0]))

    lead = (lambda steps: (2, steps)) if options.get("batch_first") else (lambda steps: (steps, 2))
    inputs = [numbers(*lead(4), 4), numbers(*lead(3), options.get("kdim", 4)), numbers(*lead(3), options.get("vdim", 4))]
    agree(run, inputs, "float64")
    if "key_padding_mask" not in call:
        agree(run, [x.detach().select(0 if options.get("batch_first") else 1, 0).requires_grad_() for x in inputs], "float64")


LAYERS = [dict(), dict(norm_first=True, activation="gelu"), dict(batch_first=True), dict(batch_first=True, bias=False)]


@pytest.mark.parametrize("options", LAYERS)
@pytest.mark.parametrize("train", [True, False])
def test_transformer(options, train):
    sizes = dict(num_encoder_layers=2, num_decoder_layers=1, dim_feedforward=6)
    theirs, own = nets("Transformer", options | sizes, "float64", 4, 2)
    assert repr(own) == repr(theirs)
    for (key, value), (other, expected) in itertools.zip_longest(own.state_dict().items(), theirs.state_dict().items()):
        assert key == other
        compare(value, expected, "float64", key)
    by_library = {torch: theirs.train(train), rushlight: own.train(train)}
    lead = (lambda steps: (2, steps)) if options.get("batch_first") else (lambda steps: (steps, 2))
    inputs = [numbers(*lead(3), 4), numbers(*lead(5), 4)]
    agree(lambda t, *x: by_library[t](*x), inputs, "float64")

    def masked(library, *x):
        net, padding = by_library[library], library.tensor(PADDING)
        mask = library.nn.Transformer.generate_square_subsequent_mask(5, dtype=library.float64)
        return net(*x, tgt_mask=mask, src_key_padding_mask=padding, memory_key_padding_mask=padding)

    agree(masked, inputs, "float64")


@pytest.mark.parametrize("padding", [PADDING, [[True, False, False], [False] * 3]])
def test_padding_is_left_out_in_evaluation(padding):
    made = []
    for library in (torch, rushlight):
        library.manual_seed(2)
        layer = library.nn.TransformerEncoderLayer(4, 2, 6, batch_first=True, dtype=library.float64)
        net = library.nn.TransformerEncoder(layer, 2, library.nn.LayerNorm(4, dtype=library.float64)).eval()
        x = library.arange(24, dtype=library.float64).sin().view(2, 3, 4)
        with library.no_grad():
            made.append(net(x, src_key_padding_mask=library.tensor(padding)))
    compare(made[1], made[0], "float64", "padding")


def warned(library, **options):
    """What the encoder says of its layers."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        layer = library.nn.TransformerEncoderLayer(4, options.pop("nhead", 2), 6, **options)
        library.nn.TransformerEncoder(layer, 1)
    return [str(each.message) for each in caught]


@pytest.mark.parametrize("options", [*LAYERS, dict(nhead=1, batch_first=True), dict(batch_first=True, activation=abs)])
def test_why_an_encoder_computes_padding(options):
    assert warned(rushlight, **options) == warned(torch, **options)


@pytest.mark.parametrize("sizes", [dict(), dict(BLOCK_SIZE=64), dict(BLOCK_SIZE=(32, 64), separate_full_blocks=False)])
def test_masks_by_blocks_and_scores_by_functions(sizes):
    made = []
    for library in (torch, rushlight):
        flex = importlib.import_module(f"{library.__name__}.nn.attention.flex_attention")
        seen = flex.and_masks(lambda b, h, i, j: i >= j, lambda b, h, i, j: i - j < 64)
        mask = flex.create_block_mask(seen, 2, None, 200, 130, device="cpu", **sizes)
        x = [library.arange(2 * 4 * n * 8, dtype=library.float32).sin().view(2, 4, n, 8) for n in (200, 130, 130)]
        output, more = flex.flex_attention(
            *x, lambda s, b, h, i, j: s + (i - j) * 0.1, mask, scale=0.3, return_aux=flex.AuxRequest(lse=True)
        )
        shown = repr(mask), str(mask), mask.to_dense().tolist(), mask[0].shape, mask.numel()
        made.append((shown, [output, more.lse, mask.kv_num_blocks, mask.q_num_blocks]))
    (expected_text, expected), (text, found) = made
    assert text == expected_text
    for a, b in zip(found, expected, strict=True):
        compare(a, b, "float32", "flex")


def with_heads(library, *shapes, options=None, **call):
    net = library.nn.MultiheadAttention(4, 2, **options or {})
    masks = {name: library.zeros(*value) for name, value in call.items() if isinstance(value, tuple)}
    return net(*(library.ones(*shape) for shape in shapes), **call | masks)


WRONG = [
    lambda t: attend(t, t.ones(4), t.ones(4), t.ones(4)),
    lambda t: attend(t, t.ones(2, 4), t.ones(2, 4), t.ones(2, 4).double()),
    lambda t: attend(t, t.ones(2, 4), t.ones(2, 4), t.ones(2, 4), t.ones(2, 2).long()),
    lambda t: attend(t, t.ones(2, 4), t.ones(2, 4), t.ones(2, 4), dropout_p=1.5),
    lambda t: attend(t, t.ones(1, 3, 2, 4), t.ones(1, 2, 2, 4), t.ones(1, 2, 2, 4), enable_gqa=True),
    lambda t: attend(t, t.ones(1, 4, 2, 4), t.ones(1, 2, 2, 4), t.ones(1, 2, 2, 4)),
    lambda t: attend(t, t.ones(2, 4)),
    lambda t: attend(t, t.ones(2, 4), t.ones(2, 4), t.ones(2, 4), foo=1),
    lambda t: attend(t, t.ones(2, 4), t.ones(2, 4), t.ones(2, 4), t.zeros(2, 2), is_causal=True),
    *(lambda t, s=s: t.nn.MultiheadAttention(*s) for s in ((5, 2), (0, 1), (4, 0))),
    lambda t: with_heads(t, (3, 2, 4), (5, 4), (5, 2, 4)),
    lambda t: with_heads(t, (4,), (5, 4), (5, 2, 4)),
    lambda t: with_heads(t, (3, 2, 4), (5, 2, 4), (4, 2, 4)),
    lambda t: with_heads(t, (3, 2, 5), (5, 2, 4), (5, 2, 4)),
    lambda t: with_heads(t, (3, 2, 4), (5, 2, 4), (5, 2, 4), key_padding_mask=(1, 5)),
    lambda t: with_heads(t, (3, 2, 4), (5, 2, 4), (5, 2, 4), key_padding_mask=(5,)),
    lambda t: with_heads(t, (3, 2, 4), (5, 2, 4), (5, 2, 4), attn_mask=(3, 3, 5)),
    lambda t: with_heads(t, (3, 2, 4), (5, 2, 4), (5, 2, 4), attn_mask=(3, 4)),
    lambda t: with_heads(t, (3, 2, 4), (5, 2, 4), (5, 2, 4), attn_mask=(5,)),
    lambda t: with_heads(t, (3, 2, 4), (5, 2, 4), (5, 2, 4), is_causal=True),
    lambda t: with_heads(t, (3, 4), (5, 4), (5, 4), attn_mask=(1, 3, 5)),
    lambda t: t.nn.TransformerEncoderLayer(4, 2, activation="foo"),
    lambda t: t.nn.Transformer(4, 2, 1, 1)(t.ones(3, 2, 4), t.ones(3, 1, 4)),
    lambda t: t.nn.Transformer(4, 2, 1, 1)(t.ones(3, 2, 3), t.ones(3, 2, 3)),
]


@pytest.mark.parametrize("call", WRONG)
def test_refusals(call):
    expected = refused(torch, call)
    assert expected is not None
    assert refused(rushlight, call) == expected
