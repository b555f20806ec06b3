// The driver of every reduction, and what it has to know of an op: it has no types, so that it is compiled once.
// It orders and merges dimensions, then cuts the reduction into leaves that it combines as a balanced binary tree
// (pairwise summation: the rounding error grows with log n). Leaves and tree depend on shape and strides alone.
#pragma once

#include <cstddef>
#include <cstdlib>

#include "array.h"

namespace rl {

constexpr int max_tile = 256;  // outputs taken together where they are the fastest dimension
constexpr int64_t leaf_elements = 2048;
constexpr int64_t leaf_rows = 64;
// The elements that one thread should have before another is woken.
constexpr int64_t work_grain = 32768;

struct Dim {
  int64_t size, in, out[2];
};

// Dimensions innermost first, neighbours merged.
struct MergedDims {
  int count = 0;
  int64_t total = 1;
  Dim dims[max_dims];

  void add(const Dim& dim);
  void sort();
};

struct ReducePlan {
  MergedDims kept, reduced;
  int lanes = 1;  // outputs in a tile, along kept.dims[0]
  int64_t leaf = leaf_elements;
};

// An op over elements of one type. A state is what is known of an output so far: `state_bytes` of memory.
struct Reduction {
  const void* op;
  size_t state_bytes, item_bytes;
  int outputs;
  bool ordered;  // the reduced dimensions keep their order, so that an element's place is its index
  // The elements [begin, end) of the reduction, for `lanes` neighbouring outputs of which the first's data is at `data`.
  void (*leaf)(const void* op, const ReducePlan& plan, const char* data, int lanes, int64_t begin, int64_t end, char* states);
  // Each a becomes a, then b.
  void (*merge)(const void* op, char* a, const char* b, int lanes);
  // The values of `lanes` outputs, from `offset[k]` on in outs[k].
  void (*finish)(const void* op, const Array* outs, const int64_t* offset, const int64_t* stride, const char* states, int lanes);
};

// `outs` have as many dimensions as `in`, of size 1 where it is reduced.
void run_reduction(const Reduction& reduction, const Array* outs, const Array& in);

}  // namespace rl
