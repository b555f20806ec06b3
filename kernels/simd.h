// Types and mathematics of the per-ISA loops. The compiler turns a call of one of these functions in a loop into a call of
// the vector function of glibc's libmvec (at most 4 ULP of error; NaN and infinities exact), where the platform has one.
#pragma once

#include <cmath>
#include <cstdint>

#include "isa.h"
#include "registry.h"

#if defined(__x86_64__) && defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 35)
#define RL_SIMD __attribute__((simd("notinbranch"), const))
#define RL_UNARY(f) RL_SIMD float f##f(float) noexcept; RL_SIMD double f(double) noexcept;
#define RL_BINARY(f) RL_SIMD float f##f(float, float) noexcept; RL_SIMD double f(double, double) noexcept;
extern "C" {
RL_UNARY(acos) RL_UNARY(acosh) RL_UNARY(asin) RL_UNARY(asinh) RL_UNARY(atan) RL_UNARY(atanh)
RL_UNARY(cos) RL_UNARY(cosh) RL_UNARY(erf) RL_UNARY(erfc) RL_UNARY(exp) RL_UNARY(exp2) RL_UNARY(expm1)
RL_UNARY(log) RL_UNARY(log10) RL_UNARY(log1p) RL_UNARY(log2)
RL_UNARY(sin) RL_UNARY(sinh) RL_UNARY(tan) RL_UNARY(tanh)
RL_BINARY(atan2) RL_BINARY(hypot) RL_BINARY(pow)
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

template <class T> constexpr bool is_complex = Traits<T>::is_complex;
template <class T> constexpr bool is_float = Traits<T>::is_float;
template <class T> constexpr bool is_integer = Traits<T>::is_integer;
template <class T> constexpr bool is_half = Traits<T>::is_half;
template <class T> constexpr bool is_bool = std::is_same_v<T, bool>;
template <class T> using Real = typename Traits<T>::Real;

// The type of each dtype, in the order of DType.
template <int dtype>
struct TypeOf;
#define RL_TYPE(tag, T)               \
  template <>                         \
  struct TypeOf<int(DType::tag)> {    \
    using type = T;                   \
  };
RL_TYPE(boolean, bool)
RL_TYPE(u8, uint8_t)
RL_TYPE(i8, int8_t)
RL_TYPE(i16, int16_t)
RL_TYPE(i32, int32_t)
RL_TYPE(i64, int64_t)
RL_TYPE(f16, float16)
RL_TYPE(bf16, bfloat16)
RL_TYPE(f32, float)
RL_TYPE(f64, double)
RL_TYPE(c64, Complex<float>)
RL_TYPE(c128, Complex<double>)
#undef RL_TYPE

}  // namespace
}  // namespace rl::RL_ISA
