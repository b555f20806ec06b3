// How an op of reduce.h takes in elements: Folding for those that work on whole vectors, Stepping for the rest.
#pragma once

#include "reduce.h"

namespace rl::RL_ISA {
namespace {

template <class T>
constexpr bool is_floating = is_float<T> || is_half<T>;
// Integers wrap around, so they are summed without a sign.
template <class T>
using SumState = std::conditional_t<is_floating<T>, Compute<T>, uint64_t>;
template <class T>
using SumOutput = std::conditional_t<is_floating<T>, T, int64_t>;
template <class T>
using SumWideOutput = std::conditional_t<is_half<T>, float, T>;

// Calls f(Type<T>) with the type as stored.
template <unsigned allowed, class F>
void visit_storage(const char* name, DType dtype, F&& f) {
  visit<allowed>(name, dtype, [&]<class T>(Type<T>) { f(Type<typename Storage<T>::type>{}); });
}

template <int by, class V, int... k>
inline V turn_lanes(V v, std::integer_sequence<int, k...>) {
  return __builtin_shufflevector(v, v, (k + by) % int(sizeof...(k))...);
}
// f over all lanes: over the halves, then the quarters, and so on.
template <class V, class F, int half = int(sizeof(V) / sizeof(V{}[0])) / 2>
inline auto across_lanes(V v, const F& f) {
  if constexpr (half == 0)
    return v[0];
  else
    return across_lanes<V, F, half / 2>(
        f(v, turn_lanes<half>(v, std::make_integer_sequence<int, int(sizeof(V) / sizeof(v[0]))>())), f);
}

// Ops of the form combine(map(x0), map(x1), ...) over S, where both functions take scalars and vectors alike.
template <class Self, class T, class S>
struct Folding {
  using State = S;
  static constexpr bool ordered = false;
  static constexpr int outputs = 1;
  // Several sums at once hide the time that an addition takes; more than eight would not stay in registers.
  static constexpr int width = lanes_of<S>, vectors = vector_bytes >= 32 ? 256 / vector_bytes : 8, unit = width * vectors;

  const Self& self() const { return static_cast<const Self&>(*this); }
  S element(const T* p) const { return self().map(convert<S>(*p)); }
  Vector<S> elements(const T* p) const { return self().map(load<S>(p)); }
  void merge(S& a, const S& b) const { a = self().combine(a, b); }

  // The last elements [i, n) of at least a vector's length, with identities before them.
  Vector<S> rest(const T* p, int64_t i, int64_t n) const {
    Vector<S> place;
    for (int k = 0; k < width; ++k) place[k] = S(k);
    return place < Vector<S>{} + S(width - (n - i)) ? Vector<S>{} + self().identity() : elements(p + n - width);
  }

  // Combines the halves of `count` vectors, then of the rest, until one is left.
  template <int count>
  void halve(Vector<S>* v) const {
    if constexpr (count > 1) {
      for (int k = 0; k < count / 2; ++k) v[k] = self().combine(v[k], v[k + count / 2]);
      halve<count / 2>(v);
    }
  }

  // The combination of all lanes.
  S across(Vector<S> v) const {
    return across_lanes(v, [this](Vector<S> a, Vector<S> x) { return self().combine(a, x); });
  }

  void run(S& s, const T* p, int64_t n, int64_t stride, int64_t) const {
    int64_t i = 0;
    if (stride == 1 && n >= width) {
      Vector<S> first;
      if (n >= unit) {
        Vector<S> acc[vectors];
        for (int v = 0; v < vectors; ++v) acc[v] = elements(p + v * width);
        for (i = unit; i + unit <= n; i += unit)
#pragma GCC unroll 8
          for (int v = 0; v < vectors; ++v) acc[v] = self().combine(acc[v], elements(p + i + v * width));
        halve<vectors>(acc);
        first = acc[0];
      } else {
        first = elements(p);
        i = width;
      }
      for (; i + width <= n; i += width) first = self().combine(first, elements(p + i));
      if (i < n) first = self().combine(first, rest(p, i, n));
      s = self().combine(s, across(first));
      return;
    }
    if (n >= 8) {
      S acc[4];
      for (int k = 0; k < 4; ++k) acc[k] = element(p + k * stride);
      for (i = 4; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; ++k) acc[k] = self().combine(acc[k], element(p + (i + k) * stride));
      s = self().combine(s, self().combine(self().combine(acc[0], acc[1]), self().combine(acc[2], acc[3])));
    }
    for (; i < n; ++i) s = self().combine(s, element(p + i * stride));
  }

  void rows(S* s, int lanes, int64_t lane_stride, const T* p, int64_t n, int64_t row_stride, int64_t) const {
    int k = 0;
    if (lane_stride == 1) {
      // Short rows one after the other: several of them make one long row.
      constexpr int long_row = 4 * unit;
      if (row_stride == lanes && lanes * 4 <= long_row && n * lanes >= 2 * long_row) {
        const int group = long_row / lanes, wide = group * lanes;
        S sums[long_row];
        for (int j = 0; j < wide; ++j) sums[j] = self().identity();
        rows(sums, wide, 1, p, n / group, wide, 0);
        for (int j = 0; j < wide; ++j) s[j % lanes] = self().combine(s[j % lanes], sums[j]);
        p += n / group * wide;
        n %= group;
      }
      for (; k + unit <= lanes; k += unit) {
        Vector<S> acc[vectors];
        for (int v = 0; v < vectors; ++v) acc[v] = load<S>(s + k + v * width);
        for (int64_t r = 0; r < n; ++r)
#pragma GCC unroll 8
          for (int v = 0; v < vectors; ++v) acc[v] = self().combine(acc[v], elements(p + r * row_stride + k + v * width));
        for (int v = 0; v < vectors; ++v) store(s + k + v * width, acc[v]);
      }
      for (; k + width <= lanes; k += width) {
        Vector<S> acc = load<S>(s + k);
        for (int64_t r = 0; r < n; ++r) acc = self().combine(acc, elements(p + r * row_stride + k));
        store(s + k, acc);
      }
    }
    for (; k < lanes; ++k) {
      S acc = s[k];
      for (int64_t r = 0; r < n; ++r) acc = self().combine(acc, element(p + r * row_stride + k * lane_stride));
      s[k] = acc;
    }
  }
};

// Ops with step(state, element, index).
template <class Self, class T, class S>
struct Stepping {
  using State = S;
  static constexpr int outputs = 1;
  static constexpr bool ordered = false;

  const Self& self() const { return static_cast<const Self&>(*this); }
  void run(S& s, const T* p, int64_t n, int64_t stride, int64_t index) const {
    for (int64_t i = 0; i < n; ++i) self().step(s, p[i * stride], index + i);
  }
  void rows(S* s, int lanes, int64_t lane_stride, const T* p, int64_t n, int64_t row_stride, int64_t index) const {
    for (int64_t r = 0; r < n; ++r)
      for (int k = 0; k < lanes; ++k) self().step(s[k], p[r * row_stride + k * lane_stride], index + r);
  }
};

// The one output of an op, of type Out; `Also` is a second dtype that it may be asked for.
#define RL_OUTPUT(Out, Also) \
  template <int>             \
  using Output = Out;        \
  template <int>             \
  using WideOutput = Also;

// x where it is greater (or less) than a, by the one instruction that there is for it; a where one of them is a NaN.
template <bool greatest, class V>
inline __attribute__((always_inline)) V further(V a, V x) {
#if defined(__AVX512F__) && defined(__AVX512BW__)
  if constexpr (std::is_same_v<V, Vector<float>>) return V(greatest ? _mm512_max_ps(x, a) : _mm512_min_ps(x, a));
  if constexpr (std::is_same_v<V, Vector<double>>) return V(greatest ? _mm512_max_pd(x, a) : _mm512_min_pd(x, a));
#elif defined(__AVX2__)
  if constexpr (std::is_same_v<V, Vector<float>>) return V(greatest ? _mm256_max_ps(x, a) : _mm256_min_ps(x, a));
  if constexpr (std::is_same_v<V, Vector<double>>) return V(greatest ? _mm256_max_pd(x, a) : _mm256_min_pd(x, a));
#endif
  return (greatest ? x > a : x < a) ? x : a;
}

// The greatest or the least element; a NaN wins over all. (Booleans are bytes here.)
template <class T, bool greatest, class S = Compute<T>>
struct Extremum : Folding<Extremum<T, greatest, S>, T, S> {
  static constexpr const char* name = greatest ? "amax" : "amin";
  using Also = std::conditional_t<std::is_same_v<T, uint8_t>, bool, T>;
  RL_OUTPUT(T, Also)
  S identity() const {
    using Limits = std::numeric_limits<S>;
    if constexpr (Limits::has_infinity) return greatest ? -Limits::infinity() : Limits::infinity();
    return greatest ? Limits::lowest() : Limits::max();
  }
  template <class V>
  V map(V x) const {
    return x;
  }
  template <class V>
  V combine(V a, V x) const {
    if constexpr (std::is_floating_point_v<S>) return (greatest ? (x > a) : (x < a)) | (x != x) ? x : a;
    return (greatest ? (x > a) : (x < a)) ? x : a;
  }
  template <int>
  S result(S s) const {
    return s;
  }

  // A NaN is rare: the sum of all elements tells whether there may be one, and then they are taken again with care.
  void run(S& s, const T* p, int64_t n, int64_t stride, int64_t index) const {
    using Base = Folding<Extremum, T, S>;
    if constexpr (std::is_floating_point_v<S>) {
      constexpr int width = Base::width, vectors = 4, unit = vectors * width;
      if (stride == 1 && n >= unit) {
        Vector<S> most[vectors], sums[vectors];
        for (int v = 0; v < vectors; ++v) most[v] = sums[v] = load<S>(p + v * width);
        int64_t i = unit;
        for (; i + unit <= n; i += unit)
#pragma GCC unroll 4
          for (int v = 0; v < vectors; ++v) {
            const Vector<S> x = load<S>(p + i + v * width);
            most[v] = further<greatest>(most[v], x);
            sums[v] += x;
          }
        const S sum = across_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]), [](Vector<S> a, Vector<S> x) { return a + x; });
        if (sum == sum) {
          this->template halve<vectors>(most);
          for (; i + width <= n; i += width) most[0] = combine(most[0], load<S>(p + i));
          if (i < n) most[0] = combine(most[0], this->rest(p, i, n));
          s = combine(s, this->across(most[0]));
          return;
        }
      }
    }
    Base::run(s, p, n, stride, index);
  }
};

}  // namespace
}  // namespace rl::RL_ISA
