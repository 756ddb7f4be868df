#!/usr/bin/env bash
# Installs what the project needs beyond the .NET SDK, and only what is missing. Safe to run any number of times.
#
#   scripts/setup-debian.sh          the native libraries an application needs (RocksDB, librdkafka, zstd)
#   scripts/setup-debian.sh test     these, and the foreign Kafka clients that tests/Interop drives
#
# Debian and Ubuntu are set up by apt-get, as root or through sudo. On any other system nothing is installed:
# the commands to type are printed, and the caller goes on, since the libraries may well be there already.
# Why these libraries, and where they come from elsewhere: docs/adr/0002-rocksdb-binding.md, 0003-native-libraries.md.
set -euo pipefail

purpose=${1:-run}
case $purpose in
  run | test) ;;
  *)
    echo "usage: $0 [run|test]" >&2
    exit 2
    ;;
esac

say() { echo "setup: $*" >&2; }

require_dotnet() {
  local version
  if ! command -v dotnet >/dev/null 2>&1; then
    say "the .NET SDK is missing: install version 10.0 (https://dotnet.microsoft.com/download) and put 'dotnet' on the PATH"
    exit 1
  fi
  # Run from the repository so that global.json is honoured: an SDK that is too old is reported here, not as a build error later.
  if ! version=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && DOTNET_NOLOGO=1 dotnet --version 2>&1); then
    say "no .NET SDK that global.json accepts:"
    printf '%s\n' "$version" >&2
    exit 1
  fi
}

explain_other_systems() {
  say "this is not Debian or Ubuntu, so nothing was installed. RocksDB and zstd are needed; librdkafka comes with NuGet."
  cat >&2 <<'TEXT'
  macOS     brew install rocksdb zstd
  Fedora    sudo dnf install rocksdb libzstd
  Arch      sudo pacman -S rocksdb zstd
  Alpine    sudo apk add rocksdb zstd-libs
  Windows   vcpkg install rocksdb[snappy,lz4,zstd] zstd   (then put the DLL folder on the PATH)
TEXT
  if [ "$purpose" = test ]; then
    say "tests/Interop also drives kcat the Python packages kafka-python and confluent-kafka, and, with node and npm, kafkajs; a missing one skips its tests."
  fi
}

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# The RocksDB package carries its version in its name, another one in each release.
rocksdb_installed() {
  dpkg-query -W -f='${db:Status-Status} ${Package}\n' 'librocksdb[0-9]*' 2>/dev/null | grep '^installed ' >/dev/null
}

# Output is kept, and shown only when the command fails for good: a retried download is not news.
as_root_with_retries() {
  local attempt log
  log=$(mktemp)
  for attempt in 1 2 3; do
    if "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 </dev/null; then
      rm -f "$log"
      return 0
    fi
    if [ "$attempt" -lt 3 ]; then
      say "'$*' failed, trying again ($attempt of 3)"
      sleep $((attempt * 5))
    fi
  done
  cat "$log" >&2
  rm -f "$log"
  return 1
}

setup_debian() {
  local wanted=(librdkafka1 libzstd1) missing=() package
  if [ "$purpose" = test ]; then
    # kafka-python takes its codecs from these three modules when they are there.
    wanted+=(kcat python3-kafka python3-confluent-kafka python3-snappy python3-lz4 python3-zstandard)
    # Who has these from elsewhere (a newer node, a version manager) keeps them.
    command -v node >/dev/null 2>&1 || wanted+=(nodejs)
    command -v npm >/dev/null 2>&1 || wanted+=(npm)
  fi
  for package in "${wanted[@]}"; do
    installed "$package" || missing+=("$package")
  done
  local need_rocksdb=false
  rocksdb_installed || need_rocksdb=true
  if [ ${#missing[@]} -eq 0 ] && [ "$need_rocksdb" = false ]; then
    return 0
  fi

  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
      say "packages are missing and this is neither root nor is there sudo. As root, run: $0 $purpose"
      exit 1
    fi
    as_root=(sudo)
  fi

  # Another apt run may hold the lock (an unattended upgrade after boot): wait for it instead of failing.
  local apt=(apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  as_root_with_retries "${apt[@]}" update || say "'apt-get update' failed; going on with the package lists there are"

  if [ "$need_rocksdb" = true ]; then
    package=$(apt-cache search --names-only '^librocksdb[0-9.]+(t64)?$' | awk '{ print $1 }' | sort -V | tail -n 1)
    missing+=("${package:-librocksdb7.8}")
  fi
  say "installing ${missing[*]}"
  if ! as_root_with_retries "${apt[@]}" install --no-install-recommends "${missing[@]}"; then
    say "could not install: ${missing[*]}"
    exit 1
  fi
}

# kafkajs in the version its lock file names, from whichever registry npm is configured for.
setup_kafkajs() {
  local folder
  folder="$(dirname "${BASH_SOURCE[0]}")/../tests/Interop/clients/kafkajs"
  command -v npm >/dev/null 2>&1 || return 0
  # npm keeps a copy of the lock file with what it installed: newer than ours, it is of ours.
  if [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ]; then return 0; fi
  say "installing kafkajs"
  if ! (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error >&2 </dev/null); then
    say "npm could not install kafkajs: its tests will be skipped"
  fi
}

require_dotnet
if [ -f /etc/debian_version ] && command -v apt-get >/dev/null 2>&1 && command -v dpkg-query >/dev/null 2>&1; then
  setup_debian
else
  explain_other_systems
fi
if [ "$purpose" = test ]; then
  setup_kafkajs
fi
