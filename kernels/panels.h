// Products of a few rows with a matrix that lies in panels of a few vectors' width: the sums of a block of rows stay in
// registers. float32 and float64.
#pragma once

#include <utility>

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

// Two rows of a square, `half` rows apart, swap the halves that belong to each other.
template <class S, int half, int... k>
inline __attribute__((always_inline)) void swap_halves(Vector<S>& x, Vector<S>& y, std::integer_sequence<int, k...>) {
  constexpr int lanes = lanes_of<S>;
  const Vector<S> low = __builtin_shufflevector(x, y, (k & half ? lanes + k - half : k)...);
  y = __builtin_shufflevector(x, y, (k & half ? lanes + k : k + half)...);
  x = low;
}

// Of each 16 bytes of two vectors: pieces of `size` elements in turn, of the first halves and of the second ones.
template <class S, int size, int... k>
inline __attribute__((always_inline)) void interleave(Vector<S>& x, Vector<S>& y, std::integer_sequence<int, k...>) {
  constexpr int lanes = lanes_of<S>, block = 16 / sizeof(S);
  const auto place = [](int at) {
    return at / block * block + at % block / (2 * size) * size + at % size + (at & size ? lanes : 0);
  };
  const Vector<S> low = __builtin_shufflevector(x, y, place(k)...);
  y = __builtin_shufflevector(x, y, (place(k) + block / 2)...);
  x = low;
}

// A square of as many vectors as they have lanes, transposed: within 16 bytes, where processors are quickest, then blocks of
// them.
template <class S>
inline __attribute__((always_inline)) void transpose(Vector<S> (&rows)[lanes_of<S>]) {
  constexpr int lanes = lanes_of<S>, block = 16 / sizeof(S);
  constexpr std::make_integer_sequence<int, lanes> all;
#pragma GCC unroll 16
  for (int i = 0; i < lanes; i += block) {
    Vector<S>* row = rows + i;
    if constexpr (block == 2) {
      interleave<S, 1>(row[0], row[1], all);
    } else {
      interleave<S, 1>(row[0], row[1], all);
      interleave<S, 1>(row[2], row[3], all);
      interleave<S, 2>(row[0], row[2], all);
      interleave<S, 2>(row[1], row[3], all);
      std::swap(row[1], row[2]);
    }
  }
  if constexpr (lanes > block) {
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i)
      if (!(i & block)) swap_halves<S, block>(rows[i], rows[i + block], all);
  }
  if constexpr (lanes > 2 * block) {
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i)
      if (!(i & 2 * block)) swap_halves<S, 2 * block>(rows[i], rows[i + 2 * block], all);
  }
}

// The first `count` lanes of a vector.
template <class S>
class Part {
 public:
  explicit Part(int64_t count) : count_(int(count)) {
#if defined(__AVX2__) && !(defined(__AVX512F__) && defined(__AVX512BW__))
    for (int i = 0; i < lanes_of<S>; ++i) mask_[i] = i < count ? -1 : 0;
#endif
  }

  int count() const { return count_; }
  bool is_whole() const { return count_ == lanes_of<S>; }

  // Zeros in the other lanes, whose memory is not read.
  Vector<S> load(const S* p) const {
#if defined(__AVX512F__) && defined(__AVX512BW__)
    if constexpr (sizeof(S) == 4)
      return (Vector<S>)_mm512_maskz_loadu_ps(__mmask16((1u << count_) - 1), p);
    else
      return (Vector<S>)_mm512_maskz_loadu_pd(__mmask8((1u << count_) - 1), p);
#elif defined(__AVX2__)
    if constexpr (sizeof(S) == 4)
      return (Vector<S>)_mm256_maskload_ps(p, (__m256i)mask_);
    else
      return (Vector<S>)_mm256_maskload_pd(p, (__m256i)mask_);
#else
    Vector<S> v = {};
    for (int i = 0; i < count_; ++i) v[i] = p[i];
    return v;
#endif
  }

  void store(S* p, Vector<S> v) const {
#if defined(__AVX512F__) && defined(__AVX512BW__)
    if constexpr (sizeof(S) == 4)
      _mm512_mask_storeu_ps(p, __mmask16((1u << count_) - 1), (__m512)v);
    else
      _mm512_mask_storeu_pd(p, __mmask8((1u << count_) - 1), (__m512d)v);
#elif defined(__AVX2__)
    if constexpr (sizeof(S) == 4)
      _mm256_maskstore_ps(p, (__m256i)mask_, (__m256)v);
    else
      _mm256_maskstore_pd(p, (__m256i)mask_, (__m256d)v);
#else
    for (int i = 0; i < count_; ++i) p[i] = v[i];
#endif
  }

 private:
  int count_;
#if defined(__AVX2__) && !(defined(__AVX512F__) && defined(__AVX512BW__))
  Vector<std::conditional_t<sizeof(S) == 4, int32_t, int64_t>> mask_;
#endif
};

// Lays a square of columns, `column_stride` apart, out in the first `count` rows of a panel; `read(p, j)` gives the j-th column,
// at p.
template <class S, class Read>
inline __attribute__((always_inline)) void lay_out_square(const S* data, int64_t column_stride, S* to, int64_t across,
                                                          const Read& read, int count) {
  constexpr int lanes = lanes_of<S>;
  Vector<S> square[lanes];
#pragma GCC unroll 16
  for (int j = 0; j < lanes; ++j) square[j] = read(data + j * column_stride, j);
  transpose<S>(square);
#pragma GCC unroll 16
  for (int i = 0; i < lanes; ++i)
    if (i < count) store(to + i * across, square[i]);
}

// Lays `filled` columns (a vector's lanes at most) of a matrix of any strides out in a panel whose rows are `across` apart; zeros
// behind.
template <class S>
inline void lay_out(const S* data, int64_t row_stride, int64_t column_stride, int64_t depth, int64_t filled, S* to,
                    int64_t across) {
  constexpr int lanes = lanes_of<S>;
  if (column_stride == 1) {
    const Part<S> part(filled);
    for (int64_t k = 0; k < depth; ++k) store(to + k * across, part.load(data + k * row_stride));
  } else if (row_stride == 1) {
    int64_t k = 0;
    if (filled == lanes)
      for (; k + lanes <= depth; k += lanes)
        lay_out_square<S>(data + k, column_stride, to + k * across, across, [](const S* p, int) { return load<S>(p); }, lanes);
    for (; k < depth; k += lanes) {
      const Part<S> part(std::min<int64_t>(lanes, depth - k));
      lay_out_square<S>(
          data + k, column_stride, to + k * across, across,
          [&](const S* p, int j) { return j < filled ? part.load(p) : Vector<S>{}; }, part.count());
    }
  } else {
    for (int64_t k = 0; k < depth; ++k) {
      for (int64_t j = 0; j < filled; ++j) to[k * across + j] = data[k * row_stride + j * column_stride];
      for (int64_t j = filled; j < lanes; ++j) to[k * across + j] = 0;
    }
  }
}

// sums[i][v] of vectors of columns: the numbers of rows[i], `along` apart, times what `read(k, y)` gives of the k-th row of the
// matrix.
template <class S, int vectors, int n, class Read>
inline __attribute__((always_inline)) void multiply_rows(Vector<S> (&sums)[n][vectors], const S* const* rows, int64_t along,
                                                         int64_t depth, const Read& read) {
  for (int64_t k = 0; k < depth; ++k) {
    Vector<S> y[vectors];
    read(k, y);
#pragma GCC unroll 8
    for (int i = 0; i < n; ++i) {
      const Vector<S> x = rows[i][k * along] - Vector<S>{};  // (x - 0 is x: no addition, as 0 + x is for -0)
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) sums[i][v] = multiply_add<S>(x, y[v], sums[i][v]);
    }
  }
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
        lay_out(data + ((groups == 1 ? 0 : v) * width + first) * column_stride, row_stride, column_stride, depth, filled,
                packed_.get() + p * depth * across + v * lanes, across);
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
    multiply_rows<S, vectors, n>(sum, rows, 1, depth_, [panel](int64_t k, Vector<S>* y) {
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) y[v] = load<S>(panel + k * across + v * lanes);
    });
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
