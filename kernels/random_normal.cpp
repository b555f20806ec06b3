// Normal numbers, with PyTorch's bits: pairs by Box & Muller 1958, large outputs in blocks of sixteen.
#include <bit>
#include <cmath>
#include <vector>

#include "random_fill.h"
#include "threads.h"

namespace rl {
namespace {

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

// mean, std (f). float16, bfloat16, float32, float64; complex dtypes, where each part has std / sqrt(2).
void normal(const Array* a, int, const Number* numbers) {
  if (a[0].numel() == 0) return;  // of any dtype
  Generator& g = generator_of(numbers);
  const double mean = numbers[1].f;
  double std = numbers[2].f;
  Array out = a[0];
  // The real and the imaginary part are one more, innermost dimension.
  std::vector<int64_t> shape(out.shape, out.shape + out.ndim), strides(out.strides, out.strides + out.ndim);
  if (is_complex_dtype(out.dtype)) {
    for (int64_t& s : strides) s *= 2;
    shape.push_back(2);
    strides.push_back(1);
    out = {out.data, DType(real_of[int(out.dtype)]), out.ndim + 1, shape.data(), strides.data()};
    std /= std::sqrt(2.0);
  }
  visit<group::floating>("normal_kernel_cpu", out.dtype,
                         [&](auto type) { normal_of<typename decltype(type)::type>(g, out, mean, std); });
}
const Register normal_("normal", normal);

}  // namespace
}  // namespace rl
