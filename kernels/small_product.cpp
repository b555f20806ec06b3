// Products of small matrices of float32 or float64, of any strides: a block of rows times a few vectors of columns at a time.
#include "matrix.h"
#include "panels.h"

namespace rl::RL_ISA {
namespace {

// As many sums as keep the multiplications busy: four cycles' worth of two a cycle.
constexpr int sums_at_once = 8;

// What the columns of out from `j` on get: `vectors` vectors, the last of which has `last`'s lanes (`parts`: not all). Row k of
// those columns of b is at panel + k * down.
template <class S, int vectors, bool parts>
struct Columns {
  static constexpr int lanes = lanes_of<S>, rows_at_once = sums_at_once / vectors;
  const Matrix<S>& out;
  const Matrix<S>& a;
  const Matrix<S>& added;
  S alpha, beta;
  int64_t j;
  const S* panel;
  int64_t down;
  Part<S> last;

  void run() const {
    for (int64_t i = 0; i < out.rows; i += rows_at_once)
      rows<rows_at_once>(i, int(std::min<int64_t>(rows_at_once, out.rows - i)));
  }

  template <int n>
  void rows(int64_t i, int count) const {
    if constexpr (n > 1)
      if (count < n) return rows<n - 1>(i, count);
    const S* from[n];
    for (int r = 0; r < n; ++r) from[r] = &a(i + r, 0);
    Vector<S> sums[n][vectors] = {};
    multiply_rows<S, vectors, n>(sums, from, a.column_stride, a.columns, [this](int64_t k, Vector<S>* y) {
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) y[v] = read(panel + k * down + v * lanes, v);
    });
#pragma GCC unroll 8
    for (int r = 0; r < n; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) {
        S* to = &out(i + r, j) + v * lanes;
        Vector<S> sum = sums[r][v] * alpha;
        if (beta != 0) sum += beta * read(&added(i + r, j) + v * lanes, v);  // (what is not asked for may be NaN)
        if (parts && v == vectors - 1)
          last.store(to, sum);
        else
          store(to, sum);
      }
  }

  Vector<S> read(const S* p, int v) const { return parts && v == vectors - 1 ? last.load(p) : load<S>(p); }
};

template <class S, int vectors>
void columns(const Matrix<S>& out, const Matrix<S>& a, const Matrix<S>& b, const Matrix<S>& added, S alpha, S beta, int64_t j,
             int64_t last) {
  constexpr int lanes = lanes_of<S>, across = vectors * lanes;
  const S* panel = &b(0, j);
  int64_t down = b.row_stride;
  alignas(vector_bytes) S room[deepest_small_product * across];
  if (b.column_stride != 1 && b.columns > 1) {
    for (int v = 0; v < vectors; ++v)
      lay_out(&b(0, j + v * lanes), b.row_stride, b.column_stride, b.rows, v == vectors - 1 ? last : lanes, room + v * lanes,
              across);
    panel = room;
    down = across;
  }
  if (last < lanes)
    Columns<S, vectors, true>{out, a, added, alpha, beta, j, panel, down, Part<S>(last)}.run();
  else
    Columns<S, vectors, false>{out, a, added, alpha, beta, j, panel, down, Part<S>(last)}.run();
}

template <class S>
void multiply(const Matrix<S>& out, const Matrix<S>& a, const Matrix<S>& b, const Matrix<S>& added, S alpha, S beta) {
  constexpr int lanes = lanes_of<S>;
  for (int64_t j = 0; j < out.columns; j += 2 * lanes) {
    const int64_t width = out.columns - j;
    if (width <= lanes)
      columns<S, 1>(out, a, b, added, alpha, beta, j, width);
    else
      columns<S, 2>(out, a, b, added, alpha, beta, j, std::min<int64_t>(width - lanes, lanes));
  }
}

}  // namespace

void register_small_product() {
  small_product<float> = multiply<float>;
  small_product<double> = multiply<double>;
}

}  // namespace rl::RL_ISA
