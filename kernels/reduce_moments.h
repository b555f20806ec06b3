// Ops for reduce(): variance, norms and logsumexp.
#pragma once

#include "exponential.h"
#include "fold.h"

namespace rl::RL_ISA {
namespace {

// Sum of (x - center)^2, or of x.
template <class T, class S, bool squares>
struct Moment : Folding<Moment<T, S, squares>, T, S> {
  S center = 0;
  S identity() const { return 0; }
  template <class V>
  V map(V x) const {
    if constexpr (!squares) return x;
    const V d = x - center;
    return d * d;
  }
  template <class V>
  V combine(V a, V x) const {
    return a + x;
  }
};

// Means and sums of squares: two passes over each leaf, which is then in the cache, and Chan's formula between leaves (Chan,
// Golub and LeVeque 1979).
template <class T, class S = std::conditional_t<is_half<T>, float, double>>
struct Moments {
  static constexpr int parts = is_complex<T> ? 2 : 1;
  static constexpr bool ordered = false;
  using R = Real<T>;
  struct State {
    double count, mean[parts], squares;
  };

  State identity() const { return {}; }
  void merge(State& a, const State& b) const {
    const double count = a.count + b.count;
    if (count == 0) return;
    if (a.count == 0) {
      a = b;  // no sum with what there is not: a square that overflowed would make NaN of it
      return;
    }
    for (int i = 0; i < parts; ++i) {
      const double d = b.mean[i] - a.mean[i];
      a.mean[i] += d * (b.count / count);
      a.squares += d * d * (a.count * b.count / count);
    }
    a.squares += b.squares;
    a.count = count;
  }
  void run(State& s, const T* p, int64_t n, int64_t stride, int64_t) const {
    if (n == 0) return;
    State b{double(n), {}, 0};
    for (int i = 0; i < parts; ++i) {
      const R* q = reinterpret_cast<const R*>(p) + i;
      S sum = 0, squares = 0;
      Moment<R, S, false>{}.run(sum, q, n, stride * parts, 0);
      b.mean[i] = double(sum) / double(n);
      Moment<R, S, true> deviation;
      deviation.center = S(b.mean[i]);
      deviation.run(squares, q, n, stride * parts, 0);
      b.squares += double(squares);
    }
    merge(s, b);
  }
  void rows(State* s, int lanes, int64_t lane_stride, const T* p, int64_t n, int64_t row_stride, int64_t) const {
    if constexpr (!is_complex<T>) {
      if (lane_stride == 1) {
        S mean[max_tile], squares[max_tile];
        for (int k = 0; k < lanes; ++k) mean[k] = squares[k] = 0;
        for (int64_t r = 0; r < n; ++r)
          for (int k = 0; k < lanes; ++k) mean[k] += S(Compute<T>(p[r * row_stride + k]));
        for (int k = 0; k < lanes; ++k) mean[k] /= S(n);
        for (int64_t r = 0; r < n; ++r)
          for (int k = 0; k < lanes; ++k) {
            const S d = S(Compute<T>(p[r * row_stride + k])) - mean[k];
            squares[k] += d * d;
          }
        for (int k = 0; k < lanes; ++k) merge(s[k], State{double(n), {double(mean[k])}, double(squares[k])});
        return;
      }
    }
    for (int k = 0; k < lanes; ++k) run(s[k], p + k * lane_stride, n, row_stride, 0);
  }
};

// Outputs the variance or its root, and, where wanted, the mean.
template <class T, bool with_mean>
struct Variance : Moments<T> {
  static constexpr const char* name = "var";
  static constexpr int outputs = with_mean ? 2 : 1;
  using State = typename Moments<T>::State;
  template <int which>
  using Output = std::conditional_t<which == 0, Real<T>, T>;
  template <int which>
  using WideOutput = Output<which>;
  double correction = 1;
  bool root = false;

  template <int which>
  auto result(const State& s) const {
    if constexpr (which == 0) {
      const double freedom = s.count > correction ? s.count - correction : 0;
      const double variance = s.squares / freedom;
      return root ? __builtin_sqrt(variance) : variance;
    } else {
      const double nan = std::numeric_limits<double>::quiet_NaN();
      if constexpr (is_complex<T>)
        return s.count > 0 ? Complex<double>{s.mean[0], s.mean[1]} : Complex<double>{nan, nan};
      else
        return s.count > 0 ? s.mean[0] : nan;
    }
  }
};

enum class NormKind { zero, one, two, general, greatest, least };

template <class S, NormKind kind>
struct NormRule {
  static constexpr const char* name = "norm";
  S p = 0;
  S identity() const { return kind == NormKind::least ? std::numeric_limits<S>::infinity() : S(0); }
  template <class V>
  V map(V x) const {
    if constexpr (kind == NormKind::two) return x * x;
    if constexpr (kind == NormKind::zero) return x != V{} ? V{} + S(1) : V{};
    const V size = x <= V{} ? V{} - x : x;
    if constexpr (kind == NormKind::general) {
      if constexpr (std::is_same_v<V, S>)
        return scalar_pow(size, p);
      else
        return each_lane(size, [this](S lane) { return scalar_pow(lane, p); });
    }
    return size;
  }
  template <class V>
  V combine(V a, V x) const {
    if constexpr (kind == NormKind::greatest) return (x > a) | (x != x) ? x : a;
    if constexpr (kind == NormKind::least) return (x < a) | (x != x) ? x : a;
    return a + x;
  }
  template <int>
  S result(S s) const {
    if constexpr (kind == NormKind::two) return S(__builtin_sqrt(double(s)));
    if constexpr (kind == NormKind::general) return scalar_pow(s, S(1) / p);
    return s;
  }
};

template <class T, NormKind kind>
struct Norm : NormRule<Compute<T>, kind>, Folding<Norm<T, kind>, T, Compute<T>> {
  using Also = std::conditional_t<is_half<T>, float, T>;
  RL_OUTPUT(T, Also)
};

template <class T, NormKind kind>
struct ComplexNorm : NormRule<Real<T>, kind>, Stepping<ComplexNorm<T, kind>, T, Real<T>> {
  using R = Real<T>;
  RL_OUTPUT(R, R)
  void step(R& s, const T& x, int64_t) const { s = this->combine(s, this->map(R(__builtin_hypot(x.re, x.im)))); }
  void merge(R& a, R b) const { a = this->combine(a, b); }
};

template <class T, class S>
struct ShiftedExponentials : Folding<ShiftedExponentials<T, S>, T, S> {
  S shift = 0;
  S identity() const { return 0; }
  template <class V>
  V map(V x) const {
    return exponential(x - shift);
  }
  template <class V>
  V combine(V a, V x) const {
    return a + x;
  }
};

// log(sum(exp(x))), each leaf relative to its own maximum.
template <class T>
struct LogSumExp {
  static constexpr const char* name = "logsumexp";
  static constexpr int outputs = 1;
  static constexpr bool ordered = false;
  RL_OUTPUT(T, T)
  using S = Compute<T>;
  struct State {
    S shift, sum;  // the sum of exp(x - shift)
  };

  State identity() const { return {-std::numeric_limits<S>::infinity(), 0}; }
  void merge(State& a, const State& b) const {
    if (b.sum == 0) return;
    if (a.sum == 0) {
      a = b;
      return;
    }
    const S shift = a.shift > b.shift ? a.shift : b.shift;
    a = {shift, a.sum * exponential(a.shift - shift) + b.sum * exponential(b.shift - shift)};
  }
  void run(State& s, const T* p, int64_t n, int64_t stride, int64_t) const {
    const Extremum<T, true> extremum;
    S shift = extremum.identity();
    extremum.run(shift, p, n, stride, 0);
    if (__builtin_isinf(shift)) {
      // Nothing to add, or infinity alone.
      if (shift > 0) merge(s, {0, shift});
      return;
    }
    ShiftedExponentials<T, S> exponentials;
    exponentials.shift = shift;
    State b{shift, 0};
    exponentials.run(b.sum, p, n, stride, 0);
    merge(s, b);
  }
  void rows(State* s, int lanes, int64_t lane_stride, const T* p, int64_t n, int64_t row_stride, int64_t index) const {
    int k = 0;
    if (lane_stride == 1) {
      const Extremum<T, true> extremum;
      S lanes_shift[lanes_of<S>], lanes_sum[lanes_of<S>];
      for (; k + lanes_of<S> <= lanes; k += lanes_of<S>) {
        Vector<S> shift = Vector<S>{} + extremum.identity(), sum{};
        for (int64_t r = 0; r < n; ++r) shift = extremum.combine(shift, load<S>(p + r * row_stride + k));
        // Infinities are shifted by nothing: exp turns them into 0 and infinity.
        shift = (shift - shift == shift - shift) | (shift != shift) ? shift : Vector<S>{};
        for (int64_t r = 0; r < n; ++r) sum += exponential(load<S>(p + r * row_stride + k) - shift);
        store(lanes_shift, shift);
        store(lanes_sum, sum);
        for (int j = 0; j < lanes_of<S>; ++j) merge(s[k + j], {lanes_shift[j], lanes_sum[j]});
      }
    }
    for (; k < lanes; ++k) run(s[k], p + k * lane_stride, n, row_stride, index);
  }
  template <int>
  S result(const State& s) const {
    if (s.sum == 0) return -std::numeric_limits<S>::infinity();
    return s.shift + scalar_log(s.sum);
  }
};

}  // namespace
}  // namespace rl::RL_ISA
