#!/usr/bin/env bash
# The rules of the code that no compiler checks: who includes whom, which library is used where, sizes, and what is never
# committed. `rules_test.sh --self-test` breaks every rule in a copy of the tree and wants it to be seen.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source_files() { find harness fakes fixtures tests -name '*.h' -o -name '*.cc' -o -name '*.inc'; }
all_files() { find . \( -name .git -o -name .build -o -path ./shared \) -prune -o -type f -print; }

# Every check prints what is wrong, a line each, and nothing otherwise.

check_includes() {
  source_files | xargs grep -nE '^ *# *include' /dev/null | awk -F: '
    BEGIN {
      # A stage sees itself and what stands before it; capture leads back, so it sees only the first two.
      order = "base scenario stage run evidence words verdict report pipeline suite diagnose cli"
      for (i = split(order, name, " "); i; i--) rank[name[i]] = i
      rank["capture"] = rank["scenario"]
      rank["logs"] = rank["report"]
      rank["import"] = rank["suite"]  # of what was pasted: no case is run
      rank["embed"] = rank["diagnose"]  # a library knows no command line

      used["<yaml-cpp/"] = "harness/scenario harness/capture"
      used["<nlohmann/"] = "harness/evidence harness/report harness/logs harness/import harness/suite harness/diagnose harness/cli fakes/scanner fakes/vulkan/compile"
      used["<CLI/"] = "harness/cli"
      used["<seccomp.h"] = "harness/run"
      used["<re2/"] = "harness/scenario harness/evidence harness/verdict harness/logs harness/import harness/diagnose harness/suite"
      used["<boost/filesystem"] = "harness/base"
      used["<boost/math/"] = "harness/verdict"
      used["<gtest/"] = used["<gmock/"] = "harness/embed tests"
      used["<cuda"] = used["<nvml.h"] = used["<cublas"] = "fakes tests"
    }
    function stage(path) {
      if (path ~ /^harness\/[a-z_]+\./) return "pipeline"  # the files of harness/ itself compose
      if (path !~ /^harness\/[a-z]+\//) return ""
      split(path, part, "/")
      return part[2]
    }
    function wrong(why) { print $1 ":" $2 ": includes " what ": " why }
    {
      file = $1
      what = $0; sub(/^[^#]*# *include */, "", what); sub(/[>"][^>"]*$/, "", what)
      path = substr(what, 2)
      from = stage(file); to = stage(path)

      if (path ~ /\.\.\//) wrong("includes start at the root of the repository")
      if (file ~ /^harness\// && path ~ /^fakes\// && path != "fakes/world/format.h" && path !~ /\.inc$/)
        wrong("fakes/world/format.h and tables (.inc) are all of fakes/ that harness/ sees")
      if (file ~ /^fakes\// && path ~ /^harness\//) wrong("fakes know nothing of harness/")
      if (file !~ /^tests\// && path ~ /^tests\//) wrong("only tests see tests/")
      if (file ~ /\/include\/gpustage\// && path ~ /^(harness|fakes)\//) wrong("a public header stands alone")
      if (from && to && !(to in rank)) wrong("no folder of the flow")
      else if (from && to && rank[to] > rank[from] || from == "capture" && to == "stage") wrong(to " comes after " from)
      else if (from && to == "logs" && from != "logs" && from != "import" && from != "cli") wrong("only import and cli see logs")
      else if (from && to == "capture" && from != "capture" && from != "import" && from != "cli") wrong("only import and cli see capture")

      for (library in used) if (index(what, library) == 1) {
        split(used[library], folder, " "); allowed = 0
        for (i in folder) if (index(file, folder[i] "/") == 1) allowed = 1
        if (!allowed && file !~ /^tests\//) wrong("only in " used[library])
        # These are compiled against a GoogleTest that is not ours.
        if (file ~ /^harness\/.*\.h$/ && file !~ /^harness\/embed\/include\/gpustage\/(matchers|seen_matcher|register)\.h$/) wrong("in a .cc only")
      }
    }'
}

# Only the pipeline, and what composes it, starts a stage: each stage is handed values.
check_composition() {
  local stage entry
  while read -r stage entry; do
    grep -rnE "\b($entry) *\(" harness --include='*.cc' --include='*.h' |
      grep -vE "^harness/(($stage|suite|diagnose|cli|embed)/|[a-z_]+\.)" |
      sed "s|\$|   <- only the pipeline calls $stage/|" || true
  done <<'END'
stage PlanStage|BuildStage
evidence Decode|Conclude|QuestionsOf|EvidenceOf
verdict Judge
END
}

# What words, verdict and report see of evidence is its finished value: these headers declare values, and what is read off them. The
# linker says whether they call more (finished_values in harness/report), so that they are not linked to what makes evidence.
check_values() {
  source_files | grep -E '^harness/(words|verdict|report)/' | xargs grep -nE '^ *# *include "harness/evidence/' |
    grep -vE '"harness/evidence/(evidence|records/(event|recorded_run)|path/(library_path|fact|families|reason|reason_kinds|cuda_codes)|loader/(linkage|need|outside)|store/kept_run)\.(h|inc)"' |
    sed 's/$/   <- values of evidence alone/' || true
  find harness/words harness/verdict harness/report -name CMakeLists.txt | xargs grep -nE '(^|[ (])(evidence|run|stage|pipeline)([ )]|$)' /dev/null |
    sed 's/$/   <- linked to evidence_values, not to what makes evidence/' || true
}

# Evidence is data, and harness/words alone makes sentences of it: what says why a library was lost has no means to write one, no text of
# three words or more but what a program says (a comparison, or a line marked as a quote), and no reason that is a text. Only what reads
# version 4 of kept evidence may make such a reason, and nobody looks into one.
check_sentences() {
  grep -rnE '# *include <fmt/' harness/evidence/path harness/evidence/loader | sed 's/$/   <- harness\/words makes the sentences/' || true
  { grep -rn 'Kind::kText\b' harness/evidence; grep -rn 'Reason::Kind::kText\b' harness
    grep -rnE 'SentenceOf\([^;]*\)\.(find|starts_with|ends_with|substr)' harness; } |
    grep -vE '^harness/(evidence/store|words)/' | sed 's/$/   <- a reason is data: its text is for people/' || true
  find harness/evidence/path harness/evidence/loader -name '*.cc' -o -name '*.h' | grep -v '/families\.cc$' | sort | xargs awk '
    /a quote/ || /^ *#/ || /R"/ || /(find|starts_with|ends_with)\(/ || /== "/ { next }
    { line = $0
      sub(/\/\/.*/, "", line)
      while (match(line, /"([^"\\]|\\.)*"/)) {
        text = substr(line, RSTART + 1, RLENGTH - 2)
        line = substr(line, RSTART + RLENGTH)
        if (text ~ /[a-z{}]+[,;:]? +[A-Za-z{}]+[,;:]? +[a-z{}]/) print FILENAME ":" FNR ": \"" text "\"   <- a sentence: harness/words makes those"
      }
    }'
}

# One name, one type: two structs of one name in two files of one namespace are linked into one program, and either may be taken for the
# other. What stands in an unnamed namespace is its file's own.
check_one_type() {
  find harness -name '*.h' -o -name '*.cc' | sort | xargs awk '
    FNR == 1 { depth = 0; delete kind; named = "" }
    /^namespace / { open[++depth] = /^namespace *\{/ ? "unnamed" : $2 }
    /^} *\/\/ namespace/ { if (depth > 0) --depth }
    /^(struct|class) [A-Za-z_]+( final)?( :[^:].*)? \{/ {
      hidden = 0; space = ""
      for (i = 1; i <= depth; i++) { if (open[i] == "unnamed") hidden = 1; space = space open[i] "::" }
      if (hidden) next
      name = space $2
      if (name in first) print FILENAME ":" FNR ": " $2 " is another type in " first[name]
      else first[name] = FILENAME
    }'
}

# Tables (.inc) are as long as they are; format.h is one header so that there is one to share.
check_sizes() {
  source_files | xargs wc -l | awk '
    $2 == "total" || $2 == "fakes/world/format.h" || /\.inc$/ { next }
    { most = /\.h$/ ? 120 : 400 }
    $1 > most { print $2 ": " $1 " lines, at most " most }'
}

# 100 columns, counted in characters. A raw string is one literal, however many lines it has.
check_columns() {
  { source_files; find harness fakes fixtures tests -name '*.c'; } | grep -v '\.inc$' | xargs awk '
    FNR == 1 { raw = 0 }
    { was = raw; line = $0 }
    # A literal of several lines keeps its own; one that ends where it begins can be put together of two.
    { gsub(/R"[a-z]*\(([^)]|\)[^a-z"])*\)[a-z]*"/, "", line) }
    line ~ /R"[a-z]*\(/ { raw = 1 }
    raw && was && /\)[a-z]*"/ { raw = 0 }
    !was { print FILENAME ":" FNR ": " $0 }' | LC_ALL=C.UTF-8 grep -E '^[^ ]+: .{101,}$' | sed -E 's/^([^ ]+): .*/\1: more than 100 columns/' || true
}

# What clang-format would write otherwise; another version has another opinion.
FORMATTER=
for name in clang-format-14 clang-format; do
  [[ $("$name" --version 2>/dev/null) != *' version 14.'* ]] || { FORMATTER=$name && break; }
done
check_format() {
  if [[ -z $FORMATTER ]]; then
    [[ -n ${TOLD:-} ]] || echo 'not looked at: the formatting, there is no clang-format 14 here' >&2
    TOLD=1
    return
  fi
  source_files | grep -v '\.inc$' | xargs -P "$(nproc)" -n 40 "$FORMATTER" --dry-run 2>&1 |
    sed -nE 's/^([^:]+:[0-9]+):[0-9]+: warning: .*/\1: not as clang-format writes it/p' | sort -u
}

# The brackets keep this file from finding itself.
check_texts() {
  all_files | xargs grep -nIE '/(wor[k]|far[m])/' /dev/null | sed 's/$/   <- a path of one machine/' || true
  all_files | xargs grep -nIiE 'registry\.[n]pmjs|[p]ypi\.org|[p]ythonhosted|deb\.[d]ebian\.org|[c]rates\.io|repo1?\.[m]aven' \
    /dev/null | sed 's/$/   <- a registry is reached by its client, never named/' || true
  all_files | xargs grep -lI 'NOTICE TO [L]ICENSEE' | sed 's/$/: a vendor header is not ours to commit/' || true
}

check_binaries() {
  all_files | LC_ALL=C xargs grep -lPa '^(\x7fELF|PK\x03\x04|\x1f\x8b|!<arch>)' |
    sed 's/$/: a binary: build it, or fetch it into the cache/' || true
}

check_all() {
  check_includes
  check_composition
  check_values
  check_sentences
  check_one_type
  check_sizes
  check_columns
  check_format
  check_texts
  check_binaries
}

# breaks CHECK WORDS FILE TEXT: with TEXT in FILE, the check must print a line with FILE and WORDS.
breaks() {
  local check=$1 words=$2 file=$3 text=$4 seen
  mkdir -p "$(dirname "$file")"
  printf '%b' "$text" >"$file"
  seen=$("check_$check")
  rm "$file"
  grep -F "$file" <<<"$seen" | grep -qF -- "$words" && return
  echo "not seen: $words (in $file)"
  exit 1
}

self_test() {
  local many
  COPY=$(mktemp -d)
  trap 'rm -rf "$COPY"' EXIT
  tar -c --exclude=./.git --exclude=./.build --exclude=./shared . | tar -x -C "$COPY"
  cd "$COPY"
  many=$(printf '%0401d' 0 | sed 's/0/\\n/g')
  breaks includes 'comes after base' harness/base/x.cc '#include "harness/scenario/model/case.h"\n'
  breaks includes 'comes after run' harness/run/x.h '#include "harness/pipeline.h"\n'
  breaks includes 'comes after capture' harness/capture/x.cc '#include "harness/stage/plan.h"\n'
  breaks includes 'only import and cli see logs' harness/suite/x.cc '#include "harness/logs/answer.h"\n'
  breaks includes 'comes after logs' harness/logs/x.cc '#include "harness/suite/select.h"\n'
  breaks includes 'only import and cli see capture' harness/diagnose/x.cc '#include "harness/capture/machine.h"\n'
  breaks includes 'all of fakes/ that harness/ sees' harness/stage/x.cc '#include "fakes/world/world.h"\n'
  breaks includes 'know nothing of harness' fakes/world/x.cc '#include "harness/base/result.h"\n'
  breaks includes 'only tests see tests' harness/verdict/x.cc '#include "tests/support/matchers.h"\n'
  breaks includes 'a public header stands alone' harness/embed/include/gpustage/x.h '#include "harness/base/result.h"\n'
  breaks includes 'start at the root' fakes/nvml/x.cc '#include "../world/format.h"\n'
  breaks includes 'only in harness/scenario harness/capture' harness/report/x.cc '#include <yaml-cpp/yaml.h>\n'
  breaks includes 'only in harness/evidence' harness/run/x.cc '#include <nlohmann/json.hpp>\n'
  breaks includes 'only in harness/cli' harness/diagnose/x.cc '#include <CLI/CLI.hpp>\n'
  breaks includes 'only in harness/run' harness/stage/x.cc '#include <seccomp.h>\n'
  breaks includes 'only in harness/scenario' harness/run/x.cc '#include <re2/re2.h>\n'
  breaks includes 'only in harness/verdict' harness/report/x.cc '#include <boost/math/distributions/binomial.hpp>\n'
  breaks includes 'only in harness/base' harness/stage/x.cc '#include <boost/filesystem.hpp>\n'
  breaks includes 'only in harness/embed tests' harness/verdict/x.cc '#include <gmock/gmock.h>\n'
  breaks includes 'only in fakes tests' harness/stage/x.cc '#include <cuda.h>\n'
  breaks includes 'in a .cc only' harness/scenario/x.h '#include <yaml-cpp/yaml.h>\n'
  breaks values 'values of evidence alone' harness/report/x.cc '#include "harness/evidence/path/chain.h"\n'
  breaks values 'values of evidence alone' harness/words/x.cc '#include "harness/evidence/loader/needs.h"\n'
  breaks values 'values of evidence alone' harness/verdict/x.h '#include "harness/evidence/store/store.h"\n'
  breaks values 'not to what makes evidence' harness/report/x/CMakeLists.txt 'target_link_libraries(x PUBLIC words evidence)\n'
  breaks sentences 'makes the sentences' harness/evidence/loader/x.cc '#include <fmt/format.h>\n'
  breaks sentences 'its text is for people' harness/evidence/path/x.cc '  row.loss->reason = {.kind = Reason::Kind::kText, .text = why};\n'
  breaks sentences 'its text is for people' harness/diagnose/x.cc '  if (SentenceOf(row.loss->reason).find("SIGSEGV") != std::string::npos) return 1;\n'
  breaks sentences 'makes those' harness/evidence/path/x.cc '  row.remark.text = row.library + " is not there at all";\n'
  breaks one_type 'is another type in' harness/verdict/zzz.cc 'namespace gpustage {\nstruct Fact {\n};\n}  // namespace gpustage\n'
  breaks composition 'only the pipeline calls stage' harness/run/x.cc 'auto plan = PlanStage(c);\n'
  breaks composition 'only the pipeline calls evidence' harness/verdict/x.cc '  Conclude(after, evidence);\n'
  breaks sizes '401 lines, at most 400' fakes/world/x.cc "$many"
  breaks sizes '401 lines, at most 120' harness/base/x.h "$many"
  breaks columns 'more than 100 columns' harness/base/x.cc "// $(printf '%098d' 0)\n"
  breaks columns 'x.cc:1: more' harness/base/x.cc "auto a = R\"($(printf '%0120d' 0))\";\n"
  breaks columns 'more than 100 columns' tests/subjects/x.c "// $(printf '%098d' 0)\n"
  breaks columns 'x.cc:4: more' harness/base/x.cc "auto a = R\"(\n$(printf '%0150d' 0))\";\n// $(printf '%097d' 0)\n// $(printf '%098d' 0)\n"
  TOLD=1
  [[ -z $FORMATTER ]] ||
    breaks format 'not as clang-format writes it' fakes/world/x.cc 'int  F( );\n'
  breaks texts 'a path of one machine' scenarios/x.yaml "file: /wor""k/x.so\n"
  breaks texts 'never named' README.x "see py""pi.org\n"
  breaks texts 'vendor header' fakes/nvml/x.h "// NOTICE TO LICEN""SEE:\n"
  breaks binaries 'a binary' fixtures/x.so '\177ELF\002\001\001\000'
  breaks binaries 'a binary' fixtures/x.whl 'PK\003\004\024\000'
}

if [[ ${1:-} == --self-test ]]; then
  self_test
  exit
fi
wrong=$(check_all)
[[ -z $wrong ]] && exit
printf '%s\n' "$wrong"
exit 1
