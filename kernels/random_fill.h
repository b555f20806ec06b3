// How kernels fill an output with random numbers: the order of its elements, and numbers in [0, 1) by the block. In every kernel
// that does, numbers[0].i is the address of a Generator and arrays[0] the output; what follows in `numbers` stands above each
// kernel. Elements are drawn one after another on one thread; only arithmetic is shared out.
#pragma once

#include <type_traits>
#include <utility>

#include "random.h"
#include "registry.h"

namespace rl {

inline Generator& generator_of(const Number* numbers) { return *reinterpret_cast<Generator*>(numbers[0].i); }

inline bool contiguous(const Array& a) {
  int64_t expected = 1;
  for (int d = a.ndim - 1; d >= 0; --d) {
    if (a.shape[d] != 1 && a.strides[d] != expected) return a.numel() == 0;
    expected *= a.shape[d];
  }
  return true;
}

// Calls f(element offset in each array) for all elements of arrays of one shape, in PyTorch's order: dimensions are
// nested by stride, the smallest innermost, the first array that can tell them apart deciding; equal strides by size.
// So a transposed output is filled in the order of its memory.
template <int count, class F>
void in_memory_order(const Array* const (&arrays)[count], F&& f) {
  const Array& first = *arrays[0];
  const int ndim = first.ndim;
  int order[max_dims];  // innermost first
  for (int d = 0; d < ndim; ++d) order[d] = ndim - 1 - d;
  auto compare = [&](int inner, int outer) {
    for (const Array* a : arrays) {
      int64_t s = a->shape[inner] == 1 && first.shape[inner] != 1 ? 0 : a->strides[inner];
      int64_t t = a->shape[outer] == 1 && first.shape[outer] != 1 ? 0 : a->strides[outer];
      if (s == 0 || t == 0) continue;
      if (s != t) return s < t ? -1 : 1;
      if (first.shape[inner] > first.shape[outer]) return 1;
    }
    return 0;
  };
  for (int i = 1; i < ndim; ++i) {
    int moving = i;
    for (int j = i - 1; j >= 0; --j) {
      int sign = compare(order[j], order[moving]);
      if (sign < 0) break;
      if (sign > 0) {
        std::swap(order[j], order[moving]);
        moving = j;
      }
    }
  }
  if (first.numel() == 0) return;
  int64_t index[max_dims] = {}, offsets[count] = {};
  for (;;) {
    f(offsets);
    int i = 0;
    for (; i < ndim; ++i) {
      int d = order[i];
      for (int k = 0; k < count; ++k) offsets[k] += arrays[k]->strides[d];
      if (++index[d] < first.shape[d]) break;
      for (int k = 0; k < count; ++k) offsets[k] -= arrays[k]->strides[d] * first.shape[d];
      index[d] = 0;
    }
    if (i == ndim) return;
  }
}

// The type that `T` is computed in.
template <class T>
using Real = std::conditional_t<std::is_same_v<T, double>, double, float>;

template <class T, class V>
T rounded(V value) {
  if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>)
    return T(float(value));
  else
    return T(value);
}

// out[...] = draw() for every element.
template <class T, class F>
void fill(const Array& out, F&& draw) {
  T* data = out.as<T>();
  if (contiguous(out)) {
    for (int64_t i = 0, n = out.numel(); i < n; ++i) data[i] = rounded<T>(draw());
  } else {
    in_memory_order<1>({&out}, [&](const int64_t* at) { data[at[0]] = rounded<T>(draw()); });
  }
}

// out[...] = draw(in[...]), `in` of out's shape (strides may be 0).
template <class T, class U, class F>
void fill_from(const Array& out, const Array& in, F&& draw) {
  T* data = out.as<T>();
  const U* from = in.as<U>();
  in_memory_order<2>({&out, &in}, [&](const int64_t* at) { data[at[0]] = rounded<T>(draw(from[at[1]])); });
}

// `count` numbers in [0, 1).
void uniform_block(Generator& g, float* out, int64_t count);
void uniform_block(Generator& g, double* out, int64_t count);

}  // namespace rl
