// Functions made of vector mathematics: exponentials, angles, activations and their gradients.
#include "inline_math.h"
#include "loops.h"

namespace rl::RL_ISA {
namespace {

template <class T>
constexpr T ln2 = T(M_LN2);
template <class T>
constexpr T pi = T(M_PI);
template <class T>
constexpr T infinity = T(INFINITY);

template <class T>
inline T sigmoid(T x) {
  return 1 / (1 + simd::exp(-x));
}

// The vector function has the last number below 1 for many small angles whose cosine is 1.
template <class T>
inline T cosine(T x) {
  const T square = x * x;
  constexpr T small = sizeof(T) == 8 ? T(0x1p-16) : T(0x1p-12);  // (below it the series is exact)
  return square < small ? 1 - square * (T(0.5) - square * T(1.0 / 24)) : simd::cos(x);
}

void register_elementary() {
  unary_math<real>("exp", [](auto x) { return simd::exp(x); });
  unary_math<real>("exp2", [](auto x) { return simd::exp2(x); });
  unary_math<real>("expm1", [](auto x) { return simd::expm1(x); });
  unary_math<real>("log", [](auto x) { return simd::log(x); });
  unary_math<real>("log2", [](auto x) { return simd::log2(x); });
  unary_math<real>("log10", [](auto x) { return simd::log10(x); });
  unary_math<real>("log1p", [](auto x) { return simd::log1p(x); });
  unary_math<real>("sin", [](auto x) { return simd::sin(x); });
  unary_math<real>("cos", [](auto x) { return cosine(x); });
  unary_math<real>("tan", [](auto x) { return simd::tan(x); });
  unary_math<real>("asin", [](auto x) { return simd::asin(x); });
  unary_math<real>("acos", [](auto x) { return simd::acos(x); });
  unary_math<real>("atan", [](auto x) { return simd::atan(x); });
  unary_math<real>("sinh", [](auto x) { return simd::sinh(x); });
  unary_math<real>("cosh", [](auto x) { return simd::cosh(x); });
  unary_math<real>("tanh", [](auto x) { return simd::tanh(x); });
  unary_math<real>("asinh", [](auto x) { return simd::asinh(x); });
  unary_math<real>("acosh", [](auto x) { return simd::acosh(x); });
  unary_math<real>("atanh", [](auto x) { return simd::atanh(x); });
  unary_math<real>("erf", [](auto x) { return simd::erf(x); });
  unary_math<real>("erfc", [](auto x) { return simd::erfc(x); });
  binary_math<real>("atan2", [](auto y, auto x) { return simd::atan2(y, x); });
  // polar: magnitude and angle; computes in the dtype of the parts.
  binary_math<real>("polar", []<class T>(T r, T angle) { return Complex<T>{r * cosine(angle), r * simd::sin(angle)}; });
  binary_math<real>("hypot", [](auto a, auto b) { return simd::hypot(a, b); });
  // In three steps, none of which overflows while the result does not.
  binary_math<real>("ldexp", []<class T>(T x, T e) {
    constexpr T most = std::numeric_limits<T>::max_exponent - 1;
    const auto clamped = [](T given) { return given > most ? most : given < -most ? -most : given; };
    const T last = clamped(e), second = clamped(e - last), first = clamped(e - last - second);
    const T product = x * simd::exp2(first) * simd::exp2(second) * simd::exp2(last);
    return std::abs(e) == infinity<T> ? x * simd::exp2(e) : product;
  });
  unary<real>("deg2rad", []<class T>(T x) { return x * T(M_PI / 180); });
  unary<real>("rad2deg", []<class T>(T x) { return x * T(180 / M_PI); });
  unary_math<real>("sinc", []<class T>(T x) {
    const T y = pi<T> * x;
    return x == 0 ? T(1) : simd::sin(y) / y;
  });
}

void register_logarithmic() {
  // log(exp(a) + exp(b)), and the same in base 2; two equal infinities are their own sum.
  binary_math<real>("logaddexp", []<class T>(T a, T b) {
    const T sum = (a > b ? a : b) + simd::log1p(simd::exp(-std::abs(a - b)));
    return (a == b) & (std::abs(a) == infinity<T>) ? a : a != a ? a : sum;
  });
  binary_math<real>("logaddexp2", []<class T>(T a, T b) {
    const T sum = (a > b ? a : b) + simd::log1p(simd::exp2(-std::abs(a - b))) / ln2<T>;
    return (a == b) & (std::abs(a) == infinity<T>) ? a : a != a ? a : sum;
  });
  binary_math<real>("xlogy", []<class T>(T x, T y) {
    const T product = x * simd::log(y);
    return y != y ? y : x == 0 ? T(0) : product;
  });
  binary_math<real>("xlog1py", []<class T>(T x, T y) {
    const T product = x * simd::log1p(y);
    return y != y ? y : x == 0 ? T(0) : product;
  });
  unary_math<real>("entr", []<class T>(T x) {
    const T product = -x * simd::log(x);
    return x != x ? x : x > 0 ? product : x == 0 ? T(0) : -infinity<T>;
  });
  // logit: numbers eps f (negative: none).
  unary_math<real, 1>("logit", []<class T>(T x, const Number* p) {
    const T low = T(p[0].f), high = 1 - low;
    const T z = low < 0 ? x : x < low ? low : x > high ? high : x;
    return simd::log(z / (1 - z));
  });
  // Of halves the odds are a half, as in PyTorch.
  unary<group::half, 1>("logit", []<class T>(T x, const Number* p) {
    const T low = T(float(p[0].f)), high = T(1 - float(low));
    const T z = float(low) < 0 ? x : float(x) < float(low) ? low : float(x) > float(high) ? high : x;
    return T(std::log(float(T(float(z) / float(T(1 - float(z)))))));
  });
}

void register_activations() {
  unary_math<real>("sigmoid", [](auto x) { return sigmoid(x); });
  unary<integer | real>("relu", []<class T>(T x) { return (x >= 0) | (x != x) ? x : T(0); });
  // leaky_relu: numbers slope f.
  unary<real, 1>("leaky_relu", []<class T>(T x, const Number* p) { return x > 0 ? x : x * T(p[0].f); });
  // prelu: x and the slope of its negative elements.
  binary<real>("prelu", [](auto x, auto slope) { return x > 0 ? x : x * slope; });
  // elu: numbers alpha f, scale f, input_scale f. celu: numbers alpha f.
  unary_math<real, 3>("elu", []<class T>(T x, const Number* p) {
    const T below = simd::expm1(x * T(p[2].f)) * T(p[0].f * p[1].f);
    return x < 0 ? below : x * T(p[1].f);
  });
  unary_math<real, 1>("celu", []<class T>(T x, const Number* p) {
    const T below = simd::expm1(x * T(1 / p[0].f)) * T(p[0].f);
    return x < 0 ? below : x;
  });
  unary_math<real>("selu", []<class T>(T x) {
    constexpr T alpha = T(1.6732632423543772848170429916717), scale = T(1.0507009873554804934193349852946);
    const T below = simd::expm1(x) * (alpha * scale);
    return x < 0 ? below : x * scale;
  });
  unary_math<real>("silu", [](auto x) { return x / (1 + simd::exp(-x)); });
  unary_math<real>("mish", [](auto x) { return x * simd::tanh(simd::log1p(simd::exp(x))); });
  // softplus: numbers beta f, threshold f.
  unary_math<real, 2>("softplus", []<class T>(T x, const Number* p) {
    const T beta = T(p[0].f), z = x * beta, soft = simd::log1p(simd::exp(z)) / beta;
    return z > T(p[1].f) ? x : soft;
  });
  unary_math<real>("logsigmoid", []<class T>(T x) {
    return (x < 0 ? x : x != x ? x : T(0)) - simd::log1p(simd::exp(-std::abs(x)));
  });
  // hardtanh: numbers min f, max f.
  unary<integer | real, 2>("hardtanh", []<class T>(T x, const Number* p) {
    const T low = T(p[0].f), high = T(p[1].f);
    return x < low ? low : x > high ? high : x;
  });
  unary<real>("relu6", []<class T>(T x) { return x < 0 ? T(0) : x > 6 ? T(6) : x; });
  unary<real>("hardsigmoid", []<class T>(T x) {
    const T y = x + 3;
    return (y < 0 ? T(0) : y > 6 ? T(6) : y) / 6;
  });
  unary<real>("hardswish", []<class T>(T x) {
    const T y = x + 3;
    return x * (y < 0 ? T(0) : y > 6 ? T(6) : y) / 6;
  });
  // softshrink, hardshrink: numbers lambda f. threshold: numbers threshold f, value f.
  unary<real, 1>("softshrink", []<class T>(T x, const Number* p) {
    const T l = T(p[0].f);
    return x > l ? x - l : x < -l ? x + l : x * T(0);
  });
  unary<real, 1>("hardshrink", []<class T>(T x, const Number* p) {
    const T l = T(p[0].f);
    return (x >= -l) & (x <= l) ? T(0) : x;
  });
  unary<integer | real, 2>("threshold", []<class T>(T x, const Number* p) { return x <= T(p[0].f) ? T(p[1].f) : x; });
}

// gelu and gelu_gradient: numbers approximate i (0 exact, 1 by tanh).
// erfc and the logistic function, where 1 + erf and 1 + tanh would cancel.
template <class T>
inline T gelu_exact(T x) {
  return x * (T(0.5) * simd::erfc(x * T(-M_SQRT1_2)));
}
template <>
inline float gelu_exact(float x) {
  const float tail = normal_tail(x).probability;
  return x * (x < 0 ? tail : 1 - tail);
}

constexpr double gelu_scale = M_SQRT2 * M_2_SQRTPI * 0.5, gelu_cubic = 0.044715;

template <class T>
inline T gelu_tanh(T x) {
  return x * sigmoid(T(2 * gelu_scale) * (x + T(gelu_cubic) * x * x * x));
}

constexpr double density_scale = M_2_SQRTPI * M_SQRT1_2 * 0.5;

template <class T>
inline T gelu_gradient_exact(T g, T x) {
  const T cdf = T(0.5) * simd::erfc(x * T(-M_SQRT1_2));
  return g * (cdf + x * (simd::exp(x * x * T(-0.5)) * T(density_scale)));
}
template <>
inline float gelu_gradient_exact(float g, float x) {
  const NormalTail normal = normal_tail(x);
  const float cdf = x < 0 ? normal.probability : 1 - normal.probability;
  return g * (cdf + x * (normal.exponential * float(density_scale)));
}

template <class T>
inline T gelu_gradient_tanh(T g, T x) {
  const T s = sigmoid(T(2 * gelu_scale) * (x + T(gelu_cubic) * x * x * x));
  const T slope = T(2 * gelu_scale) * (1 + T(3 * gelu_cubic) * x * x);
  return g * (s + x * s * (1 - s) * slope);
}

template <class T>
void gelu_loop(char* const* data, const int64_t* strides, int64_t n, const Number* numbers) {
  const auto exact = [](T x) { return gelu_exact(x); };
  const auto by_tanh = [](T x) { return gelu_tanh(x); };
  (numbers[0].i ? ElementLoop<decltype(by_tanh), 0, Style::math, T, T>::loop
                : ElementLoop<decltype(exact), 0, Style::math, T, T>::loop)(data, strides, n, numbers);
}

template <class T>
void gelu_gradient_loop(char* const* data, const int64_t* strides, int64_t n, const Number* numbers) {
  const auto exact = [](T g, T x) { return gelu_gradient_exact(g, x); };
  const auto by_tanh = [](T g, T x) { return gelu_gradient_tanh(g, x); };
  (numbers[0].i ? ElementLoop<decltype(by_tanh), 0, Style::math, T, T, T>::loop
                : ElementLoop<decltype(exact), 0, Style::math, T, T, T>::loop)(data, strides, n, numbers);
}

void register_gelu() {
  Pointwise gelu{"gelu", 1, {}, {}}, gradient{"gelu_gradient", 2, {}, {}};
  gelu.loops[int(DType::f32)] = gelu_loop<float>;
  gelu.loops[int(DType::f64)] = gelu_loop<double>;
  gradient.loops[int(DType::f32)] = gelu_gradient_loop<float>;
  gradient.loops[int(DType::f64)] = gelu_gradient_loop<double>;
  Register{gelu};
  Register{gradient};
}

// Arrays gradient, g, and what the rule names: the function's output or its input.
void register_gradients() {
  binary<real>("sigmoid_gradient", []<class T>(T g, T out) { return g * (1 - out) * out; });
  binary<real>("tanh_gradient", []<class T>(T g, T out) { return g * (1 - out * out); });
  binary<integer | real>("relu_gradient", []<class T>(T g, T out) { return out <= 0 ? T(0) : g; });
  binary_math<real>("silu_gradient", [](auto g, auto x) {
    const auto s = sigmoid(x);
    return g * s * (1 + x * (1 - s));
  });
}

}  // namespace

void register_pointwise_math() {
  register_elementary();
  register_logarithmic();
  register_activations();
  register_gelu();
  register_gradients();
}

}  // namespace rl::RL_ISA
