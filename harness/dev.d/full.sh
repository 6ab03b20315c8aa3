# shellcheck shell=bash
# harness/dev full: what takes longer than a test may. Sourced by harness/dev.
#
# A part is tests/full/NAME.sh. Its line "# builds: TARGETS" says what is built before it. It may write JSON into $RESULT; that, its exit
# status, the commit and the date are kept in tests/full.json, a line a part.

# record NAME STATUS RESULT-FILE
record() {
  local file=$ROOT/tests/full.json commit result=null lines
  commit=$(git -C "$ROOT" rev-parse --short HEAD 2>/dev/null || echo unknown)
  git -C "$ROOT" diff --quiet HEAD -- 2>/dev/null || commit+=+changes
  [[ ! -s $3 ]] || result=$(tr -d '\n' <"$3")
  lines=$(sed -n 's/^  \("[^"]*": {.*}\),\{0,1\}$/\1/p' "$file" 2>/dev/null | grep -v "^\"$1\":" || true)
  lines+=$'\n'"\"$1\": {\"commit\": \"$commit\", \"date\": \"$(date -u +%F)\", \"status\": $2, \"result\": $result}"
  { echo '{'; grep . <<<"$lines" | LC_ALL=C sort | sed 's/^/  /; $!s/$/,/'; echo '}'; } >"$file.new"
  mv "$file.new" "$file"
}

# full [NAMES…]: 77 of a part is a skip, with its reason printed; 75 a part that is not done yet, and goes on when it is started again.
full() {
  local name part targets status worst=0 result
  (($#)) || set -- $(cd "$ROOT/tests/full" && ls -- *.sh)
  WISHES+=("${TEST_WISHES[@]}")  # a part that lacks what the tests have would judge less than they do
  for name in "${@%.sh}"; do
    part=$ROOT/tests/full/$name.sh
    [[ -f $part ]] || { say "no tests/full/$name.sh" && exit 2; }
    targets=$(sed -n 's/^# builds: //p' "$part")
    case $name in
      html) WISHES+=("${BROWSER_WISHES[@]}") ;;
      fuzz) WISHES+=("${FUZZ_WISHES[@]}") ;;
      slurm) WISHES+=("${SLURM_WISHES[@]}") ;;
    esac
    # shellcheck disable=SC2086  # a word a target
    [[ -z $targets ]] || build_for tests $targets
    result=$(mktemp) status=0
    TREE=$TREE RESULT=$result "$part" || status=$?
    ((status == 75 || status == 77)) || record "$name" "$status" "$result"
    ((status != 75)) || say "$name is not done yet: harness/dev full $name goes on"
    rm -f "$result"
    ((status == 0 || status == 77)) || worst=1
  done
  exit $worst
}
