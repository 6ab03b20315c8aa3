// GPUSTAGE_FUZZ=TARGET gpustage_fuzz CORPUS…: libFuzzer over one of the targets. Built with
// -fsanitize=fuzzer by tests/full/fuzz.sh.
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const gpustage::FuzzTarget* const target = [] {
    const char* name = std::getenv("GPUSTAGE_FUZZ");
    const gpustage::FuzzTarget* found = gpustage::FindFuzzTarget(name == nullptr ? "" : name);
    if (found == nullptr) {
      for (const gpustage::FuzzTarget& known : gpustage::FuzzTargets())
        std::fprintf(stderr, "GPUSTAGE_FUZZ=%.*s\n", static_cast<int>(known.name.size()),
                     known.name.data());
      std::exit(2);
    }
    return found;
  }();
  target->read({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
