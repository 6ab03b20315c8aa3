// What loaded libraries lack of each other, who stands before libc, and what was used from outside:
// a line each, where there is any.
#include <fmt/format.h>

#include <map>
#include <set>

#include "harness/report/trace.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

constexpr size_t kMostLacks = 3;  // that are told: one old libstdc++ is lacked by everybody

// Several processes mostly lack the same.
std::vector<std::string> Lacks(const Evidence& evidence) {
  std::vector<std::string> sentences;
  std::set<std::string> told;
  for (const Gap& gap : evidence.linkage.gaps)
    if (const std::string sentence = GapText(gap); told.insert(sentence).second)
      sentences.push_back(fmt::format("{} ({})", sentence, ProcessName(evidence, gap.pid)));
  if (sentences.size() > kMostLacks) {
    const size_t more = sentences.size() - kMostLacks;
    sentences.resize(kMostLacks);
    sentences.push_back(fmt::format("and {} more pairs of libraries", more));
  }
  return sentences;
}

std::vector<std::string> Interposers(const Evidence& evidence) {
  std::map<std::pair<int, std::string>, std::string> functions;  // by process and library
  for (const Interposer& interposer : evidence.linkage.interposers) {
    std::string& list = functions[{interposer.pid, interposer.library}];
    list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", interposer.function,
                        interposer.event != 0 ? fmt::format("#{}", interposer.event) : "derived");
  }
  std::vector<std::string> sentences;
  for (const auto& [who, list] : functions)
    sentences.push_back(
        fmt::format("{} has {} from {}", ProcessName(evidence, who.first), list, who.second));
  return sentences;
}

std::vector<std::string> OutsideTheTree(const Evidence& evidence) {
  std::map<std::pair<std::string, std::string>, int>
      counts;  // by place and what it is, over all processes
  std::vector<std::string> sentences;
  for (const Outside& outside : evidence.outside)
    if (outside.leak)
      sentences.push_back(fmt::format("NOT HERMETIC: {}, {} ({}, #{})", outside.path,
                                      OutsideText(outside.what), ProcessName(evidence, outside.pid),
                                      outside.event));
    else
      counts[{outside.path, OutsideText(outside.what)}] += outside.count;
  for (const auto& [place, count] : counts)
    sentences.push_back(fmt::format("{}, {} ({} {})", place.first, place.second, count,
                                    count == 1 ? "time" : "times"));
  return sentences;
}

}  // namespace

std::vector<std::string> LinkSentences(const Evidence& evidence) {
  std::vector<std::string> all;
  const auto add = [&](const std::string& word, const std::vector<std::string>& sentences) {
    for (const std::string& sentence : sentences) all.push_back(word + ": " + sentence);
  };
  add("lacks", Lacks(evidence));
  add("before libc", Interposers(evidence));
  add("outside", OutsideTheTree(evidence));
  return all;
}

}  // namespace gpustage
