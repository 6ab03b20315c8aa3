#include "harness/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>

namespace gpustage {
namespace {

constexpr size_t kExcerptColumns = 90;  // a longer line is shown from near the caret on
constexpr size_t kWordsShown = 48;

// Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::string_view LineOf(std::string_view source, int number) {
  size_t begin = 0;
  for (int line = 1; line < number; ++line) {
    const size_t newline = source.find('\n', begin);
    if (newline == std::string_view::npos) return {};
    begin = newline + 1;
  }
  std::string_view line = source.substr(begin, source.find('\n', begin) - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// One column a character: what would move the cursor becomes a blank or a question mark.
std::string Visible(std::string_view line) {
  std::string shown;
  for (const char c : line) {
    if (c == '\t')
      shown += ' ';
    else
      shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  return shown;
}

size_t Columns(std::string_view text) {
  return text.size() - static_cast<size_t>(std::count_if(text.begin(), text.end(), IsContinuation));
}

}  // namespace

std::string Quote(std::string_view bytes) {
  std::string quoted = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      quoted += fmt::format("\\{}", c);
    else if (c == '\n')
      quoted += "\\n";
    else if (c == '\t')
      quoted += "\\t";
    else if (byte < 0x20 || byte >= 0x7f)
      quoted += fmt::format("\\x{:02X}", byte);
    else
      quoted += c;
  }
  return quoted + '"';
}

std::optional<std::string> NearestWord(std::string_view wrong,
                                       const std::vector<std::string>& words) {
  const size_t limit = std::max<size_t>(1, wrong.size() / 3);
  std::optional<std::string> nearest;
  size_t least = limit + 1;
  for (const std::string& word : words) {
    const size_t distance = EditDistance(wrong, word);
    if (distance >= least) continue;
    least = distance;
    nearest = word;
  }
  return nearest;
}

bool Contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string ShellWord(const std::string& word) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

namespace {

std::string Joined(const std::vector<std::string>& words, const char* before_last) {
  std::string joined;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) joined += i + 1 == words.size() ? before_last : ", ";
    joined += words[i];
  }
  return joined;
}

// Those that go on where the wrong word ends: "nvidia-driver-debian" for "nvidia-drivr".
std::vector<std::string> BeginAlike(std::string_view wrong, const std::vector<std::string>& words) {
  constexpr size_t kShortest = 4;
  std::vector<std::string> alike;
  if (wrong.size() < kShortest) return alike;
  for (const std::string& word : words)
    for (size_t size = wrong.size() - 1; size <= wrong.size() + 1 && size < word.size(); ++size)
      if (EditDistance(wrong, std::string_view(word).substr(0, size)) <= 1) {
        alike.push_back(word);
        break;
      }
  return alike;
}

}  // namespace

std::string JoinOr(const std::vector<std::string>& words) { return Joined(words, " or "); }
std::string JoinAnd(const std::vector<std::string>& words) { return Joined(words, " and "); }

namespace {

constexpr std::string_view kDidYouMean = "; did you mean \"";

}  // namespace

std::optional<std::string> MeantWord(std::string_view message) {
  const size_t at = message.rfind(kDidYouMean);
  if (at == std::string_view::npos || !message.ends_with("\"?")) return std::nullopt;
  const size_t begin = at + kDidYouMean.size();
  return std::string(message.substr(begin, message.size() - 2 - begin));
}

std::string DidYouMean(std::string_view wrong, const std::vector<std::string>& words) {
  if (const auto nearest = NearestWord(wrong, words))
    return fmt::format("{}{}?", kDidYouMean, Quote(*nearest).substr(1));
  if (words.empty()) return "; there is none";
  const std::vector<std::string> alike = BeginAlike(wrong, words);
  if (alike.size() == 1) return fmt::format("{}{}?", kDidYouMean, Quote(alike[0]).substr(1));
  const std::vector<std::string>& known = alike.empty() ? words : alike;
  std::vector<std::string> shown(
      known.begin(),
      known.begin() + static_cast<std::ptrdiff_t>(std::min(known.size(), kWordsShown)));
  if (known.size() > kWordsShown)
    shown.push_back(fmt::format("{} more", known.size() - kWordsShown));
  return alike.empty() ? fmt::format("; it can be {}", JoinOr(shown))
                       : fmt::format("; did you mean {}?", JoinOr(shown));
}

std::string RenderError(const Error& error, std::string_view source) {
  if (!error.pos) return error.message;
  const SourcePos& pos = *error.pos;
  const std::string first = fmt::format("{}: {}", ToString(pos), error.message);
  std::string_view line = LineOf(source, pos.line);
  size_t column = std::min(static_cast<size_t>(std::max(pos.column, 1)) - 1, line.size());
  if (line.empty()) return first;

  if (column > kExcerptColumns) {
    size_t cut = column - kExcerptColumns / 2;
    while (cut < column && IsContinuation(line[cut])) ++cut;
    line.remove_prefix(cut);
    column -= cut;
  }
  size_t end = std::min(line.size(), kExcerptColumns + column);
  while (end < line.size() && IsContinuation(line[end])) ++end;
  line = line.substr(0, end);

  const std::string_view marked = line.substr(column, static_cast<size_t>(std::max(pos.length, 1)));
  const std::string tail(std::max<size_t>(Columns(marked), 1) - 1, '~');
  return fmt::format("{}\n{:>5} | {}\n{:>5} | {:{}}^{}", first, pos.line, Visible(line), "", "",
                     Columns(line.substr(0, column)), tail);
}

std::string InSmallLetters(std::string_view text) {
  std::string small(text);
  for (char& c : small)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return small;
}

}  // namespace gpustage
