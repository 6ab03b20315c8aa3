// Claims about the loader: what was mapped, where it looked, what dlsym gave, what libraries lack
// of each other and who stands before libc.
#pragma once

#include <optional>
#include <string>

#include "harness/scenario/model/claim_parts.h"

namespace gpustage {

struct LoadsClaim {     // loads: {library: libcuda.so.1, from: /usr/lib/…, by: cache, in: ollama
                        // runner}; loads_not: libcuda.so.1
  std::string library;  // SONAME, base name, or a path inside the root
  std::optional<std::string> from;  // the path that was mapped
  bool present = true;
  // The rule that found it: "LD_LIBRARY_PATH", "RPATH", "RUNPATH", "cache", "default".
  std::optional<std::string> by = std::nullopt;
  std::optional<std::string> build_id = std::nullopt;  // of what was mapped, in hex
  std::optional<std::string> in = std::nullopt;  // a part of the process's role; none: any process
  friend bool operator==(const LoadsClaim&, const LoadsClaim&) = default;
};
struct SearchesClaim {  // searches: {path: /opt/libcudart.so.12, by: RUNPATH, for:
                        // libggml-cuda.so}: a place where the loader looked
  std::string path;
  std::optional<std::string> by = std::nullopt;         // as in loads
  std::optional<std::string> requester = std::nullopt;  // the end of the path of who needs it
  std::optional<std::string> in = std::nullopt;
  CountRange count{1, std::nullopt};
  friend bool operator==(const SearchesClaim&, const SearchesClaim&) = default;
};
struct DlsymClaim {  // dlsym: {symbol: ggml_backend_init, answer: missing}
  std::string symbol;
  std::optional<std::string> answer = std::nullopt;  // "found", "missing"; none: any
  std::optional<std::string> from = std::nullopt;    // the end of the path of who has it
  std::optional<std::string> in = std::nullopt;
  CountRange count{1, std::nullopt};
  friend bool operator==(const DlsymClaim&, const DlsymClaim&) = default;
};
struct LacksClaim {     // lacks: {library: libggml-cuda.so, of: libcudart.so.12, symbol:
                        // cudaFree@libcudart.so.12}
  std::string library;  // who needs it: the end of its path
  std::optional<std::string> of = std::nullopt;  // the end of the path of what was loaded for it
  std::optional<std::string> symbol = std::nullopt;  // symbol@version
  std::optional<std::string> version = std::nullopt;
  CountRange count{1, std::nullopt};  // processes in which it is so
  friend bool operator==(const LacksClaim&, const LacksClaim&) = default;
};
struct TakesClaim {  // takes: {function: dlopen, from: /usr/lib/libwrap.so}: a function of libc
                     // that another object stands before
  std::string function;
  std::optional<std::string> from = std::nullopt;
  std::optional<std::string> in = std::nullopt;
  CountRange count{1, std::nullopt};  // processes in which it is so
  friend bool operator==(const TakesClaim&, const TakesClaim&) = default;
};

}  // namespace gpustage
