// Decompositions into vectors and values of their own, by LAPACK: singular values, eigenvalues.
#include "lapack.h"

namespace rl {
namespace {

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
        // NaN is refused, as LAPACK does it; of infinite matrices nothing is known (and LAPACK may not return).
        const bool known = std::none_of(matrix.begin(), matrix.end(), [](T x) { return x != x; });
        const bool finite = std::all_of(matrix.begin(), matrix.end(), [](T x) { return std::isfinite(std::abs(x)); });
        int64_t info = known ? 0 : -4;
        if (finite) {
          info = gesdd<T>(job, m, n, matrix.data(), s.data(), u.data(), vh.data(), vh_rows, work, real_work, integers);
        } else {
          constexpr R nothing = std::numeric_limits<R>::quiet_NaN();
          std::fill(s.begin(), s.end(), nothing);
          std::fill(u.begin(), u.end(), T(nothing));
          std::fill(vh.begin(), vh.end(), T(nothing));
        }
        if (info) failed(i, arrays[3].ndim > 2, info);
        if (vectors) {
          Stack<T>(arrays[0]).write(i, u.data());
          Stack<T>(arrays[2]).write(i, vh.data());
        }
        R* to = Stack<R>(arrays[1]).at(i, 1);
        for (int64_t k = 0; k < least; ++k) to[k * arrays[1].strides[arrays[1].ndim - 1]] = s[k];
      }
    };
    for_matrices(a.count(), m * n * least, some);
  });
}
const Register svd_("svd", svd);

// Eigenvalues and -vectors of a Hermitian matrix, by syevd or heevd. Gives LAPACK's info.
template <class T, class R = typename Real<T>::type>
int64_t eigh_of(char job, char triangle, int64_t n, T* a, R* values, std::vector<T>& work, std::vector<R>& real_work,
                std::vector<int64_t>& integers) {
  auto call = [&](T* space, int64_t size, R* real_space, int64_t real_size, int64_t* whole, int64_t whole_size) -> int64_t {
    RL_LAPACK_REAL(syevd, job, triangle, n, a, n, values, space, size, whole, whole_size);
    RL_LAPACK_COMPLEX(heevd, job, triangle, n, a, n, values, space, size, real_space, real_size, whole, whole_size);
  };
  if (work.empty()) {
    T wanted = T(0);
    R real_wanted = R(0);
    int64_t whole_wanted = 0;
    call(&wanted, -1, &real_wanted, -1, &whole_wanted, -1);
    work.resize(at_least_one(int64_t(std::real(wanted))));
    real_work.resize(at_least_one(int64_t(real_wanted)));
    integers.resize(at_least_one(whole_wanted));
  }
  return call(work.data(), work.size(), real_work.data(), real_work.size(), integers.data(), integers.size());
}

// values [..., n], vectors [..., n, n] (or none), infos [...]; a [..., n, n]; numbers: whether the upper triangle is read.
void eigh(const Array* arrays, int, const Number* numbers) {
  visit<group::real | group::complex>("linalg_eigh_cpu", arrays[3].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    using R = typename Real<T>::type;
    const Stack<T> a(arrays[3]);
    const bool vectors = arrays[1].data != nullptr;
    const int64_t n = a.rows();
    for_matrices(a.count(), 4 * n * n * n, [&](int64_t begin, int64_t end) {
      std::vector<T> matrix(at_least_one(n * n)), work;
      std::vector<R> values(at_least_one(n)), real_work;
      std::vector<int64_t> integers;
      for (int64_t i = begin; i < end; ++i) {
        a.read(i, matrix.data());
        const int64_t info = n ? eigh_of<T>(vectors ? 'V' : 'N', numbers[0].i ? 'U' : 'L', n, matrix.data(), values.data(), work,
                                            real_work, integers)
                               : 0;
        *Stack<int32_t>(arrays[2]).at(i, 0) = int32_t(info);
        Stack<R>(arrays[0]).write_vector(i, values.data());
        if (vectors) Stack<T>(arrays[1]).write(i, matrix.data());
      }
    });
  });
}
const Register eigh_("eigh", eigh);

// Eigenvalues and right eigenvectors of any matrix, by geev, as complex numbers. Gives LAPACK's info.
template <class T, class C, class R = typename Real<T>::type>
int64_t eig_of(bool vectors, int64_t n, T* a, C* values, C* right, std::vector<T>& work, std::vector<R>& real_work) {
  const char job = vectors ? 'V' : 'N';
  std::vector<T> real_values(2 * n), real_right(at_least_one(vectors ? n * n : 1));
  real_work.resize(at_least_one(2 * n));
  auto call = [&](T* space, int64_t size) -> int64_t {
    T none[1];
    RL_LAPACK_REAL(geev, 'N', job, n, a, n, real_values.data(), real_values.data() + n, none, 1, real_right.data(), n, space,
                   size);
    RL_LAPACK_COMPLEX(geev, 'N', job, n, a, n, values, none, 1, right, n, space, size, real_work.data());
  };
  if (work.empty()) {
    T wanted = T(0);
    call(&wanted, -1);
    work.resize(at_least_one(int64_t(std::real(wanted))));
  }
  const int64_t info = call(work.data(), int64_t(work.size()));
  if constexpr (!is_complex_type<T>) {
    for (int64_t j = 0; j < n; ++j) values[j] = C(real_values[j], real_values[n + j]);
    // A pair of conjugate values shares two columns: the real and the imaginary part of the vector of the first.
    for (int64_t j = 0; vectors && j < n; ++j) {
      const T* first = real_right.data() + j * n;
      const bool pair = real_values[n + j] != T(0) && j + 1 < n;
      for (int64_t i = 0; i < n; ++i) {
        right[j * n + i] = C(first[i], pair ? first[n + i] : T(0));
        if (pair) right[(j + 1) * n + i] = C(first[i], -first[n + i]);
      }
      j += pair;
    }
  }
  return info;
}

// values [..., n], vectors [..., n, n] (or none), infos [...]; a [..., n, n].
void eig(const Array* arrays, int, const Number*) {
  visit<group::real | group::complex>("linalg_eig_out_cpu", arrays[3].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    using R = typename Real<T>::type;
    using C = std::complex<R>;
    const Stack<T> a(arrays[3]);
    const bool vectors = arrays[1].data != nullptr;
    const int64_t n = a.rows();
    for_matrices(a.count(), 10 * n * n * n, [&](int64_t begin, int64_t end) {
      std::vector<T> matrix(at_least_one(n * n)), work;
      std::vector<C> values(at_least_one(n)), right(at_least_one(vectors ? n * n : 1));
      std::vector<R> real_work;
      for (int64_t i = begin; i < end; ++i) {
        a.read(i, matrix.data());
        const bool finite = std::all_of(matrix.begin(), matrix.end(), [](T x) { return std::isfinite(std::abs(x)); });
        int64_t info = 0;
        if (n && finite) info = eig_of<T, C>(vectors, n, matrix.data(), values.data(), right.data(), work, real_work);
        if (!finite) std::fill(values.begin(), values.end(), C(std::numeric_limits<R>::quiet_NaN()));
        *Stack<int32_t>(arrays[2]).at(i, 0) = int32_t(info);
        Stack<C>(arrays[0]).write_vector(i, values.data());
        if (vectors) Stack<C>(arrays[1]).write(i, right.data());
      }
    });
  });
}
const Register eig_("eig", eig);

}  // namespace
}  // namespace rl
