// Makes the loops of a pointwise kernel from one expression: elementwise<groups, numbers, style, kinds...>(name, f), where
// f(inputs..., parameters) computes one element, and its result's type tells the dtype of the output.
#pragma once

#include <algorithm>
#include <cstring>
#include <tuple>

#include "simd.h"

namespace rl::RL_ISA {
namespace {

// Kinds of inputs, given the type T to compute in.
struct Same {
  template <class T>
  using type = T;
  static constexpr Operand operand = Operand::same;
};
struct Boolean {
  template <class T>
  using type = bool;
  static constexpr Operand operand = Operand::boolean;
};
struct RealPart {
  template <class T>
  using type = Real<T>;
  static constexpr Operand operand = Operand::real;
};

// plain: arithmetic that is the same in a vector and alone. math: calls vector functions, so what is left over at the end
// is done in a padded vector too; an element then has the same bits wherever it stands.
// branching: has no form for vectors.
enum class Style { plain, math, branching };

// Are vectors longer than the 16 bytes that every processor has?
#ifdef __AVX2__
constexpr bool longer_vectors = true;
#else
constexpr bool longer_vectors = false;
#endif

using Dense = void (*)(char* const* data, int64_t n, const Number* numbers);

constexpr int64_t loop_block_bytes = 4096;

inline void move_items(char* out, int64_t out_stride, const char* in, int64_t in_stride, int64_t n, int64_t item) {
  const auto each = [&]<class T>(Type<T>) {
    for (int64_t i = 0; i < n; ++i) std::memcpy(out + i * out_stride, in + i * in_stride, sizeof(T));
  };
  switch (item) {
    case 1:
      return each(Type<int8_t>());
    case 2:
      return each(Type<int16_t>());
    case 4:
      return each(Type<int32_t>());
    case 8:
      return each(Type<int64_t>());
    default:
      return each(Type<Complex<double>>());
  }
}

// A loop for any strides from one for contiguous data, by blocks.
void blockwise(Dense dense, const int64_t* items, int count, char* const* data, const int64_t* strides, int64_t n,
               const Number* numbers) {
  alignas(64) char buffers[max_operands][loop_block_bytes];
  char* pointers[max_operands];
  int64_t block = loop_block_bytes;
  for (int i = 0; i < count; ++i) block = block < loop_block_bytes / items[i] ? block : loop_block_bytes / items[i];
  for (int64_t begin = 0; begin < n; begin += block) {
    const int64_t m = n - begin < block ? n - begin : block;
    for (int i = 0; i < count; ++i) {
      pointers[i] = strides[i] == items[i] ? data[i] + begin * items[i] : buffers[i];
      // A constant's block is filled once.
      if (i > 0 && strides[i] != items[i] && (strides[i] != 0 || begin == 0))
        move_items(buffers[i], items[i], data[i] + begin * strides[i], strides[i], m, items[i]);
    }
    dense(pointers, m, numbers);
    if (pointers[0] == buffers[0]) move_items(data[0] + begin * strides[0], strides[0], buffers[0], items[0], m, items[0]);
  }
}

template <class F, int number_count, Style style, class Out, class... In>
struct ElementLoop {
  static constexpr int inputs = sizeof...(In);
  static constexpr int64_t items[] = {sizeof(Out), sizeof(In)...};

  struct Parameters {
    Number values[number_count ? number_count : 1];
    // Copied, so that the compiler knows that no store changes them.
    explicit Parameters(const Number* numbers) {
      for (int k = 0; k < number_count; ++k) values[k] = numbers[k];
    }
  };

  template <class... X>
  static inline Out call(const Parameters& p, X... x) {
    if constexpr (number_count > 0)
      return F{}(x..., p.values);
    else
      return F{}(x...);
  }

  // Lanes of the widest vector of the smallest type.
  static constexpr int64_t smallest = std::min({items[0], int64_t(sizeof(In))...});
  static constexpr int64_t lanes = 64 / smallest;
  static constexpr bool by_few = longer_vectors && style == Style::plain && std::is_floating_point_v<Out> &&
                                 ((std::is_same_v<In, Out> || std::is_same_v<In, bool>) && ...);
  static constexpr int64_t few = std::max<int64_t>(16 / int64_t(sizeof(Out)), 1);

  template <class T>
  struct Few {
    T values[size_t(few)];
    T operator[](int64_t k) const { return values[k]; }
  };
  // An input: elements behind each other, or one number for all.
  template <class T>
  struct Elements {
    const T* at;
    T operator[](int64_t i) const { return at[i]; }
    Few<T> few_from(int64_t i) const {
      Few<T> some;
      std::memcpy(some.values, at + i, sizeof some.values);
      return some;
    }
  };
  template <class T>
  struct One {
    T value;
    T operator[](int64_t) const { return value; }
    One few_from(int64_t) const { return *this; }
  };

  template <class... X>
  static inline void wide(Out* out, int64_t n, const Parameters& p, X... in) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) out[i] = call(p, in[i]...);
  }

  // Of floats most by the widest vectors, then a few at a time, and the last one by one: what the compiler makes of a loop of all
  // has up to fifteen numbers one by one, and three times the code.
  template <class... X>
  static inline void each(Out* out, int64_t n, const Parameters& p, X... in) {
    if constexpr (!by_few) return wide(out, n, p, in...);
    int64_t i = n & ~(lanes - 1);
    wide(out, i, p, in...);
    for (; i + few <= n; i += few) {
      asm volatile("");  // (no vectors of these)
      [&](auto... some) {
        Few<Out> found;
#pragma GCC ivdep
#pragma GCC unroll 1
        for (int64_t k = 0; k < few; ++k) found.values[k] = call(p, some[k]...);
        std::memcpy(out + i, found.values, sizeof found.values);
      }(in.few_from(i)...);
    }
#pragma GCC unroll 1
    for (; i < n; ++i) {
      asm volatile("");
      out[i] = call(p, in[i]...);
    }
  }

  template <int... k, class Body>
  static inline void with_elements(char* const* data, Body body, std::integer_sequence<int, k...>) {
    body(reinterpret_cast<Out*>(data[0]), Elements<In>{reinterpret_cast<const In*>(data[k + 1])}...);
  }

  static void plain(char* const* data, int64_t n, const Number* numbers) {
    const Parameters p(numbers);
    with_elements(data, [&](Out* out, auto... in) { each(out, n, p, in...); }, std::make_integer_sequence<int, inputs>());
  }

  [[gnu::noinline]] static void whole(char* const* data, int64_t n, const Number* numbers) {
    const Parameters p(numbers);
    with_elements(
        data, [&](Out* out, auto... in) { wide(out, n & ~(lanes - 1), p, in...); }, std::make_integer_sequence<int, inputs>());
  }

  static void padded(char* const* data, int64_t n, const Number* numbers) {
    const int64_t full = n & ~(lanes - 1), rest = n - full;
    if (full) whole(data, full, numbers);
    if (!rest) return;
    alignas(64) char buffers[inputs + 1][lanes * 16];
    char* pointers[inputs + 1];
    for (int i = 0; i <= inputs; ++i) {
      pointers[i] = buffers[i];
      if (i > 0) fill_lanes(buffers[i], data[i] + full * items[i], rest, items[i]);
    }
    whole(pointers, lanes, numbers);
    std::memcpy(data[0] + full * sizeof(Out), buffers[0], rest * sizeof(Out));
  }

  // The spare lanes repeat an element, so that they never need a slower path than the others.
  static inline void fill_lanes(char* buffer, const char* in, int64_t rest, int64_t item) {
    const auto fill = [&]<class T>(Type<T>) {
      const T* x = reinterpret_cast<const T*>(in);
      T* b = reinterpret_cast<T*>(buffer);
      for (int64_t i = 0; i < lanes; ++i) b[i] = x[0];
      for (int64_t i = 1; i < rest; ++i) b[i] = x[i];
    };
    if (item == 4)
      fill(Type<float>());
    else if (item == 8)
      fill(Type<double>());
    else if (item == 1)
      fill(Type<bool>());
    else
      fill(Type<Complex<double>>());
  }

  static constexpr Dense dense = style == Style::math ? padded : plain;

  static void loop(char* const* data, const int64_t* strides, int64_t n, const Number* numbers) {
    bool contiguous = true;
    for (int i = 0; i <= inputs; ++i) contiguous &= strides[i] == items[i];
    if (contiguous) return dense(data, n, numbers);
    if constexpr (inputs == 2 && style != Style::math) {
      using A = std::tuple_element_t<0, std::tuple<In...>>;
      using B = std::tuple_element_t<1, std::tuple<In...>>;
      const bool ones[] = {strides[1] == 0, strides[2] == 0};
      if (strides[0] == sizeof(Out) && (by_few || !(ones[0] && ones[1])) && (ones[0] || strides[1] == sizeof(A)) &&
          (ones[1] || strides[2] == sizeof(B))) {
        const Parameters p(numbers);
        Out* out = reinterpret_cast<Out*>(data[0]);
        const A* x = reinterpret_cast<const A*>(data[1]);
        const B* y = reinterpret_cast<const B*>(data[2]);
        if (!ones[0]) return each(out, n, p, Elements<A>{x}, One<B>{*y});
        if (!ones[1]) return each(out, n, p, One<A>{*x}, Elements<B>{y});
        if constexpr (by_few) return each(out, n, p, One<A>{*x}, One<B>{*y});
      }
    }
    blockwise(dense, items, inputs + 1, data, strides, n, numbers);
  }
};

// What the output's type is called, given the type computed in.
template <class Out, class T>
constexpr Operand result_kind() {
  if constexpr (std::is_same_v<Out, T>)
    return Operand::same;
  else if constexpr (std::is_same_v<Out, bool>)
    return Operand::boolean;
  else if constexpr (std::is_same_v<Out, Complex<T>>)
    return Operand::complex;
  else {
    static_assert(std::is_same_v<Out, Real<T>>);
    return Operand::real;
  }
}

template <class Out, class Small>
struct Result {
  using type = Out;
};
template <class Small>
struct Result<int, Small> {  // arithmetic on int8 and int16 promotes to int
  using type = Small;
};

template <int dtype, unsigned allowed, int number_count, Style style, class... Kinds, class F>
void add_loop(Pointwise& kernel, F) {
  if constexpr (((allowed >> dtype) & 1u) != 0) {
    using T = typename TypeOf<dtype>::type;
    using Computed = typename decltype([] {
      if constexpr (number_count > 0)
        return Type<std::invoke_result_t<F, typename Kinds::template type<T>..., const Number*>>();
      else
        return Type<std::invoke_result_t<F, typename Kinds::template type<T>...>>();
    }())::type;
    using Out = typename Result<Computed, T>::type;
    // A vector function takes floats; complex and integer loops are plain.
    constexpr Style chosen = is_float<T> ? style : Style::plain;
    kernel.loops[dtype] = ElementLoop<F, number_count, chosen, Out, typename Kinds::template type<T>...>::loop;
    if (result_kind<Out, T>() != Operand::same) kernel.operands[0] = result_kind<Out, T>();
  }
}

template <unsigned allowed, int number_count, Style style, class... Kinds, class F, int... dtype>
void add_loops(Pointwise& kernel, F f, std::integer_sequence<int, dtype...>) {
  (add_loop<dtype, allowed, number_count, style, Kinds...>(kernel, f), ...);
}

template <unsigned allowed, int number_count, Style style, class... Kinds, class F>
void elementwise(const char* name, F f) {
  Pointwise kernel{name, sizeof...(Kinds), {Operand::same, Kinds::operand...}, {}};
  add_loops<allowed, number_count, style, Kinds...>(kernel, f, std::make_integer_sequence<int, dtype_count>());
  Register{kernel};
}

template <unsigned allowed, int number_count = 0, class F>
void unary(const char* name, F f) {
  elementwise<allowed, number_count, Style::plain, Same>(name, f);
}
template <unsigned allowed, int number_count = 0, class F>
void binary(const char* name, F f) {
  elementwise<allowed, number_count, Style::plain, Same, Same>(name, f);
}
template <unsigned allowed, int number_count = 0, class F>
void unary_math(const char* name, F f) {
  elementwise<allowed, number_count, Style::math, Same>(name, f);
}
template <unsigned allowed, int number_count = 0, class F>
void binary_math(const char* name, F f) {
  elementwise<allowed, number_count, Style::math, Same, Same>(name, f);
}

template <unsigned allowed, class F>
void binary_branching(const char* name, F f) {
  elementwise<allowed, 0, Style::branching, Same, Same>(name, f);
}

}  // namespace
}  // namespace rl::RL_ISA
