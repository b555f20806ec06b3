"""Quasirandom numbers: points that fill a cube more evenly than random ones."""

import rushlight as torch
from rushlight.ops._rules import not_implemented
from rushlight.quasirandom._directions import BITS, DIMENSIONS, direction_numbers

__all__ = ["SobolEngine"]


class SobolEngine:
    """Sobol's sequence of points in [0, 1)^dimension, or (`scramble`) one that is moved and turned at random, by `seed`.

    >>> from rushlight.quasirandom import SobolEngine
    >>> SobolEngine(2).draw(3)
    tensor([[0.0000, 0.0000],
            [0.5000, 0.5000],
            [0.7500, 0.2500]])
    """

    MAXBIT = BITS
    MAXDIM = DIMENSIONS

    def __init__(self, dimension, scramble=False, seed=None):
        if dimension > self.MAXDIM or dimension < 1:
            raise ValueError(f"Supported range of dimensionality for SobolEngine is [1, {self.MAXDIM}]")
        self.seed, self.scramble, self.dimension = seed, scramble, dimension
        self.sobolstate = direction_numbers(dimension)
        if scramble:
            self._scramble()
        else:
            self.shift = torch.zeros(dimension, dtype=torch.long)
        self.quasi = self.shift.clone(memory_format=torch.contiguous_format)
        self._first_point = (self.quasi / 2**self.MAXBIT).reshape(1, -1)
        self.num_generated = 0

    def draw(self, n=1, out=None, dtype=None):
        """The next `n` points, in the rows of a matrix."""
        dtype = torch.get_default_dtype() if dtype is None else dtype
        if self.num_generated == 0 and n == 1:
            result = self._first_point.to(dtype)
        elif self.num_generated == 0:
            result = torch.cat((self._first_point.to(dtype), self._points(n - 1, 0, dtype)), dim=-2)
        else:
            result = self._points(n, self.num_generated - 1, dtype)
        self.num_generated += n
        return result if out is None else out.resize_(result.shape).copy_(result)

    def draw_base2(self, m, out=None, dtype=None):
        """The next 2^m points, where with those before they are a power of two: then they are balanced."""
        n = 2**m
        total = self.num_generated + n
        if total & (total - 1):
            raise ValueError(
                "The balance properties of Sobol' points require n to be a power of 2. "
                f"{self.num_generated} points have been previously generated, then: n={self.num_generated}+2**{m}={total}. "
                "If you still want to do this, please use 'SobolEngine.draw()' instead."
            )
        return self.draw(n=n, out=out, dtype=dtype)

    def reset(self):
        """Begins the sequence again."""
        self.quasi.copy_(self.shift)
        self.num_generated = 0
        return self

    def fast_forward(self, n):
        """Leaves out the next `n` points."""
        if n > 0:
            self._walk(n - (self.num_generated == 0), max(self.num_generated - 1, 0))
        self.num_generated += n
        return self

    def _points(self, n, place, dtype):
        if dtype not in (torch.float32, torch.float64):
            raise not_implemented("_sobol_engine_draw", dtype)
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}, {self.dimension}]")
        return self._walk(n, place).to(dtype) * 2.0**-self.MAXBIT

    def _walk(self, n, place):
        """The `n` points behind that at `place`, as whole numbers; the last of them is where the engine stands from then on."""
        # A point is the sum, bit by bit, of the directions that are in its place's Gray code.
        places = torch.arange(place + 1, place + 1 + n)
        turned = places ^ (places >> 1) ^ (place ^ (place >> 1))
        points = self.quasi.expand(n, self.dimension)
        for bit in range((place + n).bit_length()):
            points = points ^ ((turned >> bit & 1).unsqueeze(1) * self.sobolstate[:, bit])
        if n:
            self.quasi.copy_(points[-1])
        return points

    def _scramble(self):
        """Random lower triangular matrices over the bits of the directions, and a random shift (Matoušek, 1998)."""
        generator = torch.Generator()
        if self.seed is None:
            generator.seed()
        else:
            generator.manual_seed(self.seed)
        bits = torch.arange(self.MAXBIT)
        shifts = torch.randint(2, (self.dimension, self.MAXBIT), generator=generator)
        self.shift = torch.mv(shifts, torch.pow(2, bits))
        matrices = torch.randint(2, (self.dimension, self.MAXBIT, self.MAXBIT), generator=generator).tril()
        matrices.diagonal(dim1=1, dim2=2).fill_(1)
        highest_first = bits.flip(0)
        digits = self.sobolstate.unsqueeze(1) >> highest_first.view(-1, 1) & 1
        turned = torch.matmul(matrices, digits) % 2
        self.sobolstate = (turned << highest_first.view(-1, 1)).sum(1)

    def __repr__(self):
        shown = [f"dimension={self.dimension}"]
        if self.scramble:
            shown.append("scramble=True")
        if self.seed is not None:
            shown.append(f"seed={self.seed}")
        return f"{type(self).__name__}({', '.join(shown)})"
