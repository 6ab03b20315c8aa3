// A preload that stands between a program and dlopen of libc, as people write them for their shims.
#pragma once

namespace gpustage::preload {

using OpenLibrary = void* (*)(const char* name, int flags);

// The dlopen that comes after this one.
OpenLibrary Next();
// Records the call; returns how many there were in this process.
int Note(const char* name, int flags, void* result);

}  // namespace gpustage::preload
