#include "reduction.h"

#include <memory>
#include <utility>

#include "threads.h"

namespace rl {

void MergedDims::add(const Dim& dim) {
  total *= dim.size;
  if (count > 0) {
    Dim& last = dims[count - 1];
    if (dim.in == last.in * last.size && dim.out[0] == last.out[0] * last.size && dim.out[1] == last.out[1] * last.size) {
      last.size *= dim.size;
      return;
    }
  }
  dims[count++] = dim;
}

void MergedDims::sort() {
  for (int i = 1; i < count; ++i)
    for (int j = i; j > 0 && std::llabs(dims[j].in) < std::llabs(dims[j - 1].in); --j) std::swap(dims[j], dims[j - 1]);
}

namespace {

void plan_reduction(ReducePlan& plan, const Array* outs, int out_count, const Array& in, bool ordered) {
  MergedDims kept, reduced;
  for (int d = in.ndim - 1; d >= 0; --d) {
    const int64_t size = in.shape[d];
    if (size == 1) continue;
    if (outs[0].shape[d] == 1) {
      reduced.dims[reduced.count++] = {size, in.strides[d], {0, 0}};
    } else {
      kept.dims[kept.count++] = {size, in.strides[d], {outs[0].strides[d], outs[out_count - 1].strides[d]}};
    }
  }
  kept.sort();
  if (!ordered) reduced.sort();
  for (int d = 0; d < kept.count; ++d) plan.kept.add(kept.dims[d]);
  for (int d = 0; d < reduced.count; ++d) plan.reduced.add(reduced.dims[d]);
  if (plan.kept.count == 0 || plan.kept.total == 0) return;
  const Dim& lane = plan.kept.dims[0];
  const Dim* row = plan.reduced.count > 0 ? &plan.reduced.dims[0] : nullptr;
  if (!row || std::llabs(lane.in) < std::llabs(row->in) || plan.reduced.total < 32) {
    plan.lanes = int(lane.size < max_tile ? lane.size : max_tile);
    plan.leaf = leaf_rows;
    if (row && lane.in == 1 && row->in == lane.size)
      while (plan.leaf * 2 * plan.lanes <= leaf_elements) plan.leaf *= 2;
  }
}

// Neighbouring outputs that are computed together, and where they and their first element lie.
struct Tile {
  int64_t in, out[2];
  int lanes;
};

class Driver {
 public:
  Driver(const Reduction& reduction, const Array* outs, const Array& in)
      : reduction_(reduction), outs_(outs), data_(static_cast<const char*>(in.data)) {
    plan_reduction(plan_, outs, reduction.outputs, in, reduction.ordered);
    lane_size_ = plan_.lanes > 1 ? plan_.kept.dims[0].size : 1;
    blocks_ = (lane_size_ + plan_.lanes - 1) / plan_.lanes;
    tiles_ = plan_.kept.total / lane_size_ * blocks_;
  }

  void run() const {
    if (plan_.kept.total == 0) return;
    int64_t chunk = plan_.leaf;
    while (chunk * plan_.lanes < work_grain) chunk *= 2;
    if (plan_.reduced.total <= 2 * chunk)
      whole_outputs();
    else
      long_outputs(chunk);
  }

 private:
  const Reduction& reduction_;
  const Array* outs_;
  const char* data_;
  ReducePlan plan_;
  int64_t lane_size_, blocks_, tiles_;

  Tile locate(int64_t t) const {
    Tile tile{0, {0, 0}, 1};
    int d = 0;
    if (plan_.lanes > 1) {
      const int64_t first = t % blocks_ * plan_.lanes;
      t /= blocks_;
      tile.lanes = int(lane_size_ - first < plan_.lanes ? lane_size_ - first : plan_.lanes);
      const Dim& lane = plan_.kept.dims[0];
      tile.in = first * lane.in;
      for (int o = 0; o < 2; ++o) tile.out[o] = first * lane.out[o];
      d = 1;
    }
    for (; d < plan_.kept.count; ++d) {
      const Dim& dim = plan_.kept.dims[d];
      int64_t i = t;
      if (d + 1 < plan_.kept.count) {
        i = t % dim.size;
        t /= dim.size;
      }
      tile.in += i * dim.in;
      for (int o = 0; o < 2; ++o) tile.out[o] += i * dim.out[o];
    }
    return tile;
  }

  void finish(const Tile& tile, const char* states) const {
    static constexpr int64_t none[2] = {0, 0};
    const int64_t* stride = plan_.lanes > 1 ? plan_.kept.dims[0].out : none;
    reduction_.finish(reduction_.op, outs_, tile.out, stride, states, tile.lanes);
  }

  void leaf(const Tile& tile, int64_t begin, int64_t end, char* states) const {
    reduction_.leaf(reduction_.op, plan_, data_ + tile.in * int64_t(reduction_.item_bytes), tile.lanes, begin, end, states);
  }

  // The tree over the leaves of [begin, end): a stack of finished subtrees, like the digits of a binary counter.
  void range(const Tile& tile, int64_t begin, int64_t end, char* states) const {
    if (end - begin <= plan_.leaf) return leaf(tile, begin, end, states);
    int levels = 2;
    while ((plan_.leaf << (levels - 2)) < end - begin) ++levels;
    const size_t bytes = size_t(tile.lanes) * reduction_.state_bytes;
    char* stack = static_cast<char*>(__builtin_alloca(size_t(levels) * bytes));
    size_t depth = 0;
    auto fold = [&] {
      --depth;
      reduction_.merge(reduction_.op, stack + (depth - 1) * bytes, stack + depth * bytes, tile.lanes);
    };
    uint64_t leaves = 0;
    for (int64_t at = begin; at < end; at += plan_.leaf) {
      leaf(tile, at, at + plan_.leaf < end ? at + plan_.leaf : end, stack + depth * bytes);
      ++depth;
      ++leaves;
      for (uint64_t digit = leaves; (digit & 1) == 0; digit >>= 1) fold();
    }
    while (depth > 1) fold();
    __builtin_memcpy(states, stack, bytes);
  }

  // Whole outputs to a thread.
  void whole_outputs() const {
    const int64_t length = plan_.reduced.total;
    const int64_t cost = plan_.lanes * length > 0 ? plan_.lanes * length : 1;
    parallel_for(tiles_, cost >= work_grain ? 1 : work_grain / cost, [&](int64_t begin, int64_t end) {
      char* states = static_cast<char*>(__builtin_alloca(size_t(plan_.lanes) * reduction_.state_bytes));
      for (int64_t t = begin; t < end; ++t) {
        const Tile tile = locate(t);
        range(tile, 0, length, states);
        finish(tile, states);
      }
    });
  }

  // Pieces of long reductions to a thread. A piece is a power of two of leaves, so the tree stays the same.
  void long_outputs(int64_t chunk) const {
    const int64_t length = plan_.reduced.total, chunks = (length + chunk - 1) / chunk;
    const int64_t bytes = plan_.lanes * int64_t(reduction_.state_bytes);
    const std::unique_ptr<char[]> partial(new char[size_t(tiles_ * chunks * bytes)]);
    parallel_for(tiles_ * chunks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t first = task % chunks * chunk, last = first + chunk < length ? first + chunk : length;
        range(locate(task / chunks), first, last, partial.get() + task * bytes);
      }
    });
    for (int64_t t = 0; t < tiles_; ++t) {
      char* states = partial.get() + t * chunks * bytes;
      const Tile tile = locate(t);
      for (int64_t width = 1; width < chunks; width *= 2)
        for (int64_t i = 0; i + width < chunks; i += 2 * width)
          reduction_.merge(reduction_.op, states + i * bytes, states + (i + width) * bytes, tile.lanes);
      finish(tile, states);
    }
  }
};

}  // namespace

void run_reduction(const Reduction& reduction, const Array* outs, const Array& in) { Driver(reduction, outs, in).run(); }

}  // namespace rl
