// A matrix in memory.
#pragma once

#include <algorithm>
#include <cstdint>

namespace rl {

// Strides count elements.
template <class T>
struct Matrix {
  T* data;
  int64_t rows, columns, row_stride, column_stride;

  T& operator()(int64_t i, int64_t j) const { return data[i * row_stride + j * column_stride]; }
  Matrix block(int64_t i, int64_t j, int64_t m, int64_t n) const {
    return {data + i * row_stride + j * column_stride, m, n, row_stride, column_stride};
  }
  Matrix transposed() const { return {data, columns, rows, column_stride, row_stride}; }

  // BLAS can read rows (or, transposed, columns) that are a leading dimension apart. Strides of a single row or column
  // mean nothing.
  bool row_major() const {
    return (column_stride == 1 || columns == 1) && (rows == 1 || row_stride >= std::max<int64_t>(columns, 1));
  }
  bool column_major() const { return transposed().row_major(); }
};

// out = alpha * a @ b + beta * added, where the product is too small for what BLAS prepares: for each instruction set. a and b
// have any strides; out is row-major, as is `added` but for its rows, which may be one; a has at most `deepest_small_product`
// columns.
constexpr int64_t deepest_small_product = 256;
template <class T>
using SmallProduct = void (*)(const Matrix<T>& out, const Matrix<T>& a, const Matrix<T>& b, const Matrix<T>& added, T alpha,
                              T beta);
template <class T>
inline SmallProduct<T> small_product = nullptr;

}  // namespace rl
