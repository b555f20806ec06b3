// The caching allocator: blocks by size class, 64-byte aligned, kept for the next tensor of that size.
// Not thread-safe by itself: every caller holds Python's global lock. Kernels that need scratch memory use std::vector.
#pragma once

#include <cstdint>

// Under AddressSanitizer the bytes of a block that nobody asked for are poisoned: those behind a tensor's own, and all of a block
// that is kept for reuse.
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define RL_POISON(block, bytes) ASAN_POISON_MEMORY_REGION(block, bytes)
#define RL_UNPOISON(block, bytes) ASAN_UNPOISON_MEMORY_REGION(block, bytes)
#else
#define RL_POISON(block, bytes) ((void)(block), (void)(bytes))
#define RL_UNPOISON(block, bytes) ((void)(block), (void)(bytes))
#endif

namespace rl {

struct MemoryStatistics {
  int64_t allocated;    // bytes now in use by storages
  int64_t cached;       // bytes kept for reuse
  int64_t peak;         // the most that was in use
  int64_t allocations;  // calls of allocate
};

namespace memory {

// Multiples of 64 bytes up to 4096; then eight classes for each doubling, so at most an eighth of a block is unused.
constexpr int64_t step = 64, small_limit = 4096;
constexpr int small_classes = small_limit / step + 1;
constexpr int class_count = small_classes + 8 * 51;

struct Block {
  Block* next;
};

struct State {
  Block* free[class_count];
  MemoryStatistics statistics;
};
extern State state;

void* allocate_slow(int64_t bytes);
void release_slow(void* block, int64_t bytes);

}  // namespace memory

// nullptr where the system has no memory left (after everything cached was given back). `bytes` may be 0.
inline void* allocate(int64_t bytes) {
  using namespace memory;
  if (uint64_t(bytes) <= uint64_t(small_limit)) {
    const int64_t index = bytes ? (bytes + step - 1) / step : 1;
    if (Block* block = state.free[index]) {
      RL_UNPOISON(block, sizeof(Block));
      state.free[index] = block->next;
      RL_POISON(block, sizeof(Block));
      RL_UNPOISON(block, bytes);
      MemoryStatistics& s = state.statistics;
      ++s.allocations;
      s.cached -= index * step;
      s.allocated += index * step;
      if (s.allocated > s.peak) s.peak = s.allocated;
      return block;
    }
  }
  return allocate_slow(bytes);
}

// `bytes` as it was asked for.
inline void release(void* block, int64_t bytes) {
  using namespace memory;
  if (uint64_t(bytes) > uint64_t(small_limit)) return release_slow(block, bytes);
  if (!block) return;
  const int64_t index = bytes ? (bytes + step - 1) / step : 1;
  RL_UNPOISON(block, sizeof(Block));
  static_cast<Block*>(block)->next = state.free[index];
  state.free[index] = static_cast<Block*>(block);
  RL_POISON(block, index * step);
  state.statistics.cached += index * step;
  state.statistics.allocated -= index * step;
}

MemoryStatistics memory_statistics();
void reset_peak_memory();
void empty_cache();
// Bytes kept at most for reuse; what is over goes back to the system. Blocks of up to 4096 bytes are not limited.
void set_cache_limit(int64_t bytes);
int64_t cache_limit();

}  // namespace rl
