// Arithmetic, comparisons, logic and bits. How the loops are made: loops.h. Semantics: PyTorch's.
#include "loops.h"

namespace rl::RL_ISA {
namespace {

// a / b rounded towards zero; the smallest integer over -1 wraps, where the processor would trap.
template <class T>
inline T quotient(T a, T b) {
  if (b == 0) throw std::runtime_error("ZeroDivisionError");
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return T(-a);
  return T(a / b);
}
template <class T>
inline T rest(T a, T b) {
  if (b == 0) throw std::runtime_error("ZeroDivisionError");
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return 0;
  return T(a % b);
}

// std::fmod, which is exact. While the quotient has few enough bits, so is this: quotient * b is a number of twice the width (or
// rounded once, with the subtraction), and a quotient that was rounded up to the next integer shows by the sign of the rest.
template <class T>
inline T float_rest(T a, T b) {
#if defined(__FMA__)
  constexpr double most = sizeof(T) <= 4 ? 0x1p29 : 0x1p52;
#else
  constexpr double most = sizeof(T) <= 4 ? 0x1p29 : 0;
#endif
  const double x = double(a), y = double(b), q = __builtin_trunc(x / y);
  if (std::abs(q) < most) {
    double r = sizeof(T) <= 4 ? x - q * y : __builtin_fma(-q, y, x);
    if ((r != 0) & ((r < 0) != (x < 0))) r += x < 0 ? -std::abs(y) : std::abs(y);
    if (r == r) return std::copysign(T(r), a);
  }
  return std::fmod(a, b);
}

template <class T>
inline T floor_divide(T a, T b) {
  if constexpr (is_float<T>) {
    if (b == 0) return a / b;
    const T rest = float_rest(a, b);
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

template <class T>
inline T remainder(T a, T b) {
  if constexpr (is_float<T>) {
    const T r = float_rest(a, b);
    const T next = r + b;  // (signs cannot be foretold: no branch)
    return (r != 0) & ((b < 0) != (r < 0)) ? next : r;
  } else {
    const T r = rest(a, b);
    return r != 0 && (r < 0) != (b < 0) ? T(r + b) : r;
  }
}

// By squaring; a negative exponent leaves what a truncated reciprocal leaves.
template <class T>
inline T power(T a, T b) {
  if constexpr (std::is_signed_v<T>)
    if (b < 0) return a == 1 ? T(1) : a == -1 ? (b % 2 ? T(-1) : T(1)) : T(0);
  T result = 1;
  for (; b; b = T(b >> 1), a = T(a * a))
    if (b & 1) result = T(result * a);
  return result;
}

template <class T>
inline T magnitude(T x) {
  if constexpr (is_float<T>)
    return std::abs(x);
  else if constexpr (std::is_signed_v<T>)
    return x < 0 ? T(-x) : x;
  else
    return x;
}

template <class T>
inline T gcd(T a, T b) {
  a = magnitude(a);
  b = magnitude(b);
  while (b != 0) {
    const T r = rest(a, b);
    a = b;
    b = magnitude(r);
  }
  return a;
}

template <class T>
inline T sign(T x) {
  if constexpr (is_bool<T>)
    return x;
  else
    return T((x > 0) - (x < 0));
}

template <class T>
inline T larger(T a, T b) {
  return (a >= b) | (a != a) ? a : b;
}
template <class T>
inline T smaller(T a, T b) {
  return (a <= b) | (a != a) ? a : b;
}

template <class T>
inline bool truth(T x) {
  if constexpr (is_complex<T>)
    return (x.re != 0) | (x.im != 0);
  else
    return x != 0;
}

// One exponent for all elements is often a small number with an exact and faster way.
template <class T>
void power_loop(char* const* data, const int64_t* strides, int64_t n, const Number* numbers) {
  const auto power_of = [&]<class F>(F) { ElementLoop<F, 0, Style::plain, T, T>::loop(data, strides, n, numbers); };
  if (strides[2] == 0) {
    const T e = *reinterpret_cast<const T*>(data[2]);
    if (e == 2) return power_of([](T x) { return x * x; });
    if (e == 3) return power_of([](T x) { return x * x * x; });
    if (e == 1) return power_of([](T x) { return x; });
    if (e == T(0.5)) return power_of([](T x) { return std::sqrt(x); });
    if (e == T(-0.5)) return power_of([](T x) { return 1 / std::sqrt(x); });
    if (e == -1) return power_of([](T x) { return 1 / x; });
    if (e == -2) return power_of([](T x) { return 1 / (x * x); });
  }
  const auto general = [](T x, T e) { return simd::pow(x, e); };
  ElementLoop<decltype(general), 0, Style::math, T, T, T>::loop(data, strides, n, numbers);
}

void add_power_loops() {
  Pointwise kernel{"pow", 2, {}, {}};
  kernel.loops[int(DType::f32)] = power_loop<float>;
  kernel.loops[int(DType::f64)] = power_loop<double>;
  Register{kernel};
}

void register_arithmetic() {
  binary<all>("add", []<class T>(T a, T b) {
    if constexpr (is_bool<T>)
      return bool(a | b);
    else if constexpr (is_complex<T>)
      return a + T{1, 0} * b;  // a product as with every alpha: one infinite part makes the other NaN
    else
      return a + b;
  });
  binary<number>("sub", []<class T>(T a, T b) {
    if constexpr (is_complex<T>)
      return a + T{-1, 0} * b;
    else
      return a - b;
  });
  binary<all>("mul", []<class T>(T a, T b) {
    if constexpr (is_bool<T>)
      return bool(a & b);
    else
      return a * b;
  });
  binary<real | complex>("div", [](auto a, auto b) { return a / b; });
  binary_branching<integer | real>("floor_divide", [](auto a, auto b) { return floor_divide(a, b); });
  // The quotient of two halves is a half before it is truncated.
  binary<integer | real | group::half>("trunc_divide", []<class T>(T a, T b) {
    if constexpr (is_half<T>)
      return T(std::trunc(float(T(float(a) / float(b)))));
    else if constexpr (is_float<T>)
      return std::trunc(a / b);
    else
      return quotient(a, b);
  });
  binary_branching<integer | real>("remainder", [](auto a, auto b) { return remainder(a, b); });
  binary_branching<integer | real>("fmod", []<class T>(T a, T b) {
    if constexpr (is_float<T>)
      return float_rest(a, b);
    else
      return rest(a, b);
  });
  binary<integer | group::boolean>("pow", []<class T>(T a, T b) {
    if constexpr (is_bool<T>)
      return bool(a | !b);
    else
      return power(a, b);
  });
  add_power_loops();
  unary<number>("neg", [](auto x) { return -x; });
  unary<real>("sqrt", [](auto x) { return std::sqrt(x); });
  unary<real>("rsqrt", [](auto x) { return 1 / std::sqrt(x); });
  unary<real | complex>("reciprocal", []<class T>(T x) {
    if constexpr (is_complex<T>)
      return T{1, 0} / x;
    else
      return 1 / x;
  });
  binary<integer>("gcd", [](auto a, auto b) { return gcd(a, b); });
  binary<integer>("lcm", []<class T>(T a, T b) {
    const T g = gcd(a, b);
    return g == 0 ? T(0) : T(magnitude(a / g * b));
  });
  binary<real>("copysign", [](auto a, auto b) { return std::copysign(a, b); });
  binary_branching<real>("nextafter", [](auto a, auto b) { return std::nextafter(a, b); });
  // The neighbour of a half is a half: the bits of numbers of one sign count up with their size.
  binary<group::half>("nextafter", []<class T>(T a, T b) {
    const float from(a), to(b);
    if (std::isnan(from) || std::isnan(to)) return T(std::numeric_limits<float>::quiet_NaN());
    if (from == to) return b;
    if (from == 0) return std::bit_cast<T>(uint16_t(to > 0 ? 1 : 0x8001));
    return std::bit_cast<T>(uint16_t(std::bit_cast<uint16_t>(a) + ((from < to) == (from > 0) ? 1 : -1)));
  });
  binary<ordered>("heaviside", []<class T>(T x, T at_zero) {
    if constexpr (is_bool<T>)
      return bool(x | at_zero);
    else
      return x == 0 ? at_zero : T(x > 0);
  });
  elementwise<all, 0, Style::plain, Same, Same, Same>("add_scaled", []<class T>(T a, T b, T scale) {
    if constexpr (is_bool<T>)
      return bool(a | (b & scale));
    else
      return a + scale * b;
  });
  elementwise<number, 0, Style::plain, Same, Same, Same, Same>(
      "addcmul", [](auto x, auto a, auto b, auto value) { return x + value * a * b; });
  elementwise<real | complex, 0, Style::plain, Same, Same, Same, Same>(
      "addcdiv", [](auto x, auto a, auto b, auto value) { return x + value * a / b; });
  // The form that is exact at the nearer end.
  elementwise<real | complex, 0, Style::plain, Same, Same, Same>("lerp", []<class T>(T a, T b, T weight) {
    if constexpr (is_complex<T>)
      return weight.re * weight.re + weight.im * weight.im < Real<T>(0.25) ? a + weight * (b - a)
                                                                           : b - (b - a) * (T{1, 0} - weight);
    else
      return std::abs(weight) < T(0.5) ? a + weight * (b - a) : b - (b - a) * (1 - weight);
  });
}

void register_rounding() {
  unary<integer | real>("floor", []<class T>(T x) {
    if constexpr (is_float<T>)
      return std::floor(x);
    else
      return x;
  });
  unary<integer | real>("ceil", []<class T>(T x) {
    if constexpr (is_float<T>)
      return std::ceil(x);
    else
      return x;
  });
  unary<integer | real>("trunc", []<class T>(T x) {
    if constexpr (is_float<T>)
      return std::trunc(x);
    else
      return x;
  });
  unary<integer | real>("round", []<class T>(T x) {
    if constexpr (is_float<T>)
      return std::rint(x);
    else
      return x;
  });
  unary<real>("frac", [](auto x) { return x - std::trunc(x); });
  // round_decimals: numbers decimals i.
  unary<real, 1>("round_decimals", []<class T>(T x, const Number* p) {
    const bool left = p[0].i < 0;
    const T scale = T(std::pow(10.0, std::abs(double(p[0].i))));
    return left ? std::rint(x / scale) * scale : std::rint(x * scale) / scale;
  });
}

void register_signs() {
  unary<integer | real | complex>("abs", []<class T>(T x) {
    if constexpr (is_complex<T>)
      return std::hypot(x.re, x.im);
    else
      return magnitude(x);
  });
  unary<ordered>("sign", [](auto x) { return sign(x); });
  unary<all>("sgn", []<class T>(T x) {
    if constexpr (is_complex<T>) {
      const Real<T> r = std::hypot(x.re, x.im);
      return r == 0 ? T{0, 0} : T{x.re / r, x.im / r};
    } else {
      return sign(x);
    }
  });
  unary<ordered | group::wide_unsigned>("signbit", []<class T>(T x) {
    if constexpr (is_float<T>)
      return bool(std::signbit(x));
    else if constexpr (std::is_signed_v<T>)
      return x < 0;
    else
      return false;
  });
  unary<real | complex>("angle", []<class T>(T x) {
    if constexpr (is_complex<T>)
      return std::atan2(x.im, x.re);
    else
      return x != x ? x : x < 0 ? T(M_PI) : T(0);
  });
  unary<complex>("real", [](auto z) { return z.re; });
  unary<complex>("imag", [](auto z) { return z.im; });
  unary<all>("conj", [](auto x) { return conj(x); });
  // complex: the two parts; computes in their dtype.
  binary<real>("complex", []<class T>(T re, T im) { return Complex<T>{re, im}; });
}

// f(x) for the parts of x, joined by `or`; false for integers.
template <class F>
void test(const char* name, F) {
  unary<all>(name, []<class T>(T x) {
    if constexpr (is_complex<T>)
      return bool(F{}(x.re) | F{}(x.im));
    else if constexpr (is_float<T>)
      return bool(F{}(x));
    else
      return false;
  });
}

void register_tests() {
  test("isnan", [](auto x) { return x != x; });
  test("isinf", []<class T>(T x) { return std::abs(x) == T(INFINITY); });
  unary<all>("isfinite", []<class T>(T x) {
    if constexpr (is_complex<T>)
      return bool((std::abs(x.re) < Real<T>(INFINITY)) & (std::abs(x.im) < Real<T>(INFINITY)));
    else if constexpr (is_float<T>)
      return std::abs(x) < T(INFINITY);
    else
      return true;
  });
  unary<ordered>("isposinf", []<class T>(T x) {
    if constexpr (is_float<T>)
      return x == T(INFINITY);
    else
      return false;
  });
  unary<ordered>("isneginf", []<class T>(T x) {
    if constexpr (is_float<T>)
      return x == T(-INFINITY);
    else
      return false;
  });
}

void register_choices() {
  // A NaN on either side comes out of maximum and minimum, and only of both sides of fmax and fmin.
  binary<ordered>("maximum", [](auto a, auto b) { return larger(a, b); });
  binary<ordered>("minimum", [](auto a, auto b) { return smaller(a, b); });
  binary<ordered>("fmax", [](auto a, auto b) { return (a >= b) | (b != b) ? a : b; });
  binary<ordered>("fmin", [](auto a, auto b) { return (a <= b) | (b != b) ? a : b; });
  binary<ordered>("clamp_min", [](auto x, auto low) { return larger(x, low); });
  binary<ordered>("clamp_max", [](auto x, auto high) { return smaller(x, high); });
  elementwise<ordered, 0, Style::plain, Same, Same, Same>(
      "clamp", [](auto x, auto low, auto high) { return smaller(larger(x, low), high); });
  constexpr unsigned any = all | group::half;
  elementwise<any, 0, Style::plain, Boolean, Same, Same>("where", []<class T>(bool c, T a, T b) -> T { return c ? a : b; });
  elementwise<any, 0, Style::plain, Same, Boolean, Same>("masked_fill",
                                                         []<class T>(T x, bool mask, T value) -> T { return mask ? value : x; });
  // nan_to_num: numbers nan f, posinf f, neginf f.
  unary<all, 3>("nan_to_num", []<class T>(T x, const Number* p) {
    const auto replace = [p]<class R>(R v) {
      return v != v ? R(p[0].f) : v == R(INFINITY) ? R(p[1].f) : v == R(-INFINITY) ? R(p[2].f) : v;
    };
    if constexpr (is_complex<T>)
      return T{replace(x.re), replace(x.im)};
    else if constexpr (is_float<T>)
      return replace(x);
    else
      return x;
  });
}

void register_bits() {
  binary<all>("logical_and", [](auto a, auto b) { return bool(truth(a) & truth(b)); });
  binary<all>("logical_or", [](auto a, auto b) { return bool(truth(a) | truth(b)); });
  binary<all>("logical_xor", [](auto a, auto b) { return truth(a) != truth(b); });
  unary<all>("logical_not", [](auto x) { return !truth(x); });
  binary<bits>("bitwise_and", []<class T>(T a, T b) { return T(a & b); });
  binary<bits>("bitwise_or", []<class T>(T a, T b) { return T(a | b); });
  binary<bits>("bitwise_xor", []<class T>(T a, T b) { return T(a ^ b); });
  unary<bits>("bitwise_not", []<class T>(T x) {
    if constexpr (is_bool<T>)
      return !x;
    else
      return T(~x);
  });
  // A shift by a negative number, or by all the bits there are, leaves nothing but the sign.
  binary<integer>("bitwise_left_shift", []<class T>(T a, T b) {
    return b < 0 || uint64_t(b) >= 8 * sizeof(T) ? T(0) : T(std::make_unsigned_t<T>(a) << b);
  });
  binary<integer>("bitwise_right_shift", []<class T>(T a, T b) {
    constexpr int most = 8 * sizeof(T) - 1;
    return b < 0 || uint64_t(b) > most ? (a < 0 ? T(-1) : T(0)) : T(a >> b);
  });
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
  register_rounding();
  register_signs();
  register_tests();
  register_choices();
  register_bits();
  register_comparisons();
}

}  // namespace rl::RL_ISA
