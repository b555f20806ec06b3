// Ops for reduce(): the place of an extremum, and questions about truth.
#pragma once

#include "fold.h"

namespace rl::RL_ISA {
namespace {

template <class T>
bool is_nan(T x) {
  return x != x;
}
template <class T>
bool is_nonzero(const T& x) {
  if constexpr (is_complex<T>) {
    return (x.re != 0) | (x.im != 0);
  } else if constexpr (is_half<T>) {
    uint16_t bits;
    __builtin_memcpy(&bits, &x, 2);
    return uint16_t(bits << 1) != 0;
  } else {
    return x != 0;
  }
}

template <class S>
struct Place {
  S value;
  int64_t index;  // -1 before the first element
};

// The greatest or least element and the index of its first occurrence; the first NaN wins over all. The outputs are the
// value and the index, or the index alone.
template <class T, bool greatest, bool index_only, class S = Compute<T>>
struct Search : Stepping<Search<T, greatest, index_only, S>, T, Place<S>> {
  static constexpr const char* name = index_only ? (greatest ? "argmax_cpu" : "argmin_cpu") : (greatest ? "max_cpu" : "min_cpu");
  static constexpr bool ordered = true;
  static constexpr int outputs = index_only ? 1 : 2;
  using Also = std::conditional_t<std::is_same_v<T, uint8_t>, bool, T>;
  template <int which>
  using Output = std::conditional_t<which == 0 && !index_only, T, int64_t>;
  template <int which>
  using WideOutput = std::conditional_t<which == 0 && !index_only, Also, int64_t>;
  using State = Place<S>;
  using Base = Stepping<Search, T, State>;

  State identity() const { return {S{}, -1}; }
  static bool beats(S x, const State& s) {
    return s.index < 0 || (greatest ? x > s.value : x < s.value) || (is_nan(x) && !is_nan(s.value));
  }
  void step(State& s, const T& x, int64_t index) const {
    if (const S value = convert<S>(x); beats(value, s)) s = {value, index};
  }
  void merge(State& a, const State& b) const {
    if (b.index >= 0 && beats(b.value, a)) a = b;
  }
  template <int which>
  auto result(const State& s) const {
    if constexpr (which == 0 && !index_only)
      return s.value;
    else
      return s.index;
  }

  // The extremum first, by vectors; then, only if it is news, where it stands.
  void run(State& s, const T* p, int64_t n, int64_t stride, int64_t index) const {
    constexpr int width = lanes_of<S>;
    if (stride != 1 || n < 2 * width) return Base::run(s, p, n, stride, index);
    const Extremum<T, greatest> extremum;
    S best = extremum.identity();
    extremum.run(best, p, n, 1, 0);
    if (!beats(best, s)) return;
    int64_t i = 0;
    if (!is_nan(best)) {
      for (; i + width <= n; i += width) {
        const auto hits = load<S>(p + i) == (Vector<S>{} + best);
        uint64_t words[vector_bytes / 8], any = 0;
        __builtin_memcpy(words, &hits, sizeof words);
        for (uint64_t word : words) any |= word;
        if (any) break;
      }
      while (convert<S>(p[i]) != best) ++i;
    } else {
      while (!is_nan(convert<S>(p[i]))) ++i;
    }
    s = {best, index + i};
  }

  // Neighbouring lanes in vectors, their rows counted in integers as wide as an element.
  void rows(State* s, int lanes, int64_t lane_stride, const T* p, int64_t n, int64_t row_stride, int64_t index) const {
    constexpr int width = lanes_of<S>;
    int k = 0;
    if (lane_stride == 1) {
      for (; k + width <= lanes; k += width)
        for (int64_t begin = 0; begin < n; begin += leaf_rows) {
          const T* q = p + begin * row_stride + k;
          const int count = int(n - begin < leaf_rows ? n - begin : leaf_rows);
          Vector<S> best = load<S>(q);
          using Mask = decltype(best != best);
          using Count = std::remove_reference_t<decltype(Mask{}[0])>;
          Mask row{};
          for (int r = 1; r < count; ++r) {
            const Vector<S> x = load<S>(q + r * row_stride);
            Mask better = greatest ? x > best : x < best;
            if constexpr (std::is_floating_point_v<S>) better |= (x != x) & (best == best);
            best = better ? x : best;
            row = better ? Mask{} + Count(r) : row;
          }
          S values[width];
          Count places[width];
          store(values, best);
          __builtin_memcpy(places, &row, sizeof row);
          for (int j = 0; j < width; ++j)
            if (beats(values[j], s[k + j])) s[k + j] = {values[j], index + begin + places[j]};
        }
    }
    if (k < lanes) Base::rows(s + k, lanes - k, lane_stride, p + k * lane_stride, n, row_stride, index);
  }
};

enum class Truth { all, any, count };

template <class T, Truth truth>
struct Question : Stepping<Question<T, truth>, T, std::conditional_t<truth == Truth::count, int64_t, bool>> {
  static constexpr const char* name = truth == Truth::all ? "all" : truth == Truth::any ? "any" : "nonzero_count_cpu";
  using State = std::conditional_t<truth == Truth::count, int64_t, bool>;
  using Also = std::conditional_t<truth == Truth::count, State, uint8_t>;
  using Base = Stepping<Question, T, State>;
  RL_OUTPUT(State, Also)
  State identity() const { return truth == Truth::all; }
  void merge(State& a, State b) const {
    if constexpr (truth == Truth::count)
      a += b;
    else
      a = truth == Truth::all ? a & b : a | b;
  }
  void step(State& s, const T& x, int64_t) const { merge(s, is_nonzero(x)); }
  template <int>
  State result(State s) const {
    return s;
  }

  void run(State& s, const T* p, int64_t n, int64_t stride, int64_t index) const {
    if (stride != 1) return Base::run(s, p, n, stride, index);
    // Blocks short enough for a narrow counter keep the loop in vectors of the width of T.
    using Narrow = std::conditional_t<sizeof(T) == 1, uint8_t, std::conditional_t<sizeof(T) == 2, uint16_t, uint32_t>>;
    for (int64_t i = 0; i < n;) {
      const int64_t stop = n - i < 255 ? n : i + 255;
      Narrow zeros = 0;
      const int64_t first = i;
      for (; i < stop; ++i) zeros += Narrow(!is_nonzero(p[i]));
      if constexpr (truth == Truth::count) {
        s += stop - first - int64_t(zeros);
      } else if (truth == Truth::all ? zeros > 0 : int64_t(zeros) < stop - first) {
        s = truth == Truth::any;
        return;
      }
    }
  }
};

}  // namespace
}  // namespace rl::RL_ISA
