// Products of a few rows with one matrix again and again: the matrix is laid out once, in panels of a few vectors' width, and the
// sums of a block of rows stay in registers. float32 and float64.
#pragma once

#include "lanes.h"

namespace rl::RL_ISA {
namespace {

// x * y + z, rounded once where the processor can.
template <class S>
inline __attribute__((always_inline)) Vector<S> multiply_add(Vector<S> x, Vector<S> y, Vector<S> z) {
#if defined(__AVX512F__) && defined(__AVX512BW__)
  if constexpr (std::is_same_v<S, float>)
    return (Vector<S>)_mm512_fmadd_ps((__m512)x, (__m512)y, (__m512)z);
  else
    return (Vector<S>)_mm512_fmadd_pd((__m512d)x, (__m512d)y, (__m512d)z);
#elif defined(__FMA__)
  if constexpr (std::is_same_v<S, float>)
    return (Vector<S>)_mm256_fmadd_ps((__m256)x, (__m256)y, (__m256)z);
  else
    return (Vector<S>)_mm256_fmadd_pd((__m256d)x, (__m256d)y, (__m256d)z);
#else
  return x * y + z;
#endif
}

// As many rows as leave their sums in registers.
constexpr int most_rows = vector_bytes == 64 ? 6 : 3;

// A matrix [depth, groups * width] whose columns are dealt out to panels of `vectors` vectors. A panel has a vector of each group
// (say, the gates of some units) or, where there is but one group, neighbouring columns; what is behind the last column is zero.
template <class S, int vectors>
class Panels {
 public:
  static constexpr int lanes = lanes_of<S>, across = vectors * lanes;

  Panels(const S* data, int64_t row_stride, int64_t column_stride, int64_t depth, int64_t groups, int64_t width)
      : depth_(depth),
        units_(groups == 1 ? across : lanes),
        count_((width + units_ - 1) / units_),
        packed_(count_ * depth * across) {
    for (int64_t p = 0; p < count_; ++p)
      for (int v = 0; v < vectors; ++v) {
        const int64_t first = p * units_ + (groups == 1 ? v * lanes : 0), rest = width - first;
        const int64_t filled = rest < 0 ? 0 : rest < lanes ? rest : lanes;
        const S* from = data + ((groups == 1 ? 0 : v) * width + first) * column_stride;
        S* to = packed_.get() + p * depth * across + v * lanes;
        if (row_stride == 1) {
          for (int64_t j = 0; j < filled; ++j)
            for (int64_t k = 0; k < depth; ++k) to[k * across + j] = from[j * column_stride + k];
        } else {
          for (int64_t k = 0; k < depth; ++k)
            for (int64_t j = 0; j < filled; ++j) to[k * across + j] = from[k * row_stride + j * column_stride];
        }
        for (int64_t k = 0; k < depth; ++k)
          for (int64_t j = filled; j < lanes; ++j) to[k * across + j] = 0;
      }
  }

  int64_t count() const { return count_; }
  // How many columns of a group a panel has.
  int64_t units() const { return units_; }

  // Rows of up to `most_rows` sums each: rows[i] times panel p.
  void product(S (*sums)[across], const S* const* rows, int count, int64_t p) const { times<most_rows>(sums, rows, count, p); }

 private:
  template <int n>
  void times(S (*sums)[across], const S* const* rows, int count, int64_t p) const {
    if constexpr (n > 1)
      if (count < n) return times<n - 1>(sums, rows, count, p);
    const S* panel = packed_.get() + p * depth_ * across;
    Vector<S> sum[n][vectors] = {};
    for (int64_t k = 0; k < depth_; ++k, panel += across) {
      Vector<S> y[vectors];
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) y[v] = load<S>(panel + v * lanes);
#pragma GCC unroll 8
      for (int i = 0; i < n; ++i) {
        const Vector<S> x = Vector<S>{} + rows[i][k];
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) sum[i][v] = multiply_add<S>(x, y[v], sum[i][v]);
      }
    }
    for (int i = 0; i < n; ++i)
      for (int v = 0; v < vectors; ++v) store(sums[i] + v * lanes, sum[i][v]);
  }

  int64_t depth_, units_, count_;
  Scratch<S> packed_;
};

// Calls f(first, count) for blocks of rows of nearly one size, at most `most_rows`.
template <class F>
inline void each_block(int64_t begin, int64_t end, const F& f) {
  const int64_t rows = end - begin, blocks = (rows + most_rows - 1) / most_rows;
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t first = begin + b * rows / blocks;
    f(first, int(begin + (b + 1) * rows / blocks - first));
  }
}

}  // namespace
}  // namespace rl::RL_ISA
