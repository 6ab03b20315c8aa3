// What the layouts of the catalog know of a healthy machine: which file a package installs where.
// To a fake machine that is what the package manager's list of files is to a real one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/diagnose/flat_case.h"
#include "harness/scenario/catalog/catalog.h"

namespace gpustage {

struct Installed {
  std::string package;  // the layout
  FlatEntry entry;      // kLibrary, kLink or kFile
};

class Packages {
 public:
  // Libraries that are missing on this machine are in none.
  static Result<Packages> Read(const Catalog& catalog);

  // Without what serves only GPUs of a maker of whom the machine has none.
  Packages For(const Machine& machine) const;

  const KnownImages& images() const { return images_; }
  // What packages install at the path; those first of which more stands in the tree as they left
  // it.
  std::vector<Installed> At(const std::string& path, const FlatTree& tree) const;
  // A library in which there is nothing that anybody calls; none where the catalog has none.
  const std::optional<LibrarySource>& hollow() const { return hollow_; }
  // The same for a library of this last name in whatever directory: links of packages count as what
  // they end at.
  std::vector<Installed> Named(const std::string& name, const FlatTree& tree) const;
  // What can be installed at once, of which nothing stands in the tree: a directory of a package,
  // or all of a package. Libraries stand under the names by which they are asked for.
  struct Folder {
    std::string package;
    std::string directory;
    FlatTree entries;
  };
  std::vector<Folder> FoldersMissingIn(const FlatTree& tree) const;
  // The backends of ggml for a GPU by CUDA or HIP, each with what it needs beside it, by their last
  // names. `directory`: of the file, up to its version ("libggml-cuda.so").
  std::vector<Folder> Backends() const;
  // Whether something that a package installs beside a library of this name stands in `directory`.
  bool HasSibling(const std::string& directory, const std::string& name,
                  const FlatTree& tree) const;
  // Whether a package of which something stands in the tree has the path.
  bool IsExpected(const std::string& path, const FlatTree& tree) const;
  // Every path of the packages of which something stands in the tree.
  std::vector<std::string> PathsIn(const FlatTree& tree) const;
  // The last names of what packages install right in a directory.
  std::vector<std::string> NamesIn(const std::string& directory) const;
  std::vector<std::string> Directories() const;

 private:
  double Presence(const std::string& package, const FlatTree& tree) const;
  void SortByPresence(std::vector<Installed>& found, const FlatTree& tree) const;

  std::map<std::string, FlatTree> packages_;  // by name
  KnownImages images_;
  std::optional<LibrarySource> hollow_;
};

}  // namespace gpustage
