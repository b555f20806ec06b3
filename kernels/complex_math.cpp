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

template <class T>
std::complex<T> reciprocal(std::complex<T> z) {
  return T(1) / z;
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

template <class T>
std::complex<T> power(std::complex<T> a, std::complex<T> b) {
  if (b == T(0)) return 1;
  if (b == T(1)) return a;
  if (b == T(2)) return {a.real() * a.real() - a.imag() * a.imag(), 2 * a.real() * a.imag()};
  return std::pow(a, b);
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
  function("silu", []<class T>(std::complex<T> z) { return z / (T(1) + std::exp(-z)); });
  function("sinc", []<class T>(std::complex<T> z) {
    const std::complex<T> y = z * T(M_PI);
    return z == T(0) ? std::complex<T>(1) : std::sin(y) / y;
  });
  binary<complex>("logaddexp", []<class T>(Complex<T> a, Complex<T> b) { return ours(log_sum(standard(a), standard(b))); });
  binary<complex>("pow", [](auto a, auto b) { return ours(power(standard(a), standard(b))); });
  binary<complex>("ldexp",
                  []<class T>(Complex<T> x, Complex<T> e) { return x * ours(std::pow(std::complex<T>(2), standard(e))); });
}

}  // namespace rl::baseline
