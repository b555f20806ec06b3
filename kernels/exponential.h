// exp for vectors of any width: of float32 by inline_math.h, of float64 by the vector functions that simd.h declares.
#pragma once

#include "inline_math.h"
#include "lanes.h"

namespace rl::RL_ISA {
namespace {

inline float scalar_exp(float x) { return inline_exp(x); }
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
constexpr double least_exponent = -708.39;

inline float exponential(float x) { return inline_exp(x); }
inline double exponential(double x) { return x < least_exponent ? 0 : scalar_exp(x); }
template <class V>
inline __attribute__((always_inline)) V exponential(V x)
  requires(!std::is_floating_point_v<V>)
{
  using S = std::remove_reference_t<decltype(x[0])>;
  if constexpr (std::is_same_v<S, float>) {
    return each_lane(x, [](float lane) { return inline_exp(lane); });
  } else {
    const V least = V{} + least_exponent;
    const auto tiny = x < least;
    const V y = each_lane(tiny ? least : x, [](double lane) { return scalar_exp(lane); });
    return tiny ? V{} : y;
  }
}

}  // namespace
}  // namespace rl::RL_ISA
