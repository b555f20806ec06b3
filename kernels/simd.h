// Types and mathematics of the per-ISA loops. The compiler turns a call of one of these functions in a loop into a call of
// the vector function of glibc's libmvec (at most 4 ULP of error; NaN and infinities exact), where the platform has one.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "isa.h"
#include "registry.h"

#define RL_UNARY_FUNCTIONS(f)                                                                                               \
  f(acos) f(acosh) f(asin) f(asinh) f(atan) f(atanh) f(cos) f(cosh) f(erf) f(erfc) f(exp) f(exp2) f(expm1) f(log10) f(log2) \
      f(sin) f(sinh) f(tan) f(tanh)
#define RL_BINARY_FUNCTIONS(f) f(atan2) f(hypot) f(pow)

#if defined(__x86_64__) && defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 35)
#define RL_SIMD __attribute__((simd("notinbranch"), const))
#define RL_UNARY(name)                   \
  RL_SIMD float name##f(float) noexcept; \
  RL_SIMD double name(double) noexcept;
#define RL_BINARY(name)                         \
  RL_SIMD float name##f(float, float) noexcept; \
  RL_SIMD double name(double, double) noexcept;
extern "C" {
RL_UNARY_FUNCTIONS(RL_UNARY)
RL_BINARY_FUNCTIONS(RL_BINARY)
RL_SIMD float logf(float) noexcept;
RL_SIMD float log1pf(float) noexcept;
}
#undef RL_SIMD
#undef RL_UNARY
#undef RL_BINARY
#endif

namespace rl::RL_ISA {
namespace {

// std::complex without its special cases for infinities in products, as PyTorch computes.
template <class T>
struct Complex {
  T re, im;
};

template <class T>
struct Traits {
  static constexpr bool is_complex = false, is_float = false, is_integer = true, is_half = false;
  using Real = T;
};
template <>
struct Traits<bool> {
  static constexpr bool is_complex = false, is_float = false, is_integer = false, is_half = false;
  using Real = bool;
};
template <class T>
struct FloatTraits {
  static constexpr bool is_complex = false, is_float = true, is_integer = false, is_half = false;
  using Real = T;
};
template <>
struct Traits<float> : FloatTraits<float> {};
template <>
struct Traits<double> : FloatTraits<double> {};
template <class T>
struct HalfTraits {
  static constexpr bool is_complex = false, is_float = false, is_integer = false, is_half = true;
  using Real = T;
};
template <>
struct Traits<float16> : HalfTraits<float16> {};
template <>
struct Traits<bfloat16> : HalfTraits<bfloat16> {};
template <class T>
struct Traits<Complex<T>> {
  static constexpr bool is_complex = true, is_float = false, is_integer = false, is_half = false;
  using Real = T;
};

template <class T>
constexpr bool is_complex = Traits<T>::is_complex;
template <class T>
constexpr bool is_float = Traits<T>::is_float;
template <class T>
constexpr bool is_integer = Traits<T>::is_integer;
template <class T>
constexpr bool is_half = Traits<T>::is_half;
template <class T>
constexpr bool is_bool = std::is_same_v<T, bool>;
template <class T>
using Real = typename Traits<T>::Real;

// The type that the loops know each dtype by.
template <class T>
struct Lane {
  using type = T;
};
template <class T>
struct Lane<std::complex<T>> {
  using type = Complex<T>;
};
template <int dtype>
struct TypeOf;
#define RL_TYPE(tag, T, ...) \
  template <>                \
  struct TypeOf<int(DType::tag)> : Lane<T> {};
RL_DTYPES(RL_TYPE)
#undef RL_TYPE

namespace simd {
#define RL_UNARY(name)                                \
  inline float name(float x) { return ::name##f(x); } \
  inline double name(double x) { return ::name(x); }
#define RL_BINARY(name)                                           \
  inline float name(float x, float y) { return ::name##f(x, y); } \
  inline double name(double x, double y) { return ::name(x, y); }
RL_UNARY_FUNCTIONS(RL_UNARY)
RL_BINARY_FUNCTIONS(RL_BINARY)
#undef RL_UNARY
#undef RL_BINARY
#undef RL_UNARY_FUNCTIONS
#undef RL_BINARY_FUNCTIONS

inline float log(float x) { return ::logf(x); }

inline float log1p(float x) { return ::log1pf(x); }

#if defined(__FMA__)
// Derivatives of powers are made of logarithms, so those of float64 are more exact than libmvec's (which are off by up to 1.6
// ULP). x = 2^e m with m in [sqrt 1/2, sqrt 2), and log m = 2 atanh q where q = (m - 1) / (m + 1).
constexpr double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;  // (e times the high part is exact)

// e, and m, of a normal number.
inline double split(double x, double& m) {
  constexpr uint64_t root_of_half = 0x3fe6a09e667f3bcd, bias = 1024;
  const uint64_t bits = std::bit_cast<uint64_t>(x), exponent = (bits - root_of_half + (bias << 52)) >> 52;
  m = std::bit_cast<double>(bits - ((exponent - bias) << 52));
  // An integer of at most 52 bits, put behind the bits of 1.5 * 2^52, is a number that much larger.
  return std::bit_cast<double>(exponent + 0x4338000000000000) - (0x1.8p52 + bias);
}

// (2 atanh q - 2 q) / q^3, of z = q^2, for |q| < 0.172.
inline double series_of_atanh(double z) {
  double sum = 2.0 / 25;
  sum = std::fma(sum, z, 2.0 / 23);
  sum = std::fma(sum, z, 2.0 / 21);
  sum = std::fma(sum, z, 2.0 / 19);
  sum = std::fma(sum, z, 2.0 / 17);
  sum = std::fma(sum, z, 2.0 / 15);
  sum = std::fma(sum, z, 2.0 / 13);
  sum = std::fma(sum, z, 2.0 / 11);
  sum = std::fma(sum, z, 2.0 / 9);
  sum = std::fma(sum, z, 2.0 / 7);
  sum = std::fma(sum, z, 2.0 / 5);
  return std::fma(sum, z, 2.0 / 3);
}

// `value`, but for the ends of the logarithm of `x`, which is infinite at `zero`.
inline double with_ends_of_log(double value, double x, double zero) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  value = x == infinity ? infinity : value;
  value = x == zero ? -infinity : value;
  return x >= zero ? value : std::numeric_limits<double>::quiet_NaN();
}

// Nearly always the nearest number (0.54 ULP): what a rounding loses is kept beside the number where it would show.
inline double log(double x) {
  const bool is_subnormal = x < 0x1p-1022;
  double m;
  const double e = split(is_subnormal ? x * 0x1p54 : x, m) - (is_subnormal ? 54 : 0);
  const double sum = m + 1, rest_of_sum = m - (sum - 1);
  const double q = (m - 1) / sum, z = q * q;
  const double rest_of_q = (std::fma(-q, sum, m - 1) - q * rest_of_sum) * (0.5 - 0.5 * q);
  const double scale = e * ln2_high, high = scale + 2 * q;
  const double low = ((scale - high) + 2 * q) + std::fma(e, ln2_low, std::fma(q * z, series_of_atanh(z), 2 * rest_of_q));
  return with_ends_of_log(high + low, x, 0);
}

// 0.83 ULP. With f = m - 1 it is f - (f^2/2 - q (f^2/2 + z series)), as log(1 + f) = 2 atanh(f / (2 + f)).
inline double log1p(double x) {
  const double u = 1 + x;
  double m;
  const double e = split(u, m);
  const double lost = (x < 1 ? x - (u - 1) : 1 - (u - x)) / u;  // by the sum, relative to it
  const double f = e == 0 ? x : m - 1, rest = e == 0 ? 0 : lost;
  const double half = 0.5 * f * f, q = f / (2 + f), z = q * q;
  const double value = e * ln2_high - ((half - (q * (half + z * series_of_atanh(z)) + (e * ln2_low + rest))) - f);
  return with_ends_of_log(x == 0 ? x : value, x, -1);
}
#else
inline double log(double x) { return ::log(x); }
inline double log1p(double x) { return ::log1p(x); }
#endif
}  // namespace simd

template <class T>
inline Complex<T> operator+(Complex<T> a, Complex<T> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class T>
inline Complex<T> operator-(Complex<T> a, Complex<T> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class T>
inline Complex<T> operator-(Complex<T> a) {
  return {-a.re, -a.im};
}
template <class T>
inline Complex<T> operator*(Complex<T> a, Complex<T> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
template <class T>
inline bool operator==(Complex<T> a, Complex<T> b) {
  return a.re == b.re && a.im == b.im;
}
template <class T>
inline bool operator!=(Complex<T> a, Complex<T> b) {
  return a.re != b.re || a.im != b.im;
}

// Smith's algorithm: no overflow where the quotient has none.
template <class T>
inline Complex<T> operator/(Complex<T> a, Complex<T> b) {
  const T c = std::abs(b.re), d = std::abs(b.im);
  if (c >= d) {
    if (c == 0 && d == 0) return {a.re / c, a.im / d};
    const T ratio = b.im / b.re, scale = 1 / (b.re + b.im * ratio);
    return {(a.re + a.im * ratio) * scale, (a.im - a.re * ratio) * scale};
  }
  const T ratio = b.re / b.im, scale = 1 / (b.re * ratio + b.im);
  return {(a.re * ratio + a.im) * scale, (a.im * ratio - a.re) * scale};
}

template <class T>
inline Complex<T> conj(Complex<T> a) {
  return {a.re, -a.im};
}
template <class T>
inline T conj(T a) {
  return a;
}
template <class T>
inline Complex<T> operator*(T a, Complex<T> b) {
  return {a * b.re, a * b.im};
}

// The groups of dtypes that loops are made for: the half precisions ride on float32.
constexpr unsigned boolean = group::boolean, integer = group::integer, real = group::real, complex = group::complex;
constexpr unsigned bits = boolean | integer, ordered = bits | real, number = integer | real | complex, all = boolean | number;

}  // namespace
}  // namespace rl::RL_ISA
