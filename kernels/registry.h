// Where a kernel says its name, and the one dtype switch of the project.
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "array.h"

namespace rl {

// Keeps a kernel under its name: `static const Register r("gather", gather);`. A later registration of a pointwise
// kernel's loops for the same name replaces the loops it gives (so an instruction set's file overrides the baseline's).
struct Register {
  Register(const char* name, Kernel kernel);
  Register(const Pointwise& kernel);
};

// The names that they were given.
std::string name_of(Kernel kernel);
std::string name_of(Loop loop);

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
constexpr unsigned wide_unsigned = 7u << int(DType::u16);
constexpr unsigned number = integer | floating | complex, all = boolean | number, ordered = boolean | integer | floating;
}  // namespace group

// Calls f(Type<T>{}) with the C++ type of `dtype`, if it is in the groups `allowed`; else raises for the kernel `name`.
template <unsigned allowed, class F>
decltype(auto) visit(const char* name, DType dtype, F&& f) {
#define RL_CASE(tag, T, ...)                                \
  case DType::tag:                                          \
    if constexpr (((allowed >> int(DType::tag)) & 1u) != 0) \
      return f(Type<T>{});                                  \
    else                                                    \
      break;
  switch (dtype) { RL_DTYPES(RL_CASE) }
#undef RL_CASE
  no_kernel(name, dtype);
}

}  // namespace rl
