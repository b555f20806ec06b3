// Chooses the instruction set when the library is loaded.
#include <cstdlib>
#include <cstring>

#include "isa.h"

// The files of per_isa in meson.build, and those of up_to_avx2.
#define RL_DECLARE(isa)           \
  namespace rl::isa {             \
  void register_convert();        \
  void register_pointwise();      \
  void register_pointwise_math(); \
  void register_reduce();         \
  void register_scan();           \
  void register_neural();         \
  void register_recurrent();      \
  void register_convolution();    \
  void register_attention();      \
  void register_small_product();  \
  static void register_all() {    \
    register_convert();           \
    register_pointwise();         \
    register_pointwise_math();    \
    register_reduce();            \
    register_scan();              \
    register_neural();            \
    register_recurrent();         \
    register_convolution();       \
    register_attention();         \
    register_small_product();     \
  }                               \
  }
#define RL_DECLARE_UP_TO_AVX2(isa)    \
  namespace rl::isa {                 \
  void register_pooling();            \
  void register_resampling();         \
  void register_grid_sampling();      \
  static void register_up_to_avx2() { \
    register_pooling();               \
    register_resampling();            \
    register_grid_sampling();         \
  }                                   \
  }
RL_DECLARE(baseline)
RL_DECLARE_UP_TO_AVX2(baseline)
#if defined(__x86_64__) && !defined(RL_BASELINE_ONLY)
RL_DECLARE(avx2)
RL_DECLARE_UP_TO_AVX2(avx2)
RL_DECLARE(avx512)
#endif
#undef RL_DECLARE_UP_TO_AVX2
#undef RL_DECLARE

namespace rl {
namespace baseline {
void register_complex_math();
void register_special();
void register_polynomials();
void register_random_gradients();
}  // namespace baseline

namespace {

const char* choose() {
  baseline::register_all();
  baseline::register_up_to_avx2();
  baseline::register_complex_math();
  baseline::register_special();
  baseline::register_polynomials();
  baseline::register_random_gradients();
#if defined(__x86_64__) && !defined(RL_BASELINE_ONLY)
  const char* wish = std::getenv("RUSHLIGHT_ISA");
  if (wish && !std::strcmp(wish, "baseline")) return "baseline";
  __builtin_cpu_init();
  if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"))) return "baseline";
  avx2::register_all();
  avx2::register_up_to_avx2();
  if (wish && !std::strcmp(wish, "avx2")) return "avx2";
  if (!(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl")))
    return "avx2";
  avx512::register_all();
  return "avx512";
#else
  return "baseline";
#endif
}

const char* const chosen = choose();

}  // namespace

const char* instruction_set() { return chosen; }

}  // namespace rl
