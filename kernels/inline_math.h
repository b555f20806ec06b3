// Mathematics of float32 without calls, written for one element: the compiler makes vectors of it. Every operation is explicit,
// so an element has the same bits in a vector and alone.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "isa.h"

namespace rl::RL_ISA {
namespace {

// x * y + z, rounded once where the processor can.
inline __attribute__((always_inline)) float multiply_add(float x, float y, float z) {
#if defined(__FMA__) || defined(__aarch64__)
  return __builtin_fmaf(x, y, z);
#else
  return x * y + z;
#endif
}

// c + x * (the polynomial of the others), by Horner's rule.
inline __attribute__((always_inline)) float polynomial(float, float c) { return c; }
template <class... C>
inline __attribute__((always_inline)) float polynomial(float x, float c, C... others) {
  return multiply_add(x, polynomial(x, others...), c);
}

// 2^fraction for |fraction| <= 1/2, with a relative error of 9e-8.
inline __attribute__((always_inline)) float power_of_fraction(float fraction) {
  return polynomial(fraction, 1.f, 0.693147f, 0.24022242f, 0.055507336f, 0.009671513f, 0.0013264721f);
}

// Added to a small number, this leaves the nearest integer in the last bits.
constexpr float rounder = 12582912.f;

// exp(x), at most 2 ULP off; 0 where that is no normal number.
inline __attribute__((always_inline)) float inline_exp(float x) {
  constexpr float least = -87.336f, most = 89.f;
  const float z = x < least ? least : x > most ? most : x;
  const float shifted = multiply_add(z, float(M_LOG2E), rounder), n = shifted - rounder;
  // ln 2 in two parts, so that the product of the first is exact even without multiply_add.
  const float rest = multiply_add(n, 2.12194440e-4f, multiply_add(n, -0.693359375f, z));
  const float y = polynomial(rest, 1.f, 1.f, 0.49999994f, 0.16666521f, 0.04166839f, 0.008368711f, 0.0013814608f);
  // In two steps: 2^128 is no number, but half of it may be the result.
  const int32_t exponent = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(rounder), half = exponent >> 1;
  const float scale = std::bit_cast<float>((half + 127) << 23), other = std::bit_cast<float>((exponent - half + 127) << 23);
  return x < least ? 0.f : y * scale * other;
}

// exp(-x^2 / 2), and the probability that a normal variable is less than -|x|: their ratio is a polynomial of |x| / (|x| + 3).
// Relative errors are about 1e-7, and grow as those of x^2 do. Both are 0 where the probability is no normal number.
struct NormalTail {
  float exponential, probability;
};
inline __attribute__((always_inline)) NormalTail normal_tail(float x) {
  constexpr float most = 13.1f;
  const bool far = std::abs(x) > most;
  const float a = far ? most : std::abs(x), power = a * a * float(-0.5 * M_LOG2E);
  const float shifted = power + rounder, fraction = power - (shifted - rounder);
  const int32_t exponent = std::bit_cast<int32_t>(shifted) << 23;
  const float scaled = std::bit_cast<float>(std::bit_cast<int32_t>(power_of_fraction(fraction)) + exponent);
  const float exponential = far ? 0.f : scaled;
  const float ratio = polynomial(a / (a + 3), 0.5f, -1.1968265f, 1.0531548f, -0.28696521f, -0.15878253f, 0.062258192f,
                                 0.0091054504f, 0.083938278f, -0.093111437f, 0.027234339f);
  return {exponential, exponential * ratio};
}

}  // namespace
}  // namespace rl::RL_ISA
