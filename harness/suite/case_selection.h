// The cases of a selection, each read when its turn comes: a hundred thousand take the room of
// their numbers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "harness/scenario/catalog/catalog.h"
#include "harness/scenario/matrix/case_range.h"
#include "harness/suite/selection.h"

namespace gpustage {

class CaseSelection {
 public:
  CaseSelection(CaseFilter selection, Catalog catalog);
  CaseSelection(CaseSelection&&) noexcept;
  CaseSelection& operator=(CaseSelection&&) noexcept;
  ~CaseSelection();

  // The cases of this file that the selection wants and does not have yet. `cell`: only those that
  // are meant by it ("@gpus=1"); an error when none is.
  Status Add(const std::string& file, const std::string& cell);
  // All that is wrong in a file that could not be added.
  MistakesOfFile MistakesOf(const std::string& file) const;
  // Only these of them, by their places.
  void Keep(const std::vector<size_t>& places);

  size_t size() const { return chosen_.size(); }
  std::string Id(size_t place) const;
  const CaseRange& RangeOf(size_t place) const;
  Cell Axes(size_t place) const;
  // Their names, of those that are wanted.
  std::vector<std::string> Runs(size_t place) const;
  // With only the runs that are wanted. From any thread.
  Result<Case> Read(size_t place) const;
  // Reads every one of them: what only a combination of values gets wrong is found before anything
  // runs.
  Status CheckAll(const std::function<void(const Case&)>& visit) const;
  const Catalog& catalog() const { return fixtures_->catalog(); }
  // The names of all scanners, those of the user's files included.
  std::vector<std::string> Scanners() const;
  // What all its cases and runs are, in a number.
  std::string Digest() const;
  // "service (ollama-model)" of each run of the files that were added, wanted or not.
  std::vector<std::string> NamesOfRuns() const;
  // The scenarios that any of the cases are of.
  std::vector<const CaseRange*> Ranges() const;

 private:
  struct Source;
  struct Chosen {
    uint32_t source;
    uint32_t number;
  };

  Status Choose(uint32_t source, const std::string& cell, const std::set<uint32_t>& taken);

  CaseFilter selection_;
  std::unique_ptr<Fixtures> fixtures_;
  std::unique_ptr<std::mutex> reading_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::map<std::string, uint32_t> by_file_;   // path without links -> which source
  std::map<std::string, std::string> by_id_;  // of a scenario -> its file, as it was named
  std::vector<Chosen> chosen_;
};

// An error when nothing matches.
Result<CaseSelection> Select(const CaseFilter& selection);
// Their cases, with only the runs that are wanted.
Result<std::vector<Case>> SelectCases(const CaseFilter& selection);

}  // namespace gpustage
