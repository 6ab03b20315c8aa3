#include "harness/capture/privacy.h"

#include <cctype>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "harness/capture/privacy_words.h"

namespace gpustage::capture {
namespace {

bool IsDigits(std::string_view text) {
  for (const char c : text)
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) return false;
  return !text.empty();
}

// "12", "12.8", "535.183.01", "0.17.4": at most 14 characters, as versions are; a serial number or
// an address is longer or has other marks.
bool IsVersion(std::string_view text) {
  if (text.empty() || text.size() > 14) return false;
  size_t digits = 0, parts = 1;
  for (const char c : text) {
    if (c == '.') {
      if (digits == 0) return false;
      digits = 0;
      ++parts;
    } else if (std::isdigit(static_cast<unsigned char>(c)) == 0 || ++digits > 4) {
      return false;
    }
  }
  return digits > 0 && parts <= 4;
}
// Four parts are an address unless the name before says what it is a version of.
bool MayBeAddress(std::string_view text) {
  size_t dots = 0;
  for (const char c : text) dots += c == '.';
  return dots == 3;
}

bool KeptStem(std::string_view stem) {
  if (Stems().count(stem) != 0) return true;
  const size_t last = stem.find_last_of("-_");
  // "ggml-cpu-haswell", "cudnn_ops": the stem that is known, then a word or a version.
  if (last == std::string_view::npos) return false;
  static const std::set<std::string_view> tails = {
      "haswell", "alderlake", "icelake", "sandybridge", "skylakex", "sse42", "x64",
      "zen4",    "v12",       "v13",     "v11",         "ops",      "cnn",   "adv",
      "graph",   "heuristic", "engines", "upstream",    "static",   "stub",  "alpha"};
  return KeptStem(stem.substr(0, last)) &&
         (tails.count(stem.substr(last + 1)) != 0 || IsVersion(stem.substr(last + 1)));
}

// "libSTEM.so", "libSTEM.so.12.8", "libSTEM-12.so"
bool IsKnownLibrary(std::string_view name) {
  const size_t so = name.find(".so");
  if (so == std::string_view::npos) return false;
  std::string_view stem = name.substr(0, so), version = name.substr(so + 3);
  if (stem.substr(0, 3) == "lib")
    stem.remove_prefix(3);
  else if (stem.substr(0, 2) != "ld")
    return false;
  if (!version.empty() && (version[0] != '.' || !IsVersion(version.substr(1)))) return false;
  // NVIDIA counts these in four parts: libcublas.so.12.8.4.1.
  static const std::set<std::string_view> four = {"cublas",   "cublasLt", "cufft",  "curand",
                                                  "cusolver", "cusparse", "cudart", "nvJitLink"};
  if (!version.empty() && MayBeAddress(version.substr(1)) && four.count(stem) == 0) return false;
  return KeptStem(stem);
}

// "cuda-12.8", "cuda_v12", "python3.11", "nvidia-535", "rocm-6.2", "nvidia0", "renderD128", "card0"
bool IsNumberedWord(std::string_view name) {
  for (const std::string_view word :
       {"cuda-",   "cuda_v",  "cuda_jetpack", "python",         "nvidia-", "rocm-",   "rocm_v",
        "nvidia",  "renderD", "card",         "nvidia-driver-", "libcuda", "cuda",    "vulkan",
        "ollama-", "llama-",  "GLIBC_",       "GCC_",           "CXXABI_", "GLIBCXX_"})
    if (name.substr(0, word.size()) == word && IsVersion(name.substr(word.size())) &&
        !MayBeAddress(name.substr(word.size())))
      return true;
  return false;
}

bool IsKept(std::string_view name) {
  return name.empty() || name == "." || name == ".." || Words().count(name) != 0 ||
         IsKnownLibrary(name) || IsNumberedWord(name) || (IsDigits(name) && name.size() <= 3);
}

}  // namespace

std::string Placeholders::For(std::string_view text) {
  const auto found = known_.find(text);
  if (found != known_.end()) return found->second;
  const std::string name = "p" + std::to_string(known_.size() + 1);
  known_.emplace(text, name);
  return name;
}

std::string Placeholders::Name(std::string_view name) {
  if (IsKept(name)) return std::string(name);
  // What kind of file it is shows at both ends, and a library of nobody's name is one still.
  const size_t so = name.find(".so");
  if (name.substr(0, 3) == "lib" && so != std::string_view::npos && so > 3) {
    const std::string_view version = name.substr(so + 3);
    const bool plain = version.empty() || (version[0] == '.' && IsVersion(version.substr(1)) &&
                                           !MayBeAddress(version.substr(1)));
    const std::string_view stem = name.substr(3, so - 3);
    return "lib" + (KeptStem(stem) ? std::string(stem) : For(stem)) + ".so" +
           (plain ? std::string(version) : "." + For(version));
  }
  for (const std::string_view end : {".json", ".conf", ".icd", ".service"})
    if (name.size() > end.size() && name.substr(name.size() - end.size()) == end)
      return For(name.substr(0, name.size() - end.size())) + std::string(end);
  return For(name);
}

std::string Placeholders::Path(std::string_view path) {
  std::string kept;
  size_t begin = 0;
  for (;;) {
    const size_t slash = path.find('/', begin);
    kept += Name(path.substr(begin, slash == std::string_view::npos ? slash : slash - begin));
    if (slash == std::string_view::npos) return kept;
    kept += '/';
    begin = slash + 1;
  }
}

std::string Placeholders::Paths(std::string_view paths) {
  std::string kept;
  size_t begin = 0;
  for (;;) {
    const size_t colon = paths.find(':', begin);
    kept += Path(paths.substr(begin, colon == std::string_view::npos ? colon : colon - begin));
    if (colon == std::string_view::npos) return kept;
    kept += ':';
    begin = colon + 1;
  }
}

void Placeholders::KnowDevice(const std::string& uuid, const std::string& of_scenario) {
  devices_[uuid] = of_scenario;
}

std::string Placeholders::Mask(std::string_view mask) {
  static const std::set<std::string_view> words = {"all", "none", "void", "NoDevFiles"};
  std::string kept;
  size_t begin = 0;
  for (;;) {
    const size_t comma = mask.find(',', begin);
    const std::string_view part =
        mask.substr(begin, comma == std::string_view::npos ? comma : comma - begin);
    const std::string_view number = part.substr(0, 1) == "-" ? part.substr(1) : part;
    const auto device = devices_.find(part);
    if (part.empty() || words.count(part) != 0 || (IsDigits(number) && number.size() <= 3))
      kept += part;
    else if (device != devices_.end())
      kept += device->second;
    else if (part.substr(0, 4) == "GPU-" || part.substr(0, 4) == "MIG-")
      kept += std::string(part.substr(0, 4)) + For(part.substr(4));
    else
      kept += For(part);
    if (comma == std::string_view::npos) return kept;
    kept += ',';
    begin = comma + 1;
  }
}

std::string Placeholders::Switch(std::string_view value) {
  static const std::set<std::string_view> words = {
      "",         "true",    "false",    "True",       "False",
      "on",       "off",     "yes",      "no",         "TRUE",
      "FALSE",    "LAZY",    "EAGER",    "PCI_BUS_ID", "FASTEST_FIRST",
      "compute",  "utility", "graphics", "video",      "display",
      "compat32", "ngx",     "all",      "cuda",       "debug",
      "info",     "warn",    "error",    "cuda_v11",   "cuda_v12",
      "cuda_v13", "rocm",    "vulkan",   "cpu",        "f16",
      "q8_0",     "q4_0"};
  if (const size_t comma = value.find(','); comma != std::string_view::npos)
    return Switch(value.substr(0, comma)) + "," + Switch(value.substr(comma + 1));
  if (words.count(value) != 0 || (IsDigits(value) && value.size() <= 5)) return std::string(value);
  if (IsVersion(value) && !MayBeAddress(value)) return std::string(value);
  return For(value);
}

std::string Placeholders::Words(std::string_view text) {
  static const std::set<std::string> known = [] {
    std::set<std::string> words = {
        "cannot", "open",    "shared", "object", "file:",     "file",   "undefined", "symbol:",
        "symbol", "version", "not",    "found",  "(required", "by",     "invalid",   "ELF",
        "header", "too",     "short",  "wrong",  "class:",    "stack",  "as",        "executable",
        "in",     "static",  "TLS",    "block",  "allocate",  "memory", "error",     "killed",
        "signal", "did",     "answer", "within", "exited",    "with",   "ended",     "no",
        "loader", "here",    "time"};
    for (int code = 1; code < 134; ++code) {
      std::string word;
      for (const char* c = strerror(code);; ++c) {
        if (*c != ' ' && *c != 0) {
          word += *c;
          continue;
        }
        if (!word.empty()) words.insert(std::exchange(word, {}));
        if (*c == 0) break;
      }
    }
    return words;
  }();
  std::string kept, word;
  const auto finish = [&] {
    if (word.empty()) return;
    std::string end;
    while (!word.empty() && std::strchr(":;,()", word.back()) != nullptr &&
           known.count(word) == 0) {
      end.insert(end.begin(), word.back());
      word.pop_back();
    }
    kept += known.count(word) != 0 ? word : Path(word);
    kept += end;
    word.clear();
  };
  for (const char c : text) {
    if (c == ' ' || c == '\n' || c == '\t') {
      finish();
      kept += ' ';
    } else {
      word += c;
    }
  }
  finish();
  return kept;
}

}  // namespace gpustage::capture
