"""Sums and means add in PyTorch's order: recorded bits of PyTorch's results. tests/parity/test_sum_order.py compares more of them live."""

import hashlib

import pytest

import rushlight as torch

pytest.importorskip("numpy")

# Rows, columns, sums within and of several dimensions; dense, in steps, transposed; short ones and such of several levels.
CALLS = """
x[:3].sum()
x[:7].sum()
x[:30].mean()
x[:1000].sum()
x.sum()
x[::2].sum()
x[:60000].view(600, 100).sum(0)
x[:60000].view(600, 100).mean(1)
x[:60000].view(6000, 10).sum(0)
x[:60000].view(6000, 10).sum(1)
x[:60000].view(20000, 3).mean(0)
x[:60000].view(100, 600).t().sum(0)
x[:60000].view(100, 600).t()[::3].sum(1)
x[:60000].view(30, 40, 50).sum(1)
x[:60000].view(30, 40, 50).sum((0, 2))
x[:60000].view(20, 10, 15, 20).mean((0, 2, 3))
x[:60000].view(20, 10, 15, 20).transpose(1, 3).sum((1, 2))
x[:60000].view(600, 100)[:, :37].nansum(0)
x[:100].expand(300, 100).sum(0)
""".strip().splitlines()

RECORDED = {
    "float32": """
        ba4bab03 23c069f4 27049055 30f682a1 f833e709 4dc5a358 b6fca735 603c7d71 c5297ed6 e3c24664 f3e9a6f2 6c12a772 30854f50
        223df0f2 18a33c9c e73f4d7c c0d690d5 3135bcf1 0239d110
    """,
    "float64": """
        4768d342 c7bdf4a9 19d06a1e 113d9f89 3f0df735 99ddec14 ca6378e8 60f9025b 143ab64b 58e8cea1 4f26dd3f 4ea64b83 1be5f030
        c15f479e e98c8d0d 7754ea4b 82e4c975 8c86d74c 3cdf862d
    """,
    "bfloat16": """
        acce3e99 e603af4f a4f485da 90917a58 03b85974 3d089110 5f59fc63 a3dac6f2 b16dce7a c596d15c 2ddf051a dc8cc2c4 088746d0
        01f2de94 031f7151 6ab5c833 93a12c94 c335bf31 7decb2cd
    """,
    "float16": """
        dc84bb0d 6fcd26f1 eda9bd16 d7173dd8 d7173dd8 d7173dd8 e3381847 1f27779c b4ab9ac4 78ead3aa 22f52205 e3381847 afce886d
        6297de8a 9a5da5b2 e57fc74e a835b021 dc92574e cc7e7566
    """,
}


def digest(dtype):
    """What all calls give, as one number for each."""
    x = (((torch.arange(100_000) * 7919) % 10007).to(torch.float64) / 3 - 1234.5).to(dtype)
    found = []
    for call in CALLS:
        result = eval(call, {"x": x}).contiguous()
        whole = result.float() if dtype in (torch.float16, torch.bfloat16) else result
        found.append(hashlib.sha256(whole.numpy().tobytes()).hexdigest()[:8])
    return " ".join(found)


@pytest.mark.parametrize("name", RECORDED)
def test_sums_have_the_bits_of_pytorch(name):
    expected, found = RECORDED[name].split(), digest(getattr(torch, name)).split()
    assert [call for call, a, b in zip(CALLS, expected, found, strict=True) if a != b] == []


def test_what_is_not_a_number_is_left_out_of_sums_of_integers():
    x = torch.tensor([1.5, float("nan"), 2.5])
    for dtype in (torch.int64, torch.uint8):
        assert torch.nansum(x, dtype=dtype).item() == 3 and x.half().nansum(0, dtype=dtype).dtype is dtype
    assert torch.nansum(x, dtype=torch.float64).item() == 4
