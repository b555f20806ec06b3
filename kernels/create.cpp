// Arrays made from a rule: arange, linspace, logspace, eye. Numbers are read as `i` where out's dtype is an integer one and
// as `f` elsewhere; a complex start or end is two of them.
#include <cmath>
#include <cstring>

#include "convert.h"
#include "indexing.h"

namespace rl {
namespace {

template <class T>
constexpr bool is_half = std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>;
template <class T>
constexpr bool is_complex = std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;

// arange: arrays out (1-d); numbers start, step. Floating numbers follow PyTorch to the bit: start + i * step is rounded to
// out's dtype at the first element of each block of 32 bytes, and the others add to that; the tail does without blocks.
void arange(const Array* a, int, const Number* n) {
  const Array out = at_least_1d(a[0]);
  const int64_t count = out.shape[0], stride = out.strides[0];
  visit<group::integer | group::floating>("arange_cpu", out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    T* o = out.as<T>();
    if constexpr (std::is_integral_v<T>) {
      parallel_for(count, element_grain, [=](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) o[i * stride] = T(uint64_t(n[0].i) + uint64_t(i) * uint64_t(n[1].i));
      });
    } else {
      using Wide = std::conditional_t<is_half<T>, float, double>;
      constexpr int64_t block = 32 / sizeof(T);
      const Wide start = Wide(n[0].f), step = Wide(n[1].f);
      // Rounding the product does not show in a narrower T.
      auto multiply_add = [step](int64_t i, Wide from) {
        return sizeof(T) == sizeof(Wide) ? std::fma(Wide(i), step, from) : Wide(i) * step + from;
      };
      const int64_t in_blocks = count / (2 * block) * (2 * block);
      parallel_for(count, element_grain, [=](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const int64_t within = i < in_blocks ? i % block : 0;
          Wide value = multiply_add(i - within, start);
          if (within) value = multiply_add(within, Wide(T(value)));
          o[i * stride] = T(value);
        }
      });
    }
  });
}

// What linspace and logspace interpolate in, from the dtype of their result.
template <class T>
T endpoint(const Number* n) {
  if constexpr (std::is_integral_v<T>) {
    return T(n->i);
  } else if constexpr (is_complex<T>) {
    return T(typename T::value_type(n[0].f), typename T::value_type(n[1].f));
  } else {
    return T(n->f);
  }
}

template <class Step>
Step from_count(int64_t count) {
  if constexpr (is_complex<Step>) {
    return Step(typename Step::value_type(count));
  } else if constexpr (is_half<Step>) {
    return Step(float(count));
  } else {
    return Step(count);
  }
}

template <class Step, class T>
auto multiply_add(Step step, int64_t i, T start) {
  if constexpr (is_complex<Step>) {
    using Real = typename Step::value_type;
    return Step(std::fma(step.real(), Real(i), start.real()), std::fma(step.imag(), Real(i), start.imag()));
  } else if constexpr (is_half<Step>) {
    return Step(start + Step(step * from_count<Step>(i)));
  } else {
    return std::fma(step, Step(i), Step(start));
  }
}

// f(i, value) for `count` evenly spaced values; the upper half is counted from the end, so that both ends are exact.
// Integers step in `Step`.
template <class T, class Step, class F>
void interpolate(int64_t count, const Number* n, F&& f) {
  const T start = endpoint<T>(n), end = endpoint<T>(n + (is_complex<T> ? 2 : 1));
  const Step divisor = from_count<Step>(std::max<int64_t>(count - 1, 1));
  const Step step = Step(Step(Step(end) - Step(start)) / divisor);
  const int64_t half = count / 2;
  parallel_for(count, element_grain, [&](int64_t chunk_begin, int64_t chunk_end) {
    for (int64_t i = chunk_begin; i < chunk_end; ++i) {
      if (count == 1 || i < half) {
        f(i, multiply_add(step, i, start));
      } else {
        f(i, multiply_add(Step(-step), count - i - 1, end));
      }
    }
  });
}

// linspace: arrays out (1-d); numbers start, end.
void linspace(const Array* a, int, const Number* n) {
  const Array out = at_least_1d(a[0]);
  visit<group::number>("linspace_cpu", out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    using Step = std::conditional_t<std::is_integral_v<T>, double, T>;
    interpolate<T, Step>(out.shape[0], n, [&](int64_t i, auto value) { out.as<T>()[i * out.strides[0]] = T(value); });
  });
}

// logspace: arrays out (1-d); numbers start, end, base (always `f`).
void logspace(const Array* a, int, const Number* n) {
  const Array out = at_least_1d(a[0]);
  visit<group::number>("logspace_cpu", out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    T* o = out.as<T>();
    const int64_t stride = out.strides[0], count = out.shape[0];
    if constexpr (std::is_integral_v<T>) {
      const double base = n[2].f;
      interpolate<T, double>(count, n, [=](int64_t i, double value) { o[i * stride] = T(std::pow(base, value)); });
    } else if constexpr (is_complex<T>) {
      const T base = T(typename T::value_type(n[4].f));
      interpolate<T, T>(count, n, [=](int64_t i, T value) { o[i * stride] = std::pow(base, value); });
    } else {
      using Wide = std::conditional_t<is_half<T>, float, T>;
      const Wide base = Wide(T(n[2].f));
      interpolate<T, Wide>(count, n, [=](int64_t i, Wide value) { o[i * stride] = T(std::pow(base, value)); });
    }
  });
}

// eye: arrays out ([rows, columns]).
void eye(const Array* a, int, const Number*) {
  const Array& out = a[0];
  fill_zero(out);
  alignas(16) char one[16];
  const int64_t number = 1;
  conversion(out.dtype, DType::i64)(one, 16, reinterpret_cast<const char*>(&number), 8, 1);
  visit_size(out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const int64_t count = std::min(out.shape[0], out.shape[1]), stride = out.strides[0] + out.strides[1];
    for (int64_t i = 0; i < count; ++i) std::memcpy(out.as<T>() + i * stride, one, sizeof(T));
  });
}

const Register registrations[] = {
    {"arange", arange},
    {"linspace", linspace},
    {"logspace", logspace},
    {"eye", eye},
};

}  // namespace
}  // namespace rl
