// /etc/ld.so.cache as ld.so reads it: which file a SONAME means where nothing else says so.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace gpustage {

// The libraries for x86-64 in the cache's bytes, by name. Those for particular processors
// (glibc-hwcaps) are left out: what they stand for is there, too. Total: any bytes give something.
std::map<std::string, std::string, std::less<>> ReadLoaderCache(std::string_view bytes);

}  // namespace gpustage
