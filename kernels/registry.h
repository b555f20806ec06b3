// Where a kernel says its name, and the one dtype switch of the project.
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "array.h"

namespace rl {

// IEEE half and bfloat16 as storage formats; arithmetic happens in float.
using float16 = _Float16;
struct bfloat16 {
  uint16_t bits;
  bfloat16() = default;
  bfloat16(float x) {
    uint32_t u;
    __builtin_memcpy(&u, &x, 4);
    // Round to nearest, ties to even; a NaN stays a (quiet) NaN.
    bits = (u & 0x7fffffffu) > 0x7f800000u ? uint16_t((u >> 16) | 0x40) : uint16_t((u + 0x7fffu + ((u >> 16) & 1)) >> 16);
  }
  operator float() const {
    uint32_t u = uint32_t(bits) << 16;
    float x;
    __builtin_memcpy(&x, &u, 4);
    return x;
  }
};

// Keeps a kernel under its name: `static const Register r("gather", gather);`. A later registration of a pointwise
// kernel's loops for the same name replaces the loops it gives (so an instruction set's file overrides the baseline's).
struct Register {
  Register(const char* name, Kernel kernel);
  Register(const Pointwise& kernel);
};

// The error for a dtype that a kernel has no code for; the core turns it into PyTorch's NotImplementedError.
struct NoKernel : std::runtime_error {
  using std::runtime_error::runtime_error;
};
[[noreturn]] void no_kernel(const char* name, DType dtype);

template <class T>
struct Type {
  using type = T;
};

namespace group {
constexpr unsigned boolean = 1u << 0, integer = 0x3eu, half = 3u << 6, real = 3u << 8, floating = half | real, complex = 3u << 10;
constexpr unsigned number = integer | floating | complex, all = boolean | number, ordered = boolean | integer | floating;
}  // namespace group

// Calls f(Type<T>{}) with the C++ type of `dtype`, if it is in the groups `allowed`; else raises for the kernel `name`.
template <unsigned allowed, class F>
decltype(auto) visit(const char* name, DType dtype, F&& f) {
#define RL_CASE(tag, T)                                     \
  case DType::tag:                                          \
    if constexpr (((allowed >> int(DType::tag)) & 1u) != 0) \
      return f(Type<T>{});                                  \
    else                                                    \
      break;
  switch (dtype) {
    RL_CASE(boolean, bool)
    RL_CASE(u8, uint8_t)
    RL_CASE(i8, int8_t)
    RL_CASE(i16, int16_t)
    RL_CASE(i32, int32_t)
    RL_CASE(i64, int64_t)
    RL_CASE(f16, float16)
    RL_CASE(bf16, bfloat16)
    RL_CASE(f32, float)
    RL_CASE(f64, double)
    RL_CASE(c64, std::complex<float>)
    RL_CASE(c128, std::complex<double>)
  }
#undef RL_CASE
  no_kernel(name, dtype);
}

}  // namespace rl
