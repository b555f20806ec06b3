"""Attention: the kernel is what is written out, masks hide keys, padding is left out in evaluation."""

import math

import pytest


def attend(torch, *args, **kwargs):
    return torch.nn.functional.scaled_dot_product_attention(*args, **kwargs)


def inputs(torch, *shape):
    return [torch.randn(*shape, dtype=torch.float64, requires_grad=True) for _ in range(3)]


@pytest.mark.parametrize("causal", [False, True])
def test_the_kernel_is_what_is_written_out(torch, causal):
    q, k, v = inputs(torch, 2, 3, 70, 4)
    scores = q @ k.transpose(-2, -1) / 2
    if causal:
        scores = scores.masked_fill(torch.ones(70, 70).triu(1).bool(), -math.inf)
    expected, found = scores.softmax(-1) @ v, attend(torch, q, k, v, is_causal=causal)
    assert torch.allclose(found, expected)
    g = torch.randn_like(found)
    for a, b in zip(torch.autograd.grad(found, (q, k, v), g), torch.autograd.grad(expected, (q, k, v), g), strict=True):
        assert torch.allclose(a, b)


def test_a_query_that_sees_nothing_gets_nothing(torch):
    q, k, v = inputs(torch, 1, 1, 2, 4)
    out = attend(torch, q, k, v, torch.tensor([[True, False], [False, False]]))
    assert torch.equal(out[0, 0, 0], v[0, 0, 0]) and out[0, 0, 1].tolist() == [0] * 4
    for gradient in torch.autograd.grad(out.sum(), (q, k, v)):
        assert gradient.isfinite().all()


def test_names_of_nodes_of_attention(torch):
    q, k, v = inputs(torch, 1, 1, 2, 4)
    assert type(attend(torch, q, k, v).grad_fn).__name__ == "ScaledDotProductFlashAttentionForCpuBackward0"
    attention = torch.nn.attention
    with attention.sdpa_kernel(attention.SDPBackend.MATH):
        assert type(attend(torch, q, k, v).grad_fn).__name__ == "UnsafeViewBackward0"
    with (
        attention.sdpa_kernel([attention.SDPBackend.EFFICIENT_ATTENTION]),
        pytest.raises(RuntimeError, match="No viable backend"),
    ):
        attend(torch, q, k, v)


def test_heads_share_out_the_features(torch):
    net = torch.nn.MultiheadAttention(8, 2).double()
    x = torch.randn(5, 3, 8, dtype=torch.float64)
    output, weights = net(x, x, x)
    assert output.shape == (5, 3, 8) and torch.allclose(weights.sum(-1), torch.ones(3, 5, dtype=torch.float64))
    assert torch.allclose(net(x, x, x, need_weights=False)[0], output)
    assert torch.allclose(net(x[:, 0], x[:, 0], x[:, 0])[0], output[:, 0])


def test_a_causal_decoder_does_not_look_ahead(torch):
    layer = torch.nn.TransformerDecoderLayer(4, 2, 8, dropout=0.0, batch_first=True).double()
    net = torch.nn.TransformerDecoder(layer, 2)
    x, memory = torch.randn(2, 1, 5, 4, dtype=torch.float64)
    mask = torch.nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64)
    whole = net(x, memory, tgt_mask=mask)
    assert torch.allclose(net(x[:, :3], memory, tgt_mask=mask[:3, :3]), whole[:, :3])


def test_padding_comes_out_as_zeros_in_evaluation(torch):
    net = torch.nn.TransformerEncoder(torch.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 1).eval()
    x, padding = torch.ones(2, 3, 4), torch.tensor([[False, False, True], [False] * 3])
    with torch.no_grad():
        assert net(x, src_key_padding_mask=padding)[0, 2].tolist() == [0] * 4
    assert net(x, src_key_padding_mask=padding)[0, 2].tolist() != [0] * 4
