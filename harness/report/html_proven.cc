#include "harness/report/html_proven.h"

#include <fmt/format.h>

#include "harness/base/limits.h"
#include "harness/report/for_terminal.h"

namespace gpustage {

std::string Html(const std::string& text) {
  std::string safe;
  for (const char c : OneLine(text)) switch (c) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      case '\'': safe += "&#39;"; break;
      default: safe += c;
    }
  return safe;
}

std::string ProvenHtml(const std::vector<ProvenAnswer>& proven) {
  if (proven.empty()) return "";
  std::string html = "<section id=\"proven\"><h2>Proven by gpustage why</h2>\n<dl>\n";
  size_t shown = 0;
  for (const ProvenAnswer& answer : proven) {
    if (shown++ == limits::kPageFailures) break;
    html += fmt::format("<dt>{}</dt><dd>{}</dd>\n", Html(answer.run), Html(answer.words));
  }
  return html + "</dl></section>\n";
}

}  // namespace gpustage
