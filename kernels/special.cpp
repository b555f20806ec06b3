// Special functions, one element at a time, in double precision. Compiled once, for every processor.
#include <complex>
#include <cstdlib>
#include <limits>

#include "loops.h"

namespace rl::baseline {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
constexpr double epsilon = std::numeric_limits<double>::epsilon();
const double sqrt_pi = std::sqrt(M_PI);

double log_gamma(double x) {
  int sign;
  return ::lgamma_r(x, &sign);
}

// B(2k) / (2k)! for Euler-Maclaurin's formula, k = 1, 2, ...
constexpr double bernoulli[] = {1.0 / 12,
                                -1.0 / 720,
                                1.0 / 30240,
                                -1.0 / 1209600,
                                1.0 / 47900160,
                                -691.0 / 1307674368000,
                                1.0 / 74724249600,
                                -3617.0 / 10670622842880000,
                                43867.0 / 5109094217170944000};

}  // namespace

double digamma(double x) {
  if (x == 0) return std::copysign(inf, -x);
  double result = 0;
  if (x < 0) {
    // Reflection, with the argument of tan reduced first.
    const double fraction = x - std::trunc(x);
    if (fraction == 0 || std::isinf(x)) return nan;
    result = -M_PI / std::tan(M_PI * fraction);
    x = 1 - x;
  }
  for (; x < 10; ++x) result -= 1 / x;
  if (x == inf) return inf;
  const double y = 1 / (x * x);
  // The asymptotic series of B(2k) / (2k x^2k).
  const double series =
      y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y * (1.0 / 132 - y * (691.0 / 32760 - y / 12))))));
  return result + std::log(x) - 0.5 / x - series;
}

namespace {

// Hurwitz's zeta function, by Euler and Maclaurin.
double zeta(double x, double q) {
  if (x == 1) return inf;
  if (x < 1) return nan;
  if (q <= 0) {
    if (q == std::floor(q)) return inf;
    if (x != std::floor(x)) return nan;
  }
  if (x != x || q != q || q == inf) return nan;
  double sum = 0;
  for (int k = 0; k < 9 || q <= 9; ++k, ++q) {
    const double term = std::pow(q, -x);
    sum += term;
    if (std::abs(term) < std::abs(sum) * epsilon * 0.1 && q > 0) return sum;
  }
  double power = std::pow(q, -x);
  sum += std::pow(q, 1 - x) / (x - 1) + power / 2;
  double factor = x;
  power /= q;
  for (int k = 0; k < int(std::size(bernoulli)); ++k) {
    const double term = bernoulli[k] * factor * power;
    sum += term;
    if (std::abs(term) < std::abs(sum) * epsilon * 0.1) break;
    factor *= (x + 2 * k + 1) * (x + 2 * k + 2);
    power /= q * q;
  }
  return sum;
}

template <class T>
double polygamma(int64_t n, T x) {
  if (n == 0) return digamma(x);
  if (n == 1 && x == inf) return 0;
  if (n == 1 && x < T(0.5)) {
    // Reflection: the series of zeta is slow far to the left. (The sine is that of T: at the poles it tells how well T knows pi.)
    const T pi = T(M_PI), s = std::sin(pi * x);
    return T(pi * pi / (s * s)) - polygamma<T>(1, 1 - x);
  }
  return (n % 2 ? 1.0 : -1.0) * std::exp(log_gamma(n + 1.0)) * zeta(n + 1.0, x);
}

// exp(-|x|) I_order(x) for order 0 or 1: the power series, whose terms are all positive, then the asymptotic one.
double bessel_i_scaled(int order, double x) {
  const double a = std::abs(x);
  if (a == inf) return order && x < 0 ? -0.0 : 0.0;
  double result;
  if (a <= 30) {
    const double quarter = a * a / 4;
    double term = order ? a / 2 : 1, sum = term;
    for (int k = 1; term > sum * epsilon * 0.1; ++k) sum += term *= quarter / (double(k) * (k + order));
    result = sum * std::exp(-a);
  } else {
    double term = 1, sum = 1;
    for (int k = 1; std::abs(term) > epsilon * 0.1 && k < 60; ++k) {
      const double odd = 2 * k - 1;
      sum += term *= (odd * odd - 4 * order) / (8 * k * a);
    }
    result = sum / std::sqrt(2 * M_PI * a);
  }
  return order && x < 0 ? -result : result;
}

double bessel_i(int order, double x) {
  const double a = std::abs(x), scaled = bessel_i_scaled(order, x);
  if (a == inf) return order ? x : inf;
  // In two steps, so that exp does not overflow before the product does.
  return std::exp(a / 2) * scaled * std::exp(a / 2);
}

// exp(x) K_order(x) for x > 0: the integral of exp(-x (cosh t - 1)) cosh(order t) over t > 0. The trapezoidal rule is exact to
// rounding with steps that are some tenth of the width of that bell.
double bessel_k_scaled(double order, double x) {
  if (!(x >= 0)) return nan;
  if (x == 0) return inf;
  if (x == inf) return 0;
  const double step = std::min(0.21, 0.6 / std::sqrt(x));
  double sum = 0.5;
  for (int k = 1;; ++k) {
    const double t = k * step, half = std::sinh(t / 2), fall = 2 * x * half * half;
    if (fall > 40 + order * t) break;
    sum += std::exp(-fall) * std::cosh(order * t);
  }
  return sum * step;
}

double bessel_k(double order, double x) { return std::exp(-x) * bessel_k_scaled(order, x); }

// Airy's function Ai(x), by its power series around 0.
double airy_series(double x) {
  const double cube = x * x * x;
  double even = 1, odd = x, sum_even = 1, sum_odd = x;
  for (int k = 1; k < 60; ++k) {
    even *= cube / (3 * k * (3 * k - 1));
    odd *= cube / (3 * k * (3 * k + 1));
    sum_even += even;
    sum_odd += odd;
  }
  return 0.355028053887817239260 * sum_even - 0.258819403792806798405 * sum_odd;
}

// Ai(-z) for z > 4: the integral of exp(i (t^3 / 3 - z t)) / pi over a path from near -i sqrt(z) through the saddle point
// t = sqrt(z), where it turns by 45 degrees, so that the integrand is a bell there. With t = sqrt(z) + u the exponent is
// -2/3 z^(3/2) + sqrt(z) u^2 + u^3 / 3.
double airy_left(double z) {
  const double root = std::sqrt(z), step = 0.2 / std::sqrt(root);
  std::complex<double> sum = 0;
  const std::complex<double> i(0, 1);
  for (int k = 0;; ++k) {
    const double s = k * step, square = s * s, rise = root * (square - z) / (square + z);
    const std::complex<double> u(s - root, rise), slope(1, 4 * root * z * s / ((square + z) * (square + z)));
    const std::complex<double> exponent = i * u * u * (root + u / 3.0);
    if (s > root && exponent.real() < -40) break;
    if (exponent.real() > -45) sum += std::exp(exponent) * slope * (k ? 1.0 : 0.5);
  }
  return (std::exp(-2.0 / 3 * i * z * root) * sum).real() * step / M_PI;
}

// Ai(-z) for large z: the terms of its asymptotic series (DLMF 9.7.9) are below rounding after a dozen.
double airy_far_left(double z) {
  const double root = std::sqrt(z), zeta = 2.0 * z * root / 3.0, phase = zeta + 0.25 * M_PI;
  double term = 1, sums[2] = {1, 0};
  for (int k = 1; k < 16; ++k) {
    term *= (6 * k - 5.0) * (6 * k - 3.0) * (6 * k - 1.0) / (216.0 * k * (2 * k - 1)) / zeta;
    sums[k % 2] += k / 2 % 2 ? -term : term;
  }
  return (std::sin(phase) * sums[0] - std::cos(phase) * sums[1]) / (std::sqrt(M_PI) * std::sqrt(root));
}

double airy_ai(double x) {
  if (std::isinf(x)) return nan;
  if (x > 103.892) return 0;
  if (x > 1) {
    const double zeta = 2.0 / 3 * x * std::sqrt(x);
    return std::sqrt(x / 3) / M_PI * bessel_k(1.0 / 3, zeta);
  }
  return x > -4 ? airy_series(x) : x > -25 ? airy_left(-x) : airy_far_left(-x);
}

// exp(x^2) erfc(x)
double erfcx(double x) {
  if (x != x) return x;
  if (x < 10) {
    if (x < -26.7) return inf;
    // x^2 in two parts, since the error of a square that large would be seen in exp.
    const double high = double(float(x)), rest = (x - high) * (x + high);
    return std::exp(high * high) * std::exp(rest) * std::erfc(x);
  }
  double fraction = x;
  for (int k = 40; k > 0; --k) fraction = x + k / 2.0 / fraction;
  return M_2_SQRTPI / 2 / fraction;
}

double log_ndtr(double x) {
  const double t = x * M_SQRT1_2;
  return x < -1 ? std::log(erfcx(-t) / 2) - t * t : std::log1p(-std::erfc(t) / 2);
}

// The normal quantile: a rough start, then Halley's steps on the tail's logarithm or on the value itself.
double ndtri(double p) {
  if (p == 0) return -inf;
  if (p == 1) return inf;
  if (!(p > 0 && p < 1)) return nan;
  if (p == 0.5) return 0;
  if (p > 0.5) return -ndtri(1 - p);
  const double t = std::sqrt(-2 * std::log(p));
  // Abramowitz and Stegun 26.2.23, good to 4.5e-4.
  double x = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
  for (int step = 0; step < 3; ++step) {
    // (Phi(x) - p) / phi(x), with Phi's decay taken out.
    const double ratio = std::sqrt(M_PI / 2) * erfcx(-x * M_SQRT1_2);
    const double u = ratio - std::sqrt(2 * M_PI) * std::exp(x * x / 2 + std::log(p));
    x -= u / (1 + x * u / 2);
  }
  return x;
}

double erfinv(double y) {
  if (y == 0) return y;
  if (std::abs(y) == 1) return y * inf;
  if (!(std::abs(y) < 1)) return nan;
  const double a = std::abs(y);
  double x;
  if (a > 0.5) {
    x = -ndtri((1 - a) / 2) * M_SQRT1_2;
  } else {
    // Newton's steps with the second-order term, from the first terms of the series.
    const double z = a * sqrt_pi / 2, z2 = z * z;
    x = z * (1 + z2 * (1.0 / 3 + z2 * (7.0 / 30 + z2 * (127.0 / 630))));
    for (int step = 0; step < 3; ++step) {
      const double u = (std::erf(x) - a) * std::exp(x * x) * sqrt_pi / 2;
      x -= u / (1 + x * u);
    }
  }
  return std::copysign(x, y);
}

// x^a e^-x / Gamma(a), where the logarithms of large numbers would cancel.
double gamma_density(double a, double x) {
  if (a < 30) return std::exp(a * std::log(x) - x - log_gamma(a));
  const double d = (x - a) / a;
  const double log_term = std::abs(d) < 0.5 ? std::log1p(d) - d : std::log(x / a) - d;
  const double inverse = 1 / a;
  const double stirling = inverse / 12 - inverse * inverse * inverse / 360 + std::pow(inverse, 5) / 1260;
  return std::exp(a * log_term - stirling) * std::sqrt(a / (2 * M_PI));
}

// The regularised incomplete gamma functions: the lower one's series left of a + 1, the upper one's continued fraction
// (Lentz's algorithm) right of it.
double lower_gamma_series(double a, double x) {
  double term = 1 / a, sum = term;
  for (double k = a + 1; term > sum * epsilon && k < a + 100000; ++k) sum += term *= x / k;
  return sum * gamma_density(a, x);
}

double upper_gamma_fraction(double a, double x) {
  constexpr double tiny = 1e-300;
  double b = x + 1 - a, c = 1 / tiny, d = 1 / b, product = d;
  for (int k = 1; k < 100000; ++k) {
    const double term = -k * (k - a);
    b += 2;
    d = term * d + b;
    c = b + term / c;
    d = 1 / (std::abs(d) < tiny ? tiny : d);
    c = std::abs(c) < tiny ? tiny : c;
    product *= d * c;
    if (std::abs(d * c - 1) < epsilon) break;
  }
  return product * gamma_density(a, x);
}

// The upper one for small x, without the cancellation of 1 - lower.
double upper_gamma_near_zero(double a, double x) {
  double term = 1, sum = 0;
  for (int k = 1; k < 100; ++k) {
    term *= -x / k;
    sum += term / (a + k);
    if (std::abs(term) < epsilon * std::abs(sum)) break;
  }
  const double logarithm = a * std::log(x) - log_gamma(1 + a);
  return -std::expm1(logarithm) - std::exp(logarithm) * a * sum;
}

// c[0] + c[1] x + c[2] x^2 + ...
template <size_t n>
double polynomial(const double (&c)[n], double x) {
  double sum = 0;
  for (size_t k = n; k-- > 0;) sum = sum * x + c[k];
  return sum;
}

// mu - log(1 + mu), where its terms would cancel.
double log1p_rest(double mu) {
  if (std::abs(mu) > 0.2) return mu - std::log1p(mu);
  double sum = 0, power = mu * mu;
  for (int k = 2; std::abs(power) > epsilon * 0.01 * std::abs(sum) && k < 40; ++k, power *= -mu) sum += power / k;
  return sum;
}

// Both for large a, by Temme's uniform asymptotic expansion (DLMF 8.12): the number of terms does not grow with a.
double incomplete_gamma_uniform(double a, double x, bool upper) {
  static constexpr double c0[] = {-1.0 / 3,    1.0 / 12,           -2.0 / 135,           1.0 / 864, 1.0 / 2835, -139.0 / 777600,
                                  1.0 / 25515, -571.0 / 261273600, -1.85406221071516e-06};
  static constexpr double c1[] = {-1.0 / 540, -1.0 / 288,     1.0 / 378,          -77.0 / 77760,
                                  1.0 / 4860, -1.0 / 2488320, -2743.0 / 151559100};
  static constexpr double c2[] = {25.0 / 6048, -139.0 / 51840, 1.0 / 1296};
  const double mu = (x - a) / a, half_square = log1p_rest(mu);
  const double eta = std::copysign(std::sqrt(2 * half_square), mu), z = eta * std::sqrt(a / 2);
  const double series = polynomial(c0, eta) + (polynomial(c1, eta) + polynomial(c2, eta) / a) / a;
  const double rest = half_square == inf ? 0 : std::exp(-a * half_square) / std::sqrt(2 * M_PI) / std::sqrt(a) * series;
  return upper ? std::erfc(z) / 2 + rest : std::erfc(-z) / 2 - rest;
}

double incomplete_gamma(double a, double x, bool upper) {
  if (!(a >= 0 && x >= 0)) return nan;
  if (a == 0) return x > 0 ? double(!upper) : nan;
  if (x == 0) return upper;
  if (a == inf) return x == inf ? nan : double(upper);
  if (x == inf) return !upper;
  if (upper && x < 1 && a < 1) return upper_gamma_near_zero(a, x);
  if (a >= 1e5) return incomplete_gamma_uniform(a, x, upper);
  if (x < a + 1) {
    const double lower = lower_gamma_series(a, x);
    return upper ? 1 - lower : lower;
  }
  const double tail = upper_gamma_fraction(a, x);
  return upper ? tail : 1 - tail;
}

template <class F>
void function(const char* name, F) {
  unary<real>(name, []<class T>(T x) { return T(F{}(double(x))); });
}

template <class F>
void function_of_two(const char* name, F) {
  binary<real>(name, []<class T>(T a, T b) { return T(F{}(double(a), double(b))); });
}

// At infinities these are no numbers, as PyTorch computes them, though their limits are known.
double of_finite(double x, double value) { return std::isinf(x) ? nan : value; }

}  // namespace

void register_special() {
  function("lgamma", [](double x) { return log_gamma(x); });
  function("digamma", [](double x) { return digamma(x); });
  function("erfinv", [](double x) { return erfinv(x); });
  function("erfcx", [](double x) { return erfcx(x); });
  function("ndtri", [](double x) { return ndtri(x); });
  function("log_ndtr", [](double x) { return log_ndtr(x); });
  function("bessel_j0", [](double x) { return of_finite(x, ::j0(x)); });
  function("bessel_j1", [](double x) { return of_finite(x, ::j1(x)); });
  function("bessel_y0", [](double x) { return of_finite(x, x < 0 ? nan : ::y0(x)); });
  function("bessel_y1", [](double x) { return of_finite(x, x < 0 ? nan : ::y1(x)); });
  function("spherical_bessel_j0", [](double x) {
    return std::isinf(x) ? 0 : std::abs(x) < 1e-4 ? 1 - x * x / 6 : std::sin(x) / x;
  });
  // x = mantissa * 2^exponent with the mantissa in [0.5, 1); the exponent as a float.
  function("frexp_mantissa", [](double x) {
    int exponent;
    return std::frexp(x, &exponent);
  });
  function("frexp_exponent", [](double x) {
    int exponent = 0;
    if (std::isfinite(x)) (void)std::frexp(x, &exponent);
    return double(exponent);
  });
  function("airy_ai", [](double x) { return x == x ? airy_ai(x) : nan; });
  function("modified_bessel_k0", [](double x) { return bessel_k(0, x); });
  function("modified_bessel_k1", [](double x) { return bessel_k(1, x); });
  function("scaled_modified_bessel_k0", [](double x) { return bessel_k_scaled(0, x); });
  function("scaled_modified_bessel_k1", [](double x) { return bessel_k_scaled(1, x); });
  function("i0", [](double x) { return of_finite(x, bessel_i(0, x)); });
  function("i0e", [](double x) { return bessel_i_scaled(0, x); });
  function("i1", [](double x) { return of_finite(x, bessel_i(1, x)); });
  function("i1e", [](double x) { return bessel_i_scaled(1, x); });
  function_of_two("zeta", [](double x, double q) { return zeta(x, q); });
  function_of_two("igamma", [](double a, double x) { return incomplete_gamma(a, x, false); });
  function_of_two("igammac", [](double a, double x) { return incomplete_gamma(a, x, true); });
  // polygamma: numbers n i.
  unary<real, 1>("polygamma", []<class T>(T x, const Number* p) { return T(polygamma<T>(p[0].i, x)); });
}

}  // namespace rl::baseline
