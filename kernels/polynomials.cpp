// Orthogonal polynomials, by their recurrences: p(k + 1) from p(k) and p(k - 1). (A negative degree gives 0.)
#include <cmath>
#include <limits>

#include "loops.h"

namespace rl::baseline {
namespace {

// p(n), given p(0) = 1 and p(1); step(k, p, before) is p(k + 1).
template <class T, class Step>
T recurrence(int64_t n, T first, Step&& step) {
  if (n <= 0) return n == 0;
  T before = 1, value = first;
  for (int64_t k = 1; k < n && value == value; ++k) {
    const T next = step(T(k), value, before);
    before = value;
    value = next;
  }
  return value;
}

template <class T>
T chebyshev(int64_t n, T x, T first) {
  return recurrence(n, first, [&](T, T p, T before) { return 2 * x * p - before; });
}

template <class T>
T alternating(int64_t n, T value) {
  return n % 2 ? -value : value;
}

// Chebyshev's polynomials of the four kinds: cos(n t), sin((n + 1) t) / sin t, cos((n + 1/2) t) / cos(t / 2) and
// sin((n + 1/2) t) / sin(t / 2) for x = cos t, which stay exact where n is large.
constexpr int64_t trigonometric = 8;

template <class T>
T chebyshev_t(T x, int64_t n) {
  if (n > 0 && std::abs(x) == 1) return x > 0 ? 1 : alternating<T>(n, 1);
  if (n > 6 && std::abs(x) < 1) return std::cos(T(n) * std::acos(x));
  return chebyshev(n, x, x);
}

template <class T>
T chebyshev_u(T x, int64_t n) {
  if (n > 0 && std::abs(x) == 1) return x > 0 ? T(n + 1) : alternating(n, T(n + 1));
  if (n > trigonometric && std::abs(x) < 1) {
    const T t = std::acos(x);
    return std::sin(T(n + 1) * t) / std::sin(t);
  }
  return chebyshev(n, x, 2 * x);
}

template <class T>
T chebyshev_v(T x, int64_t n) {
  if (n > 0 && std::abs(x) == 1) return x > 0 ? 1 : alternating(n, T(2 * n + 1));
  if (n > trigonometric && std::abs(x) < 1) {
    const T t = std::acos(x);
    return std::cos((T(n) + T(0.5)) * t) / std::cos(t / 2);
  }
  return chebyshev(n, x, 2 * x - 1);
}

template <class T>
T chebyshev_w(T x, int64_t n) {
  if (n > 0 && std::abs(x) == 1) return x > 0 ? T(2 * n + 1) : alternating<T>(n, 1);
  if (n > trigonometric && std::abs(x) < 1) {
    const T t = std::acos(x);
    return std::sin((T(n) + T(0.5)) * t) / std::sin(t / 2);
  }
  return chebyshev(n, x, 2 * x + 1);
}

// Beyond this degree Hermite's polynomials overflow.
template <class T>
constexpr int64_t hermite_limit = sizeof(T) == 4 ? 128 : 512;

template <class T>
T hermite_h(T x, int64_t n) {
  if (n > hermite_limit<T>) return std::numeric_limits<T>::quiet_NaN();
  return recurrence(n, 2 * x, [&](T k, T p, T before) { return 2 * x * p - 2 * k * before; });
}

template <class T>
T hermite_he(T x, int64_t n) {
  if (n > hermite_limit<T>) return std::numeric_limits<T>::quiet_NaN();
  return recurrence(n, x, [&](T k, T p, T before) { return x * p - k * before; });
}

template <class T>
T laguerre_l(T x, int64_t n) {
  if (n > 0 && x == 0) return 1;
  return recurrence(n, 1 - x, [&](T k, T p, T before) { return ((2 * k + 1 - x) * p - k * before) / (k + 1); });
}

template <class T>
T legendre_p(T x, int64_t n) {
  if (n > 0 && std::abs(x) == 1) return x > 0 ? 1 : alternating<T>(n, 1);
  return recurrence(n, x, [&](T k, T p, T before) { return ((2 * k + 1) * x * p - k * before) / (k + 1); });
}

// The degree comes as a number of x's kind, of which the whole part counts.
template <class F>
void polynomial(const char* name, F) {
  binary<real>(name, []<class T>(T x, T n) { return F{}(x, n == n ? int64_t(n) : int64_t(0)); });
}

}  // namespace

void register_polynomials() {
  polynomial("chebyshev_polynomial_t", [](auto x, int64_t n) { return chebyshev_t(x, n); });
  polynomial("chebyshev_polynomial_u", [](auto x, int64_t n) { return chebyshev_u(x, n); });
  polynomial("chebyshev_polynomial_v", [](auto x, int64_t n) { return chebyshev_v(x, n); });
  polynomial("chebyshev_polynomial_w", [](auto x, int64_t n) { return chebyshev_w(x, n); });
  // On [0, 1] in place of [-1, 1].
  polynomial("shifted_chebyshev_polynomial_t", [](auto x, int64_t n) { return chebyshev_t(2 * x - 1, n); });
  polynomial("shifted_chebyshev_polynomial_u", [](auto x, int64_t n) { return chebyshev_u(2 * x - 1, n); });
  polynomial("shifted_chebyshev_polynomial_v", [](auto x, int64_t n) { return chebyshev_v(2 * x - 1, n); });
  polynomial("shifted_chebyshev_polynomial_w", [](auto x, int64_t n) { return chebyshev_w(2 * x - 1, n); });
  polynomial("hermite_polynomial_h", [](auto x, int64_t n) { return hermite_h(x, n); });
  polynomial("hermite_polynomial_he", [](auto x, int64_t n) { return hermite_he(x, n); });
  polynomial("laguerre_polynomial_l", [](auto x, int64_t n) { return laguerre_l(x, n); });
  polynomial("legendre_polynomial_p", [](auto x, int64_t n) { return legendre_p(x, n); });
}

}  // namespace rl::baseline
