"""The ways of scaled dot-product attention by their own names, as facts that hold for PyTorch too."""

import itertools
import math

import pytest

import rushlight as torch

attention = torch.nn.functional.scaled_dot_product_attention


def test_written_out_and_in_a_kernel():
    torch.manual_seed(0)
    query, key = torch.randn(2, 4, 5, 8), torch.randn(2, 4, 6, 8)
    value = torch.randn(2, 4, 6, 8)
    masks = None, torch.zeros(5, 6).masked_fill(torch.rand(5, 6) > 0.7, -math.inf), torch.randn(2, 4, 5, 6)
    for dtype, (mask, causal) in itertools.product(
        (torch.float32, torch.float64, torch.bfloat16), [*((m, False) for m in masks), (None, True)]
    ):
        given = [x.to(dtype) for x in (query, key, value)]
        mask = None if mask is None else mask.to(dtype)
        made, weights = torch._scaled_dot_product_attention_math(*given, attn_mask=mask, is_causal=causal, scale=0.5)
        tolerance = {"atol": 3e-2, "rtol": 3e-2} if dtype is torch.bfloat16 else {}
        torch.testing.assert_close(attention(*given, attn_mask=mask, is_causal=causal, scale=0.5), made, **tolerance)
        torch.testing.assert_close(weights @ given[2], made, **tolerance)
        assert torch._fused_sdp_choice(*given, attn_mask=mask, is_causal=causal) == 1
    kept = torch.rand(2, 4, 5, 6) > 0.5
    made, weights = torch.ops.aten._scaled_dot_product_attention_math(query, key, value, dropout_p=0.5, dropout_mask=kept)
    torch.testing.assert_close(made, (weights * kept) @ (2 * value))
    shared = torch._scaled_dot_product_attention_math(query, key[:, :2], value[:, :2], enable_gqa=True)[0]
    torch.testing.assert_close(shared, attention(query, key[:, :2], value[:, :2], enable_gqa=True))


def test_which_way_it_goes():
    x = torch.randn(2, 3, 8, 16)
    for given, options in (((x[0], x[0], x[0]), {}), ((x, x, x), {"dropout_p": 0.5}), ((x, x, torch.randn(2, 3, 8, 5)), {})):
        assert torch._fused_sdp_choice(*given, **options) == 0
    assert torch._fused_sdp_choice(x, x, x, attn_mask=torch.randn(8, 8, requires_grad=True)) == 0
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        assert torch._fused_sdp_choice(x, x, x) == 0
    with pytest.raises(RuntimeError, match="should not be set when is_causal=True"):
        torch._scaled_dot_product_attention_math(x, x, x, torch.ones(8, 8, dtype=torch.bool), is_causal=True)
