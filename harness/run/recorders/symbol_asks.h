// dlsym and dlvsym stand behind a stub that writes down what was asked for and jumps on, so that
// the return address, by which RTLD_NEXT and namespaces are told, stays the caller's.
#pragma once

#include <stdint.h>

namespace gpustage::audit {

// What a caller is to have in place of `target`, the real dlsym or dlvsym. `target` itself when
// there are more of them than stubs.
uintptr_t StubFor(uintptr_t target, bool versioned);

}  // namespace gpustage::audit
