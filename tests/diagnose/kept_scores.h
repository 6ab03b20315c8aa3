// Scores in a file, a line each, so that an evaluation that was ended goes on where it stopped.
#pragma once

#include <map>
#include <string>

#include "tests/diagnose/evaluation.h"

namespace gpustage {

class KeptScores {
 public:
  // Those of the same stamp. Another one's are thrown away; an empty `file` keeps nothing.
  KeptScores(std::string file, const std::string& stamp);
  // Of the task, and of its scenario's file as it is now. Null: none, or of fewer proofs again.
  const Score* Find(const Task& task, size_t again) const;
  void Add(const Task& task, size_t again, const Score& score);

 private:
  const std::string file_;
  std::map<std::string, std::pair<size_t, Score>> scores_;
};

}  // namespace gpustage
