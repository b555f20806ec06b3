// Functions of whole lines along one dimension, such as softmax: f gets the lines as plain rows of S = Compute<T>.
#pragma once

#include "reduce.h"

namespace rl::RL_ISA {
namespace {

// arrays[0] is the output, then come `inputs` inputs, all of one shape; calls f(S* out, const S* const* in, int64_t n).
// Rows that are not plain in memory go through a copy, several neighbouring ones at a time.
template <class T, int inputs, class F>
void each_row(const Array* arrays, int dim, const F& f) {
  static_assert(inputs <= 2, "Dim holds three strides");
  using S = Compute<T>;
  const Array& out = arrays[0];
  const int64_t n = out.ndim ? out.shape[dim] : 1;
  auto stride = [&](int a, int d) { return arrays[a].strides[d]; };
  MergedDims raw, lines;
  for (int d = out.ndim - 1; d >= 0; --d)
    if (d != dim && out.shape[d] != 1) raw.dims[raw.count++] = {out.shape[d], stride(0, d), {stride(1, d), stride(inputs, d)}};
  raw.sort();
  for (int d = 0; d < raw.count; ++d) lines.add(raw.dims[d]);
  if (n == 0 || lines.total == 0) return;

  int64_t steps[inputs + 1];
  bool plain = std::is_same_v<T, S>;
  for (int a = 0; a <= inputs; ++a) {
    steps[a] = n == 1 ? 1 : arrays[a].strides[dim];
    plain = plain && steps[a] == 1;
  }
  constexpr int64_t most = 64 / sizeof(T);  // lines that share a cache line
  const Dim lane = lines.count > 0 ? lines.dims[0] : Dim{1, 0, {0, 0}};
  const int64_t width = plain || steps[0] == 1 ? 1 : (lane.size < most ? lane.size : most);
  const int64_t blocks = (lane.size + width - 1) / width, tiles = lines.total / lane.size * blocks;
  const int64_t grain = n * width >= work_grain ? 1 : work_grain / (n * width);
  partition(tiles, grain, [&](int64_t begin, int64_t end) {
    Scratch<S> copies(plain ? 0 : (inputs + 1) * width * n);
    for (int64_t t = begin; t < end; ++t) {
      const int64_t first = t % blocks * width, count = lane.size - first < width ? lane.size - first : width;
      int64_t place = t / blocks, at[3] = {first * lane.in, first * lane.out[0], first * lane.out[1]};
      for (int d = 1; d < lines.count; ++d) {
        const Dim& other = lines.dims[d];
        const int64_t i = place % other.size;
        place /= other.size;
        at[0] += i * other.in;
        at[1] += i * other.out[0];
        at[2] += i * other.out[1];
      }
      const int64_t lane_strides[3] = {lane.in, lane.out[0], lane.out[1]};
      const S* rows[inputs];
      if constexpr (std::is_same_v<T, S>) {
        if (plain) {
          for (int a = 1; a <= inputs; ++a) rows[a - 1] = arrays[a].as<S>() + at[a];
          f(out.as<S>() + at[0], rows, n);
          continue;
        }
      }
      for (int a = 1; a <= inputs; ++a) {
        const T* p = arrays[a].as<T>() + at[a];
        for (int64_t i = 0; i < n; ++i)
          for (int64_t k = 0; k < count; ++k) copies[(a * width + k) * n + i] = convert<S>(p[i * steps[a] + k * lane_strides[a]]);
      }
      for (int64_t k = 0; k < count; ++k) {
        for (int a = 1; a <= inputs; ++a) rows[a - 1] = copies.get() + (a * width + k) * n;
        f(copies.get() + k * n, rows, n);
      }
      T* p = out.as<T>() + at[0];
      for (int64_t i = 0; i < n; ++i)
        for (int64_t k = 0; k < count; ++k) p[i * steps[0] + k * lane.in] = convert<T>(copies[k * n + i]);
    }
  });
}

// f(i, Vector type) for whole vectors of [0, n), then f(i, S type) for what is left: one generic loop body.
template <class S, class F>
inline __attribute__((always_inline)) void vector_loop(int64_t begin, int64_t end, const F& f) {
  int64_t i = begin;
  for (; i + lanes_of<S> <= end; i += lanes_of<S>) f(i, Type<Vector<S>>{});
  for (; i < end; ++i) f(i, Type<S>{});
}

// An element or a vector of them, as V says.
template <class V, class T>
inline __attribute__((always_inline)) V get(const T* p) {
  using S = Compute<T>;
  if constexpr (std::is_same_v<V, S>)
    return convert<S>(*p);
  else
    return load<S>(p);
}
template <class V, class T>
inline __attribute__((always_inline)) void set(T* p, V v) {
  using S = Compute<T>;
  if constexpr (std::is_same_v<V, S>)
    *p = convert<T>(v);
  else
    put<S>(p, v);
}

template <class S>
inline S sum_lanes(Vector<S> v) {
  S lanes[lanes_of<S>];
  store(lanes, v);
  for (int half = lanes_of<S> / 2; half > 0; half /= 2)
    for (int k = 0; k < half; ++k) lanes[k] += lanes[k + half];
  return lanes[0];
}

// The sum of term(i, Type<V>) over a row, in blocks, so that rounding errors stay small.
template <class S, class F>
inline __attribute__((always_inline)) S sum_row(int64_t n, const F& term) {
  double total = 0;
  for (int64_t begin = 0; begin < n; begin += leaf_elements) {
    const int64_t end = begin + leaf_elements < n ? begin + leaf_elements : n;
    Vector<S> sums{}, more{};
    int64_t i = begin;
    for (; i + 2 * lanes_of<S> <= end; i += 2 * lanes_of<S>) {
      sums += term(i, Type<Vector<S>>{});
      more += term(i + lanes_of<S>, Type<Vector<S>>{});
    }
    sums += more;
    S rest = 0;
    for (; i < end; ++i) rest += term(i, Type<S>{});
    total += double(sum_lanes<S>(sums)) + double(rest);
  }
  return S(total);
}

}  // namespace
}  // namespace rl::RL_ISA
