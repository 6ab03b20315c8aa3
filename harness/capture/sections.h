// The parts of a scenario that tell of files, nodes, variables and the user: of a machine that was
// read, or of texts that somebody pasted.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/capture/facts.h"
#include "harness/capture/privacy.h"
#include "harness/capture/stand_in.h"

namespace gpustage::capture {

// In double quotes, as our strict YAML takes it; a byte that is no ASCII as \xNN.
std::string Quoted(const std::string& text);

// The value of a key of a manifest's JSON.
std::string ManifestValue(const std::string& json, const std::string& key);

// Where a value came from, as a comment behind it: by path, or "env NAME". Whoever reads a machine
// has none.
using Origins = std::map<std::string, std::string>;

class Sections {
 public:
  Sections(const MachineFacts& facts, Origins origins)
      : facts_(facts), origins_(std::move(origins)) {}

 protected:
  // Whether it is what its name says: a node of NVIDIA's, or a staged machine's, which is a file
  // that says its own name.
  static bool IsNode(const FileFacts& node);

  void Line(const std::string& line) { text_ += line + "\n"; }
  void Comment(const std::string& words) { Line("# " + words); }
  // " # ls -l, bug.txt:12"; "" where nothing is known of it.
  std::string From(const std::string& key) const;
  std::string PathOf(const std::string& path) { return places_.Path(path); }
  // `devices`: whose nodes are there unless facts.nodes says otherwise. `more`: operations behind
  // those of its files.
  void Tree(size_t devices, const std::vector<std::string>& more = {});
  void Environment(const std::string& whose);
  // The value of a variable as it may be written.
  std::string OfVariable(const std::string& name, const std::string& value);

  const MachineFacts& facts_;
  const Origins origins_;
  Placeholders places_;
  Ids ids_;
  std::string text_;

 private:
  void File(const FileFacts& file);
  void Nodes(size_t devices);
  void NodesOfAmd(size_t devices);
  void Node(const std::string& path);
  std::string Names(const std::vector<std::string>& names);
  // What is written of a file that is a text; "" where it is none of those that matter.
  std::string TextFile(const FileFacts& file);
  std::string Owner(const FileFacts& file);
  std::string BrokenOf(const FileFacts& file, const Fake& fake);
  size_t left_out_ = 0;
};

}  // namespace gpustage::capture
