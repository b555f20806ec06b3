// The driver of sums: what is added to what, and which thread does it. See cascade.h.
#include "cascade.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "reduction.h"
#include "threads.h"

namespace rl {
namespace {

constexpr int most_lanes = 256;

// Whether dimension a comes after b: by strides, of which zeros tell nothing, then by sizes.
int compare(const Dim& a, const Dim& b) {
  for (const auto& [x, y] : {std::pair{a.out[0], b.out[0]}, std::pair{a.in, b.in}}) {
    if (x == 0 || y == 0) continue;
    if (x != y) return x < y ? -1 : 1;
    if (a.size > b.size) return 1;
  }
  return 0;
}

// (Not a total order, so the way of sorting is part of the result, and so are dimensions of size 1.)
void sort_and_merge(MergedDims& dims) {
  const int given = dims.count;
  for (int i = 1; i < given; ++i)
    for (int at = i, j = i - 1; j >= 0; --j) {
      const int order = compare(dims.dims[j], dims.dims[at]);
      if (order < 0) break;
      if (order > 0) {
        std::swap(dims.dims[j], dims.dims[at]);
        at = j;
      }
    }
  dims.count = 0;
  for (int d = 0; d < given; ++d)
    if (dims.dims[d].size != 1) dims.add(Dim(dims.dims[d]));
}

// The dimensions as PyTorch walks them.
void sort_dims(const Array& out, const Array& in, MergedDims& kept, MergedDims& reduced) {
  for (int d = in.ndim - 1; d >= 0; --d) {
    const bool is_kept = out.shape[d] != 1;
    MergedDims& dims = is_kept ? kept : reduced;
    dims.dims[dims.count++] = {in.shape[d], in.strides[d], {is_kept ? out.strides[d] : 0, 0}};
  }
  sort_and_merge(kept);
  sort_and_merge(reduced);
}

// Neighbouring outputs that are summed together.
struct Tile {
  SumForm form;
  int lanes;
  int64_t in, out;
};

class Driver {
 public:
  Driver(const SumLoops& loops, const Array& out, const Array& in, double divisor)
      : loops_(&loops), out_(out), data_(in.data), divisor_(divisor) {
    sort_dims(out, in, kept_, reduced_);
    if (reduced_.count) run_ = reduced_.dims[0];
    outer_ = reduced_.count <= 1 || run_.size == 0 ? 1 : reduced_.total / run_.size;
    choose_form();
    choose_lanes();
  }

  void run() {
    if (kept_.total == 0) return;
    const bool contiguous = lanes_.in == 1 && form_ != SumForm::row;
    const int64_t least[2] = {contiguous ? loops_->group : 4, contiguous ? loops_->group / 4 : 1};
    const int64_t work = kept_.total * reduced_.total,
                  enough = work < 2 * work_grain || thread_count() == 1 ? 1 : 4 * thread_count();
    int64_t width = most_lanes;
    for (tile(width, width); tiles_ < enough && width > 1; tile(std::max(width, least[0]), std::max(width, least[1]))) width /= 2;
    if (reduced_.total == 0)
      zeros();
    else if (tiles_ >= enough)
      whole_outputs(work);
    else if (outer_ > 1)
      runs_apart();
    else
      parts_apart();
  }

 private:
  const SumLoops* loops_;
  const Array& out_;
  const char* data_;
  double divisor_;
  MergedDims kept_, reduced_;
  Dim run_{1, 0, {0, 0}};
  int64_t outer_;
  // Which form a run has may depend on its place in the second dimension of those that PyTorch loops over: `single` before
  // `bound_`, else `form_`. That dimension is the first kept one or, where there are several, the second reduced one.
  SumForm form_;
  int64_t bound_ = 0;
  int lane_ = 0;  // the kept dimension of the outputs that are computed together
  Dim lanes_{1, 0, {0, 0}};
  int64_t lane_bound_ = 0;  // as bound_, along that dimension
  int64_t widths_[2], blocks_[2], tiles_;

  void choose_form() {
    const MergedDims& second = reduced_.count > 1 ? reduced_ : kept_;
    const int at = reduced_.count > 1 ? 1 : 0;
    const Dim next = second.count > at ? second.dims[at] : Dim{1, 0, {0, 0}};
    form_ = SumForm::interleaved;
    if (run_.in == 1 && run_.size >= loops_->vector)
      form_ = SumForm::row;
    else if (next.in == 1 && next.size >= loops_->vector)
      bound_ = next.size & -loops_->group;
    else if (run_.in >= next.in)
      bound_ = next.size & -4;
  }

  void choose_lanes() {
    if (kept_.count == 0) return;
    if (form_ != SumForm::row)
      for (int d = kept_.count - 1; d > 0; --d)
        if (kept_.dims[d].in == 1) lane_ = d;
    if (kept_.dims[0].in == 1) lane_ = 0;
    lanes_ = kept_.dims[lane_];
    if (reduced_.count <= 1 && lane_ == 0) lane_bound_ = bound_;
  }

  // (A division takes as long as the sum of a short run.)
  static int64_t blocks_of(int64_t size, int64_t width) { return size <= width ? size > 0 : (size + width - 1) / width; }

  // Cuts the outputs into tiles, `single` ones and others.
  void tile(int64_t single, int64_t others) {
    widths_[0] = single;
    widths_[1] = others;
    blocks_[0] = blocks_of(lane_bound_, single);
    blocks_[1] = blocks_of(lanes_.size - lane_bound_, others);
    tiles_ = (kept_.count <= 1 ? 1 : kept_.total / lanes_.size) * (blocks_[0] + blocks_[1]);
  }

  Tile locate(int64_t t) const {
    const int64_t blocks = blocks_[0] + blocks_[1], block = kept_.count <= 1 ? t : t % blocks;
    if (kept_.count > 1) t /= blocks;
    const bool before = block < blocks_[0];
    const int64_t first = before ? block * widths_[0] : lane_bound_ + (block - blocks_[0]) * widths_[1];
    const int64_t last = before ? std::min(first + widths_[0], lane_bound_) : std::min(first + widths_[1], lanes_.size);
    Tile tile{before ? SumForm::single : form_, int(last - first), first * lanes_.in, first * lanes_.out[0]};
    for (int d = 0; d < kept_.count; ++d) {
      if (d == lane_) continue;
      const Dim& dim = kept_.dims[d];
      const int64_t i = t % dim.size;
      t /= dim.size;
      tile.in += i * dim.in;
      tile.out += i * dim.out[0];
      if (d == 0 && reduced_.count <= 1 && i < bound_) tile.form = SumForm::single;
    }
    return tile;
  }

  SumRun run_of(const Tile& tile) const { return {tile.form, tile.lanes, lanes_.in, run_.size, run_.in}; }
  const char* at(int64_t offset) const { return data_ + offset * loops_->item_bytes; }

  // The sums of one of the runs of a tile.
  void sum_run(const Tile& tile, int64_t place, char* sums) const {
    SumRun run = run_of(tile);
    int64_t offset = tile.in;
    for (int d = 1; d < reduced_.count; ++d) {
      const Dim& dim = reduced_.dims[d];
      const int64_t i = place % dim.size;
      place /= dim.size;
      offset += i * dim.in;
      if (d == 1 && i < bound_) run.form = SumForm::single;
    }
    loops_->run(run, at(offset), nullptr, sums);
  }

  void finish(const Tile& tile, const char* sums) const {
    loops_->finish(out_, tile.out, lanes_.out[0], sums, tile.lanes, divisor_);
  }

  // Whole outputs to a thread.
  void whole_outputs(int64_t work) const {
    const int64_t cost = work <= work_grain ? 1 : std::max<int64_t>(work / tiles_, 1);
    parallel_for(tiles_,
                 work <= work_grain   ? tiles_
                 : cost >= work_grain ? 1
                                      : work_grain / cost,
                 [&](int64_t begin, int64_t end) {
                   alignas(64) char total[most_lanes * 16], sums[most_lanes * 16];
                   for (int64_t t = begin; t < end; ++t) {
                     const Tile tile = locate(t);
                     sum_run(tile, 0, total);
                     for (int64_t place = 1; place < outer_; ++place) {
                       sum_run(tile, place, sums);
                       loops_->add(total, sums, tile.lanes);
                     }
                     finish(tile, total);
                   }
                 });
  }

  // The runs of an output to several threads.
  void runs_apart() const {
    const int64_t bytes = std::max(widths_[0], widths_[1]) * loops_->sum_bytes;
    const std::unique_ptr<char[]> sums(new char[size_t(tiles_ * outer_ * bytes)]);
    const int64_t cost = std::max<int64_t>(kept_.total / tiles_ * run_.size, 1);
    parallel_for(tiles_ * outer_, cost >= work_grain ? 1 : work_grain / cost, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) sum_run(locate(task / outer_), task % outer_, sums.get() + task * bytes);
    });
    for (int64_t t = 0; t < tiles_; ++t) {
      const Tile tile = locate(t);
      char* total = sums.get() + t * outer_ * bytes;
      for (int64_t place = 1; place < outer_; ++place) loops_->add(total, total + place * bytes, tile.lanes);
      finish(tile, total);
    }
  }

  // The parts of a run to several threads.
  void parts_apart() const {
    for (int64_t t = 0; t < tiles_; ++t) {
      const Tile tile = locate(t);
      const SumRun run = run_of(tile);
      const char* data = at(tile.in);
      int64_t bytes = 0;
      const int64_t count = loops_->count_parts(run, data, &bytes);
      // (Vectors want to be aligned.)
      const std::unique_ptr<char[]> memory(count ? new char[size_t(count * bytes) + 64] : nullptr);
      char* parts = memory ? memory.get() + (64 - reinterpret_cast<uintptr_t>(memory.get()) % 64) : nullptr;
      if (count) {
        const int64_t cost = std::max<int64_t>(run.size * run.lanes / count, 1);
        parallel_for(count, cost >= work_grain ? 1 : work_grain / cost,
                     [&](int64_t begin, int64_t end) { loops_->make_parts(run, data, begin, end, parts + begin * bytes); });
      }
      alignas(64) char sums[most_lanes * 16];
      loops_->run(run, data, parts, sums);
      finish(tile, sums);
    }
  }

  void zeros() const {
    alignas(64) const char sums[most_lanes * 16] = {};
    for (int64_t t = 0; t < tiles_; ++t) finish(locate(t), sums);
  }
};

}  // namespace

void run_sum(const SumLoops& loops, const Array& out, const Array& in, double divisor) { Driver(loops, out, in, divisor).run(); }

bool sums_several(const Array& out, const Array& in) {
  MergedDims kept, reduced;
  sort_dims(out, in, kept, reduced);
  return reduced.count > 1;
}

bool fills_memory(const Array& in) {
  MergedDims raw, merged;
  for (int d = in.ndim - 1; d >= 0; --d)
    if (in.shape[d] != 1) raw.dims[raw.count++] = {in.shape[d], in.strides[d], {0, 0}};
  raw.sort();
  for (int d = 0; d < raw.count; ++d) merged.add({raw.dims[d].size, raw.dims[d].in, {raw.dims[d].in, 0}});
  return merged.count == 0 || (merged.count == 1 && merged.dims[0].in == 1);
}

}  // namespace rl
