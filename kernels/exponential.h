// exp for vectors of any width, by the vector functions that simd.h declares.
#pragma once

#include "lanes.h"

namespace rl::RL_ISA {
namespace {

inline float scalar_exp(float x) { return ::expf(x); }
inline double scalar_exp(double x) { return ::exp(x); }
inline float scalar_log(float x) { return ::logf(x); }
inline double scalar_log(double x) { return ::log(x); }
inline float scalar_pow(float x, float y) { return ::powf(x, y); }
inline double scalar_pow(double x, double y) { return ::pow(x, y); }

template <class V, class F>
inline __attribute__((always_inline)) V each_lane(V x, F f) {
  using S = std::remove_reference_t<decltype(x[0])>;
  S lanes[lanes_of<S>];
  store(lanes, x);
  for (S& lane : lanes) lane = f(lane);
  return load<S>(lanes);
}

// Below this exp has no normal number, and the vector function falls back to a slow path: exponential gives 0 there.
template <class S>
constexpr S least_exponent = sizeof(S) == 4 ? S(-87.336f) : S(-708.39);

template <class S>
inline S exponential(S x)
  requires std::is_floating_point_v<S>
{
  return x < least_exponent<S> ? S(0) : scalar_exp(x);
}
template <class V>
inline __attribute__((always_inline)) V exponential(V x)
  requires(!std::is_floating_point_v<V>)
{
  using S = std::remove_reference_t<decltype(x[0])>;
  const V least = V{} + least_exponent<S>;
  const auto tiny = x < least;
  const V y = each_lane(tiny ? least : x, [](S lane) { return scalar_exp(lane); });
  return tiny ? V{} : y;
}

}  // namespace
}  // namespace rl::RL_ISA
