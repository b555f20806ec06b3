"""Sobol's sequence: its numbers, its order in pieces, its scrambling by a seed; and histograms."""

import math

import pytest


def test_points(torch):
    engine = torch.quasirandom.SobolEngine(3)
    points = engine.draw(3)
    assert points.tolist() == [[0.0] * 3, [0.5] * 3, [0.75, 0.25, 0.25]]
    assert engine.draw(2).tolist() == [[0.25, 0.75, 0.75], [0.375, 0.375, 0.625]]
    assert engine.fast_forward(3).draw().tolist() == [[0.1875, 0.3125, 0.9375]]
    assert engine.num_generated == 9 and engine.reset().num_generated == 0
    assert engine.draw_base2(3).double().mean(0).tolist() == [7 / 16] * 3
    assert repr(torch.quasirandom.SobolEngine(2, True, 5)) == "SobolEngine(dimension=2, scramble=True, seed=5)"


def test_scrambled_points_of_a_seed(torch):
    engine = torch.quasirandom.SobolEngine(3, scramble=True, seed=5)
    expected = [[0.48028, 0.11733, 0.12403], [0.91146, 0.86869, 0.53913]]
    torch.testing.assert_close(engine.draw(2), torch.tensor(expected), rtol=1e-3, atol=1e-4)
    first = engine.reset().draw(5, dtype=torch.float64)
    assert first.dtype is torch.float64
    assert torch.equal(torch.quasirandom.SobolEngine(3, scramble=True, seed=5).draw(5, dtype=torch.float64), first)


def test_every_dimension_is_balanced(torch):
    points = torch.quasirandom.SobolEngine(21201).draw(16, dtype=torch.float64)
    assert torch.equal((points * 16).floor().sort(0).values, torch.arange(16.0).double().unsqueeze(1).expand(16, 21201))


def test_what_is_refused(torch):
    with pytest.raises(ValueError, match=r"Supported range of dimensionality for SobolEngine is \[1, 21201\]"):
        torch.quasirandom.SobolEngine(0)
    engine = torch.quasirandom.SobolEngine(1)
    engine.draw(5)
    with pytest.raises(
        ValueError, match=r"require n to be a power of 2\. 5 points have been previously generated, then: n=5\+2\*\*3=13"
    ):
        engine.draw_base2(3)
    with pytest.raises(NotImplementedError, match="\"_sobol_engine_draw\" not implemented for 'Half'"):
        engine.draw(2, dtype=torch.half)


def test_histograms(torch):
    x = torch.tensor([1.0, 2.0, 1.0, 5.0, 7.0])
    hist, edges = torch.histogram(x, 4)
    assert hist.tolist() == [3.0, 0.0, 1.0, 1.0] and edges.tolist() == [1.0, 2.5, 4.0, 5.5, 7.0]
    assert torch.histogram(x, torch.tensor([0.0, 2.0, 4.0, 8.0])).hist.tolist() == [2.0, 1.0, 2.0]
    assert torch.histogram(x, 4, range=(0.0, 3.0)).hist.tolist() == [0.0, 2.0, 1.0, 0.0]
    assert torch.histogram(torch.tensor([1.0, math.nan, 9.0]), 2, range=(0.0, 2.0)).hist.tolist() == [0.0, 1.0]
    weighted = torch.histogram(x, 4, weight=2 * torch.ones(5), density=True)
    torch.testing.assert_close((weighted.hist * weighted.bin_edges.diff()).sum(), torch.tensor(1.0))
    with pytest.raises(RuntimeError, match="min should not exceed max, but got min 3 max 1 for dimension 0"):
        torch.histogram(x, 4, range=(3.0, 1.0))
    with pytest.raises(NotImplementedError, match="\"histogramdd\" not implemented for 'Long'"):
        torch.histogram(x.long(), 4)


def test_histograms_of_vectors(torch):
    y = torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0], [2.0, 2.0]])
    found = torch.histogramdd(y, bins=[3, 3], weight=torch.tensor([1.0, 2.0, 4.0, 8.0]))
    assert found.hist.tolist() == [[0.0, 1.0, 0.0], [2.0, 0.0, 0.0], [4.0, 0.0, 8.0]] and len(found.bin_edges) == 2
    assert torch.histogramdd(y, [torch.tensor([0.0, 1.0, 3.0]), torch.tensor([0.0, 2.0])]).hist.tolist() == [[1.0], [3.0]]
    with pytest.raises(RuntimeError, match="The size of bins must be equal to the innermost dimension of the input"):
        torch.histogramdd(y, bins=[2])
