#include "harness/report/junit.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <set>

namespace gpustage {
namespace {

// XML 1.0 has no way to write most control characters: they are shown as "\x1b".
std::string Escaped(const std::string& text, bool attribute) {
  std::string out;
  for (const char c : text) {
    const bool white = c == '\n' || c == '\t';
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (attribute && (c == '"' || white))
      out += fmt::format("&#{};", static_cast<int>(c));
    else if ((static_cast<unsigned char>(c) < 0x20 && !white) || c == 0x7f)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  // U+FFFE and U+FFFF are no characters of XML either.
  for (const char* none : {"\xef\xbf\xbe", "\xef\xbf\xbf"})
    for (size_t at; (at = out.find(none)) != std::string::npos;) out.replace(at, 3, "\xef\xbf\xbd");
  return out;
}
std::string Text(const std::string& text) { return Escaped(text, false); }
std::string Attribute(const std::string& text) { return Escaped(text, true); }

std::string Seconds(double milliseconds) { return fmt::format("{:.3f}", milliseconds / 1000); }

std::string Details(const ReportedRun& run) {
  std::string text = "\n";
  const auto add = [&](const char* label, const std::string& what) {
    text += fmt::format("{:<9} {}\n", label, what);
  };
  add("claim", run.claim);
  if (run.unmet.empty() || run.verdict == VerdictKind::kFlaky) add("because", run.because);
  for (const UnmetClaim& unmet : run.unmet) {
    add("expected", unmet.file.empty() ? unmet.expected
                                       : fmt::format("{}    {}:{}:{}", unmet.expected, unmet.file,
                                                     unmet.line, unmet.column));
    add(unmet.unknown ? "unknown" : "seen", unmet.seen);
    if (!unmet.because.empty()) add("because", unmet.because);
  }
  for (const ReportedRow& row : run.funnel) {
    add("funnel", fmt::format("{}  {}", row.library, row.steps));
    for (const std::string& sentence : {row.reason, row.remark})
      if (!sentence.empty()) add("", sentence);
  }
  if (run.silent_failure.value_or(false)) add("silent", run.silent_because);
  add("look", run.TraceCommand());
  return text;
}

// What one line can say of a bad run.
std::string Message(const ReportedRun& run) {
  if (run.unmet.empty() || run.verdict == VerdictKind::kFlaky) return run.because;
  return fmt::format(
      "expected {}, {} {}", run.unmet.front().expected,
      run.unmet.front().unknown ? "not observable:" : "seen:", run.unmet.front().seen);
}

std::string Bad(const char* element, const ReportedRun& run) {
  return fmt::format("      <{} type=\"{}\" message=\"{}\">{}</{}>\n", element,
                     ToString(run.verdict), Attribute(Message(run)), Text(Details(run)), element);
}

// The reason is the element's text: the older schema knows no attribute of it, and readers take
// either.
std::string Skipped(const std::string& why) {
  return fmt::format("      <skipped>{}</skipped>\n", Text(why));
}

std::string Inside(const ReportedRun& run) {
  switch (run.verdict) {
    case VerdictKind::kPass: return "";
    case VerdictKind::kSkip: return Skipped(run.because);
    case VerdictKind::kXfail: return Skipped("failed as expected: " + run.because);
    case VerdictKind::kError: return Bad("error", run);
    case VerdictKind::kFail:
    case VerdictKind::kXpass:
    case VerdictKind::kFlaky: return Bad("failure", run);
  }
  return "";
}

std::string TestCase(const ReportedRun& run) {
  std::string name = run.id == run.scenario
                         ? ""
                         : run.id.substr(std::min(run.id.size(), run.scenario.size() + 1)) + " ";
  std::string inside = Inside(run);
  if (IsBad(run.verdict) && !run.log.empty()) {
    std::string log;
    for (const std::string& line : run.log) log += line + "\n";
    inside += fmt::format("      <system-out>{}</system-out>\n", Text(log));
  }
  name += "[" + run.run + "]";
  const std::string start =
      fmt::format("    <testcase name=\"{}\" classname=\"{}\" time=\"{}\"", Attribute(name),
                  Attribute(run.scenario), Seconds(run.duration_ms));
  return inside.empty() ? start + "/>\n" : start + ">\n" + inside + "    </testcase>\n";
}

// What stands in the element of a suite, before its cases.
struct Suite {
  std::string scenario;
  Totals totals;
  std::set<std::string> levels;
  double milliseconds = 0;
};

Result<std::vector<Suite>> SuitesOf(const RunList& runs) {
  std::vector<Suite> suites;
  TRY(runs.Each([&](const ReportedRun& run) -> Status {
    if (suites.empty() || suites.back().scenario != run.scenario)
      suites.push_back({run.scenario, {}, {}, 0});
    suites.back().totals.Add(run.verdict);
    suites.back().levels.insert(run.isolation);
    suites.back().milliseconds += run.duration_ms;
    return Ok();
  }));
  return suites;
}

std::string Property(const char* name, const std::string& value) {
  return fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, Attribute(value));
}

std::string StartOfSuite(const Suite& suite, const Report& report) {
  const Totals& t = suite.totals;
  std::string properties = Property("isolation", fmt::format("{}", fmt::join(suite.levels, "; ")));
  if (report.interrupted) properties += Property("interrupted", *report.interrupted);
  for (const Problem& problem : report.problems)
    properties += Property(("problem." + problem.kind).c_str(), problem.text);
  return fmt::format(
      "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
      "time=\"{}\">\n    <properties>\n{}    </properties>\n",
      Attribute(suite.scenario), t.All(), t.fail + t.xpass + t.flaky, t.error, t.skip + t.xfail,
      Seconds(suite.milliseconds), properties);
}

}  // namespace

Status WriteJunitReport(const Report& report, const RunList& runs, std::ostream& out) {
  TRY(const std::vector<Suite> suites, SuitesOf(runs));
  const Totals& t = report.tally.totals;
  out << fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"gpustage\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{}\">\n",
      t.All(), t.fail + t.xpass + t.flaky, t.error, Seconds(report.seconds * 1000));
  auto suite = suites.begin();
  int left = 0;  // cases of the suite that is open
  TRY(runs.Each([&](const ReportedRun& run) -> Status {
    if (left == 0) {
      left = suite->totals.All();
      out << StartOfSuite(*suite++, report);
    }
    out << TestCase(run);
    if (--left == 0) out << "  </testsuite>\n";
    return Ok();
  }));
  out << "</testsuites>\n";
  return Ok();
}

}  // namespace gpustage
