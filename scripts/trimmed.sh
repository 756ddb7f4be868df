#!/usr/bin/env bash
# Publishes examples/WordCount trimmed and self-contained, and counts its sample with it: on the embedded broker, and over TCP on a Broker.Lite
# process. Proves that what the trimmer removes is not missed, and that it warns about none of our own assemblies.
# Needs the runtime pack from a package source (Microsoft.NETCore.App.Runtime.linux-x64).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh

output=artifacts/trimmed
rm -rf "$output"
mkdir -p "$output"

# Confluent.Kafka reads its own declarations of native functions by reflection, which the trimmer warns about (IL2104). They are kept by a
# DynamicDependency on KafkaCluster; the count over TCP below shows that this is enough. A warning about any other assembly is an error.
dotnet publish examples/WordCount -c Release -r linux-x64 --self-contained -p:PublishTrimmed=true -p:TrimMode=full \
  -p:ILLinkTreatWarningsAsErrors=false -o "$output/app" -v q --nologo -nodeReuse:false 2>&1 | tee "$output/publish.log"
if grep -E '(warning|error) IL[0-9]+' "$output/publish.log" | grep -v "IL2104: Assembly 'Confluent.Kafka'"; then
  echo "trimmed: FAILED, the trimmer warns of the above" >&2
  exit 1
fi
echo "trimmed: $(du -sm "$output/app" | cut -f1) MiB in $output/app"

"$output/app/WordCount" "$output/app/sample.txt"

dotnet build src/Broker.Lite -c Release -v q --nologo -nodeReuse:false
dotnet src/Broker.Lite/bin/Release/net10.0/Broker.Lite.dll --port 0 --data "$output/broker" >"$output/broker.log" 2>&1 &
broker=$!
trap 'kill "$broker" 2>/dev/null || true' EXIT
for _ in $(seq 600); do
  grep -q '^ready ' "$output/broker.log" && break
  kill -0 "$broker" 2>/dev/null || break
  sleep 0.1
done
address=$(sed -n -E 's/^ready ([^ ]+)$/\1/p' "$output/broker.log" | head -1)
[ -n "$address" ] || { cat "$output/broker.log"; echo "trimmed: FAILED, the broker did not start" >&2; exit 1; }
"$output/app/WordCount" --bootstrap-servers "$address" "$output/app/sample.txt"
echo "trimmed: the program counts right on the embedded broker and over TCP"
