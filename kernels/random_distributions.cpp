// Random numbers from distributions whose parameters are tensors: one value for each element, by rejection or bisection.
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "random_fill.h"

namespace rl {
namespace {

double sample_poisson(Generator& g, double rate) {
  if (rate <= 0) return 0;
  if (rate < 10) {
    const double limit = std::exp(-rate);
    double product = 1;
    for (int64_t k = 0;; ++k) {
      product *= g.uniform();
      if (product <= limit) return double(k);
    }
  }
  // Hörmann 1993, transformed rejection ("PTRS").
  const double root = std::sqrt(rate), log_rate = std::log(rate);
  const double b = 0.931 + 2.53 * root, a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    double u = g.uniform() - 0.5, v = g.uniform();
    double us = 0.5 - std::fabs(u);
    double k = std::floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b) <= -rate + k * log_rate - std::lgamma(k + 1))
      return k;
  }
}

// out, rates (of out's shape and dtype). float16, bfloat16, float32, float64.
void poisson(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  visit<group::floating>("poisson_cpu", a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    in_memory_order<1>({&a[1]}, [&](const int64_t* at) {
      if (!(Real<T>(a[1].template as<T>()[at[0]]) >= 0))
        throw std::runtime_error("invalid Poisson rate, expected rate to be non-negative");
    });
    fill_from<T, T>(a[0], a[1], [&](Real<T> rate) { return sample_poisson(g, rate); });
  });
}
const Register poisson_("poisson", poisson);

// Marsaglia & Tsang 2000; below 1 with their boost of the shape. What is computed of alpha alone has alpha's precision.
template <class R>
double sample_gamma(Generator& g, R alpha) {
  if (alpha == 0) return 0;
  double scale = 1;
  if (alpha < 1) {
    scale = std::pow(1 - g.uniform(), double(1 / alpha));
    alpha += 1;
  }
  const double d = alpha - 1.0f / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    double x, y;
    do {
      x = g.normal();
      y = 1 + c * x;
    } while (y <= 0);
    double v = y * y * y, u = 1 - g.uniform(), xx = x * x;
    if (u < 1 - 0.0331 * xx * xx || std::log(u) < 0.5 * xx + d * (1 - v + std::log(v))) return scale * d * v;
  }
}

// out, alpha (of out's shape and dtype). float32, float64. Never less than the smallest normal number.
void standard_gamma(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  visit<group::real>("gamma_cpu", a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    fill_from<T, T>(a[0], a[1], [&](T alpha) { return std::max(std::numeric_limits<T>::min(), T(sample_gamma<T>(g, alpha))); });
  });
}
const Register standard_gamma_("standard_gamma", standard_gamma);

// log(k!) less Stirling's formula.
template <class R>
R stirling_tail(R k) {
  static const R exact[] = {R(0.0810614667953272),  R(0.0413406959554092), R(0.0276779256849983), R(0.02079067210376509),
                            R(0.0166446911898211),  R(0.0138761288230707), R(0.0118967099458917), R(0.0104112652619720),
                            R(0.00925546218271273), R(0.00833056343336287)};
  if (k <= 9) return exact[int(k)];
  R square = (k + 1) * (k + 1);
  return R((1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1));
}

// p in (0, 0.5].
template <class R>
R sample_binomial_below_half(Generator& g, R n, R p) {
  if (n * p < 10) {
    // The distances between successes are geometric.
    const R log_failure = std::log1p(-p);
    R sum = 0;
    for (int64_t successes = 0;; ++successes) {
      sum += std::ceil(std::log(R(g.uniform())) / log_failure);
      if (sum > n) return R(successes);
    }
  }
  // Hörmann 1993, transformed rejection ("BTRS").
  const R deviation = std::sqrt(n * p * (1 - p));
  const R b = R(1.15 + 2.53 * deviation), a = R(-0.0873 + 0.0248 * b + 0.01 * p), c = R(n * p + 0.5);
  const R v_r = R(0.92 - 4.2 / b), odds = p / (1 - p), alpha = R((2.83 + 5.1 / b) * deviation), m = std::floor((n + 1) * p);
  for (;;) {
    R u = R(g.uniform() - 0.5), v = R(g.uniform());
    R us = R(0.5 - std::fabs(u)), k = std::floor((2 * a / us + b) * u + c);
    if (k < 0 || k > n) continue;
    if (us >= R(0.07) && v <= v_r) return k;
    v = std::log(v * alpha / (a / (us * us) + b));
    R bound = R((m + 0.5) * std::log((m + 1) / (odds * (n - m + 1))) + (n + 1) * std::log((n - m + 1) / (n - k + 1)) +
                (k + 0.5) * std::log(odds * (n - k + 1) / (k + 1)) + stirling_tail(m) + stirling_tail(n - m) - stirling_tail(k) -
                stirling_tail(n - k));
    if (v <= bound) return k;
  }
}

// out, counts, probabilities (both of out's shape and dtype). float32, float64.
void binomial(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  visit<group::real>("binomial_cpu", a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    using R = Real<T>;
    in_memory_order<3>({&a[0], &a[1], &a[2]}, [&](const int64_t* at) {
      R n = a[1].template as<T>()[at[1]], p = a[2].template as<T>()[at[2]], value;
      if (n <= 0 || p <= 0)
        value = 0;
      else if (p >= 1)
        value = n;
      else if (std::isnan(p))
        value = p;
      else
        value = p <= R(0.5) ? sample_binomial_below_half<R>(g, n, p) : n - sample_binomial_below_half<R>(g, n, 1 - p);
      a[0].template as<T>()[at[0]] = T(value);
    });
  });
}
const Register binomial_("binomial", binomial);

// out (int64, [rows, samples]), weights ([rows, n], floating): draws with replacement, each by bisection of the row's running
// sum. Without replacement, and for one sample, PyTorch runs a race instead: with q = exponential(rate 1) of weights' shape, the
// caller takes argmax(weights / q) over the last dimension, or topk where several samples are wanted.
void multinomial(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  visit<group::floating>("multinomial", a[1].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    using R = Real<T>;
    const int64_t rows = a[1].shape[0], n = a[1].shape[1], samples = a[0].shape[1];
    auto weight = [&](int64_t row, int64_t j) { return R(a[1].template as<T>()[row * a[1].strides[0] + j * a[1].strides[1]]); };
    for (int64_t row = 0; row < rows; ++row) {
      R sum = 0;
      for (int64_t j = 0; j < n; ++j) {
        R w = weight(row, j);
        if (!(w >= 0)) throw std::runtime_error("invalid multinomial distribution (encountering probability entry < 0)");
        if (!std::isfinite(w))
          throw std::runtime_error("invalid multinomial distribution (encountering probability entry = infinity or NaN)");
        sum += w;
      }
      if (!(sum > 0)) throw std::runtime_error("invalid multinomial distribution (sum of probabilities <= 0)");
    }
    std::vector<R> cumulative(n);
    for (int64_t row = 0; row < rows; ++row) {
      R sum = 0;
      for (int64_t j = 0; j < n; ++j) cumulative[j] = sum += weight(row, j);
      for (R& c : cumulative) c /= sum;
      cumulative[n - 1] = 1;
      for (int64_t i = 0; i < samples; ++i) {
        double u = g.uniform();
        auto found = std::lower_bound(cumulative.begin(), cumulative.end(), u, [](R c, double x) { return double(c) < x; });
        a[0].template as<int64_t>()[row * a[0].strides[0] + i * a[0].strides[1]] = found - cumulative.begin();
      }
    }
  });
}
const Register multinomial_("multinomial", multinomial);

}  // namespace
}  // namespace rl
