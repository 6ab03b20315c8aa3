// Where Ollama looks for backends (ml/path.go and the glob of discover/runner.go, v0.17.4).
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace gpustage::ollama {

// The program itself with every link resolved; nullopt when /proc does not say.
std::optional<std::string> Executable();

// The first that exists of EXE_DIR/../lib/ollama, EXE_DIR/build/lib/ollama, CWD/build/lib/ollama;
// otherwise EXE_DIR. "Exists" is a stat: a regular file would do. "" when the working directory is
// gone.
std::string LibOllamaPath();

// The directories that hold a match of LIB_OLLAMA_PATH/*/*ggml-*, by Go's rules: only names count,
// so a dangling link or a directory of such a name will do; hidden ones match; a directory that
// cannot be listed is passed over in silence. Sorted. The real one is a Go map: its order is
// random, so no claim may rest on the order of directories. The path of the folder is a part of the
// pattern: nothing where that makes it none ("/opt/o[1").
std::optional<std::vector<std::string>> CandidateDirectories(const std::string& lib_ollama_path);

// Go's filepath.Base and filepath.Join (which cleans) for one part.
std::string Base(const std::string& path);
std::string Join(const std::string& directory, const std::string& name);

}  // namespace gpustage::ollama
