// Products of matrices. float32, float64, complex64 and complex128 go to BLAS, which runs on one thread for each tile of the
// output; integers and tiny shapes have loops of their own; float16 and bfloat16 compute in float and round once.
// What is a tile depends on the shape alone, so the same bits come out for any number of threads.
#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "matrix.h"
#include "registry.h"
#include "threads.h"

namespace rl {
namespace {

template <class T>
constexpr bool is_complex = false;
template <class R>
constexpr bool is_complex<std::complex<R>> = true;

template <class T>
Matrix<T> matrix_of(const Array& a, int first = 0) {
  return {a.as<T>(), a.shape[first], a.shape[first + 1], a.strides[first], a.strides[first + 1]};
}

// A matrix that BLAS can read, copied where its strides are not to BLAS's liking.
template <class T>
struct Readable {
  Matrix<T> matrix;
  bool transpose;
  int64_t leading;
  std::vector<T> copy;

  explicit Readable(Matrix<T> m) : matrix(m), transpose(false) {
    if (!m.row_major()) {
      transpose = m.column_major();
      if (!transpose) {
        copy.resize(m.rows * m.columns);
        for (int64_t i = 0; i < m.rows; ++i)
          for (int64_t j = 0; j < m.columns; ++j) copy[i * m.columns + j] = m(i, j);
        matrix = {copy.data(), m.rows, m.columns, m.columns, 1};
      }
    }
    if (transpose)
      leading = matrix.columns == 1 ? matrix.rows : matrix.column_stride;
    else
      leading = matrix.rows == 1 ? matrix.columns : matrix.row_stride;
    leading = std::max<int64_t>(leading, 1);
  }
};

void use_one_blas_thread() {
  static const bool done = (scipy_openblas_set_num_threads64_(1), true);
  (void)done;
}

// out = alpha * a @ b + beta * out by BLAS, on this thread; out is row-major.
template <class T>
void blas_gemm(const Matrix<T>& out, int64_t leading, const Readable<T>& a, const Readable<T>& b, T alpha, T beta) {
  const auto ta = a.transpose ? CblasTrans : CblasNoTrans, tb = b.transpose ? CblasTrans : CblasNoTrans;
  const int64_t m = out.rows, n = out.columns, k = a.matrix.columns;
  const T *x = a.matrix.data, *y = b.matrix.data;
  if constexpr (std::is_same_v<T, float>)
    scipy_cblas_sgemm64_(CblasRowMajor, ta, tb, m, n, k, alpha, x, a.leading, y, b.leading, beta, out.data, leading);
  else if constexpr (std::is_same_v<T, double>)
    scipy_cblas_dgemm64_(CblasRowMajor, ta, tb, m, n, k, alpha, x, a.leading, y, b.leading, beta, out.data, leading);
  else if constexpr (std::is_same_v<T, std::complex<float>>)
    scipy_cblas_cgemm64_(CblasRowMajor, ta, tb, m, n, k, &alpha, x, a.leading, y, b.leading, &beta, out.data, leading);
  else
    scipy_cblas_zgemm64_(CblasRowMajor, ta, tb, m, n, k, &alpha, x, a.leading, y, b.leading, &beta, out.data, leading);
}

// out = alpha * a @ x + beta * out for vectors x and out; a is row-major, or column-major where `transpose` says so.
template <class T>
void blas_gemv(const Readable<T>& a, const T* x, int64_t x_stride, T* out, int64_t out_stride, T alpha, T beta) {
  // BLAS is told of the matrix as it lies in memory.
  const auto t = a.transpose ? CblasTrans : CblasNoTrans;
  const int64_t m = a.transpose ? a.matrix.columns : a.matrix.rows, n = a.transpose ? a.matrix.rows : a.matrix.columns;
  const T* p = a.matrix.data;
  if constexpr (std::is_same_v<T, float>)
    scipy_cblas_sgemv64_(CblasRowMajor, t, m, n, alpha, p, a.leading, x, x_stride, beta, out, out_stride);
  else if constexpr (std::is_same_v<T, double>)
    scipy_cblas_dgemv64_(CblasRowMajor, t, m, n, alpha, p, a.leading, x, x_stride, beta, out, out_stride);
  else if constexpr (std::is_same_v<T, std::complex<float>>)
    scipy_cblas_cgemv64_(CblasRowMajor, t, m, n, &alpha, p, a.leading, x, x_stride, &beta, out, out_stride);
  else
    scipy_cblas_zgemv64_(CblasRowMajor, t, m, n, &alpha, p, a.leading, x, x_stride, &beta, out, out_stride);
}

// Plain products: std::complex's own takes care of infinities, at many times the price, which BLAS does not either.
template <class T>
T multiply(T x, T y) {
  if constexpr (is_complex<T>)
    return {x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real()};
  else
    return T(x * y);
}

template <class T>
void store(T& out, T sum, T alpha, T beta) {
  // beta == 0 must not read out, which may hold NaN.
  out = beta == T(0) ? multiply(alpha, sum) : T(multiply(alpha, sum) + multiply(beta, out));
}

// A block of rows of out at a time, in registers and the first cache; any strides. For integers, and for tiny products.
template <class T>
void loop_gemm(const Matrix<T>& out, const Matrix<T>& a, const Matrix<T>& b, T alpha, T beta) {
  constexpr int64_t width = 64;
  const int64_t m = out.rows, n = out.columns, depth = a.columns;
  if (b.column_stride != 1 && out.column_stride != 1 && out.row_stride == 1)
    return loop_gemm<T>(out.transposed(), b.transposed(), a.transposed(), alpha, beta);
  T sum[width];
  for (int64_t j = 0; j < n; j += width) {
    const int64_t w = std::min(width, n - j);
    for (int64_t i = 0; i < m; ++i) {
      std::fill_n(sum, w, T(0));
      for (int64_t p = 0; p < depth; ++p) {
        const T x = a(i, p);
        const T* y = &b(p, j);
        if (b.column_stride == 1)
          for (int64_t q = 0; q < w; ++q) sum[q] += multiply(x, y[q]);
        else
          for (int64_t q = 0; q < w; ++q) sum[q] += multiply(x, y[q * b.column_stride]);
      }
      for (int64_t q = 0; q < w; ++q) store(out(i, j + q), sum[q], alpha, beta);
    }
  }
}

// The least products of real matrices: one sum after the other.
template <class T>
void least_gemm(const Matrix<T>& out, const Matrix<T>& a, const Matrix<T>& b, T alpha, T beta) {
  for (int64_t i = 0; i < out.rows; ++i)
    for (int64_t j = 0; j < out.columns; ++j) {
      T sum = 0;
      const T *x = &a(i, 0), *y = &b(0, j);
      for (int64_t p = 0; p < a.columns; ++p, x += a.column_stride, y += b.row_stride) sum += *x * *y;
      store(out(i, j), sum, alpha, beta);
    }
}

// A column times a row, of dense rows: every element is one product, and memory is all that counts.
template <class T>
bool outer_product(const Matrix<T>& out, const Matrix<T>& a, const Matrix<T>& b, T alpha, T beta) {
  if (a.columns != 1 || beta != T(0) || (out.columns > 1 && (out.column_stride != 1 || b.column_stride != 1))) return false;
  auto some = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T x = multiply(alpha, a(i, 0));
      const T* __restrict__ y = b.data;
      T* __restrict__ z = &out(i, 0);
      for (int64_t j = 0; j < out.columns; ++j) z[j] = multiply(x, y[j]);
    }
  };
  const int64_t grain = (int64_t(1) << 18) / out.columns + 1;
  if (out.rows <= grain)
    some(0, out.rows);
  else
    parallel_for(out.rows, grain, some);
  return true;
}

template <class T>
void scale(const Matrix<T>& out, T beta) {
  for (int64_t i = 0; i < out.rows; ++i)
    for (int64_t j = 0; j < out.columns; ++j) out(i, j) = beta == T(0) ? T(0) : multiply(beta, out(i, j));
}

// Below `tiny` multiplications a call of BLAS costs more than the product. Real matrices have loops for the least products, and
// vectors for small ones, where they are wide enough to fill some. Where columns of b have to be laid out side by side first,
// BLAS has to do so too, and is beaten for longer; but then b must not be deep, or there must be rows enough to read it for.
constexpr int64_t least = 16, tiny = 1000, small = int64_t(1) << 16, small_turned = int64_t(1) << 18;

template <class T>
bool is_small(const Matrix<T>& out, const Matrix<T>& b) {
  const int64_t work = out.rows * out.columns * b.rows;
  if (b.rows > deepest_small_product) return false;
  if (work <= tiny) return true;
  if (out.rows == 1 || out.columns < 8) return false;
  return b.column_stride == 1 ? work <= small : work <= small_turned && (b.rows <= 48 || out.rows >= 24);
}

// From here on a product is shared out.
constexpr int64_t large = int64_t(1) << 20;

// BLAS packs its operands again for every tile, so tiles are few and thick: halves, and quarters of what is larger still, of the
// longer side of the output, in multiples of the widest register block.
int64_t panel(int64_t side, int64_t work) {
  const int64_t parts = work >= (int64_t(1) << 28) ? 4 : 2;
  const int64_t width = (side + parts - 1) / parts;
  return std::max<int64_t>((width + 15) / 16 * 16, 16);
}

template <class T>
void gemm_of(Matrix<T> out, Matrix<T> a, Matrix<T> b, T alpha, T beta) {
  const int64_t m = out.rows, n = out.columns, k = a.columns;
  if (m == 0 || n == 0) return;
  if (k == 0) return scale(out, beta);
  if (outer_product(out, a, b, alpha, beta)) return;
  if constexpr (std::is_integral_v<T>) {
    const int64_t grain = std::max<int64_t>(1, large / 4 / (n * k));
    parallel_for(m, grain, [&](int64_t begin, int64_t end) {
      loop_gemm<T>(out.block(begin, 0, end - begin, n), a.block(begin, 0, end - begin, k), b, alpha, beta);
    });
  } else {
    if (!out.row_major()) {
      if (out.column_major()) return gemm_of<T>(out.transposed(), b.transposed(), a.transposed(), alpha, beta);
      std::vector<T> copy(m * n);
      Matrix<T> dense = {copy.data(), m, n, n, 1};
      gemm_of<T>(dense, a, b, T(1), T(0));
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) store(out(i, j), dense(i, j), alpha, beta);
      return;
    }
    if constexpr (std::is_floating_point_v<T>) {
      if (m * n * k <= least) return least_gemm<T>(out, a, b, alpha, beta);
      if (is_small(out, b)) return small_product<T>(out, a, b, out, alpha, beta);
    }
    if (m * n * k <= tiny) return loop_gemm<T>(out, a, b, alpha, beta);
    use_one_blas_thread();
    if (m == 1 && n > 1) return gemm_of<T>(out.transposed(), b.transposed(), a.transposed(), alpha, beta);
    if (n == 1) {
      const Readable<T> matrix(a);
      // A product with a vector is bound by memory; rows of a are shared out.
      const int64_t grain = m * k >= large ? panel(m, 0) : m;
      std::vector<T> vector;
      const T* x = b.data;
      int64_t x_stride = b.row_stride;
      if (x_stride <= 0) {
        vector.resize(k);
        for (int64_t p = 0; p < k; ++p) vector[p] = b(p, 0);
        x = vector.data();
        x_stride = 1;
      }
      const int64_t out_stride = m == 1 ? 1 : out.row_stride;
      parallel_for(m, grain, [&](int64_t begin, int64_t end) {
        Readable<T> rows(matrix.matrix.block(begin, 0, end - begin, k));
        blas_gemv<T>(rows, x, x_stride, out.data + begin * out_stride, out_stride, alpha, beta);
      });
      return;
    }
    const Readable<T> left(a), right(b);
    const int64_t leading = m == 1 ? n : out.row_stride;
    if (m * n * k < large) return blas_gemm<T>(out, leading, left, right, alpha, beta);
    const bool by_rows = m >= n;
    const int64_t side = by_rows ? m : n;
    parallel_for(side, panel(side, m * n * k), [&](int64_t begin, int64_t end) {
      const int64_t size = end - begin;
      Readable<T> x(by_rows ? left.matrix.block(begin, 0, size, k) : left.matrix);
      Readable<T> y(by_rows ? right.matrix : right.matrix.block(0, begin, k, size));
      blas_gemm<T>(by_rows ? out.block(begin, 0, size, n) : out.block(0, begin, m, size), leading, x, y, alpha, beta);
    });
  }
}

template <class T>
std::vector<float> to_float(const Matrix<T>& m) {
  std::vector<float> out(m.rows * m.columns);
  for (int64_t i = 0; i < m.rows; ++i)
    for (int64_t j = 0; j < m.columns; ++j) out[i * m.columns + j] = float(m(i, j));
  return out;
}

template <class T>
void gemm_any(Matrix<T> out, Matrix<T> a, Matrix<T> b, double alpha, double beta) {
  if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>) {
    std::vector<float> x = to_float(a), y = to_float(b), z(out.rows * out.columns);
    if (beta != 0) z = to_float(out);
    gemm_of<float>({z.data(), out.rows, out.columns, out.columns, 1}, {x.data(), a.rows, a.columns, a.columns, 1},
                   {y.data(), b.rows, b.columns, b.columns, 1}, float(alpha), float(beta));
    for (int64_t i = 0; i < out.rows; ++i)
      for (int64_t j = 0; j < out.columns; ++j) out(i, j) = T(z[i * out.columns + j]);
  } else if constexpr (is_complex<T>) {
    gemm_of<T>(out, a, b, T(typename T::value_type(alpha)), T(typename T::value_type(beta)));
  } else {
    gemm_of<T>(out, a, b, T(alpha), T(beta));
  }
}

// out [m, n], a [m, k], b [k, n], of one dtype; alpha, beta (f): out = alpha * a @ b + beta * out. Every dtype but bool.
// a and b may have any strides, 0 too; out none that overlap. With a row [n], both contiguous, every row of out begins as that
// one.
void gemm(const Array* a, int count, const Number* numbers) {
  visit<group::number>("addmm_impl_cpu_", a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Matrix<T> out = matrix_of<T>(a[0]), x = matrix_of<T>(a[1]), y = matrix_of<T>(a[2]);
    if (count == 4) {
      const Matrix<T> row{reinterpret_cast<T*>(a[3].data), out.rows, out.columns, 0, 1};
      if constexpr (std::is_floating_point_v<T>)
        if (out.row_major() && out.rows * out.columns * x.columns > least && is_small(out, y))
          return small_product<T>(out, x, y, row, T(numbers[0].f), T(numbers[1].f));
      for (int64_t i = 0; i < out.rows; ++i) std::copy_n(row.data, out.columns, &out(i, 0));
    }
    gemm_any<T>(out, x, y, numbers[0].f, numbers[1].f);
  });
}
const Register gemm_("gemm", gemm);

// out [batch, m, n], a [batch, m, k], b [batch, k, n]: gemm for each. a and b may have a batch stride of 0.
void bgemm(const Array* a, int, const Number* numbers) {
  visit<group::number>("bmm", a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const int64_t batches = a[0].shape[0], m = a[0].shape[1], n = a[0].shape[2], k = a[1].shape[2];
    Matrix<T> out = matrix_of<T>(a[0], 1), x = matrix_of<T>(a[1], 1), y = matrix_of<T>(a[2], 1);
    // Rows of all batches are the rows of one product where b is shared.
    if (batches > 1 && a[2].strides[0] == 0 && a[0].strides[0] == m * out.row_stride && a[1].strides[0] == m * x.row_stride) {
      out.rows = x.rows = batches * m;
      return gemm_any<T>(out, x, y, numbers[0].f, numbers[1].f);
    }
    auto some = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        Matrix<T> o = out, p = x, q = y;
        o.data += i * a[0].strides[0];
        p.data += i * a[1].strides[0];
        q.data += i * a[2].strides[0];
        gemm_any<T>(o, p, q, numbers[0].f, numbers[1].f);
      }
    };
    // Batches are shared out where there are enough of them; else each product may share out itself.
    const int64_t work = std::max<int64_t>(1, m * n * k);
    if (batches < 4 && work >= large)
      some(0, batches);
    else
      parallel_for(batches, std::max<int64_t>(1, large / 4 / work), some);
  });
}
const Register bgemm_("bgemm", bgemm);

template <class T>
T blas_dot(int64_t n, const T* x, int64_t x_stride, const T* y, int64_t y_stride, bool conjugate) {
  use_one_blas_thread();
  if constexpr (std::is_same_v<T, float>) {
    return scipy_cblas_sdot64_(n, x, x_stride, y, y_stride);
  } else if constexpr (std::is_same_v<T, double>) {
    return scipy_cblas_ddot64_(n, x, x_stride, y, y_stride);
  } else {
    T sum;
    if constexpr (std::is_same_v<T, std::complex<float>>)
      (conjugate ? scipy_cblas_cdotc_sub64_ : scipy_cblas_cdotu_sub64_)(n, x, x_stride, y, y_stride, &sum);
    else
      (conjugate ? scipy_cblas_zdotc_sub64_ : scipy_cblas_zdotu_sub64_)(n, x, x_stride, y, y_stride, &sum);
    return sum;
  }
}

template <bool conjugate>
void dot_of(const char* name, const Array* a) {
  visit<group::number>(name, a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const int64_t n = a[1].shape[0], x_stride = a[1].strides[0], y_stride = a[2].strides[0];
    const T *x = a[1].template as<T>(), *y = a[2].template as<T>();
    if constexpr (std::is_floating_point_v<T> || is_complex<T>) {
      // BLAS would read a vector of negative stride from its other end.
      if (n > 16 && x_stride > 0 && y_stride > 0) {
        *a[0].template as<T>() = blas_dot<T>(n, x, x_stride, y, y_stride, conjugate);
        return;
      }
    }
    using Sum = std::conditional_t<std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>, float, T>;
    Sum sum = 0;
    for (int64_t i = 0; i < n; ++i) {
      Sum u = x[i * x_stride], v = y[i * y_stride];
      if constexpr (conjugate && is_complex<T>) u = std::conj(u);
      sum += multiply(u, v);
    }
    *a[0].template as<T>() = T(sum);
  });
}

// out (0-d), a [n], b [n]: the sum of a * b. Every dtype but bool.
void dot(const Array* a, int, const Number*) { dot_of<false>("dot", a); }
const Register dot_("dot", dot);

// As dot, with the conjugate of a.
void vdot(const Array* a, int, const Number*) { dot_of<true>("dot", a); }
const Register vdot_("vdot", vdot);

}  // namespace
}  // namespace rl
