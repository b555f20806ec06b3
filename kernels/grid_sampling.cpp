// Sampling at places that a grid says, in coordinates from -1 to 1: a weighted sum of the numbers around each place.
#include <algorithm>
#include <cmath>

#include "rows.h"

namespace rl::RL_ISA {
namespace {

enum class Mode : int64_t { linear, nearest, cubic };
enum class Edges : int64_t { zeros, border, reflection };

constexpr int most_taps = 16;

// What a number is that leaves a line of `size` positions, and how it moves with the number that it was.
template <class S>
struct Line {
  int64_t size;
  Edges edges;
  bool corners;

  S unnormalized(S x) const { return corners ? (x + 1) / 2 * S(size - 1) : ((x + 1) * S(size) - 1) / 2; }
  S slope() const { return corners ? S(size - 1) / 2 : S(size) / 2; }
  S clipped(S x, S& slope) const {
    if (!(x > 0)) return slope = 0, S(0);
    if (x >= S(size - 1)) return slope = 0, S(size - 1);
    return x;
  }
  S reflected(S x, S& slope) const {
    const S low = corners ? S(0) : S(-0.5), span = corners ? S(size - 1) : S(size);
    if (span <= 0) return slope = 0, S(0);
    x -= low;
    if (x < 0) x = -x, slope = -slope;
    const S rest = std::fmod(x, span), flips = std::floor(x / span);
    if (std::fmod(flips, S(2)) == 0) return rest + low;
    slope = -slope;
    return span - rest + low;
  }
  // The place within the line, where edges say so.
  S placed(S x, S& slope) const {
    if (edges == Edges::border) return clipped(x, slope);
    if (edges == Edges::reflection) return clipped(reflected(x, slope), slope);
    return x;
  }
  // A position, or one that is outside where the number is none.
  static int64_t whole(S x) { return x >= S(-2147483648.0) && x < S(2147483647.0) ? int64_t(x) : int64_t(-100); }
  bool has(int64_t i) const { return i >= 0 && i < size; }
};

// The taps of one dimension: positions (some outside), weights, and how these move with the coordinate of the grid.
template <class S>
struct LineTaps {
  int64_t at[4];
  S weight[4], slope[4];
  int count;

  LineTaps(const Line<S>& line, Mode mode, S coordinate) {
    S slope_of = line.slope(), x = line.unnormalized(coordinate);
    if (mode != Mode::cubic) x = line.placed(x, slope_of);
    if (mode == Mode::nearest) {
      count = 1, at[0] = line.whole(std::nearbyint(x)), weight[0] = 1, slope[0] = 0;
      return;
    }
    const S low = std::floor(x), t = x - low;
    const int64_t first = line.whole(low);
    if (mode == Mode::linear) {
      count = 2, at[0] = first, at[1] = first + 1;
      weight[0] = low + 1 - x, weight[1] = t;
      slope[0] = -slope_of, slope[1] = slope_of;
      return;
    }
    count = 4;
    const S a = S(-0.75), distance[4] = {t + 1, t, 1 - t, 2 - t};
    for (int k = 0; k < 4; ++k) {
      const S d = distance[k], sign = k < 2 ? slope_of : -slope_of;
      const bool near = k == 1 || k == 2;
      weight[k] = near ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
      slope[k] = sign * (near ? (3 * (a + 2) * d - 2 * (a + 3)) * d : (3 * a * d - 10 * a) * d + 8 * a);
      S none = 1;
      at[k] = line.whole(line.placed(low - 1 + S(k), none));
    }
  }
};

// All taps of one place: the offset within a plane and the weight of those that are inside; for a gradient also how weights move
// with each coordinate.
template <class S>
struct Taps {
  int count = 0;
  S nothing = 0;  // the sum of what is outside: in planes no number where a coordinate is none
  int64_t offset[most_taps];
  S weight[most_taps], slope[3][most_taps];

  // `grid` has the coordinate of the last dimension first.
  Taps(const Line<S>* lines, int dims, Mode mode, const S* grid) {
    const LineTaps<S> x(lines[dims - 1], mode, grid[0]), y(lines[dims - 2], mode, grid[1]);
    if (dims == 2) {
      nothing = 0 * (x.weight[0] + y.weight[0]);
      add(lines, y, x);
      return;
    }
    const LineTaps<S> z(lines[0], mode, grid[2]);
    for (int k = 0; k < z.count; ++k)
      if (lines[0].has(z.at[k])) add(lines + 1, y, x, z.at[k], z.weight[k], z.slope[k]);
  }

 private:
  void add(const Line<S>* lines, const LineTaps<S>& y, const LineTaps<S>& x, int64_t depth = 0, S w = 1, S moves = 0) {
    for (int j = 0; j < y.count; ++j) {
      if (!lines[0].has(y.at[j])) continue;
      for (int i = 0; i < x.count; ++i) {
        if (!lines[1].has(x.at[i])) continue;
        offset[count] = (depth * lines[0].size + y.at[j]) * lines[1].size + x.at[i];
        weight[count] = w * y.weight[j] * x.weight[i];
        slope[0][count] = w * y.weight[j] * x.slope[i];
        slope[1][count] = w * y.slope[j] * x.weight[i];
        slope[2][count] = moves * y.weight[j] * x.weight[i];
        ++count;
      }
    }
  }
};

// What both kernels read: numbers are mode, edges and whether corners are aligned. Arrays are row-major.
template <class S>
struct Sampler {
  Mode mode;
  int dims;
  Line<S> lines[3];
  int64_t samples, channels, in = 1, out = 1;

  Sampler(const Array& x, const Array& grid, const Number* n)
      : mode(Mode(n[0].i)), dims(x.ndim - 2), samples(x.shape[0]), channels(x.shape[1]) {
    for (int d = 0; d < dims; ++d) {
      lines[d] = {x.shape[2 + d], Edges(n[1].i), n[2].i != 0};
      in *= x.shape[2 + d], out *= grid.shape[1 + d];
    }
  }
};

// grid_sample: arrays out [N, C, places...], in [N, C, positions...], grid [N, places..., dimensions].
void grid_sample(const Array* a, int, const Number* n) {
  visit<group::real>("grid_sample", a[0].dtype, [&]<class S>(Type<S>) {
    const Sampler<S> sampler(a[1], a[2], n);
    const int64_t cost = (sampler.channels + 8) * 8;
    partition(sampler.samples * sampler.out, cost >= work_grain ? 1 : work_grain / (cost + 1) + 1,
              [&](int64_t begin, int64_t end) {
                for (int64_t p = begin; p < end; ++p) {
                  const Taps<S> taps(sampler.lines, sampler.dims, sampler.mode, a[2].as<S>() + p * sampler.dims);
                  const int64_t sample = p / sampler.out;
                  const S* x = a[1].as<S>() + sample * sampler.channels * sampler.in;
                  S* out = a[0].as<S>() + sample * sampler.channels * sampler.out + p % sampler.out;
                  for (int64_t c = 0; c < sampler.channels; ++c, x += sampler.in, out += sampler.out) {
                    S sum = taps.nothing;
                    for (int k = 0; k < taps.count; ++k) sum += x[taps.offset[k]] * taps.weight[k];
                    *out = sum;
                  }
                }
              });
  });
}

// grid_sample_gradient: arrays dx (or null data), dgrid (or null data), g, in, grid.
void grid_sample_gradient(const Array* a, int, const Number* n) {
  visit<group::real>("grid_sample_gradient", a[3].dtype, [&]<class S>(Type<S>) {
    const Sampler<S> sampler(a[3], a[4], n);
    partition(sampler.samples, 1, [&](int64_t begin, int64_t end) {
      for (int64_t sample = begin; sample < end; ++sample) {
        const int64_t plane = sample * sampler.channels;
        const S *x = a[3].as<S>() + plane * sampler.in, *g = a[2].as<S>() + plane * sampler.out;
        S* dx = a[0].data ? a[0].as<S>() + plane * sampler.in : nullptr;
        if (dx) std::fill(dx, dx + sampler.channels * sampler.in, S(0));
        for (int64_t p = 0; p < sampler.out; ++p) {
          const int64_t place = (sample * sampler.out + p) * sampler.dims;
          const Taps<S> taps(sampler.lines, sampler.dims, sampler.mode, a[4].as<S>() + place);
          S along[3] = {};
          for (int64_t c = 0; c < sampler.channels; ++c) {
            const S each = g[c * sampler.out + p];
            for (int k = 0; k < taps.count; ++k) {
              const int64_t at = c * sampler.in + taps.offset[k];
              if (dx) dx[at] += each * taps.weight[k];
              if (a[1].data)
                for (int d = 0; d < 3; ++d) along[d] += each * x[at] * taps.slope[d][k];
            }
          }
          if (a[1].data) std::copy(along, along + sampler.dims, a[1].as<S>() + place);
        }
      }
    });
  });
}

}  // namespace

void register_grid_sampling() {
  Register("grid_sample", grid_sample);
  Register("grid_sample_gradient", grid_sample_gradient);
}

}  // namespace rl::RL_ISA
