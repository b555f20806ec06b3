// Random numbers of parameters that are the same for every element: uniform, whole, and what one number in [0, 1) maps to.
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "random_fill.h"

namespace rl {

void uniform_block(Generator& g, float* out, int64_t count) {
  uint32_t words[1024];
  for (int64_t i = 0; i < count; i += 1024) {
    int64_t n = std::min<int64_t>(1024, count - i);
    g.random_words(words, n);
    for (int64_t j = 0; j < n; ++j) out[i + j] = float(int32_t(words[j] & 0xffffffu)) * 0x1p-24f;
  }
}

void uniform_block(Generator& g, double* out, int64_t count) {
  uint32_t words[1024];
  for (int64_t i = 0; i < count; i += 512) {
    int64_t n = std::min<int64_t>(512, count - i);
    g.random_words(words, 2 * n);
    for (int64_t j = 0; j < n; ++j)
      out[i + j] = double(int64_t((uint64_t(words[2 * j] & 0x1fffffu) << 32) | words[2 * j + 1])) * 0x1p-53;
  }
}

namespace {

// from, to (f): numbers in [from, to). float16, bfloat16, float32, float64; complex64 and complex128, part by part.
void uniform(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  if (is_complex_dtype(a[0].dtype)) {
    int64_t shape[max_dims + 1], strides[max_dims + 1];
    Array parts = {a[0].data, DType(real_of[int(a[0].dtype)]), a[0].ndim + 1, shape, strides};
    for (int d = 0; d < a[0].ndim; ++d) {
      shape[d] = a[0].shape[d];
      strides[d] = 2 * a[0].strides[d];
    }
    shape[a[0].ndim] = 2;
    strides[a[0].ndim] = 1;
    return uniform(&parts, 1, numbers);
  }
  visit<group::floating>("check_uniform_bounds", a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    using R = Real<T>;
    const R from = R(numbers[1].f), range = R(numbers[2].f) - from;
    const T low = T(from), high = T(R(numbers[2].f));
    // One rounding, as the instruction sets that PyTorch is built for have it; the usual [0, 1) needs none.
    // What rounds up to the excluded end becomes the other end.
    auto place = [&](R u) {
      T value = T(from == 0 ? u * range : std::fma(u, range, from));
      return R(value) == R(high) ? low : value;
    };
    if constexpr (std::is_same_v<T, R>) {
      if (contiguous(a[0])) {
        R* data = a[0].template as<R>();
        const int64_t n = a[0].numel();
        uniform_block(g, data, n);
        if (from == 0 && range == 1) return;
        for (int64_t i = 0; i < n; ++i) data[i] = place(data[i]);
        return;
      }
    }
    fill<T>(a[0], [&] { return place(std::is_same_v<T, double> ? R(g.uniform()) : R(g.uniform_float())); });
  });
}
const Register uniform_("uniform", uniform);

// ---- integers -----------------------------------------------------------------------------------------------------------

// from, to (i): whole numbers in [from, to). Every real dtype but float8.
void random_from_to(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  const int64_t from = numbers[1].i;
  const uint64_t range = uint64_t(numbers[2].i) - uint64_t(from);
  visit<group::ordered | group::wide_unsigned>("random_update_from_to", a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    // Two words from 2^28 on, so that the remainder favours no number noticeably.
    if (range >= (uint64_t(1) << 28))
      fill<T>(a[0], [&] { return int64_t(g.random64() % range + uint64_t(from)); });
    else
      fill<T>(a[0], [&] { return int64_t(g.random() % uint32_t(range) + uint64_t(from)); });
  });
}
const Register random_from_to_("random_from_to", random_from_to);

// No parameter: all non-negative values of an integer type, 0 ... 2^digits of a floating one. Every dtype.
void random_full(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  if (a[0].numel() == 0) return;  // of any dtype
  visit<group::ordered>("random_kernel_cpu", a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    if constexpr (std::is_same_v<T, bool>)
      fill<T>(a[0], [&] { return (g.random() & 1) != 0; });
    else if constexpr (std::is_same_v<T, double>)
      fill<T>(a[0], [&] { return g.random64() % ((uint64_t(1) << 53) + 1); });
    else if constexpr (std::is_same_v<T, int64_t>)
      fill<T>(a[0], [&] { return g.random64() & uint64_t(std::numeric_limits<int64_t>::max()); });
    else if constexpr (std::is_integral_v<T>)
      fill<T>(a[0], [&] { return g.random() & uint32_t(std::numeric_limits<T>::max()); });
    else {
      constexpr uint32_t digits = std::is_same_v<T, float> ? 24 : std::is_same_v<T, float16> ? 11 : 8;
      fill<T>(a[0], [&] { return g.random() % ((1u << digits) + 1); });
    }
  });
}
const Register random_full_("random_full", random_full);

// No parameter: any 64-bit pattern, as random_(-2**63, None) draws. int64.
void random_bits(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  if (a[0].dtype != DType::i64) no_kernel("random_from_to", a[0].dtype);
  fill<int64_t>(a[0], [&] { return int64_t(g.random64()); });
}
const Register random_bits_("random_bits", random_bits);

// A random permutation of 0 ... n - 1 (Fisher & Yates). out is 1-d, of any dtype that holds n - 1.
void randperm(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  visit<group::integer | group::floating>("randperm", a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    T* data = a[0].as<T>();
    const int64_t n = a[0].shape[0], stride = a[0].strides[0];
    // From here on one word is too narrow, and the shuffle is the one that grows a permutation from the front.
    constexpr int64_t large = std::numeric_limits<uint32_t>::max() / 20;
    if (n < large) {
      for (int64_t i = 0; i < n; ++i) data[i * stride] = rounded<T>(i);
      for (int64_t i = 0; i + 1 < n; ++i) std::swap(data[i * stride], data[(i + g.random() % uint32_t(n - i)) * stride]);
      return;
    }
    for (int64_t i = 0; i < n; ++i) {
      int64_t z = int64_t(g.random64() % uint64_t(i + 1));
      data[i * stride] = rounded<T>(i);
      std::swap(data[i * stride], data[z * stride]);
    }
  });
}
const Register randperm_("randperm", randperm);

// ---- distributions of one number ----------------------------------------------------------------------------------------

// p (f): 1 with probability p, else 0. Every dtype; a double is drawn for each element. The mask of dropout.
void bernoulli(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  const double p = numbers[1].f;
  if (a[0].numel() == 0) return;  // of any dtype
  visit<group::ordered>("bernoulli_scalar_cpu_", a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    fill<T>(a[0], [&] { return g.uniform() < p; });
  });
}
const Register bernoulli_("bernoulli", bernoulli);

// out, p (floating, out's shape): as above, with a probability for each element. A double is drawn where p is float64, else a
// float.
void bernoulli_tensor(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  if (a[0].numel() == 0) return;  // of any dtype
  visit<group::ordered>("bernoulli_tensor_cpu_self_", a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    visit<group::floating>("bernoulli_tensor_cpu_p_", a[1].dtype, [&](auto p_type) {
      using P = typename decltype(p_type)::type;
      in_memory_order<1>({&a[1]}, [&](const int64_t* at) {
        Real<P> p = a[1].template as<P>()[at[0]];
        if (!(p >= 0 && p <= 1))
          throw std::runtime_error(
              "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  If so, "
              "please report an enhancement request to PyTorch.)");
      });
      fill_from<T, P>(a[0], a[1], [&](Real<P> p) {
        return (std::is_same_v<P, double> ? Real<P>(g.uniform()) : Real<P>(g.uniform_float())) < p;
      });
    });
  });
}
const Register bernoulli_tensor_("bernoulli_tensor", bernoulli_tensor);

// The distributions that map one number in [0, 1) to one value, in double.
template <class F>
void mapped(const char* name, const Array& out, F&& draw) {
  visit<group::floating>(name, out.dtype, [&](auto type) { fill<typename decltype(type)::type>(out, draw); });
}

// rate (f). float16, bfloat16, float32, float64.
void exponential(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  const double scale = -1 / numbers[1].f;
  mapped("exponential_cpu", a[0], [&] { return scale * std::log1p(-g.uniform()); });
}
const Register exponential_("exponential", exponential);

// median, sigma (f). float16, bfloat16, float32, float64.
void cauchy(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  const double median = numbers[1].f, sigma = numbers[2].f;
  mapped("cauchy_cpu", a[0], [&] { return std::fma(sigma, std::tan(M_PI * (g.uniform() - 0.5)), median); });
}
const Register cauchy_("cauchy", cauchy);

// mean, std (f) of the logarithm. float16, bfloat16, float32, float64.
void log_normal(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  const double mean = numbers[1].f, std = numbers[2].f;
  mapped("log_normal_cpu", a[0], [&] { return std::exp(std::fma(g.normal(), std, mean)); });
}
const Register log_normal_("log_normal", log_normal);

// p (f): trials until the first success. Integer and floating dtypes.
void geometric(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  const double log_failure = std::log1p(-numbers[1].f);
  if (a[0].numel() == 0) return;  // of any dtype
  visit<group::integer | group::floating>("geometric_cpu", a[0].dtype, [&](auto type) {
    fill<typename decltype(type)::type>(a[0], [&] { return std::ceil(std::log(g.uniform()) / log_failure); });
  });
}
const Register geometric_("geometric", geometric);

}  // namespace
}  // namespace rl
