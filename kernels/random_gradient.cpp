// How samples move with the parameter of their distribution: for a number x drawn as the quantile of a fixed probability,
// dx/da = -(dF/da) / f, with F the distribution function and f the density at x (implicit reparametrisation, Figurnov et al.
// 2018).
//
// dF/da is the integral of (log t - c) f(t) from 0 to x, or of its negative from x on, where c is the expectation of log t. On
// the side of x that c is not on, the integrand has one sign: no cancellation, in either tail. In t = x e^(+-w) it is smooth,
// and falls off like an exponential or a normal density, unless a parameter is so small that it is flat first and falls later:
// there F has a series that converges fast.
#include <array>

#include "loops.h"

namespace rl::baseline {
double digamma(double x);

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr int node_count = 28;

struct Node {
  double place, weight;
};

// Gauss and Legendre's rule on [0, 1]: the roots of the Legendre polynomial by Newton's steps.
const auto& nodes() {
  static const auto made = [] {
    std::array<Node, node_count> made;
    for (int i = 0; i < node_count; ++i) {
      double root = std::cos(M_PI * (i + 0.75) / (node_count + 0.5)), slope = 1;
      for (int step = 0; step < 8; ++step) {
        double before = 1, value = root;
        for (int k = 2; k <= node_count; ++k) {
          const double next = ((2 * k - 1) * root * value - (k - 1) * before) / k;
          before = value;
          value = next;
        }
        slope = node_count * (before - root * value) / (1 - root * root);
        root -= value / slope;
      }
      made[i] = {(1 - root) / 2, 1 / ((1 - root * root) * slope * slope)};
    }
    return made;
  }();
  return made;
}

// The integral over w > 0 of distance(w) exp(-fall(w)), where fall is convex, 0 at 0, with the slope and curvature given there;
// fall(w, &slope) gives its slope too.
template <class Fall, class Distance>
double integral(double slope, double curvature, Fall&& fall, Distance&& distance) {
  constexpr double end = 38;  // exp(-end) is nothing beside 1
  double w = (std::sqrt(slope * slope + 2 * end * curvature) - slope) / curvature;
  for (int step = 0; step < 5; ++step) {
    const double value = fall(w, slope);
    w -= (value - end) / slope;
    if (std::abs(value - end) < 1) break;
  }
  double sum = 0;
  for (const Node& node : nodes()) {
    const double at = w * node.place;
    sum += node.weight * distance(at) * std::exp(-fall(at, slope));
  }
  return w * sum;
}

// Of a gamma number x with the shape a.
double gamma_gradient(double a, double x) {
  if (x == 0 || !(a > 0 && x > 0)) return x == 0 ? 0 : std::numeric_limits<double>::quiet_NaN();
  if (a < 1 && x < 2) {
    // F is proportional to x^a (1/a + x / (a (a + 1)) + ...), in which Gamma(a) is left out.
    const double log_ratio = std::log(x) - digamma(a + 1);
    double term = 1 / a, sum = term * log_ratio, harmonic = 0;
    for (int k = 1; term > epsilon * 0.01 * std::abs(sum) && k < 200; ++k) {
      term *= x / (a + k);
      harmonic += 1 / (a + k);
      sum += term * (log_ratio - harmonic);
    }
    return -x * sum;
  }
  const double gap = std::log(x) - digamma(a), distance = std::abs(gap), sign = gap < 0 ? -1 : 1;
  return x * integral(
                 sign * (x - a), x,
                 [&](double w, double& slope) {
                   const double growth = std::expm1(sign * w);
                   slope = sign * (x * (1 + growth) - a);
                   return x * growth - sign * a * w;
                 },
                 [&](double w) { return distance + w; });
}

// Of a beta number x with the parameters a and b, by a; over 1 - x: what the other numbers of a Dirichlet vector divide among
// themselves.
double dirichlet_gradient(double x, double a, double total) {
  const double b = total - a, y = 1 - x;
  if (x == 0 || !(a > 0 && b >= 0 && x > 0 && y >= 0)) return x == 0 ? 0 : std::numeric_limits<double>::quiet_NaN();
  const double gap = std::log(x) - (digamma(a) - digamma(total)), sign = gap < 0 ? -1 : 1;
  if (std::min(a, b) < 30 && x <= 0.5 && total * x < a + 2 * std::sqrt(a) + 1) {
    // F is proportional to x^a (1 - x)^b (1/a + x total / (a (a + 1)) + ...).
    const double log_ratio = std::log(x) - digamma(a + 1) + digamma(total);
    double term = 1 / a, sum = term * log_ratio, harmonic = 0;
    for (int k = 1; term * k > epsilon * 0.01 * std::abs(sum) && k < 10000; ++k) {
      term *= x * (total + k - 1) / (a + k);
      harmonic += 1 / (a + k) - 1 / (total + k - 1);
      sum += term * (log_ratio - harmonic);
    }
    return -x * sum;
  }
  if (std::min(a, b) < 30 && y < 0.5 && total * y < b + 2 * std::sqrt(b) + 1) {
    // 1 - F, likewise in y; its terms depend on a through their total alone.
    double term = 1 / b, sum = term * gap, harmonic = 0;
    for (int k = 1; term * k > epsilon * 0.01 * std::abs(sum) && k < 10000; ++k) {
      term *= y * (total + k - 1) / (b + k);
      harmonic += 1 / (total + k - 1);
      sum += term * (gap + harmonic);
    }
    return x * sum;
  }
  const auto rest = [&](double w) { return std::log1p(x * std::expm1(sign * w)); };  // (1 - x) / (1 - t), the logarithm
  return x * integral(
                 sign * (total * x - a), total * x * y,
                 [&](double w, double& slope) {
                   const double growth = std::expm1(sign * w);
                   slope = sign * (total * x * (1 + growth) / (1 + x * growth) - a);
                   return total * std::log1p(x * growth) - sign * a * w;
                 },
                 [&](double w) { return std::abs(gap + sign * w - rest(w)); });
}

}  // namespace

void register_random_gradients() {
  // shapes, samples
  binary<real>("standard_gamma_gradient", []<class T>(T a, T x) { return T(gamma_gradient(double(a), double(x))); });
  // samples, concentrations, their sums
  elementwise<real, 0, Style::plain, Same, Same, Same>("dirichlet_gradient", []<class T>(T x, T a, T total) {
    return T(dirichlet_gradient(double(x), double(a), double(total)));
  });
}

}  // namespace rl::baseline
