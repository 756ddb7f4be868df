#!/usr/bin/env bash
# Sets the machine up, builds everything and runs every test project. The last line is "N passed, N failed".
#
#   ./test.sh                  all of tests/
#   ./test.sh Broker State     only the test projects whose name contains one of the words
#   CONFIGURATION=Release ./test.sh
#
# The exit code is 0 only when every project built, ran at least one test, ended normally and failed none.
# Debug is the default because the invariants of the product are Debug.Asserts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. scripts/environment.sh

configuration=${CONFIGURATION:-Debug}
project_timeout_seconds=600
results=artifacts/test-results
passed=0
failed=0
skipped=0
failed_projects=()

say() { echo "test: $*"; }

finish() {
  if [ "${#failed_projects[@]}" -gt 0 ]; then print_failures; fi
  if [ "$skipped" -gt 0 ]; then say "$skipped skipped, for the reasons above"; fi
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit
}

give_up() {
  say "$*"
  failed=$((failed + 1))
  finish
}

wanted() {
  [ $# -gt 1 ] || return 0
  local name=$1 word found=1
  shift
  shopt -s nocasematch
  for word in "$@"; do
    if [[ $name == *"$word"* ]]; then found=0; fi
  done
  shopt -u nocasematch
  return "$found"
}

# attribute FILE NAME: a number from the <assembly> element of an xunit report, which holds the totals of the run.
attribute() {
  grep -o '<assembly [^>]*>' "$1" | sed -n -E "1s/.* $2=\"([0-9]+)\".*/\1/p"
}

# A reason is printed once for all tests it holds for; the log names each of them.
print_skip_reasons() {
  awk '
    /^skipped / {
      name = $2
      sub(/\(.*/, "", name)
      getline reason
      sub(/^ +/, "", reason)
      if (!count[reason]++) { order[++reasons] = reason; first[reason] = name }
    }
    END {
      for (i = 1; i <= reasons; i++) {
        reason = order[i]
        more = count[reason] - 1
        print "        skipped: " first[reason] (more > 0 ? " and " more " more" : "") ": " reason
      }
    }' "$1"
}

# What failed, again, at the end: nobody finds it in the middle of a long output.
print_failures() {
  local name
  for name in "${failed_projects[@]}"; do
    say "FAIL $name"
    if [ -f "$results/$name.log" ]; then awk '/^failed / { print "        " $0; getline; print "        " $0 }' "$results/$name.log"; fi
  done
}

run_project() {
  local name=$1 report log code=0 started=$SECONDS in_time=()
  local executable="tests/$name/bin/$configuration/net10.0/$name.dll"
  report="$results/$name.xml"
  log="$results/$name.log"
  if [ ! -f "$executable" ]; then
    say "FAIL $name: $executable was not built (is the project in Streams.sln?)"
    failed=$((failed + 1))
    failed_projects+=("$name")
    return
  fi
  if command -v timeout >/dev/null 2>&1; then
    in_time=(timeout --kill-after=30 "$project_timeout_seconds")
  fi
  # The + form because macOS's bash 3.2 calls an empty array unset.
  ${in_time[@]+"${in_time[@]}"} dotnet "$executable" --no-ansi --no-progress \
    --results-directory "$PWD/$results" --report-xunit --report-xunit-filename "$name.xml" \
    >"$log" 2>&1 </dev/null || code=$?

  local p f s e
  if [ ! -s "$report" ] || ! p=$(attribute "$report" passed) || [ -z "$p" ]; then
    failed=$((failed + 1))
    failed_projects+=("$name")
    say "FAIL $name: no report; it ended with code $code. Its output:"
    sed 's/^/        /' "$log"
    return
  fi
  f=$(attribute "$report" failed)
  s=$(attribute "$report" skipped)
  e=$(attribute "$report" errors)
  f=$((${f:-0} + ${e:-0}))
  # Whatever made the process fail without failing a test (a crash in a finalizer, the time limit, no test found) is a failure too.
  if [ "$f" -eq 0 ] && [ "$code" -ne 0 ]; then
    f=1
  fi
  if [ "$((p + f))" -eq 0 ] && [ "${s:-0}" -eq 0 ]; then
    f=1
  fi
  passed=$((passed + p))
  failed=$((failed + f))
  skipped=$((skipped + ${s:-0}))
  if [ "$f" -gt 0 ]; then
    failed_projects+=("$name")
    say "FAIL $name: $p right, $f wrong, ${s:-0} skipped in $((SECONDS - started)) s, exit code $code. Its output:"
    sed 's/^/        /' "$log"
  else
    say "ok   $name: $p right, ${s:-0} skipped in $((SECONDS - started)) s"
  fi
  print_skip_reasons "$log"
}

scripts/setup-debian.sh test || give_up "set-up failed"

rm -rf "$results"
mkdir -p "$results"

say "building ($configuration)"
# One build of the solution, by one warm compiler for all projects, wherever the environment says otherwise; no build process is left behind.
dotnet build Streams.sln -c "$configuration" -v quiet --nologo -nodeReuse:false -p:UseSharedCompilation=true </dev/null || give_up "the build failed"
dotnet build-server shutdown --vbcscompiler </dev/null >/dev/null

ran=0
for project in tests/*/*.csproj; do
  name=$(basename "$project" .csproj)
  wanted "$name" "$@" || continue
  ran=$((ran + 1))
  run_project "$name"
done
[ "$ran" -gt 0 ] || give_up "no test project's name contains: $*"
finish
