// What a thread is doing, in one place that a call reads with one test.
#pragma once

#include <cstdint>

namespace rl {

class Program;

struct Modes {
  bool grad = true;                    // record operations
  bool inference = false;              // inference_mode: no versions, no views, and nothing is recorded
  bool wished = false;                 // grad mode as the program sees it within inference_mode
  bool forward_ad = true;              // forward-mode derivatives allowed
  static inline bool anomaly = false;  // detect_anomaly, of all threads
  static inline bool anomaly_check_nan = true;
  bool multithreading = true;
  bool meta = false;             // new tensors have no memory
  int32_t unwrapped = 0;         // numbers in arithmetic stand for themselves, as in PyTorch's C++, and are no wrapped tensors
  int32_t interpreters = 0;      // transforms on this thread's stack
  int32_t transforms = 0;        // functions that are being transformed: how deep a program stands in transforms
  int32_t at_work = 0;           // interpreters that compute an op now: what is called is no program's
  int32_t function_modes = 0;    // modes on this thread that are asked what a call of a public function does
  Program* recording = nullptr;  // what kernels run is written down here, to be run again (core/replay)
  uint64_t derivatives = 0;      // bit i: the transform at depth i + 1 is a derivative, no batch
};

// The initial-exec model makes this a plain load; it takes a few bytes of the static thread-local space.
#if defined(__GNUC__) && defined(__linux__)
#define RL_TLS_MODEL __attribute__((tls_model("initial-exec")))
#else
#define RL_TLS_MODEL
#endif
inline thread_local Modes modes RL_TLS_MODEL;

// Sets grad mode until the scope is left that this stands in.
struct GradMode {
  const bool before = modes.grad;
  void set(bool now) { modes.grad = now; }
  ~GradMode() { modes.grad = before; }
};

// Makes new tensors such as have no memory, or not, until then.
struct MetaMode {
  const bool before = modes.meta;
  void set(bool now) { modes.meta = now; }
  ~MetaMode() { modes.meta = before; }
};

}  // namespace rl
