// Resampling: numbers between the positions of a grid, as weighted sums of the numbers there. Interpolation on a grid of another
// size goes dimension by dimension, since its weights are products; and the transposed way, which is the gradient.
#include <algorithm>
#include <cmath>
#include <vector>

#include "rows.h"

namespace rl::RL_ISA {
namespace {

enum class Mode : int64_t { nearest, nearest_exact, linear, cubic, linear_smoothed, cubic_smoothed, lanczos_smoothed };

// The taps of every position along one dimension: `count` of at most `most` places, and what each weighs.
template <class S>
struct Taps {
  int64_t in, out, most;
  std::vector<int64_t> place, count;
  std::vector<S> weight;

  Taps(int64_t in_size, int64_t out_size, int64_t most_taps)
      : in(in_size), out(out_size), most(most_taps), place(out * most), count(out, most), weight(out * most, S(1)) {}
};

template <class S>
S cubic_near(S x, S a) {
  return ((a + 2) * x - (a + 3)) * x * x + 1;
}
template <class S>
S cubic_far(S x, S a) {
  return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

// The kernels that smooth, at a distance in units of their own width.
template <class S>
S smoothed(Mode mode, S x) {
  x = std::abs(x);
  if (mode == Mode::linear_smoothed) return x < 1 ? 1 - x : S(0);
  if (mode == Mode::cubic_smoothed) return x < 1 ? cubic_near(x, S(-0.5)) : x < 2 ? cubic_far(x, S(-0.5)) : S(0);
  if (x >= 3) return S(0);
  const S pi = S(M_PI);
  return x == 0 ? S(1) : std::sin(pi * x) * std::sin(pi * x / 3) * 3 / (pi * pi * x * x);
}

// Taps of kernels as wide as what one position of the result stands for.
template <class S>
Taps<S> smoothing_taps(Mode mode, int64_t in, int64_t out, S scale) {
  const S radius = mode == Mode::linear_smoothed ? 1 : mode == Mode::cubic_smoothed ? 2 : 3;
  const S support = scale >= 1 ? radius * scale : radius, inverse = scale >= 1 ? 1 / scale : S(1), half = S(0.5);
  Taps<S> taps(in, out, std::min<int64_t>(in, int64_t(std::ceil(support)) * 2 + 1));
  for (int64_t o = 0; o < out; ++o) {
    const S center = scale * (S(o) + half);
    const int64_t first = std::clamp<int64_t>(int64_t(center - support + half), 0, in);
    const int64_t end = std::min(int64_t(center + support + half), in);
    const int64_t count = std::clamp<int64_t>(end - first, 0, taps.most);
    S total = 0;
    for (int64_t k = 0; k < count; ++k) {
      const S weight = smoothed(mode, (S(k + first) - center + half) * inverse);
      taps.place[o * taps.most + k] = first + k;
      taps.weight[o * taps.most + k] = weight;
      total += weight;
    }
    for (int64_t k = 0; k < count; ++k)
      if (total != 0) taps.weight[o * taps.most + k] /= total;
    taps.count[o] = count;
  }
  return taps;
}

// `factor`: by how much the result is larger, 0 where the sizes say it.
template <class S>
Taps<S> make_taps(Mode mode, int64_t in, int64_t out, bool corners, double factor) {
  const bool nearest = mode == Mode::nearest || mode == Mode::nearest_exact;
  const S scale = corners ? (out > 1 ? S(in - 1) / S(out - 1) : S(0)) : factor > 0 ? S(1 / factor) : S(in) / S(out);
  if (mode >= Mode::linear_smoothed) return smoothing_taps(mode, in, out, scale);
  Taps<S> taps(in, out, nearest ? 1 : mode == Mode::linear ? 2 : 4);
  for (int64_t o = 0; o < out; ++o) {
    int64_t* place = &taps.place[o * taps.most];
    S* weight = &taps.weight[o * taps.most];
    S source = corners || mode == Mode::nearest ? scale * S(o) : scale * (S(o) + S(0.5)) - S(0.5);
    if (mode != Mode::cubic && source < 0) source = 0;
    if (nearest) {
      place[0] = std::clamp<int64_t>(int64_t(std::floor(mode == Mode::nearest ? source : source + S(0.5))), 0, in - 1);
      continue;
    }
    const int64_t at = std::min(int64_t(std::floor(source)), in - 1);
    const S rest = std::clamp(source - S(at), S(0), S(1));
    if (mode == Mode::linear) {
      place[0] = at, place[1] = at + (at < in - 1);
      weight[0] = 1 - rest, weight[1] = rest;
      if (in == out) place[0] = place[1] = o, weight[0] = 1, weight[1] = 0;
      continue;
    }
    const S a = S(-0.75);
    for (int k = 0; k < 4; ++k) place[k] = std::clamp<int64_t>(at - 1 + k, 0, in - 1);
    weight[0] = cubic_far(rest + 1, a), weight[1] = cubic_near(rest, a);
    weight[2] = cubic_near(1 - rest, a), weight[3] = cubic_far(2 - rest, a);
  }
  return taps;
}

// One position of the result from `inner` neighbouring numbers each of K rows.
template <int K, class S>
inline void weigh_rows(S* __restrict out, const S* in, const int64_t* place, const S* weight, int64_t inner) {
  const S* row[K];
  for (int k = 0; k < K; ++k) row[k] = in + place[k] * inner;
  vector_loop<S>(0, inner, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
    V sum = get<V>(row[0] + i) * weight[0];
    for (int k = 1; k < K; ++k) sum += get<V>(row[k] + i) * weight[k];
    set<V>(out + i, sum);
  });
}

// out [outer, taps.out, inner] from in [outer, taps.in, inner].
template <class S>
void along(const Taps<S>& taps, S* out, const S* in, int64_t outer, int64_t inner) {
  for (int64_t r = 0; r < outer; ++r, in += taps.in * inner, out += taps.out * inner) {
    const int64_t* place = taps.place.data();
    const S* weight = taps.weight.data();
    if (inner == 1 && taps.most == 1) {
      for (int64_t o = 0; o < taps.out; ++o) out[o] = in[place[o]];
    } else if (inner == 1 && taps.most == 2) {
      for (int64_t o = 0; o < taps.out; ++o) out[o] = in[place[2 * o]] * weight[2 * o] + in[place[2 * o + 1]] * weight[2 * o + 1];
    } else {
      for (int64_t o = 0; o < taps.out; ++o, place += taps.most, weight += taps.most) {
        S* to = out + o * inner;
        const int64_t count = taps.count[o];
        if (count == 1 && taps.most == 1) {
          std::copy(in + place[0] * inner, in + (place[0] + 1) * inner, to);
        } else if (inner == 1) {
          S sum = 0;
          for (int64_t k = 0; k < count; ++k) sum += in[place[k]] * weight[k];
          *to = sum;
        } else if (count == 2) {
          weigh_rows<2>(to, in, place, weight, inner);
        } else if (count == 4) {
          weigh_rows<4>(to, in, place, weight, inner);
        } else {
          std::fill(to, to + inner, S(0));
          for (int64_t k = 0; k < count; ++k) {
            const S* __restrict from = in + place[k] * inner;
            for (int64_t i = 0; i < inner; ++i) to[i] += from[i] * weight[k];
          }
        }
      }
    }
  }
}

// The transposed way: in [outer, taps.in, inner] from out [outer, taps.out, inner].
template <class S>
void back_along(const Taps<S>& taps, S* in, const S* out, int64_t outer, int64_t inner) {
  std::fill(in, in + outer * taps.in * inner, S(0));
  for (int64_t r = 0; r < outer; ++r, in += taps.in * inner, out += taps.out * inner) {
    const int64_t* place = taps.place.data();
    const S* weight = taps.weight.data();
    for (int64_t o = 0; o < taps.out; ++o, place += taps.most, weight += taps.most) {
      if (inner == 1) {
        const S each = out[o];
        for (int64_t k = 0; k < taps.count[o]; ++k) in[place[k]] += each * weight[k];
        continue;
      }
      const S* __restrict from = out + o * inner;
      for (int64_t k = 0; k < taps.count[o]; ++k) {
        S* __restrict to = in + place[k] * inner;
        for (int64_t i = 0; i < inner; ++i) to[i] += from[i] * weight[k];
      }
    }
  }
}

// What both kernels read: numbers are how many dimensions there are, whether arrays are channels last, the mode, whether corners
// are aligned, then for each dimension by how much the result is larger (f; 0: as the sizes say).
template <class S>
struct Grid {
  std::vector<Taps<S>> dims;
  int64_t planes = 1, channels = 1, coarse = 1, fine = 1, room = 1;  // coarse: the side that is resampled

  Grid(const Array& in, const Array& out, const Number* n) {
    const int count = int(n[0].i), lead = in.ndim - count;
    for (int d = 0; d < lead; ++d) planes *= in.shape[d];
    if (n[1].i) channels = std::max<int64_t>(in.shape[1], 1);
    planes /= channels;
    for (int d = 0; d < count; ++d) {
      dims.push_back(make_taps<S>(Mode(n[2].i), in.shape[lead + d], out.shape[lead + d], n[3].i, n[4 + d].f));
      coarse *= in.shape[lead + d], fine *= out.shape[lead + d];
    }
    // The largest of what lies between: the last dimensions of one side, the first ones of the other.
    for (int split = 1; split < count; ++split) {
      int64_t size = 1;
      for (int d = 0; d < count; ++d) size *= d < split ? dims[d].in : dims[d].out;
      room = std::max(room, size);
    }
  }
  // f(plane, two places to put what lies between).
  template <class F>
  void each_plane(const F& f) const {
    const int64_t cost = (coarse + fine) * channels * 2;
    partition(planes, cost >= work_grain ? 1 : work_grain / (cost + 1) + 1, [&](int64_t begin, int64_t end) {
      Scratch<S> first(dims.size() > 1 ? room * channels : 0), second(dims.size() > 2 ? room * channels : 0);
      S* between[2] = {first.get(), second.get()};
      for (int64_t p = begin; p < end; ++p) f(p, between);
    });
  }
};

// resample: arrays out, in.
void resample(const Array* a, int, const Number* n) {
  visit<group::real>("resample", a[0].dtype, [&]<class S>(Type<S>) {
    const Grid<S> grid(a[1], a[0], n);
    const int count = int(grid.dims.size());
    grid.each_plane([&](int64_t plane, S** between) {
      const S* from = a[1].as<S>() + plane * grid.coarse * grid.channels;
      int64_t inner = grid.channels, outer = grid.coarse;
      for (int d = count - 1; d >= 0; --d) {
        outer /= grid.dims[d].in;
        S* to = d == 0 ? a[0].as<S>() + plane * grid.fine * grid.channels : between[(count - 1 - d) % 2];
        along(grid.dims[d], to, from, outer, inner);
        from = to, inner *= grid.dims[d].out;
      }
    });
  });
}

// resample_gradient: arrays dx, g.
void resample_gradient(const Array* a, int, const Number* n) {
  visit<group::real>("resample_gradient", a[0].dtype, [&]<class S>(Type<S>) {
    const Grid<S> grid(a[0], a[1], n);
    const int count = int(grid.dims.size());
    grid.each_plane([&](int64_t plane, S** between) {
      const S* from = a[1].as<S>() + plane * grid.fine * grid.channels;
      int64_t inner = grid.fine * grid.channels, outer = 1;
      for (int d = 0; d < count; ++d) {
        inner /= grid.dims[d].out;
        S* to = d == count - 1 ? a[0].as<S>() + plane * grid.coarse * grid.channels : between[d % 2];
        back_along(grid.dims[d], to, from, outer, inner);
        from = to, outer *= grid.dims[d].in;
      }
    });
  });
}

// resample_bytes: arrays out, in (uint8): weights are whole numbers over a power of 2, and each dimension's results are rounded.
void resample_bytes(const Array* a, int, const Number* n) {
  Grid<double> grid(a[1], a[0], n);
  const int count = int(grid.dims.size());
  // What falls on one place, at the edges, is one weight.
  for (auto& dim : grid.dims)
    for (int64_t o = 0; o < dim.out; ++o)
      for (int64_t k = o * dim.most + dim.count[o] - 1; k > o * dim.most; --k)
        if (dim.place[k] == dim.place[k - 1]) dim.weight[k - 1] += dim.weight[k], dim.weight[k] = 0;
  std::vector<std::vector<int32_t>> weights;
  std::vector<int> shifts;
  for (const auto& dim : grid.dims) {
    double most = 0;
    for (int64_t o = 0; o < dim.out; ++o)
      for (int64_t k = 0; k < dim.count[o]; ++k) most = std::max(most, dim.weight[o * dim.most + k]);
    int shift = 0;
    while (shift < 22 && int64_t(0.5 + most * double(int64_t(1) << (shift + 1))) < (1 << 15)) ++shift;
    auto& whole = weights.emplace_back();
    for (double weight : dim.weight) {
      const double scaled = weight * double(1 << shift);
      whole.push_back(int32_t(scaled < 0 ? scaled - 0.5 : scaled + 0.5));
    }
    shifts.push_back(shift);
  }
  const int64_t cost = (grid.coarse + grid.fine) * grid.channels * 2;
  partition(grid.planes, cost >= work_grain ? 1 : work_grain / (cost + 1) + 1, [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> between(grid.room * grid.channels);
    for (int64_t p = begin; p < end; ++p) {
      const uint8_t* from = a[1].as<uint8_t>() + p * grid.coarse * grid.channels;
      int64_t inner = grid.channels, outer = grid.coarse;
      for (int d = count - 1; d >= 0; --d) {
        const auto& dim = grid.dims[d];
        outer /= dim.in;
        uint8_t* to = d == 0 ? a[0].as<uint8_t>() + p * grid.fine * grid.channels : between.data();
        for (int64_t r = 0; r < outer; ++r)
          for (int64_t o = 0; o < dim.out; ++o)
            for (int64_t i = 0; i < inner; ++i) {
              int32_t sum = shifts[d] ? 1 << (shifts[d] - 1) : 0;
              for (int64_t k = 0; k < dim.count[o]; ++k)
                sum += from[(r * dim.in + dim.place[o * dim.most + k]) * inner + i] * weights[d][o * dim.most + k];
              to[(r * dim.out + o) * inner + i] = uint8_t(std::clamp(sum >> shifts[d], 0, 255));
            }
        from = to, inner *= dim.out;
      }
    }
  });
}

}  // namespace

void register_resampling() {
  Register("resample", resample);
  Register("resample_gradient", resample_gradient);
  Register("resample_bytes", resample_bytes);
}

}  // namespace rl::RL_ISA
