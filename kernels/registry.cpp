// The one table from a kernel's name to its code.
#include "registry.h"

#include <algorithm>
#include <map>

namespace rl {
namespace {

std::map<std::string, Kernel>& kernels() {
  static std::map<std::string, Kernel> table;
  return table;
}

std::map<std::string, Pointwise>& pointwise_kernels() {
  static std::map<std::string, Pointwise> table;
  return table;
}

}  // namespace

void no_kernel(const char* name, DType dtype) {
  throw NoKernel("\"" + std::string(name) + "\" not implemented for '" + dtype_facts[int(dtype)].title + "'");
}

Register::Register(const char* name, Kernel kernel) { kernels()[name] = kernel; }

Register::Register(const Pointwise& kernel) {
  Pointwise& entry = pointwise_kernels()[kernel.name];
  Pointwise merged = kernel;
  for (int d = 0; d < dtype_count; ++d)
    if (!merged.loops[d]) merged.loops[d] = entry.loops[d];
  entry = merged;
}

void serve_late(const char* name, unsigned late) { pointwise_kernels().at(name).late |= late; }

const Pointwise* find_pointwise(const char* name) {
  auto it = pointwise_kernels().find(name);
  return it == pointwise_kernels().end() ? nullptr : &it->second;
}

std::string name_of(Kernel kernel) {
  for (const auto& [name, code] : kernels())
    if (code == kernel) return name;
  return "";
}

std::string name_of(Loop loop) {
  for (const auto& [name, code] : pointwise_kernels())
    if (std::find(code.loops, code.loops + dtype_count, loop) != code.loops + dtype_count) return name;
  return "";
}

Kernel find_kernel(const char* name) {
  auto it = kernels().find(name);
  return it == kernels().end() ? nullptr : it->second;
}

}  // namespace rl
