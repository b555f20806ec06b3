// One source, several instruction sets. A file of `per_isa` in meson.build is compiled once for each set (one of
// `up_to_avx2` for each but the last), with RL_ISA naming it, and has this form:
//
//   #include "isa.h"
//   namespace rl::RL_ISA {
//   namespace {                       // everything but the register function
//   ...
//   }
//   void register_reduce() {          // called by cpu.cpp, only where the processor has these instructions
//     Register("sum", sum);           // by name: the best set is registered last and replaces the others
//   }
//   }  // namespace rl::RL_ISA
//
// What such a file defines lives in rl::RL_ISA (also its templates and inline functions), so that the linker never mixes
// the sets. What it takes from outside (std:: templates, inline functions of registry.h) is emitted by each set as a weak
// symbol of one name; meson.build links the baseline's library first, and the linker keeps the first.
#pragma once

#ifndef RL_ISA
#define RL_ISA baseline
#endif

namespace rl {

// "baseline", "avx2" or "avx512": the best that the processor has, or what RUSHLIGHT_ISA names, if that is less.
const char* instruction_set();

}  // namespace rl
