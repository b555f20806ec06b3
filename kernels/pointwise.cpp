// Arithmetic, comparisons, logic and bits. How the loops are made: loops.h. Semantics: PyTorch's.
#include "loops.h"

namespace rl::RL_ISA {
namespace {

using group::boolean, group::complex, group::integer, group::real;
// Without the half precisions, which ride on float32.
constexpr unsigned bits = boolean | integer, ordered = bits | real, number = integer | real | complex, all = boolean | number;

template <class T> inline Complex<T> operator+(Complex<T> a, Complex<T> b) { return {a.re + b.re, a.im + b.im}; }
template <class T> inline Complex<T> operator-(Complex<T> a, Complex<T> b) { return {a.re - b.re, a.im - b.im}; }
template <class T> inline Complex<T> operator-(Complex<T> a) { return {-a.re, -a.im}; }
template <class T> inline Complex<T> operator*(Complex<T> a, Complex<T> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
template <class T> inline bool operator==(Complex<T> a, Complex<T> b) { return a.re == b.re && a.im == b.im; }
template <class T> inline bool operator!=(Complex<T> a, Complex<T> b) { return a.re != b.re || a.im != b.im; }

// Smith's algorithm: no overflow where the quotient has none.
template <class T> inline Complex<T> operator/(Complex<T> a, Complex<T> b) {
  const T c = std::abs(b.re), d = std::abs(b.im);
  if (c >= d) {
    if (c == 0 && d == 0) return {a.re / c, a.im / d};
    const T ratio = b.im / b.re, scale = 1 / (b.re + b.im * ratio);
    return {(a.re + a.im * ratio) * scale, (a.im - a.re * ratio) * scale};
  }
  const T ratio = b.re / b.im, scale = 1 / (b.re * ratio + b.im);
  return {(a.re * ratio + a.im) * scale, (a.im * ratio - a.re) * scale};
}

// a / b rounded towards zero; the smallest integer over -1 wraps, where the processor would trap.
template <class T> inline T quotient(T a, T b) {
  if (b == 0) throw std::runtime_error("ZeroDivisionError");
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return T(-a);
  return T(a / b);
}
template <class T> inline T rest(T a, T b) {
  if (b == 0) throw std::runtime_error("ZeroDivisionError");
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return 0;
  return T(a % b);
}

template <class T> inline T floor_divide(T a, T b) {
  if constexpr (is_float<T>) {
    if (b == 0) return a / b;
    const T rest = std::fmod(a, b);
    T q = (a - rest) / b;
    if (rest != 0 && (b < 0) != (rest < 0)) q -= 1;
    if (q == 0) return std::copysign(T(0), a / b);
    T whole = std::floor(q);
    if (q - whole > T(0.5)) whole += 1;
    return whole;
  } else {
    T q = quotient(a, b);
    if constexpr (std::is_signed_v<T>)
      if (T(q * b) != a && (a < 0) != (b < 0)) --q;
    return q;
  }
}

template <class T> inline T remainder(T a, T b) {
  if constexpr (is_float<T>) {
    const T r = std::fmod(a, b);
    return r != 0 && (b < 0) != (r < 0) ? r + b : r;
  } else {
    const T r = rest(a, b);
    return r != 0 && (r < 0) != (b < 0) ? T(r + b) : r;
  }
}

void register_arithmetic() {
  binary<all>("add", []<class T>(T a, T b) {
    if constexpr (is_bool<T>) return bool(a | b); else return a + b;
  });
  binary<number>("sub", [](auto a, auto b) { return a - b; });
  binary<all>("mul", []<class T>(T a, T b) {
    if constexpr (is_bool<T>) return bool(a & b); else return a * b;
  });
  binary<real | complex>("div", [](auto a, auto b) { return a / b; });
  binary<integer | real>("floor_divide", [](auto a, auto b) { return floor_divide(a, b); });
  binary<integer | real>("trunc_divide", []<class T>(T a, T b) {
    if constexpr (is_float<T>) return std::trunc(a / b); else return quotient(a, b);
  });
  binary<integer | real>("remainder", [](auto a, auto b) { return remainder(a, b); });
  binary<integer | real>("fmod", []<class T>(T a, T b) {
    if constexpr (is_float<T>) return std::fmod(a, b); else return rest(a, b);
  });
  unary<number>("neg", [](auto x) { return -x; });
}

void register_comparisons() {
  binary<all>("eq", [](auto a, auto b) { return a == b; });
  binary<all>("ne", [](auto a, auto b) { return a != b; });
  binary<ordered>("lt", [](auto a, auto b) { return a < b; });
  binary<ordered>("le", [](auto a, auto b) { return a <= b; });
  binary<ordered>("gt", [](auto a, auto b) { return a > b; });
  binary<ordered>("ge", [](auto a, auto b) { return a >= b; });
}

}  // namespace

void register_pointwise() {
  register_arithmetic();
  register_comparisons();
}

}  // namespace rl::RL_ISA
