// Factorizations of matrices by LAPACK, and systems solved with them: LU, Cholesky, QR, triangles.
#include "lapack.h"

namespace rl {
namespace {

constexpr unsigned linear = group::real | group::complex;

// What a factorization says of each matrix: 0, or the place on the diagonal that stopped it.
struct Infos {
  const Array& array;
  void write(int64_t index, int64_t info) const { *Stack<int32_t>(array).at(index, 0) = int32_t(info); }
};

// LAPACK's pivots count from 1, as PyTorch's do; here they are int32 vectors.
std::vector<int64_t> read_pivots(const Array& array, int64_t index) {
  std::vector<int32_t> narrow(array.shape[array.ndim - 1]);
  Stack<int32_t>(array).read_vector(index, narrow.data());
  return {narrow.begin(), narrow.end()};
}

// lu [..., m, n], pivots [..., min(m, n)], infos [...]; a [..., m, n].
void lu_factor(const Array* arrays, int, const Number*) {
  visit<linear>("lu_cpu", arrays[3].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Stack<T> a(arrays[3]), lu(arrays[0]);
    const Stack<int32_t> pivots(arrays[1]);
    const int64_t m = a.rows(), n = a.columns(), least = std::min(m, n);
    for_matrices(a.count(), m * n * least, [&](int64_t begin, int64_t end) {
      std::vector<T> matrix(at_least_one(m * n));
      std::vector<int64_t> exchanged(at_least_one(least));
      for (int64_t i = begin; i < end; ++i) {
        a.read(i, matrix.data());
        const int64_t info = m && n ? RL_LAPACK(getrf, m, n, matrix.data(), at_least_one(m), exchanged.data()) : 0;
        lu.write(i, matrix.data());
        pivots.write_vector(i, exchanged.data());
        Infos{arrays[2]}.write(i, std::max<int64_t>(0, info));
      }
    });
  });
}
const Register lu_factor_("lu_factor", lu_factor);

// Refuses what is no row of a matrix of n, for all pivots before any is used: LAPACK goes where they say.
void check_pivots(const Array& pivots, int64_t count, int64_t n) {
  int64_t least = 1, greatest = n;
  for (int64_t i = 0; i < count; ++i)
    for (const int64_t row : read_pivots(pivots, i)) {
      least = std::min(least, row);
      greatest = std::max(greatest, row);
    }
  if (least < 1 || greatest > n)
    throw std::runtime_error(std::string("Pivots given to lu_solve must all be ") +
                             (least < 1 ? "greater or equal to 1" : "smaller or equal to LU.size(-2)") +
                             ". Did you properly pass the result of lu_factor?");
}

// x [..., n, k]; lu [..., n, n], pivots [..., n], b [..., n, k]; numbers: N, T or C, for A, its transpose or its adjoint.
void lu_solve(const Array* arrays, int, const Number* numbers) {
  visit<linear>("lu_solve_cpu", arrays[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Stack<T> x(arrays[0]), lu(arrays[1]), b(arrays[3]);
    const int64_t n = lu.rows(), k = b.columns();
    const char form = char(numbers[0].i);
    check_pivots(arrays[2], x.count(), n);
    for_matrices(x.count(), n * n * (k + 1), [&](int64_t begin, int64_t end) {
      std::vector<T> matrix(at_least_one(n * n)), right(at_least_one(n * k));
      for (int64_t i = begin; i < end; ++i) {
        lu.read(i, matrix.data());
        b.read(i, right.data());
        const auto exchanged = read_pivots(arrays[2], i);
        if (n && k) RL_LAPACK(getrs, form, n, k, matrix.data(), n, exchanged.data(), right.data(), n);
        x.write(i, right.data());
      }
    });
  });
}
const Register lu_solve_("lu_solve", lu_solve);

// The rows of the identity in the order of the pivots: order [..., m] (int64); pivots [..., k].
void pivot_order(const Array* arrays, int, const Number*) {
  const Stack<int64_t> order(arrays[0]);
  const int64_t m = order.columns();
  std::vector<int64_t> rows(m);
  int64_t count = 1;
  for (int d = 0; d < arrays[0].ndim - 1; ++d) count *= arrays[0].shape[d];
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < m; ++j) rows[j] = j;
    const auto exchanged = read_pivots(arrays[1], i);
    for (int64_t j = 0; j < int64_t(exchanged.size()); ++j) {
      if (exchanged[j] < 1 || exchanged[j] > m)
        throw std::runtime_error(
            "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive.Did you properly pass the "
            "result of lu_factor?");
      std::swap(rows[j], rows[exchanged[j] - 1]);
    }
    order.write_vector(i, rows.data());
  }
}
const Register pivot_order_("pivot_order", pivot_order);

// factor [..., n, n], infos [...]; a [..., n, n]; numbers: whether the upper triangle is read and written.
void cholesky(const Array* arrays, int, const Number* numbers) {
  visit<linear>("cholesky_cpu", arrays[2].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Stack<T> a(arrays[2]), factor(arrays[0]);
    const int64_t n = a.rows();
    const bool upper = numbers[0].i != 0;
    for_matrices(a.count(), n * n * n, [&](int64_t begin, int64_t end) {
      std::vector<T> matrix(at_least_one(n * n));
      for (int64_t i = begin; i < end; ++i) {
        a.read(i, matrix.data());
        int64_t info = n ? RL_LAPACK(potrf, upper ? 'U' : 'L', n, matrix.data(), n) : 0;
        // Some versions let NaN pass.
        for (int64_t k = 0; !info && k < n; ++k)
          if (std::isnan(std::real(matrix[k * n + k]))) info = k + 1;
        for (int64_t column = 0; column < n; ++column)
          for (int64_t row = upper ? column + 1 : 0; row < (upper ? n : column); ++row) matrix[column * n + row] = T(0);
        factor.write(i, matrix.data());
        Infos{arrays[1]}.write(i, std::max<int64_t>(0, info));
      }
    });
  });
}
const Register cholesky_("cholesky", cholesky);

// x [..., n, k]; factor [..., n, n], b [..., n, k]; numbers: upper.
void cholesky_solve(const Array* arrays, int, const Number* numbers) {
  visit<linear>("cholesky_solve_cpu", arrays[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Stack<T> x(arrays[0]), factor(arrays[1]), b(arrays[2]);
    const int64_t n = b.rows(), k = b.columns();
    for_matrices(x.count(), n * n * k, [&](int64_t begin, int64_t end) {
      std::vector<T> matrix(at_least_one(n * n)), right(at_least_one(n * k));
      for (int64_t i = begin; i < end; ++i) {
        factor.read(i, matrix.data());
        b.read(i, right.data());
        if (n && k) RL_LAPACK(potrs, numbers[0].i ? 'U' : 'L', n, k, matrix.data(), n, right.data(), n);
        x.write(i, right.data());
      }
    });
  });
}
const Register cholesky_solve_("cholesky_solve", cholesky_solve);

// inverse [..., n, n], infos [...]; factor [..., n, n]; numbers: upper. The inverse of the matrix that the factor is of.
void cholesky_inverse(const Array* arrays, int, const Number* numbers) {
  visit<linear>("cholesky_inverse_out_cpu", arrays[2].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Stack<T> inverse(arrays[0]), factor(arrays[2]);
    const int64_t n = factor.rows();
    const bool upper = numbers[0].i != 0;
    for_matrices(factor.count(), n * n * n, [&](int64_t begin, int64_t end) {
      std::vector<T> matrix(at_least_one(n * n));
      for (int64_t i = begin; i < end; ++i) {
        factor.read(i, matrix.data());
        const int64_t info = n ? RL_LAPACK(potri, upper ? 'U' : 'L', n, matrix.data(), n) : 0;
        // One triangle is filled; the other is its mirror image.
        for (int64_t column = 0; column < n; ++column)
          for (int64_t row = 0; row < column; ++row) {
            T& above = matrix[column * n + row];
            T& below = matrix[row * n + column];
            T& made = upper ? below : above;
            made = upper ? above : below;
            if constexpr (is_complex_type<T>) made = std::conj(made);
          }
        inverse.write(i, matrix.data());
        Infos{arrays[1]}.write(i, std::max<int64_t>(0, info));
      }
    });
  });
}
const Register cholesky_inverse_("cholesky_inverse", cholesky_inverse);

template <class T>
void trsm(CBLAS_SIDE side, CBLAS_UPLO triangle, CBLAS_DIAG unit, int64_t m, int64_t n, const T* a, int64_t lda, T* b) {
  const T one = T(1);
  if constexpr (std::is_same_v<T, float>)
    scipy_cblas_strsm64_(CblasColMajor, side, triangle, CblasNoTrans, unit, m, n, one, a, lda, b, m);
  else if constexpr (std::is_same_v<T, double>)
    scipy_cblas_dtrsm64_(CblasColMajor, side, triangle, CblasNoTrans, unit, m, n, one, a, lda, b, m);
  else if constexpr (std::is_same_v<T, std::complex<float>>)
    scipy_cblas_ctrsm64_(CblasColMajor, side, triangle, CblasNoTrans, unit, m, n, &one, a, lda, b, m);
  else
    scipy_cblas_ztrsm64_(CblasColMajor, side, triangle, CblasNoTrans, unit, m, n, &one, a, lda, b, m);
}

// x [..., m, n]; a [..., k, k] of which one triangle counts, b [..., m, n]; numbers: upper, left, whether the diagonal is taken
// for ones.
void triangular_solve(const Array* arrays, int, const Number* numbers) {
  visit<linear>("triangular_solve_cpu", arrays[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Stack<T> x(arrays[0]), a(arrays[1]), b(arrays[2]);
    const int64_t m = b.rows(), n = b.columns(), k = a.rows();
    const auto triangle = numbers[0].i ? CblasUpper : CblasLower;
    const auto side = numbers[1].i ? CblasLeft : CblasRight;
    const auto unit = numbers[2].i ? CblasUnit : CblasNonUnit;
    for_matrices(x.count(), m * n * k, [&](int64_t begin, int64_t end) {
      std::vector<T> matrix(at_least_one(k * k)), right(at_least_one(m * n));
      for (int64_t i = begin; i < end; ++i) {
        a.read(i, matrix.data());
        b.read(i, right.data());
        if (m && n) trsm<T>(side, triangle, unit, m, n, matrix.data(), k, right.data());
        x.write(i, right.data());
      }
    });
  });
}
const Register triangular_solve_("triangular_solve", triangular_solve);

// reflectors [..., m, n], tau [..., min(m, n)]; a [..., m, n]: R above Householder's vectors.
void geqrf(const Array* arrays, int, const Number*) {
  visit<linear>("geqrf_cpu", arrays[2].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Stack<T> a(arrays[2]), reflectors(arrays[0]), tau(arrays[1]);
    const int64_t m = a.rows(), n = a.columns(), least = std::min(m, n);
    for_matrices(a.count(), m * n * least, [&](int64_t begin, int64_t end) {
      std::vector<T> matrix(at_least_one(m * n)), scales(at_least_one(least)), work;
      for (int64_t i = begin; i < end; ++i) {
        a.read(i, matrix.data());
        if (least)
          with_space(work, [&](T* space, int64_t size) {
            return RL_LAPACK(geqrf, m, n, matrix.data(), at_least_one(m), scales.data(), space, size);
          });
        reflectors.write(i, matrix.data());
        tau.write_vector(i, scales.data());
      }
    });
  });
}
const Register geqrf_("geqrf", geqrf);

template <class T>
int64_t orgqr(int64_t m, int64_t n, int64_t k, T* a, const T* tau, T* space, int64_t size) {
  RL_LAPACK_REAL(orgqr, m, n, k, a, at_least_one(m), tau, space, size);
  RL_LAPACK_COMPLEX(ungqr, m, n, k, a, at_least_one(m), tau, space, size);
}

// q [..., m, c]; reflectors [..., m, n], tau [..., k]: the first c columns of the product of k reflections, k <= c <= m.
void householder_product(const Array* arrays, int, const Number*) {
  visit<linear>("orgqr_cpu", arrays[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Stack<T> q(arrays[0]), reflectors(arrays[1]), tau(arrays[2]);
    const int64_t m = q.rows(), c = q.columns(), n = reflectors.columns(), k = tau.columns();
    for_matrices(q.count(), m * c * k, [&](int64_t begin, int64_t end) {
      std::vector<T> matrix(at_least_one(m * std::max(c, n))), scales(at_least_one(k)), work;
      for (int64_t i = begin; i < end; ++i) {
        reflectors.read(i, matrix.data());
        tau.read_vector(i, scales.data());
        if (m && c)
          with_space(work, [&](T* space, int64_t size) { return orgqr<T>(m, c, k, matrix.data(), scales.data(), space, size); });
        q.write(i, matrix.data());
      }
    });
  });
}
const Register householder_product_("householder_product", householder_product);

template <class T>
int64_t ormqr(char side, char form, int64_t m, int64_t n, int64_t k, int64_t height, const T* a, const T* tau, T* c, T* space,
              int64_t size) {
  RL_LAPACK_REAL(ormqr, side, form, m, n, k, a, height, tau, c, at_least_one(m), space, size);
  RL_LAPACK_COMPLEX(unmqr, side, form, m, n, k, a, height, tau, c, at_least_one(m), space, size);
}

// product [..., m, n]; reflectors [..., m or n, k], tau [..., k], c [..., m, n]: the product of the reflections times c (or c
// times that); numbers: left, whether the adjoint is meant.
void reflect(const Array* arrays, int, const Number* numbers) {
  visit<linear>("ormqr_cpu", arrays[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Stack<T> product(arrays[0]), reflectors(arrays[1]), tau(arrays[2]), c(arrays[3]);
    const int64_t m = c.rows(), n = c.columns(), height = reflectors.rows(), k = tau.columns();
    const char side = numbers[0].i ? 'L' : 'R', form = !numbers[1].i ? 'N' : is_complex_type<T> ? 'C' : 'T';
    for_matrices(c.count(), m * n * k, [&](int64_t begin, int64_t end) {
      std::vector<T> matrix(at_least_one(height * reflectors.columns())), right(at_least_one(m * n)), scales(at_least_one(k)),
          work;
      for (int64_t i = begin; i < end; ++i) {
        reflectors.read(i, matrix.data());
        tau.read_vector(i, scales.data());
        c.read(i, right.data());
        if (m && n && k)
          with_space(work, [&](T* space, int64_t size) {
            return ormqr<T>(side, form, m, n, k, height, matrix.data(), scales.data(), right.data(), space, size);
          });
        product.write(i, right.data());
      }
    });
  });
}
const Register reflect_("reflect", reflect);

template <class T>
int64_t ldl_factor_of(bool hermitian, int64_t n, T* a, int64_t* pivots, T* space, int64_t size) {
  if (hermitian) RL_LAPACK_COMPLEX(hetrf, 'L', n, a, n, pivots, space, size);
  RL_LAPACK_REAL(sytrf, 'L', n, a, n, pivots, space, size);
  RL_LAPACK_COMPLEX(sytrf, 'L', n, a, n, pivots, space, size);
}

// factor [..., n, n], pivots [..., n], infos [...]; a [..., n, n] of which the lower triangle is read; numbers: hermitian.
void ldl_factor(const Array* arrays, int, const Number* numbers) {
  visit<linear>("ldl_factor_kernel_cpu", arrays[3].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Stack<T> a(arrays[3]), factor(arrays[0]);
    const Stack<int32_t> pivots(arrays[1]);
    const int64_t n = a.rows();
    for_matrices(a.count(), n * n * n, [&](int64_t begin, int64_t end) {
      std::vector<T> matrix(at_least_one(n * n)), work;
      std::vector<int64_t> exchanged(at_least_one(n));
      for (int64_t i = begin; i < end; ++i) {
        a.read(i, matrix.data());
        int64_t info = 0;
        if (n)
          info = with_space(work, [&](T* space, int64_t size) {
            return ldl_factor_of<T>(numbers[0].i != 0, n, matrix.data(), exchanged.data(), space, size);
          });
        for (int64_t column = 0; column < n; ++column) std::fill_n(matrix.data() + column * n, column, T(0));
        factor.write(i, matrix.data());
        pivots.write_vector(i, exchanged.data());
        Infos{arrays[2]}.write(i, std::max<int64_t>(0, info));
      }
    });
  });
}
const Register ldl_factor_("ldl_factor", ldl_factor);

template <class T>
int64_t ldl_solve_of(bool hermitian, int64_t n, int64_t k, const T* factor, const int64_t* pivots, T* b) {
  if (hermitian) RL_LAPACK_COMPLEX(hetrs, 'L', n, k, factor, n, pivots, b, n);
  RL_LAPACK_REAL(sytrs, 'L', n, k, factor, n, pivots, b, n);
  RL_LAPACK_COMPLEX(sytrs, 'L', n, k, factor, n, pivots, b, n);
}

// Pivots as they come from a program: a block of two has two equal negative ones.
void check_ldl_pivots(const std::vector<int64_t>& pivots) {
  const int64_t n = int64_t(pivots.size());
  for (int64_t j = 0; j < n; ++j) {
    const int64_t pivot = pivots[j] < 0 ? -pivots[j] : pivots[j];
    const bool block = pivots[j] < 0;
    if (pivot < 1 || pivot > n || (block && (j + 1 == n || pivots[j + 1] != pivots[j])))
      throw std::runtime_error("linalg.ldl_solve: pivots must be those of linalg.ldl_factor");
    j += block;
  }
}

// x [..., n, k]; factor [..., n, n], pivots [..., n], b [..., n, k]; numbers: hermitian.
void ldl_solve(const Array* arrays, int, const Number* numbers) {
  visit<linear>("ldl_solve_kernel_cpu", arrays[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Stack<T> x(arrays[0]), factor(arrays[1]), b(arrays[3]);
    const int64_t n = b.rows(), k = b.columns();
    for_matrices(x.count(), n * n * k, [&](int64_t begin, int64_t end) {
      std::vector<T> matrix(at_least_one(n * n)), right(at_least_one(n * k));
      for (int64_t i = begin; i < end; ++i) {
        factor.read(i, matrix.data());
        b.read(i, right.data());
        const auto exchanged = read_pivots(arrays[2], i);
        check_ldl_pivots(exchanged);
        if (n && k) ldl_solve_of<T>(numbers[0].i != 0, n, k, matrix.data(), exchanged.data(), right.data());
        x.write(i, right.data());
      }
    });
  });
}
const Register ldl_solve_("ldl_solve", ldl_solve);

}  // namespace
}  // namespace rl
