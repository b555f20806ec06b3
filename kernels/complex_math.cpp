// Complex functions, one element at a time. Compiled once, for every processor.
#include <complex>

#include "loops.h"

namespace rl::baseline {
namespace {

template <class T>
inline std::complex<T> standard(Complex<T> z) {
  return {z.re, z.im};
}
template <class T>
inline Complex<T> ours(std::complex<T> z) {
  return {z.real(), z.imag()};
}

// A kernel from a function of std::complex.
template <class F>
void function(const char* name, F) {
  unary<complex>(name, [](auto z) { return ours(F{}(standard(z))); });
}

// By the division of this library, as in PyTorch: NaN where both parts are infinite.
template <class T>
std::complex<T> reciprocal(std::complex<T> z) {
  return standard(Complex<T>{1, 0} / ours(z));
}

// log(1 + z) without the loss near 0: |1 + z|^2 - 1 = x (2 + x) + y^2.
template <class T>
std::complex<T> log1p(std::complex<T> z) {
  const T x = z.real(), y = z.imag();
  if (std::abs(x) < T(0.5) && std::abs(y) < T(0.5)) return {std::log1p(x * (2 + x) + y * y) / 2, std::atan2(y, 1 + x)};
  return std::log(T(1) + z);
}

// exp(z) - 1: the real part is expm1(x) cos y - 2 sin(y/2)^2.
template <class T>
std::complex<T> expm1(std::complex<T> z) {
  const T x = z.real(), y = z.imag(), half = std::sin(y / 2);
  return {std::expm1(x) * std::cos(y) - 2 * half * half, std::exp(x) * std::sin(y)};
}

// log(exp(a) + exp(b)), from the one with the greater real part; two equal infinities are their own sum.
template <class T>
std::complex<T> log_sum(std::complex<T> a, std::complex<T> b) {
  if (std::isnan(a.real()) || std::isnan(a.imag())) return a;
  if (std::isnan(b.real()) || std::isnan(b.imag())) return b;
  if (a.real() < b.real()) std::swap(a, b);
  if (std::isinf(a.real()) && a.real() == b.real()) {
    if (a.real() < 0) return a;
    return std::log(std::exp(a) + std::exp(b));
  }
  return a + log1p(std::exp(b - a));
}

// One exponent for all elements may have an exact way, as for real numbers; and 1 to any power is 1.
template <class R>
void power_loop(char* const* data, const int64_t* strides, int64_t n, const Number* numbers) {
  using T = Complex<R>;
  const auto power_of = [&]<class F>(F) { ElementLoop<F, 0, Style::plain, T, T>::loop(data, strides, n, numbers); };
  if (strides[2] == 0) {
    const T e = *reinterpret_cast<const T*>(data[2]);
    if (e.im == 0) {
      if (e.re == 0) return power_of([](T) { return T{1, 0}; });
      if (e.re == 1) return power_of([](T z) { return z; });
      if (e.re == 2) return power_of([](T z) { return z * z; });
      if (e.re == 3) return power_of([](T z) { return z * z * z; });
      if (e.re == R(0.5)) return power_of([](T z) { return ours(std::sqrt(standard(z))); });
      if (e.re == R(-0.5)) return power_of([](T z) { return ours(reciprocal(std::sqrt(standard(z)))); });
      if (e.re == -1) return power_of([](T z) { return ours(reciprocal(standard(z))); });
      if (e.re == -2) return power_of([](T z) { return ours(reciprocal(standard(z * z))); });
    }
  }
  if (strides[1] == 0 && *reinterpret_cast<const T*>(data[1]) == T{1, 0}) return power_of([](T) { return T{1, 0}; });
  const auto general = [](T a, T e) { return ours(std::pow(standard(a), standard(e))); };
  ElementLoop<decltype(general), 0, Style::plain, T, T, T>::loop(data, strides, n, numbers);
}

void add_power_loops() {
  Pointwise kernel{"pow", 2, {}, {}};
  kernel.loops[int(DType::c64)] = power_loop<float>;
  kernel.loops[int(DType::c128)] = power_loop<double>;
  Register{kernel};
}

}  // namespace

void register_complex_math() {
  function("exp", [](auto z) { return std::exp(z); });
  function("exp2", []<class T>(std::complex<T> z) { return std::exp(z * T(M_LN2)); });
  function("expm1", [](auto z) { return expm1(z); });
  function("log", [](auto z) { return std::log(z); });
  function("log2", []<class T>(std::complex<T> z) { return std::log(z) / T(M_LN2); });
  function("log10", [](auto z) { return std::log10(z); });
  function("log1p", [](auto z) { return log1p(z); });
  function("sqrt", [](auto z) { return std::sqrt(z); });
  function("rsqrt", [](auto z) { return reciprocal(std::sqrt(z)); });
  function("sin", [](auto z) { return std::sin(z); });
  function("cos", [](auto z) { return std::cos(z); });
  function("tan", [](auto z) { return std::tan(z); });
  function("asin", [](auto z) { return std::asin(z); });
  function("acos", [](auto z) { return std::acos(z); });
  function("atan", [](auto z) { return std::atan(z); });
  function("sinh", [](auto z) { return std::sinh(z); });
  function("cosh", [](auto z) { return std::cosh(z); });
  function("tanh", [](auto z) { return std::tanh(z); });
  function("asinh", [](auto z) { return std::asinh(z); });
  function("acosh", [](auto z) { return std::acosh(z); });
  function("atanh", [](auto z) { return std::atanh(z); });
  function("sigmoid", []<class T>(std::complex<T> z) { return reciprocal(T(1) + std::exp(-z)); });
  function("silu", []<class T>(std::complex<T> z) { return standard(ours(z) / ours(T(1) + std::exp(-z))); });
  function("sinc", []<class T>(std::complex<T> z) {
    const std::complex<T> y = z * T(M_PI);
    return z == T(0) ? std::complex<T>(1) : std::sin(y) / y;
  });
  binary<complex>("logaddexp", []<class T>(Complex<T> a, Complex<T> b) { return ours(log_sum(standard(a), standard(b))); });
  add_power_loops();
  binary<complex>("ldexp",
                  []<class T>(Complex<T> x, Complex<T> e) { return x * ours(std::pow(std::complex<T>(2), standard(e))); });
}

}  // namespace rl::baseline
