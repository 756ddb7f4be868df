#!/usr/bin/env bash
# Publishes examples/WordCount trimmed and self-contained, and counts its sample with it: proves that what the trimmer removes is not missed.
# Needs the runtime pack from a package source (Microsoft.NETCore.App.Runtime.linux-x64).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh

output=artifacts/trimmed
rm -rf "$output"
dotnet publish examples/WordCount -c Release -r linux-x64 --self-contained -p:PublishTrimmed=true -p:TrimMode=full -o "$output" -v q --nologo
echo "trimmed: $(du -sm "$output" | cut -f1) MiB in $output"
"$output/WordCount" "$output/sample.txt"
