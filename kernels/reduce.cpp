// Reductions. Arrays out..., in: `out` has as many dimensions as `in`, of size 1 where `in` is reduced.
#include "fold.h"

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

template <class T, class S = SumState<T>>
struct Sum : Folding<Sum<T, S>, T, S> {
  static constexpr const char* name = "sum";
  RL_OUTPUT(SumOutput<T>, SumWideOutput<T>)
  S divisor = 1;
  S identity() const { return 0; }
  template <class V>
  V map(V x) const {
    return x;
  }
  template <class V>
  V combine(V a, V x) const {
    return a + x;
  }
  template <int>
  S result(S s) const {
    if constexpr (is_floating<T>) return s / divisor;
    return s;
  }
};

template <class T>
struct NanSum : Folding<NanSum<T>, T, Compute<T>> {
  static constexpr const char* name = "nansum";
  RL_OUTPUT(T, SumWideOutput<T>)
  using S = Compute<T>;
  S identity() const { return 0; }
  template <class V>
  V map(V x) const {
    return x == x ? x : V{};
  }
  template <class V>
  V combine(V a, V x) const {
    return a + x;
  }
  template <int>
  S result(S s) const {
    return s;
  }
};

template <class T, class S = SumState<T>>
struct Product : Folding<Product<T, S>, T, S> {
  static constexpr const char* name = "prod";
  RL_OUTPUT(SumOutput<T>, SumWideOutput<T>)
  S identity() const { return 1; }
  template <class V>
  V map(V x) const {
    return x;
  }
  template <class V>
  V combine(V a, V x) const {
    return a * x;
  }
  template <int>
  S result(S s) const {
    return s;
  }
};

template <class T>
struct ComplexProduct : Stepping<ComplexProduct<T>, T, T> {
  static constexpr const char* name = "prod";
  RL_OUTPUT(T, T)
  T identity() const { return {1, 0}; }
  void step(T& s, const T& x, int64_t) const { s = {s.re * x.re - s.im * x.im, s.re * x.im + s.im * x.re}; }
  void merge(T& a, const T& b) const { step(a, b, 0); }
  template <int>
  T result(const T& s) const {
    return s;
  }
};

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
    if constexpr (is_float<S>) return (greatest ? (x > a) : (x < a)) | (x != x) ? x : a;
    return (greatest ? (x > a) : (x < a)) ? x : a;
  }
  template <int>
  S result(S s) const {
    return s;
  }
};

// sum: arrays out, in. Integers and booleans give int64 or their own dtype, halves their own or float32.
// mean: arrays out, in; floating and complex.
void sum_or_mean(const Array* a, const char* name, bool mean) {
  const Array& in = a[1];
  if (in.dtype == DType::c64 || in.dtype == DType::c128) {
    // The real and imaginary parts are one more kept dimension.
    int64_t shape[2][max_dims + 1], strides[2][max_dims + 1];
    Array real[2];
    for (int k = 0; k < 2; ++k) {
      const int n = a[k].ndim;
      for (int d = 0; d < n; ++d) {
        shape[k][d] = a[k].shape[d];
        strides[k][d] = 2 * a[k].strides[d];
      }
      shape[k][n] = 2;
      strides[k][n] = 1;
      if (n == max_dims) throw std::invalid_argument("sum of complex numbers: at most 63 dimensions");
      real[k] = {a[k].data, in.dtype == DType::c64 ? DType::f32 : DType::f64, n + 1, shape[k], strides[k]};
    }
    return sum_or_mean(real, name, mean);
  }
  visit_storage<group::ordered>(name, in.dtype, [&]<class T>(Type<T>) {
    Sum<T> op;
    if constexpr (is_floating<T>) {
      if (mean) {
        double count = 1;
        for (int d = 0; d < in.ndim; ++d)
          if (a[0].shape[d] == 1) count *= double(in.shape[d]);
        op.divisor = typename Sum<T>::State(count);
      }
    } else if (mean) {
      no_kernel(name, in.dtype);
    }
    reduce<Sum<T>, T>(op, a, in);
  });
}
void sum(const Array* a, int, const Number*) { sum_or_mean(a, "sum", false); }
void mean(const Array* a, int, const Number*) { sum_or_mean(a, "mean", true); }

// nansum: arrays out, in (floating; for the others it is sum).
void nansum(const Array* a, int, const Number*) {
  if (!((group::floating >> int(a[1].dtype)) & 1u)) return sum_or_mean(a, "nansum", false);
  visit<group::floating>("nansum", a[1].dtype, [&]<class T>(Type<T>) { reduce<NanSum<T>, T>({}, a, a[1]); });
}

// prod: arrays out, in; dtypes as sum.
void product(const Array* a, int, const Number*) {
  visit_storage<group::all>("prod", a[1].dtype, [&]<class T>(Type<T>) {
    if constexpr (is_complex<T>)
      reduce<ComplexProduct<T>, T>({}, a, a[1]);
    else
      reduce<Product<T>, T>({}, a, a[1]);
  });
}

// amax, amin: arrays out, in. aminmax: arrays least, greatest, in.
template <bool greatest>
void extremum(const Array* outs, const Array& in) {
  visit_storage<group::ordered>(greatest ? "amax" : "amin", in.dtype,
                                [&]<class T>(Type<T>) { reduce<Extremum<T, greatest>, T>({}, outs, in); });
}
void amax(const Array* a, int, const Number*) { extremum<true>(a, a[1]); }
void amin(const Array* a, int, const Number*) { extremum<false>(a, a[1]); }
void aminmax(const Array* a, int, const Number*) {
  extremum<false>(a, a[2]);
  extremum<true>(a + 1, a[2]);
}

}  // namespace

void register_reduce() {
  Register("sum", sum);
  Register("mean", mean);
  Register("nansum", nansum);
  Register("prod", product);
  Register("amax", amax);
  Register("amin", amin);
  Register("aminmax", aminmax);
}

}  // namespace rl::RL_ISA
