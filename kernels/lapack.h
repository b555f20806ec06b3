// What the kernels that call LAPACK share. LAPACK reads and writes columns, so each matrix goes through a buffer of that order,
// whatever its strides; batches are shared out over the threads.
#pragma once

#define LAPACK_COMPLEX_CUSTOM
#define LAPACK_ILP64
#include <complex>
#define lapack_complex_float std::complex<float>
#define lapack_complex_double std::complex<double>
#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "registry.h"
#include "threads.h"

// The function of LAPACK for the type T, called on columns: RL_LAPACK(getrf, m, n, …). Where the complex one has another name or
// other arguments, there are two.
#define RL_LAPACK_REAL(name, ...)                                                   \
  if constexpr (std::is_same_v<T, float>)                                           \
    return int64_t(scipy_LAPACKE_s##name##_work64_(LAPACK_COL_MAJOR, __VA_ARGS__)); \
  else if constexpr (std::is_same_v<T, double>)                                     \
  return int64_t(scipy_LAPACKE_d##name##_work64_(LAPACK_COL_MAJOR, __VA_ARGS__))
#define RL_LAPACK_COMPLEX(name, ...)                                                \
  if constexpr (std::is_same_v<T, std::complex<float>>)                             \
    return int64_t(scipy_LAPACKE_c##name##_work64_(LAPACK_COL_MAJOR, __VA_ARGS__)); \
  else if constexpr (std::is_same_v<T, std::complex<double>>)                       \
  return int64_t(scipy_LAPACKE_z##name##_work64_(LAPACK_COL_MAJOR, __VA_ARGS__))
#define RL_LAPACK(name, ...)              \
  [&]() -> int64_t {                      \
    RL_LAPACK_REAL(name, __VA_ARGS__);    \
    RL_LAPACK_COMPLEX(name, __VA_ARGS__); \
  }()

namespace rl {

template <class T>
struct Real {
  using type = T;
};
template <class R>
struct Real<std::complex<R>> {
  using type = R;
};
template <class T>
constexpr bool is_complex_type = !std::is_same_v<T, typename Real<T>::type>;

inline void use_one_blas_thread() {
  static const bool done = (scipy_openblas_set_num_threads64_(1), true);
  (void)done;
}

inline int64_t at_least_one(int64_t n) { return std::max<int64_t>(1, n); }

// A stack of matrices: the last two dimensions of an array, for each index of those before (with `kept` 1 or 0, of vectors or
// numbers).
template <class T>
struct Stack {
  const Array& array;

  explicit Stack(const Array& array) : array(array) {}
  int64_t rows() const { return array.shape[array.ndim - 2]; }
  int64_t columns() const { return array.shape[array.ndim - 1]; }
  int64_t count() const {
    int64_t n = 1;
    for (int d = 0; d < array.ndim - 2; ++d) n *= array.shape[d];
    return n;
  }
  T* at(int64_t index, int kept = 2) const {
    T* data = array.as<T>();
    for (int d = array.ndim - kept - 1; d >= 0; --d) {
      data += index % array.shape[d] * array.strides[d];
      index /= array.shape[d];
    }
    return data;
  }
  // Reads the matrix into columns that are `leading` apart (its number of rows where nothing is said).
  void read(int64_t index, T* to, int64_t leading = 0) const {
    const T* from = at(index);
    const int64_t down = array.strides[array.ndim - 2], across = array.strides[array.ndim - 1];
    const int64_t height = rows();
    for (int64_t j = 0; j < columns(); ++j, to += leading ? leading : height)
      for (int64_t i = 0; i < height; ++i) to[i] = from[i * down + j * across];
  }
  void write(int64_t index, const T* from, int64_t leading = 0) const {
    T* to = at(index);
    const int64_t down = array.strides[array.ndim - 2], across = array.strides[array.ndim - 1];
    const int64_t height = rows();
    for (int64_t j = 0; j < columns(); ++j, from += leading ? leading : height)
      for (int64_t i = 0; i < height; ++i) to[i * down + j * across] = from[i];
  }
  // The last dimension alone: a vector for each index of the others.
  template <class Source>
  void write_vector(int64_t index, const Source* from) const {
    T* to = at(index, 1);
    for (int64_t i = 0; i < columns(); ++i) to[i * array.strides[array.ndim - 1]] = T(from[i]);
  }
  void read_vector(int64_t index, T* to) const {
    const T* from = at(index, 1);
    for (int64_t i = 0; i < columns(); ++i) to[i] = from[i * array.strides[array.ndim - 1]];
  }
};

// Calls `call(space, size)` of a function of LAPACK with as much space as it asks for, kept in `work`.
template <class T, class F>
int64_t with_space(std::vector<T>& work, F&& call) {
  if (work.empty()) {
    T wanted = T(0);
    call(&wanted, int64_t(-1));
    work.resize(at_least_one(int64_t(std::real(wanted))));
  }
  return call(work.data(), int64_t(work.size()));
}

// Runs `some(begin, end)` over the matrices of a stack, each of about `work` operations.
template <class F>
void for_matrices(int64_t count, int64_t work, F&& some) {
  use_one_blas_thread();
  parallel_for(count, std::max<int64_t>(1, 200000 / at_least_one(work)), some);
}

}  // namespace rl
