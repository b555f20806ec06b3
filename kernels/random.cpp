// Random numbers. In every kernel here numbers[0].i is the address of a Generator and arrays[0] the output; what follows in
// `numbers` stands above each kernel. Elements are drawn one after another on one thread; only arithmetic is shared out.
#include "random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <vector>

#include "registry.h"
#include "threads.h"

namespace rl {

namespace {

// ---- the order of elements ----------------------------------------------------------------------------------------------

Generator& generator_of(const Number* numbers) { return *reinterpret_cast<Generator*>(numbers[0].i); }

bool contiguous(const Array& a) {
  int64_t expected = 1;
  for (int d = a.ndim - 1; d >= 0; --d) {
    if (a.shape[d] != 1 && a.strides[d] != expected) return a.numel() == 0;
    expected *= a.shape[d];
  }
  return true;
}

// Calls f(element offset in each array) for all elements of arrays of one shape, in PyTorch's order: dimensions are
// nested by stride, the smallest innermost, the first array that can tell them apart deciding; equal strides by size.
// So a transposed output is filled in the order of its memory.
template <int count, class F>
void in_memory_order(const Array* const (&arrays)[count], F&& f) {
  const Array& first = *arrays[0];
  const int ndim = first.ndim;
  int order[max_dims];  // innermost first
  for (int d = 0; d < ndim; ++d) order[d] = ndim - 1 - d;
  auto compare = [&](int inner, int outer) {
    for (const Array* a : arrays) {
      int64_t s = a->shape[inner] == 1 && first.shape[inner] != 1 ? 0 : a->strides[inner];
      int64_t t = a->shape[outer] == 1 && first.shape[outer] != 1 ? 0 : a->strides[outer];
      if (s == 0 || t == 0) continue;
      if (s != t) return s < t ? -1 : 1;
      if (first.shape[inner] > first.shape[outer]) return 1;
    }
    return 0;
  };
  for (int i = 1; i < ndim; ++i) {
    int moving = i;
    for (int j = i - 1; j >= 0; --j) {
      int sign = compare(order[j], order[moving]);
      if (sign < 0) break;
      if (sign > 0) {
        std::swap(order[j], order[moving]);
        moving = j;
      }
    }
  }
  if (first.numel() == 0) return;
  int64_t index[max_dims] = {}, offsets[count] = {};
  for (;;) {
    f(offsets);
    int i = 0;
    for (; i < ndim; ++i) {
      int d = order[i];
      for (int k = 0; k < count; ++k) offsets[k] += arrays[k]->strides[d];
      if (++index[d] < first.shape[d]) break;
      for (int k = 0; k < count; ++k) offsets[k] -= arrays[k]->strides[d] * first.shape[d];
      index[d] = 0;
    }
    if (i == ndim) return;
  }
}

// The type that `T` is computed in.
template <class T>
using Real = std::conditional_t<std::is_same_v<T, double>, double, float>;

template <class T, class V>
T rounded(V value) {
  if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>)
    return T(float(value));
  else
    return T(value);
}

// out[...] = draw() for every element.
template <class T, class F>
void fill(const Array& out, F&& draw) {
  T* data = out.as<T>();
  if (contiguous(out)) {
    for (int64_t i = 0, n = out.numel(); i < n; ++i) data[i] = rounded<T>(draw());
  } else {
    in_memory_order<1>({&out}, [&](const int64_t* at) { data[at[0]] = rounded<T>(draw()); });
  }
}

// out[...] = draw(in[...]), `in` of out's shape (strides may be 0).
template <class T, class U, class F>
void fill_from(const Array& out, const Array& in, F&& draw) {
  T* data = out.as<T>();
  const U* from = in.as<U>();
  in_memory_order<2>({&out, &in}, [&](const int64_t* at) { data[at[0]] = rounded<T>(draw(from[at[1]])); });
}

// ---- uniform and normal -------------------------------------------------------------------------------------------------

// `count` numbers in [0, 1).
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

// from, to (f): numbers in [from, to). float16, bfloat16, float32, float64; complex64 and complex128, part by part.
void uniform(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  if (a[0].dtype == DType::c64 || a[0].dtype == DType::c128) {
    int64_t shape[max_dims + 1], strides[max_dims + 1];
    Array parts = {a[0].data, a[0].dtype == DType::c64 ? DType::f32 : DType::f64, a[0].ndim + 1, shape, strides};
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

// Logarithm, sine and cosine in float as in Cephes (Moshier 1992), with the sums of products fused: PyTorch draws its float
// normal numbers by these, and another approximation would differ in the last bit of one number in six. x is a normal number.
[[gnu::always_inline]] inline float cephes_log(float x) {
  const int32_t bits = std::bit_cast<int32_t>(x);
  float e = float((bits >> 23) - 126);
  x = std::bit_cast<float>((bits & 0x007fffff) | 0x3f000000);
  const int32_t low = -int32_t(x < 0.707106781186547524f);
  x = (x - 1.0f) + std::bit_cast<float>(std::bit_cast<int32_t>(x) & low);
  e += float(low);
  const float z = x * x;
  // Horner's scheme, written out: a loop here would keep the loop over elements from being vectorised.
  float y = std::fma(7.0376836292e-2f, x, -1.1514610310e-1f);
  y = std::fma(y, x, 1.1676998740e-1f);
  y = std::fma(y, x, -1.2420140846e-1f);
  y = std::fma(y, x, 1.4249322787e-1f);
  y = std::fma(y, x, -1.6668057665e-1f);
  y = std::fma(y, x, 2.0000714765e-1f);
  y = std::fma(y, x, -2.4999993993e-1f);
  y = std::fma(y, x, 3.3333331174e-1f);
  y = std::fma(y * x, z, e * -2.12194440e-4f);
  y = std::fma(-z, 0.5f, y);
  return std::fma(e, 0.693359375f, x + y);
}

// x is not negative.
[[gnu::always_inline]] inline void cephes_sin_cos(float x, float* sine, float* cosine) {
  const int32_t octant = (int32_t(x * 1.27323954473516f) + 1) & ~1;
  const float y = float(octant);
  x = std::fma(y, -0.78515625f, x);
  x = std::fma(y, -2.4187564849853515625e-4f, x);
  x = std::fma(y, -3.77489497744594108e-8f, x);
  const float z = x * x;
  float c = std::fma(std::fma(2.443315711809948e-5f, z, -1.388731625493765e-3f), z, 4.166664568298827e-2f) * z;
  c = std::fma(c, z, -(z * 0.5f)) + 1.0f;
  float s = std::fma(std::fma(-1.9515295891e-4f, z, 8.3321608736e-3f), z, -1.6666654611e-1f) * z;
  s = std::fma(s, x, x);
  // Which of the two it is, and its sign, by masks: the loop over elements has no branch.
  const int32_t swap = -((octant >> 1) & 1), c_bits = std::bit_cast<int32_t>(c), s_bits = std::bit_cast<int32_t>(s);
  const int32_t difference = (c_bits ^ s_bits) & swap;
  *sine = std::bit_cast<float>(s_bits ^ difference ^ ((octant & 4) << 29));
  *cosine = std::bit_cast<float>(c_bits ^ difference ^ ((~(octant - 2) & 4) << 29));
}

// A fused multiply-add is one instruction, or a call of many; the results are the same.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(RL_BASELINE_ONLY)
#define RL_FUSED_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define RL_FUSED_CLONES
#endif

// Blocks of sixteen uniform numbers become normal ones: number i and number i + 8 of a block are a pair.
RL_FUSED_CLONES void box_muller(float* x, int64_t blocks, float mean, float std) {
  for (; blocks > 0; --blocks, x += 16) {
    for (int i = 0; i < 8; ++i) {
      float sine, cosine;
      const float radius = std::sqrt(-2.0f * cephes_log(1.0f - x[i]));
      cephes_sin_cos(float(2 * M_PI) * x[i + 8], &sine, &cosine);
      x[i] = std::fma(radius * cosine, std, mean);
      x[i + 8] = std::fma(radius * sine, std, mean);
    }
  }
}
#undef RL_FUSED_CLONES

void box_muller(double* x, int64_t blocks, double mean, double std) {
  for (; blocks > 0; --blocks, x += 16) {
    for (int i = 0; i < 8; ++i) {
      const double radius = std::sqrt(-2 * std::log(1 - x[i])), angle = 2 * M_PI * x[i + 8];
      x[i] = std::fma(radius * std::cos(angle), std, mean);
      x[i + 8] = std::fma(radius * std::sin(angle), std, mean);
    }
  }
}

// Large contiguous outputs: blocks of sixteen uniform numbers. An incomplete last block is replaced by sixteen newly drawn
// numbers that end where the output ends; float16 and bfloat16 draw nothing for the numbers so replaced, the others do.
template <class T>
void normal_blocks(Generator& g, T* data, int64_t n, Real<T> mean, Real<T> std) {
  using R = Real<T>;
  const int64_t whole = n / 16 * 16;
  auto transform = [=](R* values) {
    parallel_for(whole / 16, 512, [=](int64_t begin, int64_t end) { box_muller(values + 16 * begin, end - begin, mean, std); });
  };
  if constexpr (std::is_same_v<T, R>) {
    uniform_block(g, data, n);
    transform(data);
  } else {
    std::vector<R> values(whole);
    uniform_block(g, values.data(), whole);
    transform(values.data());
    for (int64_t i = 0; i < whole; ++i) data[i] = T(values[i]);
  }
  if (whole == n) return;
  R last[16];
  uniform_block(g, last, 16);
  box_muller(last, 1, mean, std);
  for (int i = 0; i < 16; ++i) data[n - 16 + i] = T(last[i]);
}

template <class T>
void normal_of(Generator& g, const Array& out, double mean, double std) {
  if (out.numel() >= 16 && contiguous(out)) return normal_blocks<T>(g, out.as<T>(), out.numel(), Real<T>(mean), Real<T>(std));
  fill<T>(out, [&] { return std::fma(g.normal(), std, mean); });
}

// mean, std (f). float16, bfloat16, float32, float64; complex64 and complex128, where each part has std / sqrt(2).
void normal(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  const double mean = numbers[1].f, std = numbers[2].f;
  visit<group::floating | group::complex>("normal_kernel_cpu", a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    if constexpr (((group::complex >> int(DType::c64)) & 1) && requires { typename T::value_type; }) {
      using R = typename T::value_type;
      // The real and the imaginary part are one more, innermost dimension.
      std::vector<int64_t> shape(a[0].shape, a[0].shape + a[0].ndim), strides(a[0].strides, a[0].strides + a[0].ndim);
      for (int64_t& s : strides) s *= 2;
      shape.push_back(2);
      strides.push_back(1);
      Array parts = {a[0].data, std::is_same_v<R, float> ? DType::f32 : DType::f64, a[0].ndim + 1, shape.data(), strides.data()};
      normal_of<R>(g, parts, mean, std / std::sqrt(2.0));
    } else {
      normal_of<T>(g, a[0], mean, std);
    }
  });
}
const Register normal_("normal", normal);

// ---- integers -----------------------------------------------------------------------------------------------------------

// from, to (i): whole numbers in [from, to). Every dtype.
void random_from_to(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  const int64_t from = numbers[1].i;
  const uint64_t range = uint64_t(numbers[2].i) - uint64_t(from);
  visit<group::ordered>("random_from_to", a[0].dtype, [&](auto type) {
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
  visit<group::integer | group::floating>("geometric_cpu", a[0].dtype, [&](auto type) {
    fill<typename decltype(type)::type>(a[0], [&] { return std::ceil(std::log(g.uniform()) / log_failure); });
  });
}
const Register geometric_("geometric", geometric);

// ---- distributions with a parameter for each element --------------------------------------------------------------------

double sample_poisson(Generator& g, double rate) {
  if (rate <= 0) return 0;
  if (rate < 10) {
    const double limit = std::exp(-rate);
    double product = 1;
    for (int64_t k = 0;; ++k) {
      product *= g.uniform();
      if (product <= limit) return double(k);
    }
  }
  // Hörmann 1993, transformed rejection ("PTRS").
  const double root = std::sqrt(rate), log_rate = std::log(rate);
  const double b = 0.931 + 2.53 * root, a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    double u = g.uniform() - 0.5, v = g.uniform();
    double us = 0.5 - std::fabs(u);
    double k = std::floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b) <= -rate + k * log_rate - std::lgamma(k + 1))
      return k;
  }
}

// out, rates (of out's shape and dtype). float16, bfloat16, float32, float64.
void poisson(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  visit<group::floating>("poisson_cpu", a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    in_memory_order<1>({&a[1]}, [&](const int64_t* at) {
      if (!(Real<T>(a[1].template as<T>()[at[0]]) >= 0))
        throw std::runtime_error("invalid Poisson rate, expected rate to be non-negative");
    });
    fill_from<T, T>(a[0], a[1], [&](Real<T> rate) { return sample_poisson(g, rate); });
  });
}
const Register poisson_("poisson", poisson);

// Marsaglia & Tsang 2000; below 1 with their boost of the shape. What is computed of alpha alone has alpha's precision.
template <class R>
double sample_gamma(Generator& g, R alpha) {
  if (alpha == 0) return 0;
  double scale = 1;
  if (alpha < 1) {
    scale = std::pow(1 - g.uniform(), double(1 / alpha));
    alpha += 1;
  }
  const double d = alpha - 1.0f / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    double x, y;
    do {
      x = g.normal();
      y = 1 + c * x;
    } while (y <= 0);
    double v = y * y * y, u = 1 - g.uniform(), xx = x * x;
    if (u < 1 - 0.0331 * xx * xx || std::log(u) < 0.5 * xx + d * (1 - v + std::log(v))) return scale * d * v;
  }
}

// out, alpha (of out's shape and dtype). float32, float64. Never less than the smallest normal number.
void standard_gamma(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  visit<group::real>("gamma_cpu", a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    fill_from<T, T>(a[0], a[1], [&](T alpha) { return std::max(std::numeric_limits<T>::min(), T(sample_gamma<T>(g, alpha))); });
  });
}
const Register standard_gamma_("standard_gamma", standard_gamma);

// log(k!) less Stirling's formula.
template <class R>
R stirling_tail(R k) {
  static const R exact[] = {R(0.0810614667953272),  R(0.0413406959554092), R(0.0276779256849983), R(0.02079067210376509),
                            R(0.0166446911898211),  R(0.0138761288230707), R(0.0118967099458917), R(0.0104112652619720),
                            R(0.00925546218271273), R(0.00833056343336287)};
  if (k <= 9) return exact[int(k)];
  R square = (k + 1) * (k + 1);
  return R((1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1));
}

// p in (0, 0.5].
template <class R>
R sample_binomial_below_half(Generator& g, R n, R p) {
  if (n * p < 10) {
    // The distances between successes are geometric.
    const R log_failure = std::log1p(-p);
    R sum = 0;
    for (int64_t successes = 0;; ++successes) {
      sum += std::ceil(std::log(R(g.uniform())) / log_failure);
      if (sum > n) return R(successes);
    }
  }
  // Hörmann 1993, transformed rejection ("BTRS").
  const R deviation = std::sqrt(n * p * (1 - p));
  const R b = R(1.15 + 2.53 * deviation), a = R(-0.0873 + 0.0248 * b + 0.01 * p), c = R(n * p + 0.5);
  const R v_r = R(0.92 - 4.2 / b), odds = p / (1 - p), alpha = R((2.83 + 5.1 / b) * deviation), m = std::floor((n + 1) * p);
  for (;;) {
    R u = R(g.uniform() - 0.5), v = R(g.uniform());
    R us = R(0.5 - std::fabs(u)), k = std::floor((2 * a / us + b) * u + c);
    if (k < 0 || k > n) continue;
    if (us >= R(0.07) && v <= v_r) return k;
    v = std::log(v * alpha / (a / (us * us) + b));
    R bound = R((m + 0.5) * std::log((m + 1) / (odds * (n - m + 1))) + (n + 1) * std::log((n - m + 1) / (n - k + 1)) +
                (k + 0.5) * std::log(odds * (n - k + 1) / (k + 1)) + stirling_tail(m) + stirling_tail(n - m) - stirling_tail(k) -
                stirling_tail(n - k));
    if (v <= bound) return k;
  }
}

// out, counts, probabilities (both of out's shape and dtype). float32, float64.
void binomial(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  visit<group::real>("binomial_cpu", a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    using R = Real<T>;
    in_memory_order<3>({&a[0], &a[1], &a[2]}, [&](const int64_t* at) {
      R n = a[1].template as<T>()[at[1]], p = a[2].template as<T>()[at[2]], value;
      if (n <= 0 || p <= 0)
        value = 0;
      else if (p >= 1)
        value = n;
      else if (std::isnan(p))
        value = p;
      else
        value = p <= R(0.5) ? sample_binomial_below_half<R>(g, n, p) : n - sample_binomial_below_half<R>(g, n, 1 - p);
      a[0].template as<T>()[at[0]] = T(value);
    });
  });
}
const Register binomial_("binomial", binomial);

// out (int64, [rows, samples]), weights ([rows, n], floating): draws with replacement, each by bisection of the row's running
// sum. Without replacement, and for one sample, PyTorch runs a race instead: with q = exponential(rate 1) of weights' shape, the
// caller takes argmax(weights / q) over the last dimension, or topk where several samples are wanted.
void multinomial(const Array* a, int, const Number* numbers) {
  Generator& g = generator_of(numbers);
  visit<group::floating>("multinomial", a[1].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    using R = Real<T>;
    const int64_t rows = a[1].shape[0], n = a[1].shape[1], samples = a[0].shape[1];
    auto weight = [&](int64_t row, int64_t j) { return R(a[1].template as<T>()[row * a[1].strides[0] + j * a[1].strides[1]]); };
    for (int64_t row = 0; row < rows; ++row) {
      R sum = 0;
      for (int64_t j = 0; j < n; ++j) {
        R w = weight(row, j);
        if (!(w >= 0)) throw std::runtime_error("invalid multinomial distribution (encountering probability entry < 0)");
        if (!std::isfinite(w))
          throw std::runtime_error("invalid multinomial distribution (encountering probability entry = infinity or NaN)");
        sum += w;
      }
      if (!(sum > 0)) throw std::runtime_error("invalid multinomial distribution (sum of probabilities <= 0)");
    }
    std::vector<R> cumulative(n);
    for (int64_t row = 0; row < rows; ++row) {
      R sum = 0;
      for (int64_t j = 0; j < n; ++j) cumulative[j] = sum += weight(row, j);
      for (R& c : cumulative) c /= sum;
      cumulative[n - 1] = 1;
      for (int64_t i = 0; i < samples; ++i) {
        double u = g.uniform();
        auto found = std::lower_bound(cumulative.begin(), cumulative.end(), u, [](R c, double x) { return double(c) < x; });
        a[0].template as<int64_t>()[row * a[0].strides[0] + i * a[0].strides[1]] = found - cumulative.begin();
      }
    }
  });
}
const Register multinomial_("multinomial", multinomial);

}  // namespace
}  // namespace rl
