// Reductions. Arrays out..., in: `out` has as many dimensions as `in`, of size 1 where `in` is reduced.
#include <cstring>

#include "fold.h"
#include "reduce_moments.h"
#include "reduce_search.h"
#include "sums.h"

namespace rl::RL_ISA {
namespace {

// Of integers, which wrap around.
template <class T>
struct Sum : Folding<Sum<T>, T, uint64_t> {
  static constexpr const char* name = "sum";
  RL_OUTPUT(SumOutput<T>, SumWideOutput<T>)
  using S = uint64_t;
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

// Complex arrays as real ones whose last dimension holds the real and imaginary parts.
struct RealParts {
  int64_t shape[2][max_dims + 1], strides[2][max_dims + 1];
  Array arrays[2];

  // The output keeps that dimension or, where it is real, has it reduced.
  RealParts(const Array& out, const Array& in) {
    if (in.ndim >= max_dims) throw std::invalid_argument("a reduction of complex numbers takes at most 63 dimensions");
    const Array* from[2] = {&out, &in};
    for (int k = 0; k < 2; ++k) {
      const bool complex = from[k]->dtype == in.dtype;
      const int n = in.ndim;
      for (int d = 0; d < n; ++d) {
        shape[k][d] = from[k]->shape[d];
        strides[k][d] = from[k]->strides[d] * (complex ? 2 : 1);
      }
      shape[k][n] = complex ? 2 : 1;
      strides[k][n] = 1;
      arrays[k] = {from[k]->data, in.dtype == DType::c64 ? DType::f32 : DType::f64, n + 1, shape[k], strides[k]};
    }
  }
};

bool complex_dtype(DType dtype) { return dtype == DType::c64 || dtype == DType::c128; }

// all, any: arrays out (bool or uint8), in. count_nonzero: arrays out (int64), in. Every dtype.
template <Truth truth>
void question(const Array* a, int, const Number*) {
  visit_storage<group::all>(Question<float, truth>::name, a[1].dtype,
                            [&]<class T>(Type<T>) { reduce<Question<T, truth>, T>({}, a, a[1]); });
}

// sum: arrays out, in. Integers and booleans give int64 or their own dtype (a sum of truth values is whether any is true). mean:
// arrays out, in; floating and complex.
template <bool mean>
void sum(const Array* a, int count, const Number* numbers) {
  if (!mean && a[0].dtype == DType::boolean) return question<Truth::any>(a, count, numbers);
  double divisor = 1;
  for (int d = 0; mean && d < a[1].ndim; ++d)
    if (a[0].shape[d] == 1) divisor *= double(a[1].shape[d]);
  visit_storage<group::all>("sum_cpu", a[1].dtype, [&]<class T>(Type<T>) {
    if constexpr (is_floating<T> || is_complex<T>)
      sum_floats<T, false>(a[0], a[1], divisor, mean);
    else if constexpr (mean)
      no_kernel("sum_cpu", a[1].dtype);
    else
      reduce<Sum<T>, T>({}, a, a[1]);
  });
}

// nansum: arrays out (contiguous), in (of what has no NaN it is sum, and of nothing 0 in every dtype).
void nansum(const Array* a, int count, const Number* numbers) {
  if (a[1].numel() == 0) return void(std::memset(a[0].data, 0, size_t(a[0].numel() * item_size(a[0].dtype))));
  if (!((group::floating >> int(a[1].dtype)) & 1u)) return sum<false>(a, count, numbers);
  visit<group::floating>("nansum_cpu", a[1].dtype, [&]<class T>(Type<T>) { sum_floats<T, true>(a[0], a[1], 1, false); });
}

// prod: arrays out, in; dtypes as sum.
void product(const Array* a, int, const Number*) {
  visit_storage<group::all>("prod_out_cpu", a[1].dtype, [&]<class T>(Type<T>) {
    if constexpr (is_complex<T>)
      reduce<ComplexProduct<T>, T>({}, a, a[1]);
    else
      reduce<Product<T>, T>({}, a, a[1]);
  });
}

// amax, amin: arrays out, in. aminmax: arrays least, greatest, in.
template <bool greatest>
void extremum(const Array* outs, const Array& in) {
  visit_storage<group::ordered>(greatest ? "max_values_cpu" : "min_values_cpu", in.dtype,
                                [&]<class T>(Type<T>) { reduce<Extremum<T, greatest>, T>({}, outs, in); });
}
void amax(const Array* a, int, const Number*) { extremum<true>(a, a[1]); }
void amin(const Array* a, int, const Number*) { extremum<false>(a, a[1]); }
void aminmax(const Array* a, int, const Number*) {
  extremum<false>(a, a[2]);
  extremum<true>(a + 1, a[2]);
}

// max_with_index, min_with_index: arrays values, indices (int64), in. argmax, argmin: arrays indices, in. One dimension or
// all of them are reduced; the index counts through the reduced ones in order.
template <bool greatest, bool index_only>
void search(const Array* a, int count, const Number*) {
  const Array& in = a[count - 1];
  visit_storage<group::ordered>(Search<float, greatest, index_only>::name, in.dtype,
                                [&]<class T>(Type<T>) { reduce<Search<T, greatest, index_only>, T>({}, a, in); });
}

// var, std: arrays out, in. var_mean, std_mean: arrays out, mean, in. Numbers correction (f). Floating and complex; the
// variance of complex numbers is real.
template <bool root, bool with_mean>
void variance(const Array* a, int, const Number* numbers) {
  const Array& in = a[with_mean ? 2 : 1];
  visit_storage<group::floating | group::complex>(root ? "std" : "var", in.dtype, [&]<class T>(Type<T>) {
    Variance<T, with_mean> op;
    op.correction = numbers[0].f;
    op.root = root;
    reduce<Variance<T, with_mean>, T>(op, a, in);
  });
}

// norm: arrays out, in; numbers p (f), also infinite. Floating and complex (real output).
template <NormKind kind>
void norm_of_kind(const Array* a, double p) {
  if constexpr (kind == NormKind::two)
    if (complex_dtype(a[1].dtype)) return norm_of_kind<kind>(RealParts(a[0], a[1]).arrays, p);
  visit_storage<group::floating | group::complex>("norm_cpu", a[1].dtype, [&]<class T>(Type<T>) {
    if constexpr (!is_complex<T> || kind != NormKind::two) {
      using Op = std::conditional_t<is_complex<T>, ComplexNorm<T, kind>, Norm<T, kind>>;
      Op op;
      op.p = Compute<Real<T>>(p);
      reduce<Op, T>(op, a, a[1]);
    }
  });
}
void norm(const Array* a, int, const Number* numbers) {
  const double p = numbers[0].f;
  if (p == 2) return norm_of_kind<NormKind::two>(a, p);
  if (p == 1) return norm_of_kind<NormKind::one>(a, p);
  if (p == 0) return norm_of_kind<NormKind::zero>(a, p);
  if (__builtin_isinf(p)) return p > 0 ? norm_of_kind<NormKind::greatest>(a, p) : norm_of_kind<NormKind::least>(a, p);
  norm_of_kind<NormKind::general>(a, p);
}

// logsumexp: arrays out, in; floating.
void logsumexp(const Array* a, int, const Number*) {
  visit<group::floating>("logsumexp", a[1].dtype, [&]<class T>(Type<T>) { reduce<LogSumExp<T>, T>({}, a, a[1]); });
}

}  // namespace

void register_reduce() {
  Register("sum", sum<false>);
  Register("mean", sum<true>);
  Register("nansum", nansum);
  Register("prod", product);
  Register("amax", amax);
  Register("amin", amin);
  Register("aminmax", aminmax);
  Register("max_with_index", search<true, false>);
  Register("min_with_index", search<false, false>);
  Register("argmax", search<true, true>);
  Register("argmin", search<false, true>);
  Register("all", question<Truth::all>);
  Register("any", question<Truth::any>);
  Register("count_nonzero", question<Truth::count>);
  Register("var", variance<false, false>);
  Register("std", variance<true, false>);
  Register("var_mean", variance<false, true>);
  Register("std_mean", variance<true, true>);
  Register("norm", norm);
  Register("logsumexp", logsumexp);
}

}  // namespace rl::RL_ISA
