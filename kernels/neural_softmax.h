// softmax and log_softmax with their gradients; floating dtypes, any strides.
#pragma once

#include "exponential.h"
#include "fold.h"
#include "rows.h"

namespace rl::RL_ISA {
namespace {

// each_row, which a single line of neighbouring elements need not wait for.
template <class T, int inputs, class F>
void each_line(const Array* a, int dim, const F& f) {
  if constexpr (std::is_same_v<T, Compute<T>>) {
    bool single = a[0].ndim == 1 && a[0].shape[0] > 0 && a[0].shape[0] < work_grain;
    const T* in[inputs];
    for (int i = 0; i <= inputs && single; ++i) single = a[i].strides[0] == 1 || a[0].shape[0] == 1;
    if (single) {
      for (int i = 0; i < inputs; ++i) in[i] = a[i + 1].template as<T>();
      return f(a[0].template as<T>(), in, a[0].shape[0]);
    }
  }
  each_row<T, inputs>(a, dim, f);
}

template <class S>
S greatest_of(const S* x, int64_t n) {
  const Extremum<S, true> extremum;
  S most = extremum.identity();
  extremum.run(most, x, n, 1, 0);
  return most;
}

// The sum of exp(x - most), and these themselves in `out`, where it is given. The last elements make a vector with infinities.
template <class S>
S exponentials_of(const S* x, S* out, int64_t n, S most) {
  double total = 0;
  for (int64_t i = 0; i < n;) {
    const int64_t end = n - i < leaf_elements ? n : i + leaf_elements;
    Vector<S> sums{};
    for (; i + lanes_of<S> <= end; i += lanes_of<S>) {
      const Vector<S> y = exponential(load<S>(x + i) - most);
      sums += y;
      if (out) store(out + i, y);
    }
    if (i < end) {
      S rest[lanes_of<S>];
      store(rest, Vector<S>{} - std::numeric_limits<S>::infinity());
      for (int64_t k = i; k < end; ++k) rest[k - i] = x[k];
      const Vector<S> y = exponential(load<S>(rest) - most);
      sums += y;
      store(rest, y);
      if (out)
        for (int64_t k = i; k < end; ++k) out[k] = rest[k - i];
      i = end;
    }
    total += double(sum_lanes<S>(sums));
  }
  return S(total);
}

// softmax or log_softmax of neighbouring lines, `count` of them (at most `lines`) side by side: elements i of all of them begin
// at in + i * in_step.
template <class S>
struct Columns {
  static constexpr int vectors = 4, lines = vectors * lanes_of<S>;
  using Row = Vector<S>[vectors];
  int count;

  void get(Row& row, const S* p) const {
    S copy[lines] = {};
    if (count < lines) __builtin_memcpy(copy, p, size_t(count) * sizeof(S));
    const S* from = count < lines ? copy : p;
    for (int v = 0; v < vectors; ++v) row[v] = load<S>(from + v * lanes_of<S>);
  }
  void set(S* p, const Row& row) const {
    S copy[lines];
    S* to = count < lines ? copy : p;
    for (int v = 0; v < vectors; ++v) store(to + v * lanes_of<S>, row[v]);
    if (count < lines) __builtin_memcpy(p, copy, size_t(count) * sizeof(S));
  }

  template <bool logarithm>
  void run(S* out, int64_t out_step, const S* in, int64_t in_step, int64_t n) const {
    const Extremum<S, true> extremum;
    Row row, most, total = {};
    get(most, in);
    for (int64_t i = 1; i < n; ++i) {
      get(row, in + i * in_step);
      for (int v = 0; v < vectors; ++v) most[v] = extremum.combine(most[v], row[v]);
    }
    for (int64_t begin = 0; begin < n; begin += leaf_rows) {
      Row sums = {};
      for (int64_t i = begin; i < n && i < begin + leaf_rows; ++i) {
        get(row, in + i * in_step);
        for (int v = 0; v < vectors; ++v) sums[v] += row[v] = exponential(row[v] - most[v]);
        if (!logarithm) set(out + i * out_step, row);
      }
      for (int v = 0; v < vectors; ++v) total[v] += sums[v];
    }
    for (int v = 0; v < vectors; ++v)
      total[v] = logarithm ? each_lane(total[v], [](S sum) { return scalar_log(sum); }) : 1 / total[v];
    for (int64_t i = 0; i < n; ++i) {
      get(row, logarithm ? in + i * in_step : out + i * out_step);
      for (int v = 0; v < vectors; ++v) row[v] = logarithm ? row[v] - most[v] - total[v] : row[v] * total[v];
      set(out + i * out_step, row);
    }
  }
};

// False where the lines do not lie side by side in memory, along the last dimension, or are so few that the calls of float64's
// exp would mostly compute padding.
template <class T, bool logarithm>
bool softmax_of_columns(const Array& out, const Array& in, int dim) {
  if constexpr (!std::is_floating_point_v<T>) {
    return false;
  } else {
    using Tile = Columns<T>;
    const int last = out.ndim - 1;
    constexpr int fewest = std::is_same_v<T, float> ? lanes_of<T> : Tile::lines;
    if (last < 1 || dim == last || out.strides[last] != 1 || in.strides[last] != 1 || out.shape[last] < fewest) return false;
    const int64_t n = out.shape[dim], width = out.shape[last], blocks = (width + Tile::lines - 1) / Tile::lines;
    int64_t tiles = n > 0 ? blocks : 0;
    for (int d = 0; d < last; ++d)
      if (d != dim) tiles *= out.shape[d];
    const int64_t cost = n * Tile::lines;
    partition(tiles, cost >= work_grain ? 1 : work_grain / (cost + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        const int64_t first = t % blocks * Tile::lines;
        int64_t place = t / blocks, to = first, from = first;
        for (int d = last - 1; d >= 0; --d) {
          if (d == dim) continue;
          to += place % out.shape[d] * out.strides[d];
          from += place % out.shape[d] * in.strides[d];
          place /= out.shape[d];
        }
        const Tile tile{int(width - first < Tile::lines ? width - first : Tile::lines)};
        tile.template run<logarithm>(out.as<T>() + to, out.strides[dim], in.as<T>() + from, in.strides[dim], n);
      }
    });
    return true;
  }
}

// softmax: arrays out, in; numbers dim (i).
inline void softmax(const Array* a, int, const Number* numbers) {
  visit<group::floating>("softmax_lastdim_kernel_impl", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    if (softmax_of_columns<T, false>(a[0], a[1], int(numbers[0].i))) return;
    each_line<T, 1>(a, int(numbers[0].i), [](S* out, const S* const* in, int64_t n) {
      const S* x = in[0];
      const S most = greatest_of(x, n);
      const S sum = exponentials_of(x, out, n, most);
      const S scale = 1 / sum;
      vector_loop<S>(
          0, n, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) { set<V>(out + i, V(get<V>(out + i) * scale)); });
    });
  });
}

// log_softmax: arrays out, in; numbers dim (i).
inline void log_softmax(const Array* a, int, const Number* numbers) {
  visit<group::floating>("log_softmax_lastdim_kernel_impl", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    if (softmax_of_columns<T, true>(a[0], a[1], int(numbers[0].i))) return;
    each_line<T, 1>(a, int(numbers[0].i), [](S* out, const S* const* in, int64_t n) {
      const S* x = in[0];
      const S most = greatest_of(x, n);
      const S log_sum = scalar_log(exponentials_of<S>(x, nullptr, n, most));
      vector_loop<S>(0, n, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
        set<V>(out + i, V(get<V>(x + i) - most - log_sum));
      });
    });
  });
}

// softmax_gradient, log_softmax_gradient: arrays out, g, y (the forward's output); numbers dim (i).
inline void softmax_gradient(const Array* a, int, const Number* numbers) {
  visit<group::floating>("softmax_gradient", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    each_line<T, 2>(a, int(numbers[0].i), [](S* out, const S* const* in, int64_t n) {
      const S *g = in[0], *y = in[1];
      const S sum = sum_row<S>(
          n, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) { return V(get<V>(g + i) * get<V>(y + i)); });
      vector_loop<S>(0, n, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
        set<V>(out + i, V((get<V>(g + i) - sum) * get<V>(y + i)));
      });
    });
  });
}
inline void log_softmax_gradient(const Array* a, int, const Number* numbers) {
  visit<group::floating>("log_softmax_gradient", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    each_line<T, 2>(a, int(numbers[0].i), [](S* out, const S* const* in, int64_t n) {
      const S *g = in[0], *y = in[1];
      const S sum = sum_row<S>(n, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) { return get<V>(g + i); });
      vector_loop<S>(0, n, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
        set<V>(out + i, V(get<V>(g + i) - exponential(get<V>(y + i)) * sum));
      });
    });
  });
}

}  // namespace
}  // namespace rl::RL_ISA
