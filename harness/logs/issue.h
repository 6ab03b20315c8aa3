// An issue as GitHub gives it: the logs that are pasted in it, and a comment on them. Nothing is
// ever posted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/logs/knowledge.h"

namespace gpustage {

struct Paste {
  int line = 0;         // of the issue's text, at which it begins
  bool fenced = false;  // between ``` or ~~~
  std::string text;
  friend bool operator==(const Paste&, const Paste&) = default;
};

// Of Markdown, or of JSON that has it: an event ({"issue": {"body": …}, "comment": …}), or the
// issue itself ({"body": …}). Lines outside a fence belong to a log if a program writes them.
std::vector<Paste> PastesOf(const Knowledge& knowledge, std::string_view issue);

// The text of an issue, of Markdown or of such JSON.
std::string MarkdownOf(std::string_view issue);

// Markdown: of each paste that speaks of a GPU what is known, then the cause, or the one thing to
// ask back. "" where no paste does. A log without a version is of the one that the issue names.
std::string IssueComment(const Knowledge& knowledge, const std::string& markdown,
                         const std::vector<Paste>& pastes);

// Markdown: what to ask back where it speaks of a GPU and shows no log of it. "" where it does not.
std::string QuestionBack(const Knowledge& knowledge, const std::string& markdown);

}  // namespace gpustage
