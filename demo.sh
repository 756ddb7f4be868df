#!/usr/bin/env bash
# Sets the machine up, builds, and counts words on the embedded broker. Arguments go to the example:
#   ./demo.sh                  the texts every system has
#   ./demo.sh book.txt notes/  these files and folders
set -euo pipefail
started_in=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"
here=$PWD
. scripts/environment.sh
scripts/setup-debian.sh run
echo "demo: building" >&2
dotnet build examples/WordCount -c Release -v quiet --nologo -nodeReuse:false
# Back to where the user stands, so that the paths they typed mean what they meant.
cd "$started_in"
exec dotnet "$here/examples/WordCount/bin/Release/net10.0/WordCount.dll" "$@"
