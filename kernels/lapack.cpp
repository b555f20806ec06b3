// Factorizations by LAPACK, one matrix at a time, batches shared out over the threads. LAPACK reads and writes columns, so each
// matrix goes through a buffer of that order, whatever its strides.
#define LAPACK_COMPLEX_CUSTOM
#define LAPACK_ILP64
#include <complex>
#define lapack_complex_float std::complex<float>
#define lapack_complex_double std::complex<double>
#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "registry.h"
#include "threads.h"

namespace rl {
namespace {

template <class T>
struct Real {
  using type = T;
};
template <class R>
struct Real<std::complex<R>> {
  using type = R;
};

void use_one_blas_thread() {
  static const bool done = (scipy_openblas_set_num_threads64_(1), true);
  (void)done;
}

// A stack of matrices: the last two dimensions of an array, for each index of those before.
template <class T>
struct Stack {
  const Array& array;

  explicit Stack(const Array& array) : array(array) {}
  int64_t rows() const { return array.shape[array.ndim - 2]; }
  int64_t columns() const { return array.shape[array.ndim - 1]; }
  int64_t count() const { return array.numel() / std::max<int64_t>(1, rows() * columns()); }
  T* at(int64_t index, int kept = 2) const {
    T* data = array.as<T>();
    for (int d = array.ndim - kept - 1; d >= 0; --d) {
      data += index % array.shape[d] * array.strides[d];
      index /= array.shape[d];
    }
    return data;
  }
  void read(int64_t index, T* to) const {
    const T* from = at(index);
    const int64_t down = array.strides[array.ndim - 2], across = array.strides[array.ndim - 1];
    for (int64_t j = 0; j < columns(); ++j)
      for (int64_t i = 0; i < rows(); ++i) *to++ = from[i * down + j * across];
  }
  void write(int64_t index, const T* from) const {
    T* to = at(index);
    const int64_t down = array.strides[array.ndim - 2], across = array.strides[array.ndim - 1];
    for (int64_t j = 0; j < columns(); ++j)
      for (int64_t i = 0; i < rows(); ++i) to[i * down + j * across] = *from++;
  }
};

// gesdd for the dtype; `job` N, S or A. Gives LAPACK's info.
template <class T, class R = typename Real<T>::type>
int64_t gesdd(char job, int64_t m, int64_t n, T* a, R* s, T* u, T* vt, int64_t vt_rows, std::vector<T>& work,
              std::vector<R>& real_work, std::vector<int64_t>& integers) {
  auto call = [&](T* space, int64_t size) -> int64_t {
    const int64_t lda = std::max<int64_t>(1, m), ldvt = std::max<int64_t>(1, vt_rows);
    if constexpr (std::is_same_v<T, float>)
      return scipy_LAPACKE_sgesdd_work64_(LAPACK_COL_MAJOR, job, m, n, a, lda, s, u, lda, vt, ldvt, space, size, integers.data());
    else if constexpr (std::is_same_v<T, double>)
      return scipy_LAPACKE_dgesdd_work64_(LAPACK_COL_MAJOR, job, m, n, a, lda, s, u, lda, vt, ldvt, space, size, integers.data());
    else if constexpr (std::is_same_v<T, std::complex<float>>)
      return scipy_LAPACKE_cgesdd_work64_(LAPACK_COL_MAJOR, job, m, n, a, lda, s, u, lda, vt, ldvt, space, size, real_work.data(),
                                          integers.data());
    else
      return scipy_LAPACKE_zgesdd_work64_(LAPACK_COL_MAJOR, job, m, n, a, lda, s, u, lda, vt, ldvt, space, size, real_work.data(),
                                          integers.data());
  };
  if (work.empty()) {
    T wanted = T(0);
    call(&wanted, -1);
    work.resize(std::max<int64_t>(1, int64_t(std::real(wanted))));
  }
  return call(work.data(), int64_t(work.size()));
}

[[noreturn]] void failed(int64_t index, bool batched, int64_t info) {
  const std::string where = batched ? "linalg.svd: (Batch element " + std::to_string(index) + "): " : "linalg.svd: ";
  if (info == -4)
    throw std::runtime_error(where + "The algorithm failed to converge because the input matrix contained non-finite values.");
  throw std::runtime_error(
      where +
      "The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated "
      "singular values (error code: " +
      std::to_string(info) + ").");
}

// u [..., m, k or m] (or none), s [..., min(m, n)], vh [..., k or n, n] (or none), a [..., m, n]: the singular value
// decomposition.
void svd(const Array* arrays, int, const Number*) {
  visit<group::real | group::complex>("linalg_svd_cpu", arrays[3].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    using R = typename Real<T>::type;
    use_one_blas_thread();
    const Stack<T> a(arrays[3]);
    const bool vectors = arrays[0].data != nullptr;
    const int64_t m = a.rows(), n = a.columns(), least = std::min(m, n), most = std::max(m, n);
    const int64_t u_columns = vectors ? Stack<T>(arrays[0]).columns() : 0, vh_rows = vectors ? Stack<T>(arrays[2]).rows() : 1;
    const char job = !vectors ? 'N' : u_columns == least && vh_rows == least ? 'S' : 'A';
    auto some = [&](int64_t begin, int64_t end) {
      std::vector<T> matrix(m * n), u(m * u_columns), vh(vectors ? vh_rows * n : 1), work;
      if (u.empty()) u.resize(1);
      std::vector<R> s(least);
      std::vector<R> real_work(std::max({int64_t(1), 7 * least, least * (5 * least + 7), least * (2 * most + 2 * least + 1)}));
      std::vector<int64_t> integers(std::max<int64_t>(1, 8 * least));
      for (int64_t i = begin; i < end; ++i) {
        a.read(i, matrix.data());
        const bool finite = std::all_of(matrix.begin(), matrix.end(), [](T x) { return std::isfinite(std::abs(x)); });
        const int64_t info =
            finite ? gesdd<T>(job, m, n, matrix.data(), s.data(), u.data(), vh.data(), vh_rows, work, real_work, integers) : -4;
        if (info) failed(i, arrays[3].ndim > 2, info);
        if (vectors) {
          Stack<T>(arrays[0]).write(i, u.data());
          Stack<T>(arrays[2]).write(i, vh.data());
        }
        R* to = Stack<R>(arrays[1]).at(i, 1);
        for (int64_t k = 0; k < least; ++k) to[k * arrays[1].strides[arrays[1].ndim - 1]] = s[k];
      }
    };
    const int64_t work = std::max<int64_t>(1, m * n * least);
    parallel_for(a.count(), std::max<int64_t>(1, 200000 / work), some);
  });
}
const Register svd_("svd", svd);

}  // namespace
}  // namespace rl
