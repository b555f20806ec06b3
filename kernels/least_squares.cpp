// Systems of more or fewer equations than unknowns, solved in the sense of least squares by LAPACK.
#include "lapack.h"

namespace rl {
namespace {

enum Driver { gels, gelsy, gelsd, gelss };

// The space that a driver works in, for one matrix after the other.
template <class T>
struct Space {
  using R = typename Real<T>::type;
  std::vector<T> work;
  std::vector<R> real;
  std::vector<int64_t> whole;
};

template <class T>
struct Problem {
  using R = typename Real<T>::type;
  int64_t m, n, k;
  T* a;
  T* b;
  R rcond;
  R* values;
  int64_t rank = 0;

  int64_t lda() const { return at_least_one(m); }
  int64_t ldb() const { return at_least_one(std::max(m, n)); }
};

// QR of a matrix of full rank.
template <class T>
int64_t solve_gels(Problem<T>& p, T* space, int64_t size, Space<T>&) {
  return RL_LAPACK(gels, 'N', p.m, p.n, p.k, p.a, p.lda(), p.b, p.ldb(), space, size);
}

// QR with pivots.
template <class T>
int64_t solve_gelsy(Problem<T>& p, T* space, int64_t size, Space<T>& s) {
  s.whole.assign(at_least_one(p.n), 0);
  s.real.resize(at_least_one(2 * p.n));
  RL_LAPACK_REAL(gelsy, p.m, p.n, p.k, p.a, p.lda(), p.b, p.ldb(), s.whole.data(), p.rcond, &p.rank, space, size);
  RL_LAPACK_COMPLEX(gelsy, p.m, p.n, p.k, p.a, p.lda(), p.b, p.ldb(), s.whole.data(), p.rcond, &p.rank, space, size,
                    s.real.data());
}

// Singular values, divide and conquer. What it needs besides is told with the size of the space.
template <class T>
int64_t solve_gelsd(Problem<T>& p, T* space, int64_t size, Space<T>& s) {
  s.whole.resize(at_least_one(s.whole.size()));
  s.real.resize(at_least_one(s.real.size()));
  auto call = [&]() -> int64_t {
    RL_LAPACK_REAL(gelsd, p.m, p.n, p.k, p.a, p.lda(), p.b, p.ldb(), p.values, p.rcond, &p.rank, space, size, s.whole.data());
    RL_LAPACK_COMPLEX(gelsd, p.m, p.n, p.k, p.a, p.lda(), p.b, p.ldb(), p.values, p.rcond, &p.rank, space, size, s.real.data(),
                      s.whole.data());
  };
  const int64_t info = call();
  if (size < 0) {
    s.whole.resize(at_least_one(s.whole[0]));
    s.real.resize(at_least_one(int64_t(s.real[0])));
  }
  return info;
}

// Singular values.
template <class T>
int64_t solve_gelss(Problem<T>& p, T* space, int64_t size, Space<T>& s) {
  s.real.resize(at_least_one(5 * std::min(p.m, p.n)));
  RL_LAPACK_REAL(gelss, p.m, p.n, p.k, p.a, p.lda(), p.b, p.ldb(), p.values, p.rcond, &p.rank, space, size);
  RL_LAPACK_COMPLEX(gelss, p.m, p.n, p.k, p.a, p.lda(), p.b, p.ldb(), p.values, p.rcond, &p.rank, space, size, s.real.data());
}

// solution [..., max(m, n), k] (the right side in its first m rows), ranks [...] (int64), values [..., min(m, n)], infos [...];
// a [..., m, n]; numbers: the driver, the smallest part of the largest singular value that counts.
void least_squares(const Array* arrays, int, const Number* numbers) {
  visit<group::real | group::complex>("torch.linalg.lstsq_cpu", arrays[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    using R = typename Real<T>::type;
    const Stack<T> solution(arrays[0]), a(arrays[4]);
    const int64_t m = a.rows(), n = a.columns(), k = solution.columns(), least = std::min(m, n);
    constexpr int64_t (*solvers[])(Problem<T>&, T*, int64_t, Space<T>&) = {solve_gels<T>, solve_gelsy<T>, solve_gelsd<T>,
                                                                           solve_gelss<T>};
    const auto solve = solvers[numbers[0].i];
    for_matrices(a.count(), m * n * (least + k), [&](int64_t begin, int64_t end) {
      std::vector<T> matrix(at_least_one(m * n)), right(at_least_one(solution.rows() * k));
      std::vector<R> values(at_least_one(least));
      Space<T> space;
      for (int64_t i = begin; i < end; ++i) {
        a.read(i, matrix.data());
        solution.read(i, right.data());
        Problem<T> problem{m, n, k, matrix.data(), right.data(), R(numbers[1].f), values.data()};
        int64_t info = 0;
        // NaN is an error, of both sides; of infinite matrices drivers that look for singular values may not return.
        if (std::any_of(matrix.begin(), matrix.end(), [](T x) { return x != x; }) ||
            std::any_of(right.begin(), right.end(), [](T x) { return x != x; }))
          info = -1;
        else if (numbers[0].i >= gelsd &&
                 std::any_of(matrix.begin(), matrix.end(), [](T x) { return !std::isfinite(std::abs(x)); }))
          info = 1;
        else if (least)
          info = with_space(space.work, [&](T* work, int64_t size) { return solve(problem, work, size, space); });
        else
          std::fill(right.begin(), right.end(), T(0));
        solution.write(i, right.data());
        *Stack<int64_t>(arrays[1]).at(i, 0) = problem.rank;
        if (arrays[2].data) Stack<R>(arrays[2]).write_vector(i, values.data());
        *Stack<int32_t>(arrays[3]).at(i, 0) = int32_t(info);
      }
    });
  });
}
const Register least_squares_("least_squares", least_squares);

}  // namespace
}  // namespace rl
