// What a kernel sees of a tensor: a pointer, a dtype, sizes and strides. Nothing here knows Python, tensors or gradients.
#pragma once

#include <stdexcept>

#include "dtypes.h"

namespace rl {

constexpr int max_dims = 64;

// One strided array. Strides count elements, may be zero (broadcast) or, inside kernels, negative.
struct Array {
  char* data;
  DType dtype;
  int32_t ndim;
  const int64_t* shape;
  const int64_t* strides;

  int64_t numel() const {
    int64_t n = 1;
    for (int d = 0; d < ndim; ++d) n *= shape[d];
    return n;
  }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data);
  }
};

// A plain parameter of a kernel: a dimension, a flag, a probability. Each kernel documents which member it reads.
union Number {
  int64_t i;
  double f;
};

// Every kernel but the pointwise ones has this form; outputs come first in `arrays`, then inputs, in the order that its
// comment gives. A kernel checks what it must (say, indices) before it writes anything, and reports bad input with
// std::invalid_argument (ValueError), std::out_of_range (IndexError) or std::runtime_error (RuntimeError).
using Kernel = void (*)(const Array* arrays, int array_count, const Number* numbers);

// The inner loop of a pointwise kernel: n elements; data[0] is the output, then the inputs; strides are in bytes.
using Loop = void (*)(char* const* data, const int64_t* strides, int64_t n, const Number* numbers);

// What dtype an operand of a Loop has, given the dtype that it computes in.
enum class Operand : int8_t { same, boolean, real, i64, complex };
constexpr int max_operands = 6;

// A pointwise kernel: at most one loop for each dtype to compute in (float16 and bfloat16 compute in float32, with
// conversion in blocks, where no loop of their own is given).
struct Pointwise {
  const char* name = nullptr;
  int inputs = 0;
  Operand operands[max_operands] = {};  // of the output, then the inputs
  Loop loops[dtype_count] = {};
  unsigned late = 0;  // bits of Late
};

// Which dtypes that came late a pointwise kernel has: wide unsigned integers run on the loops of signed ones of their size,
// complex_half on those of complex64, float8 (of which e8m0fnu has no sign) on those of float32. What only moves numbers runs on
// the loops of integers of their size.
enum Late : unsigned {
  late_unsigned = 1,
  late_half = 2,
  late_float8 = 4,
  late_e8m0 = 8,
  late_moves = 16,
  late_not_by_one = 32,  // not with one number for its second input
};

// By name; nullptr where there is none.
const Pointwise* find_pointwise(const char* name);
Kernel find_kernel(const char* name);
// Says what PyTorch's errors call a pointwise kernel.
void label_kernel(const char* name, const char* label);
// Says which dtypes that came late a pointwise kernel has.
void serve_late(const char* name, unsigned late);

// Runs a pointwise kernel over whole arrays: operands[0] is the output (already of the broadcast shape), the inputs may
// have fewer dimensions or sizes of 1, and any dtype: what differs from the loop's is converted in blocks on the way.
// Splits the work over threads where it is large. The output may be one of the inputs, exactly.
void run_pointwise(const Pointwise* kernel, DType compute, const Array* operands, int operand_count, const Number* numbers);
// The inner loop of a call that needs no conversion and no walk: it runs over all elements at once, with these strides; or
// nullptr.
Loop direct_loop(const Pointwise* kernel, DType compute, const Array* operands, int operand_count, int64_t* strides);

}  // namespace rl
